"""The schema: what the design promises by name, nothing unseen in a review, impossible rows refused."""

from __future__ import annotations

import difflib
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.warehouse.run_builder import Ask
from tests.warehouse.snapshot import FILE, snapshot


def test_the_committed_snapshot_is_the_schema(warehouse: psycopg.Connection[Any]) -> None:
    now, committed = snapshot(warehouse), FILE.read_text(encoding="utf-8")
    difference = "\n".join(
        difflib.unified_diff(committed.split("\n"), now.split("\n"), FILE.name, "migrations", n=1, lineterm="")
    )
    assert now == committed, f"The schema changed. Wanted? Run: python -m tests.warehouse.snapshot\n{difference}"


COLUMNS = {
    "etl.etl_executions": {
        "execution_id": "text",
        "dag_id": "text",
        "run_id": "text",
        "status": "text",
        "started_at": "timestamp with time zone",
        "finished_at": "timestamp with time zone",
        "heartbeat_at": "timestamp with time zone",
        "total_fixtures": "integer",
        "processed_fixtures": "integer",
        "successful_fixtures": "integer",
        "failed_fixtures": "integer",
        "total_chunks": "integer",
        "processed_chunks": "integer",
        "duration_seconds": "numeric",
        "error_message": "text",
        "config": "jsonb",
    },
    "etl.etl_logs": {
        "log_id": "bigint",
        "timestamp": "timestamp with time zone",
        "level": "text",
        "component": "text",
        "message": "text",
        "details": "jsonb",
        "execution_id": "text",
        "chunk_id": "text",
        "fixture_id": "bigint",
        "duration_ms": "numeric",
    },
    "etl.etl_metrics": {
        "metric_id": "bigint",
        "timestamp": "timestamp with time zone",
        "execution_id": "text",
        "metric_name": "text",
        "metric_value": "double precision",
        "metric_unit": "text",
        "tags": "jsonb",
    },
    "etl.etl_alerts": {"dedupe_key": "text", "status": "text"},
    "etl.chunks": {
        "league_id": "bigint",
        "season_id": "bigint",
        "chunk_id": "text",
        "status": "text",
        "fence": "bigint",
    },
    "etl.collector_runs": {
        "collector_name": "text",
        "status": "text",
        "started_at": "timestamp with time zone",
        "completed_at": "timestamp with time zone",
        "records_processed": "bigint",
        "records_inserted": "bigint",
        "records_updated": "bigint",
        "records_unchanged": "bigint",
        "error_message": "text",
    },
    "raw.fixtures": {
        "fixture_id": "bigint",
        "payload": "jsonb",
        "content_hash": "bytea",
        "includes": "ARRAY",
        "reference_date": "date",
        "collected_at": "timestamp with time zone",
    },
    "etl.fixture_changes": {
        "fixture_id": "bigint",
        "section": "text",
        "before": "jsonb",
        "after": "jsonb",
        "hours_after": "numeric",
    },
    "football.fixtures": {
        "id": "bigint",
        "league_id": "bigint",
        "season_id": "bigint",
        "collection_status": "text",
        "quality_score": "smallint",
        "next_due_at": "timestamp with time zone",
        "due_reason": "text",
    },
}
INDEXES = {
    "etl.etl_executions": ("idx_etl_executions_started_at", "idx_etl_executions_status"),
    "etl.etl_logs": (
        "idx_etl_logs_timestamp",
        "idx_etl_logs_level",
        "idx_etl_logs_component",
        "idx_etl_logs_execution_id",
        "idx_etl_logs_chunk_id",
    ),
    "etl.etl_metrics": ("idx_etl_metrics_timestamp", "idx_etl_metrics_execution_id", "idx_etl_metrics_name"),
}
TABLES = (
    "leagues seasons stages rounds teams venues states types fixtures fixture_participants fixture_scores "
    "fixture_events fixture_lineups fixture_player_statistics fixture_statistics fixture_periods"
).split()
VIEWS = ("fixture_results", "season_coverage", "player_appearances")
FUNCTIONS = {
    "log_etl_event": "level component message details execution_id chunk_id fixture_id duration_ms",
    "record_etl_metric": "execution_id metric_name metric_value metric_unit tags",
    "start_etl_execution": "execution_id config",
    "finish_etl_execution": "execution_id status",
    "get_etl_execution_summary": "execution_id",
    "get_etl_health_status": "",
}


def types_of(ask: Ask, schema: str, table: str) -> dict[str, str]:
    rows = ask(
        "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = %s AND table_name = %s",
        schema,
        table,
    )
    return {row["column_name"]: row["data_type"] for row in rows}


@pytest.mark.parametrize("table", COLUMNS)
def test_columns(ask: Ask, table: str) -> None:
    assert COLUMNS[table].items() <= types_of(ask, *table.split(".")).items()


@pytest.mark.parametrize("table", INDEXES)
def test_indexes(ask: Ask, table: str) -> None:
    schema, name = table.split(".")
    rows = ask("SELECT indexname FROM pg_indexes WHERE schemaname = %s AND tablename = %s", schema, name)
    assert {row["indexname"] for row in rows} >= set(INDEXES[table])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_take_their_arguments_in_this_order(ask: Ask, name: str) -> None:
    (row,) = ask(
        "SELECT p.proargnames[1:p.pronargs] AS names FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE n.nspname = 'etl' AND p.proname = %s",
        name,
    )
    promised = [f"p_{part}" for part in FUNCTIONS[name].split()]
    assert row["names"][: len(promised)] == promised


