"""Leagues that the provider lists no longer: whether that is an accident or stays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sportmonks.config.catalog import GuardSettings
from sportmonks.errors import TransientApiError
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    import psycopg

    from sportmonks.config.manifest import Manifest

COLLECTOR = "leagues"


def suspected_to_vanish(
    conn: psycopg.Connection[Any],
    previous: Manifest | None,
    offered: Iterable[Mapping[str, Any]],
    now: datetime,
    guard: GuardSettings,
) -> tuple[int, ...]:
    """Ids of leagues of the ``previous`` manifest that are not ``offered`` and are to stay in it for now.

    A league has vanished when it was missing in more than ``guard.rereads`` lists, an hour apart at least. Raises
    TransientApiError when nothing at all is offered although leagues are known.
    """
    listed = {int(row["id"]) for row in offered}
    known = [league.id for league in previous.leagues] if previous else []
    if known and not listed:
        raise TransientApiError("The API lists no league, although leagues are known; the manifest stays as it is.")
    keep = []
    for league_id in known:
        period = {"name": COLLECTOR, "period": f"league:{league_id}"}
        if league_id in listed:
            conn.execute(sql("collector/not_empty"), period)
            continue
        (answers,) = conn.execute(sql("collector/empty_answer"), {**period, "now": now}).fetchone() or (1,)
        if answers <= guard.rereads:
            keep.append(league_id)
    return tuple(keep)
