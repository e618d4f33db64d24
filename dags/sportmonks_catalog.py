"""The DAG that brings the schema up to date, reads the catalog and writes the manifest. The package builds it for
Airflow."""

from sportmonks.render.catalog import catalog_dag

dag = catalog_dag()
