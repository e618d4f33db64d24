"""What stands around a connection string: the user's service file and libpq's variables in the environment."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from sportmonks.config.settings import SQL_DIR
from sportmonks.errors import ConfigurationError
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.conninfo import connection_string
from sportmonks.warehouse.migrations import migrate
from sportmonks.warehouse.queries import sql

OWN = {
    "application_name": "analysts",
    "connect_timeout": "7",
    "keepalives_idle": "11",
    "tcp_user_timeout": "12000",
    "options": "-c statement_timeout=17s -c search_path=public",
}


def write_service(folder: Path, monkeypatch: pytest.MonkeyPatch, dsn: str, **options: str) -> None:
    parts = {**conninfo.conninfo_to_dict(dsn), **options}
    file = folder / "pg_service.conf"
    file.write_text("[etl]\n" + "".join(f"{name}={value}\n" for name, value in parts.items()))
    monkeypatch.setenv("PGSERVICEFILE", str(file))


def used(conn: psycopg.Connection[Any]) -> dict[str, str]:
    """The options that libpq works with."""
    return {part.keyword.decode(): (part.val or b"").decode() for part in conn.pgconn.info}


def setting(conn: psycopg.Connection[Any], name: str) -> str:
    (value,) = conn.execute("SELECT current_setting(%s)", (name,)).fetchone() or ("",)
    return str(value)


def test_a_service_file_decides_all_but_what_is_pinned(
    warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_service(tmp_path, monkeypatch, warehouse_dsn, client_encoding="LATIN1", **OWN)
    info = connection_string(host="", port=None, user=None, password=None, dbname=None, extra={"service": "etl"})
    with open_connection(info) as conn:
        assert {name: used(conn)[name] for name in OWN} == OWN
        assert used(conn)["keepalives_count"] == "3"  # of this package, because nobody else says anything
        assert setting(conn, "application_name") == "analysts"
        assert (setting(conn, "statement_timeout"), setting(conn, "lock_timeout")) == ("17s", "1min")
        assert (setting(conn, "search_path"), setting(conn, "client_encoding")) == ("pg_catalog, pg_temp", "UTF8")
    with open_connection(f"{info} application_name=reports") as conn:
        assert setting(conn, "application_name") == "reports"


def test_variables_decide_what_neither_connection_nor_service_says(
    warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_service(tmp_path, monkeypatch, warehouse_dsn, connect_timeout="7")
    monkeypatch.setenv("PGAPPNAME", "of the environment")
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "9")
    monkeypatch.setenv("PGOPTIONS", "-c lock_timeout=3s -c search_path=public")
    with open_connection("service=etl") as conn:
        assert (setting(conn, "application_name"), used(conn)["connect_timeout"]) == ("of the environment", "7")
        assert (setting(conn, "lock_timeout"), setting(conn, "search_path")) == ("3s", "pg_catalog, pg_temp")
    monkeypatch.setenv("PGSSLMODE", "require")
    with pytest.raises(ConfigurationError, match="does not support SSL, but SSL was required"):
        open_connection(warehouse_dsn)


def test_no_variable_leads_the_data_elsewhere(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PGHOST": "nowhere.invalid",
        "PGHOSTADDR": "203.0.113.1",
        "PGPORT": "1",
        "PGDATABASE": "x",
    }.items():
        monkeypatch.setenv(name, value)
    parts = conninfo.conninfo_to_dict(warehouse_dsn)
    with open_connection(warehouse_dsn) as conn:
        assert conn.info.dbname == parts["dbname"]
    several = conninfo.make_conninfo(warehouse_dsn, host=f"127.0.0.1,{parts['host']}", port=f"1,{parts['port']}")
    with open_connection(several) as conn:
        assert (conn.info.dbname, str(conn.info.port)) == (parts["dbname"], parts["port"])
    made = connection_string(host="", port=None, user="u", password="p", dbname=None, extra={})
    assert conninfo.conninfo_to_dict(made) == {
        **{"host": "localhost", "port": "5432", "user": "u", "password": "p", "dbname": "postgres"}
    }


def test_an_unknown_service_and_a_replication_connection_are_refused(
    warehouse_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_service(tmp_path, monkeypatch, warehouse_dsn, replication="database")
    with pytest.raises(ConfigurationError, match='service "other" not found'):
        open_connection("service=other")
    with pytest.raises(ConfigurationError, match="replication"):
        open_connection("service=etl")


def test_a_database_whose_language_has_another_i(postgres_server: str) -> None:
    """In a Turkish database upper('failed') is 'FAİLED', and no such status or level exists."""
    name = f"turkish_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        if admin.info.server_version < 150000:
            pytest.skip("before version 15 a database's language comes from the machine")
        try:
            admin.execute(
                f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"
                " LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'"
            )
        except psycopg.errors.FeatureNotSupported:
            pytest.skip("this server is built without ICU, as the embedded one is")
        try:
            with open_connection(conninfo.make_conninfo(postgres_server, dbname=name), autocommit=True) as conn:
                assert conn.execute("SELECT upper('failed')").fetchone() == ("FAİLED",)
                migrate(conn)
                conn.execute("SELECT etl.log_etl_event('critical', 'TEST', 'x')")
                assert conn.execute("SELECT level FROM etl.etl_logs").fetchone() == ("CRITICAL",)
                conn.execute("INSERT INTO etl.collector_runs (collector_name, status, completed_at, execution_id)"
                             " VALUES ('raw_x', 'failed', now(), 'etl_1')")  # fmt: skip
                named = {"execution_id": "etl_1", "now": datetime.now(UTC)}
                row = conn.execute(sql("dashboard/run_collectors"), named).fetchone()
                assert row is not None
                assert row[1] == "FAILED"
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_no_statement_changes_case_by_the_language_of_the_database() -> None:
    """Words of the package are ASCII, so that lower() and upper() take the collation "C"; texts of people do not."""
    case = re.compile(r"\b(?:lower|upper)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")
    found = {
        f"{file.relative_to(SQL_DIR)}: {call}"
        for file in SQL_DIR.rglob("*.sql")
        if file.parent.name != "migrations"
        for call in case.findall(file.read_text(encoding="utf-8"))
        if 'COLLATE "C"' not in call
    }
    people = {call for call in found if "message" in call or "details" in call or "%(text)s" in call}
    assert found == people
