"""The DAGs, run for real: catalog, leagues, faults, the estimate, a wrong key. The tests of this file go in order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from sportmonks.airflow_compat import RELEASE
from sportmonks.render.manifest import PROBLEM_DAG
from tests.dags.conftest import Live, api_connection
from tests.harness.canary import command_lines_with, files_with, rows_with
from tests.harness.rest_server import RestServer
from tests.harness.routes import BASE

pytestmark = pytest.mark.slow
LEAGUE = "sportmonks_premier_league"
SEASONS = "SELECT season_id, season_name FROM etl.chunks WHERE league_id = 8 ORDER BY season_id"
API, WRONG = "AIRFLOW_CONN_SPORTMONKS_API", "n0t-the-k3y-at-all"
SHOP_KEY = "S3cr3tKeyOfTheShop"


@pytest.fixture
def server() -> Iterator[RestServer]:
    with RestServer(total=1_000, size=100) as running:
        yield running


def groups(result: dict[str, Any]) -> dict[str, dict[str, str]]:
    """States by season's group and task."""
    found: dict[str, dict[str, str]] = {}
    for name, state in result["tasks"].items():
        group, _, task = name.rpartition(".")
        if group:
            found.setdefault(group, {})[task] = state
    return found


# The chunk is closed by `collect`; `close` runs when that has failed.
ALL_WELL = {"collect": "success", "close": "skipped"}


def last_execution(live: Live) -> dict[str, Any]:
    return live.rows("SELECT * FROM etl.etl_executions ORDER BY created_at DESC LIMIT 1")[0]


def test_a_wrong_key_fails_at_once_with_its_message(live: Live) -> None:
    result = live.run("sportmonks_catalog", env={API: api_connection(live.box.base_url, WRONG)})
    assert result["state"] == "failed"
    behind = dict.fromkeys(("publish", "structure"), "upstream_failed")
    assert result["tasks"] == {"migrate": "success", "reference": "failed", **behind}
    assert "The Sportmonks API refuses the key" in live.log
    assert "Check SPORTMONKS_API_KEY" in live.log
    assert WRONG not in live.log
    assert live.box.calls()["total"] == 1


def test_the_catalog(live: Live) -> None:
    result = live.run("sportmonks_catalog", env={API: api_connection(live.box.base_url, live.box.key)})
    assert result["state"] == "success", live.log[-3000:]
    assert set(result["tasks"].values()) == {"success"}
    truth = live.box.admin("GET", "/truth")
    assert live.one("SELECT count(*) FROM football.leagues") == truth["leagues"] == 2
    assert live.one("SELECT count(*) FROM football.seasons") == truth["seasons"] == 4
    assert live.one("SELECT count(*) FROM football.states WHERE developer_name = 'FT'") == 1
    assert live.one("SELECT count(*) FROM football.types") > 10
    assert live.one("SELECT count(DISTINCT season_id) FROM football.stages") == 4
    runs = live.rows("SELECT DISTINCT ON (collector_name) * FROM etl.collector_runs ORDER BY 2, run_id DESC")
    assert {row["collector_name"]: row["status"] for row in runs} == dict.fromkeys(
        [
            *("leagues", "seasons", "reference:states", "reference:types"),
            *(f"structure:{name}" for name in ("stages", "rounds", "teams", "venues")),
        ],
        "success",
    )


def test_airflows_own_commands_find_the_league_dags(live: Live) -> None:
    """They run without a supervisor and read the manifest from the metadata database themselves."""
    printed = live.airflow("dags", "reserialize")
    assert PROBLEM_DAG not in printed
    with psycopg.connect(live.metadata) as conn:
        stored = {row[0] for row in conn.execute("SELECT dag_id FROM serialized_dag")}
    assert {LEAGUE, "sportmonks_catalog", "etl_watch"} <= stored
    if RELEASE >= (3, 2):  # 3.1 refuses a DAG with a deadline there: docs/operations/airflow.md
        printed = live.airflow("tasks", "test", LEAGUE, "start")
        assert "indexes read, 0 of them suspected, 0 failed" in printed
    printed = live.airflow("dags", "test", LEAGUE, "--conf", '{"dry_run": true}')
    assert "state=success" in printed
    assert last_execution(live)["config"]["dry_run"] is True


def test_a_dry_run_stores_its_quote_and_makes_no_batch_call(live: Live) -> None:
    result = live.run(LEAGUE, {"dry_run": True})
    assert result["state"] == "success", (result, live.log[-3000:])
    assert {state for tasks in groups(result).values() for state in tasks.values()} == {"skipped"}
    assert live.multi_calls() == 0
    run = last_execution(live)
    assert (run["status"], run["total_fixtures"], run["processed_fixtures"]) == ("COMPLETED", 0, 0)
    assert run["estimate"]["fixtures"] == 24
    assert run["estimate"]["by_reason"] == {"never_collected": 24}
    assert run["estimate"]["calls"] == {"Fixture": 4}
    assert run["config"]["dry_run"] is True


