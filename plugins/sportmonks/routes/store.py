"""The tables of routes in the warehouse: raw tables are made, and the progress of a run is written together with its
records. One connection, used by one thread."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import psycopg

from sportmonks.errors import LostLeaseError
from sportmonks.redaction import mask_known, mask_text
from sportmonks.routes.counters import Counters, added, begun_with, left_by
from sportmonks.routes.period import Window
from sportmonks.routes.raw_table import RawTable
from sportmonks.routes.records import Prepared, Rejected
from sportmonks.routes.spec import Route, sql_path
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import VALUE_ERRORS

log = logging.getLogger(__name__)

Connect = Callable[[], "psycopg.Connection[Any]"]
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


class RouteStore:
    """The progress and the records of one route's run over one plan."""

    def __init__(self, connect: Connect, route: Route, *, plan_hash: str, execution_id: str | None) -> None:
        self._connect = connect
        self._route = route
        self._names: dict[str, Any] = {"route": route.name, "plan": plan_hash, "execution": execution_id}
        self._conn: psycopg.Connection[Any] | None = None
        self._table = RawTable(route, self._names)
        self.counters: Counters = begun_with({})

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
        self.counters = begun_with(counters)
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
        found = added(self.counters, counted, unproven)
        try:
            self._write(rows, rejected, found, slice_index, state, doubts)
        except VALUE_ERRORS:
            bad = self._table.refused(self.conn, rows)
            if not bad:
                raise
            good = [row for row in rows if id(row) not in bad]
            more = [Rejected(reason, row.payload.decode("utf-8", "replace")) for row, reason in bad.values()]
            self._write(good, [*rejected, *more], found, slice_index, state, doubts)

    def _write(
        self,
        rows: Sequence[Prepared],
        rejected: Sequence[Rejected],
        counters: Counters,
        slice_index: int,
        state: Mapping[str, Any] | None,
        doubts: Sequence[str],
    ) -> None:
        conn = self.conn
        with conn.transaction():
            inserted, revived = self._table.insert(conn, rows)
            if doubts:
                shown = [_plain(mask_text(doubt))[:500] for doubt in doubts[:SHOWN_DOUBTS]]
                conn.execute(sql("routes/add_doubts"), {**self._names, "doubts": shown, "shown": SHOWN_DOUBTS})
            for bad in rejected:
                conn.execute(
                    sql("routes/reject"), {**self._names, "reason": bad.reason[:500], "record": _plain(bad.text)}
                )
            new = {
                "inserted": inserted,
                "revived": revived,
                "duplicates": len(rows) - inserted,
                "failed": len(rejected),
            }
            counters = added(counters, new)
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

    @contextmanager
    def together(self) -> Iterator[None]:
        """One transaction for all that is written within, which leaves the counters as they were when it fails."""
        before = self.counters
        try:
            with self.conn.transaction():
                yield
        except BaseException:
            self.counters = before
            raise

    def doubts(self) -> list[str]:
        """Which listings of the run may be short, and why: SHOWN_DOUBTS at most, those of earlier tries included."""
        row = self.conn.execute(sql("routes/doubts"), self._names).fetchone()
        return list(row[0]) if row and self.counters["unproven"] else []

    def finish(self, status: str, *, watermark: Mapping[str, Any] | None = None, error: str | None = None) -> None:
        """End the run as ``DONE`` or ``FAILED``, and with it the row in etl.collector_runs. Raises LostLeaseError."""
        done = status == "DONE"
        with self.conn.transaction():
            if done and self._route.mode == "replace":
                self._mark_deleted()
            values = {
                **self._names,
                "status": status,
                "counters": json.dumps(left_by(self.counters, done=done)),
                "watermark": None if watermark is None else json.dumps(watermark),
                "error": error,
            }
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
            deleted, restored = self._table.mark_deleted(self.conn)
            self.counters = {**counters, "deleted": deleted, "restored": restored}
        else:
            log.warning("Nothing is marked as deleted: %s", why)
        self.conn.execute(sql("routes/forget_seen"), self._names)


def _plain(text: str) -> str:
    return mask_known(text.replace("\x00", "�"))
