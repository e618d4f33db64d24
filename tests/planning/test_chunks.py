"""Chunks and batches: which fixtures are due, in which order, restricted by a run's parameters, and their cost."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sportmonks.config.catalog import GuardSettings, RecheckSettings, SweepSettings
from sportmonks.config.manifest import Season
from sportmonks.planning.batches import count_batches, make_batches
from sportmonks.planning.chunks import Chunk, PlannedFixture, RunFilter, plan_chunks, seasons_to_index
from sportmonks.planning.estimate import CostEstimate, estimate_cost
from sportmonks.planning.recheck import FixtureState, next_look

NOW = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
Row = tuple[int, int, FixtureState]


def fresh(season: int, number: int, *, days_ago: float = 100, state: int = 5) -> Row:
    """Never collected."""
    return season, season * 1000 + number, FixtureState(state_id=state, starting_at=NOW - days_ago * DAY)


def read(season: int, number: int, *, days_ago: float = 100, state: int = 5, read_ago: float = 0.1) -> Row:
    """Collected ``read_ago`` days ago."""
    fetched = NOW - read_ago * DAY
    start = NOW - days_ago * DAY
    return (
        season,
        season * 1000 + number,
        FixtureState(
            state_id=state, starting_at=start, status="COLLECTED", last_fetched_at=fetched, last_requested_at=fetched
        ),
    )


def plan(rows: list[Row], **run_filter: Any) -> tuple[list[Chunk], dict[str, int]]:
    return plan_chunks(rows, RunFilter(**run_filter), RecheckSettings(), GuardSettings(), NOW)


def seasons(chunks: list[Chunk]) -> list[int]:
    return [chunk.season_id for chunk in chunks]


def test_priority_of_a_chunk_is_the_sum_over_its_due_fixtures() -> None:
    rows = [*(fresh(1, n) for n in range(4)), *(fresh(2, n, days_ago=1) for n in range(2)), read(3, 1)]
    chunks, left_out = plan(rows)
    assert [(chunk.season_id, chunk.priority) for chunk in chunks] == [(1, 4 * 35), (2, 2 * 60)]
    assert left_out == {}


def test_of_equal_chunks_the_newer_season_comes_first() -> None:
    assert seasons(plan([fresh(7, 1), fresh(9, 1), fresh(8, 1)])[0]) == [9, 8, 7]


def test_within_a_chunk_the_most_urgent_comes_first_and_ties_go_by_id() -> None:
    rows = [fresh(1, 3), fresh(1, 2), read(1, 9, days_ago=0.05, state=2), fresh(1, 4, days_ago=1)]
    (chunk,), _ = plan(rows)
    assert [fixture.fixture_id for fixture in chunk.fixtures] == [1009, 1004, 1002, 1003]
    assert [fixture.reason for fixture in chunk.fixtures] == ["live", *["never_collected"] * 3]
    assert [fixture.urgent for fixture in chunk.fixtures] == [True, True, False, False]


@pytest.mark.parametrize(
    ("run_filter", "kept", "left_out"),
    [
        ({}, {1: 5, 2: 3, 3: 1}, {}),
        ({"min_fixtures": 3}, {1: 5, 2: 3}, {"min_fixtures": 1}),
        ({"max_chunks": 1}, {1: 5}, {"max_chunks": 4}),
        ({"max_fixtures": 6}, {1: 5, 2: 1}, {"max_fixtures": 3}),
        ({"max_fixtures": 5}, {1: 5}, {"max_fixtures": 4}),
        ({"max_fixtures": 1}, {1: 1}, {"max_fixtures": 8}),
        ({"max_fixtures": 1000}, {1: 5, 2: 3, 3: 1}, {}),
        ({"seasons": (2, 3)}, {2: 3, 3: 1}, {}),
        ({"seasons": (4,)}, {}, {}),
        (
            {"min_fixtures": 2, "max_chunks": 1, "max_fixtures": 2},
            {1: 2},
            {"min_fixtures": 1, "max_chunks": 3, "max_fixtures": 3},
        ),
    ],
)
def test_limits_restrict_the_plan_and_count_what_they_exclude(
    run_filter: dict[str, Any], kept: dict[int, int], left_out: dict[str, int]
) -> None:
    rows = [fresh(season, n) for season, count in ((1, 5), (2, 3), (3, 1)) for n in range(count)]
    chunks, excluded = plan(rows, **run_filter)
    assert ({chunk.season_id: len(chunk.fixtures) for chunk in chunks}, excluded) == (kept, left_out)


def test_a_cut_chunk_keeps_its_most_urgent_fixtures() -> None:
    (chunk,), _ = plan([fresh(1, 1), fresh(1, 2, days_ago=1), fresh(1, 3)], max_fixtures=1)
    assert [fixture.fixture_id for fixture in chunk.fixtures] == [1002]


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({"date_from": date(2026, 3, 1)}, [1, 2]),
        ({"date_to": date(2026, 3, 1)}, [1, 3]),
        ({"date_from": date(2026, 3, 1), "date_to": date(2026, 3, 1)}, [1]),
        ({"date_from": date(2026, 4, 1)}, []),
    ],
)
def test_dates_are_complete_days_and_exclude_fixtures_without_a_date(
    dates: dict[str, date], expected: list[int]
) -> None:
    starts = {1: datetime(2026, 3, 1, 23, 59, tzinfo=UTC), 2: datetime(2026, 3, 2, tzinfo=UTC),
              3: datetime(2026, 2, 28, 23, 59, tzinfo=UTC), 4: None}  # fmt: skip
    rows = [(1, key, FixtureState(state_id=5, starting_at=start)) for key, start in starts.items()]
    chunks, _ = plan(rows, **dates)
    assert sorted(fixture.fixture_id for chunk in chunks for fixture in chunk.fixtures) == expected


def test_force_reads_again_what_is_not_due_but_no_tombstones() -> None:
    gone = (1, 1003, FixtureState(state_id=20, status="DELETED", last_fetched_at=NOW))
    rows = [read(1, 1), fresh(1, 2), gone]
    assert [f.fixture_id for f in plan(rows)[0][0].fixtures] == [1002]
    forced = plan(rows, force=True)[0][0].fixtures
    assert [(f.fixture_id, f.reason) for f in forced] == [(1002, "never_collected"), (1001, "forced")]
    assert not forced[1].urgent


def test_the_plan_does_not_depend_on_the_order_of_the_rows() -> None:
    rows = [fresh(1, 1), fresh(2, 1), read(2, 2, days_ago=0.05, state=2), fresh(2, 3, days_ago=3)]
    plans = [plan(list(order), max_fixtures=3) for order in itertools.permutations(rows)]
    assert all(found == plans[0] for found in plans)


# ---- which indexes a run reads

# The newest is announced, the second is being played; the ids do not follow the years.
SEASONS = tuple(
    Season(id=key, name=f"S{key}", group=f"season_s{key}", is_current=key == 41) for key in (12, 41, 7, 90, 33, 8)
)


@pytest.mark.parametrize(
    ("age_days", "places"),
    [
        (0, [0, 1, 2]),
        (6.5, [0, 1, 2]),
        (6.9, [0, 1, 2, 3]),  # the same weekday, a little earlier
        (29, [0, 1, 2, 3]),
        (29.9, [0, 1, 2, 3, 4, 5]),
    ],
)
def test_sweeps(age_days: float, places: list[int]) -> None:
    indexed = {season.id: NOW - age_days * DAY for season in SEASONS}
    assert seasons_to_index(SEASONS, indexed, SweepSettings(), NOW) == [SEASONS[place] for place in places]


def test_the_settings_of_the_sweeps() -> None:
    indexed = {season.id: NOW - 8 * DAY for season in SEASONS}
    settings = SweepSettings(daily_seasons=1, weekly_seasons=5, all_days=5)
    assert seasons_to_index(SEASONS, indexed, settings, NOW) == list(SEASONS)
    indexed = {season.id: NOW - DAY for season in SEASONS}
    assert seasons_to_index(SEASONS, indexed, settings, NOW) == list(SEASONS[:2])


def test_without_a_current_season_the_newest_counts() -> None:
    over = tuple(Season(id=season.id, name=season.name, group=season.group) for season in SEASONS)
    assert seasons_to_index(over, {season.id: NOW for season in over}, SweepSettings(), NOW) == list(over[:2])


def test_never_indexed_seasons_are_always_read() -> None:
    indexed = {season.id: NOW for season in SEASONS if season.id != 8}
    assert [season.id for season in seasons_to_index(SEASONS, indexed, SweepSettings(), NOW)] == [12, 41, 7, 8]
    assert seasons_to_index(SEASONS, {}, SweepSettings(), NOW) == list(SEASONS)


@pytest.mark.parametrize(("after_hours", "read"), [(0, False), (1, True)])
def test_a_season_whose_index_is_suspected_is_read_again_at_its_time(after_hours: float, read: bool) -> None:
    indexed = {season.id: NOW for season in SEASONS}
    old, newest, never = SEASONS[4].id, SEASONS[0].id, SEASONS[5].id
    del indexed[never]
    looks = {key: NOW + timedelta(hours=1) for key in (old, newest, never)}
    found = seasons_to_index(SEASONS, indexed, SweepSettings(), NOW + after_hours * HOUR, next_looks=looks)
    # The newest are read in every run, whatever is suspected of their last index.
    assert [season.id in {each.id for each in found} for season in SEASONS] == [True] * 3 + [False] + [read] * 2


@pytest.mark.parametrize(("answers", "hours"), [(1, 1), (2, 2), (3, 4), (5, 16), (10, 168), (99, 168)])
def test_the_delay_before_a_list_is_requested_again_doubles(answers: int, hours: float) -> None:
    assert next_look(NOW, answers, GuardSettings(hours=1)) == NOW + hours * HOUR


def test_requested_seasons_are_read_and_only_those() -> None:
    indexed = {season.id: NOW for season in SEASONS}
    assert seasons_to_index(SEASONS, indexed, SweepSettings(), NOW, requested=[8, 90]) == [SEASONS[3], SEASONS[5]]


# ---- batches and the estimate


def fixtures(count: int, urgent: set[int] = frozenset()) -> list[PlannedFixture]:  # type: ignore[assignment]
    return [PlannedFixture(n, "never_collected", 35, n in urgent) for n in range(1, count + 1)]


@pytest.mark.parametrize(
    ("count", "size", "calls"),
    [(380, 50, 8), (5326, 50, 107), (67_085, 50, 1342), (50, 50, 1), (51, 50, 2), (0, 50, 0), (3, 1, 3)],
)
def test_calls(count: int, size: int, calls: int) -> None:
    planned = fixtures(count)
    batches = list(make_batches(planned, size))
    assert (len(batches), count_batches(planned, size)) == (calls, calls)
    assert [key for batch in batches for key in batch.fixture_ids] == [f.fixture_id for f in planned]
    assert [batch.number for batch in batches] == list(range(1, calls + 1))
    assert all(len(batch.fixture_ids) == size for batch in batches[:-1])


def test_one_urgent_fixture_makes_one_batch_urgent() -> None:
    batches = list(make_batches(fixtures(120, urgent={77}), 50))
    assert [batch.urgent for batch in batches] == [True, False, False]
    assert batches[0].fixture_ids[0] == 77
    assert len({key for batch in batches for key in batch.fixture_ids}) == 120


def estimate(chunks: list[Chunk], **more: Any) -> CostEstimate:
    known = {"names": {1: "2025/2026"}, "batch_size": 50, "remaining": 2000, "call_limit": 2000, "reserve": 0.1,
             "seconds_to_reset": 1800.0, "window_seconds": 3600, "left_out": {"max_chunks": 2}}  # fmt: skip
    return estimate_cost(chunks, **{**known, **more})


def test_the_estimate_counts_fixtures_reasons_and_calls() -> None:
    chunks = [Chunk(1, tuple(fixtures(380))), Chunk(2, (PlannedFixture(999, "live", 100, True),))]
    found = estimate(chunks)
    assert (found.fixtures, found.by_reason, found.calls) == (381, {"never_collected": 380, "live": 1}, {"Fixture": 9})
    assert [(row["season"], row["fixtures"], row["calls"], row["priority"]) for row in found.chunks] == [
        ("2025/2026", 380, 8, 380 * 35), ("2", 1, 1, 100)]  # fmt: skip
    assert (found.available_now, found.left_out) == (1800, {"max_chunks": 2})
    assert found.minutes < 1


@pytest.mark.parametrize(
    ("remaining", "minutes"),
    [
        (2000, 22.4),  # 1,342 calls fit now
        (None, 22.4),  # nothing known yet: a full window is assumed
        (1000, 30.0),  # the rest after the reset, in half an hour
        (0, 30.0),
        (100, 30.0),
    ],
)
def test_minutes_at_the_present_budget(remaining: int | None, minutes: float) -> None:
    found = estimate([Chunk(1, tuple(fixtures(67_085)))], remaining=remaining)
    assert found.calls == {"Fixture": 1342}
    assert found.minutes == pytest.approx(minutes, abs=0.1)


@pytest.mark.parametrize(
    ("remaining", "urgent", "minutes"),
    [
        (100, 100, 0.0),  # both calls are urgent: the reserve is there for them
        (1, 100, 30.0),
        (100, 1, 30.0),  # of two calls only one is
        (201, 1, 30.0),  # it takes what the other could have had
        (202, 1, 0.0),
        (202, 0, 0.0),
        (201, 0, 30.0),
    ],
)
def test_urgent_calls_are_estimated_with_the_reserve(remaining: int, urgent: int, minutes: float) -> None:
    found = estimate([Chunk(1, tuple(fixtures(100, set(range(1, urgent + 1)))))], remaining=remaining)
    assert (found.calls, found.minutes) == ({"Fixture": 2}, minutes)


def test_several_windows_are_waited_for() -> None:
    found = estimate([Chunk(1, tuple(fixtures(67_085)))], remaining=60, call_limit=60, reserve=0.1)
    assert found.minutes == pytest.approx((1800 + 23 * 3600) / 60, abs=0.1)


def test_nothing_due_costs_nothing() -> None:
    found = estimate([], left_out={})
    assert (found.fixtures, found.calls, found.minutes, found.chunks) == (0, {"Fixture": 0}, 0.0, [])


@pytest.mark.parametrize("state", [1, 2, 5, 10, 12, 17])
def test_what_was_read_before_the_clock_was_set_back_is_read_again(state: int) -> None:
    """Its time lies ahead, so nobody knows when it was read; once read again, it follows the schedule."""
    ahead, again = read(1, 1, state=state, read_ago=-2), read(1, 2, state=state, read_ago=0)
    chunks, _ = plan([ahead, again])
    assert [fixture.fixture_id for chunk in chunks for fixture in chunk.fixtures] == [1001]
    # The clocks of two machines may differ a little.
    assert plan([read(1, 1, state=state, read_ago=-30 / 86_400)])[0] == []


def test_a_change_of_the_index_from_before_the_clock_was_set_back_is_due_now() -> None:
    season, key, state = read(1, 1)
    chunks, _ = plan([(season, key, replace(state, index_changed_at=NOW + 2 * DAY))])
    assert [fixture.reason for fixture in chunks[0].fixtures] == ["changed_in_index"]
