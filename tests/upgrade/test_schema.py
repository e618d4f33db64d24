"""The old warehouse, migrated: the schema of a new one, and every row of before."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql
from psycopg.rows import dict_row

from sportmonks.collect.response_store import orphaned
from sportmonks.dashboard import queries, runs
from sportmonks.routes.parse import load_routes
from sportmonks.routes.store import ensure_tables
from sportmonks.warehouse.migrations import migrate
from tests.upgrade import restore
from tests.upgrade.restore import FOLDER, LEAGUES
from tests.warehouse.snapshot import snapshot

Conn = psycopg.Connection[Any]
# Written by migrations themselves.
OWN_TABLES = {"etl.schema_migrations", "etl.applied_definitions"}


def tables_of(conn: Conn) -> dict[str, int]:
    """Rows by table."""
    found = conn.execute(
        "SELECT table_schema, table_name FROM information_schema.tables"
        " WHERE table_schema IN ('etl', 'raw', 'football') AND table_type = 'BASE TABLE'"
    ).fetchall()
    counts = {}
    for schema, table in found:
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        (row,) = conn.execute(query).fetchall()
        counts[f"{schema}.{table}"] = row[0]
    return {name: count for name, count in counts.items() if name not in OWN_TABLES}


@pytest.fixture(scope="module")
def before() -> dict[str, int]:
    """Rows by table, filled in when the dump is restored."""
    return {}


@pytest.fixture(scope="module")
def migrated(postgres_server: str, before: dict[str, int]) -> Iterator[Conn]:
    """The restored warehouse after the migrations of the present code."""
    name = f"old_{uuid.uuid4().hex[:8]}"
    dsn = conninfo.make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        restore.restore(dsn, "warehouse")
        with psycopg.connect(dsn, autocommit=True) as conn:
            before.update(tables_of(conn))
            migrate(conn)
            yield conn
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_the_dump_holds_what_its_readme_says(migrated: Conn, before: dict[str, int]) -> None:
    for table in (
        "football.fixture_player_statistics",
        "raw.fixtures",
        "raw.client_sportmonks_standings",
        "etl.collector_runs",
        "etl.collector_periods",
        "etl.route_progress",
        "etl.etl_logs",
        "etl.etl_metrics",
        "etl.api_budget",
    ):
        assert before[table], table
    assert before["etl.fetched_answers"] == restore.FACTS["kept_answers"] == 1
    kinds = {row["status"] for row in restore.executions()}
    assert kinds == {"RUNNING", "COMPLETED", "FAILED"}
    assert {row["status"] for row in restore.alerts().values()} == {"OPEN", "ACKNOWLEDGED"}
    held = migrated.execute("SELECT count(*) FROM football.fixtures WHERE held_reads > 0").fetchone()
    assert held is not None
    assert held[0] == 12


def test_the_schema_is_that_of_a_new_warehouse(migrated: Conn, warehouse: Conn) -> None:
    routes, problems = load_routes(FOLDER / "routes")
    assert not problems
    assert len(ensure_tables(warehouse, routes)[0]) == 2
    assert snapshot(migrated).splitlines() == snapshot(warehouse).splitlines()


def test_nothing_is_left_to_migrate(migrated: Conn) -> None:
    assert migrate(migrated) == []


def test_every_row_is_still_there(migrated: Conn, before: dict[str, int]) -> None:
    after = tables_of(migrated)
    assert {name: after.get(name) for name in before} == before


def test_alerts_keep_their_hint(migrated: Conn) -> None:
    old = restore.alerts()
    assert len(old) >= 3
    found = {row["alert_id"]: row for row in queries.alerts(migrated, state="all", limit=100)["rows"]}
    for alert_id, row in old.items():
        assert found[alert_id]["hint"] == row["mend"] != ""
        assert found[alert_id]["message"] == row["message"]
        assert found[alert_id]["status"] == row["status"]


def test_the_page_knows_the_old_runs(migrated: Conn) -> None:
    found = {row["execution_id"]: row for row in runs.runs(migrated, kind="league", limit=100)["rows"]}
    chunks = Counter(row["execution_id"] for row in restore.rows_of("warehouse", "etl.execution_chunks"))
    for row in restore.executions():
        shown = found[row["execution_id"]]
        assert (shown["dag_id"], shown["run_id"], shown["status"]) == (row["dag_id"], row["run_id"], row["status"])
        whole = queries.execution(migrated, row["execution_id"])
        assert whole is not None
        assert len(whole["chunks"]) == chunks[row["execution_id"]]
    estimates = dict(migrated.execute("SELECT execution_id, estimate::text FROM etl.etl_executions").fetchall())
    assert estimates == {row["execution_id"]: row["quote"] for row in restore.executions()}


def test_times_of_requests_keep_their_value(migrated: Conn) -> None:
    old = {int(row["id"]): row["last_asked_at"] for row in restore.rows_of("warehouse", "football.fixtures")}
    assert sum(value != "\\N" for value in old.values()) > 100
    found = migrated.execute("SELECT id, coalesce(last_requested_at::text, '\\N') FROM football.fixtures").fetchall()
    assert dict(found) == old


def test_an_answer_that_was_kept_can_be_stored(migrated: Conn) -> None:
    (run,) = LEAGUES["killed"]["runs"].values()
    with migrated.cursor(row_factory=dict_row) as cursor:
        chunk = cursor.execute("SELECT league_id, season_id FROM etl.fetched_answers").fetchone()
    assert chunk is not None
    ((execution_id, fetched),) = list(orphaned(migrated, chunk["league_id"], chunk["season_id"]))
    assert execution_id == run["execution_id"]
    assert len(fetched.rows) == 4
    assert not fetched.missing
    assert set(fetched.rows) <= {int(row["id"]) for row in restore.rows_of("warehouse", "football.fixtures")}
