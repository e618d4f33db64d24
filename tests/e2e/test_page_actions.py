"""The page starts, follows and cancels runs in a real Airflow, as its user; and the ways between the two."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.monitoring import PAGE, is_known, wait_for
from tests.e2e.stack import Etl

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
]
LEAGUE, DAG = 564, "sportmonks_la_liga"


@pytest.fixture(scope="module")
def seasons(etl: Etl) -> dict[int, int]:
    """Fixtures per season of the league, oldest first, whose DAG is there and unpaused."""
    if not is_known(etl, DAG):
        wait_for(lambda: is_known(etl, "sportmonks_catalog"), "the DAG of the catalog")
        etl.wait_for_run("sportmonks_catalog", etl.trigger("sportmonks_catalog"))
        wait_for(lambda: is_known(etl, DAG), DAG)
    chunks = etl.sandbox("GET", "/_admin/truth")["chunks"]
    found = {chunk["season_id"]: chunk["fixtures"] for chunk in chunks if chunk["league_id"] == LEAGUE}
    return dict(sorted(found.items()))


@pytest.fixture(scope="module")
def browser(etl: Etl) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        found, page = etl.signed_in(playwright)
        page.close()
        yield found
        found.close()


@pytest.fixture(scope="module")
def admin(etl: Etl, browser: Browser) -> Page:
    return etl.sign_in(browser)  # type: ignore[no-any-return]


def open_form(etl: Etl, page: Page, *seasons: int) -> None:
    page.goto("about:blank")
    page.goto(f"{etl.url}{PAGE}/#/start?chunks={','.join(f'{LEAGUE}_{season}' for season in seasons)}")
    expect(page.get_by_role("heading", name="Estimate or collect")).to_be_visible(timeout=30_000)


def begin(page: Page, button: str) -> str:
    """Id of the runs that the form starts."""
    page.get_by_role("button", name=button).click()
    page.wait_for_url(re.compile("#/backfill/"), timeout=60_000)
    return page.url.rpartition("/")[2]


def test_an_estimate_is_a_run_of_its_user(etl: Etl, admin: Page, seasons: dict[int, int]) -> None:
    chosen = list(seasons)[:2]
    open_form(etl, admin, *chosen)
    run_id = begin(admin, "Estimate")
    row = admin.locator("tbody tr", has_text="La Liga")
    expect(row.locator(".badge")).to_contain_text("COMPLETED", timeout=120_000)
    assert etl.wait_for_run(DAG, run_id) == "success"
    run = etl.airflow("GET", f"/dags/{DAG}/dagRuns/{run_id}")
    assert run["conf"] == {"seasons": chosen, "dry_run": True}
    assert (run["triggering_user_name"], run["triggered_by"], run["run_type"]) == ("admin", "ui", "manual")
    logged = etl.airflow("GET", f"/eventLogs?dag_id={DAG}&event=trigger_dag_run&order_by=-when&limit=1")["event_logs"]
    assert logged[0]["owner"] == "admin"
    (execution,) = etl.rows("SELECT execution_id, estimate FROM etl.etl_executions WHERE run_id = %s", run_id)
    expect(row).to_contain_text(str(execution["estimate"]["fixtures"]))
    assert execution["estimate"]["fixtures"] > 0

    # From the page to the run, and from Airflow's tabs and links to the page.
    row.get_by_role("link", name="run").click()
    admin.wait_for_url(re.compile(f"/dags/{DAG}/runs/{run_id}"))
    links = etl.airflow("GET", f"/dags/{DAG}/dagRuns/{run_id}/taskInstances/start/links")["extra_links"]
    admin.goto(f"{etl.url}/{links['ETL dashboard']}")
    admin.wait_for_url(re.compile(f"#/run/{execution['execution_id']}"))
    admin.goto(f"{etl.url}/dags/{DAG}/runs/{run_id}/tasks/start/details")
    link = admin.get_by_role("link", name="ETL dashboard").first
    expect(link).to_be_visible(timeout=30_000)
    assert link.evaluate("e => e.href") == f"{etl.url}/{links['ETL dashboard']}"
    for place, tab, title in (
        (f"/dags/{DAG}", "ETL league", re.compile("^La Liga$")),
        (f"/dags/{DAG}/runs/{run_id}", "ETL run", re.compile(f"{DAG}$")),
        (f"/dags/{DAG}/runs/{run_id}/tasks/start", "ETL season", re.compile(f"{DAG}$")),
        (f"/dags/{DAG}/tasks/start", "ETL season", re.compile("^La Liga$")),
    ):
        admin.goto(f"{etl.url}{place}")
        admin.get_by_role("link", name=tab).first.click()
        expect(admin.frame_locator("iframe").get_by_role("heading", name=title)).to_be_visible(timeout=30_000)


def test_cancelled_runs_close_in_the_warehouse(etl: Etl, admin: Page, seasons: dict[int, int]) -> None:
    season = min(seasons)
    slow = {"kind": "slow", "seconds": 20, "rate": 1.0, "match": {"path": "/multi/", "season": season}}
    etl.sandbox("POST", "/_admin/faults", slow)
    try:
        open_form(etl, admin, season)
        first = begin(admin, "Collect")
        wait_for(lambda: open_chunks(etl, first), "a season that is collected")
        open_form(etl, admin, season)
        waiting = begin(admin, "Collect")
        expect(admin.locator("tbody tr", has_text="La Liga")).to_contain_text("QUEUED", timeout=30_000)
        for run_id in (waiting, first):
            admin.goto(f"{etl.url}{PAGE}/#/backfill/{run_id}")
            admin.locator("#cancel-all").click()
            admin.get_by_role("button", name="Stop them").click()
            expect(admin.locator("#notes")).to_contain_text("La Liga: stopped.")
        assert etl.wait_for_run(DAG, first) == "failed"
        assert etl.wait_for_run(DAG, waiting) in ("success", "failed")
    finally:
        etl.sandbox("DELETE", "/_admin/faults")
    (execution,) = etl.rows("SELECT status, error_message FROM etl.etl_executions WHERE run_id = %s", first)
    assert execution["status"] == "FAILED"
    assert execution["error_message"]
    assert open_chunks(etl, first) == []
    # And the season is free for the next run at once.
    chunk = etl.rows("SELECT status, owner FROM etl.chunks WHERE season_id = %s", season)
    assert chunk == [{"status": "FAILED", "owner": None}]
    # The run that had not begun has no execution, and its last tasks have nothing to close.
    assert etl.rows("SELECT 1 FROM etl.etl_executions WHERE run_id = %s", waiting) == []
    assert etl.failures(DAG, waiting) == {}
    for run_id in (waiting, first):
        admin.goto("about:blank")
        admin.goto(f"{etl.url}{PAGE}/#/backfill/{run_id}")
        expect(admin.locator(".badge")).to_contain_text("CANCELLED", timeout=30_000)


def open_chunks(etl: Etl, run_id: str) -> list[dict[str, Any]]:
    return etl.rows(
        "SELECT c.season_id FROM etl.execution_chunks c JOIN etl.etl_executions e USING (execution_id)"
        " WHERE e.run_id = %s AND c.status = 'RUNNING'",
        run_id,
    )


def test_a_viewer_is_refused_with_a_sentence(etl: Etl, browser: Browser, seasons: dict[int, int]) -> None:
    before = etl.newest_run(DAG)
    page = etl.sign_in(browser, "viewer")
    open_form(etl, page, min(seasons))
    expect(page.locator("#problems")).to_contain_text(f"Your Airflow role may not trigger {DAG}, the DAG of La Liga.")
    expect(page.get_by_role("button", name="Collect")).to_be_disabled()
    # The decision is Airflow's, also for a page that does not look first.
    for call, what in ((f"trigger('{DAG}', 'page__x', {{}})", "trigger"), (f"stop('{DAG}', '{before}')", "stop")):
        refused = page.evaluate(f"import('./static/js/airflow.js').then((m) => m.{call}).catch((e) => e.message)")
        assert refused == f"Your Airflow role may not {what} runs of {DAG}."
    page.close()
    body = {"leagues": [{"league_id": LEAGUE}], "params": {}}
    headers = {"Authorization": f"Bearer {etl.token('viewer')}"}
    answer = requests.post(f"{etl.url}{PAGE}/api/runs/check", json=body, headers=headers, timeout=60).json()
    assert "may not trigger" in answer["problems"][0]["detail"]
    assert etl.newest_run(DAG) == before
