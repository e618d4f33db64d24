"""Housekeeping of the monitoring tables: close dead executions, roll up metrics, delete expired rows."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

from sportmonks.config.catalog import Thresholds
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

PURGE_BATCH = 10_000
# Query housekeeping/purge_<name> -> the setting with its days, in the order in which they run: runs after their plans.
# docs/operations/monitoring.md lists every table with its setting, or the reason why it does not grow.
RETENTION: Mapping[str, str] = {
    "logs": "keep_logs_days",
    "metrics": "keep_metrics_days",
    "buckets": "keep_metrics_days",
    "collectors": "keep_metrics_days",
    "origins": "keep_metrics_days",
    "plans": "keep_plans_days",
    "answers": "keep_plans_days",
    "progress": "keep_plans_days",
    "refusals": "keep_plans_days",
    "alerts": "keep_alerts_days",
    "executions": "keep_executions_days",
    "rejects": "keep_rejects_days",
    "changes": "keep_changes_days",
}
# A run that is over for Airflow is closed when it has been silent for so long; its last statements may be under way.
GRACE_S = 60.0


def has_tables(conn: psycopg.Connection[Any]) -> bool:
    """Whether the migrations have run here."""
    row = conn.execute(sql("housekeeping/has_tables")).fetchone()
    return bool(row and row[0])


def close_dead_executions(
    conn: psycopg.Connection[Any],
    thresholds: Thresholds,
    is_active: Callable[[str, str], bool],
    *,
    now: datetime | None = None,
) -> list[str]:
    """Close executions whose DAG run is over or gone, for example because it was marked by hand; their ids.

    ``is_active(dag_id, run_id)`` asks Airflow. A run that waits deferred for the budget is silent but active.
    Executions without a DAG run are closed when they have been silent for ``dead_after_minutes``.
    """
    now = now or datetime.now(UTC)
    closed: list[str] = []
    silence = timedelta(minutes=thresholds.dead_after_minutes)
    rows = conn.execute(sql("housekeeping/silent_executions"), {"minutes": GRACE_S / 60, "now": now}).fetchall()
    for execution_id, dag_id, run_id, last_sign in rows:
        # A sign that lies far ahead was given before the server's clock was set back.
        if is_active(dag_id, run_id) if dag_id and run_id else abs(now - last_sign) <= silence:
            continue
        reason = (
            f"The DAG run ended without finishing this execution (last sign of life {last_sign:%Y-%m-%d %H:%M} UTC): "
            "its processes were killed, or it was marked or deleted by hand. Clear the run to go on where it stopped."
        )
        dead = {"execution_id": execution_id, "reason": reason, "last_sign_at": last_sign, "now": now}
        row = conn.execute(sql("housekeeping/close_dead_execution"), dead).fetchone()
        if row and row[0]:
            log.warning("Closed execution %s of %s as FAILED.", execution_id, dag_id)
            closed.append(execution_id)
    return closed


def close_left_chunks(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """Close seasons that are still called RUNNING although their execution has ended; how many."""
    reason = "The run ended without closing this season. Clear the run to go on where it stopped."
    parameters = {"now": now or datetime.now(UTC), "reason": reason, "seconds": GRACE_S}
    row = conn.execute(sql("housekeeping/close_left_chunks"), parameters).fetchone()
    return int(row[0]) if row else 0


def close_abandoned_collector_runs(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """Give an end to runs of collectors that were killed; how many."""
    parameters = {"now": now or datetime.now(UTC)}
    row = conn.execute(sql("housekeeping/close_abandoned_collector_runs"), parameters).fetchone()
    return int(row[0]) if row else 0


def roll_up(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """Bring the five-minute buckets of the charts up to date; how many were written."""
    row = conn.execute(sql("housekeeping/roll_up_metrics"), {"now": now or datetime.now(UTC)}).fetchone()
    return int(row[0]) if row else 0


def record_gauges(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """The budgets as metrics, so that the page can draw them over time; how many rows."""
    cursor = conn.execute(sql("housekeeping/record_budget_gauges"), {"now": now or datetime.now(UTC)})
    return cursor.rowcount


def purge(
    conn: psycopg.Connection[Any], thresholds: Thresholds, *, seconds: float = 60.0, now: datetime | None = None
) -> dict[str, int]:
    """Delete what is older than the settings say, in short transactions, for at most ``seconds``; rows by table.

    A setting of 0 keeps everything. ``conn`` must be in autocommit mode. What is left is deleted by the next call.
    """
    now = now or datetime.now(UTC)
    deadline = time.monotonic() + seconds
    keep = thresholds.parameters()
    deleted: dict[str, int] = {}
    for name, setting in RETENTION.items():
        deleted[name] = 0
        days = keep[setting]
        while days > 0 and time.monotonic() < deadline:
            parameters = {"before": now - timedelta(days=days), "limit": PURGE_BATCH}
            count = conn.execute(sql(f"housekeeping/purge_{name}"), parameters).rowcount
            deleted[name] += count
            if not count:
                break
    return deleted
