"""Rows of leagues, seasons, stages, rounds, clubs, squads, tables, scorers and transfers at the clock's present."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from local.sandbox.clock import day, stamp
from local.sandbox.outcome import FINAL, P_EXTRA, P_FIRST, P_SECOND, PLAYED, level
from local.sandbox.people import CDN, POSITIONS, SQUAD, mix, player_place, squad, venue_row
from local.sandbox.story import GOAL, PENALTY, RED, SECOND_YELLOW, YELLOW
from local.sandbox.view import team_row
from local.sandbox.world import DAY, League, Season

if TYPE_CHECKING:
    from local.sandbox.state import Sandbox

Row = dict[str, Any]
SPORT = {"id": 1, "name": "Football"}
SUMMER = 40 * DAY  # transfers happen in the forty days before a season


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
        {"id": player.id * 64 + season.year - 1990, "player_id": player.id, "team_id": team.id, "season_id": season.id,
         "position_id": player.position_id, "detailed_position_id": player.position_id, "jersey_number": player.slot + 1,
         "start": f"{season.year}-07-01", "end": f"{season.year + 1}-06-30", "has_values": True}
        for player in squad(team, season)
    ]  # fmt: skip


def standings_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    """The table from the results there are; regular stage only. Ties: points, goal difference, goals, id."""
    season = sandbox.season(season_id)
    if season is None:
        return []
    table = {n: [0] * 6 for n in season.team_numbers}  # played won drawn lost for against
    latest: int | None = None
    for view in sandbox.season_views(season_id):
        if view.plan.round_no is None or view.winner is None or view.deleted:
            continue
        home, away = level(view.goals, P_FIRST, P_SECOND, P_EXTRA)
        latest = max(latest if latest is not None else 0, view.plan.round_no)
        for side, (number, scored, against) in enumerate(((view.plan.home, home, away), (view.plan.away, away, home))):
            row = table[number]
            row[0] += 1
            row[1 if view.winner == side else 2 if view.winner < 0 else 3] += 1
            row[4] += scored
            row[5] += against
    order = sorted(table.items(), key=lambda i: (-(3 * i[1][1] + i[1][2]), i[1][5] - i[1][4], -i[1][4], i[0]))
    rows = []
    for position, (number, row) in enumerate(order, start=1):
        rows.append({
            "id": season.id * 128 + number,
            "participant_id": season.league.team(number).id,
            "sport_id": 1,
            "league_id": season.league.id,
            "season_id": season.id,
            "stage_id": season.stage_id,
            "group_id": None,
            "round_id": None if latest is None else season.round_id(latest),
            "standing_rule_id": 12_000 + position,
            "position": position,
            "result": ("equal", "up", "down")[mix(season.id, number, row[0]) % 3],
            "points": 3 * row[1] + row[2],
            "_figures": row,
        })  # fmt: skip
    return rows


def standing_details(sandbox: Sandbox, row: Row) -> list[Row]:
    played, won, drawn, lost, scored, against = row["_figures"]
    values = ((129, played), (130, won), (131, drawn), (132, lost), (133, scored), (134, against),
              (179, scored - against), (187, row["points"]))  # fmt: skip
    return [{"id": row["id"] * 16 + place, "standing_type": "standing", "standing_id": row["id"], "type_id": type_id, "value": value}
            for place, (type_id, value) in enumerate(values)]  # fmt: skip


def topscorers_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    """Goals (208), assists (209), yellow (84) and red cards (83): the first 25 of each, ranks shared on a tie."""
    season = sandbox.season(season_id)
    if season is None:
        return []
    totals: dict[int, dict[int, int]] = {208: {}, 209: {}, 84: {}, 83: {}}
    for view in sandbox.season_views(season_id):
        if view.true_state not in FINAL or view.deleted or view.true_state not in PLAYED:
            continue
        for event in view.events:
            kind = {GOAL: 208, PENALTY: 208, YELLOW: 84, RED: 83, SECOND_YELLOW: 83}.get(event.kind)
            for who, type_id in ((event.entry, kind), (event.related if event.kind == GOAL else None, 209)):
                if who is not None and type_id is not None:
                    totals[type_id][who.player.id] = totals[type_id].get(who.player.id, 0) + 1
    rows: list[Row] = []
    for type_id, counts in totals.items():
        best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:25]
        for player_id, total in best:
            place = player_place(player_id)
            team_id = place[0] if place else None
            rank = 1 + sum(1 for _, other in best if other > total)
            rows.append({"id": (season.id * 512 + type_id) * 64 + len(rows) % 25, "season_id": season_id, "player_id": player_id,
                         "type_id": type_id, "team_id": team_id, "participant_id": team_id, "position": rank, "total": total,
                         "points": None})  # fmt: skip
    return rows


def transfers_between(sandbox: Sandbox, first: float, last: float) -> Iterator[Row]:
    """Players who took over a place in a squad for a new season, by day; they come from another club of the league."""
    found: list[Row] = []
    now = sandbox.now()
    for season in sandbox.world.season_by_id.values():
        if not (season.start - SUMMER <= last and season.start >= first) or not sandbox.in_plan(season.league):
            continue
        for number in season.team_numbers:
            team = season.league.team(number)
            for slot in range(SQUAD):
                if (season.year - 1990 + slot) % 3:
                    continue
                player = squad(team, season)[slot]
                pick = mix(player.id, 71)
                moment = season.start - SUMMER + pick % SUMMER
                if not first <= moment <= min(last, now):
                    continue
                seller = season.league.team((number + 1 + pick % (season.league.pool - 1)) % season.league.pool)
                kind = (218, 219, 219, 220)[(pick >> 10) % 4]
                found.append({
                    "id": 200_000 + player.id, "sport_id": 1, "player_id": player.id, "type_id": kind,
                    "from_team_id": seller.id, "to_team_id": team.id, "position_id": POSITIONS[slot],
                    "detailed_position_id": POSITIONS[slot], "date": day(moment), "career_ended": False, "completed": True,
                    "amount": (pick >> 16) % 60_000_000 if kind == 219 else None,
                })  # fmt: skip
    return iter(sorted(found, key=lambda row: (row["date"], row["id"])))


def schedule_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    """Stages > rounds > fixtures (with participants and scores); knock-out fixtures hang on the stage."""
    stages = stages_of(sandbox, season_id)
    fixtures = []
    for view in sandbox.season_views(season_id):
        if not view.deleted:
            row = view.base()
            row["participants"], row["scores"] = view.participants(), view.scores()
            fixtures.append(row)
    rounds = rounds_of(sandbox, season_id)
    by_round: dict[int | None, list[Row]] = {}
    for row in fixtures:
        by_round.setdefault(row["round_id"], []).append(row)
    for item in rounds:
        item["fixtures"] = by_round.get(item["id"], [])
    for stage in stages:
        stage["rounds"] = [item for item in rounds if item["stage_id"] == stage["id"]]
        stage["aggregates"] = []
        stage["fixtures"] = [row for row in by_round.get(None, []) if row["stage_id"] == stage["id"]]
    return stages
