"""A context made by hand, Airflow's Variables and connections for operators that run without Airflow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import msgspec
import pytest

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Manifest, decode_manifest
from sportmonks.operators.catalog import PublishCatalogOperator
from sportmonks.planning.execution_id import execution_id

WHEN = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
DAG_RUN = SimpleNamespace(
    dag_id="sportmonks_premier_league", run_id="manual__1", run_after=WHEN, run_type="manual", logical_date=None
)
RUN = execution_id(DAG_RUN.dag_id, DAG_RUN.run_id, WHEN)


class Variables(dict[str, str]):
    """Airflow's Variables for a test."""

    def fetch(self, key: str, default: Any = None, **_: Any) -> Any:
        return self.get(key, default)

    def store(self, key: str, value: str, description: str | None = None, **_: Any) -> None:
        self[key] = value

    def drop(self, key: str, **_: Any) -> None:
        self.pop(key, None)


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    from airflow.sdk import Variable

    found = Variables()
    for name, method in (("get", found.fetch), ("set", found.store), ("delete", found.drop)):
        monkeypatch.setattr(Variable, name, method)
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=2, seasons=2, teams=4, limit=100_000, now="2026-03-01T12:00:00Z") as box:
        yield box


@pytest.fixture
def box(
    sandbox: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> RunningSandbox:
    """The sandbox and the warehouse behind the two connections."""
    sandbox.reset()
    api = {"conn_type": "http", "host": sandbox.base_url, "password": sandbox.key}
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", json.dumps(api))
    for name in ("ETL_LEAGUES", "ETL_INCLUDES"):
        monkeypatch.delenv(name, raising=False)
    return sandbox


def context(task_id: str = "t", xcom: Any = None, **params: Any) -> Any:
    ti = MagicMock(dag_id=DAG_RUN.dag_id, run_id=DAG_RUN.run_id, task_id=task_id)
    ti.xcom_pull.return_value = xcom
    return {"dag_run": DAG_RUN, "params": params, "ti": ti}


@pytest.fixture
def manifest(box: RunningSandbox, variables: Variables) -> Manifest:
    PublishCatalogOperator(task_id="publish").execute(context())
    return decode_manifest(variables["sportmonks_manifest"])


def plain(league: League) -> dict[str, Any]:
    return {"league": msgspec.to_builtins(league), "settings": msgspec.to_builtins(TaskSettings())}
