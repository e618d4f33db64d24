"""The page over a seeded warehouse on a real HTTP server, with a login of the tests' own in place of Airflow's."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Any

import psycopg
import pytest
import requests
import uvicorn
from fastapi import FastAPI, Header, HTTPException

from sportmonks.dashboard.app import create_app
from sportmonks.dashboard.security import Access
from sportmonks.warehouse.connection import open_connection
from tests.dashboard.seed import seed

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

    return Access(user, lambda name: bool(name == "admin"), str, b"test secret")


@contextmanager
def serving(dsn: str, access: Access) -> Iterator[str]:
    """Address of the page, mounted as Airflow mounts it."""
    root = FastAPI()
    app = create_app(lambda: open_connection(dsn), access)
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
        app.state.store.close()


@pytest.fixture
def seeded(warehouse: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    seed(warehouse, now=datetime.now(UTC))
    return warehouse


@pytest.fixture
def address(warehouse_dsn: str) -> Iterator[str]:
    with serving(warehouse_dsn, stand_in_access()) as found:
        yield found


class Client:
    """Logged in by cookie, as a browser is, or as somebody else."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, *, user: str = "admin", expect: int = 200, **params: Any) -> Any:
        headers = {"Cookie": f"_token={user}"} if user else {}
        answer = requests.get(f"{self.address}/{path}", params=params, headers=headers, timeout=10)
        assert answer.status_code == expect, (path, answer.status_code, answer.text[:300])
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer

    def post(self, path: str, **headers: str) -> requests.Response:
        return requests.post(f"{self.address}/{path}", headers=headers, timeout=10)


@pytest.fixture
def client(address: str) -> Client:
    return Client(address)
