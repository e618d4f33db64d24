"""Routes over lists of the sandbox, with accidents drawn from a seed: a run that ends green has everything or says that
it may be short, and the run after the last accident has exactly the truth.

``ROUTE_SEEDS=100,7`` runs a hundred scenarios from seed 7 on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random
from typing import Any

import psycopg
import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.api.budget import UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.errors import BudgetWait, SportmonksError
from sportmonks.routes.access import RouteAccess
from sportmonks.routes.extract import RouteRequest, plan_run, run_route
from sportmonks.routes.parse import parse_route
from sportmonks.routes.source import RestSource, Source, SportmonksSource
from sportmonks.routes.spec import Route
from sportmonks.warehouse.connection import open_connection

Conn = psycopg.Connection[Any]
COUNT, FIRST = (int(part) for part in os.environ.get("ROUTE_SEEDS", "8,1").split(","))
TODAY = date(2026, 1, 1)
REST = "client: chance\nroute: rows\nconnection: sandbox\nauth: Authorization\nkey: [id]\nretry_max: 4\n"
CLIENT = "client: chance\nroute: rows\nkey: [id]\nretry_max: 4\n"
SIZED = "size_parameter: per_page, size: {size}"
CURSOR = "next: pagination.next_cursor, drop_with_cursor: [per_page]"
STYLES = {
    "flag": f"{REST}paging: {{{{style: page, more: pagination.has_more, {SIZED}}}}}",
    "total": f"{REST}paging: {{{{style: page, total: pagination.total, {SIZED}}}}}",
    "empty": f"{REST}paging: {{{{style: page, until: empty, {SIZED}}}}}",
    "cursor": f"{REST}paging: {{{{style: cursor, {CURSOR}, {SIZED}}}}}",
    "link": f"{REST}paging: {{{{style: next, next: pagination.next_page, {SIZED}}}}}",
    "client": f"{CLIENT}paging: {{{{style: page, size: {{size}}}}}}",
}
LISTS = ("players", "coaches", "referees", "tv-stations")
# Accidents that any list may meet; those of one style. A listing whose flag says too early that it is complete looks
# like a complete one, so cut_list is for those that read on until an empty page. So does one by cursor with an empty
# page in it, as lists that are filtered after they were cut into pages have them.
ANY: tuple[dict[str, Any], ...] = (
    {"kind": "status", "status": 500, "rate": 0.2},
    {"kind": "status", "status": 503, "count": 3},
    {"kind": "status", "status": 404, "count": 2},
    {"kind": "status", "status": 404, "count": 3},
    {"kind": "truncated_json", "rate": 0.2},
    {"kind": "cut", "rate": 0.2},
    {"kind": "html_200", "count": 2},
    {"kind": "rate_limited", "count": 2, "seconds": 0},
    {"kind": "limited_403", "count": 2, "seconds": 0},
    {"kind": "limited_403", "count": 1},
    {"kind": "error_200", "rate": 0.2},
    {"kind": "error_200", "count": 2, "body": "errors"},
    {"kind": "error_200", "count": 7, "body": "status"},
    {"kind": "duplicate", "rate": 0.4, "n": 2},
    {"kind": "shuffle", "rate": 0.5},
    {"kind": "repeated_page", "rate": 0.3},
    {"kind": "missing_page", "count": 1},
)
EMPTY_PAGE = {"kind": "empty_page", "count": 1}
OF_STYLE: dict[str, tuple[dict[str, Any], ...]] = {
    "flag": (EMPTY_PAGE,),
    "client": (EMPTY_PAGE,),
    "total": (
        EMPTY_PAGE,
        {"kind": "wrong_total", "rate": 1.0, "n": 7},
        {"kind": "wrong_total", "rate": 1.0, "n": -7},
    ),
    "empty": (EMPTY_PAGE, {"kind": "cut_list", "rate": 0.5}),
    "cursor": ({"kind": "stuck_cursor", "count": 1},),
    "link": ({"kind": "stuck_cursor", "count": 1},),
}


@dataclass(frozen=True)
class Scenario:
    style: str
    listed: str
    size: int
    faults: tuple[dict[str, Any], ...]

    @classmethod
    def of(cls, seed: int) -> Scenario:
        rng = Random(seed)
        style = list(STYLES)[seed % len(STYLES)]
        kinds = (*ANY, *(2 * OF_STYLE.get(style, ())))
        faults = tuple(rng.sample(kinds, rng.randint(1, 3)))
        return cls(style, rng.choice(LISTS), rng.choice((7, 20, 50)), faults)

    @property
    def route(self) -> Route:
        return parse_route(f"path: /football/{self.listed}\n" + STYLES[self.style].format(size=self.size))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=1, seasons=1, teams=4, latency=0) as running:
        for name, choice in {"no_result": "empty", "total": "yes", "next_page": "query"}.items():
            running.admin("POST", "/variants", {name: choice})
        yield running


def truth(sandbox: RunningSandbox, listed: str) -> set[str]:
    found: set[str] = set()
    page = 1
    while True:
        answer = sandbox.get(f"football/{listed}?per_page=50&page={page}")[2]
        found |= {str(row["id"]) for row in answer["data"]}
        if not answer["pagination"]["has_more"]:
            return found
        page += 1


def source_of(route: Route, sandbox: RunningSandbox) -> Source:
    if route.api == "sportmonks":
        client = SportmonksClient(sandbox.base_url, sandbox.key, budget=UnlimitedBudget(), sleep=lambda _: None)
        return SportmonksSource(client, route)
    return RestSource(route, RouteAccess(sandbox.base_url, password=sandbox.key), sleep=lambda _: None)


def run(route: Route, sandbox: RunningSandbox, dsn: str, execution: str) -> dict[str, Any]:
    def connect() -> Conn:
        return open_connection(dsn)

    source = source_of(route, sandbox)
    try:
        plan = plan_run(connect, route, RouteRequest(), TODAY, execution)
        return run_route(route, source, connect, plan, execution_id=execution, today=TODAY)
    finally:
        source.close()


def stored(conn: Conn) -> tuple[set[str], int]:
    """Keys of the newest records, and the number of rows."""
    if conn.execute("SELECT to_regclass('raw.client_chance_rows')").fetchone() == (None,):
        return set(), 0
    keys = {row[0] for row in conn.execute("SELECT record_key FROM raw.client_chance_rows_latest").fetchall()}
    row = conn.execute("SELECT count(*) FROM raw.client_chance_rows WHERE record_key IS NOT NULL").fetchone()
    assert row is not None
    return keys, row[0]


@pytest.mark.parametrize("seed", range(FIRST, FIRST + COUNT))
def test_accidents_by_chance(sandbox: RunningSandbox, warehouse: Conn, warehouse_dsn: str, seed: int) -> None:
    scenario = Scenario.of(seed)
    route, expected = scenario.route, truth(sandbox, scenario.listed)
    for fault in scenario.faults:
        sandbox.fault(**fault, match={"path": scenario.listed})
    try:
        for _ in range(5):
            try:
                summary = run(route, sandbox, warehouse_dsn, "etl_1")
            except (SportmonksError, BudgetWait):
                continue
            short = expected - stored(warehouse)[0]
            assert not short or summary["unproven"], (scenario, summary["end"], len(short))
            break
    finally:
        sandbox.admin("DELETE", "/faults")
    summary = run(route, sandbox, warehouse_dsn, "etl_2")
    assert summary["unproven"] == 0
    keys, rows = stored(warehouse)
    assert keys == expected
    assert rows == len(expected)


def test_each_style_and_each_accident_occurs() -> None:
    """In a hundred scenarios."""
    scenarios = [Scenario.of(seed) for seed in range(100)]
    assert {one.style for one in scenarios} == set(STYLES)
    drawn = {fault["kind"] for one in scenarios for fault in one.faults}
    assert drawn == {fault["kind"] for fault in (*ANY, *(f for faults in OF_STYLE.values() for f in faults))}
