"""The DAG etl_watch: every ten minutes it closes runs that were killed, runs the alert rules, notifies people and
purges the monitoring tables."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from airflow.sdk import DAG, get_current_context, task

from sportmonks.alerts.failures import run_failed, run_succeeded

DOC = """
### Watch

Watches all other DAGs of this package every ten minutes. It changes nothing but monitoring tables.

| task | |
|---|---|
| `close_dead_executions` | executions whose DAG run is over, marked by hand or gone become FAILED, with reason |
| `alerts` | runs every rule (`include/sql/alerts/*.sql`), resolves past alerts, sends each new alert once |
| `retention` | adds metrics up for the charts; deletes what is older than the settings `keep_…_days` say |

Limits and retention are set in the `alerts:` section of `include/catalog.yaml`; a change applies after the next run of
`sportmonks_catalog`.

**Triage.**
- `alerts` failed: the warehouse does not answer, or the SQL of a rule fails. The log names the rule; the other rules
  have run.
- No notification arrives: check that one of the connections `sportmonks_smtp`, `sportmonks_slack`,
  `sportmonks_webhook` exists. A channel that fails is named in the log of `alerts` and tried again in the next run.
- An alert stays open: the page *ETL dashboard* says which condition resolves it; acknowledge it meanwhile.

**Debug.** `./etl dashboard --alerts` runs the same rules in a terminal. A rule is one SELECT
(`include/sql/alerts/<rule>.sql`): run it by hand with the limits of the catalog. The result of `alerts` (XCom)
counts the alerts that are open and those that this run opened, resolved and sent.

**Clear.** A task may be cleared and run again at any time.

**Backfill.** None is needed: every run checks the present state.
"""


@contextmanager
def _warehouse() -> Iterator[Any]:
    """A connection to the warehouse. Skips the task when the schema has not been created yet, and fails it at once when
    there is no such connection."""
    from sportmonks.airflow_compat import AirflowSkipException
    from sportmonks.hooks.errors import airflow_errors
    from sportmonks.monitoring import housekeeping
    from sportmonks.warehouse.connection import connect

    with airflow_errors(), connect(autocommit=True) as conn:
        if not housekeeping.has_tables(conn):
            raise AirflowSkipException("The warehouse has no ETL tables yet: run the DAG sportmonks_catalog once.")
        yield conn


@task
def close_dead_executions() -> list[str]:
    from sportmonks.alerts import dispatch
    from sportmonks.monitoring import housekeeping

    ti = get_current_context()["ti"]

    def is_active(dag_id: str, run_id: str) -> bool:
        return ti.get_dr_count(dag_id=dag_id, run_ids=[run_id], states=["queued", "running"]) > 0

    with _warehouse() as conn:
        housekeeping.close_abandoned_collector_runs(conn)
        housekeeping.close_left_chunks(conn)
        return housekeeping.close_dead_executions(conn, dispatch.current_thresholds(), is_active)


# Also after a failure of the task before it: the rules do not depend on what Airflow says of its runs.
@task(trigger_rule="all_done")
def alerts() -> dict[str, Any]:
    from sportmonks.airflow_compat import AirflowFailException
    from sportmonks.alerts import dispatch
    from sportmonks.alerts.heartbeat import send_heartbeat
    from sportmonks.monitoring import airflow_stats, housekeeping
    from sportmonks.routes.parse import route_includes, scheduled_routes

    with _warehouse() as conn:
        housekeeping.record_gauges(conn)
        includes = dispatch.current_includes()
        if includes is not None:
            includes += route_includes()
        result = dispatch.check_and_notify(
            conn,
            dispatch.current_thresholds(),
            includes=includes,
            routes=scheduled_routes(),
            heartbeat=send_heartbeat,
        )
        airflow_stats.report(conn)
    if result["failed_rules"]:
        raise AirflowFailException(f"Alert rules failed: {', '.join(result['failed_rules'])}. See the log above.")
    return result


@task(on_success_callback=run_succeeded, execution_timeout=timedelta(minutes=4))
def retention() -> dict[str, int]:
    from sportmonks.alerts import dispatch
    from sportmonks.monitoring import housekeeping

    with _warehouse() as conn:
        return {**housekeeping.purge(conn, dispatch.current_thresholds()), "rolled_up": housekeeping.roll_up(conn)}


def watch_dag() -> DAG:
    """The DAG, made anew."""
    with DAG(
        dag_id="etl_watch",
        dag_display_name="Sportmonks: watch",
        description="Closes dead executions, raises and resolves alerts, notifies, purges old logs and metrics",
        doc_md=DOC,
        schedule="*/10 * * * *",
        start_date=datetime(2025, 1, 1),
        catchup=False,
        max_active_runs=1,
        dagrun_timeout=timedelta(minutes=9),
        default_args={
            "owner": "sportmonks",
            "retries": 1,
            "retry_delay": timedelta(seconds=30),
            # Two tries end before the run does: a run that is stopped from outside notifies nobody.
            "execution_timeout": timedelta(minutes=2),
            "on_failure_callback": run_failed,
        },
        tags=["sportmonks", "monitoring"],
    ) as dag:
        # alerts runs in any case. retention is the task that is left out after a failure, which makes the DAG run fail
        # and so shows the failure.
        closed, checked = close_dead_executions(), alerts()
        closed >> checked
        [closed, checked] >> retention()
    return dag
