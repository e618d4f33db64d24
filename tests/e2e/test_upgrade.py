"""An installation of version 0.1, upgraded in place: the present code starts on its databases and goes on.

What the installation was like when the old code stopped is described in tests/upgrade/README.md.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import requests

from tests.e2e import kills
from tests.e2e.monitoring import PAGE, wait_for
from tests.e2e.stack import Etl, started_stack
from tests.upgrade import restore
from tests.upgrade.restore import FACTS, LEAGUES

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

MANIFEST = "/variables/sportmonks_manifest"
DAGS = {name: str(league["dag_id"]) for name, league in LEAGUES.items()}
COMPLETE = ["complete", "complete_too", "paused"]  # leagues in which nothing is due
UPDATED = "SELECT id, updated_at FROM football.fixtures WHERE league_id = ANY (%s) ORDER BY id"
SEASON_FIXTURES = 12  # four teams, home and away


def old_run(name: str, label: str) -> dict[str, str]:
    """run_id and execution_id."""
    return dict(LEAGUES[name]["runs"][label])


def left(execution_id: str) -> set[int]:
    """Fixtures of its plan that an old run has not done."""
    rows = restore.rows_of("warehouse", "etl.execution_fixtures")
    return {int(row["fixture_id"]) for row in rows if (row["execution_id"], row["status"]) == (execution_id, "PENDING")}


@dataclass
class Upgraded:
    """The new stack, and what was seen on the way."""

    etl: Etl
    updated: list[tuple[Any, ...]]  # fixtures of complete leagues and their times of change, before the start
    parsed: dict[str, dict[str, Any]] = field(default_factory=dict)  # DAGs made from the old manifest
    manifests: list[dict[str, Any]] = field(default_factory=list)  # before and after the catalog's run
    runs: dict[str, str] = field(default_factory=dict)  # of the new code, by league

    def page(self, path: str) -> Any:
        """An answer of the page's API."""
        headers = {"Authorization": f"Bearer {self.etl.token()}"}
        answer = requests.get(f"{self.etl.url}{PAGE}/api{path}", headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.etl.airflow("GET", MANIFEST)["value"]))


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Upgraded]:
    """The new stack after the runs of all that was left, and of what has nothing left."""
    home = tmp_path_factory.mktemp("upgrade")
    restore.copy_include(home / "include")
    server = restore.install(home / "state")
    try:
        with psycopg.connect(server.conninfo()) as conn:
            updated = conn.execute(UPDATED, ([LEAGUES[name]["id"] for name in COMPLETE],)).fetchall()
        begun = datetime.now(UTC)
        with started_stack(home, FACTS["sandbox"]) as etl:
            found = Upgraded(etl, updated)
            wait_for(lambda: _all_parsed(found, begun), "all DAGs from the old manifest")
            found.manifests.append(found.manifest())
            _go_on(found)
            found.manifests.append(found.manifest())
            yield found
    finally:
        server.destroy()


def _all_parsed(found: Upgraded, begun: datetime) -> bool:
    """Whether the present code has parsed every DAG of the old one."""
    dags = found.etl.airflow("GET", "/dags?limit=100&exclude_stale=false")["dags"]
    found.parsed = {dag["dag_id"]: dag for dag in dags}
    fresh = {dag["dag_id"] for dag in dags if datetime.fromisoformat(dag["last_parsed_time"]) > begun}
    return fresh >= {*DAGS.values(), "sportmonks_catalog", "etl_watch", FACTS["routes"]["killed"][0]}


def _go_on(found: Upgraded) -> None:
    """Everything at once, as after an upgrade: failed tasks are cleared, leagues run, the catalog is read."""
    etl = found.etl
    ends = {DAGS["deferred"]: old_run("deferred", "waiting")["run_id"]}
    for name, label in (("failed", "broken"), ("killed", "killed")):
        season = max(kills.seasons_of(etl, LEAGUES[name]["id"]), key=lambda season: season.name)
        _clear_failed(etl, ends, DAGS[name], old_run(name, label)["run_id"], season.collect)
    _clear_failed(etl, ends, *FACTS["routes"]["killed"], "extract")
    found.runs = {name: etl.trigger(DAGS[name]) for name in ("complete", "complete_too")}
    ends |= {DAGS[name]: run_id for name, run_id in found.runs.items()}
    ends["sportmonks_catalog"] = etl.trigger("sportmonks_catalog")
    for dag_id, run_id in ends.items():
        kills.must_succeed(etl, dag_id, run_id)


