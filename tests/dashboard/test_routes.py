"""Raw routes on the page and in the terminal: which come first, and which are stale."""

from __future__ import annotations

import csv
import re
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb
from rich.console import Console

from local.cli import terminal_dashboard
from sportmonks.dashboard import export, queries
from sportmonks.routes import parse
from sportmonks.routes.parse import scheduled_routes
from tests.dashboard.conftest import Client
from tests.harness.paths import REPO

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
ROUTE = "client: shop\nroute: {name}\nconnection: shop_api\npath: /x\nschedule: {schedule}\n"
RUN = "SELECT etl.record_collector_run(%s, %s, %s, 9, 4, p_error_message => %s, p_now => %s)"
COUNTERS = {"records": 90, "seconds": 2, "pages": 3, "unproven": 3, "end_total": 1}
DOUBT = "2026-02-01 to 2026-02-10: the API counts <b>65</b> records, and 2 came"


@pytest.fixture
def routes(warehouse: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "ROUTES_DIR", tmp_path)
    make_routes(warehouse, tmp_path, NOW)


def make_routes(warehouse: psycopg.Connection[Any], folder: Path, now: datetime) -> None:
    """Five routes: good, silent for 73 hours, new, by hand, and failed."""
    hours = {"good": 24, "silent": 73, "new": None, "hand": 700, "failed": 24}
    for name, ago in hours.items():
        schedule = "null" if name == "hand" else "'@daily'"
        (folder / f"{name}.yaml").write_text(ROUTE.format(name=name, schedule=schedule))
        created = now - timedelta(days=0.5 if name == "new" else 60)
        warehouse.execute("SELECT etl.ensure_raw_table('shop', %s, NULL)", (name,))
        warehouse.execute("UPDATE etl.raw_routes SET created_at = %s WHERE route = %s", (created, name))
        if ago is not None:
            warehouse.execute(RUN, (f"raw_shop_{name}", "e1", "success", None, now - timedelta(hours=ago)))
    warehouse.execute(RUN, ("raw_shop_failed", "e2", "failed", "no", now))
    warehouse.execute(
        "INSERT INTO etl.route_rejects (route_name, reason, record, record_md5)"
        " VALUES ('raw_shop_good', 'r', '{}', 'x')"
    )
    warehouse.execute(
        "INSERT INTO etl.route_progress (route_name, plan_hash, slices, counters, doubts)"
        " VALUES ('raw_shop_good', 'p', 1, %s, %s)",
        (Jsonb(COUNTERS), [DOUBT]),
    )


@pytest.mark.usefixtures("routes")
def test_those_that_need_a_look_come_first(warehouse: psycopg.Connection[Any]) -> None:
    found = queries.routes(warehouse, now=NOW)
    assert [row["route"] for row in found] == ["failed", "silent", "good", "hand", "new"]
    assert {row["route"] for row in found if row["stale"]} == {"silent"}
    assert {row["route"] for row in found if not row["scheduled"]} == {"hand"}
    good = found[2]
    assert (good["rejects"], good["pages"], good["records_per_second"], good["ended_by"]) == (1, 3, 45, "total (1)")
    assert not [row for row in queries.routes(warehouse, stale_route_intervals=4, now=NOW) if row["stale"]]
    assert len(export.table(warehouse, "routes")) == 5


@pytest.mark.usefixtures("routes")
def test_the_terminal_shows_them(warehouse: psycopg.Connection[Any]) -> None:
    console = Console(file=StringIO(), width=200)
    terminal_dashboard.show_routes(console, queries.routes(warehouse, stale_route_intervals=1e6))
    shown = console.file.getvalue()  # type: ignore[attr-defined]
    assert "raw_shop_failed" in shown
    assert "total (1), 3 may be short" in shown
    assert f"may be short  raw_shop_good: {DOUBT}" in shown
    assert "and 2 more, in the log of its run" in shown
    assert shown.count("may be short  raw_shop") == 1


@pytest.mark.parametrize(
    ("schedule", "hours"),
    [
        ("'@daily'", 24),
        ("'0 6 * * 1-5'", 72),
        ("'*/30 * * * *'", 0.5),
        ("'@quarterly'", 92 * 24),
        ("'@once'", None),
        ("'@continuous'", None),
        ("null", None),
    ],
)
def test_how_long_a_schedule_waits(tmp_path: Path, schedule: str, hours: float | None) -> None:
    (tmp_path / "a.yaml").write_text(ROUTE.format(name="a", schedule=schedule))
    found = scheduled_routes(tmp_path, datetime(2026, 3, 2, tzinfo=UTC))
    assert [one["hours"] for one in found] == ([] if hours is None else [hours])


SCRIPT = (REPO / "plugins" / "sportmonks" / "dashboard" / "static" / "js" / "routes.js").read_text(encoding="utf-8")


