"""One fixture as the API shows it at a given time: the base row, and what the includes are made from."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from sandbox.clock import day, stamp
from sandbox.match_report import Event, MatchReport
from sandbox.match_statistics import player_statistics
from sandbox.outcome import (
    ABANDONED,
    AET,
    AWARDED,
    COUNTS_FROM,
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
from sandbox.world import Season, World

PERIOD_LENGTH = {P_FIRST: 45, P_SECOND: 45, P_EXTRA: 30, P_PENS: 0}


class FixtureView:
    """The outcome and the match report of a fixture up to `now`; every part is computed at its first use."""

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
        """Periods that have begun; the shoot-out once the state shows it."""
        begun = [p for p in self.found.periods if p.started <= self.now]
        if self.true_state == AET:
            begun = [p for p in begun if p.type_id != P_PENS]
        return begun

    @cached_property
    def goals(self) -> list[Goal]:
        if self.true_state == AWARDED:
            return self.found.goals
        begun = {p.type_id for p in self.periods}
        return [
            g
            for g in self.found.goals
            if g.period in begun and (self.over or self.found.time_of(g.period, g.minute, g.extra) <= self.now)
        ]

    @cached_property
    def shootout(self) -> tuple[int, int] | None:
        """(home, away) kicks scored so far; None when there is no shoot-out."""
        if self.true_state not in (PENS, FT_PEN):
            return None
        kicks = [
            kick
            for n, kick in enumerate(self.found.shootout, 1)
            if self.over or self.found.time_of(P_PENS, n, None) <= self.now
        ]
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
        return COUNTS_FROM[last.type_id] + max(1, min(length, int(stop - last.started) // 60))

    @cached_property
    def report(self) -> MatchReport:
        return MatchReport(self.season, self.found, self.home, self.away)

    @cached_property
    def events(self) -> list[Event]:
        begun = {p.type_id for p in self.periods}
        return [e for e in self.report.events if e.period in begun and (self.over or e.at <= self.now)] if begun else []

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

    @cached_property
    def player_statistics(self) -> list[list[tuple[int, Any]]]:
        home, away = self.score
        return player_statistics(self.report, self.events, self.minute, (away, home)) if self.periods else []

    @property
    def in_play(self) -> bool:
        return self.true_state in IN_PLAY

    @property
    def date(self) -> str:
        return day(self.kickoff)
