"""The FastAPI app behind the page. Built in the api-server only; see sportmonks_plugin.py.

No postponed annotations here: FastAPI must see the dependency that each app brings.
"""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

import psycopg
from fastapi import Depends, FastAPI, HTTPException, Query, Request
from fastapi import Path as InPath
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from sportmonks.config.catalog import Thresholds
from sportmonks.config.manifest import Manifest
from sportmonks.config.settings import API_CONN_ID
from sportmonks.dashboard import actions, export, queries, runs
from sportmonks.dashboard.fixtures import add_fixtures
from sportmonks.dashboard.pool import ANSWER_TIMEOUT_S, WarehousePool, error_response
from sportmonks.dashboard.security import (
    HEADERS,
    Access,
    Csrf,
    SecurityHeaders,
    airflow_access,
    check_origin_of_change,
)
from sportmonks.errors import ConfigurationError, SportmonksError
from sportmonks.redaction import add_secret, mask_text

log = logging.getLogger(__name__)

STATIC = Path(__file__).parent / "static"
TYPES = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}
# The files that exist now, by name: a path can only be one of them.
FILES = {path.relative_to(STATIC).as_posix(): path for path in STATIC.rglob("*") if path.suffix in TYPES}

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]
Status = Literal["RUNNING", "COMPLETED", "FAILED", "CANCELLED"]
Kind = Literal["league", "catalog", "route", "collector"]
Id = Annotated[int | None, Query(ge=0, lt=2**63)]
Name = Annotated[str, Query(max_length=200, pattern=r"^[^\x00]*$")]
Text = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00]*$")]
AirflowId = Annotated[str | None, Query(max_length=250, pattern=r"^[^\x00]*$")]


