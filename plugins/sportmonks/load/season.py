"""Compares the played matches of a season with each other, once its batches are stored.

A batch is compared with what is stored before it. So that what is believed does not depend on the order of batches, the
end of a chunk compares all of its season anew: a match that came first, without what the others turned out to have, is
suspected then.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from sportmonks.load.batch import LoadContext, check_lease
from sportmonks.load.suspicion import Detail, unlike_others
from sportmonks.planning.states import PLAYED
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)


def suspect_unlike(
    conn: psycopg.Connection[Any], context: LoadContext, anew: Mapping[int, frozenset[str]] | None = None
) -> int:
    """Mark the played matches of the chunk whose first payload lacks what most others have; how many were marked.

    They are read again soon, like those that are suspected when they are stored. A match that was read since it was
    first stored as a played one is not marked: what it lacks has been confirmed. ``anew``: sections that were
    requested for the first time, by fixture id; of these matches they alone are compared. Raises LostLeaseError when
    another task has the chunk.
    """
    with conn.transaction():
        check_lease(conn, context)
        params = {**context.sql_params(), "played": sorted(PLAYED)}
        rows = conn.execute(sql("load/season_matches"), params).fetchall()
        details = {row[0]: Detail(frozenset(row[1]), frozenset(row[2]), row[3]) for row in rows}
        played = Counter(Detail(detail.requested, detail.filled, None) for detail in details.values())
        lacking = {row[0]: unlike_others(details[row[0]], played) for row in rows if row[4]}
        for row in rows:
            if row[5] and not row[4] and (sections := (anew or {}).get(row[0])):
                lacking[row[0]] = tuple(name for name in unlike_others(details[row[0]], played) if name in sections)
        found = [{"fixture_id": key, "sections": ", ".join(names)} for key, names in lacking.items() if names]
        if found:
            marks = {"rows": Jsonb(found), "now": context.clock(), "hours": context.guard.hours}
            conn.execute(sql("load/suspect"), marks)
    if found:
        names = sorted({name for names in lacking.values() for name in names})
        some = ", ".join(str(row["fixture_id"]) for row in found[:5])
        log.warning(
            "%d matches lack %s, which others of their season have, and are read again soon: %s",
            len(found),
            ", ".join(names),
            some,
        )
    return len(found)
