"""The record of a collector's run in ``etl.collector_runs``.

Nothing here imports Airflow, so it serves any Python program with a PostgreSQL connection. All of the package's Python
code that records such runs does it through ``IncrementalCollector``.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
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
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

ERROR_LENGTH = 2000


def masked(text: str) -> str:
    """``text`` without secrets, cut to ``ERROR_LENGTH`` characters."""
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

    ``conn`` is the connection that writes the data (psycopg 3 or of its shape). On exit the figures are written
    through it and committed, together with data that was not committed yet; inside ``conn.transaction()`` that block
    commits them. After an exception ``conn`` is rolled back, the failure is recorded with its masked text over a
    connection of its own, and the exception goes on.

    A function that opens connections may stand in for ``conn``. Then no connection is held while the data is fetched,
    and ``save`` (the run goes on) or ``finish`` (the run ends) write the figures through a connection of the caller's,
    in the transaction of the data. A run that was not finished succeeds on exit.

    Runs of the same name at the same time each have their own row. ``execution_id`` makes the row that of an execution:
    a repeated try takes it over and counts from zero.
    """

    def __init__(self, name: str, conn: Any, execution_id: str | None = None) -> None:
        self.name = name
        self.execution_id = execution_id
        self.run_id: int | None = None
        self.processed = self.inserted = self.updated = self.unchanged = self.failed = 0
        self._connect: Callable[[], Any] | None = conn if callable(conn) else None
        self._conn: Any = None if callable(conn) else conn
        self._finished = False
        self._lock = threading.Lock()  # fetch threads may count too
        self._state: tuple[datetime | None, Any, dict[str, datetime]] | None = None
        self._watermark: Any = None
        self._fetched: set[str] = set()

    # -- what earlier runs left

    @property
    def last_run_time(self) -> datetime | None:
        """End of the last successful run (timezone-aware); None when there was none."""
        return self._earlier()[0]

    @property
    def watermark(self) -> Any:
        """The value that this run set, else that of the newest successful run that set one; None when none did."""
        return self._watermark if self._watermark is not None else self._earlier()[1]

    def set_watermark(self, value: Any) -> None:
        """Any JSON value (a date as ISO text, an id); it counts once this run has succeeded."""
        json.dumps(value)  # refused here, where the mistake is, rather than at the end of the run
        self._watermark = value

    @property
    def year_runs(self) -> dict[int, datetime]:
        """When each year was last fetched by a successful run of this collector (timezone-aware)."""
        return self._parts("year:")

    @property
    def season_runs(self) -> dict[int, datetime]:
        """The same by season id."""
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
        """:func:`get_years_to_fetch` by each year's age; the years returned count as fetched once the run succeeds."""
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
        """:func:`get_seasons_to_fetch` by each season's age; the seasons returned count as fetched once the run
        succeeds."""
        due = get_seasons_to_fetch(seasons, self.season_runs, max_age_days, sweeps=sweeps, now=now)
        for season in due:
            self.mark_season(season.season_id)
        return due

    def mark_year(self, year: int) -> None:
        """This run fetches ``year`` completely."""
        self._fetched.add(f"year:{year}")

    def unmark_year(self, year: int) -> None:
        """This run did not fetch ``year`` after all."""
        self._fetched.discard(f"year:{year}")

    def mark_season(self, season_id: int) -> None:
        """This run fetches the season completely."""
        self._fetched.add(f"season:{season_id}")

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

    def save(self, conn: Any, *, now: datetime | None = None) -> None:
        """Write the figures so far, and what was marked since the last ``save`` as fetched at ``now`` (default: the
        server's clock). The run goes on. ``conn``'s transaction is left open, so that data and figures commit together.
        """
        if not _row(conn, "collector/progress", run_id=self.run_id, **self.statistics):
            self._warn_of_ended_row()
        self._write_marks(conn, now)

    def finish(self, conn: Any, status: str = "success", message: str | None = None) -> None:
        """End the run with its figures as ``"success"`` or ``"failed"``. ``message``: for people, stored as
        ``error_message``; a success may have one too. ``conn``'s transaction is left open, as by ``save``."""
        self._write_end(conn, status, message)
        self._write_marks(conn)
        self._finished = True

    # -- context

    def __enter__(self) -> Self:
        own = self._open_own()
        try:
            self._state = self._read_state(own)  # before the row of a repeated try leaves 'success'
            (self.run_id,) = _row(own, "collector/start", name=self.name, execution_id=self.execution_id)
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
            if not self._finished:
                self._succeed()
        except Exception as failure:
            self._fail(failure)
            raise
        log.info("Collector %s: %s", self.name, self.statistics)

    def _succeed(self) -> None:
        if self._conn is None:
            own = self._open_own()
            try:
                self.finish(own)
                own.commit()
            finally:
                own.close()
            return
        self.finish(self._conn)
        if not self._conn.autocommit and not _in_block(self._conn):
            self._conn.commit()

    def _fail(self, error: BaseException) -> None:
        """Record the failure without hiding it: a second fault here is logged only."""
        try:
            if self._conn is not None and not _in_block(self._conn):
                self._conn.rollback()
        except Exception as fault:
            log.warning("Rollback of collector %s: %s", self.name, masked(str(fault)))
        try:
            own = self._open_own()
            try:
                self._write_end(own, "failed", masked(f"{type(error).__name__}: {error}"))
                own.commit()
            finally:
                own.close()
        except Exception as fault:
            log.warning("Collector %s: its failure could not be recorded: %s", self.name, masked(str(fault)))

    def _write_end(self, conn: Any, status: str, message: str | None) -> None:
        watermark = None if self._watermark is None else json.dumps(self._watermark)
        end = {"run_id": self.run_id, "status": status, "watermark": watermark, "error": message}
        if not _row(conn, "collector/finish", **end, **self.statistics)[0]:
            self._warn_of_ended_row()

    def _write_marks(self, conn: Any, now: datetime | None = None) -> None:
        if self._fetched:
            _row(conn, "collector/periods", name=self.name, periods=sorted(self._fetched), now=now)
            self._fetched.clear()

    def _warn_of_ended_row(self) -> None:
        log.warning("Run %s of collector %s has ended already or belongs to another try.", self.run_id, self.name)

    def _earlier(self) -> tuple[datetime | None, Any, dict[str, datetime]]:
        if self._state is None:
            own = self._open_own()
            try:
                self._state = self._read_state(own)
            finally:
                own.close()
        return self._state

    def _read_state(self, conn: Any) -> tuple[datetime | None, Any, dict[str, datetime]]:
        last, watermark, parts = _row(conn, "collector/state", name=self.name)
        times = {part: datetime.fromtimestamp(seconds, UTC) for part, seconds in json.loads(parts).items()}
        return last, None if watermark is None else json.loads(watermark), times

    def _parts(self, prefix: str) -> dict[int, datetime]:
        found = {part.removeprefix(prefix): at for part, at in self._earlier()[2].items() if part.startswith(prefix)}
        return {int(number): at for number, at in found.items() if number.isdecimal()}

    def _open_own(self) -> Any:
        """A second connection to the same place, because the record must outlive a rollback of the data."""
        if self._connect is not None:
            return self._connect()
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


def _row(conn: Any, query: str, **parameters: Any) -> tuple[Any, ...]:
    """The row that a named query returns; an empty tuple when there is none."""
    with conn.cursor() as cursor:
        cursor.execute(sql(query), parameters)
        row: tuple[Any, ...] = tuple(cursor.fetchone() or ())
        return row
