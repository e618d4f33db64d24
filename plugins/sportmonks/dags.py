"""The package's DAGs for a dags folder of your own, where the package is installed from a wheel.

Two files with the words "airflow" and "dag" in them are all that the folder needs::

    # sportmonks_control.py: the Airflow DAGs that read the catalog, watch the others, and make the tables of routes
    from sportmonks.dags import control_dags

    globals().update(control_dags())

    # sportmonks_data.py: the Airflow DAGs of leagues and raw routes
    from sportmonks.dags import data_dags

    globals().update(data_dags())
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sportmonks.airflow_compat import read_variable
from sportmonks.config.settings import MANIFEST_VARIABLE
from sportmonks.render.catalog import catalog_dag
from sportmonks.render.manifest import league_dags
from sportmonks.render.routes import listing_dags, tables_dags
from sportmonks.render.watch import watch_dag

if TYPE_CHECKING:
    from airflow.sdk import DAG


def control_dags() -> dict[str, DAG]:
    """``sportmonks_catalog``, ``etl_watch`` and ``raw_routes_tables``, by id."""
    return {dag.dag_id: dag for dag in (catalog_dag(), watch_dag())} | tables_dags()


def data_dags() -> dict[str, DAG]:
    """One DAG per followed league, from the manifest, and one per route file, by id."""
    return league_dags(read_variable(MANIFEST_VARIABLE)) | listing_dags()
