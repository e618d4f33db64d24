"""Watching, in a real Airflow: the page behind its login, a missed deadline that becomes one alert and is resolved."""

from __future__ import annotations

import shutil
import time
from typing import Any

import pytest
import requests

from tests.e2e.conftest import Etl

pytestmark = pytest.mark.timeout(600)

PAGE = "/sportmonks-etl"
QUESTIONS = (
    "overview",
    "executions",
    "coverage",
    "logs",
    "metrics",
    "budgets",
    "alerts",
    "changes",
    "export/alerts.json",
)


@pytest.fixture(scope="module")
def collected(etl: Etl) -> None:
    """Something to look at."""
    done = etl("run", "--league", "8")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("question", QUESTIONS)
def test_nothing_is_answered_without_a_login(etl: Etl, collected: None, question: str) -> None:
    url = f"{etl.url}{PAGE}/api/{question}"
    assert requests.get(url, timeout=30).status_code == 401
    assert requests.get(url, headers={"Authorization": "Bearer nonsense"}, timeout=30).status_code in (401, 403)
    assert requests.get(url, headers={"Authorization": f"Bearer {etl.token}"}, timeout=30).status_code == 200


def test_the_page_itself_needs_a_login(etl: Etl, collected: None) -> None:
    assert requests.get(f"{etl.url}{PAGE}/", timeout=30, allow_redirects=False).status_code in (302, 307, 401, 403)


def test_a_cookie_alone_changes_nothing(etl: Etl, collected: None) -> None:
    url = f"{etl.url}{PAGE}/api/alerts/1/acknowledge"
    forged = requests.post(url, cookies={"_token": etl.token}, headers={"Origin": "http://evil.example"}, timeout=30)
    assert forged.status_code == 403


def test_a_missed_deadline_is_one_alert_and_is_resolved_by_a_good_run(etl: Etl, collected: None) -> None:
    """The league DAGs of these tests have a deadline of one minute."""
    _good_run_and_watch(etl)
    (before,) = etl.rows("SELECT coalesce(max(alert_id), 0) AS id FROM etl.etl_alerts")
    etl.sandbox("POST", "/_admin/faults", {"kind": "slow", "seconds": 30, "rate": 1.0, "match": {"path": "/multi/"}})
    try:
        late = etl("run", "--league", "8", "--force", "--batch-size", "10", "--no-follow")
        assert late.returncode == 0, late.stderr
        run = etl.newest_run("sportmonks_premier_league")
        alert = _wait_for_alert(etl, before["id"])
        assert alert["status"] == "OPEN"
        assert run in alert["message"]
        assert alert["mend"]
    finally:
        etl.sandbox("DELETE", "/_admin/faults")
    assert etl.wait_for_run("sportmonks_premier_league", run) == "success"
    _good_run_and_watch(etl)
    states = etl.rows("SELECT status FROM etl.etl_alerts WHERE kind = 'DEADLINE' AND alert_id > %s", before["id"])
    assert [row["status"] for row in states] == ["RESOLVED"]


def _good_run_and_watch(etl: Etl) -> None:
    good = etl("run", "--league", "8")
    assert good.returncode == 0, good.stdout + good.stderr
    etl.airflow("POST", "/dags/etl_watch/dagRuns", {"logical_date": None})
    assert etl.wait_for_run("etl_watch", etl.newest_run("etl_watch")) == "success"


def _wait_for_alert(etl: Etl, after: int, seconds: float = 150) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = etl.rows("SELECT * FROM etl.etl_alerts WHERE kind = 'DEADLINE' AND alert_id > %s", after)
        if found:
            assert len(found) == 1
            return found[0]
        time.sleep(2)
    raise AssertionError("no deadline alert came")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_from_the_heat_map_to_a_season_in_airflow(etl: Etl, collected: None) -> None:
    from playwright.sync_api import expect, sync_playwright

    with sync_playwright() as playwright:
        browser, page = etl.signed_in(playwright)
        page.goto(f"{etl.url}/plugin/sportmonks-etl")
        frame = page.frame_locator("iframe").first
        expect(frame.get_by_role("heading", name="Health")).to_be_visible(timeout=30_000)
        frame.get_by_role("link", name="Coverage").click()
        frame.locator("a.heat[data-chunk^='8_']").first.click()
        expect(frame.get_by_text("Premier League").first).to_be_visible()
        browser.close()
