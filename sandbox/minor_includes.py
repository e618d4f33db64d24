"""The rows of the minor includes: state, formations, officials, weather, timeline, comments, expected goals."""

from __future__ import annotations

from random import Random
from typing import Any

from sandbox.fixture_view import FixtureView
from sandbox.main_includes import SIDES, period_id
from sandbox.match_report import SCORING, SUBSTITUTION, YELLOW, ordinal
from sandbox.outcome import P_PENS
from sandbox.people import coach_id, mix, person_row, referee_ids, squad
from sandbox.reference import STATES
from sandbox.world import FIRST_FIXTURE_ID

Row = dict[str, Any]
_MARKS = ((126, "Corner"), (569, "Shot On Target"), (570, "Shot Off Target"), (1514, "Offside"))


def state(state_id: int) -> Row:
    full = STATES[state_id]
    return {key: full[key] for key in ("id", "state", "name", "short_name", "developer_name")}


def formations(view: FixtureView) -> list[Row]:
    if not view.periods:
        return []
    base = 3_000_000 + (view.id - FIRST_FIXTURE_ID) * 2
    return [
        {
            "id": base + side,
            "fixture_id": view.id,
            "participant_id": view.teams[side].id,
            "formation": view.report.formations[side],
            "location": SIDES[side],
        }
        for side in (0, 1)
    ]


def referees(view: FixtureView) -> list[Row]:
    base = 700_000 + (view.id - FIRST_FIXTURE_ID) * 4
    return [
        {"id": base + place, "fixture_id": view.id, "referee_id": referee, "type_id": role}
        for place, (referee, role) in enumerate(referee_ids(view.id, view.season.league.index))
    ]


def coaches(view: FixtureView) -> list[Row]:
    rows = []
    for team in view.teams:
        row = person_row(coach_id(team, view.season), "coaches")
        row["meta"] = {"fixture_id": view.id, "coach_id": row["id"], "participant_id": team.id}
        rows.append(row)
    return rows


def sidelined(view: FixtureView) -> list[Row]:
    rows = []
    for side, team in enumerate(view.teams):
        pick = mix(view.id, 61 + side)
        if pick % 3 == 0:
            player = squad(team, view.season)[25]
            rows.append(
                {
                    "id": (view.id - FIRST_FIXTURE_ID) * 2 + side,
                    "fixture_id": view.id,
                    "sideline_id": pick % 900_000,
                    "participant_id": team.id,
                    "player_id": player.id,
                    "type_id": 535 + pick % 2,
                }
            )
    return rows


def weather(view: FixtureView) -> Row | None:
    if not view.periods:
        return None
    pick = mix(view.id, 63)
    low = -2 + pick % 22
    return {
        "id": 200_000 + view.id - FIRST_FIXTURE_ID,
        "fixture_id": view.id,
        "venue_id": view.home.venue_id,
        "temperature": {"day": low + 5.5, "morning": low + 0.4, "evening": low + 3.1, "night": low},
        "feels_like": {"day": low + 4.2, "morning": low - 1.0, "evening": low + 2.0, "night": low - 1.5},
        "wind": {"speed": round((pick >> 8) % 120 / 10, 2), "direction": (pick >> 16) % 360},
        "humidity": f"{40 + (pick >> 20) % 60}%",
        "pressure": 990 + (pick >> 26) % 40,
        "clouds": f"{(pick >> 30) % 101}%",
        "description": ("clear sky", "few clouds", "light rain", "overcast clouds")[(pick >> 34) % 4],
        "icon": "https://cdn.sportmonks.com/images/weather/02d.png",
        "type": "actual",
        "metric": "celcius",
        "current": None,
    }


def metadata(view: FixtureView) -> list[Row]:
    if not view.periods:
        return []
    return [
        {
            "id": (view.id - FIRST_FIXTURE_ID) * 4,
            "metadatable_id": view.id,
            "type_id": 578,
            "value_type": "integer",
            "values": {"attendance": 4_000 + mix(view.id, 64) % 50_000},
        }
    ]


