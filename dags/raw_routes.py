"""One DAG per file of include/routes, and the DAG that makes their tables.

Airflow reads only files whose text has both words, "dag" and "airflow"; this sentence is the one that names the second.
"""

from sportmonks.render.routes import route_dags

globals().update(route_dags())
