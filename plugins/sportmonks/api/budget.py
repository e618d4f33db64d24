"""The budget of calls: one per connection and entity, shared by all processes through PostgreSQL.

A call is taken in one atomic statement before it is made, and what the API reports afterwards may only tighten the
figures within a window. No connection is held during a wait. A wait longer than ``max_inline_wait`` is raised as
BudgetWait (CircuitOpenError) instead, so that a task can give its worker slot back.
The rules are in ``include/sql/functions/budget.sql``.
"""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sportmonks.api.response import RateLimit
from sportmonks.api.retry import wait_before_retry
from sportmonks.config.catalog import BudgetSettings
from sportmonks.errors import BudgetWait, CircuitOpenError, ConfigurationError, SportmonksError, WarehouseDownError
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

# Of the catalog, so that a client without one shares the calls in the same way.
DEFAULTS = BudgetSettings()
LONGEST_POLL_S = 2.0

_REASONS = {
    "blocked": "the API requires a wait",
    "empty": "no call is left in this window",
    "reserve": "what is left is kept for live and daily work",
    "probing": "the first call of the window is not answered yet",
    "circuit": "calls rest everywhere after repeated failures of the API",
}


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to one call. ``bucket`` and ``window`` say where it was taken from, so that a late answer is not
    counted in a newer window. ``probe``: the circuit is open, and this call tests whether the API is back."""

    entity: str
    bucket: str
    window: int = 0
    probe: bool = False


class Budget(Protocol):
    """What the client requires of a budget. All methods are safe to call from several threads."""

    def acquire(self, entity: str, *, urgent: bool = False) -> Grant:
        """The right to one call, after a short wait if necessary. Raises BudgetWait, CircuitOpenError."""
        ...

    def settle(self, grant: Grant, figures: RateLimit, *, seconds: float = 0.0, answered: bool = True) -> None:
        """The API answered after ``seconds``. ``answered``: with data or "no result", not with an error."""
        ...

    def penalise(self, grant: Grant, retry_after: float | None, *, exhausted: bool = False) -> None:
        """The API answered 429. ``exhausted``: no call is left in the window; otherwise it was a short burst."""
        ...

    def failure(self, grant: Grant) -> None:
        """No usable answer (5xx, timeout, broken connection); enough of them in a row open the circuit."""
        ...

    def close(self) -> None:
        """Close the connection; the next call opens a new one."""
        ...


class _Waiting:
    """The wait inside ``acquire``, the same for every budget."""

    def __init__(self, max_inline_wait: float, sleep: Callable[[float], None]) -> None:
        self.max_inline_wait = max_inline_wait
        self._sleep = sleep

    def wait(self, reason: str, entity: str, seconds: float, waited: float) -> float:
        """Sleep ``seconds`` and a small random part; returns the new total. Raises BudgetWait or CircuitOpenError when
        the total would be too long."""
        seconds = max(seconds, 0.01)
        why = _REASONS.get(reason, reason)
        if waited + seconds > self.max_inline_wait:
            kind = CircuitOpenError if reason == "circuit" else BudgetWait
            raise kind.after(seconds, entity=entity, reason=why)
        level = logging.DEBUG if reason == "probing" else logging.INFO
        log.log(level, "%s: waiting %.1f s: %s", entity, seconds, why)
        seconds += random.random() * min(seconds * 0.1, 1.0)
        self._sleep(seconds)
        return waited + seconds


class UnlimitedBudget:
    """Grants and counts every call; it waits only after a 429. For tests and tools without a warehouse."""

    def __init__(
        self, *, max_inline_wait: float = DEFAULTS.max_inline_wait_seconds, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._waiting = _Waiting(max_inline_wait, sleep)
        self._lock = threading.Lock()
        self._blocked_until: dict[str, float] = {}
        self._streak: dict[str, int] = {}
        self.taken: dict[str, int] = {}
        self.figures: dict[str, RateLimit] = {}
        self.failures = 0

    def acquire(self, entity: str, *, urgent: bool = False) -> Grant:
        waited = 0.0
        while True:
            with self._lock:
                left = self._blocked_until.get(entity, 0.0) - time.monotonic()
                if left <= 0:
                    self._blocked_until.pop(entity, None)
                    self.taken[entity] = self.taken.get(entity, 0) + 1
                    return Grant(entity, entity)
            waited = self._waiting.wait("blocked", entity, left, waited)

    def settle(self, grant: Grant, figures: RateLimit, *, seconds: float = 0.0, answered: bool = True) -> None:
        with self._lock:
            self.failures = 0
            self._streak.pop(grant.entity, None)
            if figures.remaining is not None:
                self.figures[figures.requested_entity or grant.entity] = figures

    def penalise(self, grant: Grant, retry_after: float | None, *, exhausted: bool = False) -> None:
        with self._lock:
            streak = self._streak[grant.entity] = self._streak.get(grant.entity, 0) + 1
            wait = wait_before_retry(streak, None) if retry_after is None else retry_after
            self._blocked_until[grant.entity] = time.monotonic() + wait

    def failure(self, grant: Grant) -> None:
        with self._lock:
            self.failures += 1

    def close(self) -> None:
        """There is no connection to close."""


class PostgresBudget:
    """The shared budget. ``connect`` opens a new psycopg connection each time it is called (from any thread).

    ``reserve``: share of the limit that only urgent calls may use. ``default_limit``/``window`` (calls, seconds): what
    is assumed of an API that reports no rate limit. The circuit opens after ``circuit_failures`` failures in a row
    within ``circuit_within`` seconds, for ``circuit_open`` seconds, doubling up to ``circuit_cap``.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        connection_name: str,
        *,
        reserve: float = DEFAULTS.reserve,
        max_inline_wait: float = DEFAULTS.max_inline_wait_seconds,
        default_limit: int = DEFAULTS.default_limit,
        window: int = DEFAULTS.window_seconds,
        circuit_failures: int = 10,
        circuit_within: float = 120.0,
        circuit_open: float = 30.0,
        circuit_cap: float = 600.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 <= reserve < 1:
            raise ConfigurationError(f"The reserve of the budget is {reserve}.", hint="Set it to 0 or more, below 1.")
        self._connect = connect
        self._name = connection_name
        self._waiting = _Waiting(max_inline_wait, sleep)
        self._sleep = sleep
        self._settings: dict[str, Any] = {
            "reserve": reserve,
            "default_limit": default_limit,
            "window_seconds": window,
            "threshold": circuit_failures,
            "within": circuit_within,
            "open_seconds": circuit_open,
            "cap": circuit_cap,
        }
        self._lock = threading.Lock()
        self._conn: psycopg.Connection[Any] | None = None
        self._has_worked = False

    def acquire(self, entity: str, *, urgent: bool = False) -> Grant:
        waited = 0.0
        polls = 0
        while True:
            row = self._run("budget/take", {"entity": entity, "urgent": urgent})
            assert row is not None
            granted, seconds, reason, bucket, window = row
            if granted:
                return Grant(entity, bucket, window, reason == "half-open")
            self.close()
            if reason == "probing":
                # Each poll opens a connection, so polls become rarer the longer the first call takes.
                seconds = min(LONGEST_POLL_S, float(seconds) * 1.3**polls)
                polls += 1
            waited = self._waiting.wait(reason, entity, float(seconds), waited)

    def settle(self, grant: Grant, figures: RateLimit, *, seconds: float = 0.0, answered: bool = True) -> None:
        self._tell(
            "budget/settle",
            {
                "entity": grant.entity,
                "bucket": grant.bucket,
                "window": grant.window,
                "remaining": figures.remaining,
                "resets_in": figures.resets_in_seconds,
                "call_limit": figures.limit,
                "requested_entity": figures.requested_entity,
                "latency": seconds,
                "answered": answered,
            },
        )

    def penalise(self, grant: Grant, retry_after: float | None, *, exhausted: bool = False) -> None:
        self._tell(
            "budget/block",
            {
                "bucket": grant.bucket,
                "window": grant.window,
                "retry_after": retry_after,
                "exhausted": exhausted,
            },
        )

    def failure(self, grant: Grant) -> None:
        row = self._tell("budget/failed", {"bucket": grant.bucket, "window": grant.window})
        if row is not None and row[0]:
            log.warning("The API has failed repeatedly: all calls rest until %s", row[1])

    def close(self) -> None:
        with self._lock:
            self._drop()

    def _drop(self) -> None:
        if self._conn is not None:
            with contextlib.suppress(Exception):
                self._conn.close()
            self._conn = None

    def _tell(self, name: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """Report the outcome of a call. Its answer must not be lost to a failure of the budget, so this never
        raises; the call itself is counted already."""
        import psycopg

        try:
            return self._run(name, values)
        except (psycopg.Error, SportmonksError) as error:
            log.warning("The budget could not be updated (%s): %s", name, type(error).__name__)
            return None

    def _run(self, name: str, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
        """One statement in one transaction. A broken connection is replaced, and a server that restarts is waited
        for."""
        import psycopg

        from sportmonks.warehouse.sqlstate import NO_SCHEMA

        parameters = {**self._settings, **values, "connection": self._name}
        for attempt in range(1, 5):
            try:
                with self._lock:
                    if self._conn is None or self._conn.closed:
                        self._conn = self._connect()
                        self._conn.autocommit = True
                    cursor = self._conn.execute(sql(name), parameters)
                    self._has_worked = True
                    return cursor.fetchone() if cursor.description else None
            except NO_SCHEMA:
                raise ConfigurationError(
                    "The warehouse has no table of the API budget.",
                    hint="Run the migrations (the DAG sportmonks_catalog does it first thing).",
                ) from None
            except (psycopg.OperationalError, psycopg.InterfaceError, SportmonksError) as error:
                self.close()
                if attempt == 4:
                    if self._has_worked:
                        # The settings are right, so nobody has to correct them: the task may try again.
                        raise WarehouseDownError(
                            f"The warehouse has stopped answering ({type(error).__name__}).",
                            hint="The task resumes where it stopped once the warehouse is back.",
                        ) from None
                    raise
                self._sleep(0.25 * 4 ** (attempt - 1))
        return None
