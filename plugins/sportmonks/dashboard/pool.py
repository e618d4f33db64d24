"""The page's connections: a small pool, each request in a read-only transaction with a time limit; and the responses
for errors of the warehouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import NO_SCHEMA

MAX_CONNECTIONS = 8
MAX_IDLE_SECONDS = 60.0
STATEMENT_TIMEOUT_MS = 8_000
WAIT_SECONDS = 15.0
# A little more than a statement may take: after that the page reports that the warehouse does not answer.
ANSWER_TIMEOUT_S = STATEMENT_TIMEOUT_MS / 1000 + 4
# The pool does not report why it cannot connect: this often a waiting request looks for the reason itself.
LOOK_SECONDS = 0.1


class WarehousePool:
    """Connections to borrow with ``reading()`` or ``writing()``.

    Idle connections are checked before they are used and closed after a minute. A request that finds the warehouse
    away gets the error of the attempt to connect at once.
    """

    def __init__(self, connect: Callable[[], psycopg.Connection[Any]]) -> None:
        """``connect`` opens a connection with the settings of the package; nothing is opened before the first use."""
        self._connect = connect
        self._failure: tuple[float, Exception] | None = None
        self._lock = threading.Lock()
        pool = self

        class Connection(psycopg.Connection[Any]):
            """Opened by the package's own function, in place of psycopg's."""

            @classmethod
            def connect(cls, *_: Any, **__: Any) -> Any:
                return pool._open()

        self._pool: ConnectionPool[Any] = ConnectionPool(
            connection_class=Connection,
            min_size=0,
            max_size=MAX_CONNECTIONS,
            max_idle=MAX_IDLE_SECONDS,
            reconnect_timeout=0,
            check=ConnectionPool.check_connection,
            open=False,
            name="dashboard",
        )

    @contextmanager
    def reading(self) -> Iterator[psycopg.Connection[Any]]:
        with self._borrow(read_only=True) as conn:
            yield conn

    @contextmanager
    def writing(self) -> Iterator[psycopg.Connection[Any]]:
        with self._borrow(read_only=False) as conn:
            yield conn

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def _borrow(self, *, read_only: bool) -> Iterator[psycopg.Connection[Any]]:
        conn = self._wait_for_connection()
        try:
            # In the transaction and not in the session: a pooler may give the session to another client.
            conn.execute(sql("session/read_only" if read_only else "session/read_write"))
            conn.execute(sql("session/statement_timeout"), {"milliseconds": STATEMENT_TIMEOUT_MS})
            yield conn
            conn.commit()
        except BaseException:
            conn.close()
            raise
        finally:
            self._pool.putconn(conn)

    def _wait_for_connection(self) -> psycopg.Connection[Any]:
        self._pool.open()
        begun = time.monotonic()
        while True:
            try:
                conn: psycopg.Connection[Any] = self._pool.getconn(timeout=LOOK_SECONDS)
                return conn
            except PoolTimeout:
                with self._lock:
                    failure = self._failure
                if failure is not None and failure[0] >= begun:
                    raise failure[1] from None
                if time.monotonic() - begun > WAIT_SECONDS:
                    raise

    def _open(self) -> psycopg.Connection[Any]:
        try:
            return self._connect()
        except Exception as error:
            with self._lock:
                self._failure = (time.monotonic(), error)
            raise


def error_response(error: Exception) -> tuple[dict[str, str], int]:
    """The JSON body (``detail``, and ``hint`` where there is one) and the HTTP status for an error of the warehouse."""
    if isinstance(error, psycopg.errors.QueryCanceled):
        return {"detail": "The warehouse took too long.", "hint": "Narrow the filters or the period."}, 503
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return {
            "detail": "The warehouse's user may not read the ETL tables.",
            "hint": "Grant it the schemas etl and football, or use the user that ran sportmonks_catalog.",
        }, 503
    if isinstance(error, NO_SCHEMA):
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
