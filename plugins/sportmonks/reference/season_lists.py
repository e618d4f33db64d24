"""Stages, rounds, teams and venues of the followed seasons: read by age, newest seasons first, so many per run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.config.catalog import SweepSettings
from sportmonks.errors import BudgetWait, FatalApiError, OutsidePlanError, TransientApiError
from sportmonks.incremental import SeasonSpan, get_seasons_to_fetch, season_ranks
from sportmonks.planning.chunks import sweeps_of
from sportmonks.reference.lists import Connect, ListRun, RowCounts, recorded
from sportmonks.warehouse.connection import sql

if TYPE_CHECKING:
    from sportmonks.api.client import SportmonksClient

LISTS = ("stages", "rounds", "teams", "venues")
# So many seasons in a row without an answer: the API is in trouble. So many refused or empty ones and none with rows:
# the server does not have that list.
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class ListResult:
    """``seasons``: read in this run; ``left``: still due; ``stopped``: why the list ended early, for people."""

    figures: RowCounts
    seasons: int
    left: int
    stopped: str | None = None


@dataclass(frozen=True)
class Structure:
    """One run over all lists. ``connect`` opens autocommit connections; ``execution_id`` names the DAG run."""

    connect: Connect
    client: SportmonksClient
    leagues: Sequence[int]
    sweep: SweepSettings
    execution_id: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    log: Any = field(default_factory=lambda: logging.getLogger(__name__))

    def read(self) -> dict[str, ListResult]:
        """Read what is due of every list; results by list.

        What the plan or the server does not offer is left out with one warning, a wait for calls ends a list until
        the next run. Raises TransientApiError, when all lists have had their turn, if the API failed for one of them;
        what was read is stored and not due again.
        """
        done: dict[str, ListResult] = {}
        fault: TransientApiError | None = None
        with self.connect() as conn:
            rows = conn.execute(sql("reference/followed_seasons"), {"leagues": list(self.leagues)}).fetchall()
        seasons = _newest_first([SeasonSpan(*row) for row in rows])
        for name in LISTS:
            reader = _Reader(self, name)
            done[name] = reader.read(seasons)
            fault = fault or reader.fault
            self.log.info("%s: %s", name, done[name])
        if fault is not None:
            raise fault
        return done


class _Reader:
    """One list in one run."""

    def __init__(self, job: Structure, name: str) -> None:
        self.job = job
        self.name = name
        self.collector = f"structure:{name}"
        self.fault: TransientApiError | None = None
        self._fruitless = self._failed_in_a_row = 0
        self._warned = False

    def read(self, seasons: Sequence[SeasonSpan]) -> ListResult:
        job = self.job
        with job.connect() as conn:
            last = dict(conn.execute(sql("reference/seasons_read"), {"name": self.collector}).fetchall())
        due = get_seasons_to_fetch(
            seasons, last, sweeps=sweeps_of(job.sweep), ranks=season_ranks(seasons), now=job.clock()
        )
        taken, stopped, read = due[: job.sweep.structure_seasons_per_run], None, 0
        with recorded(job.connect, job.execution_id, self.collector) as runs:
            run = runs[self.collector]
            for season in taken:
                try:
                    read += self._season(run, season)
                except BudgetWait as wait:
                    stopped = f"goes on in the next run: {wait}"
                    break
                except FatalApiError as error:
                    stopped = f"not offered by this server: {error}"
                    break
                except TransientApiError as error:
                    run.figures.failed += 1
                    self._failed_in_a_row += 1
                    job.log.warning("%s of season %d could not be read: %s", self.name, season.season_id, error)
                    if self._failed_in_a_row >= PATIENCE:
                        self.fault, stopped = error, f"the API keeps failing: {error}"
                        break
                if self._fruitless >= PATIENCE and not run.figures.processed:
                    stopped = "no season has any row"
                    break
            if stopped:
                job.log.warning("The list of %s ends early: %s", self.name, stopped)
            with job.connect() as conn:
                run.note(conn, "failed" if self.fault else "success", stopped)
        return ListResult(run.figures, read, len(due) - read, stopped)

    def _season(self, run: ListRun, season: SeasonSpan) -> int:
        """Read and store one season; that it was read, and the figures, go with the data. 1 = read."""
        rows: list[dict[str, Any]] = []
        try:
            rows = getattr(self.job.client, self.name)(season.season_id)
        except OutsidePlanError as error:
            self._warn(season, str(error))
        else:
            if not rows:
                self._warn(season, "no result")
        self._fruitless = 0 if rows else self._fruitless + 1
        self._failed_in_a_row = 0
        now = self.job.clock()
        marks = (self.collector, [f"season:{season.season_id}"], now)
        with self.job.connect() as conn, conn.transaction():
            run.figures.store(conn, self.name, rows, now)
            conn.execute("SELECT etl.mark_collector_periods(%s, %s::text[], %s)", marks)
            run.note(conn)
        return 1

    def _warn(self, season: SeasonSpan, why: str) -> None:
        level = logging.DEBUG if self._warned else logging.WARNING
        self.job.log.log(level, "No %s of season %d: %s", self.name, season.season_id, why)
        self._warned = True


def _newest_first(seasons: Sequence[SeasonSpan]) -> list[SeasonSpan]:
    """The current seasons of all leagues, then those before them, and so on."""
    ranks = season_ranks(seasons)
    by_start = sorted(seasons, key=lambda s: (s.starting_at or date.min, s.season_id), reverse=True)
    return sorted(by_start, key=lambda s: ranks[s.season_id])
