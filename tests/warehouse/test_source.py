"""Whose data a warehouse holds: one API each; another one is refused in a sentence before any work."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from local.stack.settings import Settings
from sportmonks.errors import ConfigurationError
from sportmonks.hooks.sportmonks import base_url_of
from sportmonks.warehouse.source import SANDBOX, claim_source, source_of

REAL = "api.sportmonks.com/v3"


@pytest.mark.parametrize(
    ("url", "source"),
    [
        ("https://api.sportmonks.com/v3", REAL),
        ("https://API.Sportmonks.com:443/v3/", REAL),
        ("http://api.sportmonks.com:80/v3", REAL),
        ("https://api.sportmonks.com/v3/football/", REAL),
        ("https://proxy.example.org:8443/sportmonks/v3", "proxy.example.org:8443/sportmonks/v3"),
        ("http://sandbox:8000/v3", "sandbox:8000/v3"),
        ("https://user:secret@api.sportmonks.com/v3?api_token=secret#x", REAL),
    ],
)
def test_an_address_is_remembered_without_scheme_and_secrets(url: str, source: str) -> None:
    assert source_of(url) == source


@pytest.mark.parametrize("url", ["https://api.sportmonks.com/v3/football", "https://api.sportmonks.com/v3/"])
def test_the_local_stack_and_the_tasks_claim_the_same_source(url: str) -> None:
    settings = Settings.load({"SPORTMONKS_API_KEY": "key", "SPORTMONKS_BASE_URL": url}, None)
    assert source_of(settings.base_url) == source_of(base_url_of(settings.base_url, None, None)) == REAL


def fill(conn: psycopg.Connection[Any]) -> None:
    conn.execute("INSERT INTO football.leagues (id, name) VALUES (8, 'Premier League')")


def held(conn: psycopg.Connection[Any]) -> list[Any]:
    return conn.execute("SELECT source FROM etl.api_source").fetchall()


def test_an_empty_warehouse_takes_the_api_that_asks(warehouse: psycopg.Connection[Any]) -> None:
    claim_source(warehouse, SANDBOX)
    claim_source(warehouse, REAL)
    assert held(warehouse) == [(REAL,)]


def test_data_bind_it_to_their_api(warehouse: psycopg.Connection[Any]) -> None:
    claim_source(warehouse, SANDBOX)
    fill(warehouse)
    claim_source(warehouse, SANDBOX)
    with pytest.raises(ConfigurationError) as caught:
        claim_source(warehouse, REAL)
    assert caught.value.message == f"The warehouse holds data of the sandbox, and this connection leads to {REAL}."
    assert f"SELECT etl.set_api_source('{REAL}')" in caught.value.hint
    assert held(warehouse) == [(SANDBOX,)]


def test_a_warehouse_that_was_filled_before_this_was_recorded_takes_the_first(
    warehouse: psycopg.Connection[Any],
) -> None:
    fill(warehouse)
    claim_source(warehouse, REAL)
    with pytest.raises(ConfigurationError, match="holds data of api"):
        claim_source(warehouse, "sandbox:8000/v3")


def test_another_address_of_the_same_data_is_agreed_to_by_hand(warehouse: psycopg.Connection[Any]) -> None:
    claim_source(warehouse, REAL)
    fill(warehouse)
    warehouse.execute("SELECT etl.set_api_source('proxy.example.org/v3')")
    claim_source(warehouse, "proxy.example.org/v3")


def test_an_old_schema_is_named_with_its_hint(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("DROP FUNCTION etl.claim_api_source")
    with pytest.raises(ConfigurationError) as caught:
        claim_source(warehouse, REAL)
    assert "sportmonks_catalog" in caught.value.hint
