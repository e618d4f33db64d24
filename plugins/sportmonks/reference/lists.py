"""Lists of the provider into their tables; every reading of one is a run in ``etl.collector_runs``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.incremental.collector import IncrementalCollector
from sportmonks.reference.store import store_list

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

Row = Mapping[str, Any]
Connect = Callable[[], "psycopg.Connection[Any]"]


@dataclass(frozen=True, slots=True)
class RowCounts:
    """How many rows of a list were read (``processed``) and what became of them in the warehouse. ``failed`` counts
    seasons whose rows could not be read."""

    processed: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    failed: int = 0


def store_counted(
    run: IncrementalCollector, conn: psycopg.Connection[Any], name: str, rows: Sequence[Row], now: datetime
) -> None:
    """Store ``rows`` in ``football.<name>`` and count them in ``run``."""
    inserted, updated = store_list(conn, name, rows, now)
    run.record_processed(len(rows))
    run.record_inserted(inserted)
    run.record_updated(updated)
    run.record_unchanged(len(rows) - inserted - updated)


def collect_list(
    connect: Connect, name: str, read: Callable[[], Sequence[Row]], *, collector: str, execution_id: str
) -> RowCounts:
    """Read a complete list with ``read`` and store it together with the record of its run, in one transaction.

    A list without rows is requested a second time; one that stays empty is recorded as a failure, because such a list
    is never empty, and what is known of it is kept. No connection is open while ``read`` works. An error is recorded as
    the run's failure and raised.
    """
    with IncrementalCollector(collector, connect, execution_id) as run:
        rows = read() or read()
        with connect() as conn, conn.transaction():
            store_counted(run, conn, name, rows, datetime.now(UTC))
            if rows:
                run.finish(conn)
            else:
                log.warning("The list of %s came empty twice; what is known of it is kept", name)
                run.finish(conn, "failed", "The API lists nothing; what is known is kept.")
    return RowCounts(**run.statistics)
