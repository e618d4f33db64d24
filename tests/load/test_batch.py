"""Storing a batch: everything in the payloads is in the tables, and only what changed is written."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from tests.harness.load import (
    TABLES,
    ChunkHarness,
    FixtureJson,
    assert_stored,
    changed_rows,
    fixture_row,
    rows_of,
    shuffled,
    versions,
)


def test_every_element_of_a_season_is_in_its_table(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    stored = chunk.store(*payloads)
    assert (stored.outcomes, stored.changes, stored.problems) == ({"SAVED": len(payloads)}, 0, {})
    assert all(payload["lineups"] and payload["events"] is not None for payload in payloads)
    for payload in payloads:
        assert_stored(chunk.conn, payload)
        assert fixture_row(chunk.conn, payload["id"])["quality_score"] == 100


def test_the_real_fixture(warehouse: psycopg.Connection[Any], samples: Path) -> None:
    payload = msgspec.json.decode((samples / "2026_fixture_with_includes.json").read_bytes())["data"]
    chunk = ChunkHarness(warehouse, payload["league_id"], payload["season_id"])
    chunk.index(payload)
    assert chunk.store(payload).outcomes == {"SAVED": 1}
    assert_stored(warehouse, payload)
    row = fixture_row(warehouse, payload["id"])
    # 1-1 after extra time; the shootout does not count. The end is that of the last period.
    assert (row["home_goals"], row["away_goals"], row["quality_score"], row["state_id"]) == (1, 1, 100, 8)
    assert row["ended_at"] == max(datetime.fromtimestamp(p["ended"], UTC) for p in payload["periods"])
    before = versions(warehouse)
    assert chunk.store(shuffled(payload)).outcomes == {"UNCHANGED": 1}
    assert changed_rows(before, versions(warehouse)) == {("football.fixtures", (payload["id"],))}


def test_real_fixtures_without_includes(warehouse: psycopg.Connection[Any], samples: Path) -> None:
    rows = msgspec.json.decode((samples / "2023_football__fixtures__all.json").read_bytes())["data"]
    by_season: dict[tuple[int, int], list[FixtureJson]] = {}
    for row in rows:
        by_season.setdefault((row["league_id"], row["season_id"]), []).append(row)
    for (league_id, season_id), some in by_season.items():
        chunk = ChunkHarness(warehouse, league_id, season_id)
        chunk.index(*some)
        assert chunk.store(*some).outcomes == {"SAVED": len(some)}
    for row in rows:
        assert_stored(warehouse, row)


def test_an_unchanged_day_writes_no_row_of_data(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.store(*payloads)
    before = versions(chunk.conn)
    assert chunk.store(*copy.deepcopy(payloads)).outcomes == {"UNCHANGED": len(payloads)}
    after = versions(chunk.conn)
    # The counters of the loader are columns of the fixture; updated_at does not move with them.
    assert {table for table, _ in changed_rows(before, after)} == {"football.fixtures"}
    assert [row[2] for row in before["football.fixtures"].values()] == [
        row[2] for row in after["football.fixtures"].values()
    ]
    assert fixture_row(chunk.conn, payloads[0]["id"])["unchanged_reads"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_lists_and_keys_does_not_matter(
    chunk: ChunkHarness, payloads: list[FixtureJson], seed: int
) -> None:
    chunk.store(*payloads)
    turned = [shuffled(payload, seed) for payload in payloads]
    assert turned != payloads
    assert chunk.store(*turned).outcomes == {"UNCHANGED": len(payloads)}


def test_volatile_fields_do_not_count_as_changes(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.store(*payloads)
    for payload in payloads:
        payload["last_processed_at"] = "2026-06-01 10:00:00"
        for team in payload["participants"]:
            team["last_played_at"] = "2026-06-01 11:11:11"
    before = versions(chunk.conn)
    assert chunk.store(*payloads).outcomes == {"UNCHANGED": len(payloads)}
    assert {table for table, _ in changed_rows(before, versions(chunk.conn))} == {"football.fixtures"}


def test_a_changed_element_writes_its_row_only(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.store(*payloads)
    before = versions(chunk.conn)
    one = payloads[3]
    event, lineup = one["events"][0], one["lineups"][4]
    detail = next(row for row in lineup["details"] if row["type_id"] == 118)
    event["minute"] += 1
    detail["data"]["value"] = 99.5
    stored = chunk.store(*payloads)
    assert stored.outcomes == {"UNCHANGED": len(payloads) - 1, "SAVED": 1}
    written = {
        (table, key) for table, key in changed_rows(before, versions(chunk.conn)) if table != "football.fixtures"
    }
    assert written == {
        ("raw.fixtures", (one["id"],)),
        ("football.fixture_events", (one["id"], event["id"])),
        ("football.fixture_player_statistics", (one["id"], detail["id"])),
        ("football.fixture_player_figures", (one["id"], lineup["id"])),
    }
    assert_stored(chunk.conn, one)


@pytest.mark.parametrize("typed", [True, False])
def test_columns_that_somebody_has_added_change_nothing(
    chunk: ChunkHarness, payloads: list[FixtureJson], typed: bool
) -> None:
    """Also such as are never null: they get their value when a row is inserted."""
    added = {"note": "text NOT NULL DEFAULT 'x'", "number": "bigint GENERATED ALWAYS AS IDENTITY"}
    for table in TABLES:
        for name, kind in added.items():
            chunk.conn.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")
    chunk.typed = typed
    one = payloads[0]
    for changes in range(3):
        if changes:
            one["events"][0]["minute"] += 1
            one["lineups"][0]["details"][0]["data"]["value"] = changes
            one["statistics"].pop()
        assert chunk.store(one).outcomes == {"SAVED": 1}
        for table in TABLES:
            assert {row.pop("note") for row in rows_of(chunk.conn, table)} == {"x"}
    before = rows_of(chunk.conn, "football.fixture_player_figures")
    chunk.conn.execute("TRUNCATE football.fixture_player_figures")
    chunk.conn.execute("SELECT etl.restore_player_figures(%s)", (one["league_id"],))
    figures = rows_of(chunk.conn, "football.fixture_player_figures")
    assert {row["lineup_id"]: row["minutes"] for row in figures} == {row["lineup_id"]: row["minutes"] for row in before}
    for table in TABLES:
        for name in added:
            chunk.conn.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    assert_stored(chunk.conn, one)


def test_a_removed_element_is_deleted(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.store(one)
    for section in ("events", "statistics", "scores"):
        one[section].pop()
    one["lineups"].pop()
    one["lineups"][0]["details"].pop()
    assert chunk.store(one).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, one)


def test_an_added_element_is_inserted(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    full = copy.deepcopy(one)
    last = one["events"].pop()
    chunk.store(one)
    assert chunk.store(full).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, full)
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["section"], change["field"], change["before"], change["after"]) == (
        "events",
        str(last["id"]),
        None,
        last,
    )


@pytest.mark.parametrize("section", ["participants", "scores", "events", "lineups", "statistics", "periods"])
@pytest.mark.parametrize("how", ["absent", "null"])
def test_a_section_that_was_not_sent_keeps_its_rows(
    chunk: ChunkHarness, payloads: list[FixtureJson], section: str, how: str, caplog: pytest.LogCaptureFixture
) -> None:
    one = payloads[0]
    chunk.store(one)
    assert not caplog.messages
    smaller = {**one, "name": "Another name"}
    if how == "absent":
        del smaller[section]
    else:
        smaller[section] = None
    assert chunk.store(smaller).outcomes == {"SAVED": 1}
    assert [text for text in caplog.messages if f"1 of 1 fixtures came without '{section}'" in text]
    row = fixture_row(chunk.conn, one["id"])
    assert row["name"] == "Another name"
    (raw,) = rows_of(chunk.conn, "raw.fixtures", "fixture_id = %s", one["id"])
    assert raw["payload"] == {**one, "name": "Another name"}
    assert [row["section"] for row in rows_of(chunk.conn, "etl.fixture_changes")] == ["fixture"]
    assert_stored(chunk.conn, raw["payload"])
    for table in (
        "fixture_participants",
        "fixture_scores",
        "fixture_events",
        "fixture_lineups",
        "fixture_player_statistics",
    ):
        assert rows_of(chunk.conn, f"football.{table}", "fixture_id = %s", one["id"])
    assert row["home_team_id"]
    assert row["home_goals"] is not None


def test_lineups_without_details_keep_the_details(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.store(one)
    count = len(rows_of(chunk.conn, "football.fixture_player_statistics"))
    for row in one["lineups"]:
        del row["details"]
    chunk.store(one)
    assert len(rows_of(chunk.conn, "football.fixture_player_statistics")) == count > 0
