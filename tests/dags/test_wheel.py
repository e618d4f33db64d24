"""The wheel alone, installed into an empty folder: with the two DAG files of the guide it collects a league."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from psycopg import conninfo

from local.stack.files import free_port
from tests.dags.conftest import Live, live_airflow
from tests.dags.other_release import build_wheel, uv
from tests.harness.paths import REPO

pytestmark = pytest.mark.slow
LEAGUE, WRONG = "sportmonks_premier_league", "n0t-the-r1ght-0ne"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def installed(
    wheel: Path, databases: tuple[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Live, Path]]:
    """An Airflow whose only trace of the repository is the wheel."""
    home, site = tmp_path_factory.mktemp("airflow"), tmp_path_factory.mktemp("site")
    uv("pip", "install", "--quiet", "--no-deps", "--target", str(site), str(wheel))
    (home / "dags").mkdir()
    for name, text in dag_files().items():
        (home / "dags" / name).write_text(text, encoding="utf-8")
    own = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(home / "plugins"),
        "PYTHONPATH": str(site),
    }
    with live_airflow(home, databases, own) as live:
        yield live, site


def dag_files() -> dict[str, str]:
    """The DAG files that docs/guides/wheel.md shows, by name."""
    text = (REPO / "docs" / "guides" / "wheel.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"`(sportmonks_\w+\.py)`[^`]*```python\n(.*?)```", text, re.DOTALL))
    assert len(found) == 2
    return found


def test_it_holds_the_package_with_its_data_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    inside = {name.partition("/")[2] for name in names if name.startswith("sportmonks/")}
    sql = {f"include/{file.relative_to(REPO / 'include')}" for file in (REPO / "include" / "sql").rglob("*.sql")}
    assert inside >= {*sql, "include/catalog.yaml", "py.typed", "dashboard/static/index.html", "dags.py"}
    assert {name.partition("/")[0] for name in names if ".dist-info" not in name} == {"sportmonks"}
    (entry_points,) = [name for name in names if name.endswith("entry_points.txt")]
    text = zipfile.ZipFile(wheel).read(entry_points).decode()
    assert "sportmonks.plugin:SportmonksPlugin" in text
    assert "sportmonks.provider:get_provider_info" in text


def test_a_league_is_collected(installed: tuple[Live, Path]) -> None:
    live, _ = installed
    result = live.run("sportmonks_catalog")
    assert result["state"] == "success", (result, live.log[-3000:])
    result = live.run(LEAGUE)
    assert result["state"] == "success", (result, live.log[-3000:])
    assert live.one("SELECT count(*) FROM raw.fixtures") == 24
    assert live.run("etl_watch")["state"] == "success", live.log[-3000:]
    assert live.run("raw_routes_tables")["state"] == "success", live.log[-3000:]


NAMES = """
import json, re, sys
from tests.dags.bag import filled_bag, serialization
from sportmonks.provider import get_provider_info
from sportmonks.triggers.budget import BudgetTrigger
bag, form = filled_bag(sys.argv[1]), serialization()
text = json.dumps([form.to_dict(dag) for dag in bag.dags.values()], default=str)
stored = set(re.findall(r'"(?:path|__class_path|__type)": "([a-z]\\w*\\.[\\w.]+)"', text))
stored |= {BudgetTrigger.__module__ + ".BudgetTrigger", *get_provider_info()["notifications"]}
print(json.dumps({"dags": sorted(bag.dags), "errors": bag.import_errors, "names": sorted(stored)}))
"""
IMPORTS = """
import json, sys
from importlib import import_module
for name in sys.argv[1:]:
    module, _, attribute = name.rpartition(".")
    getattr(import_module(module), attribute)
