"""Days without records: an accident is suspected, what is often empty is not, what stays is believed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.harness.routes import a_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server
from tests.routes.shop import DAILY, DAY, MORNING, OFTEN_EMPTY, Shop, mark, requested


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


@pytest.mark.parametrize("closed", OFTEN_EMPTY.values(), ids=OFTEN_EMPTY)
def test_days_that_are_often_empty_cost_no_further_request(
    play: Server, collect: Collect, warehouse: Conn, closed: list[str]
) -> None:
    server = play(Shop(*closed))
    for execution, days in (("etl_1", 30), ("etl_2", 3)):
        summary = collect(a_route(DAILY), server, execution_id=execution)
        assert (summary["unproven"], mark(warehouse), len(requested(server))) == (0, "2025-12-31", days)


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
    route = a_route(f"key: [id]\ndate_field: day\npaging: none\n{period}\n")
    server = play(answers)
    summary = collect(route, server)
    assert (summary["unproven"], mark(warehouse), len(server.requests)) == (2, "2025-12-26", 62)
