"""Schema, reference lists, leagues and seasons; writes the manifest that the league DAGs are made from."""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, chain

from sportmonks.operators.catalog import MigrateOperator, PublishCatalogOperator, ReferenceOperator

DOC = """\
### Catalog

Runs before the leagues: brings the warehouse's schema up to date, reads states, types, leagues and seasons, and
writes the manifest (Variable `sportmonks_manifest`). A new season becomes a new group in its league's DAG by itself.

**Triage.** `migrate` red: the warehouse does not answer or the user may not create schemas. `publish` red: the log
names the line of `include/catalog.yaml`, or the league that the subscription does not cover.

**Clear.** Every task may be cleared and run again at any time.
"""

with DAG(
    dag_id="sportmonks_catalog",
    dag_display_name="Sportmonks: catalog",
    description="Schema, reference data, leagues and seasons; the manifest of the league DAGs",
    doc_md=DOC,
    schedule=CronTriggerTimetable("30 4 * * *", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    max_active_runs=1,
    tags=["sportmonks", "football", "catalog"],
    default_args={"owner": "sportmonks", "retries": 2, "retry_delay": timedelta(seconds=30)},
):
    chain(
        MigrateOperator(task_id="migrate"),
        ReferenceOperator(task_id="reference"),
        PublishCatalogOperator(task_id="publish"),
    )
