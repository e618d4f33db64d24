"""A scripted API, a route over it, and a way to run the route without Airflow."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.api.budget import Budget
from sportmonks.routes.access import RouteAccess
from sportmonks.routes.extract import RoutePlan, RouteRequest, make_plan, plan_run, run_route
from sportmonks.routes.source import RestSource
from sportmonks.routes.spec import Route
from sportmonks.routes.store import ResumePoint
from sportmonks.routes.stream import read_pages
from sportmonks.routes.summary import end_text
from sportmonks.warehouse.connection import open_connection
from tests.harness.rest_server import RestServer
from tests.harness.shape_server import Play, ShapeServer, playing

TODAY = date(2025, 12, 31)
# Keys of a route for each style of paging that the scripted API has.
STYLES = {
    "page": "path: /api/page\npaging: {style: page, size_parameter: size, size: 100, more: pagination.has_more}",
    "page, by total": "path: /api/page\npaging: {style: page, total: total}",
    "page, by the short page": "path: /api/page\npaging: {style: page, size_parameter: size, size: 100}",
    "offset": "path: /api/offset\npaging: {style: offset, size_parameter: limit, size: 100, total: total}",
    "offset, by the short page": "path: /api/offset\npaging: {style: offset, size_parameter: limit, size: 5000}",
    "cursor": "path: /api/cursor\nrecords: result.items\npaging: {style: cursor, next: meta.next}",
    "next": "path: /api/next\npaging: {style: next, next: links.next}",
    "link header": "path: /api/link\nrecords: .\npaging: {style: next, next: header.link}",
    "none": "path: /api/plain\nrecords: .\npaging: none",
}


@pytest.fixture
def server() -> Iterator[RestServer]:
    with RestServer(total=1_000, size=100) as running:
        yield running


Conn = psycopg.Connection[Any]
Run = Callable[..., dict[str, Any]]


@pytest.fixture
def run(server: RestServer, warehouse_dsn: str) -> Run:
    """``run(route, date_from=..., date_to=...)`` -> summary; waits between retries are skipped."""

    def go(
        route: Route, *, execution_id: str | None = "etl_1", sleeps: list[float] | None = None, **params: Any
    ) -> Any:
        days = {name: date.fromisoformat(value) for name, value in params.items() if name.startswith("date_")}
        force = bool(params.get("force"))

        def connect() -> psycopg.Connection[Any]:
            return open_connection(warehouse_dsn)

        def sleep(seconds: float) -> None:
            if sleeps is not None:
                sleeps.append(seconds)

        plan: RoutePlan = plan_run(connect, route, RouteRequest(**days), params.get("today", TODAY))
        source = RestSource(route, RouteAccess(server.url, password="S3cr3tKey"), sleep=sleep)
        try:
            return run_route(
                route,
                source,
                connect,
                plan,
                execution_id=execution_id,
                force=force,
                today=params.get("today", TODAY),
            )
        finally:
            source.close()

    return go


Collect = Callable[..., dict[str, Any]]
Server = Callable[[Play], ShapeServer]


@pytest.fixture
def play() -> Iterator[Server]:
    """``play(function)`` -> a running server whose requests the function answers."""
    with ExitStack() as stack:
        yield lambda function: stack.enter_context(playing(function))


@pytest.fixture
def collect(warehouse_dsn: str) -> Collect:
    """``collect(route, server, date_from=..., date_to=...)`` -> summary; waits are skipped, noted in ``sleeps``."""

    def go(
        route: Route,
        server: ShapeServer,
        *,
        login: str = "",
        password: str = "S3cr3tKey",
        extra: Mapping[str, str] | None = None,
        execution_id: str = "etl_1",
        sleeps: list[float] | None = None,
        today: date = TODAY,
        prefix: str = "",
        budget: Budget | None = None,
        now: datetime | None = None,
        **days: str,
    ) -> dict[str, Any]:
        def connect() -> psycopg.Connection[Any]:
            return open_connection(warehouse_dsn)

        access = RouteAccess(server.url + prefix, login=login, password=password, extra=extra or {})
        waits = sleeps if sleeps is not None else []
        source = RestSource(route, access, budget=budget, sleep=waits.append)
        try:
            request = RouteRequest(**{name: date.fromisoformat(value) for name, value in days.items()})
            plan = plan_run(connect, route, request, today, execution_id)
            return run_route(route, source, connect, plan, execution_id=execution_id, today=today, now=now)
        finally:
            source.close()

    return go


@pytest.fixture
def read_all() -> Collect:
    """As ``collect``, without a database: what a run would store, with the payloads as ``rows`` and their ``days``."""

    def go(
        route: Route,
        server: ShapeServer,
        *,
        login: str = "",
        password: str = "S3cr3tKey",
        extra: Mapping[str, str] | None = None,
        sleeps: list[float] | None = None,
        today: date = TODAY,
        prefix: str = "",
        items: Sequence[Mapping[str, Any]] = ({},),
        **days: str,
    ) -> dict[str, Any]:
        waits = sleeps if sleeps is not None else []
        access = RouteAccess(server.url + prefix, login=login, password=password, extra=extra or {})
        source = RestSource(route, access, sleep=waits.append)
        request = RouteRequest(**{name: date.fromisoformat(value) for name, value in days.items()})
        plan = make_plan(route, request, items, None, today)
        start = ResumePoint(0, 0, None, {}, False)
        summary: dict[str, Any] = {"rows": [], "days": [], "inserted": 0, "failed": 0, "listings": len(plan.slices)}
        try:
            for page in read_pages(source, route, plan.slices, start, today, plan.period):
                for name, value in page.counted.items():
                    summary[name] = summary.get(name, 0) + value
                summary["rows"] += [msgspec.json.decode(row.payload) for row in page.rows]
                summary["days"] += [row.day for row in page.rows]
                summary["inserted"] += len(page.rows)
                summary["failed"] += len(page.rejected)
        finally:
            source.close()
        numbers = {name: value for name, value in summary.items() if isinstance(value, int | float)}
        return {**summary, "end": end_text(numbers)}

    return go
