"""Statistics of both teams and of every player: random within plausible ranges, and consistent with the events.

They are drawn from seeds of their own with a fixed number of draws, so that a corrected goal changes only the
statistics that count goals. Zero values are left out, as the provider does.
"""

from __future__ import annotations

from random import Random
from typing import Any

from sandbox.match_report import (
    GOAL,
    MISSED_PENALTY,
    OWN_GOAL,
    PENALTY,
    RED,
    SECOND_YELLOW,
    SUBSTITUTION,
    YELLOW,
    Entry,
    Event,
    MatchReport,
)
from sandbox.outcome import Outcome
from sandbox.people import ATTACKER, DEFENDER, GOALKEEPER, MIDFIELDER, mix

# Statistics of a team that do not follow from events: type id, lowest and highest value over ninety minutes.
SIDE_RANGES: tuple[tuple[int, int, int], ...] = (
    (34, 1, 12), (41, 2, 11), (43, 60, 150), (44, 25, 95), (46, 70, 110), (49, 3, 13), (50, 1, 9), (51, 0, 5),
    (53, 3, 14), (55, 6, 20), (56, 6, 19), (58, 0, 7), (60, 10, 30), (62, 20, 70), (64, 0, 2), (65, 5, 24), (70, 8, 40),
    (78, 8, 24), (80, 250, 720), (87, 0, 4), (98, 6, 30), (99, 1, 9), (100, 3, 14), (101, 8, 34), (106, 30, 65),
    (108, 6, 24), (109, 2, 14), (117, 3, 17), (580, 0, 5), (27264, 10, 40), (27265, 2, 25), (1605, 30, 75),
)  # fmt: skip
SHOTS_ON, SHOTS_TOTAL, POSSESSION, GOALS, SAVES, PASSES_GOOD, PASSES_PERCENT = 86, 42, 45, 52, 57, 81, 82

# Statistics of a player: type id, mean over ninety minutes for goalkeeper, defender, midfielder, attacker.
PLAYER_MEANS: tuple[tuple[int, float, float, float, float], ...] = (
    (120, 34, 62, 58, 38), (80, 28, 48, 46, 24), (122, 12, 4, 3, 1), (101, 1.2, 4, 1.2, 0.6), (78, 0.1, 1.8, 1.8, 0.7),
    (100, 0.2, 1.3, 1, 0.3), (56, 0.1, 1.1, 1.3, 1.2), (96, 0.3, 0.9, 1.3, 1.4), (105, 0.8, 7, 9, 10),
    (107, 0.4, 1.6, 1, 1.5),
    (108, 0, 0.6, 1.7, 2.4), (117, 0.1, 0.4, 1.2, 1.1), (98, 0, 1, 1.4, 1.3), (42, 0, 0.6, 1.2, 2.2),
    (97, 0, 0.7, 0.4, 0.2),
    (110, 0, 0.7, 0.9, 0.3), (94, 0, 0.2, 0.9, 1.2), (27269, 3, 5, 8, 5), (27273, 9, 11, 12, 11), (27271, 6, 5, 5, 3),
    (27272, 0.2, 1.2, 2, 2.4), (27274, 0, 0.5, 1, 1.4), (27266, 0.5, 1.6, 1.7, 1.8), (27267, 0.4, 1.2, 1.2, 1.2),
    (27268, 40, 50, 45, 35), (27270, 45, 40, 40, 25), (9706, 0, 0.8, 0.7, 0.6), (581, 0, 0.1, 0.3, 0.7),
)  # fmt: skip
COLUMN = {GOALKEEPER: 1, DEFENDER: 2, MIDFIELDER: 3, ATTACKER: 4}
RATING, MINUTES, CAPTAIN = 118, 119, 40


def _sides(events: list[Event], kinds: tuple[int, ...]) -> list[int]:
    return [sum(1 for e in events if e.kind in kinds and e.side == side) for side in (0, 1)]


