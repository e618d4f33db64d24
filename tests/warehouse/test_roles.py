"""Roles of least privilege: what each of them can do, and cannot."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from sportmonks.errors import ConfigurationError
from sportmonks.warehouse import queries
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.harness.accounts import Login, role_logins
from tests.warehouse.snapshot import snapshot


@pytest.fixture
def login(empty_dsn: str) -> Iterator[Login]:
    with role_logins(empty_dsn) as make:
        yield make


def owners(dsn: str) -> set[str]:
    with psycopg.connect(dsn) as conn:
        return {
            name
            for (name,) in conn.execute(
                "SELECT pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
                " WHERE n.nspname IN ('etl', 'raw', 'football') UNION SELECT pg_get_userbyid(p.proowner) FROM pg_proc p"
                " JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('etl', 'raw', 'football')"
            )
        }


def run(dsn: str, statement: str) -> list[tuple[Any, ...]]:
    with open_connection(dsn, autocommit=True) as conn:
        cursor = conn.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def refused(dsn: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        run(dsn, statement)


def test_members_of_the_owner_migrate_and_all_belongs_to_the_role(
    empty_dsn: str, login: Login, postgres_server: str, template_database: str
) -> None:
    first, second = login("owner"), login("owner")
    for account in (first, second):
        with open_connection(account, autocommit=True) as conn:
            migrate(conn)
    assert owners(empty_dsn) == {"sportmonks_owner"}
    with (
        psycopg.connect(empty_dsn) as ours,
        psycopg.connect(conninfo.make_conninfo(postgres_server, dbname=template_database)) as expected,
    ):
        assert snapshot(ours) == snapshot(expected)


def test_what_an_account_made_before_goes_to_the_owner_and_what_is_foreign_stays(empty_dsn: str, login: Login) -> None:
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        conn.execute("SELECT etl.ensure_raw_table('rest', 'items')")
        conn.execute("CREATE TABLE football.mine (id int)")
        conn.execute("CREATE ROLE somebody; ALTER TABLE football.mine OWNER TO somebody")
    try:
        writer = login("writer")
        assert owners(empty_dsn) == {"sportmonks_owner", "somebody"}
        refused(writer, "SELECT * FROM football.mine")
        assert run(writer, "SELECT count(*) FROM raw.client_rest_items") == [(0,)]
    finally:
        with psycopg.connect(empty_dsn, autocommit=True) as conn:
            conn.execute("DROP OWNED BY somebody; DROP ROLE somebody")


def test_the_writer_finds_a_current_schema_current_and_cannot_change_it(empty_dsn: str, login: Login) -> None:
    owner, writer = login("owner"), login("writer")
    with open_connection(writer, autocommit=True) as conn, pytest.raises(ConfigurationError) as caught:
        migrate(conn)
    assert "may not create the schema of the warehouse" in caught.value.message
    assert "with an account that has these rights" in caught.value.hint
    with open_connection(owner, autocommit=True) as conn:
        migrate(conn)
    with open_connection(writer, autocommit=True) as conn:
        assert migrate(conn) == []
        run(empty_dsn, "UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'functions/routes'")
        with pytest.raises(ConfigurationError, match="it belongs to 'sportmonks_owner'") as caught:
            migrate(conn)
    assert "with the account that owns the schemas" in caught.value.hint
    assert "GRANT" not in caught.value.hint
    for statement in (
        "CREATE TABLE etl.more (id int)",
        "ALTER TABLE football.fixtures ADD COLUMN more int",
        "DROP TABLE football.fixtures",
        "UPDATE etl.schema_migrations SET sha256 = NULL",
        "CREATE OR REPLACE FUNCTION etl.to_int(p_text text) RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ):
        refused(writer, statement)


def test_the_writer_makes_tables_of_routes_through_their_function(empty_dsn: str, login: Login) -> None:
    owner, writer, reader = login("owner"), login("writer"), login("reader")
    with open_connection(owner, autocommit=True) as conn:
        migrate(conn)
    assert run(writer, "SELECT etl.ensure_raw_table('rest', 'items', '{id}')") == [("client_rest_items",)]
    assert owners(empty_dsn) == {"sportmonks_owner"}
    run(
        writer,
        "INSERT INTO raw.client_rest_items (payload, content_hash) VALUES ('{\"id\": 1}', '');"
        "CREATE TEMPORARY TABLE incoming (id int)",
    )
    assert run(reader, "SELECT record_key FROM raw.client_rest_items_latest") == [("1",)]
    # A changed key is a changed table: the owner of the function changes it.
    assert run(writer, "SELECT etl.ensure_raw_table('rest', 'items')") == [("client_rest_items",)]


RELATIONS = """
SELECT c.oid, n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('etl', 'raw', 'football') AND c.relkind IN ('r', 'p', 'v', 'm') ORDER BY 2
"""


def test_the_reader_reads_everything_and_writes_nothing(empty_dsn: str, login: Login) -> None:
    """Also what later migrations and raw routes make, with the typed views over these."""
    owner, writer, reader = login("owner"), login("writer"), login("reader")
    with open_connection(owner, autocommit=True) as conn:
        migrate(conn)
        with conn.transaction():
            conn.execute(queries.sql("schema/become_owner"))
            conn.execute("CREATE TABLE etl.later (id int); CREATE VIEW football.later AS SELECT * FROM etl.later")
            conn.execute("CREATE MATERIALIZED VIEW football.later_stored AS SELECT * FROM etl.later")
    run(writer, "SELECT etl.ensure_raw_table('rest', 'items', '{id}')")
    run(writer, "SELECT etl.ensure_raw_table('sportmonks', 'standings', '{id}')")
    with open_connection(reader, autocommit=True) as conn:
        relations = conn.execute(RELATIONS).fetchall()
        names = {name for _, name in relations}
        assert names >= {"etl.later", "football.later", "football.later_stored", "football.player_match"}
        assert names >= {"raw.client_rest_items", "raw.client_rest_items_latest", "football.provider_standings"}
        for oid, name in relations:
            conn.execute(f"SELECT count(*) FROM {name}".encode())
            may = "SELECT has_table_privilege(%s::oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')"
            assert conn.execute(may, (oid,)).fetchone() == (False,), name
        for function in ("season_complete", "standings_at", "standings_compared", "rows_per_match"):
            conn.execute(f"SELECT * FROM football.{function}(1)".encode())
        # What runs with the owner's rights is not for it; the one that is left looks for itself who calls it.
        definer = (
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
            " WHERE n.nspname IN ('etl', 'raw', 'football') AND p.prosecdef"
            " AND has_function_privilege(p.oid, 'EXECUTE')"
        )
        assert conn.execute(definer).fetchall() == [("etl.shape_raw_table(text,jsonb,boolean)",)]
    for statement in (
        "DELETE FROM football.fixtures",
        "INSERT INTO raw.fixtures DEFAULT VALUES",
        "SELECT etl.ensure_raw_table('rest', 'items')",
        "SELECT etl.shape_raw_table('client_rest_items', NULL, true)",
        "SELECT etl.start_etl_execution('e')",
        "CREATE TABLE football.more (id int)",
        "CREATE SCHEMA more",
    ):
        refused(reader, statement)


def test_the_roles_may_be_made_by_an_account_that_is_no_superuser(
    postgres_server: str, empty_dsn: str, login: Login
) -> None:
    """As on Supabase or RDS: it owns the database, and may create roles."""
    name = sql.Identifier(f"admin_{uuid.uuid4().hex[:8]}")
    database = sql.Identifier(str(conninfo.conninfo_to_dict(empty_dsn)["dbname"]))
    with psycopg.connect(empty_dsn, autocommit=True) as admin:
        admin.execute(queries.sql("roles"))  # the server has the roles already, perhaps from another database
        admin.execute(
            sql.SQL("CREATE ROLE {} LOGIN CREATEROLE PASSWORD 'p4ssw0rd-for-tests' IN ROLE sportmonks_owner").format(
                name
            )
        )
        admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(database, name))
    account = conninfo.make_conninfo(empty_dsn, user=name.as_string(None).strip('"'), password="p4ssw0rd-for-tests")
    try:
        with open_connection(account, autocommit=True) as conn:
            migrate(conn)
            conn.execute(queries.sql("roles"))
            conn.execute(queries.sql("roles"))
        assert owners(empty_dsn) == {"sportmonks_owner"}
    finally:
        with psycopg.connect(empty_dsn, autocommit=True) as admin:
            admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO postgres").format(database))
            admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
            admin.execute(sql.SQL("DROP ROLE {}").format(name))


@pytest.fixture
def somebody(empty_dsn: str) -> Iterator[str]:
    """A role that may not log in."""
    name = f"somebody_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(empty_dsn, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(name)))
        yield name
        admin.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(sql.Identifier(name)))
        admin.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_tables_of_another_account_than_the_schemas_are_migrated_and_handed_over(
    empty_dsn: str, login: Login, somebody: str
) -> None:
    """As was normal before there were roles: one account made the schemas, a superuser or a member the tables."""
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        for schema in ("etl", "raw", "football"):
            statement = sql.SQL("ALTER SCHEMA {} OWNER TO {}").format(sql.Identifier(schema), sql.Identifier(somebody))
            conn.execute(statement)
        with conn.transaction():
            conn.execute(queries.sql("schema/become_owner"))
            conn.execute("ALTER TABLE etl.chunks ADD COLUMN more int")
        conn.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name LIKE 'views/%'")
        assert migrate(conn) != []
    writer = login("writer")
    assert owners(empty_dsn) == {"sportmonks_owner"}
    assert run(writer, "SELECT count(*) FROM football.fixtures") == [(0,)]


def test_a_table_of_a_third_account_is_named(empty_dsn: str, somebody: str) -> None:
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        conn.execute(sql.SQL("ALTER TABLE etl.chunks OWNER TO {}").format(sql.Identifier(somebody)))
        with pytest.raises(psycopg.errors.RaiseException, match="belong to several accounts") as caught:
            conn.execute(queries.sql("roles"))
        assert str(caught.value.diag.message_hint).endswith("ALTER TABLE etl.chunks OWNER TO postgres")
        conn.execute(str(caught.value.diag.message_hint).partition("after: ")[2].encode())
        conn.execute(queries.sql("roles"))
    assert owners(empty_dsn) == {"sportmonks_owner"}


def test_the_tables_that_are_handed_over_are_those_of_the_schema(warehouse_dsn: str) -> None:
    with psycopg.connect(warehouse_dsn) as conn:
        found = conn.execute(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('etl', 'raw', 'football') AND c.relkind IN ('r', 'p')"
        ).fetchall()
    assert set(str(queries.sql("roles")).split("$tables$")[1].split()) == {name for (name,) in found}
