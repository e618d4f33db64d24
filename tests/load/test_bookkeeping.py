"""What storing a batch does besides the data: failures, missing fixtures, tombstones, plan, lease, order of batches."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.errors import LostLeaseError
from sportmonks.load.batch import FetchedBatch, store_batch
from sportmonks.load.reading import read_batch, stored_hashes
from sportmonks.warehouse.connection import open_connection
from tests.harness.load import (
    ChunkHarness,
    FixtureJson,
    assert_stored,
    changed_rows,
    dump,
    fixture_row,
    rows_of,
    versions,
)

SHUT_DOWN = "DO $$ BEGIN RAISE EXCEPTION 'going down' USING ERRCODE = 'admin_shutdown'; END $$"


def test_poisoned_and_missing_are_recorded_the_others_saved(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    bad, gone, *good = payloads
    chunk.plan(*(row["id"] for row in payloads))
    stored = chunk.store(*good, poisoned={bad["id"]: "HTTP 500 for this fixture alone"}, missing=(gone["id"],))
    assert stored.outcomes == {"SAVED": len(good), "FAILED": 1, "MISSING": 1}
    first, second = fixture_row(chunk.conn, bad["id"]), fixture_row(chunk.conn, gone["id"])
    assert (first["collection_status"], first["last_error"]) == ("FAILED", "HTTP 500 for this fixture alone")
    assert (second["collection_status"], second["missing_reads"]) == ("MISSING", 1)
    assert second["next_due_at"] == chunk.now + timedelta(hours=1)
    plan = {row["fixture_id"]: row for row in rows_of(chunk.conn, "etl.execution_fixtures")}
    assert (plan[bad["id"]]["status"], plan[gone["id"]]["status"]) == ("FAILED", "MISSING")
    assert {plan[row["id"]]["status"] for row in good} == {"SAVED"}


def test_a_collected_fixture_keeps_its_data_when_it_fails_or_is_missing(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    one = payloads[0]
    chunk.store(one)
    for number in (1, 2, 3):
        chunk.store(missing=(one["id"],))
        row = fixture_row(chunk.conn, one["id"])
        assert (row["collection_status"], row["missing_reads"]) == ("COLLECTED", number)
    chunk.store(poisoned={one["id"]: "500"})
    assert_stored(chunk.conn, one)


def test_a_payload_in_state_deleted_becomes_a_tombstone_until_the_fixture_is_back(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    one = payloads[0]
    chunk.store(one)
    chunk.store({**one, "state_id": 20})
    row = fixture_row(chunk.conn, one["id"])
    assert (row["collection_status"], row["deleted_at"], row["next_due_at"]) == ("DELETED", chunk.now, None)
    assert rows_of(chunk.conn, "football.fixture_events", "fixture_id = %s", one["id"])
    chunk.store(one)
    row = fixture_row(chunk.conn, one["id"])
    assert (row["collection_status"], row["deleted_at"]) == ("COLLECTED", None)
    assert row["next_due_at"]


@pytest.mark.parametrize("how", ["absent", "emptied", "null"])
def test_a_tombstone_keeps_the_stored_sections_whatever_comes_with_it(
    chunk: ChunkHarness, payloads: list[FixtureJson], how: str
) -> None:
    one = payloads[0]
    chunk.store(one)
    value = [] if how == "emptied" else None
    deleted = {key: value if isinstance(each, list) else each for key, each in one.items()}
    if how == "absent":
        deleted = {key: each for key, each in one.items() if not isinstance(each, list)}
    before = versions(chunk.conn)
    assert chunk.store({**deleted, "state_id": 20}).outcomes == {"SAVED": 1}
    assert fixture_row(chunk.conn, one["id"])["collection_status"] == "DELETED"
    (raw,) = rows_of(chunk.conn, "raw.fixtures")
    assert raw["payload"] == {**one, "state_id": 20}
    written = changed_rows(before, versions(chunk.conn))
    assert {table for table, _ in written} == {"raw.fixtures", "football.fixtures"}
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["field"], change["before"], change["after"]) == ("state_id", one["state_id"], 20)


def test_a_batch_stored_twice_counts_once(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.plan(*(row["id"] for row in payloads))
    chunk.store(*payloads)
    chunk.store(*payloads)
    chunk.conn.execute("SELECT etl.recount_chunk('etl_test', %s, %s)", (chunk.league_id, chunk.season_id))
    (row,) = rows_of(chunk.conn, "etl.execution_chunks")
    assert (row["planned"], row["processed"], row["failed"]) == (len(payloads), len(payloads), 0)


def test_without_the_lease_nothing_is_written(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    before = dump(chunk.conn)
    chunk.conn.execute("UPDATE etl.chunks SET fence = fence + 1")
    with pytest.raises(LostLeaseError, match="taken over by another task"):
        chunk.store(*payloads)
    assert dump(chunk.conn) == before
    chunk.conn.execute("DELETE FROM etl.chunks")
    with pytest.raises(LostLeaseError):
        chunk.store(*payloads)


def test_a_batch_that_breaks_leaves_nothing_behind(
    chunk: ChunkHarness, payloads: list[FixtureJson], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sportmonks.load import batch as store

    before = dump(chunk.conn)

    def broken(name: str) -> str:
        return "SELECT 1/0" if name == "load/progress" else original(name)

    original = vars(store)["sql"]
    monkeypatch.setattr(store, "sql", broken)
    with pytest.raises(psycopg.errors.DivisionByZero):
        chunk.store(*payloads)
    assert dump(chunk.conn) == before


def test_payloads_parsed_beforehand_serve_every_try(
    chunk: ChunkHarness, payloads: list[FixtureJson], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cleaned payloads, sections taken over, a connection that broke: the next try starts from the same payloads."""
    from sportmonks.load import batch as store

    chunk.store(*payloads)
    odd = {**payloads[0], "venue_id": "here", "name": "Another name"}
    silent = {key: value for key, value in payloads[1].items() if key != "events"}
    fetched = chunk.fetched(odd, silent, *payloads[2:])
    fetched = replace(
        fetched, at=chunk.now, read=read_batch(fetched.rows, stored_hashes(chunk.conn, fetched.requested), chunk.now)
    )
    original = vars(store)["sql"]
    with monkeypatch.context() as patch:
        patch.setattr(store, "sql", lambda name: SHUT_DOWN if name == "load/progress" else original(name))
        with pytest.raises(psycopg.errors.AdminShutdown):
            store_batch(chunk.conn, fetched, chunk.context())
    assert store_batch(chunk.conn, fetched, chunk.context()).outcomes == {"HELD": 1, "UNCHANGED": len(payloads) - 1}
    assert_stored(chunk.conn, {**payloads[0], "name": "Another name"})
    assert_stored(chunk.conn, payloads[1])


