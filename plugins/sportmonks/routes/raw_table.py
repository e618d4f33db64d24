"""Writes prepared records into the raw table of a route with COPY, and finds those that PostgreSQL refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.sql import Identifier

from sportmonks.routes.records import Prepared
from sportmonks.routes.spec import Route
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import VALUE_ERRORS


class RawTable:
    """The raw table of a route. ``run``: the names of the run, as SQL's parameters. A transaction is the caller's."""

    def __init__(self, route: Route, run: Mapping[str, Any]) -> None:
        self._route = route
        self._run = run
        table = Identifier("raw", route.table)
        self._store = sql("routes/store").with_identifiers(table=table)
        self._rehash = sql("routes/rehash").with_identifiers(table=table)
        self._seen = sql("routes/seen").with_identifiers(table=table)
        self._deleted = sql("routes/deleted").with_identifiers(table=table)
        self._revive = sql("routes/revive").with_identifiers(table=table)

    def insert(self, conn: psycopg.Connection[Any], rows: Sequence[Prepared]) -> tuple[int, int]:
        """(rows that were new, rows that had been marked as deleted). Raises VALUE_ERRORS where one is refused."""
        if not rows:
            return 0, 0
        conn.execute(sql("routes/stage"))
        with conn.cursor() as cursor:
            with cursor.copy(sql("routes/copy")) as copy:
                for position, row in enumerate(rows):
                    copy.write(_copy_line(position, row))
            if any(row.old_hash for row in rows):
                without = self._route.hash_without
                cursor.execute(self._rehash, {"without": json.dumps(without) if without else None})
            stored = cursor.execute(self._store).fetchone()
            assert stored is not None
            revived = 0
            if self._route.key:
                revived = cursor.execute(self._revive).rowcount
            if self._route.mode == "replace":
                cursor.execute(self._seen, self._run)
            return int(stored[0]), revived

    def refused(self, conn: psycopg.Connection[Any], rows: Sequence[Prepared]) -> dict[int, tuple[Prepared, str]]:
        """Rows that PostgreSQL refuses, found by halving; the key is the Python ``id`` of the row, with the reason."""
        try:
            with conn.transaction(force_rollback=True):
                self.insert(conn, rows)
            return {}
        except VALUE_ERRORS as error:
            if len(rows) == 1:
                reason = error.diag.message_primary or type(error).__name__
                return {id(rows[0]): (rows[0], f"refused by PostgreSQL: {reason}")}
        half = len(rows) // 2
        return {**self.refused(conn, rows[:half]), **self.refused(conn, rows[half:])}

    def mark_deleted(self, conn: psycopg.Connection[Any]) -> tuple[int, int]:
        """Marks what the run did not bring: (records that are deleted now, records that are no longer)."""
        row = conn.execute(self._deleted, self._run).fetchone()
        assert row is not None
        return row[0], row[1]


def _copy_line(position: int, row: Prepared) -> bytes:
    """One line of COPY's text format. Control characters occur in JSON only as blanks between its parts."""
    day = row.day.isoformat().encode() if row.day else b"\\N"
    return b"%d\t%s\t%s\t%s\t%s\t%s\n" % (
        position,
        day,
        _escaped(row.request),
        _escaped(row.payload),
        _hex(row.content_hash),
        _hex(row.old_hash) if row.old_hash else b"\\N",
    )


def _hex(value: bytes) -> bytes:
    return b"\\\\x" + value.hex().encode()


def _escaped(text: bytes) -> bytes:
    text = text.replace(b"\\", b"\\\\")
    if b"\n" in text or b"\r" in text or b"\t" in text:
        text = text.replace(b"\n", b"\\n").replace(b"\r", b"\\r").replace(b"\t", b"\\t")
    return text
