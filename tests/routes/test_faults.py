"""Faults over real HTTP: pages that fail, repeat or wait, a try that was taken over, a database that is gone."""

from __future__ import annotations

import logging
import threading

import psycopg
import pytest

from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    LostLeaseError,
    TransientApiError,
)
from tests.harness.rest_server import RestServer
from tests.harness.routes import figures, make_route, stored_ids
from tests.routes.conftest import STYLES, Conn, Run


def test_page_7_fails_five_times(
    run: Run, server: RestServer, warehouse: Conn, caplog: pytest.LogCaptureFixture
) -> None:
    server.fail[7] = [500] * 5
    sleeps: list[float] = []
    with caplog.at_level(logging.INFO):
        summary = run(make_route(), sleeps=sleeps)
    assert figures(summary, "records", "inserted", "pages", "failed") == (1000, 1000, 10, 0)
    assert server.pages[7] == 6
    assert len(sleeps) == 5
    assert sleeps[-1] > sleeps[0]  # growing waits
    assert "Attempt 5/5 failed, waiting" in caplog.text
    assert "Page 7 |" in caplog.text
    assert "Total records collected: 1,000" in caplog.text
    assert "S3cr3tKey" not in caplog.text


def test_it_stops_after_retry_max_keeps_the_records_and_goes_on_there(
    run: Run, server: RestServer, warehouse: Conn
) -> None:
    server.fail[7] = [500] * 6
    route = make_route()
    with pytest.raises(TransientApiError, match="HTTP 500"):
        run(route)
    assert stored_ids(warehouse) == list(range(1, 601))
    status, error, processed = warehouse.execute(
        "SELECT status, error_message, records_processed FROM etl.collector_runs"
    ).fetchone() or ("", "", 0)
    assert (status, processed) == ("failed", 600)
    assert "scripted 500" in error
    server.calls.clear()
    summary = run(route)
    assert [query["page"] for _, query, _ in server.calls] == ["7", "8", "9", "10"]
    assert figures(summary, "records", "inserted", "duplicates", "pages", "resumed") == (1000, 1000, 0, 10, True)
    assert stored_ids(warehouse) == list(range(1, 1001))
    row = warehouse.execute("SELECT status, records_inserted FROM etl.collector_runs").fetchall()
    assert row == [("success", 1000)]


def test_another_run_goes_on_too_unless_forced(run: Run, server: RestServer) -> None:
    route = make_route("retry_max: 0")
    for execution, force, first in (("etl_2", False, "4"), ("etl_3", True, "1")):
        server.fail[4] = [500]
        with pytest.raises(TransientApiError):
            run(route, execution_id="etl_1", force=True)
        server.calls.clear()
        run(route, execution_id=execution, force=force)
        assert server.calls[0][1]["page"] == first


def test_a_page_that_comes_twice_once(run: Run, server: RestServer, warehouse: Conn) -> None:
    """A passing repetition is requested again and costs nothing."""
    server.repeat[5] = (4, 1)
    route = make_route()
    summary = run(route)
    assert figures(summary, "records", "inserted", "duplicates", "repeated_pages", "asked_again") == (
        1000,
        1000,
        0,
        0,
        1,
    )
    assert stored_ids(warehouse) == list(range(1, 1001))


