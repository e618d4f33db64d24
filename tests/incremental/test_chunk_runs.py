"""The run of a chunk's collector: written where the chunk closes, from the plan, once per execution."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from tests.harness.load import ChunkHarness, FixtureJson
from tests.harness.payloads import season_payloads


@pytest.fixture
def payloads() -> list[FixtureJson]:
    return season_payloads()


def step(chunk: ChunkHarness, function: str) -> None:
    names = (chunk.execution_id, chunk.league_id, chunk.season_id)
    chunk.conn.execute(f"SELECT etl.{function}(%s, %s, %s)", names)


def run(
    chunk: ChunkHarness, name: str, payloads: list[FixtureJson], planned: list[int], reached: bool = True, **rest: Any
) -> None:
    chunk.execution_id = name
    chunk.conn.execute("SELECT etl.start_etl_execution(%s)", (name,))
    chunk.plan(*planned)
    chunk.conn.execute("UPDATE etl.etl_executions SET planned_at = now() WHERE execution_id = %s", (name,))
    step(chunk, "open_chunk")
    chunk.store(*payloads, **rest)
    if reached:
        chunk.conn.execute("UPDATE etl.execution_chunks SET collected_at = now() WHERE execution_id = %s", (name,))
    step(chunk, "close_chunk")
    step(chunk, "close_chunk")  # a cleared group closes twice


def rows(conn: psycopg.Connection[Any]) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute("SELECT * FROM etl.collector_runs ORDER BY run_id").fetchall()


def figures(row: dict[str, Any]) -> list[int]:
    return [row[f"records_{name}"] for name in ("processed", "inserted", "updated", "unchanged", "failed")]


def test_a_chunk_is_a_collector(warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]) -> None:
    chunk = ChunkHarness(warehouse, payloads[0]["league_id"], payloads[0]["season_id"])
    chunk.index(*payloads)
    ids = [payload["id"] for payload in payloads]

    run(chunk, "etl_1", payloads[:5], ids[:6], missing=(ids[5],))
    first = chunk.now
    payloads[0]["scores"][0]["score"]["goals"] += 1
    run(chunk, "etl_2", payloads[:7], ids[:7])
    run(chunk, "etl_3", payloads[:3], ids[:4], reached=False)

    found = rows(warehouse)
    name = f"chunk:{chunk.league_id}_{chunk.season_id}"
    assert [(row["collector_name"], row["execution_id"], row["status"]) for row in found] == [
        (name, "etl_1", "success"), (name, "etl_2", "success"), (name, "etl_3", "failed")]  # fmt: skip
    assert [figures(row) for row in found] == [[6, 5, 0, 0, 1], [7, 2, 1, 4, 0], [3, 0, 0, 3, 0]]
    assert datetime.fromisoformat(found[0]["watermark"]) == first
    assert datetime.fromisoformat(found[2]["watermark"]) == chunk.now
    assert found[2]["error_message"] == "The collector did not reach the end of its plan."

    # Cleared and finished: the same row ends well.
    step(chunk, "open_chunk")
    chunk.store(payloads[3])
    warehouse.execute("UPDATE etl.execution_chunks SET collected_at = now() WHERE execution_id = 'etl_3'")
    step(chunk, "close_chunk")
    again = rows(warehouse)
    assert len(again) == 3
    assert (again[2]["status"], figures(again[2]), again[2]["error_message"]) == ("success", [4, 0, 0, 4, 0], None)


def test_the_watch_gives_an_end_to_runs_that_were_killed(warehouse: psycopg.Connection[Any]) -> None:
    from sportmonks.monitoring import housekeeping

    # A sign of life two days ahead was given before the server's clock was set back.
    for name, age in (("killed", "25 hours"), ("at work", "1 hour"), ("of another clock", "-48 hours")):
        warehouse.execute(
            "INSERT INTO etl.collector_runs (collector_name, updated_at) VALUES (%s, now() - %s::interval)", (name, age)
        )
    assert housekeeping.close_abandoned_collector_runs(warehouse) == 2
    assert {row["collector_name"]: row["status"] for row in rows(warehouse)} == {
        "killed": "failed",
        "at work": "running",
        "of another clock": "failed",
    }
