"""The wait for the API budget in the triggerer; the task's worker slot is free meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

# Up to so many seconds are added at random, because all tasks that wait for the same window would start again at once.
JITTER_S = 5.0
# A wait is slept in pieces of at most this length, so that a clock that is corrected meanwhile is noticed.
MAX_SLEEP_S = 60.0


class BudgetTrigger(BaseTrigger):
    """Fires at ``until`` or a few seconds later.

    ``until``: ISO 8601 text or datetime, UTC when it names no zone. ``entity``: the API's bucket of calls that is
    waited for. ``reason``: for people. The event is ``{"waited_for": entity}``. ``moment`` is the name of ``until`` in
    triggers that version 0.1 stored in Airflow's database; it goes with version 0.3.
    """

    def __init__(
        self,
        until: str | datetime | None = None,
        entity: str = "",
        reason: str = "",
        *,
        moment: str | datetime | None = None,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        given = moment if until is None else until
        if given is None:
            raise TypeError("BudgetTrigger needs until, the time to wait for")
        time = datetime.fromisoformat(given) if isinstance(given, str) else given
        self.until = time if time.tzinfo else time.replace(tzinfo=UTC)
        self.entity = entity
        self.reason = reason

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "sportmonks.triggers.budget.BudgetTrigger",
            {"until": self.until.isoformat(), "entity": self.entity, "reason": self.reason},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        self.log.info("Waiting until %s for %s: %s", self.until.isoformat(), self.entity, self.reason)
        left = (self.until - datetime.now(UTC)).total_seconds()
        if left > 0:
            jitter = random.random() * min(JITTER_S, left * 0.1)
            while left > 0:
                await asyncio.sleep(min(left + jitter, MAX_SLEEP_S))
                left = (self.until - datetime.now(UTC)).total_seconds()
        yield TriggerEvent({"waited_for": self.entity})  # type: ignore[no-untyped-call]
