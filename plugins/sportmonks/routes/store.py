"""The tables of routes in the warehouse: raw tables, and the progress of runs. One connection, used by one thread."""

from __future__ import annotations

import itertools
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg
from psycopg.sql import Identifier

from sportmonks.errors import ConfigurationError, LostLeaseError
from sportmonks.redaction import mask_known, mask_text
from sportmonks.routes.period import Window
from sportmonks.routes.records import Prepared, Rejected
from sportmonks.routes.spec import ForEach, Route, json_path_text, sql_path
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import VALUE_ERRORS

log = logging.getLogger(__name__)

Connect = Callable[[], "psycopg.Connection[Any]"]
# A value that PostgreSQL refuses (a number beyond numeric, a key beyond an index row) belongs to one record.
COUNTERS = (
    "records", "inserted", "duplicates", "revived", "out_of_range", "undated", "failed", "pages", "repeated_pages",
    "asked_again", "skipped", "bytes", "seconds", "unproven", "deleted", "restored",
)  # fmt: skip
# Counters of how listings ended are added as they occur.
END = "end_"
# With the number of a listing: it ended without a row (1), which is unusual (SUSPECTED), also when it was requested
# again (EMPTY_AGAIN). 0 where it is settled.
EMPTY = "empty_"
SUSPECTED = 2
EMPTY_AGAIN = 3
# So many of them at most, the first of the run. The watermark stays before a suspected one, so that those behind it
# are read again.
MOST_EMPTY = 500
# With the first day of a window: how many items of for_each the API does not have in it.
ABSENT = "absent_"
# What the end of a run looks at, and does not leave in its counters.
NOTES = (EMPTY, ABSENT)
# The first day of a listing that may be short, as date.toordinal(): the watermark stays before it.
UNPROVEN_FROM = "unproven_from"
# So many listings of a run that may be short are named with their reason; the log has all of them.
SHOWN_DOUBTS = 5


@dataclass(frozen=True)
class ResumePoint:
    """Where a try begins. ``state``: that of the paginator; None = the first page of the slice."""

    fence: int
    slice_index: int
    state: Mapping[str, Any] | None
    counters: dict[str, float]
    resumed: bool


def ensure_table(conn: psycopg.Connection[Any], route: Route) -> str:
    """Create the route's raw table if it does not exist; returns its name within schema raw."""
    names = {"client": route.client, "route": route.route, "key_paths": route.key_paths}
    row = conn.execute(sql("routes/ensure_table"), names).fetchone()
    assert row is not None
    columns = [{"name": column.name, "path": sql_path(column.path), "type": column.type} for column in route.columns]
    shape = {"columns": json.dumps(columns) if columns else None, "replaces": route.mode == "replace"}
    conn.execute(sql("routes/shape"), {"table": row[0], **shape})
    return str(row[0])


def ensure_tables(conn: psycopg.Connection[Any], routes: Iterable[Route]) -> tuple[list[str], list[str]]:
    """(tables that exist now, errors of the others). ``conn`` has to be in autocommit mode."""
    tables, wrong = [], []
    for route in routes:
        try:
            tables.append(f"raw.{ensure_table(conn, route)}")
        except (psycopg.errors.RaiseException, psycopg.errors.InsufficientPrivilege) as error:
            sentences = filter(None, (error.diag.message_primary, error.diag.message_hint))
            wrong.append(f"{route.file}: {' '.join(sentences)}")
    return tables, wrong


def read_items(conn: psycopg.Connection[Any], route: Route) -> list[dict[str, Any]]:
    """The items of ``for_each``, one dict of placeholders each; one empty dict for routes without it."""
    if route.for_each is None:
        return [{}]
    each = route.for_each
    if each.values:
        names = [name for name, _ in each.values]
        combined = itertools.product(*(values for _, values in each.values))
        return [dict(zip(names, values, strict=True)) for values in combined]
    if each.table:
        return _items_of_table(conn, route, each)
    cursor = conn.execute(sql(f"routes/for_each/{each.name}"))
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _items_of_table(conn: psycopg.Connection[Any], route: Route, each: ForEach) -> list[dict[str, Any]]:
    """The values that a route has one listing for each of, from the newest records of another route's table."""
    has_key = conn.execute(sql("routes/exists"), {"name": f"raw.{each.table}_latest"}).fetchone()
    name = f"{each.table}_latest" if has_key and has_key[0] else each.table
    query = sql("routes/items").with_identifiers(table=Identifier("raw", name))
    wanted = json.dumps([{"name": placeholder, "path": json_path_text(path)} for placeholder, path in each.take])
    try:
        return [row[0] for row in conn.execute(query, {"wanted": wanted}).fetchall()]
    except psycopg.errors.UndefinedTable:
        raise ConfigurationError(
            f"{route.name}: for_each reads raw.{each.table}, which does not exist.",
            hint="Check the client and route that it names, and run that route first.",
        ) from None