def _clear_failed(etl: Etl, ends: dict[str, str], dag_id: str, run_id: str, task_id: str) -> None:
    kills.clear(etl, dag_id, run_id, [task_id], include_downstream=True, only_failed=True)
    ends[dag_id] = run_id


def test_the_league_dags_are_those_of_the_old_manifest(upgraded: Upgraded) -> None:
    assert upgraded.manifests[0]["version"] == 1
    for dag_id in DAGS.values():
        assert not upgraded.parsed[dag_id]["is_stale"]
        assert not upgraded.parsed[dag_id]["has_import_errors"]
    assert upgraded.parsed["sportmonks_manifest_problem"]["is_stale"]


def test_the_catalog_writes_the_manifest_anew(upgraded: Upgraded) -> None:
    before, after = upgraded.manifests
    assert after["version"] == 2
    # A league has its country since.
    assert [{**league, "country": None} for league in after["leagues"]] == [
        {**league, "country": None} for league in before["leagues"]
    ]
    assert all(league["country"] for league in after["leagues"])
    assert after["settings"]["recheck"]["schedule_hours"] == before["dials"]["refetch"]["rungs_hours"]
    # Settings that are new since have their defaults.
    assert after["settings"]["alerts"].items() >= before["dials"]["alerts"].items()


def test_a_paused_dag_stays_paused(upgraded: Upgraded) -> None:
    paused = upgraded.etl.airflow("GET", f"/dags/{DAGS['paused']}")
    assert (paused["is_paused"], paused["is_stale"]) == (True, False)
    others = [upgraded.etl.airflow("GET", f"/dags/{DAGS[name]}") for name in DAGS if name != "paused"]
    assert not any(dag["is_paused"] or dag["is_stale"] for dag in others)


def test_the_deferred_task_goes_on_where_it_was(upgraded: Upgraded) -> None:
    run, league = old_run("deferred", "waiting"), LEAGUES["deferred"]
    assert len(left(run["execution_id"])) == SEASON_FIXTURES - league["stored"] == 4
    found = kills.must_have_done(upgraded.etl, DAGS["deferred"], run["run_id"], 2 * SEASON_FIXTURES)
    assert found["execution_id"] == run["execution_id"]
    task = kills.tasks(upgraded.etl, DAGS["deferred"], run["run_id"])[league["task_id"]]
    assert (task["state"], task["try_number"]) == ("success", 1)
    checkpoint = json.loads(upgraded.etl.airflow("GET", f"/variables/{FACTS['checkpoint'][0]}")["value"])
    assert (checkpoint["done"], checkpoint["total"], checkpoint["finished"]) == (12, 12, True)


def test_no_fixture_is_requested_but_what_was_left(upgraded: Upgraded) -> None:
    """Once each, and none of those whose answer was kept."""
    killed = left(old_run("killed", "killed")["execution_id"])
    assert len(killed) == SEASON_FIXTURES
    broken = left(old_run("failed", "broken")["execution_id"])
    assert len(broken) == SEASON_FIXTURES
    reads = kills.reads(upgraded.etl)
    kept = killed - reads.keys()
    assert len(kept) == 4 * FACTS["kept_answers"]
    assert reads == Counter(left(old_run("deferred", "waiting")["execution_id"]) | broken | (killed - kept))
    assert upgraded.etl.rows("SELECT * FROM etl.fetched_answers") == []


def test_complete_leagues_are_as_they_were(upgraded: Upgraded) -> None:
    for name in ("complete", "complete_too"):
        kills.must_have_done(upgraded.etl, DAGS[name], upgraded.runs[name], 0)
    ids = [LEAGUES[name]["id"] for name in COMPLETE]
    assert [(row["id"], row["updated_at"]) for row in upgraded.etl.rows(UPDATED, ids)] == upgraded.updated
    assert len(upgraded.updated) == 2 * SEASON_FIXTURES * len(COMPLETE)
    assert kills.differences(upgraded.etl, LEAGUES["complete"]["id"]) == []