def test_a_season_that_is_down_fails_alone(live: Live) -> None:
    down, up = live.rows(SEASONS)
    fault = live.box.fault("season_down", match={"season": down["season_id"]})
    result = live.run(LEAGUE)
    live.box.admin("DELETE", f"/faults/{fault}")
    assert result["state"] == "failed"
    found = sorted(groups(result).items())
    (_, first), (_, second) = found
    assert first == {"collect": "failed", "close": "success"}
    assert second == ALL_WELL
    assert result["tasks"]["finish_execution"] == "success"
    run = last_execution(live)
    assert run["status"] == "FAILED"
    assert run["processed_fixtures"] == 12
    assert run["error_message"]
    stored = live.rows(
        "SELECT season_id, count(*) AS n FROM raw.fixtures JOIN football.fixtures ON id = fixture_id GROUP BY 1"
    )
    assert {row["season_id"]: row["n"] for row in stored} == {up["season_id"]: 12}
    assert live.one("SELECT status FROM etl.chunks WHERE season_id = %s", down["season_id"]) == "FAILED"


def test_after_the_fault_the_rest_arrives_and_nothing_else_is_fetched(live: Live) -> None:
    live.box.admin("DELETE", "/calls")
    result = live.run(LEAGUE)
    assert result["state"] == "success", live.log[-3000:]
    (_, first), (_, second) = sorted(groups(result).items())
    assert first == ALL_WELL
    assert set(second.values()) == {"skipped"}
    assert live.multi_calls() == 2
    run = last_execution(live)
    assert (run["status"], run["processed_fixtures"], run["successful_fixtures"], run["total_chunks"]) == (
        "COMPLETED",
        12,
        12,
        1,
    )
    truth = {row["season_id"]: row["fixtures"] for row in live.box.admin("GET", "/truth")["chunks"]}
    stored = live.rows(
        "SELECT season_id, count(*) AS n FROM raw.fixtures JOIN football.fixtures ON id = fixture_id GROUP BY 1"
    )
    assert stored
    assert all(truth[row["season_id"]] == row["n"] for row in stored)


def test_a_second_run_reads_the_indexes_and_skips_every_group(live: Live) -> None:
    before = live.one("SELECT max(updated_at) FROM football.fixtures")
    live.box.admin("DELETE", "/calls")
    result = live.run(LEAGUE)
    assert result["state"] == "success"
    assert {state for tasks in groups(result).values() for state in tasks.values()} == {"skipped"}
    assert live.multi_calls() == 0
    assert live.one("SELECT max(updated_at) FROM football.fixtures") == before
    run = last_execution(live)
    assert (run["status"], run["total_fixtures"]) == ("COMPLETED", 0)


def test_assets_have_an_event_for_each_season_that_was_saved_and_none_for_a_run_that_found_nothing(live: Live) -> None:
    """Three runs so far: a season was down, it was collected later, nothing was due."""
    keyed = "e.partition_key" if RELEASE >= (3, 3) else "NULL"
    events = f"SELECT a.name, {keyed}, e.extra FROM asset_event e JOIN asset a ON a.id = e.asset_id ORDER BY e.id"
    with psycopg.connect(live.metadata) as conn:
        found = conn.execute(events.encode()).fetchall()
    down, up = (row["season_id"] for row in live.rows(SEASONS))
    expected: list[tuple[str, str | None, dict[str, int]]] = []
    for season in (up, down):
        extra = {"season_id": season, "saved": 12, "changed": 0}
        expected.append(("football.fixtures.premier_league", None, extra))
        if RELEASE >= (3, 3):
            expected.append(("football.seasons.premier_league", str(season), extra))
    assert sorted(found, key=str) == sorted(expected, key=str)


def test_the_form_narrows_a_run(live: Live) -> None:
    """One season by name, by force, only a few fixtures, in small batches, with metrics in the report."""
    name = live.rows(SEASONS)[0]["season_name"]
    live.box.admin("DELETE", "/calls")
    result = live.run(
        LEAGUE, {"seasons": [name], "force": True, "max_fixtures": 5, "batch_size": 2, "export_metrics": True}
    )
    assert result["state"] == "success", live.log[-3000:]
    assert live.multi_calls() == 3
    run = last_execution(live)
    assert (run["processed_fixtures"], run["successful_fixtures"]) == (5, 5)
    assert run["estimate"]["left_out"] == {"max_fixtures": 7}


