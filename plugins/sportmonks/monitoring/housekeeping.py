"""What the DAG etl_watch does: close what died, run the alert rules, tell people, keep the tables small."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from sportmonks.alerts.rules import Alert, ETLAlertManager
from sportmonks.config.thresholds import Thresholds
from sportmonks.errors import ConfigurationError
from sportmonks.warehouse.connection import sql

if TYPE_CHECKING:
    from sportmonks.notifiers.alert import Delivery

log = logging.getLogger(__name__)

# More new alerts than this in one look become one digest: a dead API must not send 490 mails.
SINGLE_NOTIFICATIONS = 5
SENDING_S = 120.0
PURGE_BATCH = 10_000

Deliver = Callable[[list[Alert]], "Delivery"]


def _deliver(alerts: list[Alert]) -> Delivery:
    from sportmonks.notifiers.alert import AlertNotifier

    return AlertNotifier(alerts).deliver()


def current_thresholds() -> Thresholds:
    """The settings of the manifest. The defaults while there is none, or none that can be read: watching goes on."""
    from airflow.sdk import Variable

    from sportmonks.config.catalog import decode_manifest
    from sportmonks.config.settings import MANIFEST_VARIABLE

    text = Variable.get(MANIFEST_VARIABLE, default=None)
    try:
        return Thresholds.from_mapping(decode_manifest(text).settings.alerts if text else None)
    except ConfigurationError as error:
        log.error("Alerts are checked with the default limits: %s", error)
        return Thresholds()


def has_tables(conn: psycopg.Connection[Any]) -> bool:
    """Whether the migrations have run here."""
    row = conn.execute("SELECT to_regclass('etl.etl_alerts') IS NOT NULL").fetchone()
    return bool(row and row[0])


def close_dead_executions(
    conn: psycopg.Connection[Any],
    thresholds: Thresholds,
    is_active: Callable[[str, str], bool],
    *,
    now: datetime | None = None,
) -> list[str]:
    """Close executions that are silent and whose DAG run is over or gone; their ids.

    ``is_active(dag_id, run_id)`` asks Airflow. A run that waits deferred for the budget is silent but active.
    """
    now = now or datetime.now(UTC)
    closed: list[str] = []
    rows = conn.execute(
        "SELECT execution_id, dag_id, run_id, last_sign_at FROM etl.silent_executions(%s, %s)",
        (thresholds.dead_after_minutes, now),
    ).fetchall()
    for execution_id, dag_id, run_id, last_sign in rows:
        if dag_id and run_id and is_active(dag_id, run_id):
            continue
        reason = (
            f"The DAG run ended without finishing this execution (last sign of life {last_sign:%Y-%m-%d %H:%M} UTC): "
            "its processes were killed, or it was marked or deleted by hand. Clear the run to go on where it stopped."
        )
        row = conn.execute(
            "SELECT etl.close_dead_execution(%s, %s, %s, %s)", (execution_id, reason, last_sign, now)
        ).fetchone()
        if row and row[0]:
            log.warning("Closed execution %s of %s as FAILED.", execution_id, dag_id)
            closed.append(execution_id)
    return closed


def close_abandoned_collector_runs(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """Give an end to runs of collectors that were killed; how many."""
    row = conn.execute("SELECT etl.close_abandoned_collector_runs(p_now => %s)", (now or datetime.now(UTC),)).fetchone()
    return int(row[0]) if row else 0


def check_and_notify(
    conn: psycopg.Connection[Any],
    thresholds: Thresholds,
    *,
    deliver: Deliver = _deliver,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Run every rule, then tell people about alerts that nobody was told about. Figures for the task's XCom."""
    manager = ETLAlertManager(conn, thresholds)
    live = manager.check_system_alerts(now=now)
    # The page reads from this that somebody looks.
    conn.execute(
        "SELECT etl.record_etl_metric(NULL, 'alerts_live', %s, 'alerts', '{}', %s)",
        (len(live), now or datetime.now(UTC)),
    )
    told = notify_new(conn, deliver=deliver, now=now)
    return {
        "live": len(live),
        "opened": sum(alert.opened for alert in live),
        "resolved": manager.resolved,
        "notified": told,
        "failed_rules": manager.failed_rules,
    }


