"""Rows of a list into a table by one statement; a row that the statement refuses does not stop the others."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import ROW_ERRORS

log = logging.getLogger(__name__)


def store_rows(
    conn: psycopg.Connection[Any], query: str, rows: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]
) -> tuple[list[tuple[Any, ...]], int]:
    """Run the statement ``query`` over ``rows`` (its parameter of that name): its result rows, and how many rows are
    left out because it refuses them.

    All rows are one statement in one transaction. Only when it refuses a value are they halved until the bad row is
    alone.
    """
    if not rows:
        return [], 0
    try:
        with conn.transaction():
            found = conn.execute(sql(query), {"rows": Jsonb(list(rows)), **parameters}).fetchone()
        return [] if found is None else [found], 0
    except ROW_ERRORS as error:
        if len(rows) == 1:
            reason = str(error).splitlines()[0]
            log.warning("%s: the row with id %s cannot be stored and is left out: %s", query, rows[0].get("id"), reason)
            return [], 1
    half = len(rows) // 2
    parts = [store_rows(conn, query, part, parameters) for part in (rows[:half], rows[half:])]
    return [row for found, _ in parts for row in found], sum(unfit for _, unfit in parts)
