"""The shipped Sportmonks routes against the API sandbox, over the client and the shared budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.routes.parse import load_routes
from sportmonks.routes.spec import Route
from tests.harness.routes import instance_of

Conn = psycopg.Connection[Any]
ROUTES = {route.route: route for route in load_routes()[0] if route.api == "sportmonks"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=2, seasons=2, teams=6) as running:
        yield running


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox, warehouse_dsn: str, warehouse: Conn) -> date:
    """Connections, and seasons and teams as the other DAGs would have stored them; the sandbox's day."""
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    api = {"conn_type": "http", "host": sandbox.base_url, "password": sandbox.key}
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", json.dumps(api))
    for season in sandbox.get("football/seasons?per_page=50")[2]["data"]:
        warehouse.execute(
            "INSERT INTO football.seasons (id, league_id, name, is_current) VALUES (%s, %s, %s, %s)",
            (season["id"], season["league_id"], season["name"], season["is_current"]),
        )
        if season["is_current"]:
            teams = sandbox.get(f"football/teams/seasons/{season['id']}")[2]["data"]
            warehouse.execute(
                "INSERT INTO football.fixtures (id, league_id, season_id) VALUES (%(id)s, %(league_id)s, %(id)s)",
                season,
            )
            for team in teams:
                warehouse.execute(
                    "INSERT INTO football.fixture_participants (fixture_id, team_id) VALUES (%s, %s)",
                    (season["id"], team["id"]),
                )
    return datetime.fromisoformat(sandbox.admin("GET", "/health")["now"].replace("Z", "+00:00")).date()


def extract(route: Route, day: date, **params: Any) -> dict[str, Any]:
    from sportmonks.operators.routes import EnsureRouteTablesOperator, RouteExtractOperator

    timestamp = datetime(day.year, day.month, day.day, tzinfo=UTC)
    run = SimpleNamespace(
        dag_id=route.name, run_id=f"manual__{params}", run_after=timestamp, run_type="manual", logical_date=None
    )
    context: Any = {"params": params, "dag_run": run, "ti": instance_of(run)}
    EnsureRouteTablesOperator(task_id="e", route=route).execute(context)
    summary: dict[str, Any] = RouteExtractOperator(task_id="extract", route=route).execute(context)
    return summary


@pytest.mark.parametrize("name", ["standings", "topscorers", "squads", "livescores"])
def test_lists_of_the_current_seasons(ready: date, warehouse: Conn, name: str) -> None:
    route = ROUTES[name]
    summary = extract(route, ready)
    assert summary["failed"] == summary["skipped"] == summary["repeated_pages"] == 0
    listings = {"standings": 2, "topscorers": 2, "squads": 12, "livescores": 1}
    assert summary["listings"] == listings[name]
    if name != "livescores":
        assert summary["inserted"] > 0
        without_key = warehouse.execute(f"SELECT count(*) FROM raw.{route.table} WHERE record_key IS NULL").fetchone()
        assert without_key == (0,)
        seasons = warehouse.execute(f"SELECT count(DISTINCT request ->> 'season_id') FROM raw.{route.table}").fetchone()
        assert seasons == (2,)
    again = extract(route, ready, force=True)
    assert (again["records"], again["inserted"]) == (summary["records"], 0)
    taken = warehouse.execute("SELECT count(*) FROM etl.api_budget").fetchone()
    assert taken is not None
    assert taken[0] > 0  # the same budget as everything else


def test_a_connection_of_its_own_may_lead_to_another_path(
    ready: date, warehouse: Conn, warehouse_dsn: str, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = {"conn_type": "http", "host": sandbox.base_url.replace("127.0.0.1", "localhost"), "password": sandbox.key}
    monkeypatch.setenv("AIRFLOW_CONN_SECOND", json.dumps(own))
    warehouse.execute("SELECT etl.set_api_source('api.sportmonks.com/v3')")
    assert extract(replace(ROUTES["squads"], connection="second"), ready)["inserted"] > 0
    with pytest.raises(AirflowFailException, match="holds data of api"):
        extract(ROUTES["squads"], ready)


def test_transfers_in_windows_of_31_days(ready: date, warehouse: Conn, sandbox: RunningSandbox) -> None:
    first = date(ready.year - 1, 1, 1)
    summary = extract(ROUTES["transfers"], ready, date_from=first.isoformat())
    days = (ready - first).days + 1
    assert summary["listings"] == -(-days // 31)
    assert summary["inserted"] > 0
    assert (summary["out_of_range"], summary["undated"], summary["failed"]) == (0, 0, 0)
    bounds = warehouse.execute(
        "SELECT min(reference_date), max(reference_date) FROM raw.client_sportmonks_transfers"
    ).fetchone()
    assert bounds is not None
    assert first <= bounds[0] <= bounds[1] <= ready


def test_fixtures_between_bring_every_fixture(ready: date, warehouse: Conn, sandbox: RunningSandbox) -> None:
    truth = {
        row["id"]
        for season in sandbox.admin("GET", "/truth")["chunks"]
        for row in sandbox.admin("GET", f"/truth/fixtures?season={season['season_id']}")["fixtures"]
    }
    period = {"date_from": date(ready.year - 3, 1, 1).isoformat(), "date_to": date(ready.year + 1, 12, 31).isoformat()}
    summary = extract(ROUTES["fixtures_between"], ready, **period)
    assert summary["inserted"] == summary["records"] == len(truth)
    rows = warehouse.execute("SELECT (payload ->> 'id')::bigint FROM raw.client_sportmonks_fixtures_between_latest")
    assert {row[0] for row in rows.fetchall()} == truth


def test_a_season_outside_the_plan_is_skipped_the_others_done(ready: date, warehouse: Conn) -> None:
    warehouse.execute("INSERT INTO football.seasons (id, league_id, name, is_current) VALUES (1, 1, 'x', true)")
    summary = extract(ROUTES["standings"], ready, unknown=True)
    assert summary["listings"] == 3
    assert summary["inserted"] == 12


def test_no_seasons_yet(ready: date, warehouse: Conn, caplog: pytest.LogCaptureFixture) -> None:
    warehouse.execute("TRUNCATE football.seasons")
    assert extract(ROUTES["standings"], ready)["records"] == 0
    assert "for_each current_seasons gave nothing" in caplog.text


def test_a_record_that_cannot_be_read_is_rejected_alone(ready: date, warehouse: Conn, sandbox: RunningSandbox) -> None:
    """The others of its page are stored, and the page is not requested for ever."""
    odd = sandbox.admin("GET", f"/truth/fixtures?season={_first_season(sandbox)}")["fixtures"][0]["id"]
    sandbox.fault("odd_numbers", match={"fixture_id": odd}, rate=1.0)
    try:
        period = {
            "date_from": date(ready.year - 3, 1, 1).isoformat(),
            "date_to": date(ready.year + 1, 12, 31).isoformat(),
        }
        summary = extract(ROUTES["fixtures_between"], ready, **period, odd=True)
    finally:
        sandbox.admin("DELETE", "/faults")
    assert (summary["failed"], summary["inserted"]) == (1, summary["records"] - 1)


def _first_season(sandbox: RunningSandbox) -> int:
    season: int = sandbox.admin("GET", "/truth")["chunks"][0]["season_id"]
    return season
