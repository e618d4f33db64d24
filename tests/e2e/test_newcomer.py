"""The first hour of somebody new, as a script: from a clone to a table, a player's season, and one more season that was
collected from the page, in ten commands and clicks. All it knows is in the README and on the page."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect, sync_playwright

from local.stack.files import free_port
from tests.e2e.stack import IS_OWN
from tests.harness.browser import launch
from tests.harness.paths import REPO

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not IS_OWN, reason="tests the clone's own ./etl"),
]


class Newcomer:
    """A person with a clone; counts what it types and clicks."""

    def __init__(self, clone: Path, home: Path) -> None:
        keep = ("PATH", "HOME", "LANG", "TMPDIR")
        self.clone = clone
        self.env = {name: os.environ[name] for name in keep if name in os.environ} | {
            "ETL_HOME": str(home),
            "ETL_PORT": str(free_port()),
            "ETL_LEAGUES": "8",
            "ETL_SANDBOX_ARGS": "--leagues 1 --seasons 2 --teams 4",
        }
        self.steps: list[str] = []

    def types(self, *words: str) -> str:
        """Output of a command, which has to succeed."""
        self.steps.append(" ".join(words))
        done = subprocess.run(
            words, cwd=self.clone, env=self.env, capture_output=True, text=True, timeout=600, check=False
        )
        assert done.returncode == 0, f"{words}: {done.stdout}\n{done.stderr}"
        return done.stdout

    def clicks(self, element: Any) -> None:
        self.steps.append(f"click {element}")
        element.click()

    def opens(self, page: Any, address: str, text: str) -> None:
        """The page, with the login that the first command has printed."""
        found = re.search(r"login (\S+) / (\S+)", text)
        assert found, text
        page.goto(address)
        self.steps.append("log in")
        page.fill("input[name=username]", found[1])
        page.fill("input[name=password]", found[2])
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/auth/login" not in url)


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    clone = tmp_path / "etl"
    subprocess.run(["git", "clone", "--quiet", str(REPO), str(clone)], check=True, timeout=60)
    # Installing is what every run of the tests has begun with.
    (clone / ".venv").symlink_to(REPO / ".venv")
    somebody = Newcomer(clone, tmp_path / "home")
    yield somebody
    subprocess.run(["./etl", "down"], cwd=clone, env=somebody.env, capture_output=True, timeout=120, check=False)


def test_from_a_clone_to_a_table_a_player_and_another_season(newcomer: Newcomer) -> None:
    if shutil.which("chromium") is None:
        pytest.skip("Chromium is not installed")
    text = newcomer.types("./etl", "run", "--league", "Premier League", "--max-chunks", "1")
    seasons = list(csv.DictReader(io.StringIO(newcomer.types("./etl", "export", "season_coverage"))))
    newest, older = sorted(seasons, key=lambda row: row["season"], reverse=True)
    assert int(newest["collected"]) == int(newest["fixtures"]) > 0
    assert int(older["collected"]) == 0
    for view, column in (("standings", "points"), ("player_season", "goals")):
        rows = csv.DictReader(io.StringIO(newcomer.types("./etl", "export", view, "--season", newest["season_id"])))
        assert [row for row in rows if row[column]], view
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page()
        newcomer.opens(page, newcomer.types("./etl", "open", "--print").strip(), text)
        newcomer.clicks(page.get_by_role("link", name="Coverage", exact=True))
        newcomer.clicks(page.locator(f"a.heat[data-chunk='8_{older['season_id']}']"))
        newcomer.clicks(page.get_by_role("link", name="Estimate or collect"))
        newcomer.clicks(page.get_by_role("button", name="Collect"))
        expect(page.locator("main")).to_contain_text("1 of 1 leagues are done", timeout=120_000)
        page.goto(f"{page.url.partition('#')[0]}#/season/8/{older['season_id']}")
        expect(page.locator("main")).to_contain_text("100 %", timeout=20_000)
        browser.close()
    assert len(newcomer.steps) <= 10, newcomer.steps