def kept_items(conn: psycopg.Connection[Any], route: Route, execution_id: str | None) -> list[dict[str, Any]] | None:
    """The items that an unfinished try of the same execution began with: its listings are gone on with although the
    table or query has grown since. None where there are none."""
    if route.for_each is None or route.for_each.values or execution_id is None:
        return None
    row = conn.execute(sql("routes/kept_items"), {"route": route.name, "execution": execution_id}).fetchone()
    return row[0] if row else None


def read_watermark(conn: psycopg.Connection[Any], route: Route) -> date | None:
    """The last day that was collected without a gap; None before the first run."""
    row = conn.execute(sql("routes/watermark"), {"route": route.name}).fetchone()
    return row[0] if row else None


class RouteStore:
    """The progress and the records of one route's run over one plan."""

    def __init__(self, connect: Connect, route: Route, *, plan_hash: str, execution_id: str | None) -> None:
        self._connect = connect
        self._route = route
        self._names: dict[str, Any] = {"route": route.name, "plan": plan_hash, "execution": execution_id}
        self._conn: psycopg.Connection[Any] | None = None
        table = Identifier("raw", route.table)
        self._store = sql("routes/store").with_identifiers(table=table)
        self._rehash = sql("routes/rehash").with_identifiers(table=table)
        self._seen = sql("routes/seen").with_identifiers(table=table)
        self._deleted = sql("routes/deleted").with_identifiers(table=table)
        self._revive = sql("routes/revive").with_identifiers(table=table)
        self.counters: dict[str, float] = dict.fromkeys(COUNTERS, 0)

    @property
    def unproven_from(self) -> date | None:
        """The first day of a listing of the run that may be short."""
        found = self.counters.get(UNPROVEN_FROM)
        return None if found is None else date.fromordinal(int(found))

    @property
    def empty_listings(self) -> list[int]:
        """The numbers of the listings of the run that ended without a row, as far as they are still to be looked at."""
        return sorted(
            int(name.removeprefix(EMPTY))
            for name, count in self.counters.items()
            if name.startswith(EMPTY) and count > 0
        )

    def empty_state(self, number: int) -> int:
        """What is known of an empty listing: 1, SUSPECTED, EMPTY_AGAIN; 0 of any other."""
        return int(self.counters.get(f"{EMPTY}{number}", 0))

    def _final_counters(self, status: str) -> str:
        """The counters as a try leaves them, as JSON. A failed one goes on with its notes, a complete one has none."""
        done = status == "DONE"
        return json.dumps(
            {
                name: count
                for name, count in self.counters.items()
                if not name.startswith(NOTES) or (count > 0 and not done)
            }
        )

    @property
    def conn(self) -> psycopg.Connection[Any]:
        if self._conn is None or self._conn.closed:
            self._conn = self._connect()
            self._conn.autocommit = True
        return self._conn

    def close(self) -> None:
        if self._conn is not None:
            self._conn.close()
            self._conn = None

    def begin(
        self,
        slices: int,
        period: Window | None,
        *,
        force: bool = False,
        items: Sequence[Mapping[str, Any]] | None = None,
    ) -> ResumePoint:
        """Take over the run. Counters continue from where an unfinished try left them. ``items``: what the next try of
        the same execution has to begin with."""
        values = {
            **self._names,
            "slices": slices,
            "date_from": period.first if period else None,
            "date_to": period.last if period else None,
            "force": force,
            "resume_seconds": self._route.resume_hours * 3600,
        }
        with self.conn.transaction():
            row = self.conn.execute(sql("routes/begin"), values).fetchone()
            assert row is not None
            fence, slice_index, state, counters, resumed = row
            self._names["fence"] = fence
            if items is not None and not resumed:
                self.conn.execute(sql("routes/keep_items"), {**self._names, "items": json.dumps(items, default=str)})
        self.counters = {**dict.fromkeys(COUNTERS, 0), **counters}
        return ResumePoint(fence, slice_index, state, dict(self.counters), resumed)

    def write(
        self,
        rows: Sequence[Prepared],
        rejected: Sequence[Rejected],
        counted: Mapping[str, float],
        slice_index: int,
        state: Mapping[str, Any] | None,
        *,
        unproven: date | None = None,
        doubts: Sequence[str] = (),
    ) -> None:
        """Write rows, counters and position in one transaction. ``counted`` is added to the counters; ``unproven``: the
        first day of a listing that may be short; ``doubts``: which listings may be short, and why.

        Raises LostLeaseError, and writes nothing, when another try has taken over the run.
        """
        if unproven is not None:
            known = self.counters.get(UNPROVEN_FROM)
            first = unproven.toordinal()
            self.counters[UNPROVEN_FROM] = first if known is None else min(first, known)
        try:
            self._write(rows, rejected, counted, slice_index, state, doubts)
        except VALUE_ERRORS:
            bad = self._poisoned(rows)
            if not bad:
                raise
            good = [row for row in rows if id(row) not in bad]
            more = [Rejected(reason, row.payload.decode("utf-8", "replace")) for row, reason in bad.values()]
            self._write(good, [*rejected, *more], counted, slice_index, state, doubts)

    def _write(
        self,
        rows: Sequence[Prepared],
        rejected: Sequence[Rejected],
        counted: Mapping[str, float],
        slice_index: int,
        state: Mapping[str, Any] | None,
        doubts: Sequence[str],
    ) -> None:
        conn = self.conn
        with conn.transaction():
            inserted, revived = self._insert(conn, rows)
            if doubts:
                shown = [_plain(mask_text(doubt))[:500] for doubt in doubts[:SHOWN_DOUBTS]]
                conn.execute(sql("routes/add_doubts"), {**self._names, "doubts": shown, "shown": SHOWN_DOUBTS})
            for bad in rejected:
                conn.execute(
                    sql("routes/reject"), {**self._names, "reason": bad.reason[:500], "record": _plain(bad.text)}
                )
            noted = {name for name in counted if name.startswith(EMPTY)}
            if len(noted) + len(self.empty_listings) > MOST_EMPTY:
                noted &= self.counters.keys()
            added = {name for name in counted if name.startswith((END, ABSENT))} | noted
            counters = self.counters | {
                name: self.counters.get(name, 0) + counted.get(name, 0) for name in (*COUNTERS, *added)
            }
            counters["inserted"] += inserted
            counters["revived"] += revived
            counters["duplicates"] += len(rows) - inserted
            counters["failed"] += len(rejected)
            values = {
                **self._names,
                "slice": slice_index,
                "state": None if state is None else json.dumps(state),
                "counters": json.dumps(counters),
            }
            row = conn.execute(sql("routes/advance"), values).fetchone()
            if row is None or not row[0]:
                raise LostLeaseError(
                    f"Another try has taken over {self._route.name}.", hint="Nothing to do: this try writes no more."
                )
        self.counters = counters

    def doubts(self) -> list[str]:
        """Which listings of the run may be short, and why: SHOWN_DOUBTS at most, those of earlier tries included."""
        row = self.conn.execute(sql("routes/doubts"), self._names).fetchone()
        return list(row[0]) if row and self.counters["unproven"] else []

    def _insert(self, conn: psycopg.Connection[Any], rows: Sequence[Prepared]) -> tuple[int, int]:
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
                cursor.execute(self._seen, self._names)
            return int(stored[0]), revived

    def _poisoned(self, rows: Sequence[Prepared]) -> dict[int, tuple[Prepared, str]]:
        """Rows that PostgreSQL refuses, found by halving; the key is the Python ``id`` of the row, with the reason."""
        try:
            with self.conn.transaction(force_rollback=True):
                self._insert(self.conn, rows)
            return {}
        except VALUE_ERRORS as error:
            if len(rows) == 1:
                reason = error.diag.message_primary or type(error).__name__
                return {id(rows[0]): (rows[0], f"refused by PostgreSQL: {reason}")}
        half = len(rows) // 2
        return {**self._poisoned(rows[:half]), **self._poisoned(rows[half:])}

    def finish(self, status: str, *, watermark: Mapping[str, Any] | None = None, error: str | None = None) -> None:
        """End the run as ``DONE`` or ``FAILED``, and with it the row in etl.collector_runs. Raises LostLeaseError."""
        values = {
            **self._names,
            "status": status,
            "counters": self._final_counters(status),
            "watermark": None if watermark is None else json.dumps(watermark),
            "error": error,
        }
        with self.conn.transaction():
            if status == "DONE" and self._route.mode == "replace":
                self._mark_deleted()
                values["counters"] = self._final_counters(status)
            row = self.conn.execute(sql("routes/finish"), values).fetchone()
            if row is None or not row[0]:
                raise LostLeaseError(f"Another try has taken over {self._route.name}.")

    def _mark_deleted(self) -> None:
        """Mark what a full refresh did not bring, unless something may be missing for another reason."""
        counters = self.counters
        reasons = {
            "no record came": not counters["records"],
            "records could not be stored": counters["failed"],
            "listings were skipped": counters["skipped"],
            "a listing may be short": counters["unproven"],
        }
        why = next((reason for reason, applies in reasons.items() if applies), None)
        if why is None:
            row = self.conn.execute(self._deleted, self._names).fetchone()
            assert row is not None
            self.counters = {**counters, "deleted": row[0], "restored": row[1]}
        else:
            log.warning("Nothing is marked as deleted: %s", why)
        self.conn.execute(sql("routes/forget_seen"), self._names)


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


def _plain(text: str) -> str:
    return mask_known(text.replace("\x00", "�"))
