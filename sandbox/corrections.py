"""Late corrections, new dates and deletions by the provider, drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

from sandbox.fixture_view import FixtureView
from sandbox.outcome import FT, P_SECOND, PLAYED, POSTPONED, Goal, level
from sandbox.people import mix
from sandbox.state import Sandbox
from sandbox.truth import canonical
from sandbox.world import DAY

Row = dict[str, Any]
TRIES = 20_000
ADDED = 20  # slots of goals that corrections add begin here


def _fresh_goals(view: FixtureView) -> bool:
    return view.state_id == FT and not view.season.knockout(view.index) and view.found.fate != "abandoned"


def _remove_goal(sandbox: Sandbox, view: FixtureView, rng: Random) -> str | None:
    # Not one that a correction has added: both together would change nothing that a later read could show.
    goals = [goal for goal in view.goals if goal.slot < ADDED]
    if not _fresh_goals(view) or not goals:
        return None
    goal = goals[int(rng.random() * len(goals))]
    sandbox.change(view.id).removed_goals.add(goal.slot)
    return f"goal of minute {goal.minute} taken back"


def _add_goal(sandbox: Sandbox, view: FixtureView, rng: Random) -> str | None:
    if not _fresh_goals(view):
        return None
    change = sandbox.change(view.id)
    number = len(change.added_goals)
    goal = Goal(
        ADDED + number, P_SECOND, int(rng.random() * 2), 47 + int(rng.random() * 42), None, mix(view.id, 81, number)
    )
    change.added_goals.append(goal)
    # a goal taken back before leaves its slot free, an added one always gets a slot of its own
    return f"goal of minute {goal.minute} given to {view.teams[goal.side].name}"


def _change_detail(sandbox: Sandbox, view: FixtureView, rng: Random) -> str | None:
    if view.state_id not in PLAYED or not view.player_statistics:
        return None
    places = [place for place, values in enumerate(view.player_statistics) if values]
    place = places[int(rng.random() * len(places))]
    counts = [
        type_id
        for type_id, value in view.player_statistics[place]
        if isinstance(value, int) and not isinstance(value, bool)
    ]
    type_id = counts[int(rng.random() * len(counts))]
    details = sandbox.change(view.id).details
    details[place, type_id] = details.get((place, type_id), 0) + 1 + int(rng.random() * 3)
    return f"player {view.report.lineups[place].player.id}: statistic of type {type_id} raised"


def _change_statistic(sandbox: Sandbox, view: FixtureView, rng: Random) -> str | None:
    if view.state_id not in PLAYED:
        return None
    type_id, side = (34, 43, 44, 56, 60, 80, 101)[int(rng.random() * 7)], int(rng.random() * 2)
    statistics = sandbox.change(view.id).statistics
    statistics[type_id, side] = statistics.get((type_id, side), 0) + 1 + int(rng.random() * 4)
    return f"statistic {type_id} of {view.teams[side].name} raised"


def _extend(sandbox: Sandbox, view: FixtureView, rng: Random) -> str | None:
    """A draw is corrected to extra time: FT becomes AET, and FT_PEN half an hour later when still level."""
    if not _fresh_goals(view) or level(view.goals, 1, 2)[0] != level(view.goals, 1, 2)[1]:
        return None
    sandbox.change(view.id).extended_at = sandbox.now()
    return "extra time was played after all"


def _reschedule(sandbox: Sandbox, view: FixtureView, rng: Random) -> str | None:
    if view.state_id != POSTPONED:
        return None
    moved = int(sandbox.now() // DAY + 5 + int(rng.random() * 10)) * DAY + 18 * 3600
    sandbox.change(view.id).moved_to = moved
    return "postponed match has a new date"


KINDS: dict[str, Callable[[Sandbox, FixtureView, Random], str | None]] = {
    "goal_added": _add_goal,
    "detail_changed": _change_detail,
    "goal_removed": _remove_goal,
    "statistic_changed": _change_statistic,
    "state_extended": _extend,
    "rescheduled": _reschedule,
}
DEFAULT_KINDS = ("goal_added", "detail_changed", "goal_removed", "statistic_changed", "state_extended")


def _candidates(
    sandbox: Sandbox, rng: Random, season: int | None, ids: list[int] | None, thorough: bool
) -> Iterator[FixtureView]:
    """Fixtures in a random order; `thorough` visits each of them, for states that are rare."""
    if ids is not None:
        yield from (view for view in map(sandbox.view, ids) if view is not None)
        return
    seasons = [s for s in sandbox.seasons() if season is None or s.id == season]
    if not seasons:
        return
    if thorough or sum(s.size for s in seasons) <= TRIES // 10:
        places = [(s, index) for s in seasons for index in range(s.size)]
        rng.shuffle(places)
        yield from (sandbox.view_at(s, index) for s, index in places)
        return
    for _ in range(TRIES):
        chosen = seasons[int(rng.random() * len(seasons))]
        yield sandbox.view_at(chosen, int(rng.random() * chosen.size))


def correct(
    sandbox: Sandbox,
    number: int,
    *,
    season: int | None = None,
    kinds: tuple[str, ...] = DEFAULT_KINDS,
    ids: list[int] | None = None,
) -> list[Row]:
    """Make `number` corrections, each to another fixture, with the kinds in turn; fewer when no fixture is left."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"unknown correction {unknown}: choose from {', '.join(KINDS)}")
    rng = Random(mix(sandbox.options.seed, 82, sum(change.revision for change in sandbox.changes.values())))
    done: list[Row] = []
    touched: set[int] = set()
    for turn in range(number):
        kind = kinds[turn % len(kinds)]
        for view in _candidates(sandbox, rng, season, ids, kind == "rescheduled"):
            if view.deleted or view.id in touched:
                continue
            before = canonical(sandbox, view)
            what = KINDS[kind](sandbox, view, rng)
            if what is None:
                continue
            touched.add(view.id)
            after = sandbox.view(view.id)
            assert after is not None
            done.append(
                {
                    "fixture_id": view.id,
                    "season_id": view.season.id,
                    "kind": kind,
                    "what": what,
                    "before": before,
                    "after": canonical(sandbox, after),
                }
            )
            break
    return done


def delete(sandbox: Sandbox, number: int, *, season: int | None = None, ids: list[int] | None = None) -> list[Row]:
    """Delete fixtures: they leave lists and multi and appear under filters=deleted with state 20."""
    rng = Random(mix(sandbox.options.seed, 83, len(sandbox.changes)))
    done: list[Row] = []
    for view in _candidates(sandbox, rng, season, ids, False):
        if len(done) >= number:
            break
        if not view.deleted and view.id not in sandbox.originals and all(row["fixture_id"] != view.id for row in done):
            sandbox.change(view.id).deleted_at = sandbox.now()
            done.append({"fixture_id": view.id, "season_id": view.season.id, "state_id_before": view.state_id})
    return done


def recreate(sandbox: Sandbox, number: int, *, season: int | None = None, ids: list[int] | None = None) -> list[Row]:
    """Create matches anew under other ids: the old ids leave lists and multi, and are not listed as deleted."""
    rng = Random(mix(sandbox.options.seed, 84, len(sandbox.recreated)))
    done: list[Row] = []
    for view in _candidates(sandbox, rng, season, ids, False):
        if len(done) >= number:
            break
        if not view.deleted and view.id not in sandbox.originals and view.id not in sandbox.recreated:
            new_id = sandbox.recreate(view.id)
            done.append({"fixture_id": view.id, "season_id": view.season.id, "new_id": new_id})
    return done
