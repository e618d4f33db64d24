"""Routes of tests: one over the scripted REST API and one over a server that a test plays, and variants of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import psycopg

from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route
from tests.harness.shape_server import Answer, Play, Request

BASE = """
client: shop
route: orders
connection: shop_api
path: /api/page
paging: {style: page, size_parameter: size, size: 100, more: pagination.has_more}
"""
ORDERS = "client: shop\nroute: orders\nconnection: shop_api\npath: /orders\nretry_max: 1\n"
SHOPS = "client: shop\nroute: shops\nconnection: shop_api\npath: /shops\npaging: none\n"
# Three windows in the first run of tests.
TEN_DAYS = "date_field: day\nperiod: {date_from: from, date_to: to, max_days: 10, first_days: 29}\n"


def make_route(changes: str = "", base: str = BASE) -> Route:
    """The base route with keys replaced or added."""
    replaced = {line.split(":")[0] for line in changes.splitlines() if line and not line.startswith(" ")}
    kept = [line for line in base.splitlines() if line.split(":")[0] not in replaced]
    return parse_route("\n".join([*kept, changes]))


def a_route(keys: str = "") -> Route:
    """The orders of a shop whose API a test plays; ``keys`` are added, or replace its own."""
    return make_route(keys, ORDERS)


def stored_ids(conn: psycopg.Connection[Any]) -> list[int]:
    """The ids of the stored orders, sorted."""
    rows = conn.execute("SELECT (payload ->> 'id')::int FROM raw.client_shop_orders ORDER BY 1").fetchall()
    return [row[0] for row in rows]


def read_ids(summary: Mapping[str, Any]) -> list[Any]:
    """The ids of the records that were read without a warehouse, in order."""
    return [row.get("id") for row in summary["rows"]]


def figures(summary: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(summary[name] for name in names)


def one_record(_: Request) -> Answer:
    return Answer({"data": [{"id": 1}]})


def numbered_pages(rows: list[list[int]], **more: Any) -> Play:
    """Page N of ``rows``; what lies behind them is empty. ``more`` stands in each answer."""

    def play(request: Request) -> Answer:
        number = int(request.query.get("page", 1))
        found = rows[number - 1] if number <= len(rows) else []
        return Answer({"data": [{"id": one} for one in found], **more})

    return play


def watermark_of(conn: psycopg.Connection[Any], route: str) -> str | None:
    """The day (ISO 8601) up to which a route has collected; None before it has."""
    row = conn.execute("SELECT etl.collector_watermark(%s) ->> 'date_to'", (route,)).fetchone()
    assert row is not None
    return row[0] if row[0] is None else str(row[0])


def instance_of(run: Any, task_id: str = "extract") -> SimpleNamespace:
    """A task instance of a run, in its first try."""
    return SimpleNamespace(dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, try_number=1, map_index=-1)
