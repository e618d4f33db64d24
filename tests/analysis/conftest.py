"""A finished season in the warehouse, as the loader stores it, and its payloads."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from typing import Any

import psycopg
import pytest
from psycopg import conninfo
from psycopg.rows import dict_row

from sandbox.clock import Clock, parse_time
from sandbox.limits import Limits
from sandbox.names import LEAGUES
from sandbox.reference import TYPES
from sandbox.state import Sandbox
from sandbox.truth import payload
from sandbox.world import Options
from sportmonks.warehouse.connection import open_connection
from tests.harness.load import ChunkHarness, FixtureJson

Ask = Callable[..., list[dict[str, Any]]]
NOW = "2026-06-30T12:00:00Z"


def make_sandbox(*, leagues: int = 1, seasons: int = 1, teams: int = 4, now: str = NOW) -> Sandbox:
    """The provider at a frozen time; by default one league, whose only season is over."""
    return Sandbox(
        Options(leagues=leagues, seasons=seasons, teams=teams), Clock(parse_time(now), True), Limits(1000, 3600)
    )


@cache
def _cup_payloads() -> list[FixtureJson]:
    place = next(number for number, league in enumerate(LEAGUES) if league[-1] == "cup")
    sandbox = make_sandbox(leagues=place + 1, teams=6)
    league = sandbox.leagues()[place]
    return [payload(sandbox, view) for view in sandbox.season_views(league.seasons[0].id)]


@pytest.fixture
def payloads() -> list[FixtureJson]:
    """Payloads of a finished season of a cup with every include: thirty matches, some with extra time or penalties."""
    return copy.deepcopy(_cup_payloads())


def prepare(conn: psycopg.Connection[Any], payloads: list[FixtureJson]) -> ChunkHarness:
    """The season of the payloads in the warehouse: its index, the types, and nothing read yet."""
    chunk = ChunkHarness(conn, payloads[0]["league_id"], payloads[0]["season_id"])
    chunk.index(*payloads)
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO football.types (id, name, developer_name) VALUES (%s, %s, %s)",
            [(row["id"], row["name"], row["developer_name"]) for row in TYPES.values()],
        )
    return chunk


@pytest.fixture(scope="package")
def shared_database(postgres_server: str, template_database: str) -> Iterator[tuple[str, datetime]]:
    """Conninfo of a database in which the season of the payloads is stored, and the time of the last reading."""
    name = f"shared_{uuid.uuid4().hex[:8]}"
    dsn = conninfo.make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}".encode())
        with open_connection(dsn, autocommit=True) as conn:
            chunk = prepare(conn, _cup_payloads())
            chunk.store(*_cup_payloads())
        yield dsn, chunk.now
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def shared(shared_database: tuple[str, datetime]) -> Iterator[psycopg.Connection[Any]]:
    """The stored season within a transaction that is rolled back after the test."""
    with psycopg.connect(shared_database[0]) as conn:
        yield conn
        conn.rollback()


@pytest.fixture
def ask(shared: psycopg.Connection[Any]) -> Ask:
    """``ask(text, *values)`` -> rows of the stored season as dicts."""
    return asker(shared)


def asker(conn: psycopg.Connection[Any]) -> Ask:
    def run(text: str, *values: Any) -> list[dict[str, Any]]:
        with conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(text, values or None).fetchall()

    return run
