"""Migrations: once, twice, six at once, from half-way, without more rights than needed."""

from __future__ import annotations

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
from sportmonks.warehouse.connection import migrate, open_connection
from tests.warehouse.snapshot import snapshot

FILES = sorted(file.stem for file in (SQL_DIR / "migrations").glob("*.sql"))


@pytest.fixture
def empty_dsn(postgres_server: str) -> Iterator[str]:
    """Conninfo of a database without anything in it."""
    name = f"empty_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield conninfo.make_conninfo(postgres_server, dbname=name)
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def run(dsn: str) -> list[str]:
    with open_connection(dsn, autocommit=True) as conn:
        return migrate(conn)


def shape(dsn: str) -> str:
    with open_connection(dsn) as conn:
        return snapshot(conn)


def test_names_are_numbered_and_unique() -> None:
    numbers = [name.split("_")[0] for name in FILES]
    assert all(number.isdigit() and len(number) == 4 for number in numbers)
    assert len(set(numbers)) == len(numbers), "Two migrations have one number: give the newer one the next."


def test_first_run_applies_all_in_order_and_the_second_none(empty_dsn: str) -> None:
    assert run(empty_dsn) == FILES
    assert run(empty_dsn) == []


def test_six_at_once(empty_dsn: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        applied = list(pool.map(run, [empty_dsn] * 6))
    assert sorted(applied, key=len) == [[], [], [], [], [], FILES]


def test_processes_at_once(empty_dsn: str) -> None:
    code = (
        "import sys; from sportmonks.warehouse.connection import *; "
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
    assert counts == [0, 0, len(FILES)]


def test_every_file_may_run_again_over_its_own_result(empty_dsn: str) -> None:
    """A database restored without its list of migrations is brought up to date, too."""
    run(empty_dsn)
    before = shape(empty_dsn)
    with open_connection(empty_dsn, autocommit=True) as conn:
        conn.execute("DROP TABLE etl.schema_migrations")
    assert run(empty_dsn) == FILES
    assert shape(empty_dsn) == before


def test_from_half_a_database(empty_dsn: str, template_database: str, postgres_server: str) -> None:
    """Some migrations done, one of them half by hand: the rest follows and the end is the same."""
    half = (SQL_DIR / "migrations" / f"{FILES[0]}.sql").read_text(encoding="utf-8")
    with open_connection(empty_dsn, autocommit=True) as conn:
        conn.execute(half.split("CREATE TABLE IF NOT EXISTS etl.chunks")[0])
    assert run(empty_dsn) == FILES
    assert shape(empty_dsn) == shape(conninfo.make_conninfo(postgres_server, dbname=template_database))


def test_a_failing_migration_leaves_the_database_as_it_was(
    empty_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from sportmonks.warehouse import connection as db

    shutil.copytree(SQL_DIR, tmp_path / "sql")
    (tmp_path / "sql" / "migrations" / "9999_broken.sql").write_text("CREATE TABLE etl.x (id int); SELECT nonsense;")
    monkeypatch.setattr(db, "SQL_DIR", tmp_path / "sql")
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
        assert run(mine) == FILES
        with open_connection(mine, autocommit=True) as conn:
            conn.execute("SELECT etl.start_etl_execution('etl_1')")
            conn.execute("SELECT etl.finish_etl_execution('etl_1', 'COMPLETED')")
            assert conn.execute("SELECT status FROM etl.get_etl_execution_summary()").fetchone() == ("COMPLETED",)
    finally:
        with psycopg.connect(empty_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
            admin.execute(sql.SQL("DROP ROLE {}").format(name))


def test_a_schema_that_somebody_made_already_is_used(empty_dsn: str) -> None:
    with psycopg.connect(empty_dsn, autocommit=True) as conn:
        conn.execute("CREATE SCHEMA football; CREATE TABLE football.mine (id int)")
    assert run(empty_dsn) == FILES
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("SELECT count(*) FROM football.mine").fetchone() == (0,)


def test_names_are_qualified_whatever_the_search_path(empty_dsn: str) -> None:
    with open_connection(
        conninfo.make_conninfo(empty_dsn, options="-csearch_path=pg_catalog"), autocommit=True
    ) as conn:
        assert migrate(conn) == FILES
        stray: Any = conn.execute(
            "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public'"
        ).fetchone()
        assert stray == (0,)
