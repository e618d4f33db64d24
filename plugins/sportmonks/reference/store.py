"""Leagues, seasons and the other lists that fixtures refer to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sportmonks.warehouse.queries import sql

LISTS = ("states", "types", "leagues", "seasons", "stages", "rounds", "teams", "venues")


def store_list(
    conn: psycopg.Connection[Any], name: str, rows: Iterable[Mapping[str, Any]], now: datetime
) -> tuple[int, int]:
    """Insert or update rows of ``football.<name>`` in one transaction: (inserted, updated).

    Rows that did not change are not written. Nested objects of a row are left out. Raises ValueError for a name that is
    not in ``LISTS``.
    """
    if name not in LISTS:
        raise ValueError(f"no list named {name}; known: {', '.join(LISTS)}")
    plain = [{key: value for key, value in row.items() if not isinstance(value, dict | list)} for row in rows]
    if not plain:
        return 0, 0
    with conn.transaction():
        counts = conn.execute(sql(f"reference/{name}"), {"rows": Jsonb(plain), "now": now}).fetchone()
    assert counts is not None
    return counts[0], counts[1]
