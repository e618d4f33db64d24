"""Whoever waits for a chunk holds no row that calls or batches need; who moves its fence is seen by all."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
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

    with psycopg.connect(warehouse_dsn) as batch, ThreadPoolExecutor(1) as threads:
        batch.execute("SET LOCAL lock_timeout = '5s'")
        batch.execute(sql("load/hold_lease"), {"league_id": 8, "season_id": 1})
        waiting = threads.submit(wait_for_the_chunk)
        try:
            _wait_for_a_lock(warehouse, waiting)
            assert not waiting.done()
            batch.execute("SELECT etl.count_api_call(%s, 8, 1, NULL, p_calls => 1)", (RUN,))
            batch.execute("SELECT 1 FROM football.fixtures FOR UPDATE")
            batch.execute("SELECT 1 FROM etl.execution_fixtures FOR UPDATE")
            batch.execute("SELECT 1 FROM etl.execution_chunks FOR UPDATE")
        finally:
            batch.rollback()


# Whatever moves the fence of a chunk.
MOVES = [
    "plan/take_lease",
    "SELECT etl.close_chunk(%(run)s, 8, 1)",
    "SELECT etl.finish_etl_execution(%(run)s)",
    "SELECT etl.close_dead_execution(%(run)s, 'gone', 'infinity')",
]
LEASE = {"league_id": 8, "season_id": 1, "execution_id": RUN, "run": RUN, "owner": "one", "timeout": 600, "fence": 1}


def _taken(warehouse: psycopg.Connection[Any]) -> None:
    """A chunk that the task ``one`` has taken, with the fence 1."""
    warehouse.execute("SELECT etl.start_etl_execution(%s)", (RUN,))
    warehouse.execute("INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 1)")
    warehouse.execute(OPENING, {"run": RUN})
    assert warehouse.execute(sql("plan/take_lease"), LEASE).fetchone() == (1,)


def _wait_for_a_lock(warehouse: psycopg.Connection[Any], task: Future[Any]) -> None:
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    while warehouse.execute(waits).fetchone() == (0,):
        assert not task.done()
        time.sleep(0.01)


def _row(dsn: str, statement: str, **names: Any) -> Any:
    with psycopg.connect(dsn) as conn:
        return conn.execute(statement.encode(), {**LEASE, **names}).fetchone()


@pytest.mark.parametrize("move", MOVES)
def test_a_batch_sees_that_its_fence_moved_after_its_statement_began(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, move: str
) -> None:
    # Behind plain updates, such as a heartbeat's, FOR KEY SHARE takes the row as the statement found it.
    _taken(warehouse)
    holding = sql("load/hold_lease")
    paused = holding.replace("SELECT set_config(", "SELECT pg_advisory_xact_lock(1), set_config(", 1)
    assert paused != holding
    with psycopg.connect(warehouse_dsn) as pause, ThreadPoolExecutor(1) as threads:
        pause.execute("SELECT pg_advisory_xact_lock(1)")
        batch = threads.submit(_row, warehouse_dsn, paused)
        try:
            _wait_for_a_lock(warehouse, batch)
            warehouse.execute(sql("plan/heartbeat"), LEASE)
            warehouse.execute(sql(move) if move.startswith("plan/") else move.encode(), LEASE)
        finally:
            pause.rollback()
        assert batch.result(10) == (2,)


@pytest.mark.parametrize(
    ("first", "kept", "fence"),
    [
        ("plan/take_lease", True, None),
        ("plan/take_lease", False, (2,)),
        ("plan/heartbeat", True, None),
        ("plan/heartbeat", False, (2,)),
        ("plan/release_lease", True, (2,)),
    ],
)
def test_who_waits_to_take_a_chunk_decides_by_the_row_as_it_is_then(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, first: str, kept: bool, fence: tuple[int] | None
) -> None:
    _taken(warehouse)
    warehouse.execute("UPDATE etl.chunks SET heartbeat_at = clock_timestamp() - interval '1 hour'")
    with psycopg.connect(warehouse_dsn) as former, ThreadPoolExecutor(1) as threads:
        former.execute(sql(first), {**LEASE, "waiting": False})
        second = threads.submit(_row, warehouse_dsn, sql("plan/take_lease"), owner="two")
        try:
            _wait_for_a_lock(warehouse, second)
        finally:
            former.commit() if kept else former.rollback()
        assert second.result(10) == fence
    expected = ("one", 2 if first == "plan/take_lease" else 1) if fence is None else ("two", 2)
    assert warehouse.execute("SELECT owner, fence FROM etl.chunks").fetchone() == expected
