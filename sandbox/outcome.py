"""The outcome of a fixture: goals, extra time, shoot-out, whether it was played, and the times of its states.

An outcome takes about 20 µs and is enough for a base row, the standings or a score; line-ups and events are in
`match_report`. The goals are the only source of every score, so that nothing can contradict them. A correction edits
the goals; scores, results, events and statistics follow from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from sandbox.people import mix
from sandbox.world import DAY, Plan, Season

NS, FIRST_HALF, HT, BREAK, FT, ET, AET, FT_PEN, PENS = 1, 2, 3, 4, 5, 6, 7, 8, 9
POSTPONED, CANCELLED, TBA, ABANDONED, DELAYED, AWARDED, DELETED = 10, 12, 13, 15, 16, 17, 20
ET_BREAK, SECOND_HALF, ET_SECOND_HALF, PEN_BREAK = 21, 22, 23, 25
PLAYED = frozenset((FT, AET, FT_PEN))
IN_PLAY = frozenset((FIRST_HALF, HT, BREAK, ET, PENS, ET_BREAK, SECOND_HALF, ET_SECOND_HALF, PEN_BREAK))
FINAL = PLAYED | {CANCELLED, ABANDONED, AWARDED}
TBA_AHEAD = 60 * DAY
P_FIRST, P_SECOND, P_EXTRA, P_PENS = 1, 2, 3, 5
COUNTS_FROM = {P_FIRST: 0, P_SECOND: 45, P_EXTRA: 90, P_PENS: 120}


class Goal(NamedTuple):
    """`side` 0 home 1 away; `minute` as the API counts (45 with `extra` in added time); `seed` decides who and how."""

    slot: int
    period: int
    side: int
    minute: int
    extra: int | None
    seed: int


class Period(NamedTuple):
    type_id: int
    started: int
    ended: int
    added: int | None


@dataclass
class Change:
    """Corrections of a fixture by the admin API; each adds one to `revision`."""

    revision: int = 0
    changed_at: float = 0.0
    removed_goals: set[int] = field(default_factory=set)
    added_goals: list[Goal] = field(default_factory=list)
    details: dict[tuple[int, int], int] = field(default_factory=dict)
    statistics: dict[tuple[int, int], int] = field(default_factory=dict)
    extended_at: float | None = None
    moved_to: int | None = None
    deleted_at: float | None = None


@dataclass
class Outcome:
    """`timetable` is [(epoch, state id)] in order of time; the first state has no beginning (minus infinity)."""

    fixture_id: int
    fate: str
    kickoff: int
    timetable: list[tuple[float, int]]
    periods: list[Period]
    goals: list[Goal]
    shootout: list[tuple[int, bool]]
    change: Change | None

    def state_at(self, now: float) -> int:
        state = self.timetable[0][1]
        for begins, following in self.timetable[1:]:
            if begins > now:
                break
            state = following
        return state

    def kickoff_at(self, now: float, planned: int) -> int:
        """The kick-off as announced: the new date is known once a postponement is over."""
        if self.kickoff != planned and self.fate == "moved" and self.timetable[2][0] > now:
            return planned
        return self.kickoff

    def time_of(self, period: int, minute: int, extra: int | None) -> float:
        """Epoch seconds of a minute of play; kick n of the shoot-out counts as minute n."""
        for found in self.periods:
            if found.type_id == period:
                if period == P_PENS:
                    return found.started + 45 * minute
                time = found.started + 60 * (minute + (extra or 0) - COUNTS_FROM[period]) - 20
                # a period that was cut short (no added time is known) has no later events
                return time if found.added is None else min(found.ended - 1, time)
        return math.inf

    @property
    def ended(self) -> float:
        return self.timetable[-1][0]


def _count(rng: Random, mean: float) -> int:
    """A Poisson-distributed number with this mean."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count


def _goals(
    rng: Random, fixture_id: int, season: Season, plan: Plan, tight: bool, added: tuple[int, int, int]
) -> list[Goal]:
    edge = (mix(season.league.id, plan.home) % 100 - mix(season.league.id, plan.away) % 100) / 250
    scale = 0.55 if tight else 1.0
    goals: list[Goal] = []
    for period, share, stop, length in ((P_FIRST, 0.44, 45, 45), (P_SECOND, 0.56, 90, 45), (P_EXTRA, 0.22, 120, 30)):
        for side in (0, 1):
            mean = max(0.3, (1.52 + edge) if side == 0 else (1.18 - edge)) * share * scale
            for _ in range(_count(rng, mean)):
                minute, extra = COUNTS_FROM[period] + 1 + int(rng.random() * (length + 2)), None
                if minute > stop:
                    minute, extra = stop, 1 + int(rng.random() * added[min(period, 3) - 1])
                goals.append(Goal(len(goals), period, side, minute, extra, mix(fixture_id, 21, len(goals))))
    return goals


def level(goals: list[Goal], *periods: int) -> tuple[int, int]:
    """(home, away) goals of those periods."""
    home = sum(1 for g in goals if g.side == 0 and g.period in periods)
    return home, sum(1 for g in goals if g.period in periods) - home


def _shootout(rng: Random) -> list[tuple[int, bool]]:
    """Kicks as (side, scored), home first, ended as soon as it is decided."""
    kicks: list[tuple[int, bool]] = []
    score, taken = [0, 0], [0, 0]
    while True:
        side = len(kicks) % 2
        scored = rng.random() < 0.76
        kicks.append((side, scored))
        taken[side] += 1
        score[side] += scored
        left = [max(0, 5 - taken[0]), max(0, 5 - taken[1])]
        sudden = taken[0] >= 5 and taken[1] >= 5 and taken[0] == taken[1] and score[0] != score[1]
        early = max(taken) <= 5 and (score[0] > score[1] + left[1] or score[1] > score[0] + left[0])
        if sudden or early or len(kicks) >= 40:
            if score[0] == score[1]:
                kicks[-1] = (side, not scored)
            return kicks