print(json.dumps([name for name in sys.modules if name.endswith(("sportmonks.plugin", "sportmonks_plugin"))]))
"""


def test_what_scheduler_and_triggerer_import_needs_no_plugin(installed: tuple[Live, Path]) -> None:
    """Cloud Composer 3 brings the plugins folder to neither of them (docs/guides/composer.md)."""
    live, _ = installed
    assert live.run("sportmonks_catalog")["state"] == "success", live.log[-3000:]

    def python(program: str, *words: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-c", program, *words],
            env=dict(live.env),
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        return json.loads(done.stdout.splitlines()[-1])

    found = python(NAMES, live.env["AIRFLOW__CORE__DAGS_FOLDER"])
    # No DAG is of both files, and none is a broken one.
    assert found["errors"] == {}
    assert LEAGUE in found["dags"]
    ours = [name for name in found["names"] if name.startswith("sportmonks")]
    assert {"sportmonks.alerts.deadlines.deadline_missed", "sportmonks.triggers.budget.BudgetTrigger"} <= set(ours)
    # Timetables are Airflow's own; a plugin would have to register others.
    assert not [name for name in found["names"] if "timetable" in name and not name.startswith("airflow.")]
    assert python(IMPORTS, *ours) == []


def test_airflow_finds_provider_and_page(installed: tuple[Live, Path]) -> None:
    live, site = installed
    assert "airflow-provider-sportmonks" in live.airflow("providers", "list", "--output", "plain")
    assert "sportmonks_etl" in live.airflow("plugins", "--output", "plain")
    code = (
        "import sportmonks; from sportmonks.plugin import SportmonksPlugin;"
        "print(sportmonks.__file__, SportmonksPlugin().fastapi_apps[0]['url_prefix'], sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", code], env=dict(live.env), capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-2:] == [str(site / "sportmonks" / "__init__.py"), "/sportmonks-etl"]


def test_the_ui_has_forms_and_test_buttons_for_both_connections(installed: tuple[Live, Path]) -> None:
    live, _ = installed
    api = {"connection_id": "sportmonks_new", "conn_type": "sportmonks", "host": live.box.base_url}
    parts = conninfo.conninfo_to_dict(live.warehouse)
    account = {"host": parts["host"], "port": int(parts["port"]), "schema": parts["dbname"], "login": parts["user"]}
    warehouse = {"connection_id": "warehouse_new", "conn_type": "sportmonks_warehouse", **account}
    connections = [
        {**api, "password": live.box.key},
        {**api, "password": WRONG},
        {**api, "host": "http://127.0.0.1:1/v3", "password": live.box.key},
        {**warehouse, "password": parts["password"]},
        {**warehouse, "password": WRONG},
    ]
    request = json.dumps([{"forms": ["sportmonks", "sportmonks_warehouse"]}, *connections])
    done = subprocess.run(
        [sys.executable, "-m", "tests.dags.ui_connections"],
        env=dict(live.env),
        cwd=REPO,
        input=request,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    forms, good, wrong, nowhere, filled, locked = json.loads(done.stdout.strip().splitlines()[-1])
    of_api, of_warehouse = forms["sportmonks"], forms["sportmonks_warehouse"]
    assert of_api["standard_fields"]["host"]["title"] == "Base URL"
    assert of_api["standard_fields"]["login"]["hidden"] is True
    assert set(of_api["extra_fields"]) == {"verify", "sandbox"}
    assert of_warehouse["standard_fields"]["url_schema"]["title"] == "Database"
    assert "verify-full" in of_warehouse["extra_fields"]["sslmode"]["schema"]["enum"]
    assert good == {"status": True, "message": f"The Sportmonks API at {live.box.base_url} accepts the key."}
    assert wrong["status"] is nowhere["status"] is locked["status"] is False
    assert "refuses the key" in wrong["message"]
    assert "http://127.0.0.1:1/v3 does not answer" in nowhere["message"]
    assert filled["status"] is True, filled
    assert "the schema is that of this version" in filled["message"]
    assert "authentication failed" in locked["message"]
    assert not any(secret in done.stdout + done.stderr for secret in (WRONG, parts["password"]))


@contextmanager
def api_server(live: Live) -> Iterator[str]:
    """Address of the Airflow's UI, in which everybody is an administrator and connections may be tested."""
    port = str(free_port())
    env = {
        **live.env,
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
    }
    command = [sys.executable, "-m", "airflow", "api-server", "--host", "127.0.0.1", "--port", port, "--workers", "1"]
    log = live.log_file.with_name("api-server.log")
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=env, stdout=output, stderr=output, start_new_session=True)
        address = f"http://127.0.0.1:{port}"
        try:
            for _ in range(120):
                with suppress(requests.ConnectionError):
                    if requests.get(f"{address}/api/v2/version", timeout=10).ok:
                        break
                assert process.poll() is None, log.read_text(errors="replace")[-3000:]
                time.sleep(0.5)
            yield address
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            process.wait(30)


@pytest.mark.browser
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium on this machine")
def test_the_buttons_in_a_browser(installed: tuple[Live, Path]) -> None:
    """A person makes a connection in the form of its type and clicks Test, with a good and with a wrong secret."""
    from playwright.sync_api import Page, expect, sync_playwright

    from tests.harness.browser import launch

    live, _ = installed
    parts = conninfo.conninfo_to_dict(live.warehouse)
    warehouse = {"host": parts["host"], "port": int(parts["port"]), "schema": parts["dbname"], "login": parts["user"]}
    api = {"conn_type": "sportmonks", "host": live.box.base_url, "port": urlsplit(live.box.base_url).port}
    given = {
        "api_good": {**api, "password": live.box.key},
        "api_wrong": {**api, "password": WRONG},
        "warehouse_good": {"conn_type": "sportmonks_warehouse", **warehouse, "password": parts["password"]},
        "warehouse_wrong": {"conn_type": "sportmonks_warehouse", **warehouse, "password": WRONG},
    }

    def click_test(page: Page, name: str) -> str:
        page.goto("about:blank")
        page.goto(f"{address}/connections")
        row = page.locator("tr", has_text=name)
        row.get_by_role("button", name="Test Connection").click()
        notice = page.locator("[data-scope=toast][data-part=root]").first
        expect(notice).to_contain_text("Test Connection", timeout=60_000)
        if folder := os.environ.get("ETL_PICTURES"):
            page.screenshot(path=f"{folder}/test-{name}.png")
        return notice.inner_text()

    with api_server(live) as address, sync_playwright() as playwright:
        token = requests.get(f"{address}/auth/token", timeout=30).json()["access_token"]
        for name, fields in given.items():
            requests.post(
                f"{address}/api/v2/connections",
                json={"connection_id": name, **fields},
                headers={"Authorization": f"Bearer {token}"},
                timeout=30,
            ).raise_for_status()
        browser = launch(playwright)
        page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
        found = {name: click_test(page, name) for name in given}
        browser.close()
    assert {name for name, text in found.items() if "Successful" in text} == {"api_good", "warehouse_good"}, found
    assert f"The Sportmonks API at {live.box.base_url} accepts the key." in found["api_good"]
    assert "refuses the key" in found["api_wrong"]
    assert "UTF-8, database" in found["warehouse_good"]
    assert "authentication failed" in found["warehouse_wrong"]
    assert not any(secret in str(found) for secret in (WRONG, parts["password"], live.box.key))
