"""A period that its API has not published yet is answered with 404: at the end of a run it is waited for."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import date

import pytest

from sportmonks.errors import BudgetWait, FatalApiError, TransientApiError
from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route
from sportmonks.routes.summary import summary_text
from tests.harness.routes import watermark_of
from tests.harness.shape_server import Answer, Request, ShapeServer
from tests.routes.conftest import Collect, Conn, Server

MONTHLY = "{date_from: month, format: '%Y-%m', max_days: 1, first_days: 90}"


def a_route(period: str = MONTHLY, path: str = "/reports/{month}.json") -> Route:
    return parse_route(
        f"client: shop\nroute: reports\nconnection: shop_api\npath: '{path}'\nkey: [id]\nretry_max: 1\npaging: none\n"
        f"records: .\nperiod: {period}\n"
    )


class Reports:
    """A file for each month. ``there``: those that are published; ``broken``: those that fail with 500."""

    def __init__(self, *there: str) -> None:
        self.there = set(there)
        self.broken: set[str] = set()

    def __call__(self, request: Request) -> Answer:
        month = request.path.rpartition("/")[2].removesuffix(".json")
        if month in self.broken:
            return Answer(status=500)
        return Answer([{"id": month}]) if month in self.there else Answer({"message": "no such file"}, 404)


def months(server: ShapeServer) -> list[str]:
    """The months that were requested; forgets them."""
    found = [request.path[-7 - 5 : -5] for request in server.requests]
    server.requests.clear()
    return found


def mark(conn: Conn) -> str | None:
    return watermark_of(conn, "raw_shop_reports")


def test_the_newest_month_is_waited_for(
    play: Server, collect: Collect, warehouse: Conn, caplog: pytest.LogCaptureFixture
) -> None:
    reports = Reports("2025-10", "2025-11")
    server = play(reports)
    caplog.set_level(logging.INFO)
    summary = collect(a_route(), server)
    assert months(server) == ["2025-10", "2025-11", "2025-12"]
    assert (summary["inserted"], summary["unproven"], summary["skipped"]) == (2, 0, 0)
    assert "End: one_page (2), not_published (1)\n" in summary_text(summary)
    ended_by = "SELECT ended_by FROM etl.raw_route_status"
    assert warehouse.execute(ended_by).fetchone() == ("one_page (2), not_published (1)",)
    assert "Not published yet (HTTP 404), the next run requests it again: 2025-12-01 to 2025-12-31" in caplog.text
    assert mark(warehouse) == "2025-11-30"
    # The next run, on a day of the same month or the next one, requests it again.
    collect(a_route(), server, execution_id="etl_2", today=date(2026, 1, 2))
    assert (months(server), mark(warehouse)) == (["2025-11", "2025-12", "2026-01"], "2025-11-30")
    reports.there |= {"2025-12"}
    summary = collect(a_route(), server, execution_id="etl_3", today=date(2026, 1, 3))
    assert (summary["inserted"], summary["end"]) == (1, "one_page (2), not_published (1)")
    assert mark(warehouse) == "2025-12-31"


@pytest.mark.parametrize(
    ("there", "words"),
    [
        ((), "HTTP 404"),
        (("2025-11", "2025-12"), "HTTP 404"),
        (
            ("2025-10", "2025-12"),
            "2025-11-01 to 2025-11-30 is not there, although 2025-12-01 to 2025-12-31 behind it is",
        ),
    ],
    ids=["all of them", "the first", "in the middle"],
)
def test_other_months_that_are_not_found_are_an_error(
    play: Server, collect: Collect, warehouse: Conn, there: tuple[str, ...], words: str
) -> None:
    with pytest.raises(FatalApiError, match=words):
        collect(a_route(), play(Reports(*there)))
    assert mark(warehouse) is None


def _stopped_at_the_last_month(play: Server, collect: Collect, reports: Reports) -> ShapeServer:
    """A run that did not find November and stopped at an error of December, which is over."""
    reports.broken.add("2025-12")
    server = play(reports)
    with pytest.raises(TransientApiError):
        collect(a_route(), server)
    reports.broken.clear()
    return server


def test_a_failure_behind_a_month_that_is_not_found(play: Server, collect: Collect, warehouse: Conn) -> None:
    """The next try goes on behind it, and begins with it where one behind it is there."""
    reports = Reports("2025-10")
    server = _stopped_at_the_last_month(play, collect, reports)
    months(server)
    summary = collect(a_route(), server)
    assert months(server) == ["2025-12"]
    assert (summary["inserted"], summary["end"]) == (1, "not_published (2), one_page (1)")
    assert mark(warehouse) == "2025-10-31"


def test_a_month_behind_one_that_is_not_found_is_there_later(play: Server, collect: Collect, warehouse: Conn) -> None:
    reports = Reports("2025-10")
    server = _stopped_at_the_last_month(play, collect, reports)
    reports.there.add("2025-12")
    with pytest.raises(FatalApiError, match="2025-11-30 is not there, although 2025-12-01"):
        collect(a_route(), server)
    months(server)
    reports.there.add("2025-11")
    summary = collect(a_route(), server)
    assert (months(server), summary["inserted"]) == (["2025-11", "2025-12"], 3)


def test_more_days_than_a_limit_allows_are_waited_for(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Each wait ends a try, and the next one goes on behind the days that were not found."""
    left = [0]

    def answers(request: Request) -> Answer:
        if not left[0]:
            return Answer(status=429, headers={"Retry-After": "3600"})
        left[0] -= 1
        return Answer([{"id": 1}]) if request.query["day"] < "2025-12-26" else Answer({}, 404)

    server, summary, tries = play(answers), None, 0
    while summary is None:
        left[0], tries = 3, tries + 1
        assert tries <= 4
        with suppress(BudgetWait):
            summary = collect(a_route("{date_from: day, max_days: 1, first_days: 7}", "/reports"), server)
    assert (summary["end"], mark(warehouse)) == ("not_published (6), one_page (2)", "2025-12-25")
    stored = "SELECT count(*) FROM etl.route_progress, jsonb_object_keys(counters) AS name WHERE name LIKE 'absent%'"
    assert warehouse.execute(stored).fetchone() == (0,)


