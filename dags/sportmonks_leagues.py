"""One DAG per followed league, made from the manifest (the Variable that the DAG sportmonks_catalog writes)."""

from airflow.sdk import Variable

from sportmonks.render.manifest import league_dags
from sportmonks.settings import MANIFEST_VARIABLE

globals().update(league_dags(Variable.get(MANIFEST_VARIABLE, default=None)))
