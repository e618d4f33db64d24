"""The complete stack with its real processes: started, found again, repaired, interrupted, stopped without remains."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from local.stack.airflow import COMPONENTS
from local.stack.files import free_port
from local.stack.settings import REPO, Settings
from local.stack.stack import SANDBOX, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(600)]

DAGS = """
from airflow.sdk import dag, task

@dag(schedule=None, catchup=False)
def stack_sleeper():
    @task
    def sleep():
        import time
        for _ in range(600):
            time.sleep(1)
    sleep()

@dag(schedule=None, catchup=False)
def stack_hello():
    @task
    def hello():
        import sys
        print("preloaded", "airflow.providers.http.hooks.http" in sys.modules)
    hello()

stack_sleeper()
stack_hello()
"""


def environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a user whose shell has the variables of another Airflow."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "AIRFLOW__CORE__EXECUTOR": "NoSuchExecutor",
        "AIRFLOW_HOME": "/nonexistent",
        "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}",
        "ETL_HOME": str(home / "state"),
        "ETL_SANDBOX_ARGS": "--leagues 1 --seasons 1 --teams 4",
        **more,
    }


def etl(*words: str, env: dict[str, str]) -> subprocess.Popen[str]:
    command = [sys.executable, "-P", "-m", "local.cli.main", *words]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=env, stdout=pipe, stderr=subprocess.STDOUT, text=True, cwd="/")


def call(*words: str, env: dict[str, str], timeout: float = 300) -> tuple[int, str]:
    """Exit code and complete output."""
    with etl(*words, env=env) as process:
        output, _ = process.communicate(timeout=timeout)
    return process.returncode, output


def ours(home: Path) -> list[str]:
    """Running processes that use this state folder."""
    found = []
    for process in psutil.process_iter():
        try:
            description = " ".join(process.cmdline()) + str(process.cwd()) + str(process.environ().get("AIRFLOW_HOME"))
            if process.pid != os.getpid() and process.status() != psutil.STATUS_ZOMBIE and str(home) in description:
                found.append(f"{process.pid} {' '.join(process.cmdline())[:80]}")
        except psutil.Error:
            continue
    return found


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "dags").mkdir()
    (tmp_path / "dags" / "stack.py").write_text(DAGS)
    yield tmp_path
    settings = Settings.load({"ETL_HOME": str(tmp_path / "state")}, None)
    stack = Stack(settings)
    stack.down()
    stack.postgres.destroy()


def test_up_run_down(home: Path) -> None:
    port = free_port()
    env = environment(home, ETL_PORT=str(port), ETL_DAGS_FOLDER=str(home / "dags"))
    code, output = call("up", env=env, timeout=300)
    assert code == 0, output
    assert f"http://127.0.0.1:{port}" in output
    stack = Stack(Settings.load(env, None))
    assert stack.airflow.password() in output
    assert stack.is_up()
    pids = {name: stack.processes.pid(name) for name in [*COMPONENTS, SANDBOX]}

    # A second start finds everything and starts nothing.
    code, output = call("up", env=env, timeout=180)
    assert "everything was running already" in output
    assert {name: stack.processes.pid(name) for name in pids} == pids
    assert call("status", env=env)[0] == 0

    # The pages want a login, and the database is not open to everybody.
    assert requests.get(f"http://127.0.0.1:{port}/api/v2/dags", timeout=10).status_code == 401

    # A task runs, with its imports made beforehand, and one sleeps when the end comes.
    deadline = time.monotonic() + 60
    while not {"stack_hello", "stack_sleeper"} <= stack.api.dag_ids():
        assert time.monotonic() < deadline
        time.sleep(0.5)
    run = stack.api.trigger("stack_hello", {})
    sleeper = stack.api.trigger("stack_sleeper", {})
    while stack.api.runs(["stack_hello"], run["run_after"])["stack_hello", run["dag_run_id"]]["state"] != "success":
        assert time.monotonic() < deadline + 60
        time.sleep(0.5)
    task = stack.api.tasks("stack_hello", run["dag_run_id"])[0]
    lines = [line["event"] for line in stack.api.log_lines("stack_hello", run["dag_run_id"], task)]
    assert "preloaded True" in lines
    while [t["state"] for t in stack.api.tasks("stack_sleeper", sleeper["dag_run_id"])] != ["running"]:
        assert time.monotonic() < deadline + 60
        time.sleep(0.5)

    # A dead scheduler is reported, and `up` starts what is missing, nothing else.
    scheduler = pids["scheduler"]
    assert scheduler
    os.kill(scheduler, signal.SIGKILL)
    assert call("status", env=env)[0] == 3
    code, output = call("up", env=env, timeout=300)
    assert code == 0, output
    assert "Airflow starts (scheduler)" in output
    assert stack.processes.pid("api-server") == pids["api-server"]

    begun = time.monotonic()
    code, output = call("down", env=env, timeout=180)
    assert code == 0, output
    assert time.monotonic() - begun < 30
    stack.api.close()
    assert ours(home) == []
    assert call("status", env=env)[0] == 3
    assert "nothing was running" in call("down", env=env)[1]


def test_ctrl_c_while_it_starts_ends_what_was_started(home: Path) -> None:
    env = environment(home, ETL_PORT=str(free_port()), ETL_DAGS_FOLDER=str(home / "dags"))
    with etl("up", env=env) as up:
        assert up.stdout
        for line in up.stdout:
            if "Airflow starts" in line:
                break
        time.sleep(1)
        up.send_signal(signal.SIGINT)
        output = up.stdout.read()
        assert up.wait(60) == 130
    assert "stopping what was started" in output
    assert ours(home) == []


def test_a_taken_port_ends_it_before_anything_starts(home: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        env = environment(home, ETL_PORT=str(squatter.getsockname()[1]))
        code, output = call("up", env=env, timeout=180)
    assert code == 1
    assert "another program listens on port" in output
    assert not (home / "state" / "postgres.json").exists()


def test_a_sandbox_that_does_not_start_is_reported_with_its_last_lines(home: Path) -> None:
    env = environment(home, ETL_PORT=str(free_port()), ETL_SANDBOX_ARGS="--leagues none")
    code, output = call("up", env=env, timeout=180)
    assert code == 1
    assert "sandbox has ended" in output
    assert "invalid int value: 'none'" in output
    assert ours(home) == []
