"""Chunks (league x season): which season indexes to read, which fixtures are due, and in which order."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sportmonks.config.catalog import GuardSettings, RecheckSettings, SweepSettings
from sportmonks.config.manifest import Season
from sportmonks.planning import freshness
from sportmonks.planning.recheck import PRIORITIES, FixtureState, next_due, without_times_ahead


@dataclass(frozen=True, slots=True)
class RunFilter:
    """Which fixtures a run may read, from its parameters; an empty field does not restrict the run."""

    seasons: tuple[int, ...] = ()
    date_from: date | None = None
    date_to: date | None = None
    min_fixtures: int = 1
    max_chunks: int | None = None
    max_fixtures: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class PlannedFixture:
    """A fixture that a run is to read: in a plan being made, stored, or cut into batches.

    ``reason``: a key of ``planning.recheck.PRIORITIES``. ``urgent``: its call may use the reserve of the call budget.
    """

    fixture_id: int
    reason: str
    priority: int
    urgent: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """The planned fixtures of a season, by falling priority."""

    season_id: int
    fixtures: tuple[PlannedFixture, ...]

    @property
    def priority(self) -> int:
        return sum(fixture.priority for fixture in self.fixtures)


def seasons_to_index(
    seasons: Sequence[Season],
    indexed_at: Mapping[int, datetime],
    sweep: SweepSettings,
    now: datetime,
    *,
    requested: Sequence[int] = (),
    next_looks: Mapping[int, datetime] | None = None,
) -> list[Season]:
    """The seasons whose index this run reads, in the order of ``seasons`` (newest first).

    When ``requested`` names seasons, exactly those. Otherwise the rule of ``planning.freshness.get_seasons_to_fetch``:
    seasons that were never indexed, the current one and the ``daily_seasons`` newest in every run, the
    ``weekly_seasons`` newest once a week, all once in ``all_days``. The newest are read in every run, however short
    the time since the last one, because their index shows which matches have been played since then.

    ``next_looks``: by season whose last index is suspected to be an accident, when to ask again. Of these, only the
    newest are read before that time, and all of them from then on.
    """
    if requested:
        return [season for season in seasons if season.id in set(requested)]
    next_looks = next_looks or {}
    spans = [freshness.SeasonSpan(season.id, 0, season.is_current) for season in seasons]
    ranks = freshness.rank_newest_first(spans)
    due = freshness.get_seasons_to_fetch(spans, indexed_at, sweeps=sweeps_of(sweep, daily=0), ranks=ranks, now=now)
    newest = {key for key, rank in ranks.items() if rank < sweep.daily_seasons}
    ids = {span.season_id for span in due if span.season_id in newest or span.season_id not in next_looks}
    ids |= {season_id for season_id, at in next_looks.items() if at <= now}
    return [season for season in seasons if season.id in ids]


def sweeps_of(sweep: SweepSettings, *, daily: float = 1) -> tuple[freshness.Sweep, ...]:
    """The sweep settings as ``planning.freshness`` takes them; ``daily``: days between reads of the newest seasons."""
    return (
        freshness.Sweep("daily", daily, sweep.daily_seasons),
        freshness.Sweep("weekly", 7, sweep.weekly_seasons),
        freshness.Sweep("all", sweep.all_days, None),
    )


def plan_chunks(
    rows: Iterable[tuple[int, int, FixtureState]],
    run_filter: RunFilter,
    recheck: RecheckSettings,
    guard: GuardSettings,
    now: datetime,
) -> tuple[list[Chunk], dict[str, int]]:
    """Chunks of due fixtures by falling priority, and how many due fixtures each limit of the run excluded.

    ``rows``: (season_id, fixture_id, state) of every known fixture of the league.
    """
    requested = set(run_filter.seasons)
    due: dict[int, list[PlannedFixture]] = {}
    for season_id, fixture_id, state in rows:
        if (requested and season_id not in requested) or not _in_dates(state, run_filter):
            continue
        state = without_times_ahead(state, now)
        found = next_due(state, recheck, guard, now)
        if found is not None and found.at <= now:
            fixture = PlannedFixture(fixture_id, found.reason, found.priority, found.urgent)
        elif run_filter.force and state.status != "DELETED" and not state.replaced:
            fixture = PlannedFixture(fixture_id, "forced", PRIORITIES["forced"], False)
        else:
            continue
        due.setdefault(season_id, []).append(fixture)

    chunks = [
        Chunk(season_id, tuple(sorted(found, key=lambda f: (-f.priority, f.fixture_id))))
        for season_id, found in due.items()
    ]
    chunks.sort(key=lambda chunk: (-chunk.priority, -chunk.season_id))
    return _limited(chunks, run_filter)


def _limited(chunks: list[Chunk], run_filter: RunFilter) -> tuple[list[Chunk], dict[str, int]]:
    left_out: Counter[str] = Counter()
    kept: list[Chunk] = []
    room = math.inf if run_filter.max_fixtures is None else run_filter.max_fixtures
    for chunk in chunks:
        size = len(chunk.fixtures)
        if size < run_filter.min_fixtures:
            left_out["min_fixtures"] += size
        elif run_filter.max_chunks is not None and len(kept) >= run_filter.max_chunks:
            left_out["max_chunks"] += size
        elif room <= 0:
            left_out["max_fixtures"] += size
        else:
            part = chunk.fixtures if size <= room else chunk.fixtures[: int(room)]
            left_out["max_fixtures"] += size - len(part)
            room -= len(part)
            kept.append(Chunk(chunk.season_id, part))
    return kept, {name: count for name, count in left_out.items() if count}


def _in_dates(state: FixtureState, run_filter: RunFilter) -> bool:
    if run_filter.date_from is None and run_filter.date_to is None:
        return True
    if state.starting_at is None:
        return False
    day = state.starting_at.date()
    return (run_filter.date_from is None or day >= run_filter.date_from) and (
        run_filter.date_to is None or day <= run_filter.date_to
    )
