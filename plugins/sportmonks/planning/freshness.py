"""Which years and which seasons still need fetching. Pure: the clock is a parameter."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, TypeVar

from sportmonks.errors import ConfigurationError

LastRun = datetime | Mapping[int, datetime] | None
"""End of the last success: of the collector, or of each year or season by itself."""


def get_years_to_fetch(
    start_year: int,
    end_year: int,
    last_run: LastRun,
    max_age_days: float = 365,
    *,
    now: datetime | None = None,
) -> list[int]:
    """The years of ``start_year``..``end_year`` that need fetching, oldest first.

    All of them on a first run (``last_run`` None) and with ``max_age_days`` 0; otherwise the current and
    the previous year, and older ones once their last fetch is more than ``max_age_days`` ago. With one
    ``last_run`` for all years a daily collector never grows old enough: give the time of each year
    (``tracker.year_runs``, or call ``tracker.years_to_fetch``) to have old years read again.
    """
    if start_year > end_year:
        raise ConfigurationError(
            f"start_year {start_year} is after end_year {end_year}.", hint="Swap start_year and end_year."
        )
    years = range(start_year, end_year + 1)
    return [year for year in years if should_fetch_year(year, last_run, max_age_days, now=now)]


def should_fetch_year(year: int, last_run: LastRun, max_age_days: float = 365, *, now: datetime | None = None) -> bool:
    """The rule of :func:`get_years_to_fetch` for one year."""
    moment = _utc(now)
    fetched = last_run.get(year) if isinstance(last_run, Mapping) else last_run
    return _too_old(fetched, max_age_days, moment) or year >= moment.year - 1


class SeasonLike(Protocol):
    """A season as this module needs it; ``starting_at`` is a day."""

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
    """The smallest thing that is :class:`SeasonLike`."""

    season_id: int
    league_id: int
    is_current: bool
    starting_at: date | None = None


@dataclass(frozen=True)
class Sweep:
    """Every ``every_days`` days the newest ``seasons`` seasons of each league are due; None = all of them."""

    name: str
    every_days: float
    seasons: int | None


# Current and previous season daily, the last three weekly, all monthly.
SWEEPS = (Sweep("daily", 1, 2), Sweep("weekly", 7, 3), Sweep("monthly", 30, None))


def season_ranks(seasons: Iterable[SeasonLike]) -> dict[int, int]:
    """Season id -> 0 for a league's current season (and any later one), 1 for the one before, and so on.

    A league without a current season counts from its newest.
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
    """:func:`season_ranks` for the seasons of one league whose order is known."""
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

    A season is due when it was never fetched, or when the age of its last fetch reaches a sweep that covers
    it. ``last_run`` by season id is the usual form. ``max_age_days`` replaces the age of the sweep over all
    seasons (0 = fetch everything). ``ranks`` by season id, where the caller knows better than the dates.
    """
    moment = _utc(now)
    found = list(seasons)
    ranks = season_ranks(found) if ranks is None else ranks
    due: list[SeasonT] = []
    for season in found:
        fetched = last_run.get(season.season_id) if isinstance(last_run, Mapping) else last_run
        if fetched is None or max_age_days == 0:
            due.append(season)
            continue
        age = moment - _utc(fetched)
        for sweep in sweeps:
            if sweep.seasons is not None and ranks[season.season_id] >= sweep.seasons:
                continue
            overall = sweep.seasons is None and max_age_days is not None
            days = max_age_days if overall and max_age_days is not None else sweep.every_days
            # A run that starts at the same hour every day is a little less than a day after yesterday's end.
            if age >= timedelta(days=days) - min(timedelta(hours=6), timedelta(days=days) / 4):
                due.append(season)
                break
    return due


def _utc(moment: datetime | None) -> datetime:
    if moment is None:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _too_old(fetched: datetime | None, max_age_days: float, now: datetime) -> bool:
    if max_age_days < 0:
        raise ConfigurationError(f"max_age_days is {max_age_days}.", hint="Use 0 for everything or a number of days.")
    return fetched is None or max_age_days == 0 or now - _utc(fetched) > timedelta(days=max_age_days)
