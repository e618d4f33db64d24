"""The page tells the truth, in a real browser: what was never read, why a run failed, how long lists are, a fixture."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.harness.browser import open_page
from tests.harness.dashboard_seed import one_match

pytestmark = pytest.mark.browser
Warehouse = psycopg.Connection[Any]


def cells(page: Page, label: str) -> Any:
    return page.locator(f"td[data-label='{label}']")


def test_coverage_shows_seasons_that_were_never_read(page: Page, address: str, seeded: Warehouse) -> None:
    seeded.execute(
        "INSERT INTO etl.chunks (league_id, season_id, league_name, season_name)"
        " VALUES (8, 8099, 'Primeira Liga', '1999')"
    )
    page.goto(f"{address}/#/coverage")
    cell = page.locator("a.heat[data-chunk='8_8099']")
    expect(cell).to_have_attribute("aria-label", "Primeira Liga 1999: never read")
    expect(cell).to_have_text("–")
    page.locator("#only").select_option("unread")
    expect(page.locator(".heatmap tbody tr")).to_have_count(1)
    page.locator("a.heat[data-chunk='8_8099']").click()
    expect(page.locator(".badge").first).to_have_text("○ never read")
    expect(page.get_by_text("The season's index was never read.")).to_be_visible()


def test_the_badge_of_a_season_follows_its_data(page: Page, address: str, seeded: Warehouse) -> None:
    """Its newest run has completed, and yet it has a fifth of its fixtures."""
    seeded.execute(
        "UPDATE etl.chunks SET status = 'COMPLETED', collected_fixtures = 8 WHERE season_id = 2002;"
        "UPDATE football.fixtures SET next_due_at = now() - interval '1 hour', collection_status = 'PENDING'"
        " WHERE season_id = 2002 AND id % 10000 > 8"
    )
    page.goto(f"{address}/#/season/2/2002")
    badge = page.locator(".card .badge").first
    expect(badge).to_have_text("◐ 20 % collected")
    expect(page.locator("main")).to_contain_text("Due now32")
    page.goto(f"{address}/#/season/1/1003")
    expect(badge).to_have_text("✓ complete")


def test_a_failed_reread_is_noted_beside_what_the_data_say(page: Page, address: str, seeded: Warehouse) -> None:
    seeded.execute(
        "UPDATE etl.chunks SET status = 'FAILED', error_message = 'The API kept failing.' WHERE season_id = 1003"
    )
    page.goto(f"{address}/#/season/1/1003")
    badges = page.locator(".card .badge")
    expect(badges.nth(0)).to_have_text("✓ complete")
    expect(badges.nth(1)).to_have_text("↻ last re-read failed")
    expect(page.locator(".reason.attention")).to_have_text(
        "Nothing is missing, but the newest run failed: The API kept failing."
    )
    page.goto(f"{address}/#/league/1")
    row = page.locator("tr", has=page.locator("a[href='#/season/1/1003']"))
    expect(row.locator(".badge")).to_have_text(["✓ complete", "↻ last re-read failed"])
    page.goto(f"{address}/#/coverage?only=failed&league=Premier")
    cell = page.locator("a.heat[data-chunk='1_1003']")
    expect(cell).to_have_text("100↻")
    expect(cell).to_have_attribute("aria-label", re.compile(r", last re-read failed$"))


def test_a_dry_run_shows_its_estimate_first(page: Page, address: str, seeded: Warehouse) -> None:
    execution = seeded.execute(
        "UPDATE etl.etl_executions SET config = '{\"dry_run\": true}', total_fixtures = 0, processed_fixtures = 0,"
        " successful_fixtures = 0, total_chunks = 0, estimate = jsonb_set(estimate, '{chunks}',"
        ' \'[{"season_id": 3002, "season": "2024/2025", "fixtures": 120, "calls": 3, "priority": 1}]\')'
        " WHERE execution_id = (SELECT execution_id FROM etl.etl_executions"
        " WHERE status = 'COMPLETED' AND league_id = 3 ORDER BY started_at DESC LIMIT 1) RETURNING execution_id"
    ).fetchone()
    assert execution is not None
    seeded.execute("DELETE FROM etl.execution_chunks WHERE execution_id = %s", execution)
    page.goto(f"{address}/#/runs")
    row = page.locator("tr", has=page.locator(f"a[href='#/run/{execution[0]}']"))
    expect(row.locator(".badge")).to_have_text("≈ ESTIMATE")
    expect(row.locator("td[data-label='Fixtures']")).to_have_text("120 due")
    row.locator("a").first.click()
    first = page.locator(".card").first
    expect(first.locator("h2")).to_have_text("Estimate")
    expect(first).to_contain_text("API calls3")
    expect(first.get_by_role("link", name="2024/2025")).to_be_visible()


def test_a_run_tells_its_league_its_origin_and_why_it_failed(page: Page, address: str, seeded: Warehouse) -> None:
    seeded.execute("UPDATE etl.etl_executions SET attempts = 2, run_type = 'backfill' WHERE status = 'FAILED'")
    page.goto(f"{address}/#/runs?status=FAILED")
    row = page.locator("tbody tr").first
    expect(row).to_contain_text("2025/2026: Quality checks failed: goals_add_up: 3 fixtures")
    expect(row.locator("td[data-label='How started']")).to_have_text(re.compile("^backfill.*, cleared$"))
    expect(row.locator("td[data-label='Attempts']")).to_have_text("2")
    expect(row.locator("td[data-label='Seasons']")).to_have_text("3")
    expect(row.locator("a")).to_have_text(
        re.compile("^(Premier League|La Liga|Serie A|Bundesliga|Ligue 1|Ere|Super|Pri)")
    )
    page.goto(f"{address}/#/runs?status=RUNNING")
    expect(row).to_contain_text("RUNNING")  # until then the list before it is shown
    row.locator("a").click()
    expect(page.locator(".figure", has_text="How started")).to_contain_text("scheduled")


def test_runs_of_the_catalog_and_of_routes_count(page: Page, address: str, seeded: Warehouse) -> None:
    seeded.execute(
        "UPDATE etl.collector_runs SET status = 'failed',"
        " error_message = 'League 9 is not covered. Correct ETL_LEAGUES.'"
        " WHERE collector_name = 'leagues' AND started_at > now() - interval '12 hours'"
    )
    page.goto(f"{address}/#/runs?kind=catalog")
    row = page.locator("tbody tr").first
    expect(row.locator(".badge")).to_have_text("✕ FAILED")
    expect(row.locator(".cause")).to_have_text("leagues: League 9 is not covered.")
    expect(page.locator("#runs-footer")).to_contain_text("7 of 7")
    row.locator("a").click()
    expect(page.locator("h2").first).to_have_text("Catalog")
    expect(page.get_by_role("cell", name="structure:rounds")).to_be_visible()
    page.goto(f"{address}/#/runs?kind=route")
    expect(page.locator("tbody tr").first.locator("a")).to_have_text("raw_sportmonks_players")
    page.goto(f"{address}/#/")
    expect(page.locator(".overall h2")).to_contain_text("leagues failed in the newest run")


def test_lists_say_how_much_there_is_and_go_on(page: Page, address: str) -> None:
    page.goto(f"{address}/#/runs")
    expect(page.locator("#runs-footer span")).to_have_text("25 of 74")
    more = page.get_by_role("button", name="More")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#runs-footer span")).to_have_text("50 of 74")
    expect(more).to_be_focused()
    more.click()
    expect(page.locator("tbody tr")).to_have_count(74)
    expect(more).to_have_count(0)
    page.goto(f"{address}/#/season/6/6004")
    expect(page.locator("#need-footer span")).to_have_text("40 of 40")
    expect(page.locator("#fixtures-footer span")).to_have_text("20 of 40")
    page.locator("#fixtures-more").click()
    expect(page.locator("#fixtures-footer span")).to_have_text("40 of 40")
    page.goto(f"{address}/#/corrections")
    expect(page.locator("#corrections-footer span")).to_have_text("50 of 80")


def test_times_are_in_the_readers_zone(browser: Browser, address: str, faults: list[str], seeded: Warehouse) -> None:
    at = datetime(2026, 3, 1, 20, 45, tzinfo=UTC)
    seeded.execute("UPDATE football.fixtures SET starting_at = %s WHERE season_id = 3001", (at,))
    seeded.execute("UPDATE etl.etl_logs SET timestamp = %s", (at,))
    page = open_page(browser, address, faults, timezone_id="Asia/Kolkata")
    page.goto(f"{address}/#/season/3/3001")
    expect(page.locator("#zone")).to_have_text("Times: Asia/Calcutta")
    kick_off = cells(page, "Kick-off").first.locator("time")
    expect(kick_off).to_have_text("02 Mar 2026, 02:15")
    expect(kick_off).to_have_attribute("title", "2026-03-01 20:45:00 UTC")
    page.goto(f"{address}/#/logs")
    time = page.locator(".line time").first
    expect(time).to_have_text("02 Mar, 02:15:00")
    expect(time).to_have_attribute("title", "2026-03-01 20:45:00 UTC")
    page.context.close()
    assert faults == []


def test_a_fixture_in_full(page: Page, address: str, seeded: Warehouse) -> None:
    fixture = one_match(seeded)
    page.goto(f"{address}/#/season/1/1001")
    page.locator("#fixtures-more").click()
    page.get_by_role("link", name="Ajax vs PSV").first.click()
    expect(page.locator(".score")).to_contain_text("Ajax2 : 1PSV")
    expect(page.locator(".score")).to_contain_text("Full Time · half-time 1:1 · Ajax won 2-1")
    # Goals are open, the rest is fetched by whom opens it.
    expect(page.locator("#section-events tbody tr")).to_have_count(3)
    expect(page.locator("#section-events")).to_contain_text("A. Striker")
    expect(page.locator("#section-participants tbody")).to_have_count(0)
    page.locator("#section-participants summary").click()
    expect(page.locator("#section-participants tbody tr")).to_have_count(2)
    expect(page.locator("#section-weatherreport")).to_contain_text("1 in the payload, which has no table of its own")
    expect(page.locator("#payload pre")).to_have_count(0)
    page.locator("#payload summary").click()
    expect(page.locator("#payload pre")).to_contain_text('"large": 12345678901234567890')
    history = page.locator("section", has=page.get_by_role("heading", name="What the provider changed"))
    expect(history).to_contain_text("Ajax won 3-1")
    expect(history.locator(".pager")).to_have_text("1 of 1")
    reads = page.locator("section", has=page.get_by_role("heading", name="Reads", exact=True)).locator("tbody tr")
    expect(reads.nth(0)).to_contain_text("after 1d")
    expect(reads.nth(0)).to_contain_text("lineups went from 22 rows to 0")
    expect(reads.nth(1)).to_contain_text("never collected")
    page.get_by_role("link", name="its logs").click()
    expect(page.locator("#log-f-fixture_id")).to_have_value(str(fixture))


def test_ways_to_a_fixture(page: Page, address: str, seeded: Warehouse, faults: list[str]) -> None:
    fixture = one_match(seeded)
    seeded.execute(
        "INSERT INTO etl.etl_logs (level, component, message, fixture_id) VALUES ('INFO', 'X', 'x', %s)", (fixture,)
    )
    seeded.execute(
        "UPDATE football.fixtures SET collection_status = 'FAILED' WHERE season_id = 3001 AND id % 10000 <= 5"
    )
    score = page.locator(".score")
    page.goto(f"{address}/#/corrections?fixture_id={fixture}")
    cells(page, "Fixture").locator("a").first.click()
    expect(score).to_contain_text("Ajax2 : 1PSV")
    page.goto(f"{address}/#/logs")
    page.get_by_role("link", name=f"fixture {fixture}").click()
    expect(score).to_contain_text("Ajax2 : 1PSV")
    page.goto(f"{address}/#/alerts")
    links = page.locator(".alert", has_text="Serie A 2025/2026").locator("a[href^='#/fixture/']")
    expect(links).to_have_count(3)
    links.first.click()
    expect(score).to_be_visible()
    page.goto(f"{address}/#/coverage")
    page.get_by_label("Fixture id").fill(str(fixture))
    page.keyboard.press("Enter")
    expect(score).to_contain_text("Ajax2 : 1PSV")
    page.goto(f"{address}/#/fixture")
    expect(page.get_by_label("Fixture id")).to_be_visible()
    assert faults == []
    page.goto(f"{address}/#/fixture/77")
    expect(page.get_by_role("alert")).to_contain_text("There is no fixture 77 in this warehouse.")
    faults.clear()  # the console reports the 404
