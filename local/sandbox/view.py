"""One fixture as the API shows it at one moment: base row and the parts that includes ask for."""

from __future__ import annotations

from functools import cached_property
from random import Random
from typing import Any

from local.sandbox.clock import day, stamp
from local.sandbox.figures import PLAYER_MEANS, SIDE_RANGES, player_figures, side_figures
from local.sandbox.outcome import (
    ABANDONED,
    AET,
    AWARDED,
    DELETED,
    FINAL,
    FT_PEN,
    IN_PLAY,
    P_EXTRA,
    P_FIRST,
    P_PENS,
    P_SECOND,
    PENS,
    PLAYED,
    TBA,
    Change,
    Goal,
    Outcome,
    Period,
    level,
    outcome,
)
from local.sandbox.people import CDN, mix, short_code
from local.sandbox.story import KICK_MISSED, KICK_SCORED, SCORING, Event, Story, event_row
from local.sandbox.world import FIRST_FIXTURE_ID, Season, Team, World

LINEUP_BASE, DETAIL_BASE, STATISTIC_BASE, SCORE_BASE, PERIOD_BASE = (
    14_600_000_000,
    2_100_000_000,
    930_000_000,
    24_000_000,
    6_900_000,
)
_DETAIL_TYPES = [row[0] for row in PLAYER_MEANS] + [52, 86, 79, 324, 84, 83, 85, 116, 1584, 106, 1491, 109, 99, 123, 88,
                                                    57, 1535, 118, 119, 117172, 40]  # fmt: skip
DETAIL_PLACE = {type_id: place for place, type_id in enumerate(_DETAIL_TYPES)}
_SIDE_TYPES = sorted({row[0] for row in SIDE_RANGES} | {86, 42, 54, 45, 52, 57, 81, 82, 84, 83, 59, 79, 47})
STATISTIC_PLACE = {type_id: place for place, type_id in enumerate(_SIDE_TYPES)}
PERIOD_NAMES = {P_FIRST: "1st-half", P_SECOND: "2nd-half", P_EXTRA: "extra-time", P_PENS: "penalties"}
PERIOD_LENGTH = {P_FIRST: 45, P_SECOND: 45, P_EXTRA: 30, P_PENS: 0}
PERIOD_FROM = {P_FIRST: 0, P_SECOND: 45, P_EXTRA: 90, P_PENS: 120}
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


