"""Well-formed answers without records: an accident is suspected, what is often empty is not, what stays is believed."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import psycopg
import pytest

from sportmonks.errors import BudgetWait, TransientApiError
from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route
from tests.harness.routes import watermark_of
from tests.harness.shape_server import Answer, Play, Request, ShapeServer
from tests.routes.conftest import Collect

Conn = psycopg.Connection[Any]
Server = Callable[[Play], ShapeServer]
DAY = timedelta(days=1)
MORNING = datetime(2025, 12, 31, 5, 30, tzinfo=UTC)
DAILY = "date_field: day\npaging: none\nperiod: {date_from: from, date_to: to, max_days: 1, first_days: 29}\n"


def a_route(keys: str) -> Route:
    return parse_route(
        f"client: shop\nroute: orders\nconnection: shop_api\npath: /orders\nkey: [id]\nretry_max: 1\n{keys}"
    )


class Shop:
    """Orders of each day. ``closed``: days without any; ``lost``: days whose orders do not come, so many times each."""

    def __init__(self, *closed: str) -> None:
        self.closed = {date.fromisoformat(day) for day in closed}
        self.lost: dict[date, int] = {}
        self.opened = date(2025, 1, 1)

    def lose(self, *days: str, times: int = 99) -> None:
        self.lost = {date.fromisoformat(day): times for day in days}

    def __call__(self, request: Request) -> Answer:
        first, last = (date.fromisoformat(request.query[name]) for name in ("from", "to"))
        rows = []
        for number in range((last - first).days + 1):
            day = first + number * DAY
            if self.lost.get(day, 0):
                self.lost[day] -= 1
            elif day >= self.opened and day not in self.closed:
                rows += [{"id": f"{day} {n}", "day": str(day)} for n in range(2)]
        return Answer({"data": rows})


def requested(server: ShapeServer) -> list[str]:
    """The first days of the requests, in order; forgets them."""
    days = [request.query["from"] for request in server.requests]
    server.requests.clear()
    return days


def mark(conn: Conn) -> str | None:
    return watermark_of(conn, "raw_shop_orders")


def test_a_day_that_is_empty_by_accident_is_requested_again_behind_the_others(
    play: Server, collect: Collect, warehouse: Conn
) -> None:
    shop = Shop()
    shop.lose("2025-12-28", times=1)
    server = play(shop)
    summary = collect(a_route(DAILY), server)
    days = requested(server)
    assert (days[-2:], len(days)) == (["2025-12-31", "2025-12-28"], 31)
    assert (summary["inserted"], summary["unproven"], summary["asked_again"]) == (60, 0, 1)
    # The end of each listing is counted once, as it came first.
    assert summary["end"] == "one_page (29), empty_page (1)"
    assert mark(warehouse) == "2025-12-31"


def test_a_day_that_stays_empty_is_read_again_by_the_next_run(play: Server, collect: Collect, warehouse: Conn) -> None:
    shop = Shop()
    shop.lose("2025-12-28")
    server = play(shop)
    summary = collect(a_route(DAILY), server)
    assert (summary["inserted"], summary["unproven"]) == (58, 1)
    assert summary["doubts"] == [
        "2025-12-28 to 2025-12-28: no record came, and none when it was requested again, although 20 of 20 windows"
        " like it have records"
    ]
    assert mark(warehouse) == "2025-12-27"
    shop.lose()
    requested(server)
    summary = collect(a_route(DAILY), server, execution_id="etl_2")
    assert requested(server)[0] == "2025-12-25"
    assert (summary["inserted"], summary["unproven"], mark(warehouse)) == (2, 0, "2025-12-31")
    assert warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders') -> 'empty'").fetchone() == ([],)


def test_what_persists_is_believed_by_a_run_that_is_hours_later(
    play: Server, collect: Collect, warehouse: Conn
) -> None:
    """Runs of the same outage, an hour from each other, are one and the same doubt."""
    server = play(Shop("2025-12-28"))
    found = []
    for hours in (0, 1, 11, 12, 13):
        summary = collect(a_route(DAILY), server, execution_id=f"etl_{hours}", now=MORNING + timedelta(hours=hours))
        found.append((summary["unproven"], mark(warehouse), len(requested(server))))
    # The fourth run requests the day once, and the fifth has it no more among its days.
    assert found == [(1, "2025-12-27", 31), *2 * [(1, "2025-12-27", 8)], (0, "2025-12-31", 7), (0, "2025-12-31", 3)]


def test_days_that_the_next_run_reads_in_any_case_are_no_doubt(play: Server, collect: Collect, warehouse: Conn) -> None:
    """In the morning the present day has no records yet, and those of yesterday may come late."""
    server = play(Shop("2025-12-30", "2025-12-31"))
    summary = collect(a_route(DAILY), server)
    assert (summary["unproven"], mark(warehouse), len(requested(server))) == (0, "2025-12-31", 30)


def test_records_that_were_there_before(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Of one window that covers the run, and of days too few for a rule."""
    shop = Shop()
    route = a_route(DAILY.replace("max_days: 1", "lookback_days: 5").replace("first_days: 29", "first_days: 9"))
    server = play(shop)
    collect(route, server)
    shop.lose(*(f"2025-12-{day}" for day in range(20, 32)))
    summary = collect(route, server, execution_id="etl_2", now=MORNING)
    assert summary["doubts"][0].endswith("although records of these days are stored")
    assert (summary["unproven"], mark(warehouse)) == (1, "2025-12-31")
    # A day later it is the API's word.
    summary = collect(route, server, execution_id="etl_3", now=MORNING + DAY)
    assert (summary["unproven"], mark(warehouse)) == (0, "2025-12-31")
    shop.lose()
    summary = collect(route, server, execution_id="etl_4", now=MORNING + 2 * DAY)
    assert (summary["unproven"], summary["records"]) == (0, 12)


