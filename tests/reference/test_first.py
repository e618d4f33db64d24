"""A warehouse without the catalog's lists gets them with the first run of a league."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.api.budget import UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.config.catalog import SweepSettings
from sportmonks.errors import DataError, TransientApiError
from sportmonks.reference.first import read_missing_lists
from sportmonks.warehouse.connection import open_connection

LISTS = ("states", "types", "leagues", "seasons", "stages", "rounds", "teams", "venues")


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=1, seasons=1, teams=4, limit=100_000) as box:
        yield box


@pytest.fixture
def client(sandbox: RunningSandbox) -> Iterator[SportmonksClient]:
    sandbox.admin("POST", "/reset")
    budget = UnlimitedBudget(sleep=lambda _: None)
    with SportmonksClient(sandbox.base_url, sandbox.key, budget=budget, sleep=lambda _: None) as client:
        yield client


def read(dsn: str, client: SportmonksClient, league_id: int) -> list[str]:
    def connect() -> psycopg.Connection[Any]:
        return open_connection(dsn, autocommit=True)

    return read_missing_lists(connect, client, league_id, sweep=SweepSettings(), execution_id="e")


def count(conn: psycopg.Connection[Any], name: str) -> int:
    row = conn.execute(f"SELECT count(*) FROM football.{name}".encode()).fetchone()
    assert row
    return int(row[0])


def test_everything_is_read_once(
    sandbox: RunningSandbox, client: SportmonksClient, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    league_id = sandbox.admin("GET", "/truth")["chunks"][0]["league_id"]
    assert read(warehouse_dsn, client, league_id) == ["states", "types", "leagues", "seasons"]
    assert [name for name in LISTS if not count(warehouse, name)] == []
    runs = dict(warehouse.execute("SELECT collector_name, status FROM etl.collector_runs").fetchall())
    assert runs.items() >= {"reference:states": "success", "leagues": "success", "structure:teams": "success"}.items()
    calls = sandbox.calls()["total"]
    assert read(warehouse_dsn, client, league_id) == []
    assert sandbox.calls()["total"] == calls


def test_only_what_is_missing_is_read(
    sandbox: RunningSandbox, client: SportmonksClient, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    league_id = sandbox.admin("GET", "/truth")["chunks"][0]["league_id"]
    read(warehouse_dsn, client, league_id)
    warehouse.execute("TRUNCATE football.states")
    calls = sandbox.calls()["total"]
    assert read(warehouse_dsn, client, league_id) == ["states"]
    assert count(warehouse, "states")
    assert sandbox.calls()["total"] == calls + 1


@pytest.mark.parametrize("name", ["stages", "teams"])
def test_a_list_whose_table_was_emptied_is_read_again(
    sandbox: RunningSandbox,
    client: SportmonksClient,
    warehouse: psycopg.Connection[Any],
    warehouse_dsn: str,
    name: str,
) -> None:
    league_id = sandbox.admin("GET", "/truth")["chunks"][0]["league_id"]
    read(warehouse_dsn, client, league_id)
    number = count(warehouse, name)
    warehouse.execute(f"TRUNCATE football.{name}".encode())
    assert read(warehouse_dsn, client, league_id) == [name]
    assert count(warehouse, name) == number
    # A list that has never had a row is not lost.
    warehouse.execute(f"TRUNCATE football.{name}".encode())
    warehouse.execute("UPDATE etl.collector_runs SET records_inserted = 0")
    assert read(warehouse_dsn, client, league_id) == []


def test_a_league_that_the_api_does_not_list_is_named(
    client: SportmonksClient, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    with pytest.raises(DataError, match="no season of league 99") as caught:
        read(warehouse_dsn, client, 99)
    assert "sportmonks_catalog" in caught.value.hint
    assert count(warehouse, "states")


def test_an_error_leaves_what_was_read_and_the_next_try_goes_on(
    sandbox: RunningSandbox, client: SportmonksClient, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    league_id = sandbox.admin("GET", "/truth")["chunks"][0]["league_id"]
    sandbox.fault("status", match={"path": f"/leagues/{league_id}"}, rate=1.0)
    with pytest.raises(TransientApiError):
        read(warehouse_dsn, client, league_id)
    assert count(warehouse, "types")
    sandbox.admin("POST", "/reset")
    assert read(warehouse_dsn, client, league_id) == ["leagues", "seasons"]
    assert count(warehouse, "seasons") == 1
