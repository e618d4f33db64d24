"""Budgets per entity, as the provider keeps them: a window opens with an entity's first request, each call counts one.

Windows run in real (monotonic) time, not by the sandbox's clock: moving the clock by a week must not renew a budget.
"""

from __future__ import annotations

import math
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import iso

BUCKETS = {
    "fixtures": "Fixture",
    "livescores": "Fixture",
    "schedules": "Stage",
    "leagues": "League",
    "seasons": "Season",
    "stages": "Stage",
    "rounds": "Round",
    "teams": "Team",
    "venues": "Venue",
    "players": "Player",
    "coaches": "Coach",
    "referees": "Referee",
    "tv-stations": "TvStation",
    "odds": "Odd",
    "news": "News",
    "squads": "Squad",
    "standings": "Standing",
    "topscorers": "Topscorer",
    "transfers": "Transfer",
    "states": "State",
    "types": "Type",
    "countries": "Country",
}


@dataclass
class Window:
    opened: float
    used: int = 0
    reported_empty: float | None = None  # when the first complete response that reports it had been sent


@dataclass
class Calls:
    """The requests of clients, for tests: counters, and a log of the newest calls."""

    total: int = 0
    by_entity: Counter[str] = field(default_factory=Counter)
    by_path: Counter[str] = field(default_factory=Counter)
    by_status: Counter[int] = field(default_factory=Counter)
    by_token: Counter[str] = field(default_factory=Counter)
    user_agents: Counter[str] = field(default_factory=Counter)
    answers_429: Counter[str] = field(default_factory=Counter)
    over_known_limit: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    fixture_reads: Counter[int] = field(default_factory=Counter)
    bytes_sent: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    log: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=2_000))

    def as_json(self, last: int, fixtures: bool = False) -> dict[str, Any]:
        """`fixture_reads` (requests of each fixture id) only when `fixtures` is set: it may be long."""
        counters = {
            name: {str(key): count for key, count in value.items()}
            for name, value in vars(self).items()
            if isinstance(value, Counter) and (fixtures or name != "fixture_reads")
        }
        return {
            "total": self.total,
            **counters,
            "calls_after_remaining_zero": sum(self.over_known_limit.values()),
            "total_429": sum(self.answers_429.values()),
            "fixtures_requested": sum(self.fixture_reads.values()),
            "fixtures_requested_distinct": len(self.fixture_reads),
            "fixtures_requested_again": sum(count - 1 for count in self.fixture_reads.values()),
            "bytes_sent": self.bytes_sent,
            "most_in_flight": self.most_in_flight,
            "log": list(self.log)[-last:] if last else [],
        }


class Limits:
    """The limits and open windows of all entities; `take(entity)` is called before each request."""

    def __init__(self, limit: int = 3_000, window_seconds: float = 3_600.0) -> None:
        self.default_limit, self.default_window = limit, window_seconds
        self.limits: dict[str, int] = {}
        self.window_seconds: dict[str, float] = {}
        self.windows: dict[str, Window] = {}

    def limit(self, entity: str) -> int:
        return self.limits.get(entity, self.default_limit)

    def length(self, entity: str) -> float:
        return self.window_seconds.get(entity, self.default_window)

    def window(self, entity: str) -> Window | None:
        found = self.windows.get(entity)
        if found is not None and time.monotonic() >= found.opened + self.length(entity):
            del self.windows[entity]
            return None
        return found

    def take(self, entity: str) -> bool:
        """Counts one call; False (and nothing counted) when the window's budget is used up."""
        window = self.window(entity)
        if window is None:
            window = self.windows[entity] = Window(time.monotonic())
        if window.used >= self.limit(entity):
            return False
        window.used += 1
        return True

    def remaining(self, entity: str) -> int:
        window = self.window(entity)
        return max(0, self.limit(entity) - (window.used if window else 0))

    def resets_in(self, entity: str) -> int:
        """Seconds until the window ends, rounded up, so that a client that waits that long is not too early."""
        window = self.window(entity)
        left = self.length(entity) - (time.monotonic() - window.opened if window else 0.0)
        return max(0, math.ceil(left))

    def known_empty(self, entity: str, received_at: float) -> bool:
        """Whether a call was made although the client knew that the present window was used up.

        `received_at` (monotonic) is when the call came in: a response that reports the empty window was sent before.
        """
        window = self.window(entity)
        return window is not None and window.reported_empty is not None and window.reported_empty < received_at

    def used_up(self, entity: str) -> Window | None:
        """The present window if nothing remains of it: a response that is made now will report that."""
        window = self.window(entity)
        return window if window is not None and window.used >= self.limit(entity) else None

    def set(self, limit: int | None, window_seconds: float | None, entity: str | None) -> None:
        """Set the limit of one entity, or of all (dropping those of single entities); open windows start anew."""
        if entity is None:
            self.default_limit = self.default_limit if limit is None else limit
            self.default_window = self.default_window if window_seconds is None else window_seconds
            self.limits.clear()
            self.window_seconds.clear()
            self.windows.clear()
            return
        if limit is not None:
            self.limits[entity] = limit
        if window_seconds is not None:
            self.window_seconds[entity] = window_seconds
        self.windows.pop(entity, None)

    def as_json(self) -> dict[str, Any]:
        entities = sorted({*BUCKETS.values(), "Resource"})
        return {
            "limit": self.default_limit,
            "window_seconds": self.default_window,
            "entities": {
                e: {"limit": self.limit(e), "remaining": self.remaining(e), "resets_in_seconds": self.resets_in(e)}
                for e in entities
                if self.window(e) is not None or e in self.limits
            },
        }


def log_entry(method: str, path: str, entity: str, status: int, **more: Any) -> dict[str, Any]:
    return {"at": iso(time.time()), "method": method, "path": path, "entity": entity, "status": status, **more}
