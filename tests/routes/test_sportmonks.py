"""The shipped Sportmonks routes against the API sandbox, over the client and the shared budget."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.airflow_compat import AirflowFailException
from sportmonks.routes.parse import load_routes
from sportmonks.routes.spec import Route
from tests.harness.routes import instance_of
from tests.harness.shape_server import Answer, playing

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


@pytest.fixture
def calendar(ready: date, warehouse: Conn, sandbox: RunningSandbox) -> date:
    """Rounds of the current seasons and fixtures of the coming week, as other DAGs would have stored them."""
    for season in sandbox.get("football/seasons?per_page=50")[2]["data"]:
        if season["is_current"]:
            for row in sandbox.get(f"football/rounds/seasons/{season['id']}")[2]["data"]:
                warehouse.execute(
                    "INSERT INTO football.rounds (id, season_id, starting_at)"
                    " VALUES (%s, %s, %s::date + (current_date - %s::date))",
                    (row["id"], row["season_id"], row["starting_at"], ready),
                )
    days = f"{ready - timedelta(days=3)}/{ready + timedelta(days=30)}"
    for row in sandbox.get(f"football/fixtures/between/{days}?per_page=50")[2].get("data", []):
        warehouse.execute(
            "INSERT INTO football.fixtures (id, league_id, season_id, starting_at)"
            " VALUES (%s, %s, %s, now() + interval '1 day')",
            (row["id"], row["league_id"], row["season_id"]),
        )
    return ready


# Of each route beside fixtures: what it brings in the sandbox, with the path that has the same rows.
BESIDE = {
    "players": "football/players", "coaches": "football/coaches", "referees": "football/referees",
    "tv_stations": "football/tv-stations", "news_prematch": "football/news/pre-match/upcoming",
}  # fmt: skip


@pytest.mark.parametrize("name", BESIDE)
def test_lists_of_everything(ready: date, warehouse: Conn, sandbox: RunningSandbox, name: str) -> None:
    expected: set[str] = set()
    page = 1
    while True:
        answer = sandbox.get(f"{BESIDE[name]}?per_page=50&page={page}")[2]
        expected |= {str(row["id"]) for row in answer.get("data", [])}
        if not answer.get("pagination", {}).get("has_more"):
            break
        page += 1
    summary = extract(ROUTES[name], ready)
    assert (summary["inserted"], summary["failed"], summary["unproven"]) == (len(expected), 0, 0)
    keys = warehouse.execute(f"SELECT record_key FROM raw.{ROUTES[name].table}_latest").fetchall()
    assert {row[0] for row in keys} == expected
    assert expected


@pytest.mark.parametrize("name", ["injuries", "round_standings", "odds", "news_postmatch"])
def test_one_listing_for_each(calendar: date, warehouse: Conn, name: str) -> None:
    route = ROUTES[name]
    summary = extract(route, calendar)
    assert (summary["failed"], summary["skipped"], summary["unproven"], summary["undated"]) == (0, 0, 0, 0)
    assert summary["listings"] > 1
    assert summary["inserted"] > 0
    rows = warehouse.execute(
        f"SELECT count(*), count(record_key), count(DISTINCT record_key) FROM raw.{route.table}"
    ).fetchone()
    assert rows == (summary["inserted"],) * 3


@pytest.fixture
def with_add_ons(sandbox: RunningSandbox) -> Iterator[None]:
    """A plan that refuses no include."""
    with without_refusals(sandbox):
        yield


@contextmanager
def without_refusals(sandbox: RunningSandbox) -> Iterator[None]:
    refused = sandbox.admin("GET", "/plan")["forbidden_includes"]
    sandbox.admin("POST", "/plan", {"forbidden_includes": []})
    yield
    sandbox.admin("POST", "/plan", {"forbidden_includes": refused})


@pytest.mark.usefixtures("with_add_ons")
@pytest.mark.parametrize("name", ["broadcasts", "expected_goals", "predictions"])
def test_parts_of_fixtures(ready: date, warehouse: Conn, sandbox: RunningSandbox, name: str) -> None:
    """Pages of fixtures none of which has such a part are no end."""
    route = ROUTES[name]
    first, last = date(ready.year - 1, 1, 1), date(ready.year + 1, 1, 1)
    period = {"date_from": first.isoformat(), "date_to": last.isoformat()}
    include, part = route.include[0], route.records[1]
    expected: set[str] = set()
    for begin in range(0, (last - first).days + 1, 90):
        days = f"{first + timedelta(days=begin)}/{min(last, first + timedelta(days=begin + 89))}"
        page = 1
        while True:
            answer = sandbox.get(f"football/fixtures/between/{days}?include={include}&per_page=50&page={page}")[2]
            expected |= {str(row["id"]) for fixture in answer.get("data", []) for row in fixture[part]}
            if not answer.get("pagination", {}).get("has_more"):
                break
            page += 1
    small = replace(route, paging=replace(route.paging, size=2))
    summary = extract(small, ready, **period)
    assert (summary["inserted"], summary["unproven"], summary["failed"]) == (len(expected), 0, 0)
    keys = warehouse.execute(f"SELECT record_key FROM raw.{route.table}_latest").fetchall()
    assert {row[0] for row in keys} == expected
    assert expected


def test_a_route_outside_the_plan_fails_no_run(ready: date, warehouse: Conn, sandbox: RunningSandbox) -> None:
    """Its run says so, no day counts as collected, and the next run brings what a larger plan covers."""
    assert "xgfixture" in sandbox.admin("GET", "/plan")["forbidden_includes"]
    route, begin = ROUTES["expected_goals"], date(ready.year - 1, 8, 1).isoformat()
    summary = extract(route, ready, date_from=begin)
    assert (summary["records"], summary["skipped"], summary["unproven"]) == (0, summary["listings"], 0)
    assert summary["end"] == "outside_plan"
    state = warehouse.execute(
        "SELECT status, ended_by, collected_to, last_success_at IS NOT NULL FROM etl.raw_route_status"
    ).fetchone()
    assert state == ("success", f"outside_plan ({summary['listings']})", None, True)
    warehouse.execute("UPDATE etl.forbidden_includes SET learnt_at = learnt_at - interval '30 days'")
    with without_refusals(sandbox):
        assert extract(route, ready, date_from=begin, later=True)["inserted"] > 0


@pytest.mark.parametrize("name", ["players", "standings", "transfers"])
def test_a_listing_outside_the_plan_fails_no_run(
    ready: date, warehouse: Conn, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    refusal = Answer({"message": "You do not have access to this resource.", "code": 5007}, 403)
    with playing(lambda _: refusal) as server:
        api = {"conn_type": "http", "host": f"{server.url}/v3", "password": "a-key-of-the-second-api"}
        monkeypatch.setenv("AIRFLOW_CONN_SECOND", json.dumps(api))
        summary = extract(replace(ROUTES[name], connection="second"), ready)
    assert (summary["records"], summary["failed"], summary["unproven"]) == (0, 0, 0)
    assert summary["skipped"] == summary["listings"] >= 1
    state = warehouse.execute("SELECT status, ended_by, collected_to FROM etl.raw_route_status").fetchone()
    assert state == ("success", f"outside_plan ({summary['listings']})", None)


VIEWS = {
    "players": "SELECT id, name, date_of_birth, position_id FROM football.players WHERE height BETWEEN 150 AND 220",
    "coaches": "SELECT id, player_id, date_of_birth FROM football.coaches",
    "standings": "SELECT season_id, participant_id, position, points FROM football.provider_standings",
    "topscorers": "SELECT season_id, type_id, position, player_id, total FROM football.top_scorers",
    "squads": 'SELECT season_id, team_id, player_id, jersey_number, start, "end" FROM football.squads',
    "transfers": "SELECT id, date, player_id, to_team_id FROM football.transfers",
}


@pytest.mark.parametrize("name", VIEWS)
def test_typed_views(ready: date, warehouse: Conn, name: str) -> None:
    route = ROUTES[name]
    summary = extract(route, ready, **({"date_from": f"{ready.year - 1}-01-01"} if route.period else {}))
    rows = warehouse.execute(VIEWS[name]).fetchall()
    assert len(rows) == summary["inserted"] > 0
    assert not [row for row in rows if None in row]


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
