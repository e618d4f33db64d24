# The Airflow DAGs sportmonks_catalog, etl_watch and raw_routes_tables
from sportmonks.dags import control_dags

globals().update(control_dags())
