"""Where an interrupted run goes on: with the items that it began with, from a position that is not too old."""

from __future__ import annotations

import pytest

from sportmonks.errors import ConfigurationError, FatalApiError
from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route
from tests.harness.routes import ORDERS, SHOPS, make_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server

LISTED = "for_each: {route: shops, take: {shop: code}}\nquery: {shop: '{shop}'}\npaging: none"


def a_route(keys: str) -> Route:
    return make_route(f"retry_max: 0\n{keys}", ORDERS)


def with_shops(play: Server, collect: Collect, codes: str, execution: str) -> None:
    shops = [{"id": code, "code": code} for code in codes]
    collect(parse_route(SHOPS), play(lambda _: Answer({"data": shops})), execution_id=execution)


def test_a_run_over_a_table_that_grows_goes_on_where_it_stopped(
    play: Server, collect: Collect, warehouse: Conn
) -> None:
    """Another run of the route has the new ones; so has this one when it is cleared after it was finished."""
    broken = ["d"]

    def answers(request: Request) -> Answer:
        shop = request.query["shop"]
        return Answer({}, 418) if shop in broken else Answer({"data": [{"of": shop}]})

    server = play(answers)

    def listed(execution: str) -> list[str]:
        server.requests.clear()
        collect(a_route(LISTED), server, execution_id=execution)
        return [request.query["shop"] for request in server.requests]

    with_shops(play, collect, "bcde", "s1")
    with pytest.raises(FatalApiError):
        listed("etl_1")
    with_shops(play, collect, "ax", "s2")
    broken.clear()
    assert listed("etl_1") == ["d", "e"]
    assert warehouse.execute("SELECT count(*) FROM etl.route_progress WHERE items IS NOT NULL").fetchone() == (0,)
    assert listed("etl_1") == listed("etl_2") == list("abcdex")
    # One that fails before its end is not continued by a run that has another list.
    broken.append("x")
    with pytest.raises(FatalApiError):
        listed("etl_3")
    with_shops(play, collect, "y", "s3")
    broken.clear()
    assert listed("etl_4") == list("abcdexy")


def test_tries_that_fail_do_not_make_a_position_younger(play: Server, collect: Collect, warehouse: Conn) -> None:
    fails = [True]

    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer({}, 418) if page == 3 and fails else Answer({"data": [{"id": page}], "more": page < 4})

    route = a_route("paging: {style: page, more: more}\nresume_hours: 2")
    server = play(answers)
    for execution in ("etl_1", "etl_2"):
        with pytest.raises(FatalApiError):
            collect(route, server, execution_id=execution)
    assert [request.query["page"] for request in server.requests] == ["1", "2", "3", "3"]
    warehouse.execute("UPDATE etl.route_progress SET advanced_at = advanced_at - interval '3 hours'")
    with pytest.raises(FatalApiError):
        collect(route, server, execution_id="etl_2")  # the same run, however old
    server.requests.clear()
    fails.clear()
    assert collect(route, server, execution_id="etl_3")["resumed"] is False
    assert len(server.requests) == 4


def test_why_listings_may_be_short_is_kept_over_tries(play: Server, collect: Collect, warehouse: Conn) -> None:
    """The first try found that one listing may be short and failed at the next one, which the second found short."""
    answers = {
        "a": [Answer({"data": [{"id": 1}], "total": 9})],
        "b": [Answer({}, 418), Answer({"data": [{"id": 2}], "total": 7})],
        "c": [Answer({"data": [{"id": 3}], "total": 1})],
    }
    days = {"2025-12-02": "a", "2025-12-12": "b", "2025-12-22": "c"}

    def answer(request: Request) -> Answer:
        if request.query["page"] != "1":
            return Answer({"data": []})
        found = answers[days[request.query["from"]]]
        return found.pop(0) if len(found) > 1 else found[0]

    route = a_route(
        "date_field: day\nperiod: {date_from: from, date_to: to, max_days: 10, first_days: 29}\n"
        "paging: {style: page, total: total}"
    )
    server = play(answer)
    with pytest.raises(FatalApiError):
        collect(route, server)
    summary = collect(route, server)
    assert summary["resumed"] is True
    assert summary["doubts"] == [
        "2025-12-02 to 2025-12-11: the API counts 9 records, and 1 came",
        "2025-12-12 to 2025-12-21: the API counts 7 records, and 1 came",
    ]
    stored = warehouse.execute("SELECT unproven, doubts FROM etl.raw_route_status").fetchone()
    assert stored == (2, summary["doubts"])


def test_a_position_of_before_there_was_its_age(play: Server, collect: Collect, warehouse: Conn) -> None:
    fails = [True]

    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer({}, 418) if page == 2 and fails else Answer({"data": [{"id": page}], "more": page < 3})

    route = a_route("paging: {style: page, more: more}")
    with pytest.raises(FatalApiError):
        collect(route, play(answers))
    warehouse.execute("UPDATE etl.route_progress SET advanced_at = NULL")
    fails.clear()
    assert collect(route, play(answers), execution_id="etl_2")["resumed"] is True


def test_more_changes_in_a_day_than_are_shown(play: Server, collect: Collect, warehouse: Conn) -> None:
    """A search that shows 10 records at most, as others show 10,000, over a day that has 30."""
    begin = 1764547200  # 2025-12-01

    def answers(request: Request) -> Answer:
        first, last = int(request.query["from"]), int(request.query["to"])
        found = [n for n in range(30) if first <= begin + n * 2880 <= last]
        at = int(request.query.get("after", 0))
        if at >= 10:
            return Answer({"message": "after is limited"}, 400)
        more = {"next": str(at + 5)} if len(found) > at + 5 else {}
        rows = [{"id": n, "at": begin + n * 2880} for n in found[at : at + 5]]
        return Answer({"data": rows, "total": len(found), "paging": more})

    keys = "period: {{date_from: from, date_to: to, format: epoch{}}}\ndate_field: at\nkey: [id]\n"
    keys += "paging: {{style: cursor, next: paging.next, parameter: after, total: total}}"
    days = {"date_from": "2025-12-01", "date_to": "2025-12-01"}
    with pytest.raises(FatalApiError, match="after is limited"):
        collect(a_route(keys.format("")), play(answers), **days)
    summary = collect(a_route(keys.format(", max_hours: 6")), play(answers), execution_id="etl_2", **days)
    assert (summary["listings"], summary["unproven"]) == (4, 0)
    assert warehouse.execute("SELECT count(*) FROM raw.client_shop_orders_latest").fetchone() == (30,)
    assert warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders') ->> 'date_to'").fetchone() == (
        "2025-12-01",
    )


def test_hours_that_cannot_be_meant() -> None:
    for keys, problem in (
        ("date_to: to, max_hours: 6", "max_hours is given beside the format"),
        ("date_to: to, format: iso, max_hours: 6, max_days: 2", "max_hours is given beside max_days"),
        ("format: iso, max_hours: 6", "has max_hours and no date_to"),
        ("date_to: to, format: iso, max_hours: 24", "max_hours"),
    ):
        with pytest.raises(ConfigurationError, match=problem):
            a_route(f"period: {{date_from: from, {keys}}}")
