"""The clock of the sandbox: real time with an offset, or frozen. The provider's world depends on this clock only."""

from __future__ import annotations

import time
from datetime import UTC, datetime


def parse_time(text: str) -> float:
    """Epoch seconds of an ISO date or date-time; without an offset it is UTC. ValueError names a bad value."""
    try:
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise ValueError(f"not an ISO date-time: {text!r} (write e.g. 2026-05-30T18:00:00)") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp(epoch: float) -> str:
    """`YYYY-MM-DD HH:MM:SS`, the way the API writes a time."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d %H:%M:%S")


def day(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d")


class Clock:
    """Epoch seconds that run with real time from `start` on, or stand still."""

    def __init__(self, start: float | None = None, frozen: bool = False) -> None:
        self._start = (start, frozen)
        self.reset()

    def reset(self) -> None:
        """Back to the start of the clock (to real time when it had no other start)."""
        start, frozen = self._start
        self._shift = 0.0 if start is None else start - time.time()
        self._frozen_at = self.running_now() if frozen else None

    def running_now(self) -> float:
        return time.time() + self._shift

    def now(self) -> float:
        return self.running_now() if self._frozen_at is None else self._frozen_at

    @property
    def frozen(self) -> bool:
        return self._frozen_at is not None

    def move(self, *, to: float | None = None, by: float = 0.0, frozen: bool | None = None) -> float:
        """Set the clock to `to` if given, add `by` seconds, freeze or release it; returns the new time."""
        target = (self.now() if to is None else to) + by
        keep_frozen = self.frozen if frozen is None else frozen
        self._shift = target - time.time()
        self._frozen_at = target if keep_frozen else None
        return self.now()
