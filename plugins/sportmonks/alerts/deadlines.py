"""Deadlines of leagues and raw routes: their declaration, and the callback that Airflow runs when a run is late.

The callback runs in the triggerer, which imports it by its stored path, once per run, a few seconds after the deadline,
whatever the run's state is by then: a run that failed early is late as well.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.redaction import as_text

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import DeadlineAlert

log = logging.getLogger(__name__)

HINT = (
    "See in the grid which task it waits for: a free slot, the API budget, or a retry. Late is not lost: let it run on,"
    " or clear what failed."
)


def run_deadline(minutes: float, *, league_id: int | None = None) -> DeadlineAlert:
    """A deadline ``minutes`` after a run was queued, for scheduled, manual and backfill runs alike."""
    from sportmonks.airflow_compat import deadline_alert
    from sportmonks.alerts.reference import RunQueuedAt

    values = {"minutes": minutes, "league_id": league_id}
    return deadline_alert("deadline", RunQueuedAt(), timedelta(minutes=minutes), deadline_missed, values)


async def deadline_missed(
    minutes: float | None = None,
    league_id: int | None = None,
    context: Mapping[str, Any] | None = None,
    **_: Any,
) -> None:
    """Open (or refresh) the DAG's DEADLINE alert and send one notification per alert.

    ``context`` is Airflow's: ``{"dag_run": REST shape, "deadline": {...}}``.
    """
    from asgiref.sync import sync_to_async

    run = dict((context or {}).get("dag_run") or {})
    # thread_sensitive=False: a slow database must not hold up other callbacks of the triggerer.
    await sync_to_async(report_missed_deadline, thread_sensitive=False)(run, minutes, league_id)


def report_missed_deadline(run: Mapping[str, Any], minutes: float | None, league_id: int | None) -> int | None:
    """Store the alert and notify. Returns the alert's id, None when the warehouse cannot be reached: the channels are
    then notified directly."""
    from sportmonks.alerts.dispatch import notify_directly, store_and_notify

    dag_id, run_id = _ids(run)
    alert_id = store_and_notify(dag_id, lambda conn: raise_deadline_alert(conn, run, minutes, league_id))
    if alert_id is not None:
        return alert_id
    try:
        notify_directly("DEADLINE", dag_id, _message(run, minutes), HINT, {"dag_id": dag_id, "run_id": run_id})
    except Exception as error:
        log.error("Nobody could be notified of the missed deadline of %s: %s", dag_id, as_text(error).split("\n")[0])
    return None


def raise_deadline_alert(
    conn: Any, run: Mapping[str, Any], minutes: float | None, league_id: int | None, *, now: datetime | None = None
) -> tuple[int, bool]:
    """(alert_id, newly opened) of the DEADLINE alert of the run's DAG. The message lists the unfinished seasons."""
    from sportmonks.alerts.rules import raise_alert
    from sportmonks.planning.execution_id import execution_id as identity
    from sportmonks.warehouse.queries import sql

    dag_id, run_id = _ids(run)
    run_after = _as_utc(run.get("run_after"))
    execution = identity(dag_id, run_id, run_after) if run_after else None
    message = _message(run, minutes)
    waiting = conn.execute(sql("alerts/unfinished_seasons"), {"execution_id": execution}).fetchall()
    if waiting:
        message += f" Not done: {', '.join(row[0] for row in waiting)}."
    details = {"dag_id": dag_id, "run_id": run_id, "deadline_minutes": minutes}
    return raise_alert(
        conn,
        "DEADLINE",
        dag_id,
        message,
        hint=HINT,
        details=details,
        execution_id=execution,
        league_id=league_id,
        now=now,
    )


def _ids(run: Mapping[str, Any]) -> tuple[str, str]:
    return str(run.get("dag_id") or "unknown DAG"), str(run.get("dag_run_id") or run.get("run_id") or "")


def _message(run: Mapping[str, Any], minutes: float | None) -> str:
    limit = f"{minutes:g} minute{'s' * (minutes != 1)}" if minutes else "its deadline"
    state = run.get("state", "unknown")
    return f"Run {_ids(run)[1] or '?'} was not finished within {limit} of its queueing (state {state})."


def _as_utc(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(UTC)
    return None
