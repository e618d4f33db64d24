"""The main job, as a user does it: run a league, run it again, lose a season, clear it, look at the grid."""

from __future__ import annotations

import json
import re
import shutil
from typing import Any

import pytest
import requests

from tests.e2e.stack import Etl
from tests.local.cli.test_scripting import documented

pytestmark = pytest.mark.timeout(600)

LEAGUE, DAG = "8", "sportmonks_premier_league"
SEASON_FIXTURES = 30  # six teams, home and away
# Every write to a row of fixtures that are not due would show here, bookkeeping included.
SNAPSHOT = "SELECT id, xmin::text AS version, updated_at FROM football.fixtures WHERE NOT (id = ANY (%s)) ORDER BY id"


def batch_calls(etl: Etl) -> int:
    """Calls to /fixtures/multi since the last reset."""
    paths = etl.sandbox("GET", "/_admin/calls?last=0")["by_path"]
    return sum(count for path, count in paths.items() if "/multi/" in path)


def truth(etl: Etl) -> dict[int, int]:
    """Fixtures per season of the league, as the API has them."""
    chunks = etl.sandbox("GET", "/_admin/truth")["chunks"]
    return {chunk["season_id"]: chunk["fixtures"] for chunk in chunks if chunk["league_id"] == int(LEAGUE)}


def stored(etl: Etl) -> dict[int, int]:
    found = etl.rows(
        "SELECT f.season_id, count(*) AS n FROM football.fixtures f JOIN raw.fixtures r ON r.fixture_id = f.id"
        " WHERE f.league_id = %s AND f.collection_status = 'COLLECTED' GROUP BY 1",
        int(LEAGUE),
    )
    return {row["season_id"]: row["n"] for row in found}


@pytest.fixture(scope="module")
def collected(etl: Etl) -> Any:
    """The league after its first run."""
    done = etl("run", "--league", LEAGUE)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_every_fixture_of_the_league_arrives(etl: Etl, collected: Any) -> None:
    assert stored(etl) == truth(etl) == dict.fromkeys(truth(etl), SEASON_FIXTURES)
    (summary,) = etl.rows("SELECT * FROM etl.get_etl_execution_summary()")
    assert summary["status"] == "COMPLETED"
    assert summary["processed_fixtures"] == summary["successful_fixtures"] == 3 * SEASON_FIXTURES
    assert (summary["total_chunks"], summary["processed_chunks"]) == (3, 3)
    # An index and a batch of each season.
    assert (summary["api_calls"], summary["failed_calls"], summary["missing_fixtures"]) == (6, 0, 0)


def test_checkpoints_and_results_are_where_people_look(etl: Etl, collected: Any) -> None:
    names = [row["key"] for row in etl.airflow("GET", "/variables?limit=100")["variables"]]
    assert sorted(name for name in names if name.startswith("sportmonks_ckpt__8__")) == sorted(
        f"sportmonks_ckpt__8__{season}" for season in truth(etl)
    )
    run = etl.newest_run(DAG)
    estimate = etl.airflow("GET", f"/dags/{DAG}/dagRuns/{run}/taskInstances/start/xcomEntries/return_value")
    assert "never_collected" in str(estimate["value"])


def test_batches_are_compared_with_single_calls(etl: Etl, collected: Any) -> None:
    before = etl.rows("SELECT count(*) AS n, max(updated_at) AS at FROM football.fixtures")
    done = etl("compare", "--test", "all", "--league-id", LEAGUE, "--fixture-count", "6", "--batch-size", "6")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "6.0 times fewer calls" in done.stdout
    assert "6 of 6 fixtures are the same both times" in done.stdout
    assert etl.rows("SELECT count(*) AS n, max(updated_at) AS at FROM football.fixtures") == before


def test_a_second_run_reads_indexes_and_writes_nothing(etl: Etl, collected: Any) -> None:
    # A match may be live just now, or be over since; only that may be read again.
    due = etl.rows("SELECT id FROM football.fixtures WHERE next_due_at <= now() + interval '3 minutes'")
    before = etl.rows(SNAPSHOT, [row["id"] for row in due])
    etl.sandbox("DELETE", "/_admin/calls")
    again = etl("run", "--league", LEAGUE)
    assert again.returncode == 0, again.stdout + again.stderr
    assert batch_calls(etl) <= len(due)
    assert etl.sandbox("GET", "/_admin/calls")["fixtures_requested"] <= len(due)
    assert etl.rows(SNAPSHOT, [row["id"] for row in due]) == before


def test_a_failed_season_leaves_the_others_done_and_finishes_when_cleared(etl: Etl, collected: Any) -> None:
    season = min(truth(etl))
    etl.sandbox("POST", "/_admin/faults", {"kind": "season_down", "match": {"season": season}})
    failed = etl("run", "--league", LEAGUE, "--force")
    assert failed.returncode == 1, failed.stdout + failed.stderr
    run = etl.newest_run(DAG)
    states = _states(etl, run)
    groups = {task.split(".")[0] for task in states if task.startswith("season_")}
    broken = {group for group in groups if states[f"{group}.collect"] == "failed"}
    assert len(broken) == 1
    assert all(states[f"{group}.collect"] == "success" for group in groups - broken)
    assert {group for group in groups if states[f"{group}.close"] == "skipped"} == groups - broken
    assert {states[f"{group}.close"] for group in broken} == {"success"}
    execution = etl.rows("SELECT * FROM etl.get_etl_execution_summary()")[0]
    assert execution["status"] == "FAILED"
    assert execution["processed_fixtures"] == 2 * SEASON_FIXTURES
    assert execution["error_message"]

    etl.sandbox("DELETE", "/_admin/faults")
    (group,) = broken
    body = {
        "dag_run_id": run,
        "task_ids": [f"{group}.collect"],
        "include_downstream": True,
        "only_failed": True,
        "reset_dag_runs": True,
        "dry_run": False,
    }
    etl.airflow("POST", f"/dags/{DAG}/clearTaskInstances", body)
    assert etl.wait_for_run(DAG, run) == "success"
    healed = etl.rows("SELECT * FROM etl.get_etl_execution_summary(%s)", execution["execution_id"])[0]
    assert healed["status"] == "COMPLETED", healed
    assert healed["processed_fixtures"] == healed["successful_fixtures"] == 3 * SEASON_FIXTURES


