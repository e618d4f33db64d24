"""Estimate and Collect in a real browser: from the cells of coverage to runs in Airflow, their progress, their end."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.dashboard.test_actions import start
from tests.dashboard.test_browser import CONTRAST
from tests.harness.airflow_api import AirflowApi
from tests.harness.browser import open_page

pytestmark = pytest.mark.browser


def form(page: Page, address: str, choice: str) -> None:
    page.goto("about:blank")
    page.goto(f"{address}/#/start?{choice}")
    expect(page.get_by_role("heading", name="Estimate or collect")).to_be_visible()


def test_from_cells_to_an_estimate_and_from_there_to_a_collection(
    page: Page, airflow: AirflowApi, seeded: psycopg.Connection[Any]
) -> None:
    page.get_by_role("link", name="Coverage", exact=True).click()
    page.get_by_role("button", name="Choose seasons").click()
    page.locator("a.heat[data-chunk='3_3001']").click()
    page.locator("a.heat[data-chunk='1_1002']").focus()
    page.keyboard.press("Space")
    expect(page.locator("#chosen-count")).to_have_text("2 seasons of 2 leagues")
    expect(page.locator("a.heat.chosen")).to_have_count(2)
    page.locator("a.heat[data-chunk='3_3001']").click()
    expect(page.locator("#chosen-count")).to_have_text("1 season of 1 league")
    page.locator("a.heat[data-chunk='3_3001']").click()
    page.locator("#chosen-start").click()
    expect(page.locator("main")).to_contain_text("Premier League: 2024/2025")
    expect(page.locator("main")).to_contain_text("Serie A: 2025/2026")
    page.get_by_label("Kick-off from").fill("2026-01-02")
    page.get_by_label("At most so many fixtures").fill("7")
    page.get_by_text("More", exact=True).click()
    page.get_by_label("Data of each fixture").fill("scores, events")
    page.get_by_label("Go on where it stopped").uncheck()
    page.get_by_role("button", name="Estimate").click()
    expect(page.locator("main")).to_contain_text("0 of 2 leagues are done")
    params = {
        "date_from": "2026-01-02",
        "max_fixtures": 7,
        "includes": ["scores", "events"],
        "continue_from_checkpoint": False,
        "dry_run": True,
    }
    # In the order in which the cells were chosen.
    assert [(run["dag_id"], run["conf"], run["triggering_user_name"]) for run in airflow.runs] == [
        ("sportmonks_premier_league", {**params, "seasons": [1002]}, "admin"),
        ("sportmonks_serie_a", {**params, "seasons": [3001]}, "admin"),
    ]
    (run_id,) = {run["dag_run_id"] for run in airflow.runs}
    assert f"#/backfill/{run_id}" in page.url
    row = page.locator("tbody tr", has_text="Premier League")
    expect(row).to_contain_text("QUEUED")

    execution = start(seeded, "sportmonks_premier_league", run_id)
    seeded.execute(
        "UPDATE etl.etl_executions SET planned_at = now(), config = '{\"dry_run\": true}',"
        ' estimate = \'{"fixtures": 380, "calls": {"Fixture": 8}, "minutes": 0.1}\' WHERE execution_id = %s',
        (execution,),
    )
    seeded.execute("SELECT etl.finish_etl_execution(%s)", (execution,))
    for run in airflow.runs:
        run["state"] = "success"
    expect(row).to_contain_text("COMPLETED", timeout=9000)
    expect(row).to_contain_text("380")
    expect(row.get_by_role("link", name="run")).to_have_attribute(
        "href", f"/dags/sportmonks_premier_league/runs/{run_id}"
    )
    page.get_by_role("link", name="Collect this").click()
    expect(page.locator("main")).to_contain_text("Serie A: 2025/2026")
    expect(page.get_by_label("At most so many fixtures")).to_have_value("7")
    expect(page.get_by_label("Go on where it stopped")).not_to_be_checked()
    page.get_by_role("button", name="Collect").click()
    expect(page.get_by_role("heading", name="Collection")).to_be_visible()
    assert "dry_run" not in airflow.runs[-1]["conf"]
    assert len(airflow.runs) == 4


def test_from_a_season_and_from_a_league(page: Page, address: str, airflow: AirflowApi) -> None:
    page.goto(f"{address}/#/season/3/3002")
    page.get_by_role("link", name="Estimate or collect").click()
    expect(page.locator("main")).to_contain_text("Serie A: 2024/2025")
    page.get_by_role("link", name="Serie A").click()
    expect(page.get_by_role("heading", name="Newest runs")).to_be_visible()
    page.get_by_role("link", name="Estimate or collect").click()
    expect(page.locator("main")).to_contain_text("Serie A: all seasons with something due")
    page.get_by_role("button", name="Collect").click()
    expect(page.get_by_role("heading", name="Collection")).to_be_visible()
    assert [run["conf"] for run in airflow.runs] == [{}]


def test_progress_and_cancel(page: Page, address: str, airflow: AirflowApi, seeded: psycopg.Connection[Any]) -> None:
    form(page, address, "leagues=1,3,4")
    page.get_by_role("button", name="Collect").click()
    expect(page.locator("main")).to_contain_text("0 of 3 leagues are done")
    run_id = airflow.runs[0]["dag_run_id"]
    execution = start(seeded, "sportmonks_serie_a", run_id)
    seeded.execute(
        "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, position, status, planned, processed,"
        " saved, failed, api_calls, started_at, finished_at, error_message) VALUES"
        " (%(id)s, 3, 3001, 1, 'COMPLETED', 40, 40, 40, 0, 2, now(), now(), NULL),"
        " (%(id)s, 3, 3002, 2, 'FAILED', 40, 10, 7, 3, 1, now(), now(), 'The API answered 400.'),"
        " (%(id)s, 3, 3003, 3, 'RUNNING', 40, 4, 4, 0, 1, now(), NULL, NULL)",
        {"id": execution},
    )
    airflow.find("sportmonks_serie_a", run_id)["state"] = "running"
    row = page.locator("tbody tr", has_text="Serie A")
    expect(row).to_contain_text("1 of 3", timeout=9000)
    expect(row).to_contain_text("51 of 120 saved")
    expect(row).to_contain_text("2024/2025: The API answered 400.")
    page.get_by_role("button", name="Cancel Bundesliga").click()
    expect(page.locator("#notes")).to_contain_text("Bundesliga: stopped.")
    assert [run["state"] for run in airflow.runs] == ["queued", "running", "failed"]
    page.locator("#cancel-all").click()
    # A refresh leaves the question open, and the focus on its first answer.
    page.evaluate("document.getElementById('cancel-all').dataset.old = 'yes'")
    page.wait_for_selector("#cancel-all:not([data-old])", state="attached")
    expect(page.get_by_role("button", name="Stop them")).to_be_focused()
    page.get_by_role("button", name="Let them go on").click()
    expect(page.locator("#cancel-all")).to_be_focused()
    page.locator("#cancel-all").click()
    page.get_by_role("button", name="Stop them").click()
    expect(page.locator("main")).to_contain_text("3 of 3 leagues are done")
    expect(page.locator(".badge.cancelled")).to_have_count(3)
    assert {run["note"] for run in airflow.runs} == {"Cancelled on the ETL dashboard."}
    row.get_by_role("link", name="Serie A").click()
    page.get_by_role("link", name="all that was started with it").click()
    expect(page.locator("main")).to_contain_text("3 of 3 leagues are done")


@pytest.mark.parametrize(
    ("dag", "refusal", "words"),
    [
        ({"is_paused": True}, None, "sportmonks_serie_a is paused: a run of it would not begin."),
        ({"has_import_errors": True}, None, "sportmonks_serie_a cannot be imported."),
        (None, None, "Airflow has no DAG sportmonks_serie_a."),
        ({}, (400, "Invalid input for param max_fixtures"), "Invalid input for param max_fixtures"),
        ({}, (403, "Forbidden"), "Your Airflow role may not trigger runs of sportmonks_serie_a."),
        ({}, (500, "Internal"), "sportmonks_serie_a: Internal"),
    ],
)
def test_what_airflow_refuses_is_a_sentence(
    page: Page,
    address: str,
    airflow: AirflowApi,
    faults: list[str],
    dag: Any,
    refusal: Any,
    words: str,
) -> None:
    if dag is None:
        del airflow.dags["sportmonks_serie_a"]
    else:
        airflow.dags["sportmonks_serie_a"].update(dag)
    if refusal:
        airflow.refusals["sportmonks_serie_a"] = refusal
    form(page, address, "leagues=1,3")
    page.get_by_role("button", name="Estimate").click()
    problems = page.locator("#problems")
    expect(problems).to_contain_text(words)
    expect(problems).to_contain_text("1 of 2 runs were started" if refusal else "Nothing was started.")
    assert len(airflow.runs) == (1 if refusal else 0)
    expect(page.get_by_role("button", name="Estimate")).to_be_enabled()
    faults[:] = [fault for fault in faults if "Failed to load resource" not in fault]


def test_a_choice_that_makes_no_sense(page: Page, address: str, airflow: AirflowApi) -> None:
    form(page, address, "")
    expect(page.locator("main")).to_contain_text("Nothing is chosen.")
    form(page, address, "chunks=1_7")
    page.get_by_role("button", name="Collect").click()
    expect(page.locator("#problems")).to_contain_text("Premier League has no season '7'.")
    form(page, address, "leagues=1,99")
    expect(page.locator("#problems")).to_contain_text("League 99 is not followed.")
    expect(page.get_by_role("button", name="Collect")).to_be_disabled()
    page.get_by_role("listitem").filter(has_text="League 99").get_by_role("link", name="leave out").click()
    expect(page.locator("main")).not_to_contain_text("League 99")
    page.get_by_label("Kick-off from").fill("2026-02-01")
    page.get_by_label("Kick-off until").fill("2026-01-01")
    page.get_by_role("button", name="Collect").click()
    expect(page.locator("#problems")).to_contain_text("date_from 2026-02-01 is after date_to 2026-01-01.")
    assert airflow.runs == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_viewer_on_a_phone(
    browser: Browser,
    address: str,
    airflow: AirflowApi,
    faults: list[str],
    seeded: psycopg.Connection[Any],
    theme: str,
) -> None:
    page = open_page(browser, address, faults, viewport={"width": 360, "height": 740}, color_scheme=theme)
    page.context.add_cookies([{"name": "_token", "value": "viewer", "url": address}])
    airflow.runs.append(
        {
            "dag_id": "sportmonks_serie_a",
            "dag_run_id": "page__20261126T041618Z_ab12cd",
            "state": "running",
            "note": None,
            "conf": {},
            "triggering_user_name": "admin",
        }
    )
    start(seeded, "sportmonks_serie_a")
    for place in ("start?leagues=3", "league/3", "backfill/page__20261126T041618Z_ab12cd"):
        page.goto("about:blank")
        page.goto(f"{address}/#/{place}")
        expect(page.locator("main[aria-busy='false']")).to_be_visible()
        if place.startswith("start"):
            expect(page.locator("#problems")).to_contain_text("Your Airflow role may not trigger sportmonks_serie_a")
            expect(page.get_by_role("button", name="Collect")).to_be_disabled()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, place
        assert page.evaluate(CONTRAST) == [], place
    page.get_by_role("button", name="Cancel Serie A").click()
    expect(page.locator("#notes")).to_contain_text("Your Airflow role may not stop runs of sportmonks_serie_a.")
    assert airflow.runs[0]["state"] == "running"
    page.context.close()
    assert [fault for fault in faults if "403" not in fault] == []
