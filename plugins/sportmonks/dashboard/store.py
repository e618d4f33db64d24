"""Connections for the page: a few are kept open, each request runs in a read-only transaction with a time limit; and
the responses for errors of the warehouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from sportmonks.warehouse.queries import sql

KEEP = 4
KEEP_SECONDS = 60.0
STATEMENT_TIMEOUT_MS = 8_000


class Store:
    """Borrow with ``reading()`` or ``writing()``. Idle connections are reused for a minute, then closed."""

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        self._connect = connect
        self._lock = threading.Lock()
        self._idle: list[tuple[float, psycopg.Connection[Any]]] = []

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[Any]]:
        with self._borrow(read_only=True) as conn:
            yield conn

    @contextmanager
    def writing(self) -> Iterator[psycopg.Connection[Any]]:
        with self._borrow(read_only=False) as conn:
            yield conn

    @contextmanager
    def _borrow(self, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
        conn = self._take()
        try:
            # In the transaction and not in the session: a pooler may give the session to somebody else.
            mode = sql("session/read_only" if read_only else "session/read_write")
            try:
                conn.execute(mode)
            except psycopg.OperationalError:
                # Closed by the server while it lay here.
                conn.close()
                conn = self._connect()
                conn.execute(mode)
            conn.execute(sql("session/statement_timeout"), {"milliseconds": STATEMENT_TIMEOUT_MS})
            yield conn
            conn.commit()
        except BaseException:
            conn.close()
            raise
        self._give_back(conn)

    def _take(self) -> psycopg.Connection[Any]:
        now = time.monotonic()
        with self._lock:
            old = [conn for since, conn in self._idle if now - since > KEEP_SECONDS]
            self._idle = [(since, conn) for since, conn in self._idle if now - since <= KEEP_SECONDS]
            found = self._idle.pop()[1] if self._idle else None
        for conn in old:
            conn.close()
        if found is not None and not found.closed:
            return found
        return self._connect()

    def _give_back(self, conn: psycopg.Connection[Any]) -> None:
        with self._lock:
            if len(self._idle) < KEEP:
                self._idle.append((time.monotonic(), conn))
                return
        conn.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, conn in idle:
            conn.close()


def error_response(error: Exception) -> tuple[dict[str, str], int]:
    """The JSON body (``detail``, and ``hint`` where there is one) and the HTTP status for an error of the warehouse."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return {"detail": "The warehouse took too long.", "hint": "Narrow the filters or the period."}, 503
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return {
            "detail": "The warehouse's user may not read the ETL tables.",
            "hint": "Grant it the schemas etl and football, or use the user that ran sportmonks_catalog.",
        }, 503
    if isinstance(
        error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedFunction | psycopg.errors.InvalidSchemaName
    ):
        return {
            "detail": "The warehouse has no ETL tables yet.",
            "hint": "Run the DAG sportmonks_catalog once.",
        }, 503
    if isinstance(error, psycopg.DataError):
        return {"detail": "A parameter is no such value."}, 422
    return {
        "detail": "The warehouse does not answer.",
        "hint": "Check that PostgreSQL runs and that the connection sportmonks_warehouse is right.",
    }, 503
