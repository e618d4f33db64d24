"""What a run is planned from: the items of ``for_each`` and the day up to which its route has collected."""

from __future__ import annotations

import itertools
import json
from datetime import date
from typing import Any

import psycopg
from psycopg.sql import Identifier

from sportmonks.errors import ConfigurationError
from sportmonks.routes.spec import ForEach, Route, json_path_text
from sportmonks.warehouse.queries import sql


def read_items(conn: psycopg.Connection[Any], route: Route) -> list[dict[str, Any]]:
    """The items of ``for_each``, one dict of placeholders each; one empty dict for routes without it."""
    if route.for_each is None:
        return [{}]
    each = route.for_each
    if each.values:
        names = [name for name, _ in each.values]
        combined = itertools.product(*(values for _, values in each.values))
        return [dict(zip(names, values, strict=True)) for values in combined]
    if each.table:
        return _items_of_table(conn, route, each)
    cursor = conn.execute(sql(f"routes/for_each/{each.name}"))
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def _items_of_table(conn: psycopg.Connection[Any], route: Route, each: ForEach) -> list[dict[str, Any]]:
    """The values that a route has one listing for each of, from the newest records of another route's table."""
    has_key = conn.execute(sql("routes/exists"), {"name": f"raw.{each.table}_latest"}).fetchone()
    name = f"{each.table}_latest" if has_key and has_key[0] else each.table
    query = sql("routes/items").with_identifiers(table=Identifier("raw", name))
    wanted = json.dumps([{"name": placeholder, "path": json_path_text(path)} for placeholder, path in each.take])
    try:
        return [row[0] for row in conn.execute(query, {"wanted": wanted}).fetchall()]
    except psycopg.errors.UndefinedTable:
        raise ConfigurationError(
            f"{route.name}: for_each reads raw.{each.table}, which does not exist.",
            hint="Check the client and route that it names, and run that route first.",
        ) from None


def kept_items(conn: psycopg.Connection[Any], route: Route, execution_id: str | None) -> list[dict[str, Any]] | None:
    """The items that an unfinished try of the same execution began with: its listings are gone on with although the
    table or query has grown since. None where there are none."""
    if route.for_each is None or route.for_each.values or execution_id is None:
        return None
    row = conn.execute(sql("routes/kept_items"), {"route": route.name, "execution": execution_id}).fetchone()
    return row[0] if row else None


def read_watermark(conn: psycopg.Connection[Any], route: Route) -> date | None:
    """The last day that was collected without a gap; None before the first run."""
    row = conn.execute(sql("routes/watermark"), {"route": route.name}).fetchone()
    return row[0] if row else None
