"""The driver's connection and cursor with what this package adds: waits that end, and settings that hold behind a
pooler."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Generator, Iterator, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg.sql import Identifier

from sportmonks.warehouse.queries import Query, sql

T = TypeVar("T")

# Longer than the longest statement may run (statement_timeout in queries/session.sql), so that the server's own error
# comes first wherever the server still works.
ANSWER_TIMEOUT_S = 330.0
# Time-outs that the connection string may set itself, in its option ``options``.
_TIME_OUTS = frozenset({"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"})
# ``-c name=value`` or ``--name=value``; a backslash keeps the next character, a space for instance.
_OPTION = re.compile(r"(?:-c\s*|--)([\w-]+)\s*=\s*((?:\\.|\S)*)")


class NoAnswerError(psycopg.OperationalError):
    """The warehouse keeps the connection and has answered nothing for the connection's answer timeout."""


class WarehouseCursor(psycopg.Cursor[Any]):
    """A cursor whose statements find the connection's settings, behind a pooler too: see ``WarehouseConnection``.

    Errors of a named query have its name in their attribute ``statement``.
    """

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
        with _pinned(self), _named(query):
            return super().execute(query, *args, **kwargs)

    def executemany(self, query: Any, *args: Any, **kwargs: Any) -> None:
        with _pinned(self), _named(query):
            super().executemany(query, *args, **kwargs)

    def stream(self, *args: Any, **kwargs: Any) -> Iterator[Any]:
        with _pinned(self):
            yield from super().stream(*args, **kwargs)

    @contextlib.contextmanager
    def copy(self, statement: Any, *args: Any, **kwargs: Any) -> Iterator[psycopg.Copy]:
        with _pinned(self), _named(statement), super().copy(statement, *args, **kwargs) as copy:
            yield copy


class WarehouseConnection(psycopg.Connection[Any]):
    """A session whose waits end, and whose settings are the same in every statement.

    ``answer_timeout``: seconds without any sign from the server after which a wait raises NoAnswerError and the
    connection is closed. It is checked here, because neither keepalives nor TCP notice a pooler or proxy that accepts
    everything and answers nothing.

    ``pooled``: a pooler stands between, which may give the server's session to another client after each transaction.
    Settings are then made at the beginning of every transaction and end with it, so that they neither get lost nor
    reach that client; a statement outside a transaction gets one of its own. ``time_outs``: those that the connection
    string sets itself, by name.
    """

    answer_timeout: float = ANSWER_TIMEOUT_S
    pooled: bool = False
    time_outs: Mapping[str, str] = {}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.cursor_factory = WarehouseCursor

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        try:
            return super().wait(self._watched(gen), *args, **kwargs)
        except NoAnswerError:
            # Nothing can be sent over it any more: what comes later would be taken for another statement's answer.
            self.close()
            raise

    def _watched(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        last_sign = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                # psycopg resumes a generator every tenth of a second, with a false value when nothing has happened.
                ready = yield wanted
                if ready:
                    last_sign = time.monotonic()
                elif time.monotonic() - last_sign > self.answer_timeout:
                    raise NoAnswerError(f"no answer for {self.answer_timeout:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result

    @contextlib.contextmanager
    def transaction(self, *args: Any, **kwargs: Any) -> Iterator[psycopg.Transaction]:
        outermost = self.is_idle
        with super().transaction(*args, **kwargs) as block:
            if self.pooled and outermost:
                self.pin_transaction()
            yield block

    @property
    def is_idle(self) -> bool:
        """No transaction is open."""
        return self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE

    def pin_transaction(self) -> None:
        """Make the settings of ``session/pin`` in the present transaction; without one, a transaction begins."""
        # Not by a cursor of this connection, which would pin in its turn.
        cursor = psycopg.Cursor(self)
        cursor.execute(sql("session/pin_transaction"))
        if self.info.server_version >= 170000:
            cursor.execute(sql("session/no_transaction_timeout"))
        for name, value in self.time_outs.items():
            cursor.execute(sql("session/set_local").with_identifiers(setting=Identifier(name), value=Identifier(value)))


@contextlib.contextmanager
def _named(statement: Any) -> Iterator[None]:
    try:
        yield
    except psycopg.Error as error:
        if isinstance(statement, Query) and not hasattr(error, "statement"):
            error.statement = statement.name  # type: ignore[attr-defined]
        raise


@contextlib.contextmanager
def _pinned(cursor: psycopg.Cursor[Any]) -> Iterator[None]:
    conn = cursor.connection
    if not (isinstance(conn, WarehouseConnection) and conn.pooled and conn.is_idle):
        yield
    elif conn.autocommit:
        with conn.transaction():
            yield
    else:
        conn.pin_transaction()
        yield


def own_time_outs(options: str) -> dict[str, str]:
    """The time-outs that libpq's connection option ``options`` sets, by name."""
    found = {name.replace("-", "_"): re.sub(r"\\(.)", r"\1", value) for name, value in _OPTION.findall(options)}
    return {name: value for name, value in found.items() if name in _TIME_OUTS}
