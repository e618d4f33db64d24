"""The trigger that waits for the budget without a worker."""

from __future__ import annotations

import asyncio
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


def test_it_fires_after_the_time_not_before() -> None:
    until = datetime.now(UTC) + timedelta(seconds=0.3)
    event = first_event(BudgetTrigger(until.isoformat(), "Fixture", "no call is left"))
    assert datetime.now(UTC) >= until
    assert event.payload == {"waited_for": "Fixture"}


def test_a_time_in_the_past_fires_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def sleep(seconds: float) -> None:
        raise AssertionError(f"it would have slept for {seconds} s")

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    assert first_event(BudgetTrigger("2020-01-01T00:00:00+00:00", "Fixture")).payload == {"waited_for": "Fixture"}


def test_long_waits_are_slept_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            # The clock is corrected meanwhile.
            trigger.until = datetime.now(UTC)

    monkeypatch.setattr(module.asyncio, "sleep", sleep)
    trigger = BudgetTrigger(datetime.now(UTC) + timedelta(hours=1), "Fixture")
    first_event(trigger)
    assert slept == [60, 60, 60]


@pytest.mark.parametrize(
    "until", ["2026-03-01T12:00:00", "2026-03-01T12:00:00+00:00", datetime(2026, 3, 1, 12, tzinfo=UTC)]
)
def test_it_survives_the_way_through_the_database(until: str | datetime) -> None:
    path, arguments = BudgetTrigger(until, "Fixture", "why").serialize()
    assert path == f"{BudgetTrigger.__module__}.{BudgetTrigger.__qualname__}"
    again = BudgetTrigger(**arguments)
    assert again.until == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert again.serialize() == (path, arguments)


def test_a_trigger_stored_by_the_version_before_still_fires() -> None:
    """Airflow makes a stored trigger from the arguments that were stored with it."""
    stored = {"moment": "2026-03-01T12:00:00+00:00", "entity": "Fixture", "reason": "no call is left"}
    trigger = BudgetTrigger(**stored)
    assert (trigger.until, trigger.reason) == (datetime(2026, 3, 1, 12, tzinfo=UTC), "no call is left")
    with pytest.raises(TypeError, match="needs until"):
        BudgetTrigger(entity="Fixture")
