"""Accounts of the stack's databases: no superuser at work, Airflow and the warehouse apart, older data handed over."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.accounts import METADATA_ACCOUNT, READER_ACCOUNT, WAREHOUSE_ACCOUNT, prepare_warehouse
from local.errors import LocalError
from local.stack.files import write_json
from local.stack.postgres import EmbeddedPostgres
from local.stack.settings import Settings
from local.stack.stack import Stack
from local.stack.warehouse import claim_warehouse, migrate_warehouse
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    folder = tmp_path_factory.mktemp("accounts")
    postgres = EmbeddedPostgres(folder / "home", settings={"fsync": "off", "shared_buffers": "32MB"})
    postgres.start()
    postgres.ensure_warehouse("first")  # makes the accounts, as the first start of the stack does
    yield postgres
    postgres.destroy()


def rows(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(dsn, autocommit=True) as conn:
        cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_a_new_warehouse_belongs_to_an_account_of_its_own(server: EmbeddedPostgres) -> None:
    dsn = server.ensure_warehouse("fresh")
    rights = "SELECT rolname, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = current_user"
    assert rows(dsn, rights) == [(WAREHOUSE_ACCOUNT, False, False, False)]
    migrate_warehouse(dsn)
    rows(dsn, "CREATE TABLE public.mine (id int); SELECT etl.add_timestamps('public.mine')")
    reader = server.conninfo("fresh", READER_ACCOUNT)
    assert rows(reader, "SELECT count(*) FROM football.fixture_results") == [(0,)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        rows(reader, "DELETE FROM football.fixtures")


def test_an_account_that_is_not_made_yet_is_a_sentence(tmp_path: Path) -> None:
    """As for `./etl dsn`, before the first `./etl up` of a version that has other accounts."""
    fresh = EmbeddedPostgres(tmp_path)
    write_json(tmp_path / "postgres.json", {"data": str(tmp_path), "port": 1})
    with pytest.raises(LocalError, match="has no account 'sportmonks' yet") as refused:
        fresh.conninfo("sportmonks", WAREHOUSE_ACCOUNT)
    assert refused.value.hint == "run `./etl up`, which makes it"
    # Nor has asking made a password that the server does not know.
    assert not list(tmp_path.glob("*.password"))


def test_airflow_and_the_warehouse_have_no_way_to_each_other(server: EmbeddedPostgres) -> None:
    metadata = server.ensure_metadata("metadata")
    server.ensure_warehouse("apart")
    rows(metadata, "CREATE TYPE state AS ENUM ('a'); CREATE TABLE dag (id serial, s state)")
    for place, account in (("apart", METADATA_ACCOUNT), ("metadata", WAREHOUSE_ACCOUNT), ("metadata", READER_ACCOUNT)):
        with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
            psycopg.connect(server.conninfo(place, account))


def test_what_an_older_version_made_as_superuser_is_handed_over(server: EmbeddedPostgres) -> None:
    old = server.ensure_database("old")
    with open_connection(old, autocommit=True) as conn:
        migrate(conn)
        conn.execute("SELECT etl.ensure_raw_table('rest', 'items', '{id}')")
        conn.execute("INSERT INTO football.leagues (id, name) VALUES (8, 'Premier League')")
        conn.execute("CREATE SCHEMA reports; CREATE VIEW reports.mine AS SELECT name FROM football.leagues")
        conn.execute("CREATE TABLE public.notes (id serial, kind text); CREATE TYPE public.mood AS ENUM ('good')")
    dsn = server.ensure_warehouse("old")
    assert server.ensure_warehouse("old") == dsn
    assert migrate_warehouse(dsn) == []
    assert rows(dsn, "SELECT name FROM reports.mine") == [("Premier League",)]
    rows(
        dsn,
        "ALTER TABLE public.notes ADD COLUMN more text; ALTER TYPE public.mood ADD VALUE 'bad'; DROP VIEW reports.mine",
    )
    rows(dsn, "INSERT INTO public.notes (kind) VALUES ('a'); SELECT etl.ensure_raw_table('rest', 'items')")
    left = rows(
        server.conninfo("old"),
        "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE pg_get_userbyid(c.relowner) = 'postgres' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'",
    )
    assert left == []

    rows(
        server.ensure_database("old_airflow"), "CREATE TYPE state AS ENUM ('a'); CREATE TABLE dag (id serial, s state)"
    )
    metadata = server.ensure_metadata("old_airflow")
    rows(metadata, "ALTER TABLE dag ADD COLUMN more text; INSERT INTO dag VALUES (1)")
    rows(metadata, "ALTER TYPE state ADD VALUE 'b'")


def test_an_account_of_the_user_keeps_its_password_its_attributes_and_its_way_in(server: EmbeddedPostgres) -> None:
    old, place = server.ensure_database("shared"), f"127.0.0.1:{server.port}/shared"
    rows(old, "CREATE TABLE public.notes (id int); CREATE ROLE guest LOGIN PASSWORD 'g'; CREATE ROLE analysts")
    rows(
        old, "CREATE ROLE alice LOGIN CREATEDB PASSWORD 'a' IN ROLE analysts; GRANT SELECT ON public.notes TO analysts"
    )
    with psycopg.connect(old, autocommit=True) as conn:
        # First the database goes to another account: alice has no rights but those of her group.
        for account in ("boss", "alice"):
            prepare_warehouse(conn, "another", server._password(READER_ACCOUNT), account)
            assert rows(f"postgresql://alice:a@{place}", "SELECT count(*) FROM public.notes") == [(0,)]
    assert rows(old, "SELECT rolcreatedb FROM pg_roles WHERE rolname = 'alice'") == [(True,)]
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(f"postgresql://guest:g@{place}")


def test_a_warehouse_of_another_api_stops_the_start(server: EmbeddedPostgres) -> None:
    dsn = server.ensure_warehouse("claimed")
    migrate_warehouse(dsn)
    claim_warehouse(dsn, "sandbox")
    rows(dsn, "INSERT INTO football.leagues (id, name) VALUES (8, 'Premier League')")
    with pytest.raises(LocalError, match="holds data of the sandbox") as caught:
        claim_warehouse(dsn, "api.sportmonks.com/v3")
    assert "a database of its own" in caught.value.hint


KEY = {"SPORTMONKS_API_KEY": "some-key"}


@pytest.mark.parametrize(
    ("files", "sandbox", "api"),
    [
        ({}, "sportmonks_sandbox", "sportmonks"),
        ({"ports.json": {"sandbox": 8090}}, "sportmonks", "sportmonks_api"),
        ({"ports.json": {}}, "sportmonks_sandbox", "sportmonks"),
        (
            {"ports.json": {"sandbox": 8090}, "databases.json": {"sandbox": "sportmonks_sandbox", "api": "sportmonks"}},
            "sportmonks_sandbox",
            "sportmonks",
        ),
    ],
    ids=["new", "older, with the sandbox", "older, with a key", "known"],
)
def test_the_sandbox_and_the_api_have_databases_of_their_own(
    tmp_path: Path, files: dict[str, dict[str, Any]], sandbox: str, api: str
) -> None:
    for name, content in files.items():
        write_json(tmp_path / name, content)
    home = {"ETL_HOME": str(tmp_path)}
    assert Stack(Settings.load(home, None)).database == sandbox
    assert Stack(Settings.load(home | KEY, None)).database == api


def test_an_older_installation_that_last_ran_with_this_key_keeps_its_database(tmp_path: Path) -> None:
    write_json(tmp_path / "ports.json", {"sandbox": 8090})
    stack = Stack(Settings.load({"ETL_HOME": str(tmp_path)} | KEY, None))
    write_json(tmp_path / "settings.json", stack.started_with.all(()))
    assert stack.database == "sportmonks"
    other = {"ETL_HOME": str(tmp_path), "SPORTMONKS_API_KEY": "another-key"}
    assert Stack(Settings.load(other, None)).database == "sportmonks_api"


def test_an_older_database_says_what_it_holds_or_the_terminal_how_to_correct_it(
    server: EmbeddedPostgres, tmp_path: Path
) -> None:
    write_json(tmp_path / "ports.json", {"sandbox": 8090})
    printed: list[str] = []
    stack = Stack(Settings.load({"ETL_HOME": str(tmp_path)} | KEY, None), printed.append)
    stack.databases.decide(server.conninfo("sportmonks"))
    assert stack.database == "sportmonks_api"
    assert len(printed) == 1
    assert '{"sandbox": "sportmonks_sandbox", "api": "sportmonks"}' in printed[0]

    (tmp_path / "databases.json").unlink()
    dsn = server.ensure_warehouse("sportmonks")
    migrate_warehouse(dsn)
    claim_warehouse(dsn, "api.sportmonks.com/v3")
    stack.databases.decide(server.conninfo("sportmonks"))
    assert (stack.database, len(printed)) == ("sportmonks", 1)


def test_reading_only_in_an_external_warehouse(tmp_path: Path) -> None:
    env = {
        "ETL_HOME": str(tmp_path),
        "SUPABASE_CONNECTION_STRING": "postgresql://me:pw@db.example.org/data?options=-cx%3D1",
    }
    found = psycopg.conninfo.conninfo_to_dict(Stack(Settings.load(env, None)).warehouse_reader)
    assert found["options"] == "-cx=1 -c default_transaction_read_only=on"
    assert found["user"] == "me"
