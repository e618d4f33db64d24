"""An example of an incremental collector (see `collect`). It has no schedule and writes one table."""

from datetime import UTC, datetime, timedelta

from airflow.sdk import DAG, task

DOC = """\
### Incremental tracking in a DAG of your own

Sums the goals per year of the warehouse's own fixtures into `public.example_goals_by_year`: all years in the first run,
later the current and the previous year, and an older year again when its last fetch is more than `max_age_days` ago.

**Triage.** When the task failed, its error is in `etl.collector_runs.error_message`; nothing of that run was stored. An
account that creates nothing (the role `sportmonks_writer`) needs a table that another one has made and granted to it.

**Debug.** Runs, errors and speed are in the views `etl.collector_last_runs`, `etl.collectors_with_errors` and
`etl.collector_throughput`.

**Clear.** The task may be cleared at any time; years that are not due are skipped.

**Backfill.** A year is due again once its row is gone from `etl.collector_periods` (`example_goals`, `year:2024`).
"""


@task
def collect() -> dict[str, int]:
    from sportmonks.hooks.errors import airflow_errors
    from sportmonks.incremental import IncrementalCollector
    from sportmonks.warehouse.connection import connect
    from sportmonks.warehouse.queries import sql

    # A wrong setting fails the task at once, anything else is retried.
    with airflow_errors(), connect() as conn, IncrementalCollector("example_goals", conn) as tracker:
        if conn.execute(sql("example/has_table")).fetchone() != (True,):
            conn.execute(sql("example/table"))
            conn.execute(sql("example/timestamps"))
        for year in tracker.years_to_fetch(2015, datetime.now(UTC).year, max_age_days=365):
            inserted = conn.execute(sql("example/store"), {"year": year}).fetchone()
            tracker.record_processed()
            (tracker.record_inserted if inserted and inserted[0] else tracker.record_updated)()
    return tracker.statistics


with DAG(
    dag_id="example_incremental",
    dag_display_name="Incremental collector (example)",
    description="Fetches the years that are due and records figures and errors",
    doc_md=DOC,
    schedule=None,
    is_paused_upon_creation=True,
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    tags=["example", "sportmonks"],
    default_args={
        "owner": "sportmonks",
        "retries": 1,
        "retry_delay": timedelta(seconds=30),
        "execution_timeout": timedelta(hours=2),
    },
):
    collect()
