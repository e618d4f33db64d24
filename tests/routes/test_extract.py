"""Routes over real HTTP into a real PostgreSQL: styles of paging, faults, figures, resume."""

from __future__ import annotations

import logging
import threading
from typing import Any

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
from sportmonks.routes.spec import Route
from tests.harness.rest_server import RestServer, order
from tests.harness.routes import BASE, make_route
from tests.routes.conftest import STYLES, Run

Conn = psycopg.Connection[Any]


def ids(conn: Conn, route: Route) -> list[int]:
    rows = conn.execute(f"SELECT (payload ->> 'id')::int FROM raw.{route.table} ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def figures(summary: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(summary[name] for name in names)


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("total", [0, 1, 200, 950])
def test_every_style_brings_every_record(run: Run, server: RestServer, warehouse: Conn, style: str, total: int) -> None:
    server.total = total
    route = make_route(STYLES[style])
    summary = run(route)
    assert ids(warehouse, route) == list(range(1, total + 1))
    assert figures(summary, "records", "inserted", "duplicates", "failed") == (total, total, 0, 0)
    again = run(route)
    assert figures(again, "records", "inserted", "duplicates") == (total, 0, total)
    assert ids(warehouse, route) == list(range(1, total + 1))


def test_the_key_travels_in_a_header_alone(run: Run, server: RestServer, warehouse: Conn) -> None:
    run(make_route(STYLES["next"]))
    assert len(server.calls) == 10
    for _, query, headers in server.calls:
        assert headers["Authorization"] == "Bearer S3cr3tKey"
        assert "S3cr3tKey" not in str(query)  # not even where the API's own links hold it
    leaks = warehouse.execute("SELECT count(*) FROM etl.route_progress WHERE page_state::text LIKE '%S3cr3tKey%'")
    assert leaks.fetchone() == (0,)


@pytest.mark.parametrize(
    ("auth", "header", "value"), [("X-Api-Key", "X-Api-Key", "S3cr3tKey"), ("none", "Authorization", None)]
)
def test_other_ways_to_authenticate(run: Run, server: RestServer, auth: str, header: str, value: str | None) -> None:
    run(make_route(f"auth: {auth}"))
    assert server.calls[0][2].get(header) == value


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
    assert ids(warehouse, route) == list(range(1, 601))
    status, error, processed = warehouse.execute(
        "SELECT status, error_message, records_processed FROM etl.collector_runs"
    ).fetchone() or ("", "", 0)
    assert (status, processed) == ("failed", 600)
    assert "scripted 500" in error
    server.calls.clear()
    summary = run(route)
    assert [query["page"] for _, query, _ in server.calls] == ["7", "8", "9", "10"]
    assert figures(summary, "records", "inserted", "duplicates", "pages", "resumed") == (1000, 1000, 0, 10, True)
    assert ids(warehouse, route) == list(range(1, 1001))
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
    assert ids(warehouse, route) == list(range(1, 1001))


def test_a_page_that_stays_repeated_is_counted_and_passed(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.repeat[5] = (4, 99)
    route = make_route()
    summary = run(route)
    assert figures(summary, "records", "inserted", "duplicates", "repeated_pages") == (1000, 900, 100, 1)
    assert ids(warehouse, route) == [*range(1, 401), *range(501, 1001)]


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


def test_records_outside_the_period_and_without_a_date(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.extra[2] = [{"id": 5001, "created": None}, {"id": 5002, "created": "0000-00-00"}, {"id": 5003}]
    server.total = 280
    period = "date_field: created\nperiod: {date_from: from, date_to: to}"
    route = make_route(period)
    summary = run(route, date_from="2025-01-03", date_to="2025-01-05")
    assert server.calls[0][1]["from"] == "2025-01-03"
    assert server.calls[0][1]["to"] == "2025-01-05"
    assert figures(summary, "records", "inserted", "out_of_range", "undated", "period") == (
        283,
        33,
        250,
        3,
        "2025-01-03 to 2025-01-05",
    )
    days = warehouse.execute(
        "SELECT reference_date::text, count(*) FROM raw.client_shop_orders GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert days == [("2025-01-03", 10), ("2025-01-04", 10), ("2025-01-05", 10), (None, 3)]
    strict = make_route(f"{period}\nundated: drop", BASE.replace("orders", "strict"))
    assert figures(run(strict, date_from="2025-01-03", date_to="2025-01-05"), "inserted", "undated") == (30, 3)


def test_what_is_no_record_is_counted_and_kept_aside(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.extra[1] = ["text", 7, None, [1], {"id": 9001, "huge": 10**6}]
    route = make_route("hash_without: [huge]")
    summary = run(route)
    assert figures(summary, "records", "inserted", "failed") == (1005, 1001, 4)
    kept = warehouse.execute("SELECT reason, record FROM etl.route_rejects ORDER BY reject_id").fetchall()
    assert kept == [("not an object", text) for text in ('"text"', "7", "null", "[1]")]


def test_a_record_that_postgresql_refuses_costs_only_itself(run: Run, server: RestServer, warehouse: Conn) -> None:
    """A number beyond numeric; and NUL, the one character that jsonb cannot hold, is replaced."""

    def answer(style: str, number: int, rows: list[Any]) -> Any:
        body = (
            b'{"data": [{"id": 1}, {"id": 2, "n": 1e-20000}, {"id": 3, "s": "a\\u0000b\\\\u0000"}], "pagination": {}}'
        )
        return 200, {}, body

    server._answer = answer  # type: ignore[method-assign]
    route = make_route()
    summary = run(route)
    assert ids(warehouse, route) == [1, 3]
    assert figures(summary, "records", "inserted", "failed", "duplicates") == (3, 2, 1, 0)
    assert warehouse.execute("SELECT payload ->> 's' FROM raw.client_shop_orders ORDER BY id DESC").fetchone() == (
        "a�b\\u0000",
    )


def test_keys_in_another_order_are_the_same_content(run: Run, server: RestServer, warehouse: Conn) -> None:
    route = make_route()
    run(route)
    server.record = lambda number: dict(reversed(order(number).items()))
    assert figures(run(route), "inserted", "duplicates") == (0, 1000)


def test_newest_version_of_a_record(run: Run, server: RestServer, warehouse: Conn) -> None:
    """A -> B -> A: the newest is A again, though its row is older than B's; an unchanged run writes nothing."""
    route = make_route("key: [id]")
    server.total = 30

    def latest() -> Any:
        return warehouse.execute(
            "SELECT record_key, payload ->> 'v' FROM raw.client_shop_orders_latest WHERE record_key = '7'"
        ).fetchone()

    for version, expected in (
        ("A", (30, 0, 0)),
        ("B", (30, 0, 0)),
        ("B", (0, 30, 0)),
        ("A", (0, 30, 30)),
        ("A", (0, 30, 0)),
    ):
        server.record = lambda number, v=version: {"id": number + 1, "v": v}  # type: ignore[misc]
        summary = run(route)
        assert figures(summary, "inserted", "duplicates", "revived") == expected
        assert latest() == ("7", version)
    assert warehouse.execute("SELECT count(*) FROM raw.client_shop_orders").fetchone() == (60,)
    # Both versions in one answer: the later one counts.
    server.total = 0
    server.extra[1] = [{"id": 7, "v": "A"}, {"id": 7, "v": "C"}, {"id": 7, "v": "B"}]
    run(route)
    assert latest() == ("7", "B")


def test_windows_and_watermark(run: Run, server: RestServer, warehouse: Conn) -> None:
    from datetime import date

    server.total = 5
    route = make_route(
        "date_field: created\nperiod: {date_from: from, date_to: to, max_days: 31, first_days: 89, lookback_days: 3}"
    )
    summary = run(route, execution_id="a", today=date(2025, 3, 31))
    requested = [(query["from"], query["to"]) for _, query, _ in server.calls]
    assert requested == [("2025-01-01", "2025-01-31"), ("2025-02-01", "2025-03-03"), ("2025-03-04", "2025-03-31")]
    # This API ignores the days, and all of its records are within the period of the run.
    assert figures(summary, "listings", "pages", "inserted", "duplicates", "out_of_range") == (3, 3, 5, 10, 0)
    server.calls.clear()
    run(route, execution_id="b", today=date(2025, 4, 2))
    assert [(query["from"], query["to"]) for _, query, _ in server.calls] == [("2025-03-28", "2025-04-02")]
    # A backfill of the past does not move the watermark back, one beyond a gap does not move it on.
    for execution, first, last in (("c", "2024-01-01", "2024-01-31"), ("d", "2025-08-01", "2025-08-02")):
        run(route, execution_id=execution, date_from=first, date_to=last)
    assert warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders')").fetchone() == (
        {"date_to": "2025-04-02"},
    )


def test_nonsense_is_refused_before_any_call(run: Run, server: RestServer) -> None:
    route = make_route("date_field: created\nperiod: {date_from: from, date_to: to}")
    with pytest.raises(ConfigurationError, match="date_from 2025-02-01 is after date_to 2025-01-01"):
        run(route, date_from="2025-02-01", date_to="2025-01-01")
    with pytest.raises(ConfigurationError, match="has no period"):
        run(make_route(), date_from="2025-02-01")
    assert server.calls == []


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
    assert ids(warehouse, route) == list(range(1, 1001))
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
    assert ids(warehouse, route) == list(range(1, 1001))
    assert figures(summary, "records", "inserted", "duplicates", "resumed") == (1000, 1000, 0, True)


def test_batches_are_complete_pages(run: Run, server: RestServer, warehouse: Conn) -> None:
    server.size, server.total = 10, 500
    route = make_route("batch_export: 50\npaging: {style: page, more: pagination.has_more}")
    run(route)
    sizes = warehouse.execute("SELECT count(*) FROM raw.client_shop_orders GROUP BY xmin ORDER BY 1").fetchall()
    assert sum(size for (size,) in sizes) == 500
    assert max(size for (size,) in sizes) <= 50
