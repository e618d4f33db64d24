"""A connection to the warehouse that survives restarts, failovers, deadlocks, lost and silent networks: work is
repeated, not failed."""

from __future__ import annotations

import contextlib
import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
from psycopg.pq import TransactionStatus

from sportmonks.errors import WarehouseDownError
from sportmonks.warehouse.sqlstate import is_exhausted, is_transient, with_hint

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[["psycopg.Connection[Any]"], T]

RETRY_TIMEOUT_S = 60.0
MAX_DELAY_S = 5.0
# A server without time, disk or memory is given so long to recover (another session ends, temporary files go); at
# random in between, so that its clients do not come back all at once.
EXHAUSTED_DELAY_S = (30.0, 60.0)


class Session:
    """Runs pieces of work, each one transaction or harmless to repeat, on one autocommit connection.

    Threads may share it; one works at a time. ``retry_timeout``: seconds after the first fault for which a piece of
    work is tried again. Between tries neither a transaction nor a lock of the database is held.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        *,
        retry_timeout: float = RETRY_TIMEOUT_S,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect = connect
        self._retry_timeout = retry_timeout
        self._sleep = sleep
        self._lock = threading.RLock()
        self._conn: psycopg.Connection[Any] | None = None

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(self, work: Work[T]) -> T:
        """What ``work`` returns. Raises its error when a retry cannot help, WarehouseDownError when the warehouse has
        not come back within the timeout."""
        with self._lock:
            try:
                return repeat(
                    lambda: work(self._connection()),
                    retry_timeout=self._retry_timeout,
                    sleep=self._sleep,
                    after_error=self.close,
                )
            except BaseException:
                # A time-out of the task may come in the middle of a statement; its answer must not meet the next one.
                if self._conn is not None and self._conn.info.transaction_status != TransactionStatus.IDLE:
                    self.close()
                raise

    def execute(self, statement: str, parameters: Any = None) -> list[tuple[Any, ...]]:
        """The rows of one statement."""

        def work(conn: psycopg.Connection[Any]) -> list[tuple[Any, ...]]:
            cursor = conn.execute(statement, parameters)
            return cursor.fetchall() if cursor.description else []

        return self.run(work)

    def close(self) -> None:
        """Give the connection back; the next piece of work opens a new one."""
        with self._lock:
            if self._conn is not None:
                with contextlib.suppress(Exception):
                    self._conn.close()
                self._conn = None

    def _connection(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
            self._conn.autocommit = True
        return self._conn


def repeat(
    work: Callable[[], T],
    *,
    retry_timeout: float = RETRY_TIMEOUT_S,
    sleep: Callable[[float], None] = time.sleep,
    after_error: Callable[[], None] = lambda: None,
) -> T:
    """What ``work`` returns, which is called again after errors that pass: see ``sqlstate.is_transient``.

    ``after_error`` is called after each of them, to close what is broken. Raises every other error at once, one of a
    server without time, disk or memory (``sqlstate.is_exhausted``) the second time, after a pause of
    ``EXHAUSTED_DELAY_S``, and WarehouseDownError ``retry_timeout`` seconds after the first other one.
    """
    first: float | None = None
    delay = 0.25
    exhausted = False
    while True:
        try:
            return work()
        except (psycopg.Error, WarehouseDownError) as broken:
            if isinstance(broken, psycopg.Error) and not is_transient(broken):
                raise
            if isinstance(broken, psycopg.Error) and is_exhausted(broken):
                with_hint(broken)
                if exhausted:
                    raise
                exhausted = True
                after_error()
                _wait(sleep, random.uniform(*EXHAUSTED_DELAY_S), broken)
                continue
            error: Exception = broken
        after_error()
        first = first or time.monotonic()
        if time.monotonic() - first + delay > retry_timeout:
            raise _final(error, retry_timeout) from None
        _wait(sleep, delay, error)
        delay = min(delay * 2, MAX_DELAY_S)


def _wait(sleep: Callable[[float], None], seconds: float, error: Exception) -> None:
    log.warning("The warehouse failed (%s), trying again in %.1f s", _brief(error), seconds)
    sleep(seconds)


def _final(error: Exception, retry_timeout: float) -> Exception:
    if isinstance(error, WarehouseDownError):
        return error
    return WarehouseDownError(
        f"The warehouse has not come back within {retry_timeout:g} s ({_brief(error)}).",
        hint="The task goes on where it was once the warehouse answers.",
    )


def _brief(error: BaseException) -> str:
    """Class, code and the server's sentence. Errors that pass hold no values of rows."""
    if not isinstance(error, psycopg.Error):
        return str(error)
    sentence = error.diag.message_primary or str(error).strip().partition("\n")[0]
    name = f"{type(error).__name__} {error.sqlstate}" if error.sqlstate else type(error).__name__
    return f"{name}: {sentence}" if sentence else name
