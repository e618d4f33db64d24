"""Running the rules and sending notifications: each alert is sent once, by whoever claims it first."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.rows import dict_row

from sportmonks.alerts.notifier import AlertNotifier, Delivery
from sportmonks.alerts.rules import Alert, ETLAlertManager
from sportmonks.api.batch import ENTITY
from sportmonks.config.catalog import Thresholds
from sportmonks.errors import ConfigurationError
from sportmonks.redaction import as_text
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    from sportmonks.config.manifest import Manifest

log = logging.getLogger(__name__)

# Callbacks wait this long for a warehouse that keeps silent; then the message goes straight to the channels.
ANSWER_TIMEOUT_S = 20.0

# More new alerts than this in one check become one digest: a dead API must not send 490 mails.
SINGLE_NOTIFICATIONS = 5
# After this no further notification is begun; the rules have run before, in a task of two minutes.
SENDING_S = 60.0

Deliver = Callable[[list[Alert]], Delivery]


class _Channels:
    """The channels as one check uses them: one that has hung is not tried again with the next alert."""

    def __init__(self) -> None:
        self._hung: list[str] = []

    def __call__(self, alerts: list[Alert]) -> Delivery:
        delivery = AlertNotifier(alerts, without=self._hung).deliver()
        self._hung += delivery.hung
        return delivery


def current_thresholds() -> Thresholds:
    """The limits of the manifest; the defaults while there is no manifest or none that can be read, so that alerts
    are checked in any case."""
    manifest = _manifest()
    return manifest.settings.alerts if manifest is not None else Thresholds()


def current_includes() -> list[tuple[str, str]] | None:
    """(entity, include) that the leagues of the manifest request; None while there is no manifest that can be read."""
    manifest = _manifest()
    if manifest is None:
        return None
    names = dict.fromkeys(include for league in manifest.leagues for include in league.includes)
    return [(ENTITY, include) for include in names]


def _manifest() -> Manifest | None:
    from sportmonks.airflow_compat import read_variable
    from sportmonks.config.manifest import decode_manifest
    from sportmonks.config.settings import MANIFEST_VARIABLE

    text = read_variable(MANIFEST_VARIABLE)
    try:
        return decode_manifest(text) if text else None
    except ConfigurationError as error:
        log.error("Alerts are checked with the default limits: %s", error)
        return None


def check_and_notify(
    conn: psycopg.Connection[Any],
    thresholds: Thresholds,
    *,
    includes: Iterable[tuple[str, str]] | None = None,
    routes: Iterable[Mapping[str, Any]] = (),
    deliver: Deliver | None = None,
    heartbeat: Callable[[], bool | None] | None = None,
    now: datetime | None = None,
) -> dict[str, Any]:
    """Run every rule, then notify of each alert that has had no notification. Returns counts for the task's XCom.

    ``includes``, ``routes``: see ``ETLAlertManager``. ``heartbeat`` is called once all rules have run, before any
    notification, which may take long.
    """
    manager = ETLAlertManager(conn, thresholds, includes, routes)
    live = manager.check_system_alerts(now=now)
    # The page reads from this metric that the rules are being run.
    conn.execute(sql("housekeeping/record_alerts_live"), {"count": len(live), "now": now or datetime.now(UTC)})
    beat = {"heartbeat": heartbeat()} if heartbeat is not None and not manager.failed_rules else {}
    notified = notify_new(conn, deliver=deliver, now=now)
    return {
        "live": len(live),
        "opened": sum(alert.opened for alert in live),
        "resolved": manager.resolved,
        "notified": notified,
        "failed_rules": manager.failed_rules,
        **beat,
    }


def notify_new(conn: psycopg.Connection[Any], *, deliver: Deliver | None = None, now: datetime | None = None) -> int:
    """Claim the alerts that wait for a notification and send them; how many were sent."""
    now = now or datetime.now(UTC)
    with conn.cursor(row_factory=dict_row) as cursor:
        claimed = cursor.execute(sql("alerts/claim_notifications"), {"now": now}).fetchall()
    return _send(conn, [row["alert_id"] for row in claimed], deliver, now)


def notify_one(
    conn: psycopg.Connection[Any], alert_id: int, *, deliver: Deliver | None = None, now: datetime | None = None
) -> bool:
    """Send this alert unless it has been sent or another process is sending it now. True when it was sent."""
    now = now or datetime.now(UTC)
    claimed = conn.execute(sql("alerts/claim_notification"), {"alert_id": alert_id, "now": now}).fetchall()
    return bool(_send(conn, [row[0] for row in claimed], deliver, now))


def store_and_notify(subject: str, store: Callable[[psycopg.Connection[Any]], tuple[int, bool]]) -> int | None:
    """Store an alert that no rule raises and send it, once. ``store`` returns (alert_id, newly opened).

    Returns the alert's id, None when the warehouse cannot be reached (logged): then ``notify_directly`` is left.
    """
    from sportmonks.warehouse.connection import connect

    try:
        with connect(autocommit=True, answer_timeout=ANSWER_TIMEOUT_S) as conn:
            alert_id, _opened = store(conn)
            notify_one(conn, alert_id)
            return alert_id
    except Exception as error:
        # The callers are callbacks of Airflow: an exception would appear in the triggerer's or a task's log only.
        log.error("The alert of %s could not be stored: %s", subject, as_text(error).split("\n")[0])
        return None


def notify_directly(kind: str, subject: str, message: str, hint: str, details: Mapping[str, Any]) -> bool:
    """Send one message to every channel without the warehouse, for the time that it cannot be reached. True when a
    channel accepted it."""
    now = datetime.now(UTC)
    alert = Alert(
        alert_id=0,
        dedupe_key=f"{kind}:{subject}",
        kind=kind,
        severity="CRITICAL",
        status="OPEN",
        subject=subject,
        message=f"{message} The warehouse cannot be reached, so this alert is on no page.",
        hint=hint,
        opened_at=now,
        last_seen_at=now,
        seen_count=1,
        dag_id=details.get("dag_id"),
        run_id=details.get("run_id"),
        details=dict(details),
        opened=True,
    )
    return bool(AlertNotifier([alert]).deliver().sent)


def _send(conn: psycopg.Connection[Any], ids: list[int], deliver: Deliver | None, now: datetime) -> int:
    if not ids:
        return 0
    deliver = deliver or _Channels()
    with conn.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(sql("alerts/by_id"), {"ids": ids}).fetchall()
    alerts = [Alert.from_row(row, opened=True) for row in rows]
    groups: Iterable[list[Alert]] = [[a] for a in alerts] if len(alerts) <= SINGLE_NOTIFICATIONS else [alerts]
    sent = 0
    deadline = time.monotonic() + SENDING_S
    for group in groups:
        # Channels that hang must not use up the run's time; alerts that are left are claimed again by the next run.
        delivery = deliver(group) if time.monotonic() < deadline else None
        done = delivery is not None and delivery.done
        for alert in group:
            outcome = {"alert_id": alert.alert_id, "sent": done, "now": now}
            conn.execute(sql("alerts/settle_notification"), outcome)
        sent += len(group) if delivery is not None and delivery.sent else 0
    return sent
