"""Leagues, seasons, clubs and the schedule: what exists, each fact a pure function of the options.

Nothing here is stored per fixture: pairings, kick-offs and ids are computed from the position in the season, so that
a world of 490 seasons and 67,085 fixtures starts at once and needs hardly any memory.
A season owns a block of 32,768 fixture ids and uses about every third: the provider's ids have gaps, too.
"""

from __future__ import annotations

import bisect
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import NamedTuple

from sandbox.names import COUNTRIES, LEAGUES, club, town

DAY = 86_400
FIRST_FIXTURE_ID = 10_000_000
BLOCK = 32_768
FIRST_YEAR, YEARS = 1990, 64
MAX_FIXTURES = 10_000
ANNOUNCED_BEFORE = 45 * DAY
FUTURE_SEASONS = 3
FULL_CHUNKS, FULL_FIXTURES, FULL_BIG_CHUNK, FULL_LEAGUES = 490, 67_085, 5_326, 49
SLOTS = ((0, 19.0), (1, 15.0), (1, 17.5), (2, 13.0), (2, 15.5), (1, 12.5), (2, 18.0), (3, 19.0), (1, 15.0))


@dataclass(frozen=True)
class Options:
    """How big the world is. `fixtures_per_season` None means a double round robin of the teams."""

    leagues: int = 5
    seasons: int = 3
    teams: int = 10
    fixtures_per_season: int | None = None
    big_chunk: int = 0
    scale: str = "small"
    seed: int = 1

    def __post_init__(self) -> None:
        for name, low, high in (("leagues", 1, 600), ("seasons", 1, 30), ("teams", 4, 100), ("seed", 0, 2**31)):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {value}: choose a number from {low} to {high}")
        if self.teams % 2:
            raise ValueError(f"teams is {self.teams}: choose an even number, every team plays in every round")
        for name in ("fixtures_per_season", "big_chunk"):
            value = getattr(self, name)
            if value is not None and value != 0 and not 1 <= value <= MAX_FIXTURES:
                raise ValueError(f"{name} is {value}: choose a number from 1 to {MAX_FIXTURES}")
        if self.fixtures_per_season == 0:
            raise ValueError("fixtures_per_season is 0: a season needs at least one fixture")
        if self.scale not in ("small", "full"):
            raise ValueError(f"scale is {self.scale!r}: choose small or full")


class Plan(NamedTuple):
    """One fixture as scheduled before anything happens: places of the two clubs in the pool, round, kick-off."""

    home: int
    away: int
    round_no: int | None
    kickoff: int


@dataclass(frozen=True, eq=False)
class Team:
    id: int
    name: str
    league: League
    number: int

    @property
    def venue_id(self) -> int:
        return self.id + 1_000


@dataclass(eq=False)
class League:
    index: int
    id: int
    name: str
    short_code: str
    country_id: int
    kind: str
    first_team: int
    pool: int
    seasons: list[Season] = field(default_factory=list)

    def team(self, number: int) -> Team:
        return self.teams[number]

    @cached_property
    def teams(self) -> list[Team]:
        return [Team(self.first_team + n, club(self.id, n, self.first_team), self, n) for n in range(self.pool)]


