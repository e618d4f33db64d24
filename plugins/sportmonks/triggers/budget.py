"""Waits for the budget in the triggerer: the task's worker slot is free meanwhile."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

from airflow.triggers.base import BaseTrigger, TriggerEvent

# All tasks that wait for one window would come back in the same instant.
JITTER_S = 5.0
# Sleeps are cut, so that a clock that is set right meanwhile is noticed.
LONGEST_NAP_S = 60.0


class BudgetTrigger(BaseTrigger):
    """Fires once ``moment`` (ISO 8601, UTC when it names no zone) is past.

    ``entity``: the bucket waited for; ``reason``: for people. The event is ``{"waited_for": entity}``.
    """

    def __init__(self, moment: str | datetime, entity: str, reason: str = "") -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        when = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
        self.moment = when if when.tzinfo else when.replace(tzinfo=UTC)
        self.entity = entity
        self.reason = reason

    def serialize(self) -> tuple[str, dict[str, Any]]:
        return (
            "sportmonks.triggers.budget.BudgetTrigger",
            {"moment": self.moment.isoformat(), "entity": self.entity, "reason": self.reason},
        )

    async def run(self) -> AsyncIterator[TriggerEvent]:
        self.log.info("Waiting until %s for %s: %s", self.moment.isoformat(), self.entity, self.reason)
        left = (self.moment - datetime.now(UTC)).total_seconds()
        if left > 0:
            jitter = random.random() * min(JITTER_S, left * 0.1)
            while left > 0:
                await asyncio.sleep(min(left + jitter, LONGEST_NAP_S))
                left = (self.moment - datetime.now(UTC)).total_seconds()
        yield TriggerEvent({"waited_for": self.entity})  # type: ignore[no-untyped-call]