def _states(etl: Etl, run: str) -> dict[str, str]:
    found = etl.airflow("GET", f"/dags/{DAG}/dagRuns/{run}/taskInstances?limit=100")["task_instances"]
    return {row["task_id"]: row["state"] for row in found}


def test_a_dry_run_prints_an_estimate_and_makes_no_batch_call(etl: Etl, collected: Any) -> None:
    etl.sandbox("DELETE", "/_admin/calls")
    dry = etl("run", "--league", LEAGUE, "--dry-run", "--force")
    assert dry.returncode == 0, dry.stdout + dry.stderr
    assert f"forced {3 * SEASON_FIXTURES}" in dry.stdout
    assert batch_calls(etl) == 0


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--league", "Premier Leage"], "Premier League"),
        (["--league", "8", "--batch-size", "0"], "--batch-size"),
        (["--league", "8", "--batch-size", "1000"], "--batch-size"),
        (["--league", "8", "--season", "1999/2000"], "1999/2000"),
    ],
)
def test_nonsense_is_refused_before_anything_starts(etl: Etl, collected: Any, arguments: list[str], named: str) -> None:
    newest = etl.newest_run(DAG)
    refused = etl("run", *arguments)
    assert refused.returncode == 2
    assert named in refused.stderr
    assert etl.newest_run(DAG) == newest


def document(etl: Etl, *words: str) -> dict[str, Any]:
    """What a command prints with ``-o json``; it has to succeed and to print nothing else."""
    done = etl(*words, "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    return dict(json.loads(done.stdout))


def test_commands_that_work_print_the_documented_fields(etl: Etl, collected: Any) -> None:
    for words in (["up"], ["routes", "create"], ["demo", "--seasons", "current", "--yes"]):
        assert document(etl, *words).keys() == documented(" ".join(words[:2] if words[0] == "routes" else words[:1]))
    run = document(etl, "run", "--league", LEAGUE, "--dry-run")
    assert run.keys() == documented("run")
    assert run["runs"][0].keys() == documented("run: runs")
    assert run["runs"][0]["state"] == "success"
    compared = document(etl, "compare", "--test", "compare", "--league-id", LEAGUE, "--fixture-count", "2")
    assert compared.keys() == documented("compare")


def test_airflows_own_commands_reach_the_database_of_the_stack(etl: Etl, collected: Any) -> None:
    listed = etl("airflow", "dags", "list", "--output", "json")
    assert listed.returncode == 0, listed.stderr
    assert DAG in listed.stdout
    cleaned = etl(
        "airflow", "db", "clean", "--clean-before-timestamp", "2000-01-01", "--skip-archive", "--yes", "--dry-run"
    )
    assert cleaned.returncode == 0, cleaned.stderr
    assert "dag_run" in cleaned.stdout
    wrong = etl("airflow", "dags", "lst")
    assert wrong.returncode == 2
    password = etl.dsn.rpartition("@")[0].rpartition(":")[2]
    for done in (listed, cleaned, wrong):
        assert password not in done.stdout + done.stderr


def test_the_api_refuses_bad_parameters_by_name(etl: Etl, collected: Any) -> None:
    with pytest.raises(requests.HTTPError) as refused:
        etl.airflow("POST", f"/dags/{DAG}/dagRuns", {"logical_date": None, "conf": {"batch_size": 1000}})
    assert refused.value.response.status_code == 400
    assert "batch_size" in refused.value.response.text


def test_the_key_is_in_no_log_row_or_answer(etl: Etl, collected: Any) -> None:
    key = "demo-key"
    for log in (etl.home / "airflow" / "logs").rglob("*.log"):
        assert key not in log.read_text(errors="replace"), log
    assert not etl.rows(
        "SELECT 1 FROM etl.etl_logs WHERE message LIKE %s OR details::text LIKE %s", f"%{key}%", f"%{key}%"
    )
    assert set(etl.sandbox("GET", "/_admin/calls")["by_token"]) <= {"header"}


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_the_grid_shows_the_current_season_first(etl: Etl, collected: Any) -> None:
    """The earlier ones are in one group below, which is closed until somebody opens it."""
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser, page = etl.signed_in(playwright)
        page.goto(f"{etl.url}/dags/{DAG}")
        current, earlier, older = (
            page.get_by_text(name, exact=True).first
            for name in ("season_2026_2027", "Earlier seasons", "season_2024_2025")
        )
        expect(earlier).to_be_visible(timeout=30_000)
        expect(current).to_be_visible()
        expect(older).to_have_count(0)
        above, below = current.bounding_box(), earlier.bounding_box()
        assert above is not None
        assert below is not None
        assert above["y"] < below["y"]
        page.get_by_role("button", name=re.compile("expand", re.IGNORECASE)).first.click()
        expect(older).to_be_visible()
        browser.close()
