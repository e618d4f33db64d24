"""Deadlines of league DAGs: their declaration, and the callback that Airflow runs when a run is late.

The callback runs in the triggerer (it must live under plugins/), once per run, a few seconds after the deadline,
whatever the run's state is by then: a run that failed early is late as well.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import DeadlineAlert

log = logging.getLogger(__name__)


def league_deadline(minutes: float, *, league_id: int | None = None, name: str = "deadline") -> DeadlineAlert:
    """A deadline ``minutes`` after a run was queued, for scheduled, manual and backfill runs alike."""
    # At run time both are in airflow.sdk as well, but not in its type stub.
    from airflow.sdk.definitions.callback import AsyncCallback
    from airflow.sdk.definitions.deadline import DeadlineAlert

    from sportmonks.alerts.reference import RunQueuedAt

    return DeadlineAlert(
        name=name,
        reference=RunQueuedAt(),
        interval=timedelta(minutes=minutes),
        callback=AsyncCallback(deadline_missed, kwargs={"minutes": minutes, "league_id": league_id}),
    )


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
    """Store the alert and notify. Returns the alert's id, None when the warehouse cannot be reached (logged)."""
    from sportmonks.alerts.dispatch import notify_one
    from sportmonks.warehouse.connection import connect

    dag_id = str(run.get("dag_id") or "unknown DAG")
    try:
        with connect(autocommit=True) as conn:
            alert_id, _opened = raise_deadline_alert(conn, run, minutes, league_id)
            notify_one(conn, alert_id)
            return alert_id
    except Exception as error:
        # An exception of the callback would appear in the triggerer's log only.
        log.error("Deadline of %s missed, and the alert could not be stored: %s", dag_id, str(error).splitlines()[0])
        return None


def raise_deadline_alert(
    conn: Any, run: Mapping[str, Any], minutes: float | None, league_id: int | None, *, now: datetime | None = None
) -> tuple[int, bool]:
    """(alert_id, newly opened) of the DEADLINE alert of the run's DAG. The message lists the unfinished seasons."""
    from psycopg.types.json import Jsonb

    from sportmonks.planning.execution_id import execution_id as identity
    from sportmonks.warehouse.queries import sql

    dag_id = str(run.get("dag_id") or "unknown DAG")
    run_id = str(run.get("dag_run_id") or run.get("run_id") or "")
    run_after = _as_utc(run.get("run_after"))
    execution = identity(dag_id, run_id, run_after) if run_after else None
    limit = f"{minutes:g} minute{'s' * (minutes != 1)}" if minutes else "its deadline"
    message = (
        f"Run {run_id or '?'} was not finished within {limit} of its queueing (state {run.get('state', 'unknown')})."
    )
    waiting = conn.execute(sql("alerts/unfinished_seasons"), {"execution_id": execution}).fetchall()
    if waiting:
        message += f" Not done: {', '.join(row[0] for row in waiting)}."
    details = {"dag_id": dag_id, "run_id": run_id, "deadline_minutes": minutes}
    alert = {
        "dedupe_key": f"DEADLINE:{dag_id}",
        "subject": dag_id,
        "message": message,
        "hint": "See in the grid which task it waits for: a free slot, the API budget, or a retry. Late is not lost:"
        " let it run on, or clear what failed.",
        "details": Jsonb(details),
        "execution_id": execution,
        "league_id": league_id,
        "now": now or datetime.now(UTC),
    }
    row = conn.execute(sql("alerts/raise_deadline"), alert).fetchone()
    return int(row[0]), bool(row[1])


def _as_utc(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    if isinstance(value, str) and value:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(UTC)
    return None