@pytest.mark.usefixtures("routes")
def test_the_page_gets_what_it_shows(warehouse: psycopg.Connection[Any], client: Client) -> None:
    """By the server's clock: what has run just now is not stale, what failed comes first."""
    with_watermark = "SELECT etl.record_collector_run(%s, 'e9', 'success', 9, 4, p_watermark => %s)"
    warehouse.execute(with_watermark, ("raw_shop_good", Jsonb({"date_to": "2026-03-01"})))
    rows = client.get("api/routes")["rows"]
    by_name = {row["name"]: row for row in rows}
    assert rows[0]["name"] == "raw_shop_failed"
    assert rows[0]["error_message"] == "no"
    assert {name for name, row in by_name.items() if row["stale"]} == {
        "raw_shop_failed",
        "raw_shop_silent",
        "raw_shop_new",
    }
    good = by_name["raw_shop_good"]
    assert (good["collected_to"], good["unproven"], good["scheduled"]) == ("2026-03-01", 3, True)
    assert (by_name["raw_shop_hand"]["collected_to"], by_name["raw_shop_hand"]["pages"]) == (None, None)
    # Each field that the page reads is in each row.
    shown = set(re.findall(r"\bx\.([a-z_]+)", SCRIPT))
    assert shown - {"toUpperCase"} <= set(good)


@pytest.mark.browser
def test_the_page_in_a_browser(
    page: Page, address: str, seeded: psycopg.Connection[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs a look is on top, with its cause; rejects, doubts and a plan that covers nothing are seen."""
    monkeypatch.setattr(parse, "ROUTES_DIR", tmp_path)
    make_routes(seeded, tmp_path, datetime.now(UTC))
    reason = "OutsideError: <b>page 3</b> was refused: /orders: HTTP 410"
    seeded.execute("UPDATE etl.collector_runs SET error_message = %s WHERE error_message = 'no'", (reason,))
    seeded.execute(
        "INSERT INTO etl.route_progress (route_name, plan_hash, slices, counters) VALUES ('raw_shop_hand', 'p', 2, %s)",
        (Jsonb({"records": 0, "seconds": 1, "pages": 0, "skipped": 2, "end_outside_plan": 2}),),
    )
    page.goto(f"{address}/#/routes")
    rows = page.locator("tbody tr")
    expect(rows.nth(0)).to_contain_text("raw_shop_failed")
    expect(rows.nth(0).locator(".badge")).to_have_text("✕ FAILED")
    expect(rows.nth(0).locator(".reason")).to_have_text(reason)
    expect(rows.nth(0).get_by_role("link")).to_have_attribute("href", re.compile("/dags/raw_shop_failed$"))
    expect(rows.nth(1)).to_contain_text("raw_shop_silent")
    new = page.locator("tr", has_text="raw_shop_new")
    expect(new.locator("td[data-label='Records']")).to_have_text("–")
    expect(rows.nth(1).locator("td[data-label='Last success']")).to_contain_text("stale")
    good, hand = (page.locator("tr", has_text=f"raw_shop_{name}") for name in ("good", "hand"))
    expect(good.locator("td[data-label='Rejected']")).to_have_text("1")
    expect(good.locator("td[data-label='Records/s']")).to_have_text("45")
    ends = good.locator("td[data-label='How the end was known']")
    expect(ends).to_contain_text("total (1) 3 may be short")
    expect(ends.locator("li").first).to_be_hidden()
    ends.locator("summary").click()
    expect(ends.locator("li")).to_have_text([DOUBT, "and 2 more, in the log of the run"])
    expect(hand.locator("td[data-label='How the end was known']")).to_have_text("outside the plan (2)")
    expect(hand.locator("td[data-label='Last success']")).to_contain_text("by hand")
    # On a phone no value is squeezed away by its label.
    page.set_viewport_size({"width": 390, "height": 844})
    narrow = "cell => [...cell.childNodes].some(n => { const r = document.createRange(); r.selectNode(n);"
    narrow += " const b = r.getBoundingClientRect(); return b.width < 6 || b.height > 160; })"
    assert page.locator("tbody td").evaluate_all(f"cells => cells.filter({narrow}).map(c => c.dataset.label)") == []


@pytest.mark.usefixtures("routes")
def test_the_files_of_the_page(client: Client) -> None:
    listed = client.get("api/export/routes.json")
    assert {row["name"] for row in listed} == {
        f"raw_shop_{name}" for name in ("good", "silent", "new", "hand", "failed")
    }
    answer = client.get("api/export/routes.csv")
    assert "sportmonks_etl_routes.csv" in answer.headers["Content-Disposition"]
    table = list(csv.DictReader(StringIO(answer.text.removeprefix("\ufeff"))))
    assert {row["name"]: row["unproven"] for row in table}["raw_shop_good"] == "3"


def test_a_page_without_a_route(client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse, "ROUTES_DIR", tmp_path)
    assert client.get("api/routes")["rows"] == []
    client.get("api/routes", user="", expect=401)


@pytest.mark.usefixtures("routes")
def test_a_route_whose_table_is_gone(warehouse: psycopg.Connection[Any], client: Client) -> None:
    warehouse.execute("DROP TABLE raw.client_shop_good CASCADE")
    good = next(row for row in client.get("api/routes")["rows"] if row["name"] == "raw_shop_good")
    assert (good["estimated_rows"], good["records_processed"]) == (0, 9)
