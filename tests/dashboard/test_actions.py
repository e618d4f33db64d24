"""What the page starts: the fields of its form, the check of a choice, what became of it, and ways from Airflow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import requests

from sportmonks.config.manifest import Manifest
from sportmonks.dashboard import actions
from sportmonks.errors import ConfigurationError
from sportmonks.planning.execution_id import execution_id
from sportmonks.planning.run_params import NAMES
from sportmonks.render.form import league_params
from tests.dashboard.conftest import Client
from tests.harness.dashboard_seed import seeded_manifest
from tests.harness.dashboard_server import serving, stand_in_access

RUN = "page__20261126T041618Z_ab12cd"


def check(client: Client, *leagues: dict[str, Any], user: str = "admin", **params: Any) -> Any:
    body = {"leagues": leagues, "params": params}
    cookie = {"Cookie": f"_token={user}"}
    answer = requests.post(f"{client.address}/api/runs/check", json=body, headers=cookie, timeout=10)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_form_is_the_one_of_the_dag(client: Client) -> None:
    found = client.get("api/form", league_id=1)
    (league,) = found["leagues"]
    assert (league["dag_id"], league["may_start"], len(league["seasons"])) == ("sportmonks_premier_league", True, 6)
    manifest = seeded_manifest()
    params = league_params(manifest.leagues[0], manifest.settings)
    assert [field["name"] for field in found["fields"]] == [
        name for name in NAMES if name not in ("seasons", "dry_run")
    ]
    for field in found["fields"]:
        param = params[field["name"]]
        assert field["title"] == param.schema["title"]
        assert field["type"] == param.schema["type"]
        assert field["default"] == param.value


def test_who_may_not_trigger_and_what_is_unknown_is_known_before(client: Client) -> None:
    found = client.get("api/form", league_id=[1, 99], user="viewer")
    assert [league["may_start"] for league in found["leagues"]] == [False]
    assert found["unknown"] == [99]
    client.get("api/form", expect=422)


def test_a_choice_becomes_one_run_per_league(client: Client) -> None:
    chosen = {"league_id": 1, "seasons": [1001, 1002]}, {"league_id": 3}
    found = check(client, *chosen, dry_run=True, date_from="2026-01-01")
    assert found["problems"] == []
    assert found["run_id"].startswith("page__")
    params = {"dry_run": True, "date_from": "2026-01-01"}
    assert [(run["dag_id"], run["conf"]) for run in found["runs"]] == [
        ("sportmonks_premier_league", {**params, "seasons": [1001, 1002]}),
        ("sportmonks_serie_a", params),
    ]
    assert check(client, *chosen)["run_id"] != found["run_id"]


@pytest.mark.parametrize(
    ("leagues", "params", "words"),
    [
        ([], {}, "Nothing is chosen."),
        ([{"league_id": 99}], {}, "League 99 is not followed."),
        ([{"league_id": 1, "seasons": [1001, 7]}], {}, "Premier League has no season '7'."),
        ([{"league_id": 1}], {"date_from": "2026-02-01", "date_to": "2026-01-01"}, "date_from 2026-02-01 is after"),
        ([{"league_id": 1}], {"batch_size": 1000}, "batch_size is 1000."),
        ([{"league_id": 1}], {"max_fixtures": 0}, "max_fixtures is 0."),
        ([{"league_id": 1}], {"dry_rum": True}, "There is no parameter 'dry_rum'."),
    ],
)
def test_what_makes_no_sense_is_named_with_a_remedy(
    client: Client, leagues: list[dict[str, Any]], params: dict[str, Any], words: str
) -> None:
    found = check(client, *leagues, **params)
    assert found["runs"] == []
    (problem,) = found["problems"]
    assert words in problem["detail"]
    assert problem["hint"]


def test_a_viewer_is_refused_by_name_of_the_dag(client: Client) -> None:
    found = check(client, {"league_id": 4}, user="viewer")
    assert found["runs"] == []
    assert "may not trigger sportmonks_bundesliga" in found["problems"][0]["detail"]


def test_a_manifest_that_cannot_be_read_says_so(warehouse_dsn: str) -> None:
    def broken() -> Manifest:
        raise ConfigurationError("The Variable sportmonks_manifest cannot be read: x.", hint="Run sportmonks_catalog.")

    with serving(warehouse_dsn, stand_in_access(), broken) as address:
        client = Client(address)
        found = client.get("api/form", league_id=1, expect=409)
        assert found["detail"] == "The Variable sportmonks_manifest cannot be read: x. Run sportmonks_catalog."
        assert client.get(f"api/backfills/{RUN}") == {"rows": [], "leagues": {}}


def test_without_a_manifest_the_first_step_is_named(warehouse_dsn: str) -> None:
    with serving(warehouse_dsn, stand_in_access()) as address:
        assert check(Client(address), {"league_id": 1})["problems"][0]["hint"] == actions.NO_LEAGUES


def start(conn: psycopg.Connection[Any], dag_id: str, run_id: str = RUN) -> str:
    execution = execution_id(dag_id, run_id, datetime(2026, 11, 26, 4, 16, 18, tzinfo=UTC))
    conn.execute("SELECT etl.start_etl_execution(%s, '{}', %s, %s)", (execution, dag_id, run_id))
    return execution


def test_the_runs_of_one_id_are_one_backfill(client: Client, seeded: psycopg.Connection[Any]) -> None:
    first, _ = (start(seeded, dag_id) for dag_id in ("sportmonks_serie_a", "sportmonks_la_liga"))
    start(seeded, "sportmonks_ligue_1", "page__20261126T041618Z_ffffff")
    seeded.execute(
        "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, position, status, planned, processed,"
        " saved, failed, started_at, finished_at, error_message) VALUES"
        " (%(id)s, 3, 3001, 1, 'COMPLETED', 40, 40, 40, 0, now(), now(), NULL),"
        " (%(id)s, 3, 3002, 2, 'FAILED', 40, 10, 7, 3, now(), now(), 'The API answered 400.'),"
        " (%(id)s, 3, 3003, 3, 'SKIPPED', 0, 0, 0, 0, NULL, now(), NULL)",
        {"id": first},
    )
    found = client.get(f"api/backfills/{RUN}")
    rows = {row["dag_id"]: row for row in found["rows"]}
    assert set(rows) == {"sportmonks_serie_a", "sportmonks_la_liga"}
    row = rows["sportmonks_serie_a"]
    assert (row["seasons_done"], row["seasons"], row["total_fixtures"], row["successful_fixtures"]) == (1, 2, 80, 47)
    assert row["failed_seasons"] == [
        {"league_id": 3, "season_id": 3002, "season_name": "2024/2025", "error_message": "The API answered 400."}
    ]
    assert found["leagues"]["sportmonks_serie_a"] == {"league_id": 3, "league_name": "Serie A"}
    client.get("api/backfills/a%20b", expect=422)


def test_where_a_dag_a_run_and_a_task_of_airflow_are_on_the_page(
    client: Client, seeded: psycopg.Connection[Any]
) -> None:
    execution = start(seeded, "sportmonks_serie_a", "scheduled__2026-11-26T04:00:00+00:00")
    dag, run = {"dag_id": "sportmonks_serie_a"}, {"run_id": "scheduled__2026-11-26T04:00:00+00:00"}
    group = seeded_manifest().leagues[2].seasons[0].group
    seeded.execute("SELECT etl.ensure_raw_table('shop', 'orders', NULL)")
    for where, expected in (
        (dag, "league/3"),
        ({**dag, **run}, f"run/{execution}"),
        ({**dag, **run, "task_id": "start"}, f"run/{execution}"),
        ({**dag, **run, "task_id": f"{group}.collect"}, "season/3/3001"),
        ({**dag, "task_id": f"{group}.close"}, "season/3/3001"),
        ({**dag, "run_id": RUN}, f"backfill/{RUN}"),
        ({**dag, "run_id": "manual__x"}, None),
        ({"dag_id": "some_other_dag"}, None),
        ({"dag_id": "raw_shop_orders", **run}, "routes"),
    ):
        assert client.get("api/place", **where)["place"] == expected, where


def test_a_season_of_a_run_names_its_task(client: Client, seeded: psycopg.Connection[Any]) -> None:
    row = client.get("api/executions", status="RUNNING")["rows"][0]
    chunks = client.get(f"api/executions/{row['execution_id']}")["chunks"]
    assert chunks[0]["task_id"].startswith("season_")
    assert all(chunk["task_id"].endswith(".collect") for chunk in chunks)
