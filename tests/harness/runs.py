"""Small builders of runs and fixtures in the warehouse."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Run = Callable[..., str]


@pytest.fixture
def run(warehouse: psycopg.Connection[Any]) -> Run:
    """``run(dag_id, hours_ago, status, processed=, failed=, minutes=, ...)`` -> execution_id of a finished run."""
    count = 0

    def make(
        dag_id: str = "sportmonks_premier_league",
        hours_ago: float = 1,
        status: str = "COMPLETED",
        *,
        total: int = 100,
        processed: int | None = None,
        failed: int = 0,
        successful: int | None = None,
        minutes: float = 5,
        config: str = "{}",
        error: str | None = None,
        run_id: str | None = None,
    ) -> str:
        nonlocal count
        count += 1
        execution_id = f"etl_{count}"
        done = total if processed is None else processed
        started = NOW - timedelta(hours=hours_ago)
        finished = None if status == "RUNNING" else started + timedelta(minutes=minutes)
        warehouse.execute(
            "INSERT INTO etl.etl_executions (execution_id, dag_id, run_id, status, started_at, finished_at,"
            " heartbeat_at, total_fixtures, processed_fixtures, successful_fixtures, failed_fixtures, duration_seconds,"
            " config, error_message) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                execution_id,
                dag_id,
                run_id or f"manual__{count}",
                status,
                started,
                finished,
                finished or started,
                total,
                done,
                done - failed if successful is None else successful,
                failed,
                None if finished is None else minutes * 60,
                config,
                error,
            ),
        )
        return execution_id

    return make
