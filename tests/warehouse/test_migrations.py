"""Migrations: a new database and old ones end with the same schema, at most once, and foreign databases are refused."""

from __future__ import annotations

import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from sportmonks.config.settings import SQL_DIR
from sportmonks.errors import ConfigurationError
from sportmonks.warehouse import migrations
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import BASELINE, migrate, read_definitions, read_migrations, require_schema
from tests.warehouse.snapshot import snapshot

MIGRATIONS = [file.name for file in read_migrations(SQL_DIR)]
OLD = [name for name in MIGRATIONS if name < BASELINE]
NEW = [name for name in MIGRATIONS if name >= BASELINE]
DEFINITIONS = [file.name for file in read_definitions(SQL_DIR)]
COMMENTS = [name for name in DEFINITIONS if name.startswith("comments/")]
PINNED = Path(__file__).with_name("migrations.sha256")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of include/sql that ``migrate`` reads."""
    shutil.copytree(SQL_DIR, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL_DIR", tmp_path / "sql")
    return tmp_path / "sql"


def run(dsn: str) -> list[str]:
    with open_connection(dsn, autocommit=True) as conn:
        return migrate(conn)


def execute(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with open_connection(dsn, autocommit=True) as conn:
        cursor = conn.execute(statement)
        return cursor.fetchall() if cursor.description else []


def shape(dsn: str) -> str:
    with open_connection(dsn) as conn:
        return snapshot(conn)


def make_old(dsn: str, count: int, *, list_them: bool = True) -> None:
    """A database of version 0.1 that has seen the first ``count`` migrations, as that version left it."""
    with open_connection(dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA etl")
        conn.execute(
            "CREATE TABLE etl.schema_migrations"
            " (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        for name in OLD[:count]:
            conn.execute((SQL_DIR / "migrations" / f"{name}.sql").read_bytes())
            if list_them:
                conn.execute("INSERT INTO etl.schema_migrations (name) VALUES (%s)", (name,))


def test_names_are_numbered_and_unique() -> None:
    numbers = [name.split("_")[0] for name in MIGRATIONS]
    assert all(number.isdigit() and len(number) == 4 for number in numbers)
    assert len(set(numbers)) == len(numbers), "Two migrations have one number: give the newer one the next."


def test_a_landed_migration_never_changes() -> None:
    pinned = dict(line.split()[::-1] for line in PINNED.read_text(encoding="utf-8").splitlines())
    found = {file.name: file.sha256 for file in read_migrations(SQL_DIR)}
    missing = sorted(found.keys() - pinned.keys())
    assert not missing, f"Add the lines of {missing} to {PINNED.name}: `{found[missing[0]]}  {missing[0]}`."
    changed = sorted(name for name, sha256 in pinned.items() if found.get(name) != sha256)
    assert not changed, f"{changed} have landed: restore them, and write what is to change into a new migration."


def test_a_new_database_gets_the_baseline_once(empty_dsn: str) -> None:
    assert run(empty_dsn) == [*NEW, *DEFINITIONS]
    assert run(empty_dsn) == []
    recorded = execute(empty_dsn, "SELECT name, sha256 FROM etl.schema_migrations ORDER BY name")
    assert recorded == [(file.name, file.sha256) for file in read_migrations(SQL_DIR)]


@pytest.mark.parametrize("count", range(1, len(OLD) + 1))
def test_an_old_database_ends_with_the_schema_of_a_new_one(
    empty_dsn: str, template_database: str, postgres_server: str, count: int
) -> None:
    make_old(empty_dsn, count)
    assert run(empty_dsn) == [*OLD[count:], *(name for name in NEW if name != BASELINE), *DEFINITIONS]
    assert run(empty_dsn) == []
    assert shape(empty_dsn) == shape(conninfo.make_conninfo(postgres_server, dbname=template_database))
    recorded = execute(empty_dsn, "SELECT name, sha256 FROM etl.schema_migrations ORDER BY name")
    assert recorded == [(file.name, file.sha256) for file in read_migrations(SQL_DIR)]


def test_an_old_database_without_its_list_of_migrations(
    empty_dsn: str, template_database: str, postgres_server: str
) -> None:
    make_old(empty_dsn, len(OLD) - 1, list_them=False)
    assert run(empty_dsn) == [*OLD, *(name for name in NEW if name != BASELINE), *DEFINITIONS]
    assert shape(empty_dsn) == shape(conninfo.make_conninfo(postgres_server, dbname=template_database))


def test_a_new_database_without_its_list_of_migrations(empty_dsn: str) -> None:
    """Restored from a dump without that table, it is brought up to date, too."""
    run(empty_dsn)
    before = shape(empty_dsn)
    execute(empty_dsn, "DROP TABLE etl.schema_migrations")
    assert run(empty_dsn) == [*NEW, *DEFINITIONS]
    assert shape(empty_dsn) == before


def test_a_definition_is_applied_again_when_its_content_changes(empty_dsn: str, files: Path) -> None:
    run(empty_dsn)
    metrics = files / "functions" / "metrics.sql"
    metrics.write_bytes(
        metrics.read_bytes() + b"CREATE OR REPLACE FUNCTION etl.one() RETURNS int LANGUAGE sql AS 'SELECT 1';\n"
    )
    assert run(empty_dsn) == ["functions/metrics", *COMMENTS]
    assert execute(empty_dsn, "SELECT etl.one()") == [(1,)]
    assert run(empty_dsn) == []


def test_definitions_that_a_migration_drops_come_back(empty_dsn: str, files: Path) -> None:
    run(empty_dsn)
    before = shape(empty_dsn)
    (files / "migrations" / "9999_drop.sql").write_text("-- Test.\nDROP VIEW etl.raw_route_status;\n")
    assert run(empty_dsn) == ["9999_drop", *DEFINITIONS]
    assert shape(empty_dsn) == before


@pytest.mark.parametrize(
    "statement", ["DROP VIEW football.fixture_schedule CASCADE", "DROP FUNCTION etl.to_utc(text) CASCADE"]
)
def test_views_and_functions_that_somebody_has_dropped_come_back(empty_dsn: str, statement: str) -> None:
    run(empty_dsn)
    before = shape(empty_dsn)
    execute(empty_dsn, statement)
    assert run(empty_dsn) == DEFINITIONS
    assert shape(empty_dsn) == before
    assert run(empty_dsn) == []


def test_a_database_of_a_newer_version_is_refused(empty_dsn: str, files: Path) -> None:
    (files / "migrations" / "9999_future.sql").write_text("-- Test.\nCREATE TABLE etl.future (id int);\n")
    run(empty_dsn)
    (files / "migrations" / "9999_future.sql").unlink()
    (files / "functions" / "metrics.sql").write_text("-- Another content.\n")
    with pytest.raises(
        ConfigurationError, match="has the migration 9999_future, which this version does not know"
    ) as caught:
        run(empty_dsn)
    assert "install that one" in caught.value.hint
    definitions = execute(empty_dsn, "SELECT sha256 FROM etl.applied_definitions WHERE name = 'functions/metrics'")
    assert definitions == [(next(f.sha256 for f in read_definitions(SQL_DIR) if f.name == "functions/metrics"),)]


def test_a_migration_that_changed_after_it_was_applied_is_refused(empty_dsn: str, files: Path) -> None:
    run(empty_dsn)
    with (files / "migrations" / f"{BASELINE}.sql").open("a") as file:
        file.write("CREATE TABLE etl.more (id int);\n")
    with pytest.raises(
        ConfigurationError, match=f"The migration {BASELINE} has been changed since it was applied"
    ) as caught:
        run(empty_dsn)
    assert "a change of the schema is a new migration" in caught.value.hint


def test_six_at_once(empty_dsn: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        applied = list(pool.map(run, [empty_dsn] * 6))
    assert sorted(applied, key=len) == [[], [], [], [], [], [*NEW, *DEFINITIONS]]


def test_processes_at_once(empty_dsn: str) -> None:
    code = (
        "import sys; from sportmonks.warehouse.connection import *; from sportmonks.warehouse.migrations import *; "
        "print(len(migrate(open_connection(sys.argv[1], autocommit=True))))"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code, empty_dsn],
            stdout=subprocess.PIPE,
            text=True,
            cwd=SQL_DIR.parents[1] / "plugins",
        )
        for _ in range(3)
    ]
    counts = sorted(int(process.communicate(timeout=60)[0]) for process in started)
    assert counts == [0, 0, len(NEW) + len(DEFINITIONS)]


def test_from_half_a_database(empty_dsn: str, template_database: str, postgres_server: str) -> None:
    """The first migration half done by hand and not listed: the rest follows and the end is the same."""
    half = (SQL_DIR / "migrations" / f"{OLD[0]}.sql").read_text(encoding="utf-8")
    with open_connection(empty_dsn, autocommit=True) as conn:
        conn.execute(half.split("CREATE TABLE IF NOT EXISTS etl.chunks")[0])
    run(empty_dsn)
    assert shape(empty_dsn) == shape(conninfo.make_conninfo(postgres_server, dbname=template_database))


def test_a_failing_migration_leaves_the_database_as_it_was(empty_dsn: str, files: Path) -> None:
    (files / "migrations" / "9999_broken.sql").write_text("CREATE TABLE etl.x (id int); SELECT nonsense;")
    with pytest.raises(psycopg.errors.UndefinedColumn):
        run(empty_dsn)
    with open_connection(empty_dsn) as conn:
        assert conn.execute(
            "SELECT count(*) FROM pg_namespace WHERE nspname IN ('etl', 'raw', 'football')"
        ).fetchone() == (0,)


def test_it_works_without_more_than_the_right_to_make_schemas(postgres_server: str, empty_dsn: str) -> None:
    """A role that may create schemas in its database, and owns nothing else (Supabase, RDS)."""
    role = f"owner_{uuid.uuid4().hex[:8]}"
    database = sql.Identifier(str(conninfo.conninfo_to_dict(empty_dsn)["dbname"]))
    name = sql.Identifier(role)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'p4ssw0rd-for-tests' NOSUPERUSER").format(name))
        admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        admin.execute(sql.SQL("GRANT CONNECT, CREATE, TEMPORARY ON DATABASE {} TO {}").format(database, name))
    try:
        mine = conninfo.make_conninfo(empty_dsn, user=role, password="p4ssw0rd-for-tests")
        assert run(mine) == [*NEW, *DEFINITIONS]
        with open_connection(mine, autocommit=True) as conn:
            conn.execute("SELECT etl.start_etl_execution('etl_1')")
            conn.execute("SELECT etl.finish_etl_execution('etl_1', 'COMPLETED')")
            assert conn.execute("SELECT status FROM etl.get_etl_execution_summary()").fetchone() == ("COMPLETED",)
    finally:
        with psycopg.connect(empty_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
            admin.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.fixture
def writer(empty_dsn: str) -> Iterator[tuple[str, psycopg.Connection[Any]]]:
    """Conninfo of an account that may only connect, and a connection of the superuser."""
    role = sql.Identifier(f"writer_{uuid.uuid4().hex[:8]}")
    with psycopg.connect(empty_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'p4ssw0rd-for-tests'").format(role))
        database = sql.Identifier(admin.info.dbname)
        admin.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
        admin.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role))
        yield conninfo.make_conninfo(empty_dsn, user=role._obj[0], password="p4ssw0rd-for-tests"), admin
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(role))
        admin.execute(sql.SQL("DROP ROLE {}").format(role))


def follow(admin: psycopg.Connection[Any], hint: str) -> None:
    """Do what a hint says."""
    for statement in hint.partition("execute: ")[2].partition(". Or")[0].rstrip(".").split("; "):
        admin.execute(statement.encode())


def test_missing_rights_are_named_with_the_statements_that_grant_them(
    writer: tuple[str, psycopg.Connection[Any]],
) -> None:
    mine, admin = writer
    with pytest.raises(ConfigurationError, match="may not create the schema") as refused:
        run(mine)
    assert "GRANT CREATE ON DATABASE" in refused.value.hint
    assert "GRANT TEMPORARY ON DATABASE" in refused.value.hint
    follow(admin, refused.value.hint)
    assert run(mine) == [*NEW, *DEFINITIONS]


def test_the_right_to_create_in_prepared_schemas_is_enough(writer: tuple[str, psycopg.Connection[Any]]) -> None:
    mine, admin = writer
    admin.execute("CREATE SCHEMA etl; CREATE SCHEMA raw; CREATE SCHEMA football")
    with pytest.raises(ConfigurationError) as refused:
        run(mine)
    assert "CREATE ON DATABASE" not in refused.value.hint
    assert refused.value.hint.count("GRANT USAGE, CREATE ON SCHEMA") == 3
    follow(admin, refused.value.hint)
    assert run(mine) == [*NEW, *DEFINITIONS]


def test_an_account_that_only_writes_learns_what_a_run_needs(writer: tuple[str, psycopg.Connection[Any]]) -> None:
    mine, admin = writer
    run(conninfo.make_conninfo(mine, user="postgres", password=admin.info.password))
    with pytest.raises(ConfigurationError, match="cannot be read"):
        run(mine)
    role = sql.Identifier(conninfo.conninfo_to_dict(mine)["user"])
    admin.execute(sql.SQL("GRANT USAGE ON SCHEMA etl, raw, football TO {}").format(role))
    admin.execute(sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA etl TO {}").format(role))
    assert run(mine) == []
    with open_connection(mine, autocommit=True) as conn:
        with pytest.raises(ConfigurationError, match=r"lacks .* privileges") as refused:
            require_schema(conn)
        assert "GRANT TEMPORARY" in refused.value.hint
        assert "ON football.teams" in refused.value.hint
        follow(admin, refused.value.hint)
        require_schema(conn)


def test_an_account_that_runs_the_tasks_beside_the_owner_keeps_making_tables_of_routes(
    writer: tuple[str, psycopg.Connection[Any]],
) -> None:
    """As in an installation of two accounts that has none of the roles."""
    mine, admin = writer
    owner = conninfo.make_conninfo(mine, user="postgres", password=admin.info.password)
    run(owner)
    role = sql.Identifier(conninfo.conninfo_to_dict(mine)["user"])
    admin.execute(sql.SQL("GRANT TEMPORARY ON DATABASE {} TO {}").format(sql.Identifier(admin.info.dbname), role))
    for statement in (
        "GRANT USAGE ON SCHEMA etl, raw, football TO {}",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA etl, raw, football TO {}",
    ):
        admin.execute(sql.SQL(statement).format(role))
    with open_connection(mine, autocommit=True) as conn:
        with pytest.raises(ConfigurationError, match=r"lacks 1 of the privileges") as refused:
            require_schema(conn)
        assert "GRANT EXECUTE ON FUNCTION etl.ensure_raw_table(text, text, text[]) TO" in refused.value.hint
        admin.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'functions/routes'")
        assert run(owner) == ["functions/routes"]  # the upgrade
        require_schema(conn)
        conn.execute("SELECT etl.ensure_raw_table('rest', 'items', '{id}')")
        conn.execute("INSERT INTO raw.client_rest_items (payload, content_hash) VALUES ('{\"id\": 1}', '')")
        conn.execute(
            "SELECT etl.ensure_raw_table('rest', 'items', '{id,day}'), etl.ensure_raw_table('rest', 'items', '{id}')"
        )
        assert conn.execute("SELECT record_key FROM raw.client_rest_items_latest").fetchall() == [("1",)]


@pytest.mark.parametrize(
    "statement",
    ["CREATE TABLE football.teams (name text)", "CREATE VIEW football.fixture_results AS SELECT 1 AS x"],
)
def test_others_tables_of_our_names_are_refused_by_name(empty_dsn: str, statement: str) -> None:
    execute(empty_dsn, "CREATE SCHEMA football")
    execute(empty_dsn, statement)
    with pytest.raises(ConfigurationError, match=r"has football\.\w+, which this package did not create") as refused:
        run(empty_dsn)
    assert "a database of its own" in refused.value.hint
    assert execute(empty_dsn, "SELECT count(*) FROM pg_namespace WHERE nspname = 'etl'") == [(0,)]


def test_others_functions_of_our_names_are_refused_by_name(empty_dsn: str) -> None:
    execute(empty_dsn, "CREATE SCHEMA etl")
    execute(empty_dsn, "CREATE FUNCTION etl.to_utc(text) RETURNS int LANGUAGE sql AS 'SELECT 1'")
    with pytest.raises(ConfigurationError, match="cannot be applied: cannot change return type"):
        run(empty_dsn)


def test_what_others_have_built_on_our_objects_is_named(empty_dsn: str) -> None:
    run(empty_dsn)
    execute(empty_dsn, "CREATE VIEW public.complete AS SELECT * FROM football.season_complete(1)")
    dropping = migrations.SchemaFile("9999_drop", "DROP FUNCTION football.season_complete(bigint, timestamptz)")
    with (
        psycopg.connect(empty_dsn) as conn,
        pytest.raises(ConfigurationError, match="9999_drop cannot be applied") as e,
    ):
        migrations._apply(conn, dropping)
    assert "view complete depends on" in e.value.hint


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_of_the_server_is_refused_by_name(postgres_server: str, encoding: str) -> None:
    name = f"{encoding.lower()}_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0".encode())
        try:
            with pytest.raises(ConfigurationError, match=f"has the encoding {encoding}") as refused:
                run(conninfo.make_conninfo(postgres_server, dbname=name))
            assert "ENCODING 'UTF8'" in refused.value.hint
        finally:
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def test_a_schema_that_somebody_made_already_is_used(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA football; CREATE TABLE football.mine (id int)")
    assert run(empty_dsn) == [*NEW, *DEFINITIONS]
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("SELECT count(*) FROM football.mine").fetchone() == (0,)


def test_names_are_qualified_whatever_the_search_path(empty_dsn: str) -> None:
    with open_connection(
        conninfo.make_conninfo(empty_dsn, options="-csearch_path=pg_catalog"), autocommit=True
    ) as conn:
        assert migrate(conn) == [*NEW, *DEFINITIONS]
        stray: Any = conn.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
        ).fetchone()
        assert stray == (0,)
