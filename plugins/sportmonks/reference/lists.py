"""Lists of the provider into their tables; every read of one is a run in ``etl.collector_runs``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.reference.store import store_list
from sportmonks.warehouse.connection import sql

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Connect = Callable[[], "psycopg.Connection[Any]"]
_NOTHING_NEW = dict.fromkeys(("processed", "inserted", "updated", "unchanged", "failed"))


@dataclass(slots=True)
class RowCounts:
    """Rows of a list by what became of them; ``failed`` counts seasons that could not be read."""

    processed: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0

    def store(self, conn: psycopg.Connection[Any], name: str, rows: Sequence[Row], now: datetime) -> None:
        """Rows into ``football.<name>``, counted."""
        inserted, updated = store_list(conn, name, rows, now)
        self.processed += len(rows)
        self.inserted += inserted
        self.updated += updated
        self.unchanged += len(rows) - inserted - updated


class ListRun:
    """The row of a collector in this execution; a repeated try takes it over."""

    def __init__(self, connect: Connect, collector: str, execution_id: str) -> None:
        self.collector = collector
        self.figures = RowCounts()
        self._connect = connect
        self._execution_id = execution_id

    def begin(self) -> None:
        with self._connect() as conn:
            self._write(conn, "running", _NOTHING_NEW, None)

    def note(self, conn: psycopg.Connection[Any], status: str = "running", error: str | None = None) -> None:
        """Write the figures so far, in the transaction that ``conn`` is in."""
        self._write(conn, status, asdict(self.figures), error)

    def fail(self, error: BaseException) -> None:
        """The run ends with the error's text, without hiding it: a second fault here is only logged."""
        from sportmonks.incremental import masked

        try:
            with self._connect() as conn:
                self._write(conn, "failed", _NOTHING_NEW, masked(f"{type(error).__name__}: {error}"))
        except Exception as fault:
            log.warning("The failure of %s could not be recorded: %s", self.collector, type(fault).__name__)

    def _write(self, conn: psycopg.Connection[Any], status: str, figures: Mapping[str, Any], error: str | None) -> None:
        names = {"name": self.collector, "execution_id": self._execution_id, "status": status, "error": error}
        conn.execute(sql("queries/collector_record"), {**names, **figures})


@contextmanager
def recorded(connect: Connect, execution_id: str, *collectors: str) -> Iterator[dict[str, ListRun]]:
    """The runs of ``collectors`` begin; an error within is theirs and goes on. Success is for the body to ``note``, in
    the transaction of the data. No connection is held meanwhile."""
    runs = {name: ListRun(connect, name, execution_id) for name in collectors}
    for run in runs.values():
        run.begin()
    try:
        yield runs
    except BaseException as error:
        for run in runs.values():
            run.fail(error)
        raise


def collect_list(
    connect: Connect, name: str, read: Callable[[], Sequence[Row]], *, collector: str, execution_id: str
) -> RowCounts:
    """Read a list whole and store it, with its record in one transaction."""
    with recorded(connect, execution_id, collector) as runs:
        rows = read()
        run = runs[collector]
        with connect() as conn, conn.transaction():
            run.figures.store(conn, name, rows, datetime.now(UTC))
            run.note(conn, "success")
    return run.figures
