"""The page in a browser: inside Airflow, behind its login, while leagues are being collected."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, expect, sync_playwright

from tests.e2e.monitoring import LATE, SEASON, FailingLeagues, wait_for
from tests.e2e.stack import Etl

pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
]

DAG = next(iter(LATE))
TIMEOUT_MS = 120_000  # ms; the machine may be busy


@pytest.fixture(scope="module")
def browser(etl: Etl) -> Iterator[tuple[Browser, Page]]:
    with sync_playwright() as playwright:
        opened = etl.signed_in(playwright)
        yield opened
        opened[0].close()


@pytest.fixture
def page(etl: Etl, browser: tuple[Browser, Page]) -> Page:
    """Airflow's page with ours in its frame."""
    _, found = browser
    found.goto(f"{etl.url}/plugin/sportmonks-etl")
    return found


@pytest.fixture
def frame(page: Page) -> FrameLocator:
    found = page.frame_locator("iframe").first
    expect(found.get_by_role("heading", name="Health")).to_be_visible(timeout=TIMEOUT_MS)
    return found


def share(strong: Locator) -> int:
    return int(strong.inner_text().removesuffix(" %"))


def test_a_run_is_seen_moving(etl: Etl, failing_leagues: FailingLeagues, frame: FrameLocator) -> None:
    row = frame.locator(".runlist li").filter(has=frame.get_by_role("progressbar", name=re.compile(DAG)))
    shown = row.locator("strong")
    expect(row).to_contain_text("of 30 fixtures", timeout=TIMEOUT_MS)
    before = shown.inner_text()
    expect(shown).not_to_have_text(before, timeout=TIMEOUT_MS)
    assert share(shown) > int(before.removesuffix(" %"))
    expect(row.get_by_role("progressbar")).to_have_attribute("value", re.compile(r"^\d+$"))
    row.get_by_role("link").click()
    expect(frame.get_by_role("heading", name=re.compile(DAG))).to_be_visible(timeout=TIMEOUT_MS)
    expect(frame.get_by_role("region", name="Seasons of this run")).to_contain_text(SEASON)


def test_from_the_heat_map_to_a_season(failing_leagues: FailingLeagues, frame: FrameLocator) -> None:
    frame.get_by_role("link", name="Coverage").click()
    cell = frame.locator(f"a.heat[data-chunk='{LATE[DAG]}_{failing_leagues.seasons[DAG]}']")
    cell.click(timeout=TIMEOUT_MS)
    expect(frame.get_by_role("heading", name=SEASON)).to_be_visible(timeout=TIMEOUT_MS)
    expect(frame.get_by_text("Superliga").first).to_be_visible()


def test_logs_by_level_and_text(etl: Etl, failing_leagues: FailingLeagues, frame: FrameLocator) -> None:
    wait_for(lambda: etl.rows("SELECT 1 FROM etl.etl_logs WHERE level = 'ERROR'"), "an error in the logs")
    frame.get_by_role("link", name="Logs").click()
    lines = frame.locator("ul.lines li")
    infos, errors = lines.filter(has=frame.locator(".badge.info")), lines.filter(has=frame.locator(".badge.error"))
    expect(infos.first).to_be_visible(timeout=TIMEOUT_MS)

    frame.get_by_label("Level").select_option("ERROR")
    expect(infos).to_have_count(0, timeout=TIMEOUT_MS)
    expect(errors.first).to_be_visible()

    frame.get_by_label("Level").select_option("")
    expect(infos.first).to_be_visible(timeout=TIMEOUT_MS)
    frame.get_by_label("Text").fill("execution FAILED")
    frame.get_by_role("button", name="Filter").click()
    expect(lines.filter(has_not_text="Execution failed")).to_have_count(0, timeout=TIMEOUT_MS)
    expect(lines.first).to_be_visible()

    frame.get_by_label("Text").fill("nobody ever wrote this")
    frame.get_by_role("button", name="Filter").click()
    expect(frame.get_by_text("No line matches.")).to_be_visible(timeout=TIMEOUT_MS)
    frame.get_by_role("link", name="Clear").click()
    expect(infos.first).to_be_visible(timeout=TIMEOUT_MS)


def test_an_export_is_downloaded(etl: Etl, failing_leagues: FailingLeagues, page: Page, frame: FrameLocator) -> None:
    frame.get_by_role("link", name="Coverage").click()
    expect(frame.locator("a.heat").first).to_be_visible(timeout=TIMEOUT_MS)
    stored = {(row["league_id"], row["season_id"]) for row in etl.rows("SELECT league_id, season_id FROM etl.chunks")}
    as_json = _downloaded(page, frame.get_by_role("link", name="JSON"), "sportmonks_etl_coverage.json")
    assert {(row["league_id"], row["season_id"]) for row in json.loads(as_json)} == stored
    as_csv = _downloaded(page, frame.get_by_role("link", name="CSV"), "sportmonks_etl_coverage.csv")
    found = csv.DictReader(io.StringIO(as_csv.removeprefix("\ufeff")))
    assert {(int(row["league_id"]), int(row["season_id"])) for row in found} == stored


def _downloaded(page: Page, link: Locator, name: str) -> str:
    with page.expect_download(timeout=TIMEOUT_MS) as waiting:
        link.click()
    assert waiting.value.suggested_filename == name
    return waiting.value.path().read_text(encoding="utf-8")


def test_an_alert_is_acknowledged_by_a_click(etl: Etl, failing_leagues: FailingLeagues, frame: FrameLocator) -> None:
    """The deadline of a league passes while it is being collected; the first user to see the alert acknowledges it."""
    query = "SELECT status, acknowledged_by FROM etl.etl_alerts WHERE kind = 'DEADLINE' AND subject = %s"
    wait_for(lambda: etl.rows(query, DAG), f"an alert about {DAG}")
    frame.get_by_role("link", name="Alerts").click()
    alert = frame.locator("article.alert").filter(has_text=f"Deadline missed: {DAG}")
    alert.get_by_role("button", name="Acknowledge").click(timeout=TIMEOUT_MS)
    expect(alert.get_by_text("acknowledged by admin")).to_be_visible(timeout=TIMEOUT_MS)
    expect(alert.get_by_role("button")).to_have_count(0)
    assert etl.rows(query, DAG) == [{"status": "ACKNOWLEDGED", "acknowledged_by": "admin"}]


def test_a_viewer_may_look_and_sees_why_nothing_more_is_allowed(
    etl: Etl, failing_leagues: FailingLeagues, browser: tuple[Browser, Page]
) -> None:
    wait_for(lambda: etl.rows("SELECT 1 FROM etl.etl_alerts WHERE status = 'OPEN'"), "an open alert")
    page = etl.sign_in(browser[0], "viewer")
    page.goto(f"{etl.url}/plugin/sportmonks-etl")
    frame = page.frame_locator("iframe").first
    frame.get_by_role("link", name="Alerts").click(timeout=TIMEOUT_MS)
    expect(frame.locator("article.alert").first).to_be_visible(timeout=TIMEOUT_MS)
    expect(frame.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(frame.get_by_text("needs the right to edit the DAG etl_watch")).to_be_visible()
    page.context.close()
