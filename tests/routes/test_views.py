"""Typed views of football: made with the tables of their routes, commented, and no obstacle to a change of a route."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from sportmonks.routes.parse import load_routes
from sportmonks.routes.spec import Route
from sportmonks.routes.store import ensure_table
from sportmonks.warehouse.migrations import migrate

Conn = psycopg.Connection[Any]
ROUTES = {route.route: route for route in load_routes()[0]}
VIEWS = {
    "players": "players",
    "coaches": "coaches",
    "standings": "provider_standings",
    "topscorers": "top_scorers",
    "squads": "squads",
    "transfers": "transfers",
}
TRANSFER = {"id": 7, "date": "2026-01-31", "amount": 1.5e6, "completed": True, "player_id": "", "type_id": 219}
DAY = '[{"name": "day", "path": ["date"], "type": "date"}]'


def add(conn: Conn, route: Route, payload: dict[str, Any]) -> None:
    text = json.dumps(payload)
    conn.execute(f"INSERT INTO raw.{route.table} (payload, content_hash) VALUES (%s, sha256(%s::bytea))", (text, text))


@pytest.mark.parametrize("name", VIEWS)
def test_there_is_a_commented_view_with_each_table(warehouse: Conn, name: str) -> None:
    view = f"football.{VIEWS[name]}"
    assert warehouse.execute("SELECT to_regclass(%s)", (view,)).fetchone() == (None,)
    ensure_table(warehouse, ROUTES[name])
    assert warehouse.execute(f"SELECT count(*) FROM {view}").fetchone() == (0,)
    note = warehouse.execute("SELECT obj_description(%s::regclass, 'pg_class')", (view,)).fetchone()
    assert note == (f"The newest records of raw.{ROUTES[name].table}, typed. Made with that table.",)
    first = warehouse.execute("SELECT col_description(%s::regclass, 1)", (view,)).fetchone()
    assert first == ("when this version was found to be news",)


def test_what_does_not_fit_is_null(warehouse: Conn) -> None:
    route = ROUTES["transfers"]
    ensure_table(warehouse, route)
    add(warehouse, route, TRANSFER | {"completed": False})
    add(warehouse, route, TRANSFER)
    found = warehouse.execute(
        "SELECT id, date::text, player_id, type_id, amount, completed FROM football.transfers"
    ).fetchall()
    assert found == [(7, "2026-01-31", None, 219, 1_500_000, True)]


def test_a_changed_route_has_its_view_again(warehouse: Conn) -> None:
    route = ROUTES["transfers"]
    ensure_table(warehouse, route)
    add(warehouse, route, TRANSFER)
    warehouse.execute("GRANT SELECT ON football.transfers TO PUBLIC")
    for changed in (
        "SELECT etl.ensure_raw_table('sportmonks', 'transfers', ARRAY['id', 'player_id'])",
        "SELECT etl.ensure_raw_table('sportmonks', 'transfers', ARRAY['id'])",
        f"SELECT etl.shape_raw_table('client_sportmonks_transfers', '{DAY}')",
        "SELECT etl.shape_raw_table('client_sportmonks_transfers', NULL, true)",
        "SELECT etl.shape_raw_table('client_sportmonks_transfers')",
    ):
        warehouse.execute(changed)
        assert warehouse.execute("SELECT id FROM football.transfers").fetchall() == [(7,)]
    kept = warehouse.execute(
        "SELECT relacl::text LIKE '%=r/%' FROM pg_class WHERE oid = 'football.transfers'::regclass"
    )
    assert kept.fetchone() == (True,)
    warehouse.execute("CREATE VIEW public.mine AS SELECT id FROM football.transfers")
    with pytest.raises(psycopg.errors.RaiseException, match=r"view public\.mine depends on view football\.transfers"):
        warehouse.execute("SELECT etl.ensure_raw_table('sportmonks', 'transfers', ARRAY['date'])")
    assert warehouse.execute("SELECT id FROM public.mine").fetchall() == [(7,)]


@pytest.mark.parametrize("kind", ["VIEW", "TABLE"])
def test_what_others_made_under_such_a_name_stays(warehouse: Conn, kind: str) -> None:
    warehouse.execute(f"CREATE {kind} football.squads AS SELECT 1 AS mine")
    route = ROUTES["squads"]
    ensure_table(warehouse, route)
    warehouse.execute("SELECT etl.ensure_raw_table('sportmonks', 'squads', ARRAY['player_id'])")
    assert warehouse.execute("SELECT mine FROM football.squads").fetchall() == [(1,)]


def test_tables_of_an_older_version_get_their_view(warehouse: Conn) -> None:
    """With the definitions that an upgrade applies."""
    ensure_table(warehouse, ROUTES["coaches"])
    warehouse.execute("DROP VIEW football.coaches")
    warehouse.execute("DELETE FROM etl.applied_definitions WHERE name = 'functions/football_views'")
    migrate(warehouse)
    assert warehouse.execute("SELECT count(*) FROM football.coaches").fetchone() == (0,)
