"""Schema, reference lists, leagues and seasons; writes the manifest that the league DAGs are made from."""

from datetime import timedelta

from airflow.sdk import DAG, CronTriggerTimetable, chain

from sportmonks.operators.catalog import MigrateOperator, PublishCatalogOperator, ReferenceOperator, StructureOperator

DOC = """\
### Catalog

Runs before the leagues: brings the warehouse's schema up to date, reads states, types, leagues and seasons, and
writes the manifest (Variable `sportmonks_manifest`). A new season becomes a new group in its league's DAG by itself.
Behind it `structure` reads stages, rounds, teams and venues of the seasons whose turn it is, newest first and so many
per run (`sweep:` in `include/catalog.yaml`); the leagues do not wait for it.

**Triage.** `migrate` red: the warehouse does not answer or the user may not create schemas. `publish` red: the log
names the line of `include/catalog.yaml`, or the league that the subscription does not cover. `structure` red: the API
kept failing; what was read is stored. Every list's runs are in `etl.collector_last_runs`, errors in
`etl.collectors_with_errors`.

**Debug.** What came out is the Variable `sportmonks_manifest`, `football.leagues` and `football.seasons`. `ETL_LEAGUES`
and `ETL_INCLUDES` of the environment win over the file. A league without a DAG: `publish` says how many it follows.

**Clear.** Every task may be cleared and run again at any time.

**Backfill.** None is needed: each run goes on with the seasons that are left.
"""

with DAG(
    dag_id="sportmonks_catalog",
    dag_display_name="Sportmonks: catalog",
    description="Schema, reference data, leagues and seasons; the manifest of the league DAGs",
    doc_md=DOC,
    schedule=CronTriggerTimetable("30 4 * * *", timezone="UTC", run_immediately=timedelta(0)),
    catchup=False,
    # A new choice of leagues need not wait until the lists of the last one are read.
    max_active_runs=2,
    tags=["sportmonks", "football", "catalog"],
    default_args={"owner": "sportmonks", "retries": 2, "retry_delay": timedelta(seconds=30)},
):
    chain(
        MigrateOperator(task_id="migrate"),
        ReferenceOperator(task_id="reference"),
        PublishCatalogOperator(task_id="publish", max_active_tis_per_dag=1),
        StructureOperator(task_id="structure", max_active_tis_per_dag=1),
    )
