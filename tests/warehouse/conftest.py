"""Short words for the SQL tests. They share one database: what a test writes is rolled back."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql
from psycopg.rows import dict_row

from tests.warehouse.run_builder import Ask, One, RunBuilder


@pytest.fixture(scope="package")
def shared_database(postgres_server: str, template_database: str) -> Iterator[str]:
    """Conninfo of a migrated database for this folder."""
    name = f"shared_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template_database))
        )
    yield conninfo.make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def warehouse(shared_database: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection within a transaction that is rolled back after the test."""
    with psycopg.connect(shared_database) as conn:
        yield conn
        conn.rollback()


@pytest.fixture
def ask(warehouse: psycopg.Connection[Any]) -> Ask:
    """``ask(text, *values)`` -> rows as dicts."""

    def run(text: str, *values: Any) -> list[dict[str, Any]]:
        with warehouse.cursor(row_factory=dict_row) as cursor:
            cursor.execute(text, values or None)
            return cursor.fetchall() if cursor.description else []

    return run


@pytest.fixture
def one(ask: Ask) -> One:
    """``one(text, *values)`` -> the only row, or its only value."""

    def run(text: str, *values: Any) -> Any:
        (row,) = ask(text, *values)
        return next(iter(row.values())) if len(row) == 1 else row

    return run


@pytest.fixture
def builder(warehouse: psycopg.Connection[Any]) -> RunBuilder:
    return RunBuilder(warehouse)
