"""The change ledger: what really changed after a fixture was collected, with its age since the end of the match."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import pytest

from tests.harness.load import ChunkHarness, FixtureJson, assert_stored, fixture_row, rows_of


def test_changed_fields_and_rows_are_recorded_with_their_age(chunk: ChunkHarness, rich: FixtureJson) -> None:
    ended = fixture_row(chunk.conn, rich["id"])["ended_at"]
    new = copy.deepcopy(rich)
    new["result_info"] = "decided afterwards"
    new["scores"][0]["score"]["goals"] += 1
    new["lineups"][0]["details"][0]["data"]["value"] = 123
    new["lineups"][1]["jersey_number"] = 98
    assert chunk.store(new).changes == 4
    found = {row["section"]: row for row in rows_of(chunk.conn, "etl.fixture_changes")}
    assert found.keys() == {"fixture", "scores", "lineups", "lineups.details"}
    assert (found["fixture"]["field"], found["fixture"]["before"], found["fixture"]["after"]) == (
        "result_info", rich["result_info"], "decided afterwards")  # fmt: skip
    assert found["scores"]["before"]["score"]["goals"] + 1 == found["scores"]["after"]["score"]["goals"]
    assert "details" not in found["lineups"]["after"]
    hours = (chunk.now - ended).total_seconds() / 3600
    for row in found.values():
        assert float(row["hours_after"]) == pytest.approx(hours, abs=0.01)
        assert (row["execution_id"], row["league_id"], row["season_id"]) == (
            "etl_test",
            chunk.league_id,
            chunk.season_id,
        )
        assert row["changed_at"] == chunk.now


def test_the_age_is_recorded_without_periods_too(chunk: ChunkHarness, rich: FixtureJson) -> None:
    """The end is computed from the kick-off then. A change before the end has no age."""
    no_periods = {key: value for key, value in rich.items() if key != "periods"}
    start = datetime.fromisoformat(no_periods["starting_at"]).replace(tzinfo=UTC)
    chunk.now = start - timedelta(days=2)
    chunk.conn.execute("TRUNCATE raw.fixtures, football.fixtures, football.fixture_periods")
    chunk.store({**no_periods, "state_id": 1}, {**rich, "id": 77, "state_id": 1})
    chunk.now = start + timedelta(hours=3)
    chunk.store(no_periods)
    chunk.now = start + timedelta(hours=25)
    chunk.store({**no_periods, "result_info": "decided afterwards"})
    rows = sorted(rows_of(chunk.conn, "etl.fixture_changes"), key=lambda row: row["change_id"])
    found = [(row["field"], row["hours_after"]) for row in rows]
    assert found == [("state_id", None), ("result_info", 24)]


def test_a_match_played_again_has_a_new_end(chunk: ChunkHarness, rich: FixtureJson) -> None:
    again = {**rich, "state_id": 1, "starting_at": "2027-01-01 20:00:00", "periods": []}
    for _ in range(4):
        chunk.store(again)
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["ended_at"], row["due_reason"]) == (None, "just_finished")
    assert row["next_due_at"] == datetime(2027, 1, 1, 22, tzinfo=UTC)


def test_many_changed_rows_are_one_entry_with_their_number(chunk: ChunkHarness, rich: FixtureJson) -> None:
    for row in rich["lineups"]:
        for detail in row["details"]:
            detail["data"]["value"] = 1000
    chunk.store(rich)
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["section"], change["field"]) == ("lineups.details", None)
    assert change["after"]["changed"] > 20


def test_sections_requested_for_the_first_time_are_no_corrections(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    chunk.includes = ("participants",)
    smaller = {
        key: value
        for key, value in payloads[0].items()
        if key not in ("events", "lineups", "scores", "statistics", "periods")
    }
    chunk.store(smaller)
    chunk.includes = (*chunk.includes, "events", "lineups.details", "scores", "statistics", "periods")
    stored = chunk.store(payloads[0])
    assert (stored.outcomes, stored.changes) == ({"SAVED": 1}, 0)
    assert_stored(chunk.conn, payloads[0])


def test_one_change_is_recorded_once(chunk: ChunkHarness, rich: FixtureJson) -> None:
    new = {**rich, "name": "Another"}
    assert [chunk.store(new).changes, chunk.store(new).changes] == [1, 0]
    assert len(rows_of(chunk.conn, "etl.fixture_changes")) == 1
