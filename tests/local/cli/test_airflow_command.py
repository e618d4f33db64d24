"""`./etl airflow`: Airflow's own commands reach the database of the stack, and no secret is on their command line."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.cli.commands import airflow
from local.cli.context import Context
from local.cli.main import build_parser
from local.errors import LocalError, UsageError
from local.stack.airflow import AirflowHome, Endpoints
from local.stack.settings import Settings

SECRET = "pa55word-that-must-not-be-shown"
PLACE = f"postgresql://airflow:{SECRET}@127.0.0.1:6543/airflow"


def run(home: Path, *words: str, running: bool = True) -> int:
    settings = Settings.load({"ETL_HOME": str(home)}, dotenv_path=None)
    found = AirflowHome(settings)
    found.prepare()
    stack: Any = SimpleNamespace(
        airflow=found,
        postgres=SimpleNamespace(running=lambda: running),
        endpoints=lambda: Endpoints(PLACE, PLACE, "http://127.0.0.1:1/v3", SECRET),
    )
    context = Context()
    context.__dict__ |= {"stack": stack, "settings": settings}
    return airflow.run(build_parser().parse_args(["airflow", *words]), context)


@pytest.mark.parametrize(
    ("words", "passed"),
    [
        (["dags", "list", "-o", "json"], ["dags", "list", "-o", "json"]),
        (["db", "clean", "--help"], ["db", "clean", "--help"]),
        (["--", "version"], ["version"]),
        ([], []),
    ],
)
def test_everything_goes_to_airflow_and_secrets_only_through_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], passed: list[str]
) -> None:
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: called.append(given))
    run(tmp_path, *words)
    ((program, command, env),) = called
    assert command == [program, "-m", "airflow", *passed]
    assert SECRET in env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
    assert env["AIRFLOW_HOME"] == str(tmp_path / "airflow")
    assert SECRET not in str(command)


@pytest.mark.parametrize("command", ["scheduler", "api-server", "dag-processor", "triggerer", "standalone"])
def test_a_second_scheduler_is_refused(tmp_path: Path, command: str) -> None:
    with pytest.raises(UsageError, match=f"{command} belongs to the stack"):
        run(tmp_path, command)


@pytest.mark.parametrize(
    "words",
    [
        ["config", "get-value", "database", "sql_alchemy_conn"],
        ["config", "get-value", "core", "fernet_key"],
        ["connections", "get", "sportmonks_api"],
        ["connections", "export", "-"],
        ["config", "list", "--show-values"],
    ],
)
def test_what_would_print_a_secret_is_refused(tmp_path: Path, words: list[str]) -> None:
    with pytest.raises(UsageError, match="would print a password or a key"):
        run(tmp_path, *words)


@pytest.mark.parametrize(
    "words",
    [["config", "get-value", "logging", "base_log_folder"], ["connections", "get", "--help"], ["config", "list"]],
)
def test_and_what_would_not_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: called.append(given))
    run(tmp_path, *words)
    assert called


def test_a_stack_that_does_not_run_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="is not running") as found:
        run(tmp_path, "dags", "list", running=False)
    assert "./etl up" in found.value.hint
