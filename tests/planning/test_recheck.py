"""The recheck schedule as a table: every state, every time of the schedule, every exception."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.planning import recheck, states
from sportmonks.planning.recheck import FixtureState, NextRead, next_due

KICK_OFF = datetime(2026, 3, 1, 15, 0, tzinfo=UTC)
END = KICK_OFF + timedelta(hours=2)  # by the settings: no period gives it
SETTINGS, GUARD = RecheckSettings(), GuardSettings()
ALL_STATES = (*range(1, 24), 25, 26)  # section 7 of the API's description; there is no 24

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def due(state: FixtureState, *, settings: RecheckSettings = SETTINGS, now: datetime = END) -> NextRead | None:
    return next_due(state, settings, GUARD, now)


def read(state: int | None, at: datetime = END + HOUR / 2, **more: Any) -> FixtureState:
    """A fixture that was read half an hour after its end, unless ``more`` changes that."""
    found = FixtureState(
        state_id=state, starting_at=KICK_OFF, status="COLLECTED", last_fetched_at=at, last_requested_at=at
    )
    return replace(found, **more)


FETCHED = END + HOUR / 2
RULES = {
    1: (FETCHED + HOUR, "waiting"),  # should be over, and the provider still says "not started"
    **dict.fromkeys((2, 3, 4, 6, 9, 21, 22, 23, 25), (FETCHED + timedelta(minutes=1), "live")),
    **dict.fromkeys((5, 7, 8, 14, 17, 12, 15), (END + HOUR, "recheck_1h")),
    **dict.fromkeys((16, 18, 19, 26), (FETCHED + HOUR, "waiting")),
    **dict.fromkeys((10, 11, 13), (FETCHED + DAY, "unsettled")),
    20: None,
}


@pytest.mark.parametrize("state", ALL_STATES)
def test_every_state_has_its_rule(state: int) -> None:
    found = due(read(state))
    assert (found and (found.at, found.reason)) == RULES[state]


def test_the_table_knows_exactly_the_states_of_the_api() -> None:
    assert set(ALL_STATES) == states.KNOWN == set(RULES)


@pytest.mark.parametrize("state", [24, 27, 0, 999_999_999, None])
def test_an_unknown_state_is_read_daily(state: int | None) -> None:
    found = due(read(state))
    assert found is not None
    assert (found.at, found.reason) == (FETCHED + DAY, "unknown_state")


@pytest.mark.parametrize(
    ("fetched", "at", "reason"),
    [
        (END - HOUR, END + HOUR, "recheck_1h"),
        (END + HOUR - timedelta(seconds=1), END + HOUR, "recheck_1h"),
        (END + HOUR, END + DAY, "recheck_1d"),
        (END + DAY, END + 7 * DAY, "recheck_7d"),
        (END + 7 * DAY, END + 30 * DAY, "recheck_30d"),
        (END + 30 * DAY, END + 395 * DAY, "aged"),
        (END + 300 * DAY, END + 665 * DAY, "aged"),
    ],
)
@pytest.mark.parametrize("state", [5, 7, 8, 17, 12, 15])
def test_the_recheck_schedule(state: int, fetched: datetime, at: datetime, reason: str) -> None:
    found = due(read(state, fetched))
    assert found is not None
    assert (found.at, found.reason) == (at, reason)


def test_the_schedule_counts_from_the_end_that_the_periods_give() -> None:
    after_extra_time = KICK_OFF + timedelta(hours=2, minutes=50)
    found = due(read(7, after_extra_time, ended_at=after_extra_time))
    assert found is not None
    assert found.at == after_extra_time + HOUR


@pytest.mark.parametrize(
    ("unchanged", "fetched", "reason"),
    [
        (1, END + DAY, "recheck_7d"),
        (2, END + DAY, "recheck_30d"),
        (9, END + DAY, "recheck_30d"),
        (2, END, "recheck_1h"),  # e.g. forced by hand: the times of the first day are not skipped
        (9, END + HOUR, "recheck_1d"),
        (2, END + 30 * DAY, "aged"),
    ],
)
def test_two_unchanged_re_reads_skip_to_the_last_time_of_the_schedule(
    unchanged: int, fetched: datetime, reason: str
) -> None:
    found = due(read(5, fetched, unchanged_reads=unchanged))
    assert found is not None
    assert found.reason == reason


def test_full_time_that_becomes_extra_time_is_seen_at_once() -> None:
    noticed = END + timedelta(minutes=40)
    found = due(read(5, index_changed_at=noticed))
    assert found is not None
    assert (found.at, found.reason, found.urgent) == (noticed, "changed_in_index", True)
    # What it then answers is the rule of the new state.
    assert due(read(6, noticed)) == NextRead(noticed + timedelta(minutes=1), "live", 100, True)


def test_a_postponed_match_waits_for_its_new_date() -> None:
    postponed = read(10, KICK_OFF - DAY)
    assert due(postponed) == NextRead(KICK_OFF, "unsettled", recheck.PRIORITIES["unsettled"], False)
    moved = replace(postponed, state_id=1, starting_at=KICK_OFF + 30 * DAY)
    assert due(moved) == NextRead(END + 30 * DAY, "just_finished", recheck.PRIORITIES["just_finished"], True)


def test_a_match_to_come_is_read_at_its_end() -> None:
    found = due(read(1, KICK_OFF - 3 * DAY), now=KICK_OFF - 2 * DAY)
    assert found is not None
    assert (found.at, found.reason) == (END, "just_finished")


def test_not_started_long_after_its_kick_off_is_requested_less_and_less_often() -> None:
    soon, late = due(read(1, END + HOUR)), due(read(1, END + 2 * DAY))
    assert soon is not None
    assert late is not None
    assert (soon.at, late.at) == (END + 2 * HOUR, END + 3 * DAY)


@pytest.mark.parametrize("state", sorted({1, 10, 11, 13, 999} | states.LIVE | states.WAITING))
def test_a_match_that_never_settles_is_requested_less_and_less_often(state: int) -> None:
    """Old seasons contain matches that remain postponed, not started or even live for ever."""
    fetched = END + 1000 * DAY
    reads = [due(read(state, fetched, unchanged_reads=number)) for number in (0, 1, 2, 3, 6, 99)]
    assert [found and (found.at - fetched) / DAY for found in reads] == [1, 1, 2, 4, 30, 30]
    assert {found.reason for found in reads if found} == {"unknown_state" if state == 999 else "unsettled"}
    assert not any(found.urgent for found in reads if found)


def test_a_match_that_never_settles_is_due_at_once_when_the_index_changes() -> None:
    noticed = END + 1001 * DAY
    found = due(read(10, END + 1000 * DAY, unchanged_reads=99, index_changed_at=noticed))
    assert found is not None
    assert (found.at, found.reason) == (noticed, "changed_in_index")


def test_without_a_kick_off_a_match_is_unsettled() -> None:
    for state in (1, 13):
        found = due(read(state, END, starting_at=None))
        assert found is not None
        assert (found.at, found.reason) == (END + DAY, "unsettled")


def test_finished_without_a_kick_off_is_swept_by_age() -> None:
    found = due(read(5, END, starting_at=None))
    assert found is not None
    assert (found.at, found.reason) == (END + 365 * DAY, "aged")


@pytest.mark.parametrize(
    ("start", "priority", "urgent"),
    [
        (KICK_OFF, 60, True),
        (KICK_OFF - 7 * DAY, 60, True),
        (KICK_OFF + 7 * DAY, 60, True),
        (KICK_OFF - 8 * DAY, 35, False),
        (KICK_OFF + 8 * DAY, 35, False),
        (None, 35, False),
    ],
)
def test_never_collected_is_due_now_and_history_does_not_use_the_reserve(
    start: datetime | None, priority: int, urgent: bool
) -> None:
    found = due(FixtureState(state_id=5, starting_at=start), now=KICK_OFF)
    assert found == NextRead(KICK_OFF, "never_collected", priority, urgent)


@pytest.mark.parametrize("state", [*ALL_STATES, None])
def test_a_tombstone_is_never_read_again(state: int | None) -> None:
    assert due(read(state, status="DELETED")) is None


def test_deleted_in_the_index_but_never_collected_is_read_once() -> None:
    found = due(FixtureState(state_id=20, starting_at=KICK_OFF))
    assert found is not None
    assert found.reason == "never_collected"


@pytest.mark.parametrize("state", [*sorted(set(ALL_STATES) - {20}), None])
def test_max_age_0_makes_everything_due_in_every_run(state: int | None) -> None:
    now = END + 12 * HOUR
    found = due(read(state), settings=RecheckSettings(max_age_days=0), now=now)
    assert found is not None
    assert found.at <= now


@pytest.mark.parametrize("days", [1, 5, 30, 365])
def test_a_collected_fixture_is_never_older_than_max_age(days: int) -> None:
    settings = RecheckSettings(max_age_days=days)
    for hours in (0, 1, 5, 24, 100, 168, 400, 720, 5000):
        fetched = END + hours * HOUR
        found = due(read(5, fetched), settings=settings)
        assert found is not None
        assert found.at <= fetched + days * DAY


@pytest.mark.parametrize(("times", "hours"), [(1, 1), (2, 2), (3, 4), (4, 8), (8, 128), (9, 168), (500, 168)])
@pytest.mark.parametrize(("field", "reason"), [("failed_reads", "failed"), ("missing_reads", "missing")])
def test_failed_and_missing_reads_are_repeated_with_a_doubling_delay(
    field: str, reason: str, times: int, hours: int
) -> None:
    state = FixtureState(state_id=5, starting_at=KICK_OFF, status=reason.upper(), last_requested_at=END)
    counts: dict[str, Any] = {field: times}
    found = due(replace(state, **counts))
    assert found is not None
    assert (found.at, found.reason) == (END + hours * HOUR, reason)


def test_a_held_payload_is_requested_again_after_the_guards_hours() -> None:
    found = due(read(5, held_reads=1))
    assert found is not None
    assert (found.at, found.reason, found.urgent) == (FETCHED + HOUR, "held", True)


def test_a_live_match_of_which_something_is_held_back_stays_live() -> None:
    live = due(replace(read(2), ended_at=None))
    found = due(replace(read(2), ended_at=None, held_reads=1))
    assert live is not None
    assert live.at < FETCHED + HOUR
    assert found == live


@pytest.mark.parametrize(
    ("field", "reason"), [("index_changed_at", "changed_in_index"), ("index_missing_at", "gone_from_index")]
)
def test_index_changes_count_until_the_fixture_is_read(field: str, reason: str) -> None:
    before, after = FETCHED - HOUR, FETCHED + HOUR
    fresh, stale = due(read(5, **{field: after})), due(read(5, **{field: before}))
    assert fresh is not None
    assert stale is not None
    assert (fresh.at, fresh.reason, stale.reason) == (after, reason, "recheck_1h")


def test_an_index_change_ends_the_delay_after_failures() -> None:
    """A fixture that failed for days and whose state changes now is due now."""
    noticed = FETCHED + 3 * HOUR
    for field in ("failed_reads", "missing_reads"):
        found = due(read(5, index_changed_at=noticed, **dict[str, Any]({field: 9})))
        assert found is not None
        assert (found.at, found.reason) == (noticed, "changed_in_index")


EXCEPTIONS: tuple[dict[str, Any], ...] = (
    {},
    {"held_reads": 1},
    {"missing_reads": 2},
    {"failed_reads": 1},
    {"index_changed_at": END + DAY},
)
MANY = [
    FixtureState(
        state_id=state,
        starting_at=start,
        ended_at=ended,
        status="COLLECTED" if fetched else "PENDING",
        last_fetched_at=fetched,
        last_requested_at=fetched,
        unchanged_reads=unchanged,
        **exception,
    )
    for state, start, ended, fetched, unchanged, exception in itertools.product(
        (*ALL_STATES, None),
        (KICK_OFF, None),
        (None, END + HOUR),
        (None, END - DAY, END + HOUR, END + 40 * DAY),
        (0, 2),
        EXCEPTIONS,
    )
]


def test_the_time_of_the_next_read_does_not_move_with_the_clock() -> None:
    for state in MANY:
        found = [due(state, now=END + days * DAY) for days in (-30, 0, 1, 1000)]
        if found[0] is not None and found[0].reason == "never_collected":
            assert [f and f.at for f in found] == [END + days * DAY for days in (-30, 0, 1, 1000)]
        else:
            assert len(set(found)) == 1, state


def test_a_read_is_never_due_again_in_its_own_instant() -> None:
    """The next read is later than the last one, so nothing is read in a tight loop."""
    for state in MANY:
        found = due(state)
        if state.last_fetched_at and found is not None:
            assert found.at > state.last_fetched_at, state


def test_every_reason_has_a_priority() -> None:
    assert {found.reason for state in MANY if (found := due(state))} <= recheck.PRIORITIES.keys()
    assert recheck.PRIORITIES.keys() >= recheck.URGENT


@pytest.mark.parametrize(
    ("corrected_at_read", "reasons"),
    [
        (None, ["just_finished", "recheck_1h", "recheck_1d", "recheck_30d", "aged", "aged"]),
        (2, ["just_finished", "recheck_1h", "recheck_1d", "recheck_7d", "recheck_30d", "aged"]),
    ],
)
def test_the_life_of_a_match(corrected_at_read: int | None, reasons: list[str]) -> None:
    """Read whenever it is due; a correction at the second re-read keeps the schedule in between."""
    state, seen = read(1, KICK_OFF - 3 * DAY), []
    for number in range(6):
        found = due(state)
        assert found is not None
        seen.append(found.reason)
        changed = number == 0 or number == corrected_at_read
        state = replace(
            state, state_id=5, last_fetched_at=found.at, last_requested_at=found.at,
            unchanged_reads=0 if changed else state.unchanged_reads + 1,
        )  # fmt: skip
    assert seen == reasons


LAST_DAY = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("state", ALL_STATES)
@pytest.mark.parametrize("known", [{"starting_at": LAST_DAY}, {"ended_at": LAST_DAY}], ids=str)
def test_a_placeholder_on_the_last_day_of_all_has_a_next_read_within_the_longest_age(
    state: int, known: dict[str, datetime]
) -> None:
    found = due(read(state, **known))
    if state == states.DELETED:
        assert found is None
    else:
        assert found is not None
        assert FETCHED < found.at <= FETCHED + timedelta(days=SETTINGS.max_age_days)