def overlapping_batches(payloads: list[FixtureJson]) -> list[list[FixtureJson]]:
    """Three batches with the same teams, each fixture in one of them."""
    return [payloads[0::3], payloads[1::3], payloads[2::3]]


def test_the_order_of_batches_does_not_matter(
    chunk: ChunkHarness, payloads: list[FixtureJson], warehouse: psycopg.Connection[Any]
) -> None:
    # One team has two spellings in the same season: the later batch must not decide.
    batches, ends = overlapping_batches(payloads), []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        warehouse.execute(
            "TRUNCATE raw.fixtures, football.fixtures, football.teams, football.fixture_participants,"
            " football.fixture_scores, football.fixture_events, football.fixture_lineups,"
            " football.fixture_player_statistics, football.fixture_player_figures, football.fixture_statistics,"
            " football.fixture_periods"
        )
        chunk.index(*payloads)
        for place in order:
            chunk.store(*batches[place])
        ends.append(dump(warehouse))
    assert ends[0] == ends[1] == ends[2]


def test_two_writers_at_once(chunk: ChunkHarness, payloads: list[FixtureJson], warehouse_dsn: str) -> None:
    """Overlapping batches from two connections: no deadlock, nothing lost, nothing twice."""
    work: list[FetchedBatch] = [chunk.fetched(*payloads[at : at + 5]) for at in range(0, len(payloads), 2)] * 2

    def write(mine: list[FetchedBatch]) -> int:
        with open_connection(warehouse_dsn, autocommit=True) as conn:
            return sum(store_batch(conn, fetched, chunk.context()).processed for fetched in mine)

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(write, (work, work[::-1])))
    assert done == 2 * sum(len(fetched.requested) for fetched in work)
    for payload in payloads:
        assert_stored(chunk.conn, payload)
    assert rows_of(chunk.conn, "etl.fixture_changes") == []