class View:
    """Cuts the outcome and story of a fixture at `now`; everything is computed when first asked for."""

    def __init__(self, world: World, season: Season, index: int, now: float, change: Change | None = None) -> None:
        self.world, self.season, self.index, self.now = world, season, index, now
        self.plan = season.plan(index)
        self.found: Outcome = outcome(world.seed, season, index, self.plan, change)
        self.id = self.found.fixture_id
        self.home, self.away = season.league.team(self.plan.home), season.league.team(self.plan.away)
        self.teams = (self.home, self.away)
        self.change = change
        self.deleted = change is not None and change.deleted_at is not None and change.deleted_at <= now
        self.true_state = self.found.state_at(now)
        self.state_id = DELETED if self.deleted else self.true_state
        self.kickoff = self.found.kickoff_at(now, self.plan.kickoff)
        if self.state_id == TBA:
            self.kickoff -= self.kickoff % 86_400

    @property
    def over(self) -> bool:
        return self.true_state in FINAL

    @cached_property
    def periods(self) -> list[Period]:
        """Periods that have begun; the shoot-out not before it is known to be one."""
        begun = [p for p in self.found.periods if p.started <= self.now]
        if self.true_state == AET:
            begun = [p for p in begun if p.type_id != P_PENS]
        return begun

    @cached_property
    def goals(self) -> list[Goal]:
        if self.true_state == AWARDED:
            return self.found.goals
        begun = {p.type_id for p in self.periods}
        return [g for g in self.found.goals if g.period in begun
                and (self.over or self.found.moment(g.period, g.minute, g.extra) <= self.now)]  # fmt: skip

    @cached_property
    def shootout(self) -> tuple[int, int] | None:
        """(home, away) kicks scored so far; None when there is no shoot-out."""
        if self.true_state not in (PENS, FT_PEN):
            return None
        kicks = [kick for n, kick in enumerate(self.found.shootout, 1)
                 if self.over or self.found.moment(P_PENS, n, None) <= self.now]  # fmt: skip
        home = sum(1 for side, scored in kicks if scored and side == 0)
        return home, sum(1 for _, scored in kicks if scored) - home

    @cached_property
    def score(self) -> tuple[int, int]:
        return level(self.goals, P_FIRST, P_SECOND, P_EXTRA)

    @cached_property
    def winner(self) -> int | None:
        """0 home, 1 away, -1 draw, None when there is no result (yet)."""
        if self.true_state not in PLAYED and self.true_state != AWARDED:
            return None
        home, away = self.shootout if self.shootout else self.score
        return 0 if home > away else 1 if away > home else -1

    @cached_property
    def minute(self) -> int:
        """The minute the match has reached: 0 before, 90 or 120 when over."""
        if not self.periods:
            return 0
        last = [p for p in self.periods if p.type_id != P_PENS][-1]
        length = PERIOD_LENGTH[last.type_id]
        stop = min(self.now, last.ended)
        if self.over and self.true_state != ABANDONED:
            stop = last.ended
        return PERIOD_FROM[last.type_id] + max(1, min(length, int(stop - last.started) // 60))

    @cached_property
    def story(self) -> Story:
        return Story(self.season, self.found, self.home, self.away)

    @cached_property
    def events(self) -> list[Event]:
        begun = {p.type_id for p in self.periods}
        return [e for e in self.story.events if e.period in begun and (self.over or e.at <= self.now)] if begun else []

    def base(self) -> dict[str, Any]:
        season, plan = self.season, self.plan
        final = plan.round_no is None
        return {
            "id": self.id,
            "sport_id": 1,
            "league_id": season.league.id,
            "season_id": season.id,
            "stage_id": season.stage_id + (1 if final else 0),
            "group_id": None,
            "aggregate_id": None,
            "round_id": None if plan.round_no is None else season.round_id(plan.round_no),
            "state_id": self.state_id,
            "venue_id": None if self.id % 61 == 0 else self.home.venue_id,
            "name": f"{self.home.name} vs {self.away.name}",
            "starting_at": stamp(self.kickoff),
            "result_info": self.result_info(),
            "leg": "1/1",
            "details": None,
            "length": 90,
            "placeholder": False,
            "has_odds": self.true_state not in (TBA,),
            "has_premium_odds": season.league.index % 2 == 0,
            "starting_at_timestamp": int(self.kickoff),
        }

    def result_info(self) -> str | None:
        if self.winner is None:
            return None
        if self.winner < 0:
            return "Game ended in draw."
        name = self.teams[self.winner].name
        if self.true_state == AWARDED:
            return f"{name} was awarded the win."
        after = {AET: "extra-time", FT_PEN: "penalties"}.get(self.true_state, "full-time")
        return f"{name} won after {after}."

    def participants(self) -> list[dict[str, Any]]:
        rows = []
        for side, team in enumerate(self.teams):
            row = team_row(self.world, team, self.now)
            won = None if self.winner is None else self.winner == side
            position = 1 + mix(self.id, 18 + side) % self.season.team_count
            row["meta"] = {"location": SIDES[side], "winner": won, "position": position if self.periods else None}
            rows.append(row)
        return rows if self.id % 3 else rows[::-1]

    def scores(self) -> list[dict[str, Any]]:
        """Both sides for every score that exists by now, in no particular order."""
        if not self.periods and self.true_state != AWARDED:
            return []
        begun = {p.type_id for p in self.periods}
        found: list[tuple[int, str, tuple[int, int]]] = [(1525, "CURRENT", self.score)]
        goals = self.goals
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
        if self.shootout is not None:
            found.append((5, "PENALTY_SHOOTOUT", self.shootout))
        rows = []
        for place, (type_id, name, result) in enumerate(found):
            for side in (0, 1):
                rows.append({
                    "id": SCORE_BASE + (self.id - FIRST_FIXTURE_ID) * 16 + place * 2 + side,
                    "fixture_id": self.id,
                    "type_id": type_id,
                    "participant_id": self.teams[side].id,
                    "score": {"goals": result[side], "participant": SIDES[side]},
                    "description": name,
                })  # fmt: skip
        Random(mix(self.id, 51)).shuffle(rows)
        return rows

    def event_rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        score, kicks = [0, 0], [0, 0]
        order: dict[int, int] = {}
        for event in self.events:
            result = None
            if event.kind in SCORING:
                score[event.side] += 1
                result = f"{score[0]}-{score[1]}"
            elif event.kind in (KICK_SCORED, KICK_MISSED):
                kicks[event.side] += event.kind == KICK_SCORED
                result = f"{kicks[0]}-{kicks[1]}"
            order[event.kind] = order.get(event.kind, 0) + 1
            rows.append(
                event_row(
                    event, order[event.kind], self.id, self.period_id(event.period), self.teams[event.side], result
                )
            )
        return rows

    def period_id(self, type_id: int) -> int:
        return PERIOD_BASE + (self.id - FIRST_FIXTURE_ID) * 8 + type_id

    def period_rows(self) -> list[dict[str, Any]]:
        rows = []
        for number, period in enumerate(self.periods, start=1):
            done = self.over or period.ended <= self.now
            played = max(0, int((period.ended if done else self.now) - period.started))
            shootout = period.type_id == P_PENS
            rows.append({
                "id": self.period_id(period.type_id),
                "fixture_id": self.id,
                "type_id": period.type_id,
                "started": int(period.started),
                "ended": int(period.ended) if done else None,
                "counts_from": PERIOD_FROM[period.type_id],
                "ticking": not done,
                "sort_order": 5 if shootout else number,
                "description": PERIOD_NAMES[period.type_id],
                "time_added": period.added if done else None,
                "period_length": PERIOD_LENGTH[period.type_id],
                "minutes": None if shootout else PERIOD_FROM[period.type_id] + played // 60,
                "seconds": 0 if shootout else played % 60,
                "has_timer": False,
            })  # fmt: skip
        return rows

    def statistics(self) -> list[dict[str, Any]]:
        if not self.periods:
            return []
        base = STATISTIC_BASE + (self.id - FIRST_FIXTURE_ID) * 128
        return [
            {
                "id": base + STATISTIC_PLACE[type_id] * 2 + side,
                "fixture_id": self.id,
                "type_id": type_id,
                "participant_id": self.teams[side].id,
                "data": {"value": value},
                "location": SIDES[side],
            }
            for type_id, side, value in side_figures(self.found, self.events, self.minute / 90)
        ]

    def lineups(self) -> list[dict[str, Any]]:
        if not self.periods:
            return []
        base = LINEUP_BASE + (self.id - FIRST_FIXTURE_ID) * 64
        return [
            {
                "id": base + place,
                "sport_id": 1,
                "fixture_id": self.id,
                "player_id": entry.player.id,
                "team_id": self.teams[entry.side].id,
                "position_id": entry.player.position_id,
                "formation_field": entry.field,
                "type_id": 11 if entry.starts else 12,
                "formation_position": entry.place,
                "player_name": entry.player.name,
                "jersey_number": entry.player.slot + 1,
            }
            for place, entry in enumerate(self.story.lineups)
        ]

    @cached_property
    def figures(self) -> list[list[tuple[int, Any]]]:
        home, away = self.score
        return player_figures(self.story, self.events, self.minute, (away, home)) if self.periods else []

    def details(self, place: int) -> list[dict[str, Any]]:
        """The figures of the line-up entry at `place`, each under an id that stays while others come and go."""
        entry = self.story.lineups[place]
        lineup_id = LINEUP_BASE + (self.id - FIRST_FIXTURE_ID) * 64 + place
        base = DETAIL_BASE + (self.id - FIRST_FIXTURE_ID) * 4096 + place * 64
        fixture_id, player_id, team_id = self.id, entry.player.id, self.teams[entry.side].id
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
            for type_id, value in self.figures[place]
        ]

    @property
    def in_play(self) -> bool:
        return self.true_state in IN_PLAY

    @property
    def date(self) -> str:
        return day(self.kickoff)