class Season:
    """One league-season: `size` fixtures between `team_count` clubs; the unit the collector calls a chunk."""

    def __init__(self, league: League, year: int, size: int, team_count: int) -> None:
        self.league, self.year, self.size, self.team_count = league, year, size, team_count
        place = league.index * YEARS + (year - FIRST_YEAR)
        self.id = 10_000 + place
        self.name = f"{year}/{year + 1}"
        self.base = FIRST_FIXTURE_ID + place * BLOCK
        self.stage_id = 77_000_000 + self.id * 4
        self.start = int(datetime(year, 8, 1, tzinfo=UTC).timestamp()) + (league.index % 8 + 6) * DAY
        self.announced = int(datetime(year, 8, 1, tzinfo=UTC).timestamp()) - ANNOUNCED_BEFORE
        self.end = int(datetime(year + 1, 5, 24, tzinfo=UTC).timestamp())
        self.finals = min(size, max(2, size // 30)) if league.kind == "playoff" and size > 4 else 0
        self.regular = size - self.finals
        half = team_count // 2
        self.rounds = -(-self.regular // half)
        spare = league.pool - team_count
        absent = {(year * 3 + n) % league.pool for n in range(spare)}
        self.team_numbers = [n for n in range(league.pool) if n not in absent]

    def fixture_id(self, index: int) -> int:
        return self.base + 3 * index + (index * index + self.year) % 3

    def index_of(self, fixture_id: int) -> int | None:
        index = (fixture_id - self.base) // 3
        return index if 0 <= index < self.size and self.fixture_id(index) == fixture_id else None

    @cached_property
    def ids(self) -> array[int]:
        return array("q", (self.fixture_id(n) for n in range(self.size)))

    @cached_property
    def kickoffs(self) -> list[tuple[int, int]]:
        """(kick-off, fixture index) as scheduled, in order of time."""
        return sorted((self.plan(n).kickoff, n) for n in range(self.size))

    @cached_property
    def team_days(self) -> dict[int, list[int]]:
        """Scheduled kick-offs of each club (by its number), ascending."""
        days: dict[int, list[int]] = {}
        for kickoff, index in self.kickoffs:
            plan = self.plan(index)
            days.setdefault(plan.home, []).append(kickoff)
            days.setdefault(plan.away, []).append(kickoff)
        return days

    def round_id(self, round_no: int) -> int:
        return 200_000 + self.id * 256 + round_no

    def round_start(self, round_no: int) -> int:
        """Midnight of the first day of a round (0-based): a Friday when there is a week for each round."""
        span = (self.end - self.start) // DAY - (14 if self.finals else 4)
        start = self.start + (round_no * span // max(1, self.rounds)) * DAY
        if span >= 7 * self.rounds:
            start -= ((start // DAY + 6) % 7) * DAY  # 1970-01-01 was a Thursday: (days + 6) % 7 is 0 on Fridays
        return start

    def knockout(self, index: int) -> bool:
        """Whether the match must have a winner (extra time, penalties)."""
        return self.league.kind == "cup" or index >= self.regular

    def plan(self, index: int) -> Plan:
        """The circle method: every club plays in every round, and home and away change with each leg."""
        numbers, count = self.team_numbers, self.team_count
        if index >= self.regular:
            pick = (index * 7 + self.year) % count
            other = (pick + 1 + (index * 3) % (count - 1)) % count
            kickoff = self.end - 10 * DAY + (index - self.regular) * DAY * 10 // max(1, self.finals) + 18 * 3600
            return Plan(numbers[pick], numbers[other], None, kickoff - kickoff % 3600)
        half = count // 2
        round_no, match = divmod(index, half)
        leg, turn = divmod(round_no, count - 1)
        if match == 0:
            first, second = count - 1, turn
        else:
            first, second = (turn + match) % (count - 1), (turn - match) % (count - 1)
        if (leg + (turn if match == 0 else match)) % 2:
            first, second = second, first
        day, hour = SLOTS[(match + round_no) % len(SLOTS)]
        if self.rounds * 7 > (self.end - self.start) // DAY:
            day, hour = 0, 11 + match % 10
        kickoff = self.round_start(round_no) + day * DAY + int(hour * 3600)
        return Plan(numbers[first], numbers[second], round_no, kickoff)

    def round_of(self, index: int) -> int | None:
        return None if index >= self.regular else index // (self.team_count // 2)


def _sizes(options: Options) -> tuple[int, int]:
    return (
        (FULL_LEAGUES, FULL_CHUNKS // FULL_LEAGUES) if options.scale == "full" else (options.leagues, options.seasons)
    )


class World:
    """Everything that exists; `visible_seasons(now)` are those announced by then.

    `born` decides which seasons are in the world: the one that runs at that time is the newest of the requested
    number of seasons, and a few later ones are announced as the clock moves on.
    """

    def __init__(self, options: Options, born: float) -> None:
        self.options = options
        self.seed = options.seed
        count, depth = _sizes(options)
        start = datetime.fromtimestamp(born, UTC)
        self.newest_year = start.year if start.month >= 8 else start.year - 1
        years = range(self.newest_year - depth + 1, self.newest_year + 1 + FUTURE_SEASONS)
        if years[0] < FIRST_YEAR or years[-1] >= FIRST_YEAR + YEARS:
            raise ValueError(f"seasons from {years[0]} to {years[-1]}: the sandbox knows {FIRST_YEAR} to 2053 only")
        self.leagues: list[League] = []
        first_team = 50
        big = FULL_BIG_CHUNK if options.scale == "full" else options.big_chunk
        big_year = self.newest_year - 1 if depth > 1 else self.newest_year
        for index in range(count):
            sizes = {
                year: self._season_size(index, year, years[0], big if (index, year) == (0, big_year) else 0)
                for year in years
            }
            pool = max(teams for _, teams in sizes.values()) + 3
            league = self._league(index, first_team, pool)
            first_team += pool
            league.seasons = [Season(league, year, size, teams) for year, (size, teams) in sizes.items()]
            self.leagues.append(league)
        self.teams_end = first_team
        self._first_teams = [league.first_team for league in self.leagues]
        self.league_by_id = {league.id: league for league in self.leagues}
        self.season_by_id = {season.id: season for league in self.leagues for season in league.seasons}

    def _season_size(self, index: int, year: int, first: int, big: int) -> tuple[int, int]:
        """(fixtures, teams) of a season; grows the number of teams until they can play that many fixtures."""
        teams = self.options.teams
        if big:
            size = big
        elif self.options.scale == "full":
            ordinal = index * (FULL_CHUNKS // FULL_LEAGUES) + (year - first)
            share, extra = divmod(FULL_FIXTURES - FULL_BIG_CHUNK, FULL_CHUNKS - 1)
            # the big chunk is not one of the 489, so that the seasons after it take its place in the count
            size = share + (1 if ordinal - (1 if ordinal > FULL_CHUNKS // FULL_LEAGUES - 2 else 0) < extra else 0)
        else:
            size = self.options.fixtures_per_season or teams * (teams - 1)
        while teams * (teams - 1) < size:
            teams += 2
        return size, teams

    def _league(self, index: int, first_team: int, pool: int) -> League:
        if index < len(LEAGUES):
            identity, name, code, country, kind = LEAGUES[index]
            return League(index, identity, name, code, country, kind, first_team, pool)
        country, country_name, _, iso3 = COUNTRIES[index % len(COUNTRIES)]
        kind = ("league", "league", "playoff", "league", "cup")[index % 5]
        name = f"{town(index)} {'Cup' if kind == 'cup' else 'League'}"
        return League(
            index, 2_000 + index, f"{name} ({country_name})", f"{iso3} {index}", country, kind, first_team, pool
        )

    def visible_seasons(self, now: float) -> list[Season]:
        return [s for league in self.leagues for s in league.seasons if s.announced <= now]

    def current_season(self, league: League, now: float) -> Season | None:
        begun = [s for s in league.seasons if s.announced + ANNOUNCED_BEFORE <= now]
        return begun[-1] if begun else None

    def find(self, fixture_id: int) -> tuple[Season, int] | None:
        """The season and the place in it of a fixture id; None when no fixture has it."""
        place = (fixture_id - FIRST_FIXTURE_ID) // BLOCK
        season = self.season_by_id.get(10_000 + place) if place >= 0 else None
        index = season.index_of(fixture_id) if season else None
        return (season, index) if season is not None and index is not None else None

    def team(self, team_id: int) -> Team | None:
        if not self.leagues or not self._first_teams[0] <= team_id < self.teams_end:
            return None
        league = self.leagues[bisect.bisect_right(self._first_teams, team_id) - 1]
        return league.team(team_id - league.first_team)

    def last_played(self, team: Team, now: float) -> int | None:
        """Latest scheduled kick-off of a club that has come by now."""
        for season in reversed(team.league.seasons):
            if season.start <= now:
                days = season.team_days.get(team.number, [])
                place = bisect.bisect_right(days, now)
                if place:
                    return days[place - 1]
        return None

    def scheduled_between(self, first: float, last: float) -> Iterator[tuple[Season, int]]:
        """Fixtures whose first scheduled kick-off lies in [first, last], season by season."""
        for season in self.season_by_id.values():
            if season.start - 7 * DAY <= last and season.end + 7 * DAY >= first:
                kickoffs = season.kickoffs
                begin = bisect.bisect_left(kickoffs, (int(first), -1))
                for kickoff, index in kickoffs[begin:]:
                    if kickoff > last:
                        break
                    yield season, index