def test_records_that_have_moved_to_another_day_are_not_missed(play: Server, collect: Collect, warehouse: Conn) -> None:
    """As those of an API that lists by the day of the last change."""
    moved: list[str] = []

    def answers(request: Request) -> Answer:
        day = moved[0] if moved else "2025-12-30"
        found = request.query["from"] <= day <= request.query["to"]
        return Answer({"data": [{"id": 1, "day": day}] if found else []})

    route = a_route(DAILY.replace("first_days: 29", "first_days: 1"))
    server = play(answers)
    assert collect(route, server)["inserted"] == 1
    moved.append("2025-12-31")
    assert collect(route, server, execution_id="etl_2")["unproven"] == 0
    moved[:] = ["2026-12-31"]
    requested(server)
    assert collect(route, server, execution_id="etl_3")["unproven"] == 1
    assert requested(server) == ["2025-12-29", "2025-12-30", "2025-12-31", "2025-12-31"]


def test_a_shop_that_closes_for_good(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Its first days without orders are doubts, which is an alert; then nothing is unusual about further ones."""
    shop = Shop()
    server = play(shop)
    collect(a_route(DAILY), server)
    shop.closed = {date(2026, 1, 1) + n * DAY for n in range(30)}
    found = []
    for number in range(1, 13):
        now = MORNING + number * DAY
        summary = collect(a_route(DAILY), server, execution_id=f"etl_{number}", today=now.date(), now=now)
        found.append(summary["unproven"])
    assert found == [0, 0, 0, 1, 1, *[0] * 7]
    assert mark(warehouse) == "2026-01-12"


@pytest.mark.parametrize("seed", range(6))
def test_outages_by_chance(play: Server, collect: Collect, warehouse: Conn, seed: int) -> None:
    """Of a shop that sells each day, in windows of all lengths: in some runs each answer from some request on is empty.
    The watermark passes no hole, and the run behind an outage has the truth."""
    rng = Random(seed)
    shop, now = Shop(), MORNING
    up = 1_000_000  # requests that are answered before the outage

    def answers(request: Request) -> Answer:
        nonlocal up
        up -= 1
        return shop(request) if up >= 0 else Answer({"data": []})

    server = play(answers)
    lookback = rng.randint(0, 3)
    windows = f"max_days: {(1, 2, 5, 9, 14, 30)[seed]}, lookback_days: {lookback}"
    route = a_route(DAILY.replace("max_days: 1", windows).replace("first_days: 29", "first_days: 250"))

    def run(number: int) -> int:
        summary = collect(route, server, execution_id=f"etl_{number}", today=now.date(), now=now)
        stored = {row[0] for row in warehouse.execute("SELECT reference_date FROM raw.client_shop_orders").fetchall()}
        # What the next run reads again in any case may be missing until then.
        until = date.fromisoformat(str(mark(warehouse))) - lookback * DAY
        assert {first + n * DAY for n in range((until - first).days)} <= stored
        return int(summary["unproven"])

    first = now.date() - 250 * DAY
    run(0)
    doubts = 0
    for number in range(1, 7):
        now += DAY * rng.choice((1, 1, 4, 9, 30))
        up = rng.choice((0, 0, 1, 2, 5))
        doubts += run(number)
        now += timedelta(hours=rng.randint(1, 10))
        doubts += run(100 + number)
        up = 1_000_000
        now += timedelta(hours=rng.choice((1, 20)))
        assert run(200 + number) == 0
    assert doubts
    counted = warehouse.execute("SELECT count(*), min(reference_date) FROM raw.client_shop_orders").fetchone()
    assert counted == (((now.date() - first).days + 1) * 2, first)


OFTEN_EMPTY = {
    "always": [str(date(2025, 12, 1) + n * DAY) for n in range(31)],
    "at weekends": [str(date(2025, 12, 1) + n * DAY) for n in range(31) if (date(2025, 12, 1) + n * DAY).weekday() > 4],
    "every third day": [str(date(2025, 12, 1) + n * DAY) for n in range(0, 31, 3)],
    "before it opened": [str(date(2025, 12, 1) + n * DAY) for n in range(15)],
}


@pytest.mark.parametrize("closed", OFTEN_EMPTY.values(), ids=OFTEN_EMPTY)
def test_days_that_are_often_empty_cost_no_further_request(
    play: Server, collect: Collect, warehouse: Conn, closed: list[str]
) -> None:
    server = play(Shop(*closed))
    for execution, days in (("etl_1", 30), ("etl_2", 3)):
        summary = collect(a_route(DAILY), server, execution_id=execution)
        assert (summary["unproven"], mark(warehouse), len(requested(server))) == (0, "2025-12-31", days)


def test_the_months_of_an_outage(play: Server, collect: Collect, warehouse: Conn) -> None:
    """From the ninth month on, all are empty: the watermark stays before the first of them."""
    shop = Shop()
    shop.lose(*(str(date(2025, 9, 1) + n * DAY) for n in range(122)))
    route = a_route(
        "date_field: month\npaging: none\nperiod: {date_from: from, format: '%Y-%m', max_days: 1, first_days: 364}\n"
    )

    def answers(request: Request) -> Answer:
        first = date.fromisoformat(f"{request.query['from']}-01")
        found = not shop.lost.get(first)
        return Answer({"data": [{"id": str(first), "month": str(first)}] if found else []})

    server = play(answers)
    summary = collect(route, server)
    assert len(requested(server)) == 12 + 3  # the last month is read again in any case
    assert (summary["inserted"], summary["unproven"], mark(warehouse)) == (8, 3, "2025-08-31")
    shop.lose()
    summary = collect(route, server, execution_id="etl_2")
    assert (summary["inserted"], summary["unproven"], mark(warehouse)) == (4, 0, "2025-12-31")


def test_one_item_of_many(play: Server, collect: Collect, warehouse: Conn) -> None:
    """The orders of one shop are lost, those of the others are not; one has hardly any."""
    shops = {"north": Shop(), "south": Shop(), "kiosk": Shop(*OFTEN_EMPTY["every third day"])}
    shops["south"].lose("2025-12-27")
    route = a_route(
        f"{DAILY}for_each: {{shop: [north, south, kiosk]}}\nquery: {{shop: '{{shop}}'}}".replace("[id]", "[shop, id]")
    )
    server = play(lambda request: shops[request.query["shop"]](request))
    summary = collect(route, server)
    assert len(server.requests) == 91
    assert (summary["unproven"], mark(warehouse)) == (1, "2025-12-26")
    assert summary["doubts"][0].startswith("shop south, 2025-12-27 to 2025-12-27: no record came")


def test_hours_count_as_their_day(play: Server, collect: Collect, warehouse: Conn) -> None:
    """A day of which each part is empty; a part alone says nothing, as at night."""
    lost = {date(2025, 12, 27)}

    def answers(request: Request) -> Answer:
        begin = datetime.fromtimestamp(int(request.query["from"]) + 1, UTC)
        empty = begin.hour < 12 or begin.date() in lost
        return Answer({"data": [] if empty else [{"id": str(begin), "day": str(begin.date())}]})

    period = "period: {date_from: from, date_to: to, format: epoch, max_hours: 12, first_days: 29}"
    route = a_route(f"date_field: day\npaging: none\n{period}\n")
    server = play(answers)
    summary = collect(route, server)
    assert (summary["unproven"], mark(warehouse), len(server.requests)) == (2, "2025-12-26", 62)


LISTED = "paging: {style: page, size_parameter: size, size: 5, total: total}\n"


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
    route = parse_route(a_route_text(f"{LISTED}for_each: {{shop: [a, b, c]}}\nquery: {{shop: '{{shop}}'}}\n"))
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
    keys = "paging: none\nmode: replace\nfor_each: {shop: [north, south, kiosk]}\nquery: {shop: '{shop}'}\n"
    route = parse_route(a_route_text(keys))
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
    keys = "paging: none\nmode: replace\nfor_each: {shop: [north, south]}\nquery: {shop: '{shop}'}\n"
    later: list[Answer] = []

    def answers(request: Request) -> Answer:
        if request.query["shop"] == "north" and later:
            return later.pop(0)
        return Answer({"data": [{"id": n} for n in range(20)]})

    server = play(answers)
    collect(parse_route(a_route_text(keys)), server)
    later += [Answer({"data": []}), Answer({}, 404)]
    summary = collect(parse_route(a_route_text(keys)), server, execution_id="etl_2")
    assert (later, summary["skipped"], summary["deleted"], summary["records"]) == ([], 1, 0, 20)


def a_route_text(keys: str) -> str:
    return f"client: shop\nroute: orders\nconnection: shop_api\npath: /orders\nkey: [shop, id]\nretry_max: 1\n{keys}"


def test_a_run_that_is_interrupted_before_it_looks_again(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Which listings were empty belongs to its stored position."""
    shop = Shop()
    shop.lose("2025-12-27", "2025-12-28")
    broken = [1]

    def answers(request: Request) -> Answer:
        if broken and request.query["from"] == "2025-12-30":
            return Answer(status=500)
        return shop(request)

    server = play(answers)
    with pytest.raises(TransientApiError):
        collect(a_route(DAILY), server)
    broken.clear()
    requested(server)
    summary = collect(a_route(DAILY), server)
    assert requested(server) == ["2025-12-30", "2025-12-31", "2025-12-27", "2025-12-28"]
    assert (summary["unproven"], mark(warehouse)) == (2, "2025-12-26")
    left = "SELECT count(*) FROM etl.route_progress, jsonb_object_keys(counters) AS name WHERE name LIKE 'empty%'"
    assert warehouse.execute(left).fetchone() == (0,)


def test_a_second_reading_that_fails_is_no_empty_day(play: Server, collect: Collect, warehouse: Conn) -> None:
    shop = Shop()
    shop.lose("2025-12-28", times=1)
    failing = [500, 500]

    def answers(request: Request) -> Answer:
        if request.query["from"] == "2025-12-28" and not shop.lost.get(date(2025, 12, 28)) and failing:
            return Answer(status=failing.pop())
        return shop(request)

    server = play(answers)
    with pytest.raises(TransientApiError):
        collect(a_route(DAILY), server)
    assert mark(warehouse) is None
    requested(server)
    summary = collect(a_route(DAILY), server)
    assert requested(server) == ["2025-12-28"]
    assert (summary["inserted"], summary["unproven"], mark(warehouse)) == (60, 0, "2025-12-31")
