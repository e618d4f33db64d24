"""One fixture in full, and the list of a season's fixtures: the page's queries and their addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, HTTPException, Query
from fastapi import Path as InPath

from sportmonks.dashboard.pool import WarehousePool
from sportmonks.dashboard.queries import Conn, Row, changes, rows

Id = Annotated[int, InPath(ge=0, lt=2**63)]
Limit = Annotated[int, Query(ge=1, le=2_000)]
# Sections with a table of their own; the others are in the payload alone.
Section = Literal["participants", "scores", "events", "lineups", "statistics", "player_statistics", "periods"]
SECTIONS: tuple[str, ...] = get_args(Section)


def fixture(conn: Conn, fixture_id: int, *, reads: int = 50, corrections: int = 50) -> Row | None:
    """One fixture: its result, what each section holds, its newest ``reads`` with their reasons and its newest
    ``corrections``; None when there is no such fixture."""
    found = rows(conn, "dashboard/fixture", fixture_id=fixture_id)
    if not found:
        return None
    return {
        **found[0],
        "sections": rows(conn, "dashboard/fixture_sections", fixture_id=fixture_id),
        "reads": rows(conn, "dashboard/fixture_reads", fixture_id=fixture_id, limit=reads),
        "changes": changes(conn, fixture_id=fixture_id, limit=corrections),
    }


def section(conn: Conn, fixture_id: int, name: str) -> list[Row]:
    """The rows of one of SECTIONS, with names in place of ids where they are known."""
    if name not in SECTIONS:
        raise ValueError(f"no section {name!r}; known: {', '.join(SECTIONS)}")
    return rows(conn, f"dashboard/fixture_{name}", fixture_id=fixture_id)


def season_fixtures(
    conn: Conn, league_id: int, season_id: int, *, limit: int = 50, now: datetime | None = None
) -> list[Row]:
    """The first ``limit`` fixtures of a season in the order of their kick-off; ``total`` is in each row."""
    at = now or datetime.now(UTC)
    return rows(conn, "dashboard/season_fixtures", league_id=league_id, season_id=season_id, limit=limit, now=at)


def router(pool: WarehousePool) -> APIRouter:
    """The routes of this module."""
    api = APIRouter()

    @api.get("/api/fixtures/{fixture_id}")
    def one_fixture(fixture_id: Id, reads: Limit = 50, corrections: Limit = 50) -> Any:
        with pool.reading() as conn:
            found = fixture(conn, fixture_id, reads=reads, corrections=corrections)
        if found is None:
            raise HTTPException(404, f"There is no fixture {fixture_id} in this warehouse.")
        return found

    @api.get("/api/fixtures/{fixture_id}/sections/{name}")
    def rows_of_section(fixture_id: Id, name: Section) -> Any:
        with pool.reading() as conn:
            return {"rows": section(conn, fixture_id, name)}

    @api.get("/api/fixtures/{fixture_id}/payload")
    def payload(fixture_id: Id) -> Any:
        with pool.reading() as conn:
            found = rows(conn, "dashboard/fixture_payload", fixture_id=fixture_id)
        if not found:
            raise HTTPException(404, f"No payload of fixture {fixture_id} is stored; it was never read.")
        return found[0]

    @api.get("/api/chunks/{league_id}/{season_id}/fixtures")
    def fixtures_of_season(league_id: Id, season_id: Id, limit: Limit = 50) -> Any:
        with pool.reading() as conn:
            return {"rows": season_fixtures(conn, league_id, season_id, limit=limit)}

    return api
