"""Downloads of what the page lists, as JSON or CSV."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import Response

from sportmonks.config.catalog import Thresholds
from sportmonks.dashboard import export
from sportmonks.dashboard.coverage import Only
from sportmonks.dashboard.parameters import Id, Kind, Level, Status, Text
from sportmonks.dashboard.pool import WarehousePool


def router(pool: WarehousePool, thresholds: Callable[[], Thresholds]) -> APIRouter:
    """The routes of this module."""
    api = APIRouter()

    @api.get("/api/export/{what}.{form}")
    def download(
        what: Literal["all", "executions", "coverage", "logs", "metrics", "alerts", "changes", "budgets", "routes"],
        form: Literal["json", "csv"],
        level: Level | None = None,
        component: Text = None,
        execution_id: Text = None,
        chunk_id: Text = None,
        league: Text = None,
        only: Only | None = None,
        league_id: Id = None,
        season_id: Id = None,
        fixture_id: Id = None,
        text: Text = None,
        kind: Kind | None = None,
        status: Status | None = None,
        state: Literal["live", "resolved", "all"] | None = None,
        hours: Annotated[float | None, Query(gt=0, le=24 * 92)] = None,
    ) -> Response:
        if what == "all" and form == "csv":
            raise HTTPException(400, "A CSV file holds one table: choose one, or JSON for everything.")
        chosen = {
            "level": level,
            "component": component,
            "execution_id": execution_id,
            "chunk_id": chunk_id,
            "league": league,
            "only": only,
            "league_id": league_id,
            "season_id": season_id,
            "fixture_id": fixture_id,
            "text": text,
            "kind": kind,
            "status": status,
            "state": state,
            "hours": hours,
            "stale_hours": thresholds().stale_hours,
            "stale_route_intervals": thresholds().stale_route_intervals,
        }
        with pool.reading() as conn:
            found: Any = export.everything(conn, chosen) if what == "all" else export.table(conn, what, chosen)
        body = export.as_csv(found) if form == "csv" else json.dumps(found, ensure_ascii=False)
        media = "text/csv; charset=utf-8" if form == "csv" else "application/json"
        headers = {"Content-Disposition": f'attachment; filename="sportmonks_etl_{what}.{form}"'}
        return Response(body, media_type=media, headers=headers)

    return api
