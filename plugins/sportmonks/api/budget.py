"""The budget of calls: one per connection and entity, shared by all processes through PostgreSQL.

A call is taken in one atomic statement before it is made, and what the API reports afterwards may only tighten the
figures within a window. No connection is held during a wait. A wait longer than ``max_inline_wait`` is raised as
BudgetWait (CircuitOpenError) instead, so that a task can give its worker slot back.
The rules are in ``include/sql/functions/budget.sql``.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import psycopg

from sportmonks.api.response import RateLimit
from sportmonks.api.retry import wait_before_retry
from sportmonks.config.catalog import BudgetSettings
from sportmonks.errors import BudgetWait, CircuitOpenError, ConfigurationError, SportmonksError, WarehouseDownError
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import RETRY_TIMEOUT_S, Session
from sportmonks.warehouse.sqlstate import NO_SCHEMA

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
class CallAccount:
    """In whose books a call is counted: an execution's, with ``season_id`` its chunk's, too; with ``collector`` instead
    the run of that collector in the execution. Without ``execution_id`` it is in nobody's."""

    execution_id: str | None = None
    league_id: int | None = None
    season_id: int | None = None
    collector: str | None = None


NO_ACCOUNT = CallAccount()


@dataclass(frozen=True, slots=True)
class Grant:
    """The right to one call. ``bucket`` and ``window`` say where it was taken from, so that a late answer is not
    counted in a newer window. ``probe``: the circuit is open, and this call tests whether the API is back."""

    entity: str
    bucket: str
    window: int = 0
    probe: bool = False
    account: CallAccount = NO_ACCOUNT


class Budget(Protocol):
    """What the client requires of a budget. All methods are safe to call from several threads.

    Every call that was granted ends with one of ``settle``, ``penalise`` and ``failure``, unless its process is killed;
    ``size``: bytes of the response's body.
    """

    def acquire(self, entity: str, *, urgent: bool = False, account: CallAccount = NO_ACCOUNT) -> Grant:
        """The right to one call, which ``account`` has made from here on; after a short wait if necessary. Raises
        BudgetWait, CircuitOpenError."""
        ...

    def settle(
        self, grant: Grant, figures: RateLimit, *, seconds: float = 0.0, answered: bool = True, size: int = 0
    ) -> None:
        """The API answered after ``seconds``. ``answered``: with data or "no result", not with an error."""
        ...

    def penalise(self, grant: Grant, retry_after: float | None, *, exhausted: bool = False, size: int = 0) -> None:
        """The API answered 429. ``retry_after``: seconds that it named, None when it named none; ``exhausted``: no call
        is left in the window; otherwise it was a short burst."""
        ...

    def failure(self, grant: Grant, *, size: int = 0) -> None:
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

    def acquire(self, entity: str, *, urgent: bool = False, account: CallAccount = NO_ACCOUNT) -> Grant:
        waited = slept_until = 0.0
        while True:
            with self._lock:
                until = self._blocked_until.get(entity, 0.0)
                left = until - time.monotonic()
                if left <= 0 or until == slept_until:
                    self._blocked_until.pop(entity, None)
                    self.taken[entity] = self.taken.get(entity, 0) + 1
                    return Grant(entity, entity, account=account)
            waited = self._waiting.wait("blocked", entity, left, waited)
            slept_until = until

    def settle(
        self, grant: Grant, figures: RateLimit, *, seconds: float = 0.0, answered: bool = True, size: int = 0
    ) -> None:
        with self._lock:
            self.failures = 0
            self._streak.pop(grant.entity, None)
            if figures.remaining is not None:
                self.figures[figures.requested_entity or grant.entity] = figures

    def penalise(self, grant: Grant, retry_after: float | None, *, exhausted: bool = False, size: int = 0) -> None:
        with self._lock:
            streak = self._streak[grant.entity] = self._streak.get(grant.entity, 0) + 1
            # The API may name no time, none at all or one that is past: then the wait grows with every refusal.
            wait = max(wait_before_retry(streak, None), retry_after or 0.0)
            self._blocked_until[grant.entity] = time.monotonic() + wait

    def failure(self, grant: Grant, *, size: int = 0) -> None:
        with self._lock:
            self.failures += 1

    def close(self) -> None:
        """There is no connection to close."""


