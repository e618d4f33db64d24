"""Behind a real PgBouncer: settings are those of the package in every statement, and reach no other client."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, errors, sql

from sportmonks.errors import ConfigurationError
from sportmonks.hooks.warehouse import WarehouseHook
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.harness.pgbouncer import pgbouncer

NAME = "1. FC München – Łódź 日本"
# What the database and another client prefer. Poolers keep some of it for each client, and not the rest.
DEFAULTS = {
    "DateStyle": "German, DMY",
    "TimeZone": "America/St_Johns",
    "client_encoding": "LATIN1",
    "default_transaction_isolation": "serializable",
}
LEFT_BEHIND = {
    "search_path": "public",
    "IntervalStyle": "sql_standard",
    "extra_float_digits": "-10",
    "statement_timeout": "50ms",
    "lock_timeout": "40ms",
    "DateStyle": "German, DMY",
    "TimeZone": "America/St_Johns",
}
PINNED = {
    "search_path": "pg_catalog, pg_temp",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "statement_timeout": "5min",
    "lock_timeout": "1min",
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "client_encoding": "UTF8",
    "transaction_isolation": "read committed",
}


@pytest.fixture
def pooled(warehouse_dsn: str) -> Iterator[str]:
    """One session of the server for all clients, of a database whose settings are none of ours."""
    with psycopg.connect(warehouse_dsn, autocommit=True) as admin:
        name = sql.Identifier(str(admin.info.dbname))
        for setting, value in DEFAULTS.items():
            admin.execute(sql.SQL("ALTER DATABASE {} SET {} TO {}").format(name, sql.Identifier(setting), value))
    with pgbouncer(warehouse_dsn) as dsn:
        yield dsn


@pytest.fixture
def neighbour(pooled: str) -> Iterator[psycopg.Connection[Any]]:
    """Another client of the same session, which changes the session's settings and means to keep them."""
    with psycopg.connect(pooled, autocommit=True, client_encoding="LATIN1", prepare_threshold=None) as conn:
        for setting, value in LEFT_BEHIND.items():
            conn.execute(sql.SQL("SET {} TO {}").format(sql.Identifier(setting), value))
        yield conn


def settings(conn: psycopg.Connection[Any], names: Any) -> dict[str, str]:
    query = "SELECT name, pg_catalog.current_setting(name) FROM pg_catalog.unnest(%s::text[]) AS name"
    return dict(conn.execute(query, (list(names),)).fetchall())


@pytest.mark.parametrize("autocommit", [True, False])
def test_every_statement_has_the_settings_of_the_package(
    pooled: str, neighbour: psycopg.Connection[Any], autocommit: bool
) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    with open_connection(pooled, autocommit=autocommit) as conn:
        for _ in range(2):
            assert settings(conn, PINNED) == PINNED
            row = conn.execute(
                "SELECT %s::timestamptz, (%s::timestamptz)::text, 1 / 3::float8", (noon, noon)
            ).fetchone()
            assert row == (noon, "2026-03-01 12:00:00+00", 1 / 3)
            row = conn.execute("SELECT %s::text, length(%s), %s::interval", (NAME, NAME, timedelta(days=1))).fetchone()
            assert row == (NAME, len(NAME), timedelta(days=1))
            conn.commit()
            # The session is the neighbour's again, as it was left.
            assert settings(neighbour, LEFT_BEHIND) == LEFT_BEHIND
            assert neighbour.execute("SHOW client_encoding").fetchone() == ("LATIN1",)
        with conn.transaction(), conn.cursor() as cursor:
            assert settings(conn, PINNED) == PINNED
            cursor.execute("CREATE TEMPORARY TABLE names (name text) ON COMMIT DROP")
            with cursor.copy("COPY pg_temp.names FROM STDIN") as copy:
                copy.write_row((NAME,))
            assert cursor.execute("SELECT name FROM pg_temp.names").fetchone() == (NAME,)


def test_every_kind_of_statement_is_pinned(pooled: str, neighbour: psycopg.Connection[Any]) -> None:
    insert = "INSERT INTO football.leagues (id, name) VALUES (%s, %s)"
    with open_connection(pooled, autocommit=True) as conn, conn.cursor() as cursor:
        neighbour.execute("SELECT 1")
        cursor.executemany(insert, [(1, NAME), (2, NAME)])
        neighbour.execute("SELECT 1")
        with cursor.copy("COPY football.leagues (id, name) FROM STDIN") as copy:
            copy.write_row((3, NAME))
        neighbour.execute("SELECT 1")
        assert list(cursor.stream("SELECT id, name FROM football.leagues ORDER BY id")) == [
            (n, NAME) for n in (1, 2, 3)
        ]
        neighbour.execute("SELECT 1")
        # A statement that fails leaves neither a transaction nor a setting behind.
        with pytest.raises(errors.UniqueViolation):
            cursor.execute(insert, (1, NAME))
        assert cursor.execute("SELECT count(*) FROM football.leagues").fetchone() == (3,)
    assert settings(neighbour, LEFT_BEHIND) == LEFT_BEHIND


def test_an_operators_sql_is_pinned(
    pooled: str, neighbour: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = conninfo.conninfo_to_dict(pooled)
    uri = f"postgres://{parts['user']}:x@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", uri)
    query = "SELECT current_setting('DateStyle'), current_setting('search_path')"
    for autocommit in (True, False):
        found = WarehouseHook().run(query, autocommit=autocommit, handler=lambda cursor: cursor.fetchone())
        assert found == ("ISO, MDY", "pg_catalog, pg_temp")


def test_a_transaction_may_write_where_the_default_is_to_read(pooled: str) -> None:
    with psycopg.connect(pooled, autocommit=True) as admin:
        admin.execute("SET default_transaction_read_only TO on")
        with open_connection(pooled) as conn:
            conn.execute("SET TRANSACTION READ WRITE")
            conn.execute("INSERT INTO football.leagues (id, name) VALUES (1, 'x')")
        admin.execute("SET default_transaction_read_only TO off")


def test_migrations_run_behind_the_pooler(empty_dsn: str) -> None:
    with pgbouncer(empty_dsn) as dsn:
        with open_connection(dsn) as conn:
            assert migrate(conn)
        with open_connection(dsn) as conn:
            assert migrate(conn) == []


def test_pooling_by_statement_is_refused_in_a_sentence(warehouse_dsn: str) -> None:
    with pgbouncer(warehouse_dsn, pool_mode="statement") as dsn:
        with pytest.raises(ConfigurationError, match="statement pooling") as refused:
            open_connection(dsn)
        assert "pool_mode" in str(refused.value.hint)


def test_pooling_by_session_works(warehouse_dsn: str) -> None:
    with pgbouncer(warehouse_dsn, pool_mode="session") as dsn, open_connection(dsn) as conn:
        assert settings(conn, PINNED) == PINNED
