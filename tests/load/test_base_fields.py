"""What was known of a fixture is not lost because one answer comes without it."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from tests.harness.load import ChunkHarness, FixtureJson, assert_stored, fixture_row, rows_of

FIELDS = ("state_id", "starting_at", "name", "venue_id", "round_id", "stage_id", "league_id", "season_id")


@pytest.mark.parametrize(
    ("field", "how"),
    [*((field, "null") for field in FIELDS), ("name", "absent"), ("name", "empty"), ("venue_id", "empty")],
)
def test_a_field_that_does_not_come_any_more_is_held_back(
    chunk: ChunkHarness, rich: FixtureJson, field: str, how: str
) -> None:
    before = fixture_row(chunk.conn, rich["id"])
    lost = copy.deepcopy({**rich, "result_info": "corrected"})
    lost.pop(field) if how == "absent" else lost.update({field: None if how == "null" else ""})
    for number in (1, 2, 3):
        stored = chunk.store(lost)
        assert stored.outcomes == {"HELD": 1}
        assert stored.problems[rich["id"]].startswith(f"degraded in {field}: stored data kept (read {number}")
        assert_stored(chunk.conn, {**rich, "result_info": "corrected"})
        row = fixture_row(chunk.conn, rich["id"])
        assert (row["held_reads"], row["due_reason"]) == (number, "held")
        assert row["next_due_at"] == chunk.now + timedelta(hours=1)
    assert chunk.store(lost).outcomes == {"SAVED": 1}
    row = fixture_row(chunk.conn, rich["id"])
    # The chunk's own ids fill in for those of the payload.
    assert (row[field] or None) == (before[field] if field in ("league_id", "season_id") else None)


def test_all_fields_at_once_are_held_back_and_come_back(chunk: ChunkHarness, rich: FixtureJson) -> None:
    fields = [*FIELDS, "result_info"]
    known = {**rich, "result_info": "A won"}
    chunk.store(known)
    assert chunk.store({**known, **dict.fromkeys(fields)}).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, known)
    (raw,) = rows_of(chunk.conn, "raw.fixtures", "fixture_id = %s", rich["id"])
    assert raw["payload"] == known
    assert chunk.store(known).outcomes == {"UNCHANGED": 1}
    assert fixture_row(chunk.conn, rich["id"])["held_reads"] == 0


def test_fields_that_make_no_other_match_of_it_may_go(chunk: ChunkHarness, rich: FixtureJson) -> None:
    fields = {"length": 90, "placeholder": False, "has_odds": True, "has_premium_odds": True, "sport_id": 1}
    known = {**rich, **fields, "starting_at_timestamp": 1_700_000_000}
    chunk.store(known)
    less = {**known, **dict.fromkeys([*fields, "starting_at_timestamp"])}
    assert chunk.store(less).outcomes == {"SAVED": 1}
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["length"], row["has_premium_odds"], row["held_reads"]) == (None, None, 0)
    # A tombstone keeps them all the same.
    chunk.store(known)
    chunk.store({"id": rich["id"], "state_id": 20, "length": None})
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["collection_status"], row["length"], row["has_premium_odds"]) == ("DELETED", 90, True)


def test_a_postponed_match_may_lose_its_kick_off_when_that_stays(chunk: ChunkHarness, rich: FixtureJson) -> None:
    announced = {**rich, "id": 77, "state_id": 1, "scores": [], "result_info": None}
    postponed = {**announced, "state_id": 10, "starting_at": None, "starting_at_timestamp": None}
    chunk.store(announced)
    for _ in range(3):
        assert chunk.store(postponed).outcomes == {"HELD": 1}
        row = fixture_row(chunk.conn, 77)
        # The state is taken at once.
        assert (row["state_id"], row["starting_at"] is None) == (10, False)
    assert chunk.store(postponed).outcomes == {"SAVED": 1}
    assert fixture_row(chunk.conn, 77)["starting_at"] is None


def test_a_result_goes_with_the_state(chunk: ChunkHarness, rich: FixtureJson) -> None:
    chunk.store({**rich, "result_info": "A won"})
    called_off = {**rich, "state_id": 12, "result_info": None, "scores": []}
    assert chunk.store(called_off).outcomes == {"SAVED": 1}
    assert fixture_row(chunk.conn, rich["id"])["result_info"] is None


def test_a_tombstone_keeps_the_fields_that_it_comes_without(chunk: ChunkHarness, rich: FixtureJson) -> None:
    assert chunk.store({"id": rich["id"], "state_id": 20}).outcomes == {"SAVED": 1}
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["collection_status"], row["name"], row["venue_id"]) == ("DELETED", rich["name"], rich["venue_id"])


@pytest.mark.parametrize(
    ("field", "how"),
    [("name", "null"), ("venue_id", "null"), ("starting_at", "null"), ("state_id", "null"), ("name", "absent")],
)
def test_an_index_without_a_field_takes_nothing_away(
    chunk: ChunkHarness, payloads: list[FixtureJson], field: str, how: str
) -> None:
    """Of a fixture that is not collected yet the index is all there is; of another one the payload decides."""
    waiting, collected = payloads[:2]
    chunk.store(collected)
    before: list[Any] = [fixture_row(chunk.conn, payload["id"])[field] for payload in (waiting, collected)]
    listed = [dict(payload) for payload in payloads]
    for row in listed:
        row.pop(field) if how == "absent" else row.update({field: None})
    chunk.index(*listed)
    assert [fixture_row(chunk.conn, payload["id"])[field] for payload in (waiting, collected)] == before
    updated = fixture_row(chunk.conn, waiting["id"])["updated_at"]
    chunk.now += timedelta(hours=1)
    chunk.index(*listed)
    assert fixture_row(chunk.conn, waiting["id"])["updated_at"] == updated