def notify_new(conn: psycopg.Connection[Any], *, deliver: Deliver = _deliver, now: datetime | None = None) -> int:
    """Claim the alerts that wait for a notification and send them; how many were sent."""
    now = now or datetime.now(UTC)
    with conn.cursor(row_factory=dict_row) as cursor:
        claimed = cursor.execute("SELECT alert_id FROM etl.claim_alert_notifications(50, %s)", (now,)).fetchall()
    return _send(conn, [row["alert_id"] for row in claimed], deliver, now)


def notify_one(
    conn: psycopg.Connection[Any], alert_id: int, *, deliver: Deliver = _deliver, now: datetime | None = None
) -> bool:
    """Tell people about this alert unless somebody has, or is just doing so. True when it was sent."""
    now = now or datetime.now(UTC)
    claimed = conn.execute("SELECT alert_id FROM etl.claim_alert_notification(%s, %s)", (alert_id, now)).fetchall()
    return bool(_send(conn, [row[0] for row in claimed], deliver, now))


def _send(conn: psycopg.Connection[Any], ids: list[int], deliver: Deliver, now: datetime) -> int:
    if not ids:
        return 0
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("queries/alerts_by_id"), {"ids": ids}).fetchall()
    alerts = [Alert.from_row(row, opened=True) for row in rows]
    groups: Iterable[list[Alert]] = [[a] for a in alerts] if len(alerts) <= SINGLE_NOTIFICATIONS else [alerts]
    sent = 0
    deadline = time.monotonic() + SENDING_S
    for group in groups:
        # Channels that hang must not take the run's whole time; what is left is claimed anew by the next one.
        delivery = deliver(group) if time.monotonic() < deadline else None
        done = delivery is not None and delivery.done
        for alert in group:
            conn.execute("SELECT etl.settle_alert_notification(%s, %s, %s)", (alert.alert_id, done, now))
        sent += len(group) if delivery is not None and delivery.sent else 0
    return sent


def roll_up(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """Bring the five-minute buckets of the charts up to date; how many were written."""
    row = conn.execute("SELECT etl.roll_up_metrics(%s)", (now or datetime.now(UTC),)).fetchone()
    return int(row[0]) if row else 0


def record_gauges(conn: psycopg.Connection[Any], *, now: datetime | None = None) -> int:
    """The budgets as metrics, so that the page can draw them over time; how many rows."""
    cursor = conn.execute(sql("queries/watch_budget_gauges"), {"now": now or datetime.now(UTC)})
    return cursor.rowcount


def purge(
    conn: psycopg.Connection[Any], thresholds: Thresholds, *, seconds: float = 60.0, now: datetime | None = None
) -> dict[str, int]:
    """Delete what is older than the settings say, in short transactions, for at most ``seconds``; rows by table.

    A dial of 0 keeps everything. ``conn`` must be in autocommit mode. What is left waits for the next call.
    """
    now = now or datetime.now(UTC)
    deadline = time.monotonic() + seconds
    keep: Mapping[str, float] = {
        "logs": thresholds.keep_logs_days,
        "metrics": thresholds.keep_metrics_days,
        "buckets": thresholds.keep_metrics_days,
        "collectors": thresholds.keep_metrics_days,
        "plans": thresholds.keep_plans_days,
        "answers": thresholds.keep_plans_days,
        "alerts": thresholds.keep_alerts_days,
    }
    deleted: dict[str, int] = {}
    for name, days in keep.items():
        deleted[name] = 0
        while days > 0 and time.monotonic() < deadline:
            parameters = {"before": now - timedelta(days=days), "limit": PURGE_BATCH}
            count = conn.execute(sql(f"queries/watch_purge_{name}"), parameters).rowcount
            deleted[name] += count
            if count < PURGE_BATCH:
                break
    return deleted
