"""The table of endpoints: path, budget and response of each. A response without rows means "no result"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox import extra_lists, resources, season_lists
from sandbox.fixtures import (
    FIXTURE_FILTERS,
    day_of,
    fixture_one,
    fixtures_between,
    fixtures_date,
    fixtures_latest,
    fixtures_list,
    fixtures_multi,
    livescores,
    refuse_outside_plan,
)
from sandbox.limits import BUCKETS
from sandbox.main_includes import team_row
from sandbox.names import COUNTRIES
from sandbox.paging import ApiResponse, number_in, page_of, shaped
from sandbox.people import player_row, venue_row
from sandbox.query import ApiError, Query, invalid
from sandbox.reference import STATES, TYPES, country_row
from sandbox.state import Encoded, Sandbox, encode
from sandbox.world import DAY

Row = dict[str, Any]
TRANSFER_DAYS = 31
_D = r"([^/]+)"


@dataclass(frozen=True)
class Endpoint:
    pattern: re.Pattern[str]
    entity: str
    bucket: str
    respond: Callable[[Sandbox, Query, tuple[str, ...], str], ApiResponse]
    filters: frozenset[str] = frozenset()

    @property
    def shape(self) -> str:
        """The path with {} for what varies, e.g. football/fixtures/multi/{}."""
        return self.pattern.pattern.replace(_D, "{}").replace(r"(\d+)", "{}").replace("(inplay)", "inplay")


def _rows(
    entity: str, function: Callable[[Sandbox, tuple[str, ...], Query], Iterable[Row]], *, paged: bool = True
) -> Any:
    def respond(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
        rows: Sequence[Row] = list(function(sandbox, parts, query))
        pagination = None
        if paged:
            rows, pagination = page_of(rows, query, lambda row: row["id"], url, sandbox)
        return ApiResponse(
            [Encoded(encode(shaped(sandbox, entity, dict(row), query))) for row in rows], pagination=pagination
        )

    return respond


def _one(entity: str, function: Callable[[Sandbox, int], Row | None]) -> Any:
    def respond(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
        row = function(sandbox, number_in(parts[-1]))
        return ApiResponse(
            [] if row is None else [Encoded(encode(shaped(sandbox, entity, dict(row), query)))], single=True
        )

    return respond


def _seasons(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
    leagues = query.ids("seasonLeagues")
    if leagues is not None and sandbox.variants["season_filter"] == "no":
        raise ApiError(400, "The filter 'seasonLeagues' is not applicable here", 5010)
    return (resources.season_row(sandbox, s) for s in sandbox.seasons() if leagues is None or s.league.id in leagues)


def _leagues(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
    return (resources.league_row(sandbox, league) for league in sandbox.leagues())


def _my_leagues(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
    return (resources.league_row(sandbox, league) | {"sport": resources.SPORT} for league in sandbox.leagues())


def _usage(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
    begin = int(sandbox.now()) // 300 * 300
    for place, (entity, count) in enumerate(sorted(sandbox.calls.by_entity.items())):
        yield {
            "id": 98_000_000 + place,
            "endpoint": f"api.football.{entity.lower()}",
            "count": count,
            "entity": entity.lower(),
            "remaining_requests": sandbox.limits.remaining(entity),
            "period_start": begin,
            "period_end": begin + 300,
        }


def _transfers(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
    first, last = day_of(parts[0]), day_of(parts[1])
    if last < first or last - first > TRANSFER_DAYS * DAY:
        raise invalid(
            "date", f"The period may span at most {TRANSFER_DAYS} days and must not end before it begins.", 5006
        )
    return season_lists.transfers_between(sandbox, first, last + DAY - 1)


def _odds(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
    view = sandbox.view(number_in(parts[0]))
    return [] if view is None else extra_lists.odds(view)


def _team(sandbox: Sandbox, team_id: int) -> Row | None:
    team = sandbox.world.team(team_id)
    return team_row(sandbox.world, team, sandbox.now()) if team is not None and sandbox.in_plan(team.league) else None


def _all(function: Callable[[Sandbox, int], list[Row]]) -> Callable[[Sandbox, tuple[str, ...], Query], Iterable[Row]]:
    return lambda sandbox, parts, query: (row for season in sandbox.seasons() for row in function(sandbox, season.id))


def _of_season(
    function: Callable[[Sandbox, int], Iterable[Row]],
) -> Callable[[Sandbox, tuple[str, ...], Query], Iterable[Row]]:
    def rows(sandbox: Sandbox, parts: tuple[str, ...], query: Query) -> Iterable[Row]:
        season = sandbox.world.season_by_id.get(number_in(parts[0]))
        if season is not None and not sandbox.in_plan(season.league):
            refuse_outside_plan(sandbox)
        return function(sandbox, number_in(parts[0]))

    return rows


_COUNTRIES = [row for row in map(country_row, sorted(country[0] for country in COUNTRIES)) if row]
_ALL_TYPES = sorted(TYPES.values(), key=lambda row: int(row["id"]))
_TABLE: tuple[tuple[str, str, Any, tuple[str, ...]], ...] = (
    ("football/fixtures", "fixture", fixtures_list, FIXTURE_FILTERS),
    (f"football/fixtures/multi/{_D}", "fixture", fixtures_multi, ()),
    (f"football/fixtures/between/{_D}/{_D}", "fixture", fixtures_between, FIXTURE_FILTERS),
    (f"football/fixtures/date/{_D}", "fixture", fixtures_date, FIXTURE_FILTERS),
    ("football/fixtures/latest", "fixture", fixtures_latest, ()),
    (r"football/fixtures/(\d+)", "fixture", fixture_one, ()),
    ("football/livescores", "fixture", livescores, ("fixtureLeagues", "fixtureSeasons")),
    ("football/livescores/(inplay)", "fixture", livescores, ("fixtureLeagues", "fixtureSeasons")),
    ("football/livescores/latest", "fixture", fixtures_latest, ()),
    ("football/leagues", "league", _rows("league", _leagues), ()),
    (r"football/leagues/(\d+)", "league", _one("league", resources.league_by_id), ()),
    ("football/seasons", "season", _rows("season", _seasons), ("seasonLeagues",)),
    (r"football/seasons/(\d+)", "season", _one("season", resources.season_by_id), ()),
    (r"football/schedules/seasons/(\d+)", "stage",
     _rows("stage", _of_season(season_lists.schedule_of), paged=False), ()),
    ("football/stages", "stage", _rows("stage", _all(resources.stages_of)), ()),
    (r"football/stages/seasons/(\d+)", "stage", _rows("stage", _of_season(resources.stages_of), paged=False), ()),
    (r"football/stages/(\d+)", "stage", _one("stage", resources.stage_by_id), ()),
    ("football/rounds", "round", _rows("round", _all(resources.rounds_of)), ()),
    (r"football/rounds/seasons/(\d+)", "round", _rows("round", _of_season(resources.rounds_of), paged=False), ()),
    (r"football/rounds/(\d+)", "round", _one("round", resources.round_by_id), ()),
    (r"football/teams/seasons/(\d+)", "team", _rows("team", _of_season(resources.teams_of), paged=False), ()),
    (r"football/teams/(\d+)", "team", _one("team", _team), ()),
    (r"football/venues/seasons/(\d+)", "venue", _rows("venue", _of_season(resources.venues_of), paged=False), ()),
    (r"football/venues/(\d+)", "venue", _one("venue", lambda s, i: venue_row(s.world, i)), ()),
    ("football/players", "player", _rows("player", lambda s, p, q: extra_lists.players(s)), ()),
    (r"football/players/(\d+)", "player", _one("player", lambda s, i: player_row(s.world, i)), ()),
    (r"football/squads/seasons/(\d+)/teams/(\d+)", "squad",
     _rows("squad", lambda s, p, q: resources.squad_of(s, number_in(p[0]), number_in(p[1])), paged=False), ()),
    ("football/coaches", "coach", _rows("coach", lambda s, p, q: extra_lists.coaches(s)), ()),
    ("football/referees", "referee", _rows("referee", lambda s, p, q: extra_lists.referees(s)), ()),
    ("football/tv-stations", "tvstation", _rows("tvstation", lambda s, p, q: extra_lists.tv_stations()), ()),
    (r"football/odds/pre-match/fixtures/(\d+)", "odd", _rows("odd", _odds), ()),
    ("football/news/pre-match/upcoming", "news", _rows("news", lambda s, p, q: extra_lists.news_upcoming(s)), ()),
    (r"football/news/post-match/seasons/(\d+)", "news", _rows("news", _of_season(extra_lists.news_of_season)), ()),
    (r"football/standings/rounds/(\d+)", "standing",
     _rows("standing", lambda s, p, q: season_lists.standings_of_round(s, number_in(p[0])), paged=False), ()),
    (r"football/standings/seasons/(\d+)", "standing",
     _rows("standing", _of_season(season_lists.standings_of), paged=False), ()),
    (r"football/topscorers/seasons/(\d+)", "topscorer", _rows("topscorer", _of_season(season_lists.topscorers_of)), ()),
    (f"football/transfers/between/{_D}/{_D}", "transfer", _rows("transfer", _transfers), ()),
    ("football/states", "state", _rows("state", lambda s, p, q: STATES.values()), ()),
    (r"football/states/(\d+)", "state", _one("state", lambda s, i: STATES.get(i)), ()),
    ("core/types", "type", _rows("type", lambda s, p, q: _ALL_TYPES), ()),
    (r"core/types/(\d+)", "type", _one("type", lambda s, i: TYPES.get(i)), ()),
    ("core/countries", "country", _rows("country", lambda s, p, q: _COUNTRIES), ()),
    (r"core/countries/(\d+)", "country", _one("country", lambda s, i: country_row(i)), ()),
    ("my/leagues", "league", _rows("league", _my_leagues, paged=False), ()),
    ("my/usage", "usage", _rows("usage", _usage), ()),
)  # fmt: skip


def _bucket(path: str) -> str:
    area, _, rest = path.partition("/")
    name = rest.split("/")[0].split("(")[0].rstrip("/")
    return {"leagues": "League", "usage": "Resource"}[name] if area == "my" else BUCKETS[name]


ENDPOINTS = [
    Endpoint(re.compile(path), entity, _bucket(path), respond, frozenset(filters))
    for path, entity, respond, filters in _TABLE
]


def find_endpoint(path: str) -> tuple[Endpoint, tuple[str, ...]]:
    """The endpoint of a path below /v3 and the variable parts of it; ApiError 404 when there is none."""
    for endpoint in ENDPOINTS:
        match = endpoint.pattern.fullmatch(path.strip("/"))
        if match is not None:
            return endpoint, match.groups()
    raise ApiError(404, "The requested endpoint does not exist")
