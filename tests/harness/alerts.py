"""An alert as the warehouse would hold it."""

from __future__ import annotations

from datetime import UTC, datetime

from sportmonks.alerts.rules import Alert


def make_alert(**changes: object) -> Alert:
    """An open alert about a league's failed fixtures; ``changes`` replace its columns."""
    values: dict[str, object] = {
        "alert_id": 7,
        "dedupe_key": "ERROR_RATE:sportmonks_la_liga",
        "kind": "ERROR_RATE",
        "severity": "WARNING",
        "status": "OPEN",
        "subject": "sportmonks_la_liga",
        "message": "10 of 100 fixtures failed.",
        "hint": "Clear the failed group.",
        "opened_at": datetime(2026, 11, 20, 12, 5, tzinfo=UTC),
        "last_seen_at": datetime(2026, 11, 20, 12, 5, tzinfo=UTC),
        "seen_count": 1,
        "execution_id": "etl_20261120_120000_abcdef",
        "dag_id": "sportmonks_la_liga",
        "run_id": "manual__2026-11-20T12:00:00+00:00",
        "details": {"api_token": "hush-hush"},
    }
    return Alert(**{**values, **changes})  # type: ignore[arg-type]
