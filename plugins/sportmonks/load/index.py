"""Stores a season's index: the fixtures that the season has, and which of them have moved."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import psycopg

from sportmonks.load.payloads import clean
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.rows import store_rows

log = logging.getLogger(__name__)

_FIELDS = (
    "id", "league_id", "season_id", "stage_id", "round_id", "group_id", "aggregate_id", "venue_id", "state_id", "name",
    "starting_at", "result_info", "leg", "details", "length", "placeholder", "has_odds", "has_premium_odds",
)  # fmt: skip


# An index may lack so many known fixtures, or this share of them, and is trusted at once.
FEW_GONE = 5
SHARE_GONE = 0.1


@dataclass(frozen=True, slots=True)
class IndexResult:
    """Numbers of fixtures: in the index, new, moved, no longer in it (``gone``).

    ``suspected``: known ones that it lacks, too many at once to count as gone. ``believed``: whether the season counts
    as read; an index that lacks too many, that lists nothing, or of which rows are left out, is suspected to be an
    accident first. ``skipped``: rows that have no id or cannot be stored; a fixture of such a row is not stored, and
    known ones keep what is stored of them. ``foreign``: rows that name another season or league; they are left out.
    """

    listed: int
    new: int
    moved: int
    gone: int
    suspected: int = 0
    skipped: int = 0
    foreign: int = 0
    believed: bool = True


def store_index(
    conn: psycopg.Connection[Any],
    *,
    league: tuple[int, str],
    season: tuple[int, str],
    pages: Iterable[list[Mapping[str, Any]]],
    now: datetime,
    believed_after: int = 3,
    apart_hours: float = 1.0,
    left_out: Sequence[int] = (),
) -> IndexResult:
    """Write a season's index page by page as it arrives. Only a complete index marks fixtures as gone.

    ``league`` and ``season``: (id, name). ``left_out``: numbers of rows that ``pages`` leaves out, filled while it is
    read; with such rows, or others that cannot be stored, the index is not complete.

    An index that lacks many known fixtures, or that has no row at all, is suspected: now and then the API reports "no
    result" for fixtures that exist. So is one with rows of another season or league (a filter was ignored, or a proxy
    gave the answer to another request), or with rows that cannot be used: nobody knows which fixtures those are. It
    marks none as gone, and its season does not count as read, unless ``believed_after`` suspected ones, at least
    ``apart_hours`` from each other, came before it. Rows of another season are never stored, because the index of that
    season has them.
    """
    names = {"league_id": league[0], "season_id": season[0], "now": now}
    ids: dict[int, None] = {}
    new = moved = skipped = foreign = 0
    for page in pages:
        cleaned = [row for row in map(_listed, page) if not _is_foreign(row, names)]
        rows = [row for row in cleaned if row.get("id") is not None]
        foreign += len(page) - len(cleaned)
        counts, unfit = store_rows(conn, "load/index", rows, names)
        new, moved = new + sum(each[0] for each in counts), moved + sum(each[1] for each in counts)
        # A row may come twice, also on two pages.
        ids |= dict.fromkeys(row["id"] for row in rows)
        if len(rows) < len(cleaned):
            log.warning("Index of season %s: %d rows without an id are left out", season[0], len(cleaned) - len(rows))
        skipped += len(cleaned) - len(rows) + unfit
    skipped += sum(left_out)
    with conn.transaction():
        gone = conn.execute(
            sql("load/index_done"),
            {
                "ids": list(ids),
                "skipped": skipped,
                "foreign": foreign,
                "league_name": league[1],
                "season_name": season[1],
                "few": FEW_GONE,
                "share": SHARE_GONE,
                "believed_after": believed_after,
                "apart_hours": apart_hours,
                **names,
            },
        ).fetchone()
        conn.execute(sql("load/mark_replaced"), names)
    assert gone is not None
    return IndexResult(
        listed=len(ids),
        new=new,
        moved=moved,
        gone=gone[0],
        suspected=gone[1],
        skipped=skipped,
        foreign=foreign,
        believed=not gone[2],
    )


def _is_foreign(row: Mapping[str, Any], names: Mapping[str, Any]) -> bool:
    """Whether a row names another season or league than the one whose index was requested."""
    return any(row.get(field) not in (None, names[field]) for field in ("league_id", "season_id"))


def _listed(row: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of which a row of the index tells something.

    A value that cannot be read tells nothing, nor does null in the place of the kick-off or the state.
    """
    given = {field: row[field] for field in _FIELDS if field in row}
    certain = {field for field, value in given.items() if value is None} - {"starting_at", "state_id"}
    return {field: value for field, value in clean(given).items() if value is not None or field in certain}
