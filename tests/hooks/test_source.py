"""The hook asks the warehouse whose data it holds before the first call: no task works for two APIs in one database."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from local.stack.airflow import warehouse_connection
from sportmonks.errors import ConfigurationError
from sportmonks.hooks.sportmonks import SportmonksHook


@pytest.mark.parametrize(("connection", "source"), [({}, "127.0.0.1:9/v3"), ({"extra": {"sandbox": True}}, "sandbox")])
def test_the_hook_claims_the_warehouse_before_its_first_call(
    warehouse: psycopg.Connection[Any],
    warehouse_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
    connection: dict[str, Any],
    source: str,
) -> None:
    # Nothing listens on that port: a call would fail otherwise than by a refusal.
    api = {"conn_type": "http", "host": "http://127.0.0.1:9/v3", "password": "some-key"} | connection
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", json.dumps(api))
    with SportmonksHook().client:
        assert warehouse.execute("SELECT source FROM etl.api_source").fetchall() == [(source,)]
    warehouse.execute("INSERT INTO football.leagues (id, name) VALUES (8, 'Premier League')")
    warehouse.execute("SELECT etl.set_api_source('api.sportmonks.com/v3')")
    with pytest.raises(ConfigurationError, match="holds data of api"):
        SportmonksHook().get_states()
