"""Whoever waits for a chunk holds no row that calls or batches need."""

from __future__ import annotations

import threading
import time
from typing import Any

import psycopg
import pytest

from sportmonks.collect.plan_store import add_to_plan, write_plan
from sportmonks.planning.chunks import Chunk, PlannedFixture
from sportmonks.planning.estimate import estimate_cost
from sportmonks.warehouse.queries import sql
from tests.harness.load import NOW

RUN = "etl_20260301_050000_abcdef"
INDEX: dict[str, Any] = {
    "ids": [1],
    "skipped": 0,
    "foreign": 0,
    "league_id": 8,
    "league_name": "L",
    "season_id": 1,
    "season_name": "S",
    "few": 5,
    "share": 0.1,
    "believed_after": 3,
    "apart_hours": 1,
    "now": NOW,
}
ESTIMATE = estimate_cost(
    [], names={}, batch_size=50, remaining=None, call_limit=1000, reserve=0, seconds_to_reset=0, window_seconds=3600,
    left_out={},
)  # fmt: skip
OPENING = "SELECT etl.open_chunk(%(run)s, 8, 1)"


@pytest.mark.parametrize(
    "statement",
    [
        OPENING,
        "SELECT etl.close_chunk(%(run)s, 8, 1)",
        "SELECT etl.finish_etl_execution(%(run)s)",
        "SELECT etl.close_dead_execution(%(run)s, 'gone', 'infinity')",
        "load/index_done",
        "write_plan",
        "add_to_plan",
    ],
)
def test_who_waits_for_a_chunk_stops_neither_calls_nor_batches(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, statement: str
) -> None:
    warehouse.execute("SELECT etl.start_etl_execution(%s)", (RUN,))
    warehouse.execute("INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 1)")
    warehouse.execute("INSERT INTO football.fixtures (id, league_id, season_id) VALUES (1, 8, 1)")
    warehouse.execute(OPENING, {"run": RUN})
    warehouse.execute(
        "INSERT INTO etl.execution_fixtures"
        " (execution_id, league_id, season_id, fixture_id, position, reason, priority)"
        " VALUES (%s, 8, 1, 1, 1, 'aged', 10)",
        (RUN,),
    )
    plan = [Chunk(1, (PlannedFixture(1, "aged", 10, False),))]

    def wait_for_the_chunk() -> None:
        with psycopg.connect(warehouse_dsn) as waiting:
            if statement == "write_plan":
                write_plan(waiting, RUN, 8, plan, ESTIMATE, now=NOW)
            elif statement == "add_to_plan":
                add_to_plan(waiting, RUN, 8, plan)
            else:
                text = sql(statement) if statement.startswith("load/") else statement.encode()
                waiting.execute(text, {"run": RUN, **INDEX})

    with psycopg.connect(warehouse_dsn) as batch:
        batch.execute("SET LOCAL lock_timeout = '5s'")
        batch.execute(sql("load/hold_lease"), {"league_id": 8, "season_id": 1})
        thread = threading.Thread(target=wait_for_the_chunk)
        thread.start()
        try:
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            while thread.is_alive() and warehouse.execute(waits).fetchone() == (0,):
                time.sleep(0.01)
            assert thread.is_alive()
            batch.execute("SELECT etl.count_api_call(%s, 8, 1, NULL, p_calls => 1)", (RUN,))
            batch.execute("SELECT 1 FROM football.fixtures FOR UPDATE")
            batch.execute("SELECT 1 FROM etl.execution_fixtures FOR UPDATE")
            batch.execute("SELECT 1 FROM etl.execution_chunks FOR UPDATE")
        finally:
            batch.rollback()
            thread.join()
