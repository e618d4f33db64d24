"""Failed runs of the DAGs that have no execution of their own: the catalog, raw routes, etl_watch.

``run_failed`` is the failure callback of their tasks, ``run_succeeded`` the success callback of the task that ends
their work. A failure opens an alert RUN_FAILED in the warehouse and sends it once. When the warehouse cannot be
reached, which is often why the run failed, the notification goes straight to the channels, at most once per DAG in
``REPEAT_HOURS``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.redaction import as_text, mask_text

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

RUN_FAILED = "RUN_FAILED"
# etl_watch fails every ten minutes while the warehouse is down: one message each would be ignored.
REPEAT_HOURS = 6
HINT = "Open the log of the failed task: its last line names the cause and what to do. Then clear the task."


def run_failed(context: Mapping[str, Any]) -> None:
    """Airflow's failure callback of a task, called after its last try. Never raises."""
    from sportmonks.alerts.dispatch import store_and_notify
    from sportmonks.alerts.rules import raise_alert

    run, task = context["dag_run"], context["ti"]
    reason = mask_text(as_text(context.get("exception") or "no reason is known").strip().split("\n")[0])
    subject = str(run.dag_id)
    message = f"Task {task.task_id} of run {run.run_id} failed: {reason}"
    details = {"dag_id": run.dag_id, "run_id": run.run_id, "task_id": task.task_id}

    def store(conn: psycopg.Connection[Any]) -> tuple[int, bool]:
        return raise_alert(conn, RUN_FAILED, subject, message, hint=HINT, details=details)

    if store_and_notify(subject, store) is None:
        _notify_at_intervals(subject, message, details)


def run_succeeded(context: Mapping[str, Any]) -> None:
    """Airflow's success callback: resolves what ``run_failed`` has opened. Never raises."""
    from sportmonks.alerts.dispatch import ANSWER_TIMEOUT_S
    from sportmonks.warehouse.connection import connect
    from sportmonks.warehouse.queries import sql

    dag_id = str(context["dag_run"].dag_id)
    try:
        with connect(autocommit=True, answer_timeout=ANSWER_TIMEOUT_S) as conn:
            conn.execute(sql("alerts/resolve"), {"dedupe_key": f"{RUN_FAILED}:{dag_id}", "now": datetime.now(UTC)})
        _forget(dag_id)
    except Exception as error:
        log.warning("The alert of earlier failures of %s stays open: %s", dag_id, as_text(error))


def _notify_at_intervals(subject: str, message: str, details: Mapping[str, Any]) -> None:
    from airflow.sdk import Variable

    from sportmonks.alerts.dispatch import notify_directly

    now, name = datetime.now(UTC), _variable(subject)
    try:
        last = Variable.get(name, default=None)
        if last is not None and now - datetime.fromisoformat(last) < timedelta(hours=REPEAT_HOURS):
            return
    except Exception as error:
        # One message too many is better than none.
        log.warning("When %s was last notified of is not known: %s", subject, as_text(error))
    try:
        if notify_directly(RUN_FAILED, subject, message, HINT, details):
            Variable.set(name, now.isoformat())
    except Exception as error:
        log.error("Nobody could be notified of the failure of %s: %s", subject, as_text(error))


def _forget(subject: str) -> None:
    from airflow.sdk import Variable

    if Variable.get(_variable(subject), default=None) is not None:
        Variable.delete(_variable(subject))


def _variable(subject: str) -> str:
    return f"sportmonks_notified_{subject}"
