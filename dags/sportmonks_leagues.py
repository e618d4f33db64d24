"""One DAG per followed league, made from the manifest, a Variable that the DAG sportmonks_catalog writes."""

from airflow.sdk import Variable

from sportmonks.config.settings import MANIFEST_VARIABLE
from sportmonks.render.manifest import league_dags

globals().update(league_dags(Variable.get(MANIFEST_VARIABLE, default=None)))
