"""The decision on each fixture, as tables: what is stored, what came back, what follows."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.load.decision import (
    FixtureDecision,
    StoredState,
    decide_batch,
    decide_failed,
    decide_missing,
    decide_returned,
    decide_stale,
    degraded_sections,
)
from sportmonks.load.payloads import Payload
from sportmonks.load.summary import PayloadSummary
from sportmonks.load.suspicion import Detail, details_of, unlike_others
from sportmonks.planning.recheck import FixtureState

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEFORE = NOW - 2 * HOUR
GUARD = GuardSettings(rereads=3, hours=1, min_rows=4, keep_share=0.5)
FULL = {"events": 10, "lineups": 30, "statistics": 40, "scores": 2}
NO_EVENTS = {**FULL, "events": 0}
KICK_OFF = datetime(2026, 5, 30, 16, tzinfo=UTC)
END = KICK_OFF + 2 * HOUR


def summary(counts: dict[str, int] = FULL, state_id: int | None = 5) -> PayloadSummary:
    return PayloadSummary(state_id=state_id, starting_at=KICK_OFF, ended_at=END, counts=counts)


def payload(content: bytes = b"new", counts: dict[str, int] = FULL, state_id: int | None = 5) -> Payload:
    return Payload(b"{}", content, summary(counts, state_id))


def stored(content: bytes | None = b"old", held: bytes | None = None, **state: Any) -> StoredState:
    known = {"state_id": 5, "status": "COLLECTED", "last_fetched_at": BEFORE, "last_requested_at": BEFORE, **state}
    return StoredState(FixtureState(**known), content, held)


UNKNOWN = StoredState(FixtureState())


def returned(
    before: StoredState, came: Payload, counts: dict[str, int] | None = None, *, suspected: tuple[str, ...] = ()
) -> FixtureDecision:
    return decide_returned(1, before, came, counts or {}, GUARD, NOW, suspected=suspected)


def loss_hash(counts: dict[str, int]) -> bytes:
    """The hash under which a loss is held back for the first time."""
    found = returned(stored(), payload(counts=counts), FULL)
    assert (found.outcome, found.state.held_reads) == ("HELD", 1)
    assert found.held_hash is not None
    return found.held_hash


# ---- a fixture that came back


@pytest.mark.parametrize(
    ("before", "came", "outcome", "status", "changed"),
    [
        (UNKNOWN, payload(), "SAVED", "COLLECTED", True),
        (stored(), payload(), "SAVED", "COLLECTED", True),
        (stored(b"same"), payload(b"same"), "UNCHANGED", "COLLECTED", False),
        (stored(status="MISSING"), payload(), "SAVED", "COLLECTED", True),
        (stored(b"same", status="FAILED"), payload(b"same"), "UNCHANGED", "COLLECTED", False),
        (stored(), payload(state_id=20), "SAVED", "DELETED", True),
        (stored(b"same", status="DELETED"), payload(b"same", state_id=20), "UNCHANGED", "DELETED", False),
        (stored(status="DELETED"), payload(), "SAVED", "COLLECTED", True),
    ],
)
def test_what_came_back_is_saved_or_unchanged(
    before: StoredState, came: Payload, outcome: str, status: str, changed: bool
) -> None:
    found = returned(before, came)
    assert (found.fixture_id, found.outcome, found.status, found.changed) == (1, outcome, status, changed)
    assert (found.returned, found.stale, found.error, found.held_hash) == (True, False, None, None)


def test_what_came_back_resets_the_counters_and_brings_the_state() -> None:
    before = stored(unchanged_reads=7, missing_reads=2, failed_reads=1, held_reads=2, state_id=2)
    state = returned(before, payload()).state
    assert (state.unchanged_reads, state.missing_reads, state.failed_reads, state.held_reads) == (0, 0, 0, 0)
    assert (state.state_id, state.starting_at, state.ended_at) == (5, KICK_OFF, END)
    assert (state.last_fetched_at, state.last_requested_at) == (NOW, NOW)
    again = returned(replace(before, content_hash=b"new"), payload()).state
    assert (again.unchanged_reads, again.missing_reads, again.failed_reads, again.held_reads) == (8, 0, 0, 0)


# ---- degraded


@pytest.mark.parametrize(
    ("before", "after", "degraded"),
    [
        ({"events": 10}, {"events": 10}, []),
        ({"events": 10}, {"events": 11}, []),
        ({"events": 10}, {"events": 0}, ["events"]),
        ({"events": 10}, {}, ["events"]),
        ({"events": 0}, {"events": 0}, []),
        ({"events": 0}, {}, []),
        ({}, {"events": 0}, []),
        # Emptied counts whatever the number was; shrunk counts from min_rows on, below keep_share.
        ({"events": 1}, {"events": 0}, ["events"]),
        ({"events": 3}, {"events": 1}, []),
        ({"events": 4}, {"events": 1}, ["events"]),
        ({"events": 4}, {"events": 2}, []),
        ({"events": 10}, {"events": 5}, []),
        ({"events": 10}, {"events": 4}, ["events"]),
        ({"statistics": 9, "events": 9, "scores": 2}, {"scores": 2}, ["events", "statistics"]),
    ],
)
def test_sections_that_are_degraded(before: dict[str, int], after: dict[str, int], degraded: list[str]) -> None:
    assert degraded_sections(before, after, GUARD) == degraded


@pytest.mark.parametrize(
    ("held_reads", "same_loss", "hours_since", "outcome", "counted"),
    [
        (0, False, 2, "HELD", 1),
        (1, True, 2, "HELD", 2),
        (2, True, 2, "HELD", 3),
        (3, True, 2, "SAVED", 0),  # held back as often as the settings say: now it is saved
        (3, False, 2, "HELD", 1),  # another loss starts anew
        (1, True, 0.5, "HELD", 1),  # before its time, as in a forced run: it counts as one with the read before
        (3, True, 0.5, "HELD", 3),
        (3, True, 1, "SAVED", 0),
    ],
)
def test_a_degraded_payload_is_held_back(
    held_reads: int, same_loss: bool, hours_since: float, outcome: str, counted: int
) -> None:
    held = loss_hash(NO_EVENTS) if same_loss else b"another loss"
    last = NOW - hours_since * HOUR
    before = stored(held=held, held_reads=held_reads, last_fetched_at=last, missing_reads=1, failed_reads=1)
    found = returned(before, payload(counts=NO_EVENTS, state_id=7), FULL)
    assert (found.outcome, found.state.held_reads) == (outcome, counted)
    assert (found.state.last_fetched_at, found.state.missing_reads, found.state.failed_reads) == (NOW, 0, 0)
    if outcome == "HELD":
        assert found.error == f"degraded in events: stored data kept (read {counted} of 3)"
        # The degraded section stays as it is stored, the rest is taken from the payload, its state included.
        assert (found.held_sections, found.status, found.state.state_id) == (("events",), "COLLECTED", 7)
        assert found.held_hash == loss_hash(NO_EVENTS)
    else:
        assert (found.error, found.changed, found.held_hash, found.state.state_id) == (None, True, None, 7)


def test_the_same_loss_is_the_same_whatever_else_changes() -> None:
    assert loss_hash(NO_EVENTS) == loss_hash({**NO_EVENTS, "lineups": 29})
    assert loss_hash(NO_EVENTS) != loss_hash({**FULL, "events": 1})
    assert loss_hash(NO_EVENTS) != loss_hash({**NO_EVENTS, "statistics": 0})


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [(1, 10, "SAVED"), (13, 12, "SAVED"), (10, 1, "SAVED"), (1, 1, "HELD"), (1, 5, "HELD"), (2, 15, "HELD"),
     (5, 10, "HELD"), (None, 10, "HELD"), (1, None, "HELD")],
)  # fmt: skip
def test_a_match_that_is_called_off_may_lose_its_lineups(before: int | None, after: int | None, outcome: str) -> None:
    found = returned(stored(state_id=before), payload(counts={**FULL, "lineups": 0}, state_id=after), FULL)
    assert found.outcome == outcome


# ---- without detail


DETAIL = ("events", "lineups", "statistics")


def detail(*filled: str, requested: tuple[str, ...] = DETAIL, goals: int | None = 2) -> Detail:
    return Detail(frozenset(requested), frozenset(filled), goals)


@pytest.mark.parametrize(
    ("one", "others", "found"),
    [
        (detail(), [], ()),
        (detail(*DETAIL), [detail(*DETAIL)], ()),
        (detail(), [detail(*DETAIL)], DETAIL),
        (detail(), [detail("lineups"), detail(), detail()], DETAIL),
        (detail(requested=("events",)), [detail(*DETAIL)], ("events",)),
        # Where no match has detail, there may be none in this league.
        (detail(), [detail(), detail()], ()),
        (detail(), [detail("lineups"), *[detail()] * 4], DETAIL),
        # A cup whose last rounds alone have some.
        (detail(), [detail("lineups"), *[detail()] * 5], ()),
        (detail(), [*[detail(*DETAIL)] * 63, *[detail()] * 636], ()),
        # A section alone is missed when more than half of the others have it.
        (detail("lineups", "statistics"), [detail(*DETAIL)], ("events",)),
        (detail("lineups", "statistics"), [detail(*DETAIL), detail("lineups")], ()),
        (detail("lineups", "statistics"), [detail(*DETAIL), detail(*DETAIL), detail("lineups")], ("events",)),
        (detail("events"), [detail(*DETAIL)], ("lineups", "statistics")),
        # Others for which it was not requested do not count.
        (
            detail("events"),
            [detail(*DETAIL), *[detail("events", requested=("events",))] * 3],
            ("lineups", "statistics"),
        ),
        # Nothing need have happened in a match without goals.
        (detail("lineups", "statistics", goals=0), [detail(*DETAIL)], ()),
        (detail("lineups", goals=0), [detail(*DETAIL)], ("statistics",)),
        (detail("lineups", "statistics", goals=None), [detail(*DETAIL)], ()),
    ],
)
def test_sections_that_other_matches_of_the_season_have(
    one: Detail, others: list[Detail], found: tuple[str, ...]
) -> None:
    assert unlike_others(one, Counter([one, *others])) == found


def test_only_played_matches_are_compared() -> None:
    found = details_of(
        {1: summary(), 2: summary(state_id=1), 3: summary({}, state_id=None)}, ("events", "lineups.details")
    )
    assert found == {1: Detail(frozenset({"events", "lineups"}), frozenset(DETAIL), None)}


@pytest.mark.parametrize(
    ("before", "came", "outcome", "held_reads", "unchanged_reads", "held_hash"),
    [
        (UNKNOWN, payload(), "SAVED", 1, 0, b"new"),
        (stored(b"new", held=b"new", held_reads=1), payload(), "UNCHANGED", 2, 0, b"new"),
        (stored(b"new", held=b"new", held_reads=2), payload(), "UNCHANGED", 3, 0, b"new"),
        (stored(b"new", held=b"new", held_reads=3), payload(), "UNCHANGED", 0, 1, None),
        (stored(b"new", unchanged_reads=4), payload(), "UNCHANGED", 0, 5, None),
    ],
)
def test_a_suspected_payload_is_read_again_until_it_is_confirmed(
    before: StoredState, came: Payload, outcome: str, held_reads: int, unchanged_reads: int, held_hash: bytes | None
) -> None:
    found = returned(before, came, suspected=("events",))
    assert (found.outcome, found.held_hash, found.error) == (outcome, held_hash, None)
    assert (found.state.held_reads, found.state.unchanged_reads) == (held_reads, unchanged_reads)


def test_a_loss_that_is_saved_at_last_is_not_suspected_once_more() -> None:
    before = stored(held=loss_hash(NO_EVENTS), held_reads=3)
    found = returned(before, payload(counts=NO_EVENTS), FULL, suspected=("events",))
    assert (found.outcome, found.state.held_reads, found.held_hash) == ("SAVED", 0, None)


def test_what_else_is_suspected_stays_so_when_a_loss_is_saved() -> None:
    before = stored(held=loss_hash(NO_EVENTS), held_reads=3)
    found = returned(before, payload(counts=NO_EVENTS), FULL, suspected=("participants", "events"))
    assert (found.outcome, found.state.held_reads, found.held_hash) == ("SAVED", 1, b"new")
    assert found.suspected == ("participants",)


@pytest.mark.parametrize(
    ("includes", "suspected", "held_reads"),
    [
        (("events", "scores"), ("scores",), 2),
        (("events", "scores"), (), 0),
        # The API has refused an include meanwhile: what it would have brought is not known.
        (("events",), ("scores",), 1),
        (("events",), (), 1),
    ],
)
def test_a_suspicion_is_repeated_refuted_or_left(
    includes: tuple[str, ...], suspected: tuple[str, ...], held_reads: int
) -> None:
    before = replace(stored(b"new", held=b"new", held_reads=1), includes=("events", "scores", "periods"))
    usual = ("events", "scores")
    found = decide_returned(1, before, payload(), {}, GUARD, NOW, suspected=suspected, includes=includes, usual=usual)
    assert (found.outcome, found.state.held_reads) == ("UNCHANGED", held_reads)


# ---- the others


@pytest.mark.parametrize(
    ("status", "missing", "failed"),
    [
        ("PENDING", "MISSING", "FAILED"),
        ("MISSING", "MISSING", "FAILED"),
        ("FAILED", "MISSING", "FAILED"),
        ("COLLECTED", "COLLECTED", "COLLECTED"),
        ("DELETED", "DELETED", "DELETED"),
    ],
)
def test_a_fixture_that_is_missing_or_fails_keeps_what_is_stored(status: str, missing: str, failed: str) -> None:
    before = stored(held=b"held", status=status, held_reads=2, missing_reads=1, failed_reads=4, unchanged_reads=3)
    for found, outcome, found_status, counts in (
        (decide_missing(1, before, NOW), "MISSING", missing, (2, 4)),
        (decide_failed(1, before, "HTTP 500", NOW), "FAILED", failed, (1, 5)),
    ):
        assert (found.outcome, found.status, found.returned, found.changed) == (outcome, found_status, False, False)
        assert (found.state.missing_reads, found.state.failed_reads) == counts
        assert (found.state.last_requested_at, found.state.last_fetched_at) == (NOW, BEFORE)
        assert (found.state.held_reads, found.state.unchanged_reads, found.held_hash) == (2, 3, b"held")
    assert decide_missing(1, before, NOW).error == "requested, but not returned by the API"
    assert decide_failed(1, before, "x" * 1000, NOW).error == "x" * 500


def test_a_stale_response_changes_nothing() -> None:
    before = stored(held=b"held", held_reads=2)
    found = decide_stale(1, before)
    assert (found.outcome, found.stale, found.changed) == ("UNCHANGED", True, False)
    assert (found.state, found.status, found.held_hash) == (before.state, "COLLECTED", b"held")


# ---- a batch


def decided(before: dict[int, StoredState], **more: Any) -> list[FixtureDecision]:
    arguments: dict[str, Any] = {
        "requested": (1, 2, 3),
        "payloads": {},
        "unreadable": {},
        "stored_counts": {},
        "guard": GUARD,
        "at": NOW,
        "now": NOW + HOUR,
        **more,
    }
    return decide_batch(stored=before, **arguments)


def test_each_requested_fixture_has_one_decision_in_their_order() -> None:
    found = decided({2: stored(b"new")}, requested=(3, 1, 2), payloads={2: payload()}, unreadable={1: "cut"})
    assert [(each.fixture_id, each.outcome) for each in found] == [(3, "MISSING"), (1, "FAILED"), (2, "UNCHANGED")]
    assert [each.error for each in found] == ["requested, but not returned by the API", "cut", None]


def test_a_fixture_that_cannot_be_stored_has_failed_though_it_came() -> None:
    (found,) = decided({}, requested=(1,), payloads={1: payload()}, unreadable={1: "cannot be stored"})
    assert (found.outcome, found.status, found.error) == ("FAILED", "FAILED", "cannot be stored")


@pytest.mark.parametrize(
    ("last_read", "stale"),
    [
        (None, False),
        (NOW - HOUR, False),
        (NOW, False),  # the call that is being stored
        (NOW + timedelta(microseconds=1), True),
        (NOW + HOUR, True),
        (NOW + HOUR + timedelta(microseconds=1), False),  # later than now: stamped by a clock that is ahead
    ],
)
def test_a_response_older_than_the_stored_one_is_stale(last_read: datetime | None, stale: bool) -> None:
    """The call began at NOW and is stored an hour later. Stale comes before all else."""
    before = dict.fromkeys((1, 2, 3), stored(last_fetched_at=last_read))
    found = decided(before, payloads={1: payload()}, unreadable={2: "cut"})
    assert [each.stale for each in found] == [stale] * 3
    assert [each.outcome for each in found] == (["UNCHANGED"] * 3 if stale else ["SAVED", "FAILED", "MISSING"])


def test_the_stored_rows_of_each_fixture_decide_whether_it_is_degraded() -> None:
    before = {1: stored(), 2: stored()}
    came = {1: payload(counts=NO_EVENTS), 2: payload(counts=NO_EVENTS)}
    found = decided(before, requested=(1, 2), payloads=came, stored_counts={1: FULL, 2: NO_EVENTS})
    assert [each.outcome for each in found] == ["HELD", "SAVED"]


def test_a_match_without_detail_is_suspected_beside_one_with_detail() -> None:
    came = {1: payload(counts={"participants": 2, "scores": 2, "events": 0}), 2: payload()}
    found = decided({}, requested=(1, 2), payloads=came, includes=("events",))
    assert [(each.outcome, each.state.held_reads) for each in found] == [("SAVED", 1), ("SAVED", 0)]


# ---- what is stored of a decision


def test_a_decision_as_a_row() -> None:
    found = returned(stored(index_changed_at=BEFORE), payload())
    assert found.row(RecheckSettings(), GUARD, NOW) == {
        "fixture_id": 1,
        "status": "COLLECTED",
        "returned": True,
        "changed": True,
        "league_id": None,
        "season_id": None,
        "ended_at": END.isoformat(),
        "unchanged_reads": 0,
        "held_reads": 0,
        "held_hash": None,
        "missing_reads": 0,
        "failed_reads": 0,
        "error": None,
        "suspected": "",
        "next_due_at": (END + timedelta(days=7)).isoformat(),
        "due_reason": "recheck_7d",
    }
    held = returned(stored(), payload(counts=NO_EVENTS), FULL).row(RecheckSettings(), GUARD, NOW)
    assert held["held_hash"] == "\\x" + loss_hash(NO_EVENTS).hex()
    assert (held["next_due_at"], held["due_reason"]) == ((NOW + HOUR).isoformat(), "held")


def test_what_the_index_reported_is_answered_by_a_fixture_that_came_back_only() -> None:
    """A fixture whose change in the index was followed by no read is still due for it: it was not returned, or the call
    began before the index was read."""
    row = returned(stored(index_changed_at=NOW - HOUR), payload()).row(RecheckSettings(), GUARD, NOW)
    assert row["due_reason"] == "recheck_7d"
    before = stored(index_changed_at=NOW + HOUR)
    row = returned(before, payload()).row(RecheckSettings(), GUARD, NOW)
    assert (row["due_reason"], row["next_due_at"]) == ("changed_in_index", (NOW + HOUR).isoformat())
    row = decide_missing(1, before, NOW).row(RecheckSettings(), GUARD, NOW)
    assert (row["due_reason"], row["next_due_at"]) == ("changed_in_index", (NOW + HOUR).isoformat())


def test_a_tombstone_has_no_next_read() -> None:
    row = returned(stored(), payload(state_id=20)).row(RecheckSettings(), GUARD, NOW)
    assert (row["status"], row["next_due_at"], row["due_reason"]) == ("DELETED", None, None)
