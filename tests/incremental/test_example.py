"""The example DAG's task, with accounts that may and may not create its table."""

from __future__ import annotations

import importlib.util
from types import ModuleType

import psycopg
import pytest

from local.stack.airflow import warehouse_connection
from sportmonks.airflow_compat import AirflowFailException
from tests.harness.accounts import role_logins
from tests.harness.paths import REPO


@pytest.fixture
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("example_incremental", REPO / "dags" / "example_incremental.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_account_that_only_writes_gets_a_sentence_or_uses_the_table(
    warehouse_dsn: str, example: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable = "AIRFLOW_CONN_SPORTMONKS_WAREHOUSE"
    with role_logins(warehouse_dsn) as login:
        writer = warehouse_connection(login("writer"))
        monkeypatch.setenv(variable, writer)
        with pytest.raises(
            AirflowFailException, match=r"lacks a privilege: permission denied for schema public.*grant it"
        ):
            example.collect.function()
        monkeypatch.setenv(variable, warehouse_connection(warehouse_dsn))
        years = example.collect.function()["inserted"]
        assert years > 10
        with psycopg.connect(warehouse_dsn, autocommit=True) as admin:
            admin.execute("GRANT SELECT, INSERT, UPDATE ON public.example_goals_by_year TO sportmonks_writer")
        monkeypatch.setenv(variable, writer)
        assert example.collect.function()["updated"] == 2  # this year and the last one
