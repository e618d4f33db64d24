"""Housekeeping: closing dead executions, gauges, retention."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.config.catalog import Thresholds
from sportmonks.monitoring import housekeeping
from sportmonks.monitoring.housekeeping import close_dead_executions, close_left_chunks, purge, record_gauges
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.queries import sql
from tests.harness.paths import REPO
from tests.harness.runs import NOW, Run

LIMITS = Thresholds()


def test_a_dead_run_is_closed_and_a_waiting_one_is_not(warehouse: psycopg.Connection[Any], run: Run) -> None:
    dead = run("dead", hours_ago=2, status="RUNNING")
    run("waiting", hours_ago=2, status="RUNNING")
    run("fresh", hours_ago=0.01, status="RUNNING")
    working = run("working", hours_ago=2, status="RUNNING")
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, status, owner, last_execution_id, heartbeat_at) VALUES"
        " (8, 1, 'RUNNING', 'w', %s, %s), (8, 2, 'RUNNING', 'w', %s, %s)",
        (dead, NOW - timedelta(hours=1), working, NOW),
    )
    warehouse.execute(
        "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, status, started_at)"
        " VALUES (%s, 8, 1, 'RUNNING', %s)",
        (dead, NOW),
    )
    requested: list[str] = []

    def is_active(dag_id: str, run_id: str) -> bool:
        requested.append(dag_id)
        return dag_id == "waiting"

    assert close_dead_executions(warehouse, LIMITS, is_active, now=NOW) == [dead]
    assert sorted(requested) == ["dead", "waiting"]
    row = warehouse.execute(
        "SELECT status, error_message, finished_at FROM etl.etl_executions WHERE execution_id = %s", (dead,)
    ).fetchone()
    assert row is not None
    assert (row[0], row[2]) == ("FAILED", NOW)
    assert "last sign of life 2026-11-20 11:00 UTC" in row[1]
    assert warehouse.execute("SELECT status, owner, fence FROM etl.chunks WHERE season_id = 1").fetchone() == (
        "FAILED",
        None,
        1,
    )
    assert warehouse.execute("SELECT status FROM etl.execution_chunks").fetchone() == ("FAILED",)
    assert close_dead_executions(warehouse, LIMITS, is_active, now=NOW) == []


def test_a_sign_of_life_from_before_the_clock_was_set_back_keeps_no_dead_run_open(
    warehouse: psycopg.Connection[Any], run: Run
) -> None:
    ahead = run("ahead", hours_ago=-48, status="RUNNING")
    run("a little ahead", hours_ago=-0.01, status="RUNNING")
    assert close_dead_executions(warehouse, LIMITS, lambda *_: False, now=NOW) == [ahead]


def test_a_run_that_was_marked_by_hand_is_closed_at_the_next_look(warehouse: psycopg.Connection[Any], run: Run) -> None:
    """Airflow knows that the run is over; only an execution without a DAG run must have been silent for long."""
    marked = run("marked", hours_ago=0.05, status="RUNNING", run_id="manual__1")
    alone = run("alone", hours_ago=0.05, status="RUNNING")
    warehouse.execute("UPDATE etl.etl_executions SET dag_id = NULL, run_id = NULL WHERE execution_id = %s", (alone,))
    assert close_dead_executions(warehouse, LIMITS, lambda *_: False, now=NOW) == [marked]
    later = NOW + timedelta(minutes=LIMITS.dead_after_minutes)
    assert close_dead_executions(warehouse, LIMITS, lambda *_: False, now=later) == [alone]


def test_seasons_of_an_execution_that_has_ended_are_closed(warehouse: psycopg.Connection[Any], run: Run) -> None:
    """As version 0.1 left them when a run was marked by hand."""
    ended, live = run("ended", hours_ago=2, status="FAILED"), run("live", hours_ago=2, status="RUNNING")
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, status, owner, last_execution_id, heartbeat_at) VALUES"
        " (8, 1, 'RUNNING', 'w', %(ended)s, %(now)s - interval '1 hour'), (8, 2, 'RUNNING', 'w', %(live)s, %(now)s)",
        {"ended": ended, "live": live, "now": NOW},
    )
    assert close_left_chunks(warehouse, now=NOW - timedelta(hours=1)) == 0
    assert close_left_chunks(warehouse, now=NOW) == 1
    assert warehouse.execute("SELECT season_id, status, owner, fence FROM etl.chunks ORDER BY 1").fetchall() == [
        (1, "FAILED", None, 1),
        (2, "RUNNING", "w", 0),
    ]


def test_the_end_of_an_execution_closes_its_open_seasons(warehouse: psycopg.Connection[Any]) -> None:
    """finish_execution runs as a teardown after a run was marked; the season's own teardown may have been left out."""
    warehouse.execute("SELECT etl.start_etl_execution('x', '{}', 'd', 'r', %s)", (NOW,))
    warehouse.execute("UPDATE etl.etl_executions SET planned_at = %s", (NOW,))
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, season_name, owner) VALUES (8, 1, '2024/2025', 'w')"
    )
    warehouse.execute("SELECT etl.open_chunk('x', 8, 1, %s)", (NOW,))
    warehouse.execute("SELECT etl.finish_etl_execution('x', p_now => %s)", (NOW + timedelta(minutes=1),))
    assert warehouse.execute("SELECT status FROM etl.execution_chunks").fetchall() == [("FAILED",)]
    assert warehouse.execute("SELECT status, owner, fence FROM etl.chunks").fetchall() == [("FAILED", None, 1)]
    row = warehouse.execute("SELECT status, error_message FROM etl.etl_executions").fetchone()
    assert row is not None
    assert (row[0], row[1].split(":")[0]) == ("FAILED", "2024/2025")
    assert "the run was marked by hand" in row[1]


