# The Airflow DAGs of leagues and raw routes
from sportmonks.dags import data_dags

globals().update(data_dags())
