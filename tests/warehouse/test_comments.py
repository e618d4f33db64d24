"""Every schema, table, column, view and function says in the database what it is."""

from __future__ import annotations

import psycopg
import pytest

from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.warehouse.run_builder import Ask

SILENT = """
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('etl', 'raw', 'football'))
SELECT 'schema ' || nspname AS name FROM ours WHERE obj_description(oid, 'pg_namespace') IS NULL
UNION ALL
SELECT 'table or view ' || nspname || '.' || c.relname FROM ours JOIN pg_class c ON c.relnamespace = ours.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND coalesce(obj_description(c.oid, 'pg_class'), '') = ''
UNION ALL
SELECT 'column ' || nspname || '.' || c.relname || '.' || a.attname
FROM ours JOIN pg_class c ON c.relnamespace = ours.oid
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v', 'm') AND coalesce(col_description(c.oid, a.attnum), '') = ''
UNION ALL
SELECT 'function ' || p.oid::regprocedure FROM ours JOIN pg_proc p ON p.pronamespace = ours.oid
WHERE coalesce(obj_description(p.oid, 'pg_proc'), '') = ''
ORDER BY 1
"""
ROUTE = """
SELECT etl.ensure_raw_table('shop', 'orders', '{id}');
SELECT etl.shape_raw_table('client_shop_orders', '[{"name": "total", "path": ["sum", "net"], "type": "numeric"}]', true)
"""
# Everything in the three schemas, and the schemas themselves, to another owner.
GIVE_AWAY = """
DO $$
DECLARE
    v_item record;
BEGIN
    FOR v_item IN SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname IN ('etl', 'raw', 'football') AND c.relkind IN ('r', 'v') LOOP
        EXECUTE format('ALTER TABLE %I.%I OWNER TO comments_test_owner', v_item.nspname, v_item.relname);
    END LOOP;
    ALTER SCHEMA etl OWNER TO comments_test_owner;
    ALTER SCHEMA raw OWNER TO comments_test_owner;
    ALTER SCHEMA football OWNER TO comments_test_owner;
    EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO comments_test_owner', current_database());
END $$
"""
OF_COLUMN = """
SELECT col_description(attrelid, attnum) FROM pg_attribute
WHERE attrelid = 'raw.client_shop_orders_latest'::regclass AND attname = %s
"""


def silent(ask: Ask) -> list[str]:
    return [row["name"] for row in ask(SILENT)]


# Values that a CHECK allows in a column, and the comment of that column.
VALUES = """
SELECT c.conrelid::regclass || '.' || a.attname AS name, m.found[1] AS value,
       col_description(a.attrelid, a.attnum) AS comment
FROM pg_constraint c
JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
CROSS JOIN LATERAL regexp_matches(pg_get_constraintdef(c.oid), '''([A-Za-z_]+)''::text', 'g') AS m(found)
WHERE c.contype = 'c' AND cardinality(c.conkey) = 1
  AND c.connamespace IN (SELECT oid FROM pg_namespace WHERE nspname IN ('etl', 'raw', 'football'))
"""


def test_comments_name_the_values_that_a_column_may_have(ask: Ask) -> None:
    rows = ask(VALUES)
    assert {row["value"] for row in rows} >= {"COLLECTED", "RUNNING", "RESOLVED"}
    missing = [(row["name"], row["value"]) for row in rows if row["value"] not in row["comment"]]
    assert not missing, f"Say what it means in include/sql/comments/<schema>.sql: {missing}"


def test_nothing_is_without_a_comment(ask: Ask) -> None:
    missing = silent(ask)
    assert not missing, f"Say what it is in include/sql/comments/<schema>.sql: {missing}"


def test_tables_of_raw_routes_are_commented(warehouse: psycopg.Connection[object], ask: Ask) -> None:
    warehouse.execute(ROUTE)
    assert silent(ask) == []
    assert ask(OF_COLUMN, "total") == [{"col_description": "From the record: sum.net (numeric)."}]
    assert "complete reading" in ask(OF_COLUMN, "deleted_at")[0]["col_description"]


def test_an_upgrade_that_loses_no_comment_writes_none(empty_dsn: str) -> None:
    """COMMENT locks its table against VACUUM, and one for wraparound does not make way."""
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        conn.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'views/routes'")
        assert migrate(conn) == ["views/routes"]


@pytest.mark.parametrize("lost", ["DROP VIEW etl.raw_route_status", "COMMENT ON TABLE raw.client_shop_orders IS NULL"])
def test_what_an_upgrade_creates_anew_has_its_comment_again(empty_dsn: str, lost: str) -> None:
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        conn.execute(ROUTE)
        conn.execute(lost.encode())
        conn.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'views/routes'")
        assert migrate(conn) == ["views/routes", "comments/etl", "comments/football", "comments/raw"]
        assert conn.execute(SILENT).fetchall() == []
        assert migrate(conn) == []


def test_a_function_that_an_older_version_has_left_stops_nothing(empty_dsn: str) -> None:
    """It has the name of one of ours and other parameters."""
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        conn.execute("CREATE FUNCTION etl.to_int(text, text) RETURNS int LANGUAGE sql AS 'SELECT 1'")
        conn.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'comments/etl'")
        assert migrate(conn) == ["comments/etl"]
        assert conn.execute(SILENT).fetchall() == []


def test_raw_tables_of_another_account_are_left_alone(empty_dsn: str) -> None:
    """Those from before there were roles may belong to the account of the tasks: an upgrade does not stop there."""
    with open_connection(empty_dsn, autocommit=True) as conn:
        migrate(conn)
        conn.execute(ROUTE)
        try:
            conn.execute("CREATE ROLE comments_test_owner; CREATE ROLE comments_test_other")
            conn.execute(GIVE_AWAY)
            conn.execute("COMMENT ON TABLE raw.client_shop_orders IS NULL")
            conn.execute("ALTER TABLE raw.client_shop_orders OWNER TO comments_test_other")
            conn.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'comments/raw'")
            conn.execute("SET ROLE comments_test_owner")
            assert migrate(conn) == ["comments/raw"]
            conn.execute("RESET ROLE")
            assert conn.execute("SELECT obj_description('raw.client_shop_orders'::regclass)").fetchone() == (None,)
        finally:
            conn.execute("RESET ROLE")
            conn.execute("DROP OWNED BY comments_test_owner, comments_test_other CASCADE")
            conn.execute("DROP ROLE comments_test_owner, comments_test_other")
