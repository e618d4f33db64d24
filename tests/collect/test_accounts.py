"""A league is collected by an account that may only write rows, and its page is read by one that may only read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sportmonks.alerts.rules import ETLAlertManager
from sportmonks.api.budget import PostgresBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.collect.chunk_record import check_chunk, open_chunk
from sportmonks.config.catalog import SweepSettings, Thresholds
from sportmonks.dashboard import export
from sportmonks.monitoring import housekeeping
from sportmonks.monitoring.monitor import ETLMonitor
from sportmonks.reference.first import read_missing_lists
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.source import claim_source
from tests.collect.conftest import RunHarness
from tests.harness.accounts import Login, role_logins


@pytest.fixture
def login(warehouse_dsn: str) -> Iterator[Login]:
    with role_logins(warehouse_dsn) as make:
        yield make


def test_the_writer_collects_and_the_reader_reads(harness: RunHarness, login: Login) -> None:
    reader, harness.dsn = login("reader"), login("writer")
    with open_connection(harness.dsn, autocommit=True) as conn:
        harness.conn = conn
        assert migrate(conn) == []
        claim_source(conn, "sandbox")
        budget = PostgresBudget(harness.connect, "sportmonks_api")
        with SportmonksClient(harness.box.base_url, harness.box.key, budget=budget) as client:
            missing = read_missing_lists(
                harness.connect, client, harness.league.id, sweep=SweepSettings(), execution_id="e"
            )
        assert missing == ["states", "types", "leagues", "seasons"]
        run = harness.run()
        assert harness.run_all(run).outcomes == {"saved": 12}
        open_chunk(run, harness.season)
        check_chunk(run, harness.season)
        for name in ("tasks/close_chunk", "tasks/finish_execution"):
            values = {**run.sql_params(harness.season), "with_metrics": True}
            for statement in sql(name).split(";\n"):
                conn.execute(statement, values)
        harness.move(3600)
        assert harness.run_all(harness.run(force=True)).outcomes == {"unchanged": 12}
        with ETLMonitor(harness.connect) as monitor:
            monitor.log_event("INFO", "TEST", "written")
            monitor.record_metric("e", "written", 1)
        manager = ETLAlertManager(conn, Thresholds())
        manager.check_system_alerts()
        assert manager.failed_rules == []
        housekeeping.roll_up(conn)
        housekeeping.record_gauges(conn)
        housekeeping.close_abandoned_collector_runs(conn)
    with open_connection(reader, autocommit=True) as conn:
        shown: dict[str, Any] = export.everything(conn, {"hours": 24, "execution_id": None, "stale_hours": 36})
        assert shown["executions"]
        results = conn.execute("SELECT home_team, away_team, league, season, state FROM football.fixture_results")
        assert [None in row for row in results] == [False] * 12