def team_statistics(found: Outcome, events: list[Event], share: float) -> list[tuple[int, int, int]]:
    """(type id, side, value) in a stable order; `share` is how much of the match has been played."""
    rng = Random(mix(found.fixture_id, 41))
    scored = _sides(events, (GOAL, PENALTY, OWN_GOAL))
    own = _sides(events, (OWN_GOAL,))
    values: list[tuple[int, int, int]] = []
    table: dict[int, list[int]] = {}
    for type_id, low, high in SIDE_RANGES:
        table[type_id] = [int((low + rng.random() * (high - low + 1)) * share) for _ in (0, 1)]
    extra_on = [int(rng.random() * 5 * share) for _ in (0, 1)]
    ball = 32 + int(rng.random() * 37)
    accuracy = [68 + int(rng.random() * 24) for _ in (0, 1)]
    on_target = [scored[side] - own[side] + extra_on[side] for side in (0, 1)]
    table[SHOTS_ON] = on_target
    table[SHOTS_TOTAL] = [on_target[side] + table[41][side] + table[58][side] for side in (0, 1)]
    table[54] = table[SHOTS_TOTAL]
    table[POSSESSION] = [ball, 100 - ball]
    table[GOALS] = scored
    table[SAVES] = [extra_on[1], extra_on[0]]
    table[PASSES_GOOD] = [table[80][side] * accuracy[side] // 100 for side in (0, 1)]
    table[PASSES_PERCENT] = accuracy
    table[84] = _sides(events, (YELLOW,))
    table[83] = _sides(events, (RED, SECOND_YELLOW))
    table[59] = _sides(events, (SUBSTITUTION,))
    table[79] = [sum(1 for e in events if e.kind == GOAL and e.side == side and e.related) for side in (0, 1)]
    table[47] = _sides(events, (PENALTY, MISSED_PENALTY))
    change = found.change
    for type_id in sorted(table):
        for side in (0, 1):
            value = table[type_id][side] + (change.statistics.get((type_id, side), 0) if change else 0)
            if value:
                values.append((type_id, side, value))
    return values


def _counts_by_player(events: list[Event]) -> dict[int, dict[int, int]]:
    """Statistics that follow from the events, per player id."""
    stats: dict[int, dict[int, int]] = {}

    def add(entry: Entry | None, type_id: int) -> None:
        if entry is not None:
            row = stats.setdefault(entry.player.id, {})
            row[type_id] = row.get(type_id, 0) + 1

    for event in events:
        if event.kind in (GOAL, PENALTY):
            add(event.entry, GOALS)
            add(event.entry, SHOTS_ON)
            add(event.related, 79)
        elif event.kind == OWN_GOAL:
            add(event.entry, 324)
        elif event.kind == YELLOW:
            add(event.entry, 84)
        elif event.kind == RED:
            add(event.entry, 83)
        elif event.kind == SECOND_YELLOW:
            add(event.entry, 85)
    return stats


def player_statistics(
    report: MatchReport, events: list[Event], until: int, conceded: tuple[int, int]
) -> list[list[tuple[int, Any]]]:
    """For each line-up entry, in order, its (type id, value); empty for those who did not come on.

    `until` is the minute the match has reached, `conceded` the goals against home and away.
    """
    rng = Random(mix(report.found.fixture_id, 42))
    draw = rng.random
    stats = _counts_by_player(events)
    change = report.found.change
    result: list[list[tuple[int, Any]]] = []
    columns = {position: [(row[0], row[column]) for row in PLAYER_MEANS] for position, column in COLUMN.items()}
    nothing: dict[int, int] = {}
    for place, entry in enumerate(report.lineups):
        draws = [draw() for _ in range(len(PLAYER_MEANS) + 4)]
        minutes = report.minutes_played(entry, until)
        if minutes == 0:
            result.append([])
            continue
        weight = minutes / 90
        values: dict[int, Any] = {}
        for (type_id, mean), chance in zip(columns[entry.player.position_id], draws, strict=False):
            value = int(mean * weight * (0.35 + 1.3 * chance) + chance * 0.7)
            if value:
                values[type_id] = value
        own = stats.get(entry.player.id, nothing)
        for type_id, value in own.items():
            values[type_id] = value
        passes = values.get(80, 0)
        if passes:
            percent = 62 + int(draws[-1] * 36)
            good = passes * percent // 100
            values[116], values[1584] = good, good * 100 // passes
        if values.get(120, 0) < passes:
            values[120] = passes + 3
        shots = values.get(42, 0) + own.get(SHOTS_ON, 0)
        if shots:
            values[42] = shots
        if values.get(105):
            won = int(values[105] * draws[-2])
            values[106], values[1491] = won, values[105] - won
        if values.get(108):
            values[109] = int(values[108] * draws[-3])
        if values.get(98):
            values[99] = int(values[98] * draws[-3] * 0.6)
        if values.get(122):
            values[123] = int(values[122] * draws[-4])
        values[88] = conceded[entry.side]
        if entry.player.position_id == GOALKEEPER:
            values[SAVES] = int(draws[-4] * 6 * weight)
            values[1535] = conceded[entry.side]
        rating = 5.9 + 1.5 * draws[-2] + 0.7 * own.get(GOALS, 0) + 0.4 * own.get(79, 0) - 1.2 * own.get(83, 0)
        values[RATING] = round(min(10.0, rating), 2)
        values[MINUTES] = minutes
        values[117172] = minutes + 6 if minutes >= 90 else minutes + 3
        if entry.captain:
            values[CAPTAIN] = True
        if change is not None:
            for (slot, type_id), delta in change.details.items():
                if slot == place:
                    values[type_id] = values.get(type_id, 0) + delta
        result.append([(type_id, value) for type_id, value in values.items() if value])
    return result
