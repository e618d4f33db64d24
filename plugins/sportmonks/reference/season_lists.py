"""Stages, rounds, teams and venues of the followed seasons: read by age, newest seasons first, so many per run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.api.budget import CallAccount
from sportmonks.config.catalog import GuardSettings, SweepSettings
from sportmonks.errors import BudgetWait, FatalApiError, OutsidePlanError, TransientApiError
from sportmonks.incremental import SeasonSpan, get_seasons_to_fetch, season_ranks
from sportmonks.incremental.collector import IncrementalCollector
from sportmonks.planning.chunks import sweeps_of
from sportmonks.planning.recheck import next_look
from sportmonks.reference.lists import Connect, RowCounts, store_counted
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    from sportmonks.api.client import SportmonksClient

LISTS = ("stages", "rounds", "teams", "venues")
# After so many failed seasons in a row the API counts as down. After so many refused or empty seasons, when none had
# rows, the server does not have that list.
MAX_FRUITLESS_SEASONS = 3


@dataclass(frozen=True, slots=True)
class ListResult:
    """``seasons``: read in this run; ``left``: still due; ``stopped``: why the list ended early, for people."""

    figures: RowCounts
    seasons: int
    left: int
    stopped: str | None = None


@dataclass(frozen=True)
class SeasonLists:
    """One run over all lists. ``connect`` opens autocommit connections; ``execution_id`` names the DAG run."""

    connect: Connect
    client: SportmonksClient
    leagues: Sequence[int]
    sweep: SweepSettings
    execution_id: str
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    log: Any = field(default_factory=lambda: logging.getLogger(__name__))
    guard: GuardSettings = field(default_factory=GuardSettings)

    def read(self) -> dict[str, ListResult]:
        """Read what is due of every list; results by list.

        What the plan or the server does not offer is left out with one warning. A wait for the budget (BudgetWait)
        ends its list until the next run; the other lists go on. When the API kept failing for a list, its
        TransientApiError is raised after the others have been read; what was read is stored and not due again.
        """
        done: dict[str, ListResult] = {}
        fault: TransientApiError | None = None
        with self.connect() as conn:
            for (name,) in conn.execute(sql("reference/forget_lost")).fetchall():
                self.log.warning("The table of %s was emptied: they are read again.", name)
            rows = conn.execute(sql("reference/followed_seasons"), {"leagues": list(self.leagues)}).fetchall()
        seasons = _newest_first([SeasonSpan(*row) for row in rows])
        for name in LISTS:
            reader = _ListReader(self, name)
            done[name] = reader.read(seasons)
            fault = fault or reader.fault
            self.log.info("%s: %s", name, done[name])
        if fault is not None:
            raise fault
        return done


class _ListReader:
    """Reads one list in one run."""

    def __init__(self, job: SeasonLists, name: str) -> None:
        self.job = job
        self.name = name
        self.fault: TransientApiError | None = None
        self._fruitless = self._failed_in_a_row = 0
        self._warned = False

    def read(self, seasons: Sequence[SeasonSpan]) -> ListResult:
        """Read the seasons that are due, at most ``structure_seasons_per_run`` of them."""
        job, ranks, read = self.job, season_ranks(seasons), 0
        stopped: str | None = None
        with IncrementalCollector(f"structure:{self.name}", job.connect, job.execution_id) as run:
            job.client.count_calls_for(CallAccount(job.execution_id, collector=run.name))
            due = self._due(run, seasons, ranks)
            for season in due[: job.sweep.structure_seasons_per_run]:
                try:
                    self._season(run, season)
                    read += 1
                except BudgetWait as wait:
                    stopped = f"goes on in the next run: {wait}"
                    break
                except FatalApiError as error:
                    stopped = f"not offered by this server: {error}"
                    break
                except TransientApiError as error:
                    run.record_failed()
                    self._failed_in_a_row += 1
                    job.log.warning("%s of season %d could not be read: %s", self.name, season.season_id, error)
                    if self._failed_in_a_row >= MAX_FRUITLESS_SEASONS:
                        self.fault, stopped = error, f"the API keeps failing: {error}"
                        break
                if self._fruitless >= MAX_FRUITLESS_SEASONS and not run.processed:
                    stopped = "no season has any row"
                    break
            if stopped:
                job.log.warning("The list of %s ends early: %s", self.name, stopped)
            with job.connect() as conn:
                run.finish(conn, "failed" if self.fault else "success", stopped)
        return ListResult(RowCounts(**run.statistics), read, len(due) - read, stopped)

    def _due(
        self, run: IncrementalCollector, seasons: Sequence[SeasonSpan], ranks: Mapping[int, int]
    ) -> list[SeasonSpan]:
        """Seasons to read, the newest first. One that came without rows waits for its time, and comes last."""
        job, now = self.job, self.job.clock()
        with job.connect() as conn:
            empty = conn.execute(sql("collector/empty_answers"), {"name": run.name}).fetchall()
        looks = {period: next_look(min(at, now), answers, job.guard) for period, answers, at in empty}
        due = get_seasons_to_fetch(seasons, run.season_runs, sweeps=sweeps_of(job.sweep), ranks=ranks, now=now)
        due = [season for season in due if looks.get(_period(season), now) <= now]
        return sorted(due, key=lambda season: _period(season) in looks)

    def _season(self, run: IncrementalCollector, season: SeasonSpan) -> None:
        """Read and store one season; its rows, the figures and the time of reading are written in one transaction.

        A season without rows counts as read after several answers only, because the API omits rows now and then. So
        does one whose answer has rows of other seasons, which are left out: it may be the answer to another request.
        """
        rows: list[dict[str, Any]] = []
        refused = foreign = False
        try:
            listed = getattr(self.job.client, self.name)(season.season_id)
            rows = [row for row in listed if row.get("season_id") in (None, season.season_id)]
            foreign = len(rows) < len(listed)
        except OutsidePlanError as error:
            refused = True
            self._warn(season, str(error))
        else:
            if foreign:
                self.job.log.warning(
                    "%d of %d %s of season %d are those of other seasons and are left out",
                    len(listed) - len(rows),
                    len(listed),
                    self.name,
                    season.season_id,
                )
            elif not rows:
                self._warn(season, "no result")
        self._fruitless = 0 if rows else self._fruitless + 1
        self._failed_in_a_row = 0
        now = self.job.clock()
        with self.job.connect() as conn, conn.transaction():
            store_counted(run, conn, self.name, rows, now)
            period = {"name": run.name, "period": _period(season)}
            answers = 0
            suspected = foreign or not (rows or refused)
            if suspected:
                (answers,) = conn.execute(sql("collector/empty_answer"), {**period, "now": now}).fetchone() or (0,)
            if not suspected or answers > self.job.guard.rereads:
                conn.execute(sql("collector/not_empty"), period)
                run.mark_season(season.season_id)
            run.save(conn, now=now)

    def _warn(self, season: SeasonSpan, reason: str) -> None:
        """One warning per list; the same for further seasons at level DEBUG."""
        level = logging.DEBUG if self._warned else logging.WARNING
        self.job.log.log(level, "No %s of season %d: %s", self.name, season.season_id, reason)
        self._warned = True


def _period(season: SeasonSpan) -> str:
    return f"season:{season.season_id}"


def _newest_first(seasons: Sequence[SeasonSpan]) -> list[SeasonSpan]:
    """The current seasons of all leagues, then those before them, and so on."""
    ranks = season_ranks(seasons)
    by_start = sorted(seasons, key=lambda s: (s.starting_at or date.min, s.season_id), reverse=True)
    return sorted(by_start, key=lambda s: ranks[s.season_id])
