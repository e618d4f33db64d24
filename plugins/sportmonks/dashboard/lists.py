"""What the page lists: runs, seasons, routes, logs, figures, budgets, alerts and corrections."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi import Path as InPath

from sportmonks.config.catalog import Thresholds
from sportmonks.dashboard import actions, queries
from sportmonks.dashboard import runs as every_run
from sportmonks.dashboard.coverage import Only, matching
from sportmonks.dashboard.parameters import AirflowId, Id, Kind, Level, Name, Status, Text
from sportmonks.dashboard.pool import WarehousePool


def router(pool: WarehousePool, thresholds: Callable[[], Thresholds], manifest: actions.ReadManifest) -> APIRouter:
    """The routes of this module."""
    api = APIRouter()

    @api.get("/api/overview")
    def overview() -> dict[str, Any]:
        with pool.reading() as conn:
            return {
                "health": queries.health(conn),
                "running": every_run.runs(conn, status="RUNNING", limit=50)["rows"],
                "recent": every_run.runs(conn, limit=8)["rows"],
                "alerts": queries.alerts(conn, limit=10),
                "budgets": queries.budgets(conn),
            }

    @api.get("/api/executions")
    def executions(
        kind: Kind | None = None,
        status: Status | None = None,
        dag_id: AirflowId = None,
        run_id: AirflowId = None,
        before: Annotated[str | None, Query(pattern=r"^\d{4}-\d\d-\d\dT[\d:.+]{8,24}~[\w.-]{1,100}$")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 25,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return every_run.runs(
                conn, kind=kind, status=status, dag_id=dag_id, run_id=run_id, before=before, limit=limit
            )

    @api.get("/api/executions/{execution_id}")
    def execution(execution_id: str) -> dict[str, Any]:
        with pool.reading() as conn:
            found = _found(every_run.run(conn, execution_id.replace("\x00", "")), "execution")
        return actions.with_tasks(found, manifest)

    @api.get("/api/coverage")
    def coverage(league: Text = None, only: Only | None = None) -> dict[str, Any]:
        with pool.reading() as conn:
            found = queries.coverage(conn, stale_hours=thresholds().stale_hours)
        return {"rows": matching(found, league=league, only=only)}

    @api.get("/api/routes")
    def routes() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"rows": queries.routes(conn, stale_route_intervals=thresholds().stale_route_intervals)}

    @api.get("/api/chunks/{league_id}/{season_id}")
    def chunk(
        league_id: Annotated[int, InPath(lt=2**63)],
        season_id: Annotated[int, InPath(lt=2**63)],
        fixtures: Annotated[int, Query(ge=1, le=2_000)] = 50,
        runs: Annotated[int, Query(ge=1, le=500)] = 20,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            found = queries.chunk(conn, league_id, season_id, fixtures=fixtures, runs=runs)
        return _found(found, "league and season")

    @api.get("/api/logs")
    def logs(
        level: Level | None = None,
        component: Text = None,
        execution_id: Text = None,
        chunk_id: Text = None,
        fixture_id: Id = None,
        text: Text = None,
        before: Id = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return queries.logs(
                conn,
                level=level,
                component=component,
                execution_id=execution_id,
                chunk_id=chunk_id,
                fixture_id=fixture_id,
                text=text,
                before=before,
                limit=limit,
            )

    @api.get("/api/filters")
    def filters() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"components": queries.log_components(conn), "metrics": queries.metric_names(conn)}

    @api.get("/api/metrics")
    def metrics(
        hours: Annotated[float, Query(gt=0, le=24 * 92)] = 24,
        name: Annotated[list[Name] | None, Query(max_length=5)] = None,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return queries.charts(conn, hours=hours, names=name or ())

    @api.get("/api/budgets")
    def budgets() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"rows": queries.budgets(conn)}

    @api.get("/api/alerts")
    def alerts(
        state: Literal["live", "resolved", "all"] = "live",
        before: Id = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return queries.alerts(conn, state=state, before=before, limit=limit)

    @api.get("/api/changes")
    def changes(
        league_id: Id = None,
        season_id: Id = None,
        fixture_id: Id = None,
        execution_id: Text = None,
        before: Id = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return queries.changes(
                conn,
                league_id=league_id,
                season_id=season_id,
                fixture_id=fixture_id,
                execution_id=execution_id,
                before=before,
                limit=limit,
            )

    return api


def _found(answer: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if answer is None:
        raise HTTPException(404, f"There is no such {what}; it may be older than the retention.")
    return answer
