"""A route over the scripted REST API, and variants of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psycopg

from sportmonks.routes.parse import parse_route
from sportmonks.routes.spec import Route

BASE = """
client: shop
route: orders
connection: shop_api
path: /api/page
paging: {style: page, size_parameter: size, size: 100, more: pagination.has_more}
"""


def make_route(changes: str = "", base: str = BASE) -> Route:
    """The base route with keys replaced or added."""
    replaced = {line.split(":")[0] for line in changes.splitlines() if line and not line.startswith(" ")}
    kept = [line for line in base.splitlines() if line.split(":")[0] not in replaced]
    return parse_route("\n".join([*kept, changes]))


def watermark_of(conn: psycopg.Connection[Any], route: str) -> str | None:
    """The day (ISO 8601) up to which a route has collected; None before it has."""
    row = conn.execute("SELECT etl.collector_watermark(%s) ->> 'date_to'", (route,)).fetchone()
    assert row is not None
    return row[0] if row[0] is None else str(row[0])


def instance_of(run: Any, task_id: str = "extract") -> SimpleNamespace:
    """A task instance of a run, in its first try."""
    return SimpleNamespace(dag_id=run.dag_id, run_id=run.run_id, task_id=task_id, try_number=1, map_index=-1)
