"""Season indexes, reference lists and tombstones in the warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.collect.plan_store import read_facts
from sportmonks.planning.chunks import RunFilter, plan_chunks
from sportmonks.reference.store import LISTS, store_list
from sportmonks.warehouse.connection import sql
from tests.load.helpers import NOW, Chunk, Payload, fixture, rows_of

DAY = timedelta(days=1)


def due(chunk: Chunk, days: float = 0) -> dict[int, str]:
    """Fixtures due now (or in some days) and why."""
    facts = read_facts(chunk.conn, chunk.league_id)
    chunks, _ = plan_chunks(facts, RunFilter(), chunk.context().recheck, chunk.guard, chunk.now + days * DAY)
    return {found.fixture_id: found.reason for part in chunks for found in part.fixtures}


@pytest.fixture
def read(chunk: Chunk, payloads: list[Payload]) -> Chunk:
    """All of the chunk is collected, ladder and all: nothing is due."""
    for _ in range(2):
        chunk.store(*payloads)
    assert due(chunk) == {}
    return chunk


def test_an_index_makes_every_fixture_known_and_due(chunk: Chunk, payloads: list[Payload]) -> None:
    assert due(chunk) == {row["id"]: "never_collected" for row in payloads}
    row = fixture(chunk.conn, payloads[0]["id"])
    assert (row["collection_status"], row["name"], row["stage_id"]) == (
        "PENDING",
        payloads[0]["name"],
        payloads[0]["stage_id"],
    )
    (stand,) = rows_of(chunk.conn, "etl.chunks")
    assert (stand["indexed_at"], stand["total_fixtures"]) == (NOW, len(payloads))


def test_the_same_index_again_says_nothing_new(chunk: Chunk, payloads: list[Payload]) -> None:
    before = rows_of(chunk.conn, "football.fixtures")
    chunk.now += DAY
    found = chunk.index(*payloads[::-1])
    assert (found.listed, found.new, found.moved, found.gone) == (len(payloads), 0, 0, 0)
    assert rows_of(chunk.conn, "football.fixtures") == before


@pytest.mark.parametrize("change", [{"state_id": 7}, {"starting_at": "2027-01-01 20:00:00"}])
def test_what_moved_in_the_index_is_due_and_its_payload_decides(
    read: Chunk, payloads: list[Payload], change: dict[str, Any]
) -> None:
    one, *others = payloads
    before = fixture(read.conn, one["id"])
    read.now += DAY
    found = read.index({**one, **change}, *others)
    assert (found.new, found.moved, found.gone) == (0, 1, 0)
    assert due(read) == {one["id"]: "changed_in_index"}
    row = fixture(read.conn, one["id"])
    assert all(row[key] == before[key] for key in ("state_id", "starting_at", "updated_at"))
    read.store(one)
    assert due(read) == {}


def test_a_field_that_the_index_leaves_out_has_not_moved(read: Chunk, payloads: list[Payload]) -> None:
    found = read.index(*({**row, "state_id": None, "starting_at": None} for row in payloads))
    assert (found.moved, due(read)) == (0, {})


def test_a_new_fixture_and_one_that_is_gone(read: Chunk, payloads: list[Payload]) -> None:
    read.now += DAY
    found = read.index(*payloads[1:], {**payloads[0], "id": 77})
    assert (found.new, found.moved, found.gone) == (1, 0, 1)
    assert due(read) == {77: "never_collected", payloads[0]["id"]: "gone_from_index"}
    assert fixture(read.conn, payloads[0]["id"])["collection_status"] == "COLLECTED"
    read.now += DAY
    assert read.index(*payloads, {**payloads[0], "id": 77}).moved == 1
    assert fixture(read.conn, payloads[0]["id"])["index_missing_at"] is None


def test_what_is_gone_before_it_was_ever_collected_is_still_to_be_asked_for(
    chunk: Chunk, payloads: list[Payload]
) -> None:
    assert chunk.index(*payloads[1:]).gone == 1
    assert due(chunk)[payloads[0]["id"]] == "never_collected"
    assert fixture(chunk.conn, payloads[0]["id"])["last_fetched_at"] is None


def test_an_answer_from_a_clock_that_is_ahead_hides_no_deletion(read: Chunk, payloads: list[Payload]) -> None:
    """A worker whose clock is ahead stores its answer after the index without the fixture was read."""
    gone = payloads[0]
    read.index(*payloads[1:])
    read.now += 2 * DAY
    read.store(gone)
    read.now -= DAY
    assert gone["id"] not in due(read)
    assert read.index(*payloads[1:]).gone == 1
    assert due(read, days=0.1)[gone["id"]] == "gone_from_index"


def test_an_empty_index_says_nothing_about_known_fixtures(read: Chunk) -> None:
    assert read.index().gone == 0
    assert due(read) == {}


ODD_ROWS = [
    {"venue_id": "", "round_id": "", "stage_id": "", "group_id": ""},
    {"venue_id": "12", "state_id": "5"},
    {"venue_id": 12.5, "stage_id": True, "name": {"en": "x"}},
    {"venue_id": 10**30, "starting_at": "soon"},
    {"league_id": "", "season_id": None},
    {"name": "A\x00B"},
]


@pytest.mark.parametrize("odd", ODD_ROWS, ids=str)
def test_an_odd_row_costs_neither_itself_nor_the_index(
    chunk: Chunk, payloads: list[Payload], odd: dict[str, Any]
) -> None:
    found = chunk.index({**payloads[0], "id": 77, **odd}, *payloads)
    assert (found.new, found.gone) == (1, 0)
    row = fixture(chunk.conn, 77)
    assert (row["league_id"], row["season_id"]) == (chunk.league_id, chunk.season_id)


def test_a_row_of_the_index_may_come_twice(warehouse: psycopg.Connection[Any], payloads: list[Payload]) -> None:
    chunk = Chunk(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    assert chunk.index(*payloads, *payloads[:3]).new == len(payloads)


def test_a_tombstone_stays_and_rises_when_the_index_lists_it_again(read: Chunk, payloads: list[Payload]) -> None:
    one, *others = payloads
    names = {"execution_id": "etl_test", "ids": [one["id"]], "now": read.now}
    read.conn.execute(sql("plan/tombstone"), names)
    row = fixture(read.conn, one["id"])
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
    # Twice is once.
    read.conn.execute(sql("plan/tombstone"), names)
    assert len(rows_of(read.conn, "etl.fixture_changes")) == 1
    read.now += DAY
    read.index(*others)
    assert fixture(read.conn, one["id"])["collection_status"] == "DELETED"
    # Listed among the others, but as deleted: still one.
    read.index(one | {"state_id": 20}, *others)
    assert fixture(read.conn, one["id"])["collection_status"] == "DELETED"
    read.now += DAY
    read.index(one, *others)
    assert one["id"] in due(read)
    told = sorted(rows_of(read.conn, "etl.fixture_changes"), key=lambda row: row["change_id"])
    assert [(row["field"], row["before"], row["after"]) for row in told] == [
        ("deleted", False, True),
        ("deleted", True, False),
    ]
    # Told once, however often it is listed until it is read.
    read.index(one, *others)
    assert len(rows_of(read.conn, "etl.fixture_changes")) == 2


# ---- reference lists

STATE = {"id": 5, "state": "FT", "name": "Full Time", "short_name": "FT", "developer_name": "FT"}


def test_a_list_is_written_once_and_moves_only_where_it_changed(warehouse: psycopg.Connection[Any]) -> None:
    rows = [STATE, {**STATE, "id": 1, "name": "Not Started"}]
    assert store_list(warehouse, "states", rows, NOW) == (2, 0)
    assert store_list(warehouse, "states", rows[::-1], NOW + DAY) == (0, 0)
    assert store_list(warehouse, "states", [{**STATE, "name": "Over"}], NOW + DAY) == (0, 1)
    found = {row["id"]: (row["name"], row["updated_at"]) for row in rows_of(warehouse, "football.states")}
    assert found == {5: ("Over", NOW + DAY), 1: ("Not Started", NOW)}


def test_an_empty_list_says_nothing(warehouse: psycopg.Connection[Any]) -> None:
    store_list(warehouse, "states", [STATE], NOW)
    assert store_list(warehouse, "states", [], NOW) == (0, 0)
    assert len(rows_of(warehouse, "football.states")) == 1


@pytest.mark.parametrize("name", LISTS)
def test_odd_rows_of_every_list(warehouse: psycopg.Connection[Any], name: str) -> None:
    needed = {"league_id": 8} if name == "seasons" else {}
    rows: list[dict[str, Any]] = [
        {"id": 1, **needed, "name": "A", "unknown": [1], "image_path": None},
        {
            "id": "2",
            **needed,
            "name": "",
            "country_id": "",
            "founded": "",
            "is_current": "",
            "starting_at": "",
            "category": "",
        },
        {"id": 3, **needed},
        {"id": None, **needed, "name": "nobody"},
        {"id": "", **needed},
        {"id": 1, **needed, "name": "A"},
    ]
    assert store_list(warehouse, name, rows, NOW)[0] == 3
    assert {row["id"] for row in rows_of(warehouse, f"football.{name}")} == {1, 2, 3}


def test_an_unknown_list_is_refused(warehouse: psycopg.Connection[Any]) -> None:
    with pytest.raises(ValueError, match="no list named coaches; known: states"):
        store_list(warehouse, "coaches", [], NOW)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("leagues", "2023_football__leagues__all.json"),
        ("seasons", "2023_football__seasons__all.json"),
        ("stages", "2023_football__stages__by_season_id.json"),
        ("rounds", "2023_football__rounds__season_id.json"),
        ("teams", "2023_football__teams__by_season_id.json"),
        ("venues", "2023_football__venues__by_season_id.json"),
        ("states", "2023_football__states__by_sport.json"),
        ("types", "2023_core__types__all.json"),
    ],
)
def test_real_lists(warehouse: psycopg.Connection[Any], samples: Path, name: str, file: str) -> None:
    data = msgspec.json.decode((samples / file).read_bytes())["data"]
    expected = {row["id"]: row for row in data}
    assert store_list(warehouse, name, data, NOW) == (len(expected), 0)
    assert store_list(warehouse, name, data, NOW + DAY) == (0, 0)
    for stored in rows_of(warehouse, f"football.{name}"):
        sent = expected[stored["id"]]
        for column, value in stored.items():
            if column in ("created_at", "updated_at"):
                assert value == NOW
            elif column in sent and isinstance(value, datetime):
                assert value == datetime.fromisoformat(sent[column]).replace(tzinfo=UTC)
            elif column in sent and value is not None and not hasattr(value, "isoformat"):
                assert type(value)(sent[column]) == value, column
            elif column in sent:
                assert sent[column] in (None, "", str(value)), column