class PostgresBudget:
    """The shared budget, and the books of calls. ``connect`` opens a new psycopg connection at every call,
    from any thread; a warehouse that fails is waited for ``retry_timeout`` seconds.

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
        retry_timeout: float = RETRY_TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        if not 0 <= reserve < 1:
            raise ConfigurationError(f"The reserve of the budget is {reserve}.", hint="Set it to 0 or more, below 1.")
        self._connect = connect
        self._name = connection_name
        self._waiting = _Waiting(max_inline_wait, sleep)
        self._settings: dict[str, Any] = {
            "reserve": reserve,
            "default_limit": default_limit,
            "window_seconds": window,
            "threshold": circuit_failures,
            "within": circuit_within,
            "open_seconds": circuit_open,
            "cap": circuit_cap,
        }
        self._session = Session(self._open, retry_timeout=retry_timeout, sleep=sleep)
        self._has_worked = False

    def acquire(self, entity: str, *, urgent: bool = False, account: CallAccount = NO_ACCOUNT) -> Grant:
        waited = 0.0
        polls = 0
        while True:
            granted, seconds, reason, bucket, window, _ = self._run(
                "budget/take", account, {"entity": entity, "urgent": urgent}
            )
            if granted:
                return Grant(entity, bucket, window, reason == "half-open", account)
            self.close()
            if reason == "probing":
                # Each poll opens a connection, so polls become rarer the longer the first call takes.
                seconds = min(LONGEST_POLL_S, float(seconds) * 1.3**polls)
                polls += 1
            waited = self._waiting.wait(reason, entity, float(seconds), waited)

    def settle(
        self, grant: Grant, figures: RateLimit, *, seconds: float = 0.0, answered: bool = True, size: int = 0
    ) -> None:
        self._tell(
            "budget/settle",
            grant,
            size,
            {
                "entity": grant.entity,
                "remaining": figures.remaining,
                "resets_in": figures.resets_in_seconds,
                "call_limit": figures.limit,
                "requested_entity": figures.requested_entity,
                "latency": seconds,
                "answered": answered,
            },
        )

    def penalise(self, grant: Grant, retry_after: float | None, *, exhausted: bool = False, size: int = 0) -> None:
        self._tell("budget/block", grant, size, {"retry_after": retry_after, "exhausted": exhausted})

    def failure(self, grant: Grant, *, size: int = 0) -> None:
        row = self._tell("budget/failed", grant, size)
        if row is not None and row[0]:
            log.warning("The API has failed repeatedly: all calls rest until %s", row[1])

    def close(self) -> None:
        self._session.close()

    def _tell(
        self, name: str, grant: Grant, size: int, values: Mapping[str, Any] | None = None
    ) -> tuple[Any, ...] | None:
        """Report the outcome of a call. Its answer must not be lost to a failure of the budget, so this never
        raises; the call itself is counted already."""
        place = {"bucket": grant.bucket, "window": grant.window, "bytes": size}
        try:
            return self._run(name, grant.account, {**place, **(values or {})})
        except (psycopg.Error, SportmonksError) as error:
            log.warning("The budget could not be updated (%s): %s", name, type(error).__name__)
            return None

    def _run(self, name: str, account: CallAccount, values: Mapping[str, Any]) -> tuple[Any, ...]:
        """The row of one statement in one transaction."""
        parameters = {**self._settings, **asdict(account), **values, "connection": self._name}
        try:
            (row,) = self._session.execute(sql(name), parameters)
        except NO_SCHEMA:
            raise ConfigurationError(
                "The warehouse has no table of the API budget, or that of an older version.",
                hint="Run the migrations (the DAG sportmonks_catalog does it first thing).",
            ) from None
        self._has_worked = True
        return row

    def _open(self) -> psycopg.Connection[Any]:
        try:
            return self._connect()
        except ConfigurationError as error:
            if not self._has_worked:
                raise
            # The settings were right just now, so nobody has to correct them: the warehouse is waited for.
            raise WarehouseDownError(
                f"The warehouse has stopped answering: {error.message}",
                hint="The task resumes where it stopped once the warehouse is back.",
            ) from None
