"""The DAG sportmonks_catalog: schema, reference lists, leagues and seasons, and the manifest of the league DAGs."""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, chain

from sportmonks.airflow_compat import CronTriggerTimetable
from sportmonks.alerts.failures import run_failed, run_succeeded
from sportmonks.operators.catalog import MigrateOperator, PublishCatalogOperator, ReferenceOperator, StructureOperator

DOC = """\
### Catalog

Runs before the leagues: brings the warehouse's schema up to date, reads states, types, leagues and seasons, and
writes the manifest (Variable `sportmonks_manifest`). A new season becomes a new group in its league's DAG without
further work. Then `structure` reads stages, rounds, teams and venues of the seasons that are due, newest first, with a
limit per run (`sweep:` in `include/catalog.yaml`); the league DAGs do not wait for it.

**Triage.**
- `migrate` failed: the warehouse does not answer, or the user may not create schemas.
- `reference` or `publish` deferred: the hourly calls are used up. The task goes on by itself.
- `publish` failed: the log names the line of `include/catalog.yaml`, or the league that is not in the subscription.
- `structure` failed: the API kept failing; what was read is stored.

The runs of each list are in `etl.collector_last_runs`, errors in `etl.collectors_with_errors`.

**Debug.** The result is the Variable `sportmonks_manifest` and the tables `football.leagues` and `football.seasons`.
The environment variables `ETL_LEAGUES` and `ETL_INCLUDES` override `leagues` and `includes` of the file; what a league
has of its own stays. When a league has no DAG, see the log of `publish`: it says how many leagues the manifest has.

**Clear.** Every task may be cleared and run again at any time.

**Backfill.** None is needed: each run continues with the seasons that are left.
"""


def catalog_dag() -> DAG:
    """The DAG, made anew."""
    with DAG(
        dag_id="sportmonks_catalog",
        dag_display_name="Sportmonks: catalog",
        description="Schema, reference data, leagues and seasons; the manifest of the league DAGs",
        doc_md=DOC,
        schedule=CronTriggerTimetable("30 4 * * *", timezone="UTC", run_immediately=timedelta(0)),
        catchup=False,
        # A run with a new choice of leagues does not have to wait until the lists of the run before are read.
        max_active_runs=2,
        tags=["sportmonks", "football", "catalog"],
        default_args={
            "owner": "sportmonks",
            "retries": 2,
            "retry_delay": timedelta(seconds=30),
            # A try that takes longer counts as hung. A migration of a large warehouse may take two hours.
            "execution_timeout": timedelta(hours=3),
            "on_failure_callback": run_failed,
        },
    ) as dag:
        chain(
            MigrateOperator(task_id="migrate"),
            ReferenceOperator(task_id="reference"),
            PublishCatalogOperator(task_id="publish", max_active_tis_per_dag=1),
            StructureOperator(task_id="structure", max_active_tis_per_dag=1, on_success_callback=run_succeeded),
        )
    return dag