def test_a_run_with_the_wrong_key_ends_failed_with_the_reason(live: Live) -> None:
    live.box.admin("DELETE", "/calls")
    result = live.run(LEAGUE, env={API: api_connection(live.box.base_url, WRONG)})
    live.run("no_such_dag", env={API: api_connection(live.box.base_url, live.box.key)})
    assert result["state"] == "failed"
    assert (result["tasks"]["start"], result["tasks"]["finish_execution"]) == ("failed", "success")
    assert last_execution(live)["status"] == "FAILED"
    assert live.box.calls()["total"] <= 1


def test_watching(live: Live) -> None:
    result = live.run("etl_watch")
    assert result["state"] == "success", live.log[-3000:]


def test_a_raw_route_goes_on_after_a_failed_run(live: Live, server: RestServer) -> None:
    """A file in ``include/routes`` is enough: the table first, then a failing run, then its repetition."""
    connections = {
        "AIRFLOW_CONN_SHOP_API": json.dumps({"conn_type": "http", "host": f"{server.url}/api", "password": SHOP_KEY})
    }
    routes = Path(live.env["ETL_INCLUDE_DIR"]) / "routes"
    routes.mkdir()
    (routes / "orders.yaml").write_text(BASE.replace("/api/page", "/page") + "retry_max: 0\nretries: 0\n")
    assert live.run("raw_routes_tables")["state"] == "success", live.log[-3000:]
    assert live.one("SELECT count(*) FROM raw.client_shop_orders") == 0
    server.fail[7] = [500]
    assert live.run("raw_shop_orders", env=connections)["state"] == "failed", live.log[-3000:]
    runs = "SELECT status, records_inserted FROM etl.collector_runs WHERE collector_name = 'raw_shop_orders'"
    assert live.rows(runs) == [{"status": "failed", "records_inserted": 600}]
    server.calls.clear()
    assert live.run("raw_shop_orders", {"dry_run": False})["state"] == "success", live.log[-3000:]
    assert "Total records collected: 1,000" in live.log
    assert server.calls[0][1]["page"] == "7"
    assert live.one("SELECT count(*) FROM raw.client_shop_orders") == 1000


def test_no_secret_is_in_any_log_or_table(live: Live) -> None:
    """The API repeats its key in errors, headers and links: neither Airflow's side nor the warehouse keeps it."""
    index, batches = {"path": "/fixtures"}, {"path": "/multi/"}
    first, second = ({**batches, "season": row["season_id"]} for row in live.rows(SEASONS))
    errors: list[tuple[str, list[dict[str, Any]]]] = [
        ("sportmonks_catalog", [{"status": 401, "match": {"path": "/leagues"}, "rate": 1.0}]),
        (LEAGUE, [{"status": 401, "match": batches, "rate": 1.0}]),
        (LEAGUE, [{"status": 400, "match": first, "rate": 1.0}, {"status": 422, "match": second, "rate": 1.0}]),
        (LEAGUE, [{"status": 302, "match": first, "rate": 1.0}, {"status": 402, "match": second, "rate": 1.0}]),
        (
            LEAGUE,
            [
                *({"status": status, "match": index, "count": 1} for status in (403, 404)),
                *({"status": status, "match": batches, "count": 1} for status in (408, 425, 429, 502, 503, 504)),
                {"status": 500, "match": batches, "rate": 1.0, "form": "percent"},
            ],
        ),
        (LEAGUE, [{"status": 200, "form": "base64", "rate": 1.0}]),
    ]
    states = []
    for dag_id, faults in errors:
        for fault in faults:
            live.box.fault("echo_key", **fault)
        states.append(live.run(dag_id, {"force": True} if dag_id == LEAGUE else None)["state"])
        posted = live.box.admin("GET", "/faults")["faults"]
        assert all(fault["hits"] for fault in posted), posted
        live.box.admin("DELETE", "/faults")
    # With batches that answer 500 while the index works, fixtures fail and not the run.
    assert states == [*["failed"] * 4, "success", "success"], live.log[-3000:]
    with psycopg.connect(live.metadata) as metadata, psycopg.connect(live.warehouse) as warehouse:
        (results,) = metadata.execute("SELECT count(*) FROM xcom").fetchone() or (0,)
        assert results > 10
        for key in (live.box.key, SHOP_KEY):
            # Variables, XComs, rendered templates, serialised DAGs, task instances and all else.
            assert rows_with(metadata, key) == []
            assert rows_with(warehouse, key) == []
            assert files_with(Path(live.env["AIRFLOW_HOME"]), key) == []
            assert command_lines_with(key) == []