def _fate(rng: Random) -> str:
    draw = rng.random()
    for fate, limit in (
        ("moved", 0.012),
        ("postponed", 0.017),
        ("cancelled", 0.021),
        ("awarded", 0.025),
        ("abandoned", 0.029),
        ("delayed", 0.034),
    ):
        if draw < limit:
            return fate
    return "played"


def outcome(seed: int, season: Season, index: int, plan: Plan, change: Change | None = None) -> Outcome:
    """The complete outcome with its corrections; the caller selects what is visible at its time."""
    fixture_id = season.fixture_id(index)
    rng = Random(mix(seed, fixture_id))
    fate = _fate(rng)
    knockout = season.knockout(index)
    added = (1 + int(rng.random() * 5), 2 + int(rng.random() * 6), 1 + int(rng.random() * 3))
    goals = _goals(rng, fixture_id, season, plan, knockout, added)
    shift = int(21 + rng.random() * 20) * DAY
    stop_share, pens = rng.random(), _shootout(rng)
    kickoff = plan.kickoff
    if change is not None:
        goals = [g for g in goals if g.slot not in change.removed_goals] + change.added_goals
    if change is not None and change.moved_to is not None:
        fate, kickoff = "played", change.moved_to
    elif fate == "moved":
        kickoff += shift
    start = kickoff + (1_800 if fate == "delayed" else 0) + 90
    announced = -math.inf if change is not None and change.moved_to is not None else plan.kickoff - DAY
    table: list[tuple[float, int]] = [(-math.inf, NS)]
    if season.round_of(index) is not None and index >= season.regular - season.team_count:
        table = [(-math.inf, TBA), (plan.kickoff - TBA_AHEAD, NS)]
    if fate in ("postponed", "cancelled"):
        return Outcome(
            fixture_id,
            fate,
            kickoff,
            [(-math.inf, NS), (announced, POSTPONED if fate == "postponed" else CANCELLED)],
            [],
            [],
            [],
            change,
        )
    if fate == "awarded":
        winner = 0 if rng.random() < 0.5 else 1
        goals = [Goal(n, P_SECOND, winner, 90, None, 0) for n in range(3)]
        return Outcome(fixture_id, fate, kickoff, [*table, (kickoff + 2 * DAY, AWARDED)], [], goals, [], change)
    if fate == "moved":
        table = [(-math.inf, NS), (announced, POSTPONED), (announced + 9 * DAY, NS)]
    if fate == "delayed":
        table.append((kickoff, DELAYED))
    half_end = start + 60 * (45 + added[0])
    second = half_end + 15 * 60
    end = second + 60 * (45 + added[1])
    table += [(start, FIRST_HALF), (half_end, HT), (second, SECOND_HALF), (end, FT)]
    periods = [Period(P_FIRST, start, half_end, added[0]), Period(P_SECOND, second, end, added[1])]
    regular = level(goals, P_FIRST, P_SECOND)
    extended = change.extended_at if change is not None else None
    if fate == "abandoned":
        cut = start + int((0.25 + 0.6 * stop_share) * (end - start))
        table = [entry for entry in table if entry[0] < cut] + [(cut, ABANDONED)]
        periods = [
            p._replace(ended=min(p.ended, cut), added=p.added if p.ended <= cut else None)
            for p in periods
            if p.started < cut
        ]
        found = Outcome(fixture_id, fate, kickoff, table, periods, [], [], change)
        found.goals = [g for g in goals if found.time_of(g.period, g.minute, g.extra) < cut]
        return found
    shootout: list[tuple[int, bool]] = []
    if (knockout or extended is not None) and regular[0] == regular[1]:
        extra_start = end + 300
        turn, extra_end = extra_start + 16 * 60, extra_start + 60 * (31 + added[2])
        periods.append(Period(P_EXTRA, extra_start, extra_end, added[2]))
        live: list[tuple[float, int]] = [
            (end + 60, BREAK),
            (extra_start, ET),
            (turn, ET_BREAK),
            (turn + 60, ET_SECOND_HALF),
            (extra_end, AET),
        ]
        final = level(goals, P_FIRST, P_SECOND, P_EXTRA)
        if final[0] == final[1]:
            shootout = pens
            pens_start = extra_end + 300
            pens_end = pens_start + 45 * len(pens) + 60
            periods.append(Period(P_PENS, pens_start, pens_end, None))
            live += [(extra_end + 60, PEN_BREAK), (pens_start, PENS), (pens_end, FT_PEN)]
        if extended is not None and not knockout:
            # reported long after the end: the state goes FT -> AET at once and, if drawn, to FT_PEN half an hour later
            live = [(extended, AET)] + ([(extended + 1_800, FT_PEN)] if shootout else [])
        table += live
    else:
        goals = [g for g in goals if g.period != P_EXTRA]
    return Outcome(fixture_id, fate, kickoff, table, periods, goals, shootout, change)


def moved_indexes(seed: int, season: Season) -> list[int]:
    """Indexes of the season's fixtures that are postponed and played on another day."""
    return [n for n in range(season.size) if _fate(Random(mix(seed, season.fixture_id(n)))) == "moved"]
