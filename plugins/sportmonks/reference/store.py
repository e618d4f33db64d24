"""Leagues, seasons and the other lists that fixtures refer to."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import psycopg

from sportmonks.coerce import as_int, clean_text, clean_value
from sportmonks.warehouse.rows import store_rows

log = logging.getLogger(__name__)

LISTS = ("states", "types", "leagues", "seasons", "stages", "rounds", "teams", "venues")


def store_list(
    conn: psycopg.Connection[Any], name: str, rows: Iterable[Mapping[str, Any]], now: datetime
) -> tuple[int, int]:
    """Insert or update rows of ``football.<name>`` in one transaction: (inserted, updated).

    Rows that did not change are not written. Nested objects of a row are left out. A row that cannot be stored is
    left out with a warning. Raises ValueError for a name that is not in ``LISTS``.
    """
    if name not in LISTS:
        raise ValueError(f"no list named {name}; known: {', '.join(LISTS)}")
    plain = [
        {clean_text(key): clean_value(value) for key, value in row.items() if not isinstance(value, dict | list)}
        for row in rows
    ]
    without_id = sum(as_int(row.get("id")) is None for row in plain)
    if without_id:
        log.warning("%s: %d rows without an id are left out", name, without_id)
    counts, _ = store_rows(conn, f"reference/{name}", plain, {"now": now})
    return sum(each[0] for each in counts), sum(each[1] for each in counts)