def test_a_run_that_comes_back_meanwhile_is_left_alone(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run("dead", hours_ago=2, status="RUNNING")

    def cleared_just_now(dag_id: str, run_id: str) -> bool:
        warehouse.execute("UPDATE etl.etl_executions SET heartbeat_at = %s", (NOW,))
        return False

    assert close_dead_executions(warehouse, LIMITS, cleared_just_now, now=NOW) == []


def test_retention_keeps_what_is_young(warehouse: psycopg.Connection[Any], run: Run) -> None:
    old = run(hours_ago=24 * 100)
    young = run(hours_ago=1)
    for execution in (old, young):
        warehouse.execute(
            "INSERT INTO etl.execution_fixtures (execution_id, league_id, season_id, fixture_id, position, reason,"
            " priority) SELECT %s, 8, 1, g, g, 'new', 1 FROM generate_series(1, 25000) g",
            (execution,),
        )
    warehouse.execute(
        "INSERT INTO etl.etl_logs (timestamp, level, component, message)"
        " SELECT %s - make_interval(hours => g), 'INFO', 'T', 'm' FROM generate_series(1, 2000) g",
        (NOW,),
    )
    warehouse.execute(
        "INSERT INTO etl.etl_metrics (timestamp, metric_name, metric_value)"
        " SELECT %s - make_interval(days => g), 'm', 1 FROM generate_series(1, 100) g",
        (NOW,),
    )
    deleted = purge(warehouse, LIMITS, now=NOW)
    assert {name: count for name, count in deleted.items() if count} == {
        "logs": 2000 - 720,
        "metrics": 10,
        "plans": 25000,
    }
    left = warehouse.execute("SELECT execution_id, count(*) FROM etl.execution_fixtures GROUP BY 1").fetchall()
    assert left == [(young, 25000)]
    assert sum(purge(warehouse, LIMITS, now=NOW).values()) == 0
    assert sum(purge(warehouse, Thresholds(keep_logs_days=0, keep_metrics_days=0), now=NOW).values()) == 0


def test_answers_that_nobody_stored_go_with_the_plans_of_their_runs(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, run: Run
) -> None:
    """Left of runs long over; never of one that goes on or was cleared lately, nor what is just being stored."""
    long_ago, recent = 24 * 100, 24 * 59
    executions = {
        "over": run(hours_ago=long_ago),
        "failed": run(hours_ago=long_ago, status="FAILED"),
        "going on": run(hours_ago=long_ago, status="RUNNING"),
        "cleared lately": run(hours_ago=long_ago, minutes=60 * 24 * 90),
        "young": run(hours_ago=recent),
        "in other hands": run(hours_ago=long_ago),
        "without a run": "etl_unknown",
    }
    for name, execution in executions.items():
        warehouse.execute(
            "INSERT INTO etl.fetched_answers (answer_id, execution_id, league_id, season_id, fetched_at, packed)"
            " VALUES (%s, %s, 8, 1, %s, 'x')",
            (name, execution, NOW - timedelta(hours=recent if name == "young" else long_ago)),
        )
    with open_connection(warehouse_dsn) as collector:
        collector.execute(sql("load/take_answer"), {"answer_id": "in other hands"})
        assert purge(warehouse, LIMITS, now=NOW)["answers"] == 3
        collector.rollback()
    left = {row[0] for row in warehouse.execute("SELECT answer_id FROM etl.fetched_answers")}
    assert left == {"going on", "cleared lately", "young", "in other hands"}
    assert purge(warehouse, Thresholds(keep_plans_days=0), now=NOW)["answers"] == 0
    assert purge(warehouse, LIMITS, now=NOW)["answers"] == 1


# Runs of one collector from old to new, (status, watermark, days ago) each, and those that stay.
FAILURES: list[tuple[str, int | None, int]] = [("failed", None, 280 - n) for n in range(5)]
COLLECTORS: dict[str, tuple[list[tuple[str, int | None, int]], list[int]]] = {
    "young ones": ([("success", 1, 89), ("failed", None, 88), ("success", 2, 1)], [0, 1, 2]),
    "old ones": ([("success", 1, 200), ("success", 2, 180), ("failed", None, 150), ("success", 3, 120)], [0, 3]),
    "never again": ([("success", 1, 300), ("success", None, 290), ("success", None, 280)], [0, 2]),
    "watermark in between": (
        [
            ("success", None, 300),
            ("success", 5, 290),
            ("success", 6, 285),
            ("success", None, 280),
            ("success", None, 1),
        ],
        [0, 2, 4],
    ),
    "failing since": ([("success", 1, 300), ("success", 2, 290), *FAILURES], [0, 1, 6]),
    "always failing": (FAILURES, [4]),
    "hanging": ([("success", 1, 300), ("running", None, 200)], [0, 1]),
}


@pytest.mark.parametrize("name", COLLECTORS)
def test_of_a_collectors_runs_those_stay_that_tell_where_it_stands(
    warehouse: psycopg.Connection[Any], name: str
) -> None:
    runs, stay = COLLECTORS[name]
    for other in ("mine", "another"):
        for status, watermark, days in runs:
            ended = NOW - timedelta(days=days)
            warehouse.execute(
                "INSERT INTO etl.collector_runs (collector_name, status, started_at, completed_at, watermark)"
                " VALUES (%s, %s, %s, %s, to_jsonb(%s::integer))",
                (other, status, ended - timedelta(minutes=5), None if status == "running" else ended, watermark),
            )

    def report() -> Any:
        return warehouse.execute(
            "SELECT etl.collector_last_success('mine'), etl.collector_watermark('mine'),"
            " (SELECT run_id FROM etl.collector_last_runs WHERE collector_name = 'mine' AND run_number = 1),"
            " (SELECT first_seconds FROM etl.collector_throughput WHERE collector_name = 'mine')"
        ).fetchone()

    before = report()
    assert purge(warehouse, LIMITS, now=NOW)["collectors"] == 2 * (len(runs) - len(stay))
    assert report() == before
    left = warehouse.execute(
        "SELECT run_id FROM etl.collector_runs WHERE collector_name = 'mine' ORDER BY 1"
    ).fetchall()
    assert [row[0] - 1 for row in left] == stay
    assert purge(warehouse, LIMITS, now=NOW)["collectors"] == 0


def test_a_warehouse_without_tables_has_nothing_to_watch(warehouse: psycopg.Connection[Any]) -> None:
    assert housekeeping.has_tables(warehouse)
    warehouse.execute("DROP SCHEMA etl CASCADE")
    assert not housekeeping.has_tables(warehouse)


def test_budgets_become_metrics(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute(
        "INSERT INTO etl.api_budget (connection, entity, call_limit, remaining, resets_at)"
        " VALUES ('c', 'Fixture', 3000, 2500, clock_timestamp() + interval '1 hour')"
    )
    assert record_gauges(warehouse, now=NOW) == 1
    row = warehouse.execute("SELECT metric_name, metric_value, tags ->> 'entity' FROM etl.etl_metrics").fetchone()
    assert row == ("api_budget_remaining", 2500, "Fixture")


def test_runs_go_with_their_seasons_and_checks(warehouse: psycopg.Connection[Any], run: Run) -> None:
    """Except those that something still refers to: a plan, a season, an open run, the newest of its DAG."""
    long_ago = 24 * 500
    old = run("league", hours_ago=long_ago)
    planned = run("league", hours_ago=long_ago + 1)
    last = run("league", hours_ago=long_ago + 2)
    running = run("league", hours_ago=long_ago + 3, status="RUNNING")
    young = run("league", hours_ago=24 * 300)
    only = run("given up", hours_ago=long_ago)
    for execution in (old, young):
        warehouse.execute(
            "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id) VALUES (%s, 8, 1)", (execution,)
        )
        warehouse.execute(
            "INSERT INTO etl.check_results (execution_id, chunk_id, name, required, success)"
            " VALUES (%s, '8_1', 'c', true, true)",
            (execution,),
        )
    warehouse.execute(
        "INSERT INTO etl.execution_fixtures (execution_id, league_id, season_id, fixture_id, position, reason,"
        " priority) VALUES (%s, 8, 1, 1, 1, 'new', 1)",
        (planned,),
    )
    warehouse.execute("INSERT INTO etl.chunks (league_id, season_id, last_execution_id) VALUES (8, 1, %s)", (last,))
    limits = Thresholds(keep_plans_days=0)
    assert purge(warehouse, limits, now=NOW)["executions"] == 1
    left = {row[0] for row in warehouse.execute("SELECT execution_id FROM etl.etl_executions")}
    assert left == {planned, last, running, young, only}
    for table in ("execution_chunks", "check_results"):
        assert warehouse.execute(f"SELECT execution_id FROM etl.{table}").fetchall() == [(young,)]
    # The plans go first, so that one call removes both.
    deleted = purge(warehouse, LIMITS, now=NOW)
    assert (deleted["plans"], deleted["executions"]) == (1, 1)
    assert purge(warehouse, Thresholds(keep_executions_days=0), now=NOW)["executions"] == 0


AGED = {
    "progress": "INSERT INTO etl.route_progress (route_name, plan_hash, slices, updated_at)"
    " VALUES ('r', %(n)s, 1, %(at)s)",
    "refusals": "INSERT INTO etl.forbidden_includes (connection, entity, include, learnt_at)"
    " VALUES ('c', 'Fixture', %(n)s, %(at)s)",
    "rejects": "INSERT INTO etl.route_rejects (route_name, reason, record, record_md5, rejected_at)"
    " VALUES ('r', 'x', '{}', %(n)s, %(at)s)",
    "changes": "INSERT INTO etl.fixture_changes (fixture_id, section, field, changed_at)"
    " VALUES (1, 'scores', %(n)s, %(at)s)",
}


@pytest.mark.parametrize("name", AGED)
def test_what_is_older_than_its_setting_goes(warehouse: psycopg.Connection[Any], name: str) -> None:
    setting = housekeeping.RETENTION[name]
    for number, days in enumerate((120, 101, 99, 1)):
        warehouse.execute(AGED[name], {"n": f"n{number}", "at": NOW - timedelta(days=days)})
    assert purge(warehouse, Thresholds(**{setting: 0}), now=NOW)[name] == 0
    assert purge(warehouse, Thresholds(**{setting: 100}), now=NOW)[name] == 2
    assert purge(warehouse, Thresholds(**{setting: 100}), now=NOW)[name] == 0


def test_every_table_has_a_retention_or_a_reason(warehouse: psycopg.Connection[Any]) -> None:
    """The table of the documentation holds each table of the schema etl, and each setting with its default."""
    page = (REPO / "docs" / "operations" / "monitoring.md").read_text(encoding="utf-8")
    section = page.partition("## Retention")[2].partition("\n## ")[0]
    tables = [
        row[0]
        for row in warehouse.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'etl'::regnamespace AND relkind = 'r' ORDER BY 1"
        )
    ]
    missing = [table for table in tables if f"`etl.{table}`" not in section]
    assert not missing, f"Give them a query housekeeping/purge_… and a line in docs/operations/monitoring.md: {missing}"
    for setting in set(housekeeping.RETENTION.values()):
        assert f"`{setting}` ({LIMITS.parameters()[setting]:g})" in section, setting
    assert {name for name in sql.names() if name.startswith("housekeeping/purge_")} == {
        f"housekeeping/purge_{name}" for name in housekeeping.RETENTION
    }