def test_a_page_that_stays_repeated_is_counted_and_passed(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.repeat[5] = (4, 99)
    route = make_route()
    summary = run(route)
    assert figures(summary, "records", "inserted", "duplicates", "repeated_pages") == (1000, 900, 100, 1)
    assert stored_ids(warehouse) == [*range(1, 401), *range(501, 1001)]


def test_an_api_that_ignores_the_page_is_no_endless_loop(run: Run, server: RestServer) -> None:
    server.repeat.update({page: (1, 10**6) for page in range(2, 2000)})
    with pytest.raises(TransientApiError, match="repeats itself"):
        run(make_route())
    assert len(server.calls) < 10


def test_a_cursor_that_leads_back_is_no_endless_loop(run: Run, server: RestServer) -> None:
    route = make_route(STYLES["cursor"])
    server._answer = lambda style, number, rows: (  # type: ignore[method-assign]
        200,
        {},
        b'{"result": {"items": [{"id": %d}]}, "meta": {"next": "c%d"}}' % (len(server.calls), number % 3 + 1),
    )
    with pytest.raises(TransientApiError, match="does not move on"):
        run(route)
    assert len(server.calls) == 4  # the first page, c2, c3, c1; then c2 again


def test_the_last_page_repeated_behind_the_end_is_an_end(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.flags = False
    server.repeat.update({page: (10, 10**6) for page in range(11, 20)})
    route = make_route("paging: {style: page, size_parameter: size, size: 100}")
    assert figures(run(route), "inserted", "failed") == (1000, 0)


def test_an_empty_page_where_more_was_promised(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.empty[5] = 2
    route = make_route()
    assert figures(run(route), "inserted", "asked_again") == (1000, 2)
    server.empty[5] = 99
    with pytest.raises(TransientApiError, match="page 5 is empty although page 4 promised more"):
        run(route)


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, ConfigurationError, "connection shop_api"),
        (403, ConfigurationError, "connection shop_api"),
        (404, FatalApiError, "Check path"),
        (400, FatalApiError, "Check path"),
        (302, ConfigurationError, "elsewhere"),
    ],
)
def test_answers_that_no_retry_helps(
    run: Run, server: RestServer, status: int, error: type[Exception], words: str
) -> None:
    server.fail[1] = [status]
    with pytest.raises(error, match=words):
        run(make_route())
    assert len(server.calls) == 1


def test_a_wrong_record_path_is_no_empty_answer(run: Run, server: RestServer) -> None:
    with pytest.raises(FatalApiError, match=r"no list at 'items'. The answer has: data, pagination, total"):
        run(make_route("records: items"))
    server.total = 0
    assert run(make_route("records: items\nmissing_records: empty"))["records"] == 0


def test_a_short_wait_is_waited_a_long_one_given_back(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.fail[3] = [429]
    server.headers = {"Retry-After": "7"}
    sleeps: list[float] = []
    route = make_route()
    assert run(route, sleeps=sleeps)["inserted"] == 1000
    assert sleeps == [7.0]
    server.fail[3] = [429]
    server.headers = {"Retry-After": "1800"}
    with pytest.raises(BudgetWait) as caught:
        run(route, execution_id="etl_2")
    assert caught.value.seconds == 1800
    server.calls.clear()
    assert run(route, execution_id="etl_2")["pages"] == 10
    assert server.calls[0][1]["page"] == "3"


def test_an_api_that_names_a_long_absence_gives_the_worker_back(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.fail[3] = [503, 503]
    server.headers = {"Retry-After": "600"}
    sleeps: list[float] = []
    route = make_route()
    with pytest.raises(CircuitOpenError, match="HTTP 503") as caught:
        run(route, sleeps=sleeps)
    assert (caught.value.entity, caught.value.seconds, sleeps) == ("raw_shop_orders", 600, [])
    server.headers = {"Retry-After": "9"}
    assert run(route, sleeps=sleeps)["inserted"] == 1000
    assert sleeps == [9.0]


def test_an_older_try_writes_nothing_more(run: Run, server: RestServer, warehouse: Conn) -> None:
    """A zombie and its successor: the fence lets only the newer one commit, and the set is exact."""
    reached, go_on = threading.Event(), threading.Event()
    first_thread: list[BaseException] = []

    def hold(number: int) -> None:
        if number == 5 and not reached.is_set():
            reached.set()
            go_on.wait(30)

    server.hold = hold
    route = make_route()

    def older() -> None:
        try:
            run(route)
        except BaseException as error:
            first_thread.append(error)

    thread = threading.Thread(target=older)
    thread.start()
    assert reached.wait(20)
    summary = run(route)
    go_on.set()
    thread.join(30)
    assert isinstance(first_thread[0], LostLeaseError)
    assert stored_ids(warehouse) == list(range(1, 1001))
    assert summary["inserted"] == 1000
    assert warehouse.execute("SELECT status FROM etl.collector_runs").fetchall() == [("success",)]


def test_a_dead_database_stops_the_fetcher(run: Run, server: RestServer, warehouse: Conn) -> None:
    def hold(number: int) -> None:
        if number == 5:
            warehouse.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )

    server.hold = hold
    route = make_route("queue_pages: 1")
    with pytest.raises(psycopg.OperationalError):
        run(route)
    server.hold = None
    summary = run(route)
    assert stored_ids(warehouse) == list(range(1, 1001))
    assert figures(summary, "records", "inserted", "duplicates", "resumed") == (1000, 1000, 0, True)
