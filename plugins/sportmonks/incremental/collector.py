"""The record of a collector's run in ``etl.collector_runs``.

Nothing here imports Airflow, so it serves any Python program with a PostgreSQL connection.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from psycopg import conninfo

from sportmonks.planning.freshness import (
    SWEEPS,
    SeasonT,
    Sweep,
    get_seasons_to_fetch,
    get_years_to_fetch,
    should_fetch_year,
)
from sportmonks.redaction import mask_text
from sportmonks.warehouse.connection import open_connection, sql

log = logging.getLogger(__name__)

ERROR_LENGTH = 2000


def masked(text: str) -> str:
    """``text`` without secrets, shortened to what a row needs."""
    text = mask_text(text)
    return text if len(text) <= ERROR_LENGTH else text[: ERROR_LENGTH - 1] + "…"


class IncrementalCollector:
    """One run of the collector ``name``, recorded in ``etl.collector_runs``.

    ::

        with IncrementalCollector("my-collector", conn) as tracker:
            for year in tracker.years_to_fetch(2000, 2026, max_age_days=365):
                for record in fetch(year):
                    store(conn, record)
                    tracker.record_processed()

    ``conn`` is the connection that writes the data (psycopg 3 or of its shape). On exit the figures are
    written through it and committed, together with data that was not committed yet; inside
    ``conn.transaction()`` that block commits them. After an exception ``conn`` is rolled back, the failure
    is recorded with its masked text over a connection of its own, and the exception goes on. Runs of the
    same name at the same time each have their own row. ``execution_id`` makes the row that of an execution:
    a repeated try takes it over.
    """

    def __init__(self, name: str, conn: Any, execution_id: str | None = None) -> None:
        self.name = name
        self.execution_id = execution_id
        self.run_id: int | None = None
        self.processed = self.inserted = self.updated = self.unchanged = self.failed = 0
        self._conn = conn
        self._lock = threading.Lock()  # fetch threads may count too
        self._state: tuple[datetime | None, Any, dict[str, datetime]] | None = None
        self._watermark: Any = None
        self._asked: set[str] = set()

    # -- what earlier runs left

    @property
    def last_run_time(self) -> datetime | None:
        """End of the last success (timezone-aware); None = never."""
        return self._earlier()[0]

    @property
    def watermark(self) -> Any:
        """What this run set, else what the newest success that had one left; None at first."""
        return self._watermark if self._watermark is not None else self._earlier()[1]

    def set_watermark(self, value: Any) -> None:
        """Any JSON value (a date as ISO text, an id); it counts once this run has succeeded."""
        json.dumps(value)  # refused here, where the mistake is, rather than at the end of the run
        self._watermark = value

    @property
    def year_runs(self) -> dict[int, datetime]:
        """When each year was last fetched with success, by this class's own record."""
        return self._parts("year:")

    @property
    def season_runs(self) -> dict[int, datetime]:
        """The same for season ids."""
        return self._parts("season:")

    def should_fetch_year(self, year: int, max_age_days: float = 365, *, now: datetime | None = None) -> bool:
        """Whether ``year`` is due by its own age; if so it counts as fetched once the run succeeds."""
        due = should_fetch_year(year, self.year_runs, max_age_days, now=now)
        if due:
            self.mark_year(year)
        return due

    def years_to_fetch(
        self, start_year: int, end_year: int, max_age_days: float = 365, *, now: datetime | None = None
    ) -> list[int]:
        """:func:`get_years_to_fetch` by each year's age; those given count as fetched likewise."""
        years = get_years_to_fetch(start_year, end_year, self.year_runs, max_age_days, now=now)
        for year in years:
            self.mark_year(year)
        return years

    def seasons_to_fetch(
        self,
        seasons: Iterable[SeasonT],
        max_age_days: float | None = None,
        *,
        sweeps: Sequence[Sweep] = SWEEPS,
        now: datetime | None = None,
    ) -> list[SeasonT]:
        """:func:`get_seasons_to_fetch` by each season's age; those given count likewise."""
        due = get_seasons_to_fetch(seasons, self.season_runs, max_age_days, sweeps=sweeps, now=now)
        self._asked.update(f"season:{season.season_id}" for season in due)
        return due

    def mark_year(self, year: int) -> None:
        """This run fetches ``year`` to its end."""
        self._asked.add(f"year:{year}")

    def unmark_year(self, year: int) -> None:
        """This run did not fetch ``year`` after all."""
        self._asked.discard(f"year:{year}")

    # -- what this run does

    def record_processed(self, n: int = 1) -> None:
        with self._lock:
            self.processed += n

    def record_inserted(self, n: int = 1) -> None:
        with self._lock:
            self.inserted += n

    def record_updated(self, n: int = 1) -> None:
        with self._lock:
            self.updated += n

    def record_unchanged(self, n: int = 1) -> None:
        with self._lock:
            self.unchanged += n

    def record_failed(self, n: int = 1) -> None:
        with self._lock:
            self.failed += n

    @property
    def statistics(self) -> dict[str, int]:
        return {
            "processed": self.processed,
            "inserted": self.inserted,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "failed": self.failed,
        }

    # -- context

    def __enter__(self) -> Self:
        own = self._open_own()
        try:
            self._state = self._read_state(own)  # before the row of a repeated try leaves 'success'
            self.run_id = _one(own, "queries/collector_start", (self.name, self.execution_id))
            own.commit()
        finally:
            own.close()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._fail(error)
            return
        try:
            self._finish(self._conn, "success", None)
            if self._asked:
                marks = (self.name, sorted(self._asked))
                _one(self._conn, "queries/collector_periods", marks)
            if not self._conn.autocommit and not _in_block(self._conn):
                self._conn.commit()
        except Exception as failure:
            self._fail(failure)
            raise
        log.info("Collector %s: %s", self.name, self.statistics)

    def _fail(self, error: BaseException) -> None:
        """Record the failure without hiding it: a second fault here is logged only."""
        try:
            if not _in_block(self._conn):
                self._conn.rollback()
        except Exception as fault:
            log.warning("Rollback of collector %s: %s", self.name, masked(str(fault)))
        try:
            own = self._open_own()
            try:
                self._finish(own, "failed", masked(f"{type(error).__name__}: {error}"))
                own.commit()
            finally:
                own.close()
        except Exception as fault:
            log.warning("Collector %s: its failure could not be recorded: %s", self.name, masked(str(fault)))

    def _finish(self, conn: Any, status: str, error: str | None) -> None:
        watermark = None if self._watermark is None else json.dumps(self._watermark)
        counts = (self.processed, self.inserted, self.updated, self.unchanged, self.failed)
        if not _one(conn, "queries/collector_finish", (self.run_id, status, *counts, watermark, error)):
            log.warning("Run %s of collector %s was taken over by another try.", self.run_id, self.name)

    def _earlier(self) -> tuple[datetime | None, Any, dict[str, datetime]]:
        if self._state is None:
            own = self._open_own()
            try:
                self._state = self._read_state(own)
            finally:
                own.close()
        return self._state

    def _read_state(self, conn: Any) -> tuple[datetime | None, Any, dict[str, datetime]]:
        last, watermark, parts = _row(conn, "queries/collector_state", (self.name,) * 3)
        times = {part: datetime.fromtimestamp(seconds, UTC) for part, seconds in json.loads(parts).items()}
        return last, None if watermark is None else json.loads(watermark), times

    def _parts(self, prefix: str) -> dict[int, datetime]:
        found = self._earlier()[2].items()
        return {int(part.removeprefix(prefix)): at for part, at in found if part.startswith(prefix)}

    def _open_own(self) -> Any:
        """A second connection to the same place: bookkeeping must outlive a rollback of the data's."""
        info = self._conn.info
        if hasattr(info, "get_parameters"):
            known = {**info.get_parameters(), "password": info.password or None}
            return open_connection(conninfo.make_conninfo("", **known))
        # psycopg 2 keeps the same facts under other names; its module is the user's, not ours to import.
        module = sys.modules[type(self._conn).__module__.partition(".")[0]]
        return module.connect(**{**info.dsn_parameters, "password": info.password})


def _in_block(conn: Any) -> bool:
    """Inside ``with conn.transaction()`` of psycopg 3 the block alone may commit or roll back."""
    return bool(getattr(conn, "_num_transactions", 0))


def _row(conn: Any, query: str, parameters: tuple[Any, ...]) -> tuple[Any, ...]:
    with conn.cursor() as cursor:
        cursor.execute(sql(query), parameters)
        row: tuple[Any, ...] = tuple(cursor.fetchone())
        return row


def _one(conn: Any, query: str, parameters: tuple[Any, ...]) -> Any:
    return _row(conn, query, parameters)[0]