@pytest.mark.parametrize("table", TABLES)
def test_typed_tables_carry_their_times_and_big_ids(ask: Ask, table: str) -> None:
    types = types_of(ask, "football", table)
    assert types["created_at"] == types["updated_at"] == "timestamp with time zone"
    assert {kind for name, kind in types.items() if name == "id" or name.endswith("_id")} == {"bigint"}


@pytest.mark.parametrize("view", VIEWS)
def test_views_can_be_read(warehouse: psycopg.Connection[Any], view: str) -> None:
    assert warehouse.execute(sql.SQL("SELECT * FROM football.{}").format(sql.Identifier(view))).fetchall() == []


NOW = datetime(2026, 3, 1, tzinfo=UTC)
CHUNK = {"league_id": 1, "season_id": 1}
PLANNED = {"execution_id": "x", **CHUNK, "fixture_id": 1, "position": 1, "reason": "x", "priority": 1}
ALERT = {"dedupe_key": "k", "kind": "x", "subject": "x", "message": "x"}
FIXTURE = {"id": 1, **CHUNK}
IMPOSSIBLE: dict[str, tuple[str, dict[str, Any]]] = {
    "etl_executions_status_known": (
        "etl.etl_executions",
        {"execution_id": "x", "status": "DONE", "finished_at": NOW},
    ),
    "etl_executions_finished_when_final": ("etl.etl_executions", {"execution_id": "x", "status": "COMPLETED"}),
    "etl_executions_figures_not_negative": ("etl.etl_executions", {"execution_id": "x", "total_chunks": -1}),
    "etl_executions_attempts_positive": ("etl.etl_executions", {"execution_id": "x", "attempts": 0}),
    "etl_executions_idle_not_negative": ("etl.etl_executions", {"execution_id": "x", "idle_seconds": -1}),
    "execution_chunks_idle_not_negative": ("etl.execution_chunks", {"execution_id": "x", **CHUNK, "idle_seconds": -1}),
    "etl_logs_level_known": ("etl.etl_logs", {"level": "LOUD", "component": "x", "message": "x"}),
    "chunks_status_known": ("etl.chunks", {**CHUNK, "status": "DONE"}),
    "chunks_index_odd_rows_not_negative": ("etl.chunks", {**CHUNK, "index_odd_rows": -1}),
    "chunks_suspected_index_has_time": ("etl.chunks", {**CHUNK, "doubtful_indexes": 1}),
    "fixtures_suspected_sections_have_time": (
        "football.fixtures",
        {"id": 1, "league_id": 1, "season_id": 1, "suspected_sections": "scores"},
    ),
    "execution_chunks_status_known": ("etl.execution_chunks", {"execution_id": "x", **CHUNK, "status": "x"}),
    "execution_chunks_finished_when_final": (
        "etl.execution_chunks",
        {"execution_id": "x", **CHUNK, "finished_at": NOW},
    ),
    "execution_fixtures_status_known": ("etl.execution_fixtures", {**PLANNED, "status": "x", "done_at": NOW}),
    "execution_fixtures_done_when_final": ("etl.execution_fixtures", {**PLANNED, "status": "SAVED"}),
    "collector_runs_status_known": (
        "etl.collector_runs",
        {"collector_name": "x", "status": "x", "completed_at": NOW},
    ),
    "collector_runs_completed_when_final": ("etl.collector_runs", {"collector_name": "x", "status": "success"}),
    "etl_alerts_severity_known": ("etl.etl_alerts", {**ALERT, "severity": "BAD"}),
    "etl_alerts_status_known": ("etl.etl_alerts", {**ALERT, "status": "GONE"}),
    "etl_alerts_resolved_when_over": ("etl.etl_alerts", {**ALERT, "status": "RESOLVED"}),
    "fixtures_status_known": ("football.fixtures", {**FIXTURE, "collection_status": "NEW"}),
    "fixtures_quality_in_range": ("football.fixtures", {**FIXTURE, "quality_score": 101}),
    "fixtures_tombstone_dated": ("football.fixtures", {**FIXTURE, "collection_status": "DELETED"}),
}


def insert(conn: psycopg.Connection[Any], table: str, row: dict[str, Any]) -> None:
    conn.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(*table.split(".")),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


@pytest.mark.parametrize("name", IMPOSSIBLE)
def test_impossible_rows_are_refused_by_name(warehouse: psycopg.Connection[Any], name: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        insert(warehouse, *IMPOSSIBLE[name])
    assert caught.value.diag.constraint_name == name


def test_every_named_check_of_the_core_has_its_impossible_row(ask: Ask) -> None:
    tables = sorted({table for table, _ in IMPOSSIBLE.values()})
    rows = ask("SELECT conname FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text = ANY (%s)", tables)
    assert {row["conname"] for row in rows} == IMPOSSIBLE.keys()


def test_one_live_alert_per_key(warehouse: psycopg.Connection[Any]) -> None:
    insert(warehouse, "etl.etl_alerts", ALERT)
    with pytest.raises(psycopg.errors.UniqueViolation), warehouse.transaction():
        insert(warehouse, "etl.etl_alerts", ALERT)
    warehouse.execute("UPDATE etl.etl_alerts SET status = 'RESOLVED', resolved_at = now()")
    insert(warehouse, "etl.etl_alerts", ALERT)
