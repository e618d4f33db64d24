"""The trigger that waits for the budget without a worker."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest
from airflow.triggers.base import TriggerEvent

from sportmonks.triggers import budget as module
from sportmonks.triggers.budget import BudgetTrigger


def first_event(trigger: BudgetTrigger) -> TriggerEvent:
    async def run() -> TriggerEvent:
        async for event in trigger.run():
            return event
        raise AssertionError("the trigger ended without an event")

    return asyncio.run(run())


def test_it_fires_after_the_moment_not_before() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=0.3)
    event = first_event(BudgetTrigger(moment.isoformat(), "Fixture", "no call is left"))
    assert datetime.now(UTC) >= moment
    assert event.payload == {"waited_for": "Fixture"}


def test_a_moment_that_is_past_fires_at_once() -> None:
    started = time.monotonic()
    first_event(BudgetTrigger("2020-01-01T00:00:00+00:00", "Fixture"))
    assert time.monotonic() - started < 0.2


def test_long_waits_are_slept_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    naps: list[float] = []

    async def nap(seconds: float) -> None:
        naps.append(seconds)
        if len(naps) == 3:
            # The clock is set right meanwhile.
            trigger.moment = datetime.now(UTC)

    monkeypatch.setattr(module.asyncio, "sleep", nap)
    trigger = BudgetTrigger(datetime.now(UTC) + timedelta(hours=1), "Fixture")
    first_event(trigger)
    assert naps == [60, 60, 60]


@pytest.mark.parametrize(
    "moment", ["2026-03-01T12:00:00", "2026-03-01T12:00:00+00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)]
)
def test_it_survives_the_way_through_the_database(moment: str | datetime) -> None:
    path, arguments = BudgetTrigger(moment, "Fixture", "why").serialize()
    assert path == f"{BudgetTrigger.__module__}.{BudgetTrigger.__qualname__}"
    again = BudgetTrigger(**arguments)
    assert again.moment == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert again.serialize() == (path, arguments)
