"""The page over a seeded warehouse, and a client of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
import requests

from tests.harness.airflow_api import AirflowApi
from tests.harness.browser import CHROMIUM, launch, open_page
from tests.harness.dashboard_seed import seeded, seeded_manifest  # noqa: F401 (a fixture)
from tests.harness.dashboard_server import serving, stand_in_access

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


@pytest.fixture
def airflow() -> AirflowApi:
    """Airflow beside the page: the DAGs of the seeded leagues, none paused."""
    return AirflowApi(*(league.dag_id for league in seeded_manifest().leagues))


@pytest.fixture
def address(warehouse_dsn: str, airflow: AirflowApi) -> Iterator[str]:
    with serving(warehouse_dsn, stand_in_access(), seeded_manifest, airflow) as found:
        yield found


class Client:
    """Logged in by cookie, as a browser is, or as somebody else."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, *, user: str = "admin", expect: int = 200, **params: Any) -> Any:
        headers = {"Cookie": f"_token={user}"} if user else {}
        answer = requests.get(f"{self.address}/{path}", params=params, headers=headers, timeout=10)
        assert answer.status_code == expect, (path, answer.status_code, answer.text[:300])
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer

    def post(self, path: str, **headers: str) -> requests.Response:
        return requests.post(f"{self.address}/{path}", headers=headers, timeout=10)


@pytest.fixture
def client(address: str) -> Client:
    return Client(address)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    # Not at the top: an environment with another release of Airflow has none, and runs the other tests of this folder.
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = launch(playwright)
        yield found
        found.close()


@pytest.fixture
def faults() -> list[str]:
    """What the browser's console complained about; empty at the end of every test that takes it."""
    return []


@pytest.fixture
def page(
    browser: Browser,
    address: str,
    faults: list[str],
    seeded: psycopg.Connection[Any],  # noqa: F811
) -> Iterator[Page]:
    found = open_page(browser, address, faults)
    found.goto(f"{address}/")
    yield found
    found.context.close()
    assert faults == []
