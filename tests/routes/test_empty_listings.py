"""Listings without a period, or of one item, that were long and are suddenly empty."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from sportmonks.errors import BudgetWait
from tests.harness.routes import a_route
from tests.harness.shape_server import Answer, Play, Request
from tests.routes.conftest import Collect, Conn, Server
from tests.routes.shop import DAY, MORNING

LISTED = "key: [id]\npaging: {style: page, size_parameter: size, size: 5, total: total}\n"
FULL_REFRESH = (
    "key: [shop, id]\npaging: none\nmode: replace\nfor_each: {shop: [north, south]}\nquery: {shop: '{shop}'}\n"
)


def listing(rows: list[int]) -> Play:
    """A listing without a period, in pages of five."""

    def answers(request: Request) -> Answer:
        number = int(request.query["page"])
        return Answer({"data": [{"id": n} for n in rows[number * 5 - 5 : number * 5]], "total": len(rows)})

    return answers


def test_a_listing_that_was_long_and_is_suddenly_empty(play: Server, collect: Collect, warehouse: Conn) -> None:
    rows = list(range(7))
    server = play(listing(rows))

    def run(day: int, hours: int = 0) -> tuple[int, int]:
        server.requests.clear()
        now, execution = MORNING + timedelta(days=day, hours=hours), f"etl_{day}_{hours}"
        summary = collect(a_route(LISTED), server, execution_id=execution, now=now)
        warehouse.execute(
            "UPDATE etl.collector_runs SET completed_at = %s WHERE execution_id = %s",
            (now + timedelta(minutes=1), execution),
        )
        return summary["unproven"], len(server.requests)

    assert [run(day) for day in range(7)] == [(0, 2)] * 7
    rows.clear()
    # It is requested twice, and suspected until some hours later; then it costs one request.
    assert [run(7, hours) for hours in (0, 1, 12, 13)] == [(1, 2), (1, 2), (0, 1), (0, 1)]
    rows += range(7)
    assert [run(day) for day in (8, 9)] == [(0, 2)] * 2
    rows.clear()
    assert run(10) == (1, 2)  # another time, another doubt


def hourly_runs(warehouse: Conn, empty_until: int = 0) -> None:
    """Earlier runs of each hour for ten days, without a record before an hour of the day."""
    warehouse.execute(
        "INSERT INTO etl.collector_runs"
        " (collector_name, execution_id, status, records_processed, started_at, completed_at)"
        " SELECT 'raw_shop_orders', 'etl_' || t, 'success',"
        "        CASE WHEN extract(hour FROM t AT TIME ZONE 'UTC') < %s THEN 0 ELSE 5 END, t, t"
        "   FROM generate_series('2025-12-21T00:00Z'::timestamptz, '2025-12-30T23:00Z', '1 hour') AS t",
        (empty_until,),
    )


@pytest.mark.parametrize(("empty_until", "expected"), [(8, (0, 0)), (0, (1, 1))], ids=["every night", "never"])
def test_a_listing_that_is_empty_every_night(
    play: Server, collect: Collect, warehouse: Conn, empty_until: int, expected: tuple[int, int]
) -> None:
    """Those of the last hours had records, and those of the nights before had none."""
    hourly_runs(warehouse, empty_until)
    summary = collect(a_route(LISTED), play(listing([])), now=MORNING)
    assert (summary["unproven"], summary["asked_again"]) == expected


def test_a_limit_of_calls_does_not_begin_the_second_reading_anew(
    play: Server, collect: Collect, warehouse: Conn
) -> None:
    """Each wait ends a try. The next one goes on where it stopped, also within a listing, whatever has come since."""
    rows, met, left = list(range(12)), set[str](), [0]

    def answers(request: Request) -> Answer:
        if not left[0]:
            return Answer(status=429, headers={"Retry-After": "3600"})
        left[0] -= 1
        if (shop := request.query["shop"]) not in met:
            met.add(shop)
            return Answer({"data": [], "total": 0})
        return listing(rows)(request)

    hourly_runs(warehouse)
    route = a_route(
        f"{LISTED}for_each: {{shop: [a, b, c]}}\nquery: {{shop: '{{shop}}'}}\n".replace("[id]", "[shop, id]")
    )
    server, summary, tries = play(answers), None, 0
    while summary is None:
        left[0], tries = 2, tries + 1
        assert tries <= 7
        with suppress(BudgetWait):
            summary = collect(route, server, now=MORNING)
    assert (summary["inserted"], summary["unproven"], summary["asked_again"]) == (36, 0, 3)
    assert len(server.requests) == 3 + 3 * 3 + tries - 1


def test_a_listing_that_is_often_empty(play: Server, collect: Collect) -> None:
    """As what is played now: it says nothing that it is empty, in the first run or later."""
    rows: list[int] = []
    server = play(listing(rows))
    for number in range(8):
        rows[:] = [number] if number % 2 else []
        summary = collect(a_route(LISTED), server, execution_id=f"etl_{number}")
        assert (summary["unproven"], summary["asked_again"]) == (0, 0)


def test_a_full_refresh_deletes_no_item_that_is_suddenly_empty(play: Server, collect: Collect, warehouse: Conn) -> None:
    rows = {"north": list(range(20)), "south": list(range(20)), "kiosk": [1, 2]}
    route = a_route(FULL_REFRESH.replace("south]", "south, kiosk]"))
    server = play(lambda request: Answer({"data": [{"id": n} for n in rows[request.query["shop"]]]}))
    assert collect(route, server)["unproven"] == 0
    rows["kiosk"] = []
    rows["north"] = []
    summary = collect(route, server, execution_id="etl_2", now=MORNING)
    assert (summary["unproven"], summary["deleted"]) == (1, 0)
    assert "although 20 records of it are stored" in summary["doubts"][0]
    summary = collect(route, server, execution_id="etl_3", now=MORNING + DAY)
    assert (summary["unproven"], summary["deleted"]) == (0, 22)


def test_an_item_that_is_refused_when_it_is_requested_again(play: Server, collect: Collect, warehouse: Conn) -> None:
    """It is one of several, and skipped like any other."""
    later: list[Answer] = []

    def answers(request: Request) -> Answer:
        if request.query["shop"] == "north" and later:
            return later.pop(0)
        return Answer({"data": [{"id": n} for n in range(20)]})

    server = play(answers)
    collect(a_route(FULL_REFRESH), server)
    later += [Answer({"data": []}), Answer({}, 404)]
    summary = collect(a_route(FULL_REFRESH), server, execution_id="etl_2")
    assert (later, summary["skipped"], summary["deleted"], summary["records"]) == ([], 1, 0, 20)