def test_a_month_that_stays_away_is_a_doubt(play: Server, collect: Collect, warehouse: Conn) -> None:
    """So that a route whose files are elsewhere now does not stay green."""
    server = play(Reports("2025-10"))
    collect(a_route(), server, today=date(2025, 11, 3), date_from="2025-10-01")
    found = []
    for today in (date(2025, 12, 20), date(2026, 1, 1)):
        summary = collect(a_route(), server, execution_id=str(today), today=today)
        found.append((summary["unproven"], summary["doubts"]))
    doubt = "2025-11-01 to 2025-11-30: it is not found (HTTP 404), although it ended 32 days ago"
    assert found == [(0, []), (1, [doubt])]
    assert mark(warehouse) == "2025-10-31"


def test_days_of_a_query(play: Server, collect: Collect, warehouse: Conn) -> None:
    """The rule is that of windows of days, too; another status is an error as before."""
    route = a_route("{date_from: day, max_days: 1, first_days: 3}", "/reports")
    status = [404]

    def answers(request: Request) -> Answer:
        return Answer([{"id": 1}]) if request.query["day"] < "2025-12-30" else Answer({}, status[0])

    server = play(answers)
    summary = collect(route, server)
    assert (summary["end"], mark(warehouse)) == ("not_published (2), one_page (2)", "2025-12-29")
    status[0] = 410
    with pytest.raises(FatalApiError, match="HTTP 410"):
        collect(route, server, execution_id="etl_2")


def test_a_month_that_no_later_run_requests_is_an_error(play: Server, collect: Collect, warehouse: Conn) -> None:
    """As of a backfill: the watermark has passed it, and stays where it is."""
    collect(a_route(), play(Reports("2025-10", "2025-11", "2025-12")))
    older = play(Reports("2025-05", "2025-06"))
    with pytest.raises(FatalApiError, match="HTTP 404"):
        collect(a_route(), older, execution_id="etl_2", date_from="2025-05-01", date_to="2025-07-31")
    assert months(older) == ["2025-05", "2025-06", "2025-07"]
    assert mark(warehouse) == "2025-12-31"


def test_a_route_of_one_period_has_nothing_to_compare_with(play: Server, collect: Collect) -> None:
    with pytest.raises(FatalApiError, match="HTTP 404"):
        collect(a_route("{date_from: month, format: '%Y-%m', first_days: 3}"), play(Reports("2025-11")))


def test_a_month_that_none_of_the_items_has_yet(play: Server, collect: Collect, warehouse: Conn) -> None:
    """What one of them does not have is skipped, as before; what none has is waited for."""
    there = {"north": {"2025-10", "2025-11"}, "south": {"2025-11"}, "closed": {"2025-10"}}
    broken = ["2025-12"]
    route = parse_route(
        "client: shop\nroute: reports\nconnection: shop_api\npath: '/{shop}/{month}.json'\nkey: [shop, id]\n"
        f"retry_max: 1\npaging: none\nrecords: .\nperiod: {MONTHLY}\nfor_each: {{shop: [north, south, closed]}}\n"
    )

    def answers(request: Request) -> Answer:
        shop, month = request.path.removesuffix(".json").strip("/").split("/")
        if shop == "closed" and month in broken:
            return Answer(status=500)
        return Answer([{"id": month}]) if month in there[shop] else Answer({}, 404)

    server = play(answers)
    with pytest.raises(TransientApiError):
        collect(route, server)
    broken.clear()
    summary = collect(route, server)
    assert (summary["inserted"], summary["skipped"], summary["unproven"]) == (4, 5, 0)
    assert (summary["end"], mark(warehouse)) == ("one_page (4), not_published (1)", "2025-11-30")
    left = "SELECT count(*) FROM etl.route_progress, jsonb_object_keys(counters) AS name WHERE name LIKE 'absent%'"
    assert warehouse.execute(left).fetchone() == (0,)
    # As soon as one has the month, the others do not have it.
    there["south"].add("2025-12")
    summary = collect(route, server, execution_id="etl_2")
    assert (summary["inserted"], summary["end"], mark(warehouse)) == (1, "one_page", "2025-12-31")
    assert warehouse.execute(left).fetchone() == (0,)


def test_a_month_that_none_of_the_items_may_have(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Another status does not say that it will be there later."""
    route = parse_route(
        "client: shop\nroute: reports\nconnection: shop_api\npath: '/{shop}/{month}.json'\nkey: [shop, id]\n"
        f"paging: none\nrecords: .\nperiod: {MONTHLY}\nfor_each: {{shop: [north, south]}}\n"
    )
    server = play(lambda one: Answer({}, 403) if "2025-12" in one.path else Answer([{"id": one.path}]))
    summary = collect(route, server)
    assert (summary["skipped"], summary["end"], mark(warehouse)) == (2, "one_page", "2025-12-31")
