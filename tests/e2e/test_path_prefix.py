"""The page behind an Airflow whose address has a path (``[api] base_url``), as behind a reverse proxy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests
from playwright.sync_api import expect, sync_playwright
from psycopg import conninfo, sql

from local.stack.airflow import warehouse_connection
from local.stack.files import free_port
from tests.harness.browser import launch
from tests.harness.paths import REPO

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine"),
]
PREFIX = "/data/airflow"


@pytest.fixture
def address(postgres_server: str, warehouse_dsn: str, tmp_path: Path) -> Iterator[str]:
    """Airflow's API server alone, with a metadata database of its own."""
    name, port = f"airflow_{uuid.uuid4().hex[:8]}", free_port()
    parts = conninfo.conninfo_to_dict(postgres_server)
    passwords = tmp_path / "passwords.json"
    passwords.write_text(json.dumps({"admin": "admin"}))
    account = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}"
    env = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("AIRFLOW", "ETL_"))},
        "AIRFLOW_HOME": str(tmp_path),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"postgresql+psycopg2://{account}/{name}",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}{PREFIX}",
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW_CONN_SPORTMONKS_WAREHOUSE": warehouse_connection(warehouse_dsn),
        "PYTHONPATH": str(REPO / "plugins"),
    }
    airflow = [sys.executable, "-m", "airflow"]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    subprocess.run([*airflow, "db", "migrate"], env=env, cwd=tmp_path, check=True, capture_output=True)
    log = (tmp_path / "api-server.log").open("wb")
    server = subprocess.Popen([*airflow, "api-server"], env=env, cwd=tmp_path, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}{PREFIX}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                if requests.get(f"{url}/api/v2/version", timeout=5).ok:
                    break
            except requests.RequestException:
                pass
            assert time.monotonic() < deadline, (tmp_path / "api-server.log").read_text()[-3000:]
            time.sleep(0.5)
        yield url
    finally:
        server.terminate()
        server.wait(60)
        log.close()
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def test_the_page_is_there(address: str) -> None:
    with sync_playwright() as playwright:
        browser = launch(playwright)
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{address}/auth/login/")
        page.fill("input[name=username]", "admin")
        page.fill("input[name=password]", "admin")
        page.keyboard.press("Enter")
        page.wait_for_url(lambda found: "/auth/login" not in found)
        page.goto(f"{address}/plugin/sportmonks-etl")
        frame = page.frame_locator("iframe").first
        expect(frame.get_by_role("heading", name="Nothing has run yet")).to_be_visible(timeout=60_000)
        frame.get_by_role("link", name="Runs", exact=True).click()
        expect(frame.get_by_role("heading", name="Runs")).to_be_visible(timeout=30_000)
        # Airflow's REST API below the same path: an answer of its own, not a page of the proxy's.
        page.goto(f"{address}/sportmonks-etl/")
        ask = "import('./static/js/airflow.js').then((m) => m.requireRunnable('nope')).catch((e) => e.message)"
        assert page.evaluate(ask) == "Airflow has no DAG nope."
        page.goto(f"{address}/sportmonks-etl/?dag_id=nope")
        expect(page.get_by_text("This DAG collects no league.")).to_be_visible(timeout=30_000)
        browser.close()
