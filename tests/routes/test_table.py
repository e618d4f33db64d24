"""The raw table: columns, indexes, keys, and names that must not be shared."""

from __future__ import annotations

import threading
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

from sportmonks.routes.store import ensure_table, ensure_tables
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.sqlstate import as_configuration_error
from tests.harness.accounts import role_logins
from tests.harness.routes import make_route

Conn = psycopg.Connection[Any]


def ensure(conn: Conn, client: str = "2151", route: str = "pedidos", key: list[str] | None = None) -> str:
    row = conn.execute("SELECT etl.ensure_raw_table(%s, %s, %s::text[])", (client, route, key)).fetchone()
    assert row is not None
    return str(row[0])


def test_columns_and_indexes(warehouse: Conn) -> None:
    assert ensure(warehouse) == "client_2151_pedidos"
    assert ensure(warehouse) == "client_2151_pedidos"
    columns = warehouse.execute(
        "SELECT column_name, data_type, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'raw' AND table_name = 'client_2151_pedidos' ORDER BY ordinal_position"
    ).fetchall()
    assert columns == [
        ("id", "bigint", "NO"),
        ("collected_at", "timestamp with time zone", "NO"),
        ("reference_date", "date", "YES"),
        ("request", "jsonb", "NO"),
        ("payload", "jsonb", "NO"),
        ("content_hash", "bytea", "NO"),
        ("created_at", "timestamp with time zone", "NO"),
        ("updated_at", "timestamp with time zone", "NO"),
    ]
    indexes = warehouse.execute("SELECT indexdef FROM pg_indexes WHERE tablename = 'client_2151_pedidos'").fetchall()
    text = "\n".join(row[0] for row in indexes)
    assert all(part in text for part in ("(id)", "(content_hash)", "(reference_date)", "(collected_at)"))
    assert text.count("UNIQUE") == 2


def test_a_table_of_another_account_is_named_with_what_to_run(warehouse_dsn: str, warehouse: Conn) -> None:
    """From before there were roles: the account of the tasks made it, and a function of the owner cannot alter it."""
    table = ensure(warehouse, "shop", "orders", ["a"])
    with role_logins(warehouse_dsn) as login:
        tasks = conninfo.conninfo_to_dict(login("writer"))
        for kind, name in (("TABLE", table), ("VIEW", f"{table}_latest")):
            warehouse.execute(f"ALTER {kind} raw.{name} OWNER TO {tasks['user']}")
        before, after = make_route("key: [a]"), make_route("key: [b]")
        with open_connection(conninfo.make_conninfo(**tasks), autocommit=True) as conn:
            assert ensure_tables(conn, [before]) == ([f"raw.{table}"], [])  # nothing is to be changed
            tables, (sentence,) = ensure_tables(conn, [after])
            with pytest.raises(psycopg.errors.InsufficientPrivilege) as refused:
                ensure_table(conn, after)
        assert tables == []
        assert f"Table raw.{table} does not belong to sportmonks_owner" in sentence
        found = as_configuration_error(refused.value)
        assert found is not None
        statements = found.hint.partition("run: ")[2]
        assert sentence.endswith(statements)
        warehouse.execute(statements)
        with open_connection(conninfo.make_conninfo(**tasks), autocommit=True) as conn:
            assert ensure_tables(conn, [after]) == ([f"raw.{table}"], [])


def test_what_people_built_on_the_newest_records_is_kept(warehouse: Conn) -> None:
    """Grants come back when the view is made anew; views of other people are named, not a plain error."""
    warehouse.execute("DROP ROLE IF EXISTS analyst_of_orders; CREATE ROLE analyst_of_orders")
    try:
        ensure_table(warehouse, make_route("key: [id]"))
        view = "raw.client_shop_orders_latest"
        warehouse.execute(f"GRANT SELECT ON {view} TO analyst_of_orders")
        warehouse.execute(f"CREATE VIEW public.own AS SELECT id, payload FROM {view}")
        assert ensure_tables(warehouse, [make_route("key: [id]\ncolumns: {total: numeric}")])[1] == []
        warehouse.execute("SELECT 1 FROM public.own")
        renamed = make_route("key: [id]\ncolumns: {sum: numeric}")
        tables, (sentence,) = ensure_tables(warehouse, [renamed])
        assert tables == []
        assert "others are built on it: view public.own depends on view raw.client_shop_orders_latest" in sentence
        assert "Drop those views" in sentence
        warehouse.execute("DROP VIEW public.own")
        assert ensure_tables(warehouse, [renamed])[1] == []
        assert ensure_tables(warehouse, [make_route("key: [other]")])[1] == []
        granted = warehouse.execute("SELECT has_table_privilege('analyst_of_orders', %s, 'SELECT')", (view,)).fetchone()
        assert granted == (True,)
    finally:
        warehouse.execute("DROP OWNED BY analyst_of_orders; DROP ROLE analyst_of_orders")


def test_the_longest_names_keep_all_indexes_apart(warehouse: Conn) -> None:
    names = {ensure(warehouse, "c" * 60, "r" * 60 + str(n), ["id"]) for n in range(3)}
    assert len(names) == 3
    row = warehouse.execute(
        "SELECT count(*), max(length(indexname)) FROM pg_indexes WHERE tablename LIKE 'client_ccc%'"
    )
    assert row.fetchone() == (15, 61)


def test_a_key_may_come_later_and_change(warehouse: Conn) -> None:
    table = ensure(warehouse)
    warehouse.execute(
        f"INSERT INTO raw.{table} (payload, request, content_hash) VALUES"
        """ ('{"id": 1, "a": {"b": "x|y"}}', '{"season_id": 9}', '\\x01'), ('{"id": 2}', '{}', '\\x02')"""
    )
    ensure(warehouse, key=["season_id", "a.b"])
    keys = f"SELECT record_key FROM raw.{table} ORDER BY id"
    assert warehouse.execute(keys).fetchall() == [("9|x||y",), (None,)]
    ensure(warehouse, key=["id"])
    assert warehouse.execute(keys).fetchall() == [("1",), ("2",)]
    assert warehouse.execute(f"SELECT count(*) FROM raw.{table}_latest").fetchone() == (2,)
    ensure(warehouse)
    with pytest.raises(psycopg.errors.UndefinedTable):
        warehouse.execute(f"SELECT 1 FROM raw.{table}_latest")


def test_a_dropped_table_comes_back(warehouse: Conn) -> None:
    table = ensure(warehouse, key=["id"])
    warehouse.execute(f"DROP TABLE raw.{table} CASCADE")
    ensure(warehouse, key=["id"])
    assert warehouse.execute(f"SELECT count(*) FROM raw.{table}_latest").fetchone() == (0,)


def test_shared_names_are_refused(warehouse: Conn) -> None:
    ensure(warehouse, "a_b", "c")
    for client, route in (("a", "b_c"), ("A_B", "c"), ("a-b", "c")):
        with pytest.raises(psycopg.errors.RaiseException, match=r"raw.client_a_b_c belongs to client a_b route c"):
            ensure(warehouse, client, route)
    warehouse.execute("CREATE TABLE raw.client_mine_x (id int)")
    with pytest.raises(psycopg.errors.RaiseException, match="that no route made"):
        ensure(warehouse, "mine", "x")


def test_several_at_once(warehouse_dsn: str) -> None:
    problems: list[BaseException] = []

    def work() -> None:
        try:
            with open_connection(warehouse_dsn, autocommit=True) as conn:
                ensure(conn, key=["id"])
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
