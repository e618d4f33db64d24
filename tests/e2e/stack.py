"""A running local stack for the end-to-end tests: the command line, Airflow's REST API, the sandbox, the warehouse."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests
from psycopg.rows import dict_row

from local.stack.files import free_port
from tests.harness.browser import launch
from tests.harness.paths import REPO

# ./etl takes .venv; tests that run in another environment, with another release of Airflow, are about that one.
IS_OWN = Path(sys.prefix).resolve() == (REPO / ".venv").resolve()
ETL = ("./etl",) if IS_OWN else (sys.executable, "-P", "-m", "local.cli.main")


@dataclass
class Etl:
    """The command line `./etl` with the environment of one stack, and direct access to the parts of that stack."""

    env: dict[str, str]

    def __call__(self, *args: str, timeout: float = 300) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*ETL, *args], cwd=REPO, env=self.env, capture_output=True, text=True, timeout=timeout, check=False
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['ETL_PORT']}"

    @property
    def home(self) -> Path:
        return Path(self.env["ETL_HOME"])

    def password(self, user: str = "admin") -> str:
        return str(json.loads((self.home / "airflow" / "passwords.json").read_text())[user])

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        port = json.loads((self.home / "ports.json").read_text())["sandbox"]
        answer = requests.request(method, f"http://127.0.0.1:{port}{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def token(self, user: str = "admin") -> str:
        body = {"username": user, "password": self.password(user)}
        return str(requests.post(f"{self.url}/auth/token", json=body, timeout=30).json()["access_token"])

    def airflow(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token()}"}
        answer = requests.request(method, f"{self.url}/api/v2{path}", json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def signed_in(self, playwright: Any) -> tuple[Any, Any]:
        """A browser and a page of it that is signed in to Airflow."""
        browser = launch(playwright)
        return browser, self.sign_in(browser)

    def sign_in(self, browser: Any, user: str = "admin") -> Any:
        """A page of its own, signed in as this user."""
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.goto(f"{self.url}/auth/login/")
        page.fill("input[name=username]", user)
        page.fill("input[name=password]", self.password(user))
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/auth/login" not in url)
        page.wait_for_load_state("networkidle")
        return page

    @cached_property
    def dsn(self) -> str:
        return self("dsn").stdout.strip()

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn, row_factory=dict_row) as conn:
            return conn.execute(query.encode(), values).fetchall()

    def wait_for_run(self, dag_id: str, run_id: str, seconds: float = 240) -> str:
        """Final state of a DAG run."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            state = self.airflow("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            if state in ("success", "failed"):
                return str(state)
            time.sleep(1)
        raise AssertionError(f"{dag_id} {run_id} was not finished after {seconds} s")

    def failures(self, dag_id: str, run_id: str) -> dict[str, list[str]]:
        """Warnings and errors of the failed tasks, from the logs of their last try."""
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances"
        found: dict[str, list[str]] = {}
        for task in self.airflow("GET", f"{path}?state=failed&limit=100")["task_instances"]:
            lines = self.airflow("GET", f"{path}/{task['task_id']}/logs/{task['try_number']}")["content"]
            bad = [line for line in lines if line.get("level") in ("warning", "error", "critical")]
            found[task["task_id"]] = [f"{line['event']} {line.get('error_detail', '')}"[:500] for line in bad]
        return found

    def trigger(self, dag_id: str, **conf: Any) -> str:
        """Id of a new run."""
        run = self.airflow("POST", f"/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        return str(run["dag_run_id"])

    def newest_run(self, dag_id: str) -> str:
        runs = self.airflow("GET", f"/dags/{dag_id}/dagRuns?order_by=-run_after&limit=1")["dag_runs"]
        return str(runs[0]["dag_run_id"])


@contextmanager
def running_stack(
    home: Path, sandbox: str, catalog: Mapping[str, str], settings: Mapping[str, str] | None = None
) -> Iterator[Etl]:
    """A running stack in a temporary home, on free ports; it is stopped at the end, and no process may be left then.

    ``sandbox``: options of the sandbox. ``catalog``: patterns of lines of the catalog file, and their replacements.
    ``settings``: further variables of its environment.
    """
    include = home / "include"
    shutil.copytree(REPO / "include", include)
    text = (include / "catalog.yaml").read_text()
    for line, other in catalog.items():
        text, found = re.subn(rf"(?m)^{line}$", other, text)
        assert found, f"no line of the catalog is like {line}"
    (include / "catalog.yaml").write_text(text)
    with started_stack(home, sandbox, settings) as stack:
        yield stack


@contextmanager
def started_stack(home: Path, sandbox: str, settings: Mapping[str, str] | None = None) -> Iterator[Etl]:
    """The same with what stands in ``home`` already: ``include``, and ``state`` where there is one."""
    keep = ("PATH", "HOME", "LANG", "TMPDIR", "USER", "LOGNAME")
    env = {name: os.environ[name] for name in keep if name in os.environ} | {
        "ETL_HOME": str(home / "state"),
        "ETL_PORT": str(free_port()),
        "ETL_INCLUDE_DIR": str(home / "include"),
        "ETL_SANDBOX_ARGS": sandbox,
        **({} if IS_OWN else {"PYTHONPATH": f"{REPO}{os.pathsep}{REPO / 'plugins'}"}),
        **(settings or {}),
    }
    stack = Etl(env)
    started = stack("up")
    if started.returncode:
        stack("down")
        pytest.fail(f"./etl up failed:\n{started.stdout}\n{started.stderr}")
    try:
        yield stack
    finally:
        stopped = stack("down")
        assert stopped.returncode == 0, stopped.stderr
        left = [line for line in _processes() if str(home) in line]
        assert not left, f"processes left behind: {left}"


def _processes() -> list[str]:
    """Command lines and environments of the processes of this machine, as far as they can be read."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            text = (folder / "cmdline").read_bytes() + b" " + (folder / "environ").read_bytes()
        except OSError:
            continue
        found.append(f"{folder.name} {text.replace(bytes(1), b' ').decode(errors='replace')[:4000]}")
    return [line for line in found if not line.startswith(f"{os.getpid()} ")]
