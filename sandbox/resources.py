"""Rows of leagues, seasons, stages, rounds, clubs, venues and squads at the time of the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.clock import day, stamp
from sandbox.main_includes import team_row
from sandbox.people import CDN, squad, venue_row
from sandbox.world import DAY, League, Season

if TYPE_CHECKING:
    from sandbox.state import Sandbox

Row = dict[str, Any]
SPORT = {"id": 1, "name": "Football"}


def league_row(sandbox: Sandbox, league: League) -> Row:
    last = max((sandbox.world.last_played(team, sandbox.now()) or 0 for team in league.teams[:4]), default=0)
    return {
        "id": league.id,
        "sport_id": 1,
        "country_id": league.country_id,
        "name": league.name,
        "active": True,
        "short_code": league.short_code,
        "image_path": f"{CDN}/leagues/{league.id % 32}/{league.id}.png",
        "type": "league",
        "sub_type": "domestic_cup" if league.kind == "cup" else "domestic",
        "last_played_at": stamp(last) if last else None,
        "category": 1 + league.index % 4,
        "has_jerseys": False,
    }


def season_row(sandbox: Sandbox, season: Season) -> Row:
    now = sandbox.now()
    current = sandbox.world.current_season(season.league, now) is season
    return {
        "id": season.id,
        "sport_id": 1,
        "league_id": season.league.id,
        "tie_breaker_rule_id": 169 + season.league.index % 3,
        "name": season.name,
        "finished": season.end + 60 * DAY < now,
        "pending": season.start > now,
        "is_current": current,
        "starting_at": day(season.start),
        "ending_at": day(season.end),
        "standings_recalculated_at": stamp(min(now, season.end) // 3_600 * 3_600) if season.start < now else None,
        "games_in_current_week": False,
    }


def league_by_id(sandbox: Sandbox, league_id: int) -> Row | None:
    league = sandbox.league(league_id)
    return None if league is None else league_row(sandbox, league)


def season_by_id(sandbox: Sandbox, season_id: int) -> Row | None:
    season = sandbox.season(season_id)
    return None if season is None else season_row(sandbox, season)


def seasons_of(sandbox: Sandbox, league_id: int) -> list[Row]:
    return [season_row(sandbox, season) for season in sandbox.seasons() if season.league.id == league_id]


def current_season(sandbox: Sandbox, league_id: int) -> Row | None:
    league = sandbox.league(league_id)
    season = sandbox.world.current_season(league, sandbox.now()) if league else None
    return None if season is None else season_row(sandbox, season)


def stage_row(sandbox: Sandbox, season: Season, final: bool) -> Row:
    now = sandbox.now()
    begin = season.end - 10 * DAY if final else season.start
    end = season.end if final or not season.finals else season.end - 12 * DAY
    cup = season.league.kind == "cup"
    return {
        "id": season.stage_id + (1 if final else 0),
        "sport_id": 1,
        "league_id": season.league.id,
        "season_id": season.id,
        "type_id": 225 if final else 224 if cup else 223,
        "name": "Play-offs - Finals" if final else "Knock-out" if cup else "Regular Season",
        "sort_order": 2 if final else 1,
        "finished": end + 60 * DAY < now,
        "is_current": begin <= now <= end,
        "starting_at": day(begin),
        "ending_at": day(end),
        "games_in_current_week": False,
        "tie_breaker_rule_id": 1_526,
    }


def stages_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    season = sandbox.season(season_id)
    return (
        []
        if season is None
        else [stage_row(sandbox, season, final) for final in ([False, True] if season.finals else [False])]
    )


def stage_by_id(sandbox: Sandbox, stage_id: int) -> Row | None:
    return next((row for row in stages_of(sandbox, (stage_id - 77_000_000) // 4) if row["id"] == stage_id), None)


def round_row(sandbox: Sandbox, season: Season, number: int) -> Row:
    now, begin = sandbox.now(), season.round_start(number)
    end = begin + (3 * DAY if season.rounds * 7 <= (season.end - season.start) // DAY else DAY)
    return {
        "id": season.round_id(number),
        "sport_id": 1,
        "league_id": season.league.id,
        "season_id": season.id,
        "stage_id": season.stage_id,
        "name": str(number + 1),
        "finished": end + DAY < now,
        "is_current": begin <= now < end + DAY,
        "starting_at": day(begin),
        "ending_at": day(end),
        "games_in_current_week": abs(begin - now) < 7 * DAY,
    }


def rounds_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    season = sandbox.season(season_id)
    return [] if season is None else [round_row(sandbox, season, number) for number in range(season.rounds)]


def round_by_id(sandbox: Sandbox, round_id: int) -> Row | None:
    season_id, number = divmod(round_id - 200_000, 256)
    season = sandbox.season(season_id)
    return round_row(sandbox, season, number) if season is not None and number < season.rounds else None


def teams_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    season = sandbox.season(season_id)
    if season is None:
        return []
    return [team_row(sandbox.world, season.league.team(number), sandbox.now()) for number in season.team_numbers]


def venues_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    season = sandbox.season(season_id)
    numbers = season.team_numbers if season else []
    rows = [venue_row(sandbox.world, season.league.team(n).venue_id) for n in numbers] if season else []
    return [row for row in rows if row is not None]


def squad_of(sandbox: Sandbox, season_id: int, team_id: int) -> list[Row]:
    season, team = sandbox.season(season_id), sandbox.world.team(team_id)
    if season is None or team is None or team.league is not season.league or team.number not in season.team_numbers:
        return []
    return [
        {
            "id": player.id * 64 + season.year - 1990,
            "player_id": player.id,
            "team_id": team.id,
            "season_id": season.id,
            "position_id": player.position_id,
            "detailed_position_id": player.position_id,
            "jersey_number": player.slot + 1,
            "start": f"{season.year}-07-01",
            "end": f"{season.year + 1}-06-30",
            "has_values": True,
        }
        for player in squad(team, season)
    ]
