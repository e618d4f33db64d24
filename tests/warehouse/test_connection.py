"""The one place that opens sessions: the same settings on every server, for every role and in every environment."""

from __future__ import annotations

from datetime import UTC, datetime

import psycopg
import pytest
from psycopg import sql

from sportmonks.errors import ConfigurationError, WarehouseDownError
from sportmonks.warehouse import connection
from sportmonks.warehouse.connection import open_connection

SETTINGS = {
    "DateStyle": "German, DMY",
    "TimeZone": "America/St_Johns",
    "default_transaction_isolation": "serializable",
    "client_encoding": "LATIN1",
}


@pytest.fixture
def odd_database(warehouse_dsn: str) -> str:
    """A database whose own settings are none of ours."""
    with psycopg.connect(warehouse_dsn, autocommit=True) as admin:
        name = sql.Identifier(str(admin.info.dbname))
        for setting, value in SETTINGS.items():
            admin.execute(sql.SQL("ALTER DATABASE {} SET {} TO {}").format(name, sql.Identifier(setting), value))
    return warehouse_dsn


def test_settings_of_the_database_do_not_reach_a_session(odd_database: str) -> None:
    with open_connection(odd_database) as conn:
        row = conn.execute("SELECT timestamptz '2026-03-01 12:00:00+00', current_setting('DateStyle')").fetchone()
        assert row == (datetime(2026, 3, 1, 12, tzinfo=UTC), "ISO, MDY")
        (text,) = conn.execute("SELECT (timestamptz '2026-03-01 12:00:00+00')::text").fetchone() or ()
        assert text == "2026-03-01 12:00:00+00"
        (level,) = conn.execute("SELECT current_setting('transaction_isolation')").fetchone() or ()
        assert level == "read committed"


def test_text_is_stored_as_it_is_whatever_the_environment_says(
    odd_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGCLIENTENCODING", "LATIN1")
    name = "1. FC München – Łódź 日本"
    with open_connection(odd_database, autocommit=True) as conn:
        conn.execute("INSERT INTO football.leagues (id, name) VALUES (1, %s)", (name,))
        row = conn.execute("SELECT name, length(name) FROM football.leagues").fetchone()
        assert row == (name, len(name))


def test_a_server_that_is_away_and_one_that_refuses_raise_different_errors(warehouse_dsn: str) -> None:
    with pytest.raises(WarehouseDownError, match="does not answer"):
        open_connection("host=127.0.0.1 port=1 user=etl password=not-shown dbname=etl")
    wrong = psycopg.conninfo.make_conninfo(warehouse_dsn, dbname="not_there")
    with pytest.raises(ConfigurationError, match="not_there") as refused:
        open_connection(wrong)
    assert "not-shown" not in str(refused.value)


def test_a_server_that_is_too_old_is_refused(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "OLDEST_SERVER", 990000)
    with pytest.raises(ConfigurationError, match=r"is PostgreSQL \d\d, which is too old") as refused:
        open_connection(warehouse_dsn)
    assert refused.value.hint == "Use PostgreSQL 99 or newer."