def expected_goals(view: FixtureView) -> list[Row]:
    if not view.periods:
        return []
    return [
        {
            "id": 1_000_000 + (view.id - FIRST_FIXTURE_ID) * 2 + side,
            "fixture_id": view.id,
            "type_id": 5304,
            "participant_id": view.teams[side].id,
            "data": {"value": round(0.3 + mix(view.id, 65 + side) % 240 / 100, 4)},
            "location": SIDES[side],
        }
        for side in (0, 1)
    ]


def timeline(view: FixtureView) -> list[Row]:
    """Corners, shots and offsides in order of time; only some name a player."""
    if not view.periods:
        return []
    rng = Random(mix(view.id, 66))
    minutes = sorted(1 + int(rng.random() * 93) for _ in range(30 + int(rng.random() * 20)))
    counts: dict[int, int] = {}
    rows = []
    for number, minute in enumerate(minutes):
        type_id, word = _MARKS[int(rng.random() * len(_MARKS))]
        side, named = int(rng.random() * 2), rng.random() < 0.05
        if min(minute, 90) > view.minute:
            break
        who = view.report.sheets[side][10].player if named else None
        counts[type_id] = counts.get(type_id, 0) + 1
        period = period_id(view, 1 if minute <= 45 else 2)
        rows.append(
            {
                "id": 1_500_000_000 + (view.id - FIRST_FIXTURE_ID) * 64 + number,
                "fixture_id": view.id,
                "period_id": period,
                "participant_id": view.teams[side].id,
                "type_id": type_id,
                "section": "timeline",
                "player_id": who.id if who else None,
                "related_player_id": None,
                "player_name": who.name if who else None,
                "related_player_name": None,
                "result": None,
                "info": None,
                "addition": f"{ordinal(counts[type_id])} {word}",
                "minute": min(minute, 90),
                "extra_minute": minute - 90 if minute > 90 else None,
                "injured": None,
                "on_bench": False,
                "coach_id": None,
                "sub_type_id": None,
                "detailed_period_id": period,
                "rescinded": None,
                "sort_order": counts[type_id],
            }
        )
    return rows


def comments(view: FixtureView) -> list[Row]:
    """A running commentary: the events in words, with ordinary play in between."""
    if not view.periods:
        return []
    rng = Random(mix(view.id, 67))
    lines: list[tuple[int, int | None, bool, bool, str]] = [(0, None, False, False, "The first half begins.")]
    for event in view.events:
        team = view.teams[event.side].name
        who = event.entry.player.name if event.entry else "The coach"
        if event.period == P_PENS:
            lines.append((120, None, False, True, f"{who} takes a kick for {team}: {event.addition}."))
        elif event.kind in SCORING:
            lines.append((event.minute, event.extra, True, True, f"Goal for {team}! {who} finds the net."))
        elif event.kind == SUBSTITUTION and event.related:
            lines.append(
                (event.minute, event.extra, False, False, f"{team}: {who} replaces {event.related.player.name}.")
            )
        elif event.kind == YELLOW:
            lines.append((event.minute, event.extra, False, True, f"{who} of {team} is shown a yellow card."))
    words = (
        "wins a free kick in defence.",
        "commits a foul.",
        "takes a corner.",
        "is caught offside.",
        "misses from distance.",
    )
    for _ in range(110):
        minute, side, slot, word = (
            1 + int(rng.random() * 90),
            int(rng.random() * 2),
            int(rng.random() * 11),
            rng.random(),
        )
        if minute <= view.minute:
            name = view.report.sheets[side][slot].player.name
            lines.append(
                (minute, None, False, False, f"{name} of {view.teams[side].name} {words[int(word * len(words))]}")
            )
    lines.sort(key=lambda line: line[0])
    base = 10_000_000 + (view.id - FIRST_FIXTURE_ID) * 256
    return [
        {
            "id": base + number,
            "fixture_id": view.id,
            "comment": text,
            "minute": minute or None,
            "extra_minute": extra,
            "is_goal": goal,
            "is_important": important,
            "order": number + 1,
        }
        for number, (minute, extra, goal, important, text) in enumerate(lines)
    ]
