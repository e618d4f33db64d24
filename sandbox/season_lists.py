"""Lists computed from the results and squads of a season: standings, top scorers, transfers, schedule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sandbox.clock import day
from sandbox.main_includes import participants, scores
from sandbox.match_report import GOAL, PENALTY, RED, SECOND_YELLOW, YELLOW
from sandbox.outcome import P_EXTRA, P_FIRST, P_SECOND, PLAYED, level
from sandbox.people import POSITIONS, SQUAD, mix, player_place, squad
from sandbox.resources import rounds_of, stages_of
from sandbox.world import DAY

if TYPE_CHECKING:
    from sandbox.state import Sandbox

Row = dict[str, Any]
SUMMER = 40 * DAY  # transfers happen in the forty days before a season


def standings_of_round(sandbox: Sandbox, round_id: int) -> list[Row]:
    """The standings as they were after a round."""
    season_id, number = divmod(round_id - 200_000, 256)
    rows = standings_of(sandbox, season_id, last_round=number)
    return [{**row, "id": round_id * 128 + row["id"] % 128, "round_id": round_id} for row in rows]


def standings_of(sandbox: Sandbox, season_id: int, last_round: int | None = None) -> list[Row]:
    """The standings from the results so far, of the regular stage. Order: points, goal difference, goals, id.
    ``last_round``: what was played in later rounds does not count."""
    season = sandbox.season(season_id)
    if season is None:
        return []
    table = {n: [0] * 6 for n in season.team_numbers}  # played won drawn lost for against
    latest: int | None = None
    for view in sandbox.season_views(season_id):
        if view.plan.round_no is None or view.winner is None or view.deleted:
            continue
        if last_round is not None and view.plan.round_no > last_round:
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
        rows.append(
            {
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
                "_record": row,
            }
        )
    return rows


def standing_details(sandbox: Sandbox, row: Row) -> list[Row]:
    played, won, drawn, lost, scored, against = row["_record"]
    values = (
        (129, played),
        (130, won),
        (131, drawn),
        (132, lost),
        (133, scored),
        (134, against),
        (179, scored - against),
        (187, row["points"]),
    )
    return [
        {
            "id": row["id"] * 16 + place,
            "standing_type": "standing",
            "standing_id": row["id"],
            "type_id": type_id,
            "value": value,
        }
        for place, (type_id, value) in enumerate(values)
    ]


def topscorers_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    """Goals (208), assists (209), yellow (84) and red cards (83): the first 25 of each, ranks shared on a tie."""
    season = sandbox.season(season_id)
    if season is None:
        return []
    totals: dict[int, dict[int, int]] = {208: {}, 209: {}, 84: {}, 83: {}}
    for view in sandbox.season_views(season_id):
        if view.true_state not in PLAYED or view.deleted:
            continue
        for event in view.events:
            kind = {GOAL: 208, PENALTY: 208, YELLOW: 84, RED: 83, SECOND_YELLOW: 83}.get(event.kind)
            for who, type_id in ((event.entry, kind), (event.related if event.kind == GOAL else None, 209)):
                if who is not None and type_id is not None:
                    totals[type_id][who.player.id] = totals[type_id].get(who.player.id, 0) + 1
    rows: list[Row] = []
    for type_id, counts in totals.items():
        best = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:25]
        for number, (player_id, total) in enumerate(best):
            place = player_place(player_id)
            team_id = place[0] if place else None
            rank = 1 + sum(1 for _, other in best if other > total)
            rows.append(
                {
                    "id": (season.id * 512 + type_id) * 64 + number,
                    "season_id": season_id,
                    "player_id": player_id,
                    "type_id": type_id,
                    "team_id": team_id,
                    "participant_id": team_id,
                    "position": rank,
                    "total": total,
                    "points": None,
                }
            )
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
                day_of_transfer = season.start - SUMMER + pick % SUMMER
                if not first <= day_of_transfer <= min(last, now):
                    continue
                seller = season.league.team((number + 1 + pick % (season.league.pool - 1)) % season.league.pool)
                kind = (218, 219, 219, 220)[(pick >> 10) % 4]
                found.append(
                    {
                        "id": 200_000 + player.id,
                        "sport_id": 1,
                        "player_id": player.id,
                        "type_id": kind,
                        "from_team_id": seller.id,
                        "to_team_id": team.id,
                        "position_id": POSITIONS[slot],
                        "detailed_position_id": POSITIONS[slot],
                        "date": day(day_of_transfer),
                        "career_ended": False,
                        "completed": True,
                        "amount": (pick >> 16) % 60_000_000 if kind == 219 else None,
                    }
                )
    return iter(sorted(found, key=lambda row: (row["date"], row["id"])))


def schedule_of(sandbox: Sandbox, season_id: int) -> list[Row]:
    """Stages > rounds > fixtures (with participants and scores); knock-out fixtures belong to the stage."""
    stages = stages_of(sandbox, season_id)
    fixtures = []
    for view in sandbox.season_views(season_id):
        if not view.deleted:
            row = view.base()
            row["participants"], row["scores"] = participants(view), scores(view)
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
