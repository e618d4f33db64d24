"""The trigger form of a league DAG in Airflow."""

from __future__ import annotations

from airflow.sdk import Param

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League
from sportmonks.planning.form import form_fields


def league_params(league: League, settings: TaskSettings) -> dict[str, Param]:
    """Every parameter of a run. Airflow refuses a value that does not fit and names the parameter."""
    return {name: Param(**field) for name, field in form_fields(league, settings).items()}
