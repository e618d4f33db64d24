"""An API that repeats the key in errors, headers and next links: no table, no log line and no plan holds it."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from datetime import date
from typing import Any
from urllib.parse import quote

import psycopg
import pytest

from sportmonks.errors import SportmonksError
from sportmonks.routes.access import RouteAccess
from sportmonks.routes.extract import RouteRequest, make_plan, run_route
from sportmonks.routes.parse import parse_route
from sportmonks.routes.source import RestSource
from sportmonks.routes.spec import Route
from sportmonks.warehouse.connection import open_connection
from tests.harness.api_server import Handler, Seen, Server, http, serving
from tests.harness.canary import KEY, found_in, rows_with

TODAY = date(2026, 1, 1)
ROUTE = """
client: shop
route: orders
connection: shop_api
path: /orders
auth: X-Api-Key
retry_max: 0
"""
STYLES = {
    "next link": "paging: {style: next, next: links.next}",
    "Link header": "paging: {style: next, next: header.link}",
    "cursor that is a link": "paging: {style: cursor, next: links.next, parameter: at}",
}
FILE = parse_route(f"{ROUTE}paging: none")
Serve = Callable[[Handler], Server]


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:
        yield lambda handler: stack.enter_context(serving(handler))


def run(route: Route, url: str, dsn: str, password: str = KEY) -> dict[str, Any]:
    source = RestSource(route, RouteAccess(url, password=password), sleep=lambda _: None)
    plan = make_plan(route, RouteRequest(), [{}], None, TODAY)
    try:
        return run_route(route, source, lambda: open_connection(dsn), plan, execution_id="etl_1", today=TODAY)
    finally:
        source.close()


def pages(key: str, stop_at: int = 0) -> Handler:
    """Three pages; the links hold the key twice, and ``stop_at`` is a page that fails once, repeating the key."""
    failed: list[int] = []

    def handler(seen: Seen, sock: Any) -> None:
        page = int(seen.query.get("at", 1))
        if page == stop_at and not failed:
            failed.append(page)
            sock.sendall(http(json.dumps({"message": f"No more for {key}", "key": key}), 418, {"X-Token": key}))
            return
        link = f"http://me:{key}@127.0.0.1/v3/orders?api_key={quote(key)}&at={page + 1}&t={key}" if page < 3 else None
        body = {"data": [{"id": page, "name": "plain"}], "links": {"next": link}, "token": key}
        headers = {"Link": f'<{link}>; rel="next"'} if link else {}
        sock.sendall(http(json.dumps(body), 200, headers))

    return handler


@pytest.mark.parametrize("style", STYLES)
def test_page_states_hold_no_key(
    serve: Serve, warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture, style: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server = serve(pages(KEY, stop_at=3))
    route = parse_route(ROUTE + STYLES[style])
    dsn = warehouse.info.dsn + f" password={warehouse.info.password}"
    with suppress(SportmonksError):
        run(route, server.url, dsn)
    states = warehouse.execute("SELECT status, page_state FROM etl.route_progress").fetchall()
    assert states[0][0] == "FAILED"
    assert "at=3" in json.dumps(states[0][1]) or '"3"' in json.dumps(states[0][1])
    assert rows_with(warehouse) == []
    # The next try resumes at that page, with the key in its header and in no address.
    assert run(route, server.url, dsn)["records"] == 3
    assert rows_with(warehouse) == []
    assert not found_in(caplog.text)
    assert [seen.query.get("at") for seen in server.seen] == [None, "2", "3", "3"]
    for seen in server.seen:
        assert not found_in(json.dumps(seen.query))
        assert seen.headers["x-api-key"] == KEY


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 503])
def test_errors_hold_no_key(
    serve: Serve, warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture, status: int
) -> None:
    body = json.dumps({"message": f"{'x ' * 95}{KEY}", "detail": KEY})
    server = serve(lambda _, sock: sock.sendall(http(body, status, {"Location": f"/?key={KEY}", "Retry-After": "0"})))
    with pytest.raises(SportmonksError) as caught:
        run(FILE, server.url, warehouse.info.dsn + f" password={warehouse.info.password}")
    assert not found_in(f"{caught.value} {caught.value.hint} {caplog.text}")
    assert rows_with(warehouse) == []
