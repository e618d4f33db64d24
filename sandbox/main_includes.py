"""The rows of the main includes: participants, scores, events, periods, statistics, line-ups and their details.

Ids follow from the fixture and the place of the row, so that a row keeps its id while others come and go.
"""

from __future__ import annotations

from random import Random
from typing import Any

from sandbox.clock import stamp
from sandbox.fixture_view import PERIOD_LENGTH, FixtureView
from sandbox.match_report import KICK_MISSED, KICK_SCORED, SCORING, event_row
from sandbox.match_statistics import PLAYER_MEANS, SIDE_RANGES, team_statistics
from sandbox.outcome import AWARDED, COUNTS_FROM, P_EXTRA, P_FIRST, P_PENS, P_SECOND, level
from sandbox.people import CDN, mix, short_code
from sandbox.world import FIRST_FIXTURE_ID, Team, World

LINEUP_BASE, DETAIL_BASE, STATISTIC_BASE, SCORE_BASE, PERIOD_BASE = (
    14_600_000_000,
    2_100_000_000,
    930_000_000,
    24_000_000,
    6_900_000,
)
_DETAIL_TYPES = [row[0] for row in PLAYER_MEANS] + [
    52,
    86,
    79,
    324,
    84,
    83,
    85,
    116,
    1584,
    106,
    1491,
    109,
    99,
    123,
    88,
    57,
    1535,
    118,
    119,
    117172,
    40,
]
DETAIL_PLACE = {type_id: place for place, type_id in enumerate(_DETAIL_TYPES)}
_SIDE_TYPES = sorted({row[0] for row in SIDE_RANGES} | {86, 42, 54, 45, 52, 57, 81, 82, 84, 83, 59, 79, 47})
STATISTIC_PLACE = {type_id: place for place, type_id in enumerate(_SIDE_TYPES)}
PERIOD_NAMES = {P_FIRST: "1st-half", P_SECOND: "2nd-half", P_EXTRA: "extra-time", P_PENS: "penalties"}
SIDES = ("home", "away")


def team_row(world: World, team: Team, now: float) -> dict[str, Any]:
    """A club; `last_played_at` moves whenever it plays, also in the participants of its old fixtures."""
    played = world.last_played(team, now)
    return {
        "id": team.id,
        "sport_id": 1,
        "country_id": team.league.country_id,
        "venue_id": team.venue_id,
        "gender": "male",
        "name": team.name,
        "short_code": None if team.id % 23 == 0 else short_code(team.name),
        "image_path": f"{CDN}/teams/{team.id % 32}/{team.id}.png",
        "founded": 1870 + mix(team.id, 17) % 130,
        "type": "domestic",
        "placeholder": False,
        "last_played_at": stamp(played) if played else None,
    }


def participants(view: FixtureView) -> list[dict[str, Any]]:
    rows = []
    for side, team in enumerate(view.teams):
        row = team_row(view.world, team, view.now)
        won = None if view.winner is None else view.winner == side
        position = 1 + mix(view.id, 18 + side) % view.season.team_count
        row["meta"] = {"location": SIDES[side], "winner": won, "position": position if view.periods else None}
        rows.append(row)
    return rows if view.id % 3 else rows[::-1]


def scores(view: FixtureView) -> list[dict[str, Any]]:
    """A row per team for every score that exists at this time, in no particular order."""
    if not view.periods and view.true_state != AWARDED:
        return []
    begun = {p.type_id for p in view.periods}
    found: list[tuple[int, str, tuple[int, int]]] = [(1525, "CURRENT", view.score)]
    goals = view.goals
    if P_FIRST in begun:
        found.append((1, "1ST_HALF", level(goals, P_FIRST)))
    if P_SECOND in begun:
        found.append((2, "2ND_HALF", level(goals, P_FIRST, P_SECOND)))
        found.append((48996, "2ND_HALF_ONLY", level(goals, P_SECOND)))
    if P_EXTRA in begun:
        found.append((3, "ET", level(goals, P_EXTRA)))
        first = [g for g in goals if g.minute <= 105]
        found.append((5314, "ET_1ST_HALF", level(first, P_EXTRA)))
        found.append((39, "ET_2ND_HALF", level([g for g in goals if g.minute > 105], P_EXTRA)))
    if view.shootout is not None:
        found.append((5, "PENALTY_SHOOTOUT", view.shootout))
    rows = []
    for place, (type_id, name, result) in enumerate(found):
        for side in (0, 1):
            rows.append(
                {
                    "id": SCORE_BASE + (view.id - FIRST_FIXTURE_ID) * 16 + place * 2 + side,
                    "fixture_id": view.id,
                    "type_id": type_id,
                    "participant_id": view.teams[side].id,
                    "score": {"goals": result[side], "participant": SIDES[side]},
                    "description": name,
                }
            )
    Random(mix(view.id, 51)).shuffle(rows)
    return rows


