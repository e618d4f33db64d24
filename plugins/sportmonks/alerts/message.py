"""An alert as people read it: subject line, plain text, HTML, and JSON for machines."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from sportmonks.alerts.rules import Alert
from sportmonks.redaction import mask_text, mask_value

KIND_NAMES = {
    "ERROR_RATE": "Too many failed fixtures",
    "SUCCESS_RATE": "Too few fixtures stored",
    "DURATION": "A run takes too long",
    "CONSECUTIVE_FAILURES": "Runs fail again and again",
    "QUALITY_CHECKS": "Quality checks failed",
    "BUDGET_EXHAUSTED": "API budget spent",
    "API_FAILING": "The API keeps failing",
    "INCLUDES_REFUSED": "Includes that the plan refuses",
    "STALE_LEAGUE": "A league is stale",
    "STALE_ROUTE": "A raw route is stale",
    "UNPROVEN_ROUTE": "A raw route may be short",
    "SUSPECTED_DATA": "Data may be missing",
    "FEWER_ROWS": "Fewer data than in the seasons before",
    "UNKNOWN_IDS": "Unknown ids from the provider",
    "DEADLINE": "Deadline missed",
    "RUN_FAILED": "A run failed",
}


def run_link(base_url: str, dag_id: str | None, run_id: str | None) -> str | None:
    """Address of the DAG run in the Airflow UI, of the DAG when there is no run, None without either."""
    if not dag_id or not base_url:
        return None
    link = f"{base_url.rstrip('/')}/dags/{quote(dag_id, safe='')}"
    return f"{link}/runs/{quote(run_id, safe='')}" if run_id else link


def headline(alert: Alert) -> str:
    """The subject as one line without line breaks, because it becomes a mail header."""
    text = f"[{alert.severity}] {KIND_NAMES.get(alert.kind, alert.kind)}: {alert.subject}"
    return " ".join(mask_text(text).split())[:180]


def lines(alert: Alert, base_url: str) -> list[tuple[str, str]]:
    """The lines of a message as (label, text): what, where, since when, what to do, link."""
    where = [alert.subject]
    if alert.execution_id:
        where.append(f"execution {alert.execution_id}")
    if alert.season_id:
        where.append(f"season {alert.season_id}")
    found = [
        ("What", alert.message),
        ("Where", ", ".join(where)),
        (
            "Since",
            f"{alert.opened_at:%Y-%m-%d %H:%M} UTC"
            + (f", seen {alert.seen_count} times" if alert.seen_count > 1 else ""),
        ),
        ("What to do", alert.hint),
        ("Run", run_link(base_url, alert.dag_id, alert.run_id) or ""),
    ]
    return [(label, mask_text(text)) for label, text in found if text]


def as_text(alert: Alert, base_url: str) -> str:
    return "\n".join([headline(alert), *(f"{label}: {text}" for label, text in lines(alert, base_url))])


def as_html(alerts: Sequence[Alert], base_url: str) -> str:
    """A small HTML body; everything from the database is escaped."""
    parts = []
    for alert in alerts:
        rows = []
        for label, text in lines(alert, base_url):
            shown = html.escape(text)
            if label == "Run":
                shown = f'<a href="{html.escape(text, quote=True)}">{shown}</a>'
            rows.append(f"<tr><th align='left' valign='top'>{label}</th><td>{shown}</td></tr>")
        parts.append(f"<h3>{html.escape(headline(alert))}</h3><table cellpadding='4'>{''.join(rows)}</table>")
    return "".join(parts)


def as_json(alert: Alert, base_url: str) -> dict[str, Any]:
    """The JSON object that a webhook receives: stable keys, secrets masked."""
    return {
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "severity": alert.severity,
        "status": alert.status,
        "title": headline(alert),
        "subject": mask_text(alert.subject),
        "message": mask_text(alert.message),
        "hint": mask_text(alert.hint),
        "since": alert.opened_at.isoformat(),
        "execution_id": alert.execution_id,
        "dag_id": alert.dag_id,
        "run_id": alert.run_id,
        "league_id": alert.league_id,
        "season_id": alert.season_id,
        "link": run_link(base_url, alert.dag_id, alert.run_id),
        "details": mask_value(alert.details),
    }
