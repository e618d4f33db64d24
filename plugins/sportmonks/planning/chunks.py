"""Chunks (league x season): which indexes to read, what is due in them, in which order, at what price."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sportmonks.config.catalog import GuardSettings, RecheckSettings, SweepSettings
from sportmonks.config.manifest import Season
from sportmonks.planning import freshness
from sportmonks.planning.batches import count_batches, make_batches
from sportmonks.planning.recheck import PRIORITIES, FixtureState, next_due


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What a run was asked for; empty fields do not narrow."""

    seasons: tuple[int, ...] = ()
    date_from: date | None = None
    date_to: date | None = None
    min_fixtures: int = 1
    max_chunks: int | None = None
    max_fixtures: int | None = None
    force: bool = False


@dataclass(frozen=True, slots=True)
class DueFixture:
    """One fixture to read in this run."""

    fixture_id: int
    reason: str
    priority: int
    urgent: bool


@dataclass(frozen=True, slots=True)
class Chunk:
    """The due fixtures of a season, most urgent first."""

    season_id: int
    fixtures: tuple[DueFixture, ...]

    @property
    def priority(self) -> int:
        return sum(fixture.priority for fixture in self.fixtures)


@dataclass(frozen=True, slots=True)
class CostEstimate:
    """What a plan will cost. ``calls`` per entity; ``minutes`` until the budget has granted them all."""

    fixtures: int
    by_reason: dict[str, int]
    chunks: list[dict[str, Any]]
    calls: dict[str, int]
    available_now: int | None
    minutes: float
    left_out: dict[str, int] = field(default_factory=dict)


def seasons_to_index(
    seasons: Sequence[Season],
    indexed_at: Mapping[int, datetime],
    sweep: SweepSettings,
    now: datetime,
    *,
    asked: Sequence[int] = (),
) -> list[Season]:
    """Seasons (newest first) whose index this run reads.

    Asked ones always, and then only those. Otherwise what ``planning.freshness.get_seasons_to_fetch`` says: never
    indexed ones, the current and the ``daily_seasons`` newest in every run, the ``weekly_seasons`` newest once a
    week, all once in ``all_days``. An index is read in every run, however short the time since the last one: it
    tells which matches have been played meanwhile.
    """
    if asked:
        return [season for season in seasons if season.id in set(asked)]
    spans = [freshness.SeasonSpan(season.id, 0, season.is_current) for season in seasons]
    due = freshness.get_seasons_to_fetch(
        spans, indexed_at, sweeps=sweeps_of(sweep, daily=0), ranks=freshness.rank_newest_first(spans), now=now
    )
    ids = {span.season_id for span in due}
    return [season for season in seasons if season.id in ids]


def sweeps_of(sweep: SweepSettings, *, daily: float = 1) -> tuple[freshness.Sweep, ...]:
    """The catalog's settings as the rule takes them; ``daily``: days between two reads of the newest seasons."""
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
    """Due fixtures by chunk, chunks by falling priority, and how many due ones each limit left out.

    ``rows``: (season_id, fixture_id, facts) of every known fixture of the league.
    """
    wanted = set(run_filter.seasons)
    due: dict[int, list[DueFixture]] = {}
    for season_id, fixture_id, facts in rows:
        if (wanted and season_id not in wanted) or not _in_dates(facts, run_filter):
            continue
        found = next_due(facts, recheck, guard, now)
        if found is not None and found.at <= now:
            fixture = DueFixture(fixture_id, found.reason, found.priority, found.urgent)
        elif run_filter.force and facts.status != "DELETED":
            fixture = DueFixture(fixture_id, "forced", PRIORITIES["forced"], False)
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


def _in_dates(facts: FixtureState, run_filter: RunFilter) -> bool:
    if run_filter.date_from is None and run_filter.date_to is None:
        return True
    if facts.starting_at is None:
        return False
    day = facts.starting_at.date()
    return (run_filter.date_from is None or day >= run_filter.date_from) and (
        run_filter.date_to is None or day <= run_filter.date_to
    )


def estimate_cost(
    chunks: Sequence[Chunk],
    *,
    names: Mapping[int, str],
    batch_size: int,
    remaining: int | None,
    call_limit: int,
    reserve: float,
    seconds_to_reset: float,
    window_seconds: int,
    left_out: Mapping[str, int],
) -> CostEstimate:
    """The price of a plan at the present budget; ``remaining`` None = not known yet.

    Urgent calls may use the reserve.
    """
    calls = sum(count_batches(chunk.fixtures, batch_size) for chunk in chunks)
    urgent = sum(batch.urgent for chunk in chunks for batch in make_batches(chunk.fixtures, batch_size))
    reasons: Counter[str] = Counter(f.reason for chunk in chunks for f in chunk.fixtures)
    kept_back = int(call_limit * reserve)
    left = call_limit if remaining is None else remaining
    free_now = max(left - kept_back, 0)
    at_once = min(urgent, left)
    at_once += min(calls - urgent, max(left - at_once - kept_back, 0))
    per_window = max(call_limit - kept_back, 1)
    windows = math.ceil((calls - at_once) / per_window)
    seconds = calls * 1.0 if windows == 0 else seconds_to_reset + (windows - 1) * window_seconds
    return CostEstimate(
        fixtures=sum(len(chunk.fixtures) for chunk in chunks),
        by_reason=dict(reasons.most_common()),
        chunks=[
            {
                "season_id": chunk.season_id,
                "season": names.get(chunk.season_id, str(chunk.season_id)),
                "fixtures": len(chunk.fixtures),
                "calls": count_batches(chunk.fixtures, batch_size),
                "priority": chunk.priority,
            }
            for chunk in chunks
        ],
        calls={"Fixture": calls},
        available_now=free_now,
        minutes=round(seconds / 60, 1),
        left_out=dict(left_out),
    )
