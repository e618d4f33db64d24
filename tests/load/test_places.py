"""Fixtures that an answer puts into another season or league: suspected first, and left where they are."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.harness.load import HOUR, NOW, ChunkHarness, FixtureJson, assert_stored, fixture_row, rows_of

DAY = timedelta(days=1)
Place = tuple[int, int]
OTHERS = [{"season_id": 99_999}, {"league_id": 77_777}, {"league_id": 77_777, "season_id": 99_999}]


def place_of(chunk: ChunkHarness, payload: FixtureJson) -> Place:
    row = fixture_row(chunk.conn, payload["id"])
    return row["league_id"], row["season_id"]


def named(payload: FixtureJson) -> Place:
    return payload["league_id"], payload["season_id"]


def state(chunk: ChunkHarness) -> tuple[Any, int]:
    (row,) = rows_of(chunk.conn, "etl.chunks", "season_id = %s", chunk.season_id)
    return row["indexed_at"], row["doubtful_indexes"]


# ---- indexes


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_an_index_of_another_season_stores_none_of_its_rows_and_takes_none_away(
    chunk: ChunkHarness, payloads: list[FixtureJson], other: dict[str, Any]
) -> None:
    """As a proxy gives it that has cached the answer to another request. Three fixtures are few enough to be believed
    to be gone at once, if the index were one of this season."""
    chunk.conn.execute("DELETE FROM football.fixtures WHERE id <> ALL (%s)", ([each["id"] for each in payloads[:3]],))
    before = rows_of(chunk.conn, "football.fixtures")
    chunk.now += DAY
    found = chunk.index(*({**payload, "id": payload["id"] + 10**6, **other} for payload in payloads))
    assert (found.listed, found.new, found.moved, found.gone) == (0, 0, 0, 0)
    assert (found.foreign, found.believed) == (len(payloads), False)
    assert rows_of(chunk.conn, "football.fixtures") == before
    assert state(chunk) == (NOW, 1)


def test_a_first_index_of_another_season_does_not_count_as_read(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    new = ChunkHarness(chunk.conn, chunk.league_id, 99_999)
    assert not new.index(*payloads).believed
    assert state(new) == (None, 1)
    assert {place_of(chunk, each) for each in payloads} == {named(payloads[0])}


def test_an_index_of_all_seasons_gives_its_own_rows_and_stays_suspected_until_it_persists(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """As a server lists it that ignores the filter. What is new of this season is taken at once."""
    new, foreign = {**payloads[0], "id": 77}, {**payloads[0], "id": 78, "season_id": 99_999}
    for number in range(1, 4):
        chunk.now += HOUR
        found = chunk.index(*payloads[1:], new, foreign)
        assert (found.listed, found.gone, found.foreign, found.believed) == (len(payloads), 0, 1, False)
        assert state(chunk) == (NOW, number)
    assert place_of(chunk, new) == named(new)
    assert rows_of(chunk.conn, "football.fixtures", "id = 78") == []
    chunk.now += HOUR
    found = chunk.index(*payloads[1:], new, foreign)
    # From now on it counts, but its foreign rows are none of this season's all the same.
    assert (found.gone, found.foreign, found.believed) == (1, 1, True)
    assert state(chunk) == (chunk.now, 0)
    assert rows_of(chunk.conn, "football.fixtures", "id = 78") == []


def test_a_row_that_names_no_season_leaves_a_known_fixture_where_it_is(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    ChunkHarness(chunk.conn, chunk.league_id, 99_999).index({**payloads[0], "season_id": None}, {"id": 77})
    assert place_of(chunk, payloads[0]) == named(payloads[0])
    assert fixture_row(chunk.conn, 77)["season_id"] == 99_999


# ---- payloads


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_a_first_payload_of_another_place_is_read_again_soon(
    chunk: ChunkHarness, payloads: list[FixtureJson], other: dict[str, Any], typed: bool
) -> None:
    chunk.typed = typed
    one = payloads[0]
    chunk.store({**one, **other})
    row = fixture_row(chunk.conn, one["id"])
    assert place_of(chunk, one) == named(one)
    assert (row["suspected_sections"], row["next_due_at"]) == (", ".join(other), chunk.now + HOUR)
    assert [row["fixture_id"] for row in rows_of(chunk.conn, "football.suspected_fixtures")] == [one["id"]]
    chunk.store(one)
    assert_stored(chunk.conn, one)
    row = fixture_row(chunk.conn, one["id"])
    assert (row["suspected_sections"], row["held_reads"]) == (None, 0)


@pytest.mark.parametrize("other", OTHERS, ids=str)
@pytest.mark.parametrize("changing", [False, True])
def test_a_first_payload_that_stays_in_another_place_is_believed(
    chunk: ChunkHarness, payloads: list[FixtureJson], other: dict[str, Any], changing: bool
) -> None:
    for number in range(4):
        assert place_of(chunk, payloads[0]) == named(payloads[0])
        moved = {**payloads[0], **other, **({"length": 90 + number} if changing else {})}
        chunk.store(moved)
    assert_stored(chunk.conn, moved)
    row = fixture_row(chunk.conn, moved["id"])
    assert (row["suspected_sections"], row["held_reads"], row["updated_at"]) == (None, 0, chunk.now)
    assert chunk.store(moved).outcomes == {"UNCHANGED": 1}


@pytest.mark.parametrize("more", [{}, {"result_info": "Corrected."}], ids=str)
@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_a_payload_that_moves_a_stored_fixture_is_held_back_in_that_alone(
    chunk: ChunkHarness, payloads: list[FixtureJson], other: dict[str, Any], more: dict[str, Any]
) -> None:
    one = payloads[0]
    chunk.store(one)
    for number in range(1, 4):
        assert chunk.store({**one, **more, **other}).outcomes == {"HELD": 1}
        # What else it brings is stored at once.
        assert_stored(chunk.conn, {**one, **more})
        error = fixture_row(chunk.conn, one["id"])["last_error"]
        assert f"comes with {next(iter(other))} " in error
        assert f"(read {number} of 3)" in error
    assert chunk.store({**one, **more, **other}).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, {**one, **more, **other})
    ledger = {(row["field"], row["before"], row["after"]) for row in rows_of(chunk.conn, "etl.fixture_changes")}
    assert {(name, one[name], value) for name, value in other.items()} <= ledger


def test_another_place_each_time_is_never_believed(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.store(one)
    for number in range(6):
        assert chunk.store({**one, "season_id": 99_000 + number}).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, one)
    assert chunk.store(one).outcomes == {"UNCHANGED": 1}
    assert fixture_row(chunk.conn, one["id"])["held_reads"] == 0


def test_an_unplayed_fixture_of_another_season_is_visible(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """Unlike teams that are not known yet, which is no accident."""
    chunk.store({**payloads[0], "state_id": 1, "scores": [], "season_id": 99_999})
    assert rows_of(chunk.conn, "football.suspected_fixtures")[0]["suspected_sections"].startswith("season_id")


def test_a_read_with_fewer_includes_moves_nothing(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.store(one)
    chunk.usual_includes, chunk.includes = chunk.includes, ("scores",)
    narrow = {key: value for key, value in one.items() if not isinstance(value, list) or key == "scores"}
    for _ in range(5):
        chunk.store({**narrow, "season_id": 99_999})
    assert place_of(chunk, one) == named(one)
