"""One DAG per followed league, made from the manifest, a Variable that the DAG sportmonks_catalog writes."""

from sportmonks.airflow_compat import read_variable
from sportmonks.config.settings import MANIFEST_VARIABLE
from sportmonks.render.manifest import league_dags

globals().update(league_dags(read_variable(MANIFEST_VARIABLE)))