def event_rows(view: FixtureView) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    score, kicks = [0, 0], [0, 0]
    order: dict[int, int] = {}
    for event in view.events:
        result = None
        if event.kind in SCORING:
            score[event.side] += 1
            result = f"{score[0]}-{score[1]}"
        elif event.kind in (KICK_SCORED, KICK_MISSED):
            kicks[event.side] += event.kind == KICK_SCORED
            result = f"{kicks[0]}-{kicks[1]}"
        order[event.kind] = order.get(event.kind, 0) + 1
        rows.append(
            event_row(event, order[event.kind], view.id, period_id(view, event.period), view.teams[event.side], result)
        )
    return rows


def period_id(view: FixtureView, type_id: int) -> int:
    return PERIOD_BASE + (view.id - FIRST_FIXTURE_ID) * 8 + type_id


def period_rows(view: FixtureView) -> list[dict[str, Any]]:
    rows = []
    for number, period in enumerate(view.periods, start=1):
        done = view.over or period.ended <= view.now
        played = max(0, int((period.ended if done else view.now) - period.started))
        shootout = period.type_id == P_PENS
        rows.append(
            {
                "id": period_id(view, period.type_id),
                "fixture_id": view.id,
                "type_id": period.type_id,
                "started": int(period.started),
                "ended": int(period.ended) if done else None,
                "counts_from": COUNTS_FROM[period.type_id],
                "ticking": not done,
                "sort_order": 5 if shootout else number,
                "description": PERIOD_NAMES[period.type_id],
                "time_added": period.added if done else None,
                "period_length": PERIOD_LENGTH[period.type_id],
                "minutes": None if shootout else COUNTS_FROM[period.type_id] + played // 60,
                "seconds": 0 if shootout else played % 60,
                "has_timer": False,
            }
        )
    return rows


def statistics(view: FixtureView) -> list[dict[str, Any]]:
    if not view.periods:
        return []
    base = STATISTIC_BASE + (view.id - FIRST_FIXTURE_ID) * 128
    return [
        {
            "id": base + STATISTIC_PLACE[type_id] * 2 + side,
            "fixture_id": view.id,
            "type_id": type_id,
            "participant_id": view.teams[side].id,
            "data": {"value": value},
            "location": SIDES[side],
        }
        for type_id, side, value in team_statistics(view.found, view.events, view.minute / 90)
    ]


def lineups(view: FixtureView) -> list[dict[str, Any]]:
    if not view.periods:
        return []
    base = LINEUP_BASE + (view.id - FIRST_FIXTURE_ID) * 64
    return [
        {
            "id": base + place,
            "sport_id": 1,
            "fixture_id": view.id,
            "player_id": entry.player.id,
            "team_id": view.teams[entry.side].id,
            "position_id": entry.player.position_id,
            "formation_field": entry.field,
            "type_id": 11 if entry.starts else 12,
            "formation_position": entry.place,
            "player_name": entry.player.name,
            "jersey_number": entry.player.slot + 1,
        }
        for place, entry in enumerate(view.report.lineups)
    ]


def details(view: FixtureView, place: int) -> list[dict[str, Any]]:
    """The statistics of the line-up entry at `place`; each keeps its id while others come and go."""
    entry = view.report.lineups[place]
    lineup_id = LINEUP_BASE + (view.id - FIRST_FIXTURE_ID) * 64 + place
    base = DETAIL_BASE + (view.id - FIRST_FIXTURE_ID) * 4096 + place * 64
    fixture_id, player_id, team_id = view.id, entry.player.id, view.teams[entry.side].id
    return [
        {
            "id": base + DETAIL_PLACE[type_id],
            "fixture_id": fixture_id,
            "player_id": player_id,
            "team_id": team_id,
            "lineup_id": lineup_id,
            "type_id": type_id,
            "data": {"value": value},
        }
        for type_id, value in view.player_statistics[place]
    ]
