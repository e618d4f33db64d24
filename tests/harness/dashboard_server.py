"""The dashboard on a real HTTP server, with a login of the tests' own in place of Airflow's."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Annotated

import uvicorn
from fastapi import FastAPI, Header, HTTPException

from sportmonks.config.catalog import Thresholds
from sportmonks.config.manifest import Manifest
from sportmonks.dashboard.app import create_app
from sportmonks.dashboard.security import Access
from sportmonks.warehouse.connection import open_connection
from tests.harness.airflow_api import AirflowApi

PREFIX = "/sportmonks-etl"


def stand_in_access(default: str = "") -> Access:
    """Users by name in the Authorization header or cookie: ``admin``, ``viewer``, ``nobody`` (no permission)."""

    def user(authorization: Annotated[str, Header()] = "", cookie: Annotated[str, Header()] = "") -> str:
        name = authorization.removeprefix("Bearer ") or cookie.removeprefix("_token=") or default
        if not name:
            raise HTTPException(401, "Not authenticated")
        if name not in ("admin", "viewer"):
            raise HTTPException(403, "Forbidden")
        return name

    return Access(
        user, lambda name: bool(name == "admin"), str, b"test secret", lambda name, dag_id: bool(name == "admin")
    )


@contextmanager
def serving(
    dsn: str, access: Access, manifest: Callable[[], Manifest] = Manifest, airflow: AirflowApi | None = None
) -> Iterator[str]:
    """Address of the page, mounted as Airflow mounts it, beside ``airflow``."""
    root = FastAPI()
    if airflow is not None:
        root.include_router(airflow.router())
    app = create_app(lambda: open_connection(dsn), access, Thresholds, manifest)
    root.mount(PREFIX, app)
    config = uvicorn.Config(root, host="127.0.0.1", port=0, log_level="warning", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}{PREFIX}"
    finally:
        server.should_exit = True
        thread.join(10)
        app.state.pool.close()
