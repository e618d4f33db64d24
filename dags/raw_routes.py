"""One DAG per file of include/routes, and the DAG that makes their tables."""

from sportmonks.render.routes import route_dags

globals().update(route_dags())
