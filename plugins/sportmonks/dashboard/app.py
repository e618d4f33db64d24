"""The FastAPI app behind the page. Built in the api-server only; see sportmonks_plugin.py.

No postponed annotations here: FastAPI must see the dependency that each app brings.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlencode

import psycopg
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi import Path as InPath
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import FileResponse, JSONResponse, RedirectResponse, Response

from sportmonks.config.catalog import Thresholds
from sportmonks.config.manifest import Manifest
from sportmonks.config.settings import API_CONN_ID
from sportmonks.dashboard import actions, downloads, fixtures, lists, queries
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

    app.include_router(lists.router(pool, thresholds, manifest))
    app.include_router(fixtures.router(pool))
    app.include_router(downloads.router(pool, thresholds))
    app.include_router(actions.router(access, pool, manifest))
    return app


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