def create_app(
    connect: Callable[[], psycopg.Connection[Any]],
    access: Access,
    thresholds: Callable[[], Thresholds] = Thresholds,
    manifest: Callable[[], Manifest] = Manifest,
) -> FastAPI:
    """``connect`` opens a connection to the warehouse; every route first asks ``access`` for the user; ``thresholds``
    gives the limits of the alerts, which the page's marks follow; ``manifest`` the followed leagues with their DAGs."""
    pool = WarehousePool(connect)
    csrf = Csrf(access.secret)
    User = Annotated[Any, Depends(access.user)]

    app = FastAPI(
        title="Sportmonks ETL",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(access.user)],
    )
    # Not closed by a lifespan, because a mounted app has none; whoever builds the app closes the pool.
    app.state.pool = pool
    app.add_middleware(SecurityHeaders)

    @app.exception_handler(psycopg.Error)
    @app.exception_handler(SportmonksError)
    async def database_trouble(_: Request, error: Exception) -> JSONResponse:
        log.error("The page could not read the warehouse: %s", mask_text(str(error)).splitlines()[0])
        return JSONResponse(*error_response(error))

    @app.exception_handler(Exception)
    async def our_fault(_: Request, __: Exception) -> JSONResponse:
        # This response does not pass the middleware, so it sets the headers itself.
        found = {"detail": "Something went wrong on the server.", "hint": "The log of the api-server has the reason."}
        return JSONResponse(found, 500, headers=HEADERS)

    @app.exception_handler(401)
    async def not_signed_in(request: Request, error: HTTPException) -> Response:
        """Somebody who opens the page is sent to Airflow's login, and from there back to it."""
        page = request.scope["root_path"] + "/"
        if request.url.path == page and "text/html" in request.headers.get("accept", ""):
            back = page + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"../api/v2/auth/login?{urlencode({'next': back})}")
        return await http_exception_handler(request, error)

    @app.get("/", include_in_schema=False)
    def index() -> FileResponse:
        return FileResponse(STATIC / "index.html", media_type="text/html")

    @app.get("/static/{name:path}", include_in_schema=False)
    def static(name: str) -> FileResponse:
        path = FILES.get(name)
        if path is None:
            raise HTTPException(404, "No such file.")
        headers = {"Cache-Control": "private, max-age=300"}
        return FileResponse(path, media_type=TYPES[path.suffix], headers=headers)

    @app.get("/api/session")
    def session(user: User) -> dict[str, Any]:
        name = access.name(user)
        return {"user": name, "may_acknowledge": access.may_write(user), "csrf": csrf.issue(name)}

    @app.get("/api/overview")
    def overview() -> dict[str, Any]:
        with pool.reading() as conn:
            return {
                "health": queries.health(conn),
                "running": runs.runs(conn, status="RUNNING", limit=50)["rows"],
                "recent": runs.runs(conn, limit=8)["rows"],
                "alerts": queries.alerts(conn, limit=10),
                "budgets": queries.budgets(conn),
            }

    @app.get("/api/executions")
    def executions(
        kind: Kind | None = None,
        status: Status | None = None,
        dag_id: AirflowId = None,
        run_id: AirflowId = None,
        before: Annotated[str | None, Query(pattern=r"^\d{4}-\d\d-\d\dT[\d:.+]{8,24}~[\w.-]{1,100}$")] = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 25,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return runs.runs(conn, kind=kind, status=status, dag_id=dag_id, run_id=run_id, before=before, limit=limit)

    @app.get("/api/executions/{execution_id}")
    def execution(execution_id: str) -> dict[str, Any]:
        with pool.reading() as conn:
            found = _found(runs.run(conn, execution_id.replace("\x00", "")), "execution")
        return actions.with_tasks(found, manifest)

    @app.get("/api/coverage")
    def coverage() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"rows": queries.coverage(conn, stale_hours=thresholds().stale_hours)}

    @app.get("/api/routes")
    def routes() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"rows": queries.routes(conn, stale_route_intervals=thresholds().stale_route_intervals)}

    @app.get("/api/chunks/{league_id}/{season_id}")
    def chunk(
        league_id: Annotated[int, InPath(lt=2**63)],
        season_id: Annotated[int, InPath(lt=2**63)],
        fixtures: Annotated[int, Query(ge=1, le=2_000)] = 50,
        runs: Annotated[int, Query(ge=1, le=500)] = 20,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            found = queries.chunk(conn, league_id, season_id, fixtures=fixtures, runs=runs)
        return _found(found, "league and season")

    @app.get("/api/logs")
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

    @app.get("/api/filters")
    def filters() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"components": queries.log_components(conn), "metrics": queries.metric_names(conn)}

    @app.get("/api/metrics")
    def metrics(
        hours: Annotated[float, Query(gt=0, le=24 * 92)] = 24,
        name: Annotated[list[Name] | None, Query(max_length=5)] = None,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return queries.charts(conn, hours=hours, names=name or ())

    @app.get("/api/budgets")
    def budgets() -> dict[str, Any]:
        with pool.reading() as conn:
            return {"rows": queries.budgets(conn)}

    @app.get("/api/alerts")
    def alerts(
        state: Literal["live", "resolved", "all"] = "live",
        before: Id = None,
        limit: Annotated[int, Query(ge=1, le=500)] = 50,
    ) -> dict[str, Any]:
        with pool.reading() as conn:
            return queries.alerts(conn, state=state, before=before, limit=limit)

    @app.post("/api/alerts/{alert_id}/acknowledge")
    def acknowledge(alert_id: Annotated[int, InPath(ge=0, lt=2**63)], request: Request, user: User) -> dict[str, Any]:
        name = access.name(user)
        check_origin_of_change(request, csrf, name)
        if not access.may_write(user):
            raise HTTPException(403, "Your Airflow role may not edit the DAG etl_watch, so it may not acknowledge.")
        with pool.writing() as conn:
            status = queries.acknowledge(conn, alert_id, name)
        if status is None:
            raise HTTPException(404, "There is no such alert.")
        return {"alert_id": alert_id, "status": status}

    @app.get("/api/changes")
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

    add_fixtures(app, pool)

    @app.get("/api/export/{what}.{form}")
    def download(
        what: Literal["all", "executions", "coverage", "logs", "metrics", "alerts", "changes", "budgets", "routes"],
        form: Literal["json", "csv"],
        level: Level | None = None,
        component: Text = None,
        execution_id: Text = None,
        chunk_id: Text = None,
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

    app.include_router(actions.router(access, pool, manifest))
    return app


def _found(answer: dict[str, Any] | None, what: str) -> dict[str, Any]:
    if answer is None:
        raise HTTPException(404, f"There is no such {what}; it may be older than the retention.")
    return answer


def airflow_warehouse() -> psycopg.Connection[Any]:
    """A connection to the warehouse behind the Airflow connection. Also registers the API key for masking by value."""
    from sportmonks.airflow_compat import find_connection
    from sportmonks.warehouse.connection import connect

    try:
        api = find_connection(API_CONN_ID)
        add_secret(api.password if api else None)
    except ConfigurationError as error:
        log.debug("There is no key to hide: %s", error)
    return connect(answer_timeout=ANSWER_TIMEOUT_S)


def airflow_app() -> FastAPI:
    """The app as Airflow's api-server mounts it."""
    from sportmonks.alerts.dispatch import current_thresholds

    return create_app(airflow_warehouse, airflow_access(), current_thresholds, actions.airflow_manifest)