def test_every_fixture_that_was_left_is_stored(upgraded: Upgraded) -> None:
    ids = left(old_run("deferred", "waiting")["execution_id"]) | left(old_run("killed", "killed")["execution_id"])
    found = upgraded.etl.rows(
        "SELECT f.id FROM football.fixtures f JOIN raw.fixtures r ON r.fixture_id = f.id"
        " WHERE f.id = ANY (%s) AND f.collection_status = 'COLLECTED' ORDER BY f.id",
        sorted(ids),
    )
    assert [row["id"] for row in found] == sorted(ids)


def test_a_killed_route_goes_on_with_the_seasons_that_are_left(upgraded: Upgraded) -> None:
    paths = upgraded.etl.sandbox("GET", "/_admin/calls?last=0")["by_path"]
    read = {path: count for path, count in paths.items() if "/standings/" in path}
    assert sum(read.values()) == 4
    (run,) = upgraded.etl.rows(
        "SELECT status, records_processed FROM etl.collector_runs WHERE collector_name = %s",
        FACTS["routes"]["killed"][0],
    )
    assert (run["status"], run["records_processed"]) == ("success", 6 * 4)  # four teams in each season
    (watermark,) = upgraded.etl.rows(
        "SELECT etl.collector_watermark(%s) ->> 'date_to' AS day", FACTS["routes"]["read"][0]
    )
    assert watermark["day"] == "2026-05-31"


def test_the_page_shows_the_old_runs(upgraded: Upgraded) -> None:
    shown = {row["execution_id"]: row for row in upgraded.page("/executions?kind=league&limit=500")["rows"]}
    for old in restore.executions():
        row = shown[old["execution_id"]]
        assert (row["dag_id"], row["run_id"]) == (old["dag_id"], old["run_id"])
        detail = upgraded.page(f"/executions/{old['execution_id']}")
        assert detail["total_fixtures"] == int(old["total_fixtures"])
    done = old_run("complete_too", "first")["execution_id"]
    assert shown[done]["status"] == "COMPLETED"
    logs = [row for row in restore.rows_of("warehouse", "etl.etl_logs") if row["execution_id"] == done]
    assert logs
    seen = {row["log_id"] for row in upgraded.page(f"/logs?execution_id={done}&limit=500")["rows"]}
    assert {int(row["log_id"]) for row in logs} <= seen
    seasons = {(row["league_id"], row["season_id"]) for row in upgraded.page("/coverage")["rows"]}
    for chunk in restore.rows_of("warehouse", "etl.chunks"):
        assert (int(chunk["league_id"]), int(chunk["season_id"])) in seasons


def test_the_page_shows_the_old_alerts_with_their_hint(upgraded: Upgraded) -> None:
    shown = {row["alert_id"]: row for row in upgraded.page("/alerts?state=all&limit=200")["rows"]}
    for alert_id, old in restore.alerts().items():
        # One that was found again since has the present wording.
        again = shown[alert_id]["seen_count"] > int(old["seen_count"])
        assert shown[alert_id]["hint"] == old["mend"] or (again and shown[alert_id]["hint"])
        assert (shown[alert_id]["kind"], shown[alert_id]["subject"]) == (old["kind"], old["subject"])
        acknowledged = old["status"] == "ACKNOWLEDGED"
        assert shown[alert_id]["acknowledged_by"] == ("admin" if acknowledged else None)


def test_a_deadline_that_the_old_code_stored_becomes_an_alert(upgraded: Upgraded) -> None:
    execution_id = old_run("deferred", "waiting")["execution_id"]

    def look() -> list[dict[str, Any]]:
        rows = upgraded.page("/alerts?state=all&limit=200")["rows"]
        return [row for row in rows if row["kind"] == "DEADLINE" and row["execution_id"] == execution_id]

    (alert,) = wait_for(look, "the alert of the missed deadline")
    assert alert["dag_id"] == DAGS["deferred"]
    assert "within 3 minutes" in alert["message"]


def test_airflow_shows_the_old_runs(upgraded: Upgraded) -> None:
    old = {(row["dag_id"], row["run_id"]) for row in restore.rows_of("airflow", "public.dag_run")}
    assert len(old) >= 14
    for dag_id, run_id in old:
        if dag_id in DAGS.values():
            assert kills.tasks(upgraded.etl, dag_id, run_id)
    errors = upgraded.etl.airflow("GET", "/importErrors")["import_errors"]
    assert errors == []
