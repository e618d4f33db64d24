"""The page in a real browser: progress moves, the heat map leads to a season, filters, acknowledge, keyboard, phone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Browser, Page, expect

from sportmonks.dashboard import queries
from tests.harness.browser import open_page
from tests.harness.dashboard_seed import one_match
from tests.harness.dashboard_server import serving, stand_in_access

pytestmark = pytest.mark.browser

EVIL = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{7*7}}'


def test_the_first_look_and_a_run_that_moves(page: Page, seeded: psycopg.Connection[Any]) -> None:
    expect(page.locator(".overall h2")).to_contain_text("Something is wrong: 2 critical alerts")
    row = page.locator(".runlist li").first
    expect(row).to_contain_text("%")
    execution = row.get_attribute("data-execution")
    seeded.execute(
        "UPDATE etl.etl_executions SET processed_fixtures = total_fixtures * 9 / 10 WHERE execution_id = %s",
        (execution,),
    )
    expect(page.locator(f".runlist li[data-execution='{execution}'] strong")).to_have_text("90 %", timeout=9000)
    page.locator(f".runlist li[data-execution='{execution}'] a").click()
    expect(page.locator("h2").first).to_contain_text("sportmonks_")
    expect(page.locator("pre")).not_to_contain_text("never-show-me", use_inner_text=False)


def test_from_the_heat_map_to_a_season_by_keyboard(page: Page) -> None:
    page.get_by_role("link", name="Coverage", exact=True).click()
    cell = page.locator("a.heat[data-chunk='3_3001']")
    expect(cell).to_have_attribute("aria-label", "Serie A 2025/2026: 70 % collected, 28 of 40 collected, 0 due, failed")
    first = page.locator(".heatmap a.heat").first
    first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    focused = page.evaluate("document.activeElement.dataset.chunk")
    assert focused not in (None, first.get_attribute("data-chunk"))
    assert page.locator(".heatmap a[tabindex='0']").count() == 1
    cell.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h2").first).to_have_text("Serie A 2025/2026")
    expect(page.get_by_text("3 fixtures whose events do not add up to the score")).to_be_visible()


def test_logs_are_filtered_and_paged(page: Page, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    page.get_by_role("link", name="Logs", exact=True).click()
    expect(page.locator(".line")).to_have_count(100)
    page.get_by_role("button", name="Older lines").click()
    expect(page.locator(".line")).to_have_count(200)
    page.get_by_label("Level").select_option("ERROR")
    expect(page.locator(".line")).to_have_count(11)
    page.get_by_label("Text").fill("503")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator(".line .badge").first).to_contain_text("ERROR")
    assert "text=503" in page.url
    monkeypatch.setattr(queries, "SCAN", 300)  # far from the newest: requested page by page without a click
    page.goto(f"{address}/#/logs?text=nothing+has+this")
    expect(page.locator(".pager")).to_have_text("No line matches.")
    page.goto(f"{address}/#/logs?level=ERROR")
    expect(page.locator(".line")).to_have_count(11)
    page.get_by_label("Text").fill("nothing has this")
    page.keyboard.press("Enter")
    expect(page.get_by_text("No line matches.")).to_be_visible()
    page.get_by_role("link", name="Clear").click()
    expect(page.locator(".line")).to_have_count(100)


def test_an_alert_is_acknowledged(page: Page, seeded: psycopg.Connection[Any]) -> None:
    page.get_by_role("button", name="Acknowledge: Bundesliga").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("acknowledged by admin")).to_be_visible()
    expect(page.locator(".alert", has_text="Bundesliga")).to_be_focused()
    found = seeded.execute("SELECT acknowledged_by FROM etl.etl_alerts WHERE dedupe_key = 'STALE_LEAGUE:4'").fetchone()
    assert found == ("admin",)


def test_a_download(page: Page) -> None:
    page.get_by_role("link", name="Coverage", exact=True).click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    assert waiting.value.suggested_filename == "sportmonks_etl_coverage.csv"
    assert len(Path(waiting.value.path()).read_text().splitlines()) == 49
    page.locator("#only").select_option("failed")
    expect(page.locator("a.heat")).to_have_count(6)
    with page.expect_download() as waiting:
        page.get_by_role("link", name="CSV").click()
    assert len(Path(waiting.value.path()).read_text().splitlines()) == 7
    page.locator("#league").fill("bundes")
    page.locator("#league").press("Enter")
    expect(page.get_by_text("No league matches.")).to_be_visible()


def test_charts_draw_and_have_a_table(page: Page) -> None:
    page.get_by_role("link", name="Metrics", exact=True).click()
    expect(page.locator(".chart canvas")).to_have_count(6)
    page.get_by_role("link", name="7 days").click()
    expect(page.locator(".button[aria-current]")).to_have_text("7 days")
    page.locator(".chart summary").first.click()
    expect(page.locator(".chart table.plain tbody tr").first).to_be_visible()
    page.locator("#metric").select_option("chunk_duration")
    expect(page.locator(".charts.one canvas")).to_have_count(1)


def test_stored_text_never_runs(page: Page, address: str, seeded: psycopg.Connection[Any]) -> None:
    for table, columns in {
        "etl.chunks": ("league_name", "season_name", "error_message"),
        "etl.etl_alerts": ("subject", "message", "hint"),
        "etl.etl_executions": ("error_message", "run_id", "dag_id"),
        "etl.etl_logs": ("message", "component"),
        "football.fixtures": ("name", "last_error"),
    }.items():
        for column in columns:
            seeded.execute(f"UPDATE {table} SET {column} = %s", (EVIL,))
    seeded.execute("UPDATE etl.fixture_changes SET field = %(x)s, after = to_jsonb(%(x)s::text)", {"x": EVIL})
    execution = seeded.execute("SELECT execution_id FROM etl.etl_executions LIMIT 1").fetchone()
    assert execution is not None
    for place in (
        "",
        "runs",
        f"run/{execution[0]}",
        "coverage",
        "season/3/3001",
        "fixture/30010001",
        "logs",
        "alerts?state=all",
        "corrections",
    ):
        page.goto("about:blank")
        page.goto(f"{address}/#/{place}")
        expect(page.locator("main[aria-busy='false']")).to_be_visible()
        expect(page.locator("main")).to_contain_text("onerror")
        assert page.evaluate("window.hacked") is None
        assert page.locator("main img, main script").count() == 0


def _refresh(page: Page) -> None:
    """What happens by itself every few seconds; back when the new elements stand."""
    page.evaluate("document.querySelector('main > *').dataset.old = 1")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator("main > *:not([data-old])")).to_be_attached()


def test_a_refresh_leaves_everything_where_it_was(page: Page, address: str) -> None:
    link = page.locator(".runlist a").nth(1)
    link.focus()
    _refresh(page)
    expect(link).to_be_focused()
    expect(page.locator("#fresh")).to_have_attribute("aria-live", "off")
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{address}/#/coverage")
    page.locator("a.heat[data-chunk='3_3002']").focus()
    page.locator(".scroll").evaluate("e => e.scrollTo(150, 0)")
    _refresh(page)
    expect(page.locator("a.heat[data-chunk='3_3002']")).to_be_focused()
    assert page.locator(".heatmap a[tabindex='0']").get_attribute("data-chunk") == "3_3002"
    assert page.locator(".scroll").evaluate("e => e.scrollLeft") == 150
    page.goto(f"{address}/#/metrics")
    page.locator(".chart summary").first.click()
    canvases = page.locator(".chart canvas")
    expect(canvases).to_have_count(6)
    for _ in range(3):
        _refresh(page)
    expect(page.locator(".chart table.plain tbody tr").first).to_be_visible()
    expect(canvases).to_have_count(6)
    # What is left of the charts before would still be known to uPlot.
    assert page.evaluate("import('./static/js/charts.js').then((m) => m.drawn())") == 6


def test_text_that_somebody_selects_stays(page: Page) -> None:
    expect(page.locator(".overall p")).to_be_visible()
    page.evaluate(
        "getSelection().selectAllChildren(document.querySelector('.overall p'));"
        "document.querySelector('main > *').dataset.old = 1"
    )
    expect(page.locator("#fresh")).to_have_text("Paused while text is selected", timeout=9000)
    expect(page.locator("main > *")).to_have_attribute("data-old", "1")
    page.evaluate("getSelection().removeAllRanges()")
    expect(page.locator("#fresh")).to_contain_text("Updated", timeout=9000)


def test_odd_addresses_and_the_skip_link(page: Page, address: str, faults: list[str]) -> None:
    for odd in ("constructor", "toString", "run/%E0%A4%A", "%E0%A4%A", "nothing/here"):
        page.goto("about:blank")
        page.goto(f"{address}/#/{odd}")
        expect(page.locator("main[aria-busy='false']")).to_be_visible()
        expect(page.locator("main")).not_to_contain_text("This page has a fault")
    assert ["404" in fault for fault in faults] == [True]  # the run that is none
    faults.clear()
    page.goto(f"{address}/#/alerts")
    expect(page).to_have_title("Alerts: Sportmonks ETL")
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    expect(page).to_have_title("Alerts: Sportmonks ETL")


def test_two_seasons_of_one_name_are_both_shown(page: Page, address: str, seeded: psycopg.Connection[Any]) -> None:
    seeded.execute("UPDATE etl.chunks SET season_name = '2025' WHERE season_id IN (1001, 1002)")
    page.goto(f"{address}/#/coverage")
    expect(page.locator("a.heat[data-chunk]")).to_have_count(48)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_sticks_out_on_a_phone_and_text_can_be_read(
    browser: Browser, address: str, faults: list[str], seeded: psycopg.Connection[Any], theme: str
) -> None:
    page = open_page(browser, address, faults, viewport={"width": 360, "height": 740}, color_scheme=theme)
    fixture = f"fixture/{one_match(seeded)}"
    for place in ("", "runs", "coverage", "metrics", "logs", "alerts", "corrections", "season/3/3001", fixture):
        page.goto("about:blank")
        page.goto(f"{address}/#/{place}")
        expect(page.locator("main[aria-busy='false']")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, place
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.evaluate(CONTRAST) == [], place
    page.context.close()
    assert faults == []


# Every text against the ground it stands on: pairs under 4.5:1 (3:1 for large or bold text).
CONTRAST = """() => {
  const rgb = (text) => text.match(/[\\d.]+/g).map(Number);
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = ([r, g, b]) => [r, g, b].map((v) => linear(v / 255))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = rgb(getComputedStyle(e).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    if (element.closest('.hidden, noscript, script, .skip')) continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(rgb(style.color)), light(ground(element))].sort((x, y) => y - x);
    const large = parseFloat(style.fontSize) >= 18.6 || (style.fontWeight >= 700 && parseFloat(style.fontSize) >= 18);
    const name = `${element.tagName}.${element.className}`;
    if ((a + 0.05) / (b + 0.05) < (large ? 3 : 4.5)) bad.add(`${name}: ${style.color} on ${ground(element)}`);
  }
  return [...bad];
}"""


def test_empty_and_broken_states_say_what_to_do(
    browser: Browser, address: str, faults: list[str], warehouse: psycopg.Connection[Any]
) -> None:
    page = open_page(browser, address, faults)
    page.goto(f"{address}/")
    expect(page.locator(".overall")).to_contain_text("Trigger the DAG sportmonks_catalog")
    for place, words in (
        ("coverage", "Run the DAG sportmonks_catalog"),
        ("metrics", "Runs record them"),
        ("logs", "Runs write here"),
        ("alerts", "etl_watch looks every ten minutes"),
        ("run/nope", "There is no such execution"),
        ("season/1/2", "There is no such league and season"),
    ):
        page.goto(f"{address}/#/{place}")
        expect(page.locator("main")).to_contain_text(words)
    page.goto(f"{address}/?dag_id=sportmonks_catalog&run_id=x")
    expect(page.locator("main")).to_contain_text("This run has no execution.")
    faults.clear()
    warehouse.execute("DROP SCHEMA etl CASCADE")
    page.goto(f"{address}/#/runs")
    page.reload()
    expect(page.get_by_role("alert")).to_contain_text("The warehouse has no ETL tables yet.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    page.context.clear_cookies()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("alert")).to_contain_text("log in again")
    page.context.close()


def test_a_viewer_has_no_button(browser: Browser, warehouse_dsn: str, seeded: psycopg.Connection[Any]) -> None:
    with serving(warehouse_dsn, stand_in_access("viewer")) as address:
        page = browser.new_page()
        page.goto(f"{address}/#/alerts")
        expect(page.locator(".alert")).to_have_count(3)
        assert page.get_by_role("button", name="Acknowledge").count() == 0
        expect(page.locator("main")).to_contain_text("Your role may look, but not acknowledge")
        page.close()


def test_the_theme_follows_airflows_page(browser: Browser, address: str, seeded: psycopg.Connection[Any]) -> None:
    """Framed as Airflow frames it, in a page whose root element says light or dark."""
    context = browser.new_context(color_scheme="light")
    context.add_cookies([{"name": "_token", "value": "admin", "url": address}])
    page = context.new_page()
    outer = address.rsplit("/", 1)[0] + "/outer"
    html = (
        f'<html class="dark"><body><input id="outer"><iframe src="{address}/" width="1000" height="800"'
        ' sandbox="allow-scripts allow-same-origin allow-forms allow-downloads"></iframe></body></html>'
    )
    page.route(outer, lambda route: route.fulfill(body=html, content_type="text/html"))
    page.route("**/dags/**", lambda route: route.fulfill(body="<p>the DAG run</p>", content_type="text/html"))
    page.goto(outer)
    frame = page.frame_locator("iframe")
    expect(frame.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("document.documentElement.className = 'light'")
    expect(frame.locator("html")).to_have_attribute("data-theme", "light")
    frame.locator(".runlist a").first.focus()
    inner = next(found for found in page.frames if found.parent_frame)
    for focused in ("inner", "outer"):
        if focused == "outer":
            page.locator("#outer").focus()
        inner.evaluate("document.querySelector('main > *').dataset.old = 1")
        inner.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(frame.locator("main > *:not([data-old])")).to_be_attached()
        assert page.evaluate("document.activeElement.tagName") == ("IFRAME" if focused == "inner" else "INPUT")
    frame.get_by_role("link", name="in Airflow").first.click()
    expect(page.get_by_text("the DAG run")).to_be_visible()
    context.close()
