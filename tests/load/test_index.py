"""Season indexes and tombstones in the warehouse."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.collect.plan_store import read_states
from sportmonks.load.batch import store_batch
from sportmonks.load.index import IndexResult
from sportmonks.planning.chunks import RunFilter, plan_chunks
from sportmonks.warehouse.queries import sql
from tests.harness.load import HOUR, NOW, ChunkHarness, FixtureJson, fixture_row, rows_of

DAY = timedelta(days=1)


def due(chunk: ChunkHarness, days: float = 0) -> dict[int, str]:
    """Reasons by id of the fixtures that are due now, or in some days."""
    states = read_states(chunk.conn, chunk.league_id)
    chunks, _ = plan_chunks(states, RunFilter(), chunk.context().recheck, chunk.guard, chunk.now + days * DAY)
    return {found.fixture_id: found.reason for part in chunks for found in part.fixtures}


@pytest.fixture
def read(chunk: ChunkHarness, payloads: list[FixtureJson]) -> ChunkHarness:
    """The chunk with every fixture collected, and with the rechecks done: nothing is due."""
    for _ in range(2):
        chunk.store(*payloads)
    assert due(chunk) == {}
    return chunk


def test_an_index_makes_every_fixture_known_and_due(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    assert due(chunk) == {row["id"]: "never_collected" for row in payloads}
    row = fixture_row(chunk.conn, payloads[0]["id"])
    assert (row["collection_status"], row["name"], row["stage_id"]) == (
        "PENDING",
        payloads[0]["name"],
        payloads[0]["stage_id"],
    )
    (state,) = rows_of(chunk.conn, "etl.chunks")
    assert (state["indexed_at"], state["total_fixtures"]) == (NOW, len(payloads))


def test_the_same_index_again_reports_nothing_new(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    before = rows_of(chunk.conn, "football.fixtures")
    chunk.now += DAY
    found = chunk.index(*payloads[::-1])
    assert (found.listed, found.new, found.moved, found.gone) == (len(payloads), 0, 0, 0)
    assert rows_of(chunk.conn, "football.fixtures") == before


CHANGES: list[dict[str, Any]] = [
    {"state_id": 7},
    {"starting_at": "2027-01-01 20:00:00"},
    {"name": "Winner of A vs Winner of B", "placeholder": True},
    {"stage_id": 8},
    {"round_id": None},
    {"group_id": 8},
    {"aggregate_id": 8},
    {"venue_id": 8},
    {"result_info": "Decided afterwards."},
    {"leg": "2/2"},
    {"details": "Replay"},
    {"length": 120},
    {"has_odds": False},
]


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_fixture_that_moved_in_the_index_is_due_and_its_payload_decides(
    read: ChunkHarness, payloads: list[FixtureJson], change: dict[str, Any]
) -> None:
    one, *others = payloads
    before = fixture_row(read.conn, one["id"])
    read.now += DAY
    found = read.index({**one, **change}, *others)
    assert (found.new, found.moved, found.gone) == (0, 1, 0)
    assert due(read) == {one["id"]: "changed_in_index"}
    row = fixture_row(read.conn, one["id"])
    assert all(row[key] == before[key] for key in (*change, "updated_at"))
    read.store(one)
    assert due(read) == {}


def test_a_field_that_the_index_leaves_out_has_not_moved(read: ChunkHarness, payloads: list[FixtureJson]) -> None:
    found = read.index(*({**row, "state_id": None, "starting_at": None} for row in payloads))
    assert (found.moved, due(read)) == (0, {})


def test_what_an_index_tells_of_a_fixture_that_is_not_collected_is_taken(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """A final whose teams are drawn, with its round and venue."""
    drawn = {**payloads[0], "name": "A vs B", "placeholder": False, "venue_id": 12, "round_id": 34, "result_info": None}
    chunk.index({**payloads[0], "name": "TBC vs TBC", "placeholder": True, "round_id": None}, *payloads[1:])
    assert fixture_row(chunk.conn, drawn["id"])["name"] == "TBC vs TBC"
    assert chunk.index(drawn, *payloads[1:]).moved == 1
    row = fixture_row(chunk.conn, drawn["id"])
    for key in ("name", "placeholder", "venue_id", "round_id", "stage_id", "result_info"):
        assert row[key] == drawn[key]


def test_an_index_that_goes_on_telling_something_else_does_not_make_due_in_every_run(
    read: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    other = [{**payloads[0], "venue_id": 8}, *payloads[1:]]
    # Two reads have brought nothing new when it begins: the delay is 80 hours after the next, and then twice as long.
    for hours, moved in ((24, 1), (1, 0), (24, 0), (48, 0), (24, 1), (1, 0), (120, 0), (48, 1)):
        read.now += timedelta(hours=hours)
        assert read.index(*other).moved == moved
        if moved:
            read.store(payloads[0])
    # Something else is listed: due at once.
    other[0]["venue_id"] = 9
    assert read.index(*other).moved == 1


def test_what_the_index_showed_while_a_call_was_under_way_is_still_due(
    read: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    called_at = read.now + timedelta(minutes=30)
    read.now += timedelta(minutes=31)
    read.index({**payloads[0], "venue_id": 8}, *payloads[1:])
    store_batch(read.conn, replace(read.fetched(payloads[0]), at=called_at), read.context())
    assert due(read) == {payloads[0]["id"]: "changed_in_index"}
    assert fixture_row(read.conn, payloads[0]["id"])["next_due_at"] <= read.now


@pytest.mark.parametrize("how", ["teams", "name", "swapped"])
def test_a_match_that_is_created_anew_under_another_id_counts_once(
    read: ChunkHarness, payloads: list[FixtureJson], how: str
) -> None:
    old, *others = payloads
    new = {**old, "id": 77, **({} if how == "name" else {"name": "Another name"})}
    if how == "swapped":
        sides = {"home": "away", "away": "home"}
        new["participants"] = [
            {**row, "meta": {**row["meta"], "location": sides[row["meta"]["location"]]}} for row in old["participants"]
        ]
    season = (read.league_id, read.season_id)

    def results() -> set[int]:
        return {row["fixture_id"] for row in rows_of(read.conn, "football.fixture_results")}

    read.now += DAY
    read.index(new, *others)
    read.store(new)
    read.conn.execute("SELECT etl.recount_coverage(%s, %s)", season)
    assert fixture_row(read.conn, old["id"])["replaced_by"] == 77
    assert results() == {row["id"] for row in (new, *others)}
    (chunk,) = rows_of(read.conn, "etl.chunks")
    assert (chunk["total_fixtures"], chunk["collected_fixtures"]) == (len(payloads), len(payloads))
    assert rows_of(read.conn, "football.season_coverage")[0]["fixtures"] == len(payloads)
    # It is read once for being gone, and then left alone, whatever came of it.
    assert due(read)[old["id"]] == "gone_from_index"
    read.store(missing=(old["id"],))
    assert old["id"] not in due(read, days=1000)
    assert fixture_row(read.conn, old["id"])["next_due_at"] is None
    # The index lists it again: it is a match of its own.
    read.now += DAY
    read.index(old, new, *others)
    assert fixture_row(read.conn, old["id"])["replaced_by"] is None
    assert results() == {row["id"] for row in (old, new, *others)}
    assert due(read)[old["id"]] == "changed_in_index"


def test_a_fixture_is_not_replaced_by_one_that_goes_itself(read: ChunkHarness, payloads: list[FixtureJson]) -> None:
    old, *others = payloads
    new = {**old, "id": 77}
    read.now += DAY
    read.index(new, *others)
    read.store(old, new)
    assert fixture_row(read.conn, old["id"])["replaced_by"] == 77
    read.now += DAY
    read.index(*others)
    assert [fixture_row(read.conn, key)["replaced_by"] for key in (old["id"], 77)] == [None, None]
    assert due(read).keys() == {old["id"], 77}


def test_matches_of_other_days_or_without_teams_replace_none(read: ChunkHarness, payloads: list[FixtureJson]) -> None:
    old, *others = payloads
    read.now += DAY
    read.index({**old, "id": 77, "starting_at": "2031-01-01 20:00:00"}, *others)
    assert fixture_row(read.conn, old["id"])["replaced_by"] is None
    unknown = {**old, "id": 78, "name": "TBC vs TBC", "placeholder": True}
    read.index({**unknown, "id": 79}, unknown, *others)
    read.index({**unknown, "id": 79}, *others)
    assert fixture_row(read.conn, 78)["index_missing_at"]
    assert fixture_row(read.conn, 78)["replaced_by"] is None


def test_a_new_fixture_and_one_that_is_gone(read: ChunkHarness, payloads: list[FixtureJson]) -> None:
    read.now += DAY
    found = read.index(*payloads[1:], {**payloads[0], "id": 77})
    assert (found.new, found.moved, found.gone) == (1, 0, 1)
    assert due(read) == {77: "never_collected", payloads[0]["id"]: "gone_from_index"}
    assert fixture_row(read.conn, payloads[0]["id"])["collection_status"] == "COLLECTED"
    read.now += DAY
    assert read.index(*payloads, {**payloads[0], "id": 77}).moved == 1
    assert fixture_row(read.conn, payloads[0]["id"])["index_missing_at"] is None


def test_a_fixture_that_is_gone_before_it_was_ever_collected_is_still_due(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    assert chunk.index(*payloads[1:]).gone == 1
    assert due(chunk)[payloads[0]["id"]] == "never_collected"
    assert fixture_row(chunk.conn, payloads[0]["id"])["last_fetched_at"] is None


def test_a_response_from_a_clock_that_is_ahead_hides_no_deletion(
    read: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """A worker whose clock is ahead stores its response after the index without the fixture was read."""
    gone = payloads[0]
    read.index(*payloads[1:])
    read.now += 2 * DAY
    read.store(gone)
    read.now -= DAY
    # Nobody knows when a response was read whose time lies ahead, so it answers no note of the index.
    assert due(read)[gone["id"]] == "gone_from_index"
    assert read.index(*payloads[1:]).gone == 1
    assert due(read, days=0.1)[gone["id"]] == "gone_from_index"


def test_an_empty_index_marks_no_known_fixture_as_gone(read: ChunkHarness) -> None:
    assert read.index().gone == 0
    assert due(read) == {}


def index_state(chunk: ChunkHarness) -> tuple[Any, int, Any]:
    (row,) = rows_of(chunk.conn, "etl.chunks")
    return row["indexed_at"], row["doubtful_indexes"], row["index_suspected_at"]


def test_a_first_index_without_rows_is_no_read_and_believed_only_after_several_over_time(
    warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]
) -> None:
    chunk = ChunkHarness(warehouse, 8, 9)
    for number in range(1, 4):
        first = chunk.now
        assert chunk.index() == IndexResult(0, 0, 0, 0, believed=False)
        # An answer shortly after the last one counts as one with it.
        chunk.now += timedelta(minutes=5)
        assert not chunk.index().believed
        assert index_state(chunk) == (None, number, first)
        chunk.now += HOUR
    assert chunk.index().believed
    assert index_state(chunk) == (chunk.now, 0, None)
    # From then on an empty index is what the season has.
    chunk.now += HOUR
    assert chunk.index().believed


def test_an_index_with_rows_ends_the_suspicion(warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]) -> None:
    chunk = ChunkHarness(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    chunk.index()
    assert chunk.index(*payloads).new == len(payloads)
    assert index_state(chunk) == (chunk.now, 0, None)


@pytest.mark.parametrize("known", [1, None])
def test_an_index_that_stays_empty_makes_all_its_fixtures_gone(
    warehouse: psycopg.Connection[Any], payloads: list[FixtureJson], known: int | None
) -> None:
    chunk = ChunkHarness(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    chunk.index(*payloads[:known])
    chunk.store(*payloads[:known])
    count = len(payloads[:known])
    for _ in range(3):
        chunk.now += DAY
        found = chunk.index()
        assert (found.gone, found.suspected, found.believed) == (0, count, False)
    chunk.now += DAY
    assert chunk.index().gone == count
    assert set(due(chunk).values()) == {"gone_from_index"}
    assert index_state(chunk) == (chunk.now, 0, None)
    # They are noted once.
    chunk.now += DAY
    assert (chunk.index().gone, chunk.index().believed) == (0, True)


def test_a_suspicion_from_a_clock_that_was_ahead_does_not_stop_the_count(
    warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]
) -> None:
    chunk = ChunkHarness(warehouse, 8, 9)
    chunk.now += 2 * DAY
    chunk.index()
    chunk.now -= 2 * DAY
    chunk.index()
    assert index_state(chunk) == (None, 2, chunk.now)


ODD_ROWS = [
    {"venue_id": "", "round_id": "", "stage_id": "", "group_id": ""},
    {"venue_id": "12", "state_id": "5"},
    {"venue_id": 12.5, "stage_id": True, "name": {"en": "x"}},
    {"venue_id": 10**30, "starting_at": "soon"},
    {"league_id": "", "season_id": None},
    {"name": "A\x00B"},
    {"name": "1\ud83d", "starting_at": "0001-01-01T00:00:00+01:00"},
    {"name": float("nan"), "round_id": float("inf"), "starting_at": "9999-12-31T23:59:59-12:00"},
]


@pytest.mark.parametrize("odd", ODD_ROWS, ids=str)
def test_an_odd_row_costs_neither_itself_nor_the_index(
    chunk: ChunkHarness, payloads: list[FixtureJson], odd: dict[str, Any]
) -> None:
    found = chunk.index({**payloads[0], "id": 77, **odd}, *payloads)
    assert (found.new, found.gone) == (1, 0)
    row = fixture_row(chunk.conn, 77)
    assert (row["league_id"], row["season_id"]) == (chunk.league_id, chunk.season_id)


@pytest.mark.parametrize("odd", [None, "", 10**30, "x", {"id": 1}])
def test_a_row_without_a_usable_id_is_left_out_and_counted(
    chunk: ChunkHarness, payloads: list[FixtureJson], odd: Any
) -> None:
    found = chunk.index({**payloads[0], "id": odd}, {"name": "?"}, *payloads, {**payloads[0], "id": 77})
    assert (found.listed, found.new, found.gone, found.skipped) == (len(payloads) + 1, 1, 0, 2)


def test_an_index_with_a_row_without_an_id_marks_no_fixture_as_gone(
    read: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """The row may be that of the fixture that seems to be gone."""
    found = read.index({**payloads[0], "id": None}, *payloads[1:])
    assert (found.skipped, found.gone, due(read)) == (1, 0, {})
    assert read.index(*payloads[1:]).gone == 1


def test_an_index_with_rows_that_cannot_be_used_is_believed_when_it_stays_so(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """A fixture of a season that is over would be missed until its next index, a month later."""
    odd = {**payloads[0], "id": None}
    for number in range(1, 4):
        chunk.now += HOUR
        assert not chunk.index(odd, *payloads).believed
        assert index_state(chunk) == (NOW, number, chunk.now)
    for _ in range(3):
        chunk.now += DAY
        assert chunk.index(odd, *payloads).believed
        assert index_state(chunk) == (chunk.now, 0, None)
    # More of them are suspected anew, and after an index without any so is the first.
    assert not chunk.index(odd, odd, *payloads).believed
    assert chunk.index(*payloads).believed
    assert not chunk.index(odd, *payloads).believed


def test_a_row_that_the_warehouse_refuses_is_left_out_and_counted(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """Whatever the reason is: here a rule that somebody added to the table."""
    chunk.conn.execute("ALTER TABLE football.fixtures ADD CONSTRAINT no_test CHECK (name <> 'Test')")
    rows = [{**payloads[0], "id": key, "name": "Test" if key == 79 else "A"} for key in range(77, 82)]
    found = chunk.index(*payloads, *rows)
    assert (found.new, found.gone, found.skipped) == (4, 0, 1)
    assert {row["id"] for row in rows_of(chunk.conn, "football.fixtures", "id < 100")} == {77, 78, 80, 81}


def test_a_row_of_the_index_may_come_twice(warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]) -> None:
    chunk = ChunkHarness(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    assert chunk.index(*payloads, *payloads[:3]).new == len(payloads)


def test_a_tombstone_stays_until_the_index_lists_the_fixture_again(
    read: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    one, *others = payloads
    names = {"execution_id": "etl_test", "ids": [one["id"]], "now": read.now}
    read.conn.execute(sql("plan/tombstone"), names)
    row = fixture_row(read.conn, one["id"])
    assert (row["collection_status"], row["state_id"], row["next_due_at"]) == ("DELETED", 20, None)
    assert due(read, days=10_000).get(one["id"]) is None
    assert rows_of(read.conn, "football.fixture_events", "fixture_id = %s", one["id"])
    (change,) = rows_of(read.conn, "etl.fixture_changes")
    assert (change["section"], change["field"], change["before"], change["after"]) == (
        "fixture",
        "deleted",
        False,
        True,
    )
    assert float(change["hours_after"]) == pytest.approx((read.now - row["ended_at"]).total_seconds() / 3600, abs=0.01)
    # A second time changes nothing.
    read.conn.execute(sql("plan/tombstone"), names)
    assert len(rows_of(read.conn, "etl.fixture_changes")) == 1
    read.now += DAY
    read.index(*others)
    assert fixture_row(read.conn, one["id"])["collection_status"] == "DELETED"
    # Listed among the others, but as deleted: it stays a tombstone.
    read.index(one | {"state_id": 20}, *others)
    # And so it does when its row tells no state.
    for untold in (None, ""):
        read.index(one | {"state_id": untold}, *others)
    assert fixture_row(read.conn, one["id"])["collection_status"] == "DELETED"
    read.now += DAY
    read.index(one, *others)
    assert one["id"] in due(read)
    changes = sorted(rows_of(read.conn, "etl.fixture_changes"), key=lambda row: row["change_id"])
    assert [(row["field"], row["before"], row["after"]) for row in changes] == [
        ("deleted", False, True),
        ("deleted", True, False),
    ]
    # Recorded once, however often it is listed until it is read.
    read.index(one, *others)
    assert len(rows_of(read.conn, "etl.fixture_changes")) == 2


def test_of_a_fixture_that_is_listed_twice_the_later_row_counts(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    first, *others = payloads
    chunk.index({**first, "name": "earlier"}, *others, {**first, "name": "later"})
    assert fixture_row(chunk.conn, first["id"])["name"] == "later"
