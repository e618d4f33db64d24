"""Outages of an API that answers without records: the watermark passes no hole, however runs are cut off."""

from __future__ import annotations

from datetime import date, timedelta
from random import Random
from typing import Any

import pytest

from sportmonks.errors import LostLeaseError, TransientApiError
from sportmonks.routes.store import RouteStore
from tests.harness.routes import a_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server
from tests.routes.shop import DAILY, DAY, MORNING, Shop, mark, requested


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


def test_the_months_of_an_outage(play: Server, collect: Collect, warehouse: Conn) -> None:
    """From the ninth month on, all are empty: the watermark stays before the first of them."""
    shop = Shop()
    shop.lose(*(str(date(2025, 9, 1) + n * DAY) for n in range(122)))
    period = "{date_from: from, format: '%Y-%m', max_days: 1, first_days: 364}"
    route = a_route(f"key: [id]\ndate_field: month\npaging: none\nperiod: {period}\n")

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


@pytest.mark.parametrize("error", [LostLeaseError("killed"), OSError("no room")], ids=["killed", "failed"])
def test_a_run_that_stops_at_its_very_end_keeps_its_doubts(
    play: Server, collect: Collect, warehouse: Conn, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The doubts and the end of a run are one transaction. The first error leaves no trace in the warehouse, as a kill;
    the second one is recorded as the failure of the run."""
    finish, stops = RouteStore.finish, [error]

    def stopping(store: RouteStore, status: str, **values: Any) -> None:
        if status == "DONE" and stops:
            raise stops.pop()
        finish(store, status, **values)

    monkeypatch.setattr(RouteStore, "finish", stopping)
    server = play(Shop("2025-12-28"))
    with pytest.raises(type(error)):
        collect(a_route(DAILY), server, now=MORNING)
    requested(server)
    summary = collect(a_route(DAILY), server, now=MORNING + timedelta(hours=1))
    assert requested(server) == []
    assert (summary["unproven"], len(summary["doubts"]), mark(warehouse)) == (1, 1, "2025-12-27")
    later = MORNING + timedelta(hours=13)
    assert collect(a_route(DAILY), server, execution_id="etl_2", now=later)["unproven"] == 0
    assert mark(warehouse) == "2025-12-31"
