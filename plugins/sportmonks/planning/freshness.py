"""Which years and seasons need fetching: pure rules over the time of their last fetch; the clock is a parameter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar

from sportmonks.errors import ConfigurationError

LastRun = datetime | Mapping[int, datetime] | None
"""End of the last successful run: one time for everything, or one for each year or season id. Naive times are UTC."""


def get_years_to_fetch(
    start_year: int,
    end_year: int,
    last_run: LastRun,
    max_age_days: float = 365,
    *,
    now: datetime | None = None,
) -> list[int]:
    """The years of ``start_year``..``end_year`` that need fetching, oldest first.

    All of them on a first run (``last_run`` None) and with ``max_age_days`` 0; otherwise the current and the
    previous year, and older ones whose last fetch is more than ``max_age_days`` ago. One ``last_run`` for all years
    is always recent for a collector that runs daily, so old years would never be read again: give the time of each
    year (``tracker.year_runs``, or call ``tracker.years_to_fetch``).

    Raises ConfigurationError when ``start_year`` is after ``end_year`` or ``max_age_days`` is negative.
    """
    if start_year > end_year:
        raise ConfigurationError(
            f"start_year {start_year} is after end_year {end_year}.", hint="Swap start_year and end_year."
        )
    years = range(start_year, end_year + 1)
    return [year for year in years if should_fetch_year(year, last_run, max_age_days, now=now)]


def should_fetch_year(year: int, last_run: LastRun, max_age_days: float = 365, *, now: datetime | None = None) -> bool:
    """Whether one year needs fetching, by the rule of :func:`get_years_to_fetch`."""
    now = _utc(now)
    fetched = last_run.get(year) if isinstance(last_run, Mapping) else last_run
    return _too_old(fetched, max_age_days, now) or year >= now.year - 1


class SeasonLike(Protocol):
    """The attributes of a season that these rules read; ``starting_at``: its first day."""

    @property
    def season_id(self) -> int: ...
    @property
    def league_id(self) -> int: ...
    @property
    def is_current(self) -> bool: ...
    @property
    def starting_at(self) -> date | None: ...


SeasonT = TypeVar("SeasonT", bound=SeasonLike)


@dataclass(frozen=True)
class SeasonSpan:
    """A :class:`SeasonLike` without further attributes."""

    season_id: int
    league_id: int
    is_current: bool
    starting_at: date | None = None


@dataclass(frozen=True)
class Sweep:
    """The newest ``seasons`` seasons of each league (None: all of them) are due every ``every_days`` days."""

    name: str
    every_days: float
    seasons: int | None


# The current and the previous season daily, the newest three weekly, all monthly.
SWEEPS = (Sweep("daily", 1, 2), Sweep("weekly", 7, 3), Sweep("monthly", 30, None))


def season_ranks(seasons: Iterable[SeasonLike]) -> dict[int, int]:
    """Rank by season id: 0 for a league's current season and any later one, 1 for the season before, and so on.

    In a league without a current season, its newest season has rank 0.
    """
    by_league: defaultdict[int, list[SeasonLike]] = defaultdict(list)
    for season in seasons:
        by_league[season.league_id].append(season)
    ranks: dict[int, int] = {}
    for members in by_league.values():
        members.sort(key=lambda s: (s.starting_at or date.min, s.season_id), reverse=True)
        ranks |= rank_newest_first(members)
    return ranks


def rank_newest_first(members: Sequence[SeasonLike]) -> dict[int, int]:
    """:func:`season_ranks` for the seasons of one league, given in order."""
    current = max((place for place, season in enumerate(members) if season.is_current), default=0)
    return {season.season_id: max(0, place - current) for place, season in enumerate(members)}


def get_seasons_to_fetch(
    seasons: Iterable[SeasonT],
    last_run: LastRun,
    max_age_days: float | None = None,
    *,
    sweeps: Sequence[Sweep] = SWEEPS,
    ranks: Mapping[int, int] | None = None,
    now: datetime | None = None,
) -> list[SeasonT]:
    """The seasons that need fetching, in the order given.

    A season is due when it was never fetched, or when the age of its last fetch reaches the interval of a sweep that
    covers it. ``last_run`` by season id is the usual form. ``max_age_days`` replaces the interval of the sweep over
    all seasons (0: fetch everything). ``ranks`` by season id replaces the ranks that follow from the dates.
    """
    now = _utc(now)
    found = list(seasons)
    ranks = season_ranks(found) if ranks is None else ranks
    due: list[SeasonT] = []
    for season in found:
        fetched = last_run.get(season.season_id) if isinstance(last_run, Mapping) else last_run
        if fetched is None or max_age_days == 0:
            due.append(season)
            continue
        age = _age(fetched, now)
        for sweep in sweeps:
            if sweep.seasons is not None and ranks[season.season_id] >= sweep.seasons:
                continue
            overall = sweep.seasons is None and max_age_days is not None
            days = max_age_days if overall and max_age_days is not None else sweep.every_days
            # A run that starts at the same hour every day starts a little less than a day after the last one ended.
            if age >= timedelta(days=days) - min(timedelta(hours=6), timedelta(days=days) / 4):
                due.append(season)
                break
    return due


def _utc(time: datetime | None) -> datetime:
    if time is None:
        return datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def _too_old(fetched: datetime | None, max_age_days: float, now: datetime) -> bool:
    if max_age_days < 0:
        raise ConfigurationError(f"max_age_days is {max_age_days}.", hint="Use 0 for everything or a number of days.")
    return fetched is None or max_age_days == 0 or _age(fetched, now) > timedelta(days=max_age_days)


def _age(fetched: datetime, now: datetime) -> timedelta:
    """The distance of the two. A fetch that lies as far ahead as an old one lies back says no more than that one: its
    time comes from a clock that has been set back since."""
    return abs(now - _utc(fetched))
