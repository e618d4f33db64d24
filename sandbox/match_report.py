"""The report of a match: line-ups, substitutions, cards and scorers, and the events in the form of the API.

Every part is drawn from its own seed (line-ups from the fixture, the scorer of a goal from that goal), so that a
corrected goal changes that goal and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any

from sandbox.outcome import P_FIRST, P_PENS, P_SECOND, Goal, Outcome
from sandbox.people import ATTACKER, DEFENDER, GOALKEEPER, MIDFIELDER, Player, coach_id, mix, person_row, squad
from sandbox.world import Season, Team

GOAL, OWN_GOAL, PENALTY, MISSED_PENALTY, SUBSTITUTION = 14, 15, 16, 17, 18
YELLOW, RED, SECOND_YELLOW, VAR, KICK_MISSED, KICK_SCORED = 19, 20, 21, 10, 22, 23
SCORING = (GOAL, OWN_GOAL, PENALTY)
FORMATIONS = (
    ("4-3-3", (4, 3, 3)),
    ("4-4-2", (4, 4, 2)),
    ("3-5-2", (3, 5, 2)),
    ("4-5-1", (4, 5, 1)),
    ("5-3-2", (5, 3, 2)),
)
BENCH = 12
SHOT_INFO = ((1521, "Left foot shot"), (1522, "Right foot shot"), (1520, "Header"))
CARD_INFO = ("Foul", "Foul", "Foul", "Argument", "Time wasting", "Simulation")
ORDINALS = {1: "st", 2: "nd", 3: "rd"}


def ordinal(number: int) -> str:
    return f"{number}{'th' if 10 <= number % 100 <= 20 else ORDINALS.get(number % 10, 'th')}"


@dataclass(slots=True)
class Entry:
    """One player on the team sheet. `came`/`left` are minutes of the match (None: never came / stayed to the end)."""

    player: Player
    side: int
    starts: bool
    field: str | None
    place: int | None
    came: int | None
    left: int | None = None
    captain: bool = False


@dataclass(slots=True)
class Event:
    """An event of a match; `kind` is its type id in the API, `at` its time in epoch seconds."""

    at: float
    slot: int
    period: int
    side: int
    kind: int
    minute: int
    extra: int | None = None
    entry: Entry | None = None
    related: Entry | None = None
    info: str | None = None
    sub_type: int | None = None
    addition: str | None = None
    coach: int | None = None
    injured: bool | None = None


def _team_sheet(rng: Random, members: tuple[Player, ...], side: int) -> tuple[str, list[Entry]]:
    formation, counts = FORMATIONS[int(rng.random() * len(FORMATIONS))]
    groups: dict[int, list[Player]] = {GOALKEEPER: [], DEFENDER: [], MIDFIELDER: [], ATTACKER: []}
    for member in members:
        groups[member.position_id].append(member)
    rows = [(GOALKEEPER, 1), *zip((DEFENDER, MIDFIELDER, ATTACKER), counts, strict=True)]
    sheet: list[Entry] = []
    rest: list[Player] = []
    for row, (position, count) in enumerate(rows, start=1):
        group = groups[position]
        chosen = [group[0] if rng.random() < 0.92 else group[1]] if position == GOALKEEPER else rng.sample(group, count)
        for column, player in enumerate(chosen, start=1):
            sheet.append(Entry(player, side, True, f"{row}:{column}", len(sheet) + 1, 0))
        picked = {player.slot for player in chosen}
        rest += [player for player in group if player.slot not in picked]
    keepers = [player for player in rest if player.position_id == GOALKEEPER][:1]
    others = [player for player in rest if player.position_id != GOALKEEPER]
    bench = keepers + rng.sample(others, BENCH - len(keepers))
    sheet += [Entry(player, side, False, None, None, None) for player in bench]
    sheet[1 + int(rng.random() * 10)].captain = True
    return formation, sheet


class MatchReport:
    """Team sheets and events of a match that was played or is being played."""

    def __init__(self, season: Season, found: Outcome, home: Team, away: Team) -> None:
        self.found = found
        self.season = season
        self.teams = (home, away)
        rng = Random(mix(found.fixture_id, 31))
        sheets = [_team_sheet(rng, squad(team, season), side) for side, team in enumerate(self.teams)]
        self.formations = [formation for formation, _ in sheets]
        self.sheets = [sheet for _, sheet in sheets]
        self.lineups = self.sheets[0] + self.sheets[1]
        self.events: list[Event] = []
        self._substitutions(rng)
        self._cards(rng)
        self._oddities(rng)
        for goal in found.goals:
            self._goal(goal)
        self._kicks()
        self.events = [e for e in self.events if e.at < found.ended or e.period == P_PENS]
        self.events.sort(key=lambda event: (event.at, event.slot))
        self._apply_events()

    def _time_of_minute(self, minute: int) -> tuple[int, int, int | None, float]:
        """(period, minute, extra minute, epoch) of a minute of play 1..94; past 90 is added time."""
        period = P_FIRST if minute <= 45 else P_SECOND
        shown, extra = (90, minute - 90) if minute > 90 else (minute, None)
        return period, shown, extra, self.found.time_of(period, shown, extra)

    def _substitutions(self, rng: Random) -> None:
        for side, sheet in enumerate(self.sheets):
            out = rng.sample(sheet[1:11], 5)
            into = rng.sample([entry for entry in sheet[11:] if entry.player.position_id != GOALKEEPER], 5)
            minutes = sorted(46 + int(rng.random() ** 0.6 * 46) for _ in range(3 + int(rng.random() * 3)))
            for number, minute in enumerate(minutes):
                hurt = rng.random() < 0.12
                period, shown, extra, at = self._time_of_minute(minute)
                self.events.append(
                    Event(
                        at,
                        20 + side * 5 + number,
                        period,
                        side,
                        SUBSTITUTION,
                        shown,
                        extra,
                        into[number],
                        out[number],
                        injured=True if hurt else None,
                    )
                )

    def _cards(self, rng: Random) -> None:
        for side, sheet in enumerate(self.sheets):
            for number in range(min(5, int(rng.random() * 5.2))):
                minute = 8 + int(rng.random() * 84)
                who, reason = sheet[1 + int(rng.random() * 10)], CARD_INFO[int(rng.random() * len(CARD_INFO))]
                period, shown, extra, at = self._time_of_minute(minute)
                self.events.append(
                    Event(at, 30 + side * 5 + number, period, side, YELLOW, shown, extra, who, info=reason)
                )
            if rng.random() < 0.06:
                period, shown, extra, at = self._time_of_minute(60 + int(rng.random() * 30))
                kind = RED if rng.random() < 0.6 else SECOND_YELLOW
                self.events.append(Event(at, 40 + side, period, side, kind, shown, extra, sheet[10], info="Foul"))

    def _oddities(self, rng: Random) -> None:
        """A coach's card (no player id), a missed penalty, a decision by the video referee."""
        for slot, kind, chance in ((42, YELLOW, 0.08), (43, MISSED_PENALTY, 0.05), (44, VAR, 0.1)):
            draw, side, minute = rng.random(), int(rng.random() * 2), 5 + int(rng.random() * 86)
            who = self.sheets[side][8 + int(rng.random() * 3)]
            if draw < chance:
                period, shown, extra, at = self._time_of_minute(minute)
                event = Event(at, slot, period, side, kind, shown, extra, who)
                if kind == YELLOW:
                    event.entry, event.coach, event.info = None, coach_id(self.teams[side], self.season), "Argument"
                elif kind == VAR:
                    event.info, event.addition = "Offside", "Goal cancelled"
                else:
                    event.addition = "Penalty missed"
                self.events.append(event)

    def _apply_events(self) -> None:
        """Go through the events in order: who is on the pitch, who gets no card there, the number of each event."""
        kept: list[Event] = []
        counts: dict[int, int] = {}
        for event in self.events:
            minute = event.minute if event.period != P_PENS else 120
            if event.kind == SUBSTITUTION:
                assert event.entry is not None
                assert event.related is not None
                if event.related.left is not None:
                    continue
                event.entry.came, event.related.left = minute, minute
            elif event.kind in (YELLOW, RED, SECOND_YELLOW) and event.entry is not None:
                if event.entry.left is not None or (
                    event.kind == YELLOW and any(e.entry is event.entry and e.kind == YELLOW for e in kept)
                ):
                    continue
                if event.kind != YELLOW:
                    event.entry.left = minute
            kept.append(event)
            counts[event.kind] = counts.get(event.kind, 0) + 1
            if event.addition is None:
                word = {
                    SUBSTITUTION: "Substitution",
                    YELLOW: "Yellowcard",
                    RED: "Redcard",
                    SECOND_YELLOW: "Yellow/Red card",
                    GOAL: "Goal",
                    PENALTY: "Penalty",
                    OWN_GOAL: "Own Goal",
                }.get(event.kind, "Event")
                event.addition = f"{ordinal(counts[event.kind])} {word}"
        self.events = kept
        for event in kept:
            if event.kind in SCORING and event.entry is None:
                self._pick_scorer(event)
        self._pick_kickers()

    def on_pitch(self, side: int, minute: int) -> list[Entry]:
        """Players who are on the pitch in that minute: they came before it and left after it."""
        return [
            e
            for e in self.sheets[side]
            if e.came is not None and (e.came < minute or e.came == 0) and (e.left is None or e.left > minute)
        ]

    def _goal(self, goal: Goal) -> None:
        draw = goal.seed % 1_000
        kind = PENALTY if draw < 90 else OWN_GOAL if draw < 115 else GOAL
        slot = goal.slot if goal.slot < 20 else 45 + goal.slot % 20
        at = self.found.time_of(goal.period, goal.minute, goal.extra)
        self.events.append(Event(at, slot, goal.period, goal.side, kind, goal.minute, goal.extra, coach=None))
        self.events[-1].sub_type = goal.seed  # replaced by the kind of shot once the scorer is known

    def _pick_scorer(self, event: Event) -> None:
        seed = event.sub_type or 0
        team = 1 - event.side if event.kind == OWN_GOAL else event.side
        players = [e for e in self.on_pitch(team, event.minute) if e.player.position_id != GOALKEEPER]
        attack = [e for e in players if e.player.position_id in (ATTACKER, MIDFIELDER)]
        pool = players if event.kind == OWN_GOAL or (seed >> 10) % 5 == 0 or not attack else attack
        event.entry = pool[(seed >> 14) % len(pool)]
        event.sub_type, event.info = SHOT_INFO[(seed >> 24) % 3]
        if event.kind == OWN_GOAL:
            event.sub_type, event.info = None, None
        elif event.kind == PENALTY:
            event.sub_type, event.info = SHOT_INFO[(seed >> 24) % 2]
        elif (seed >> 30) % 10 < 7:
            mates = [e for e in players if e is not event.entry]
            event.related = mates[(seed >> 36) % len(mates)]

    def _kicks(self) -> None:
        for number, (side, scored) in enumerate(self.found.shootout, start=1):
            at = self.found.time_of(P_PENS, number, None)
            kind = KICK_SCORED if scored else KICK_MISSED
            addition = "Scored" if scored else ("OffTarget", "GoalkeeperSave")[number % 2]
            self.events.append(Event(at, 66 + number, P_PENS, side, kind, number, None, addition=addition))

    def _pick_kickers(self) -> None:
        turn = [0, 0]
        for event in self.events:
            if event.kind in (KICK_SCORED, KICK_MISSED):
                takers = sorted(self.on_pitch(event.side, 125), key=lambda e: (-e.player.position_id, e.player.slot))
                event.entry = takers[turn[event.side] % len(takers)]
                event.sub_type = (1521, 1522)[event.entry.player.slot % 2] if event.kind == KICK_SCORED else None
                turn[event.side] += 1

    def minutes_played(self, entry: Entry, until: int) -> int:
        """Minutes on the pitch by minute `until` of the match (90 or 120 at its end)."""
        if entry.came is None or entry.came > until:
            return 0
        return max(1, (until if entry.left is None else min(entry.left, until)) - entry.came)


def event_row(
    event: Event, number: int, fixture_id: int, period_id: int, team: Team, result: str | None
) -> dict[str, Any]:
    """The event as the API writes it. `result` is the score after the event, None when it does not change."""
    player, related = event.entry, event.related
    name = player.player.name if player else person_row(event.coach, "coaches")["name"] if event.coach else None
    card = event.kind in (YELLOW, RED, SECOND_YELLOW)
    return {
        "id": 157_000_000 + (fixture_id - 10_000_000) * 128 + event.slot,
        "fixture_id": fixture_id,
        "period_id": period_id,
        "participant_id": team.id,
        "type_id": event.kind,
        "section": "event",
        "player_id": player.player.id if player else None,
        "related_player_id": related.player.id if related else None,
        "player_name": name,
        "related_player_name": related.player.name if related else None,
        "result": result,
        "info": event.info,
        "addition": event.addition,
        "minute": event.minute,
        "extra_minute": event.extra,
        "injured": event.injured,
        "on_bench": False,
        "coach_id": event.coach,
        "sub_type_id": event.sub_type,
        "detailed_period_id": period_id,
        "rescinded": False if card else None,
        "sort_order": number,
    }
