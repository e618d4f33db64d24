"""`./etl airflow`: Airflow's own commands reach the database of the stack, and no secret is on their command line."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from local.cli.commands import airflow
from local.cli.context import Context
from local.cli.main import build_parser
from local.errors import LocalError, UsageError
from local.stack.airflow import AirflowHome, Endpoints
from local.stack.settings import Settings

SECRET = "pa55word-that-must-not-be-shown"
PLACE = f"postgresql://airflow:{SECRET}@127.0.0.1:6543/airflow"


def run(home: Path, *words: str, running: bool = True, place: str = PLACE) -> int:
    settings = Settings.load({"ETL_HOME": str(home)}, dotenv_path=None)
    found = AirflowHome(settings)
    found.prepare()
    stack: Any = SimpleNamespace(
        airflow=found,
        postgres=SimpleNamespace(running=lambda: running),
        endpoints=lambda: Endpoints(place, place, "http://127.0.0.1:1/v3", SECRET),
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


@pytest.fixture
def dags(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> str:
    """A database that knows three DAGs, one of them paused, one no longer there; its connection string."""
    warehouse.execute(
        "CREATE TABLE public.dag (dag_id text, is_paused boolean, is_stale boolean);"
        "INSERT INTO public.dag VALUES"
        " ('raw_shop_orders', true, false), ('etl_watch', false, false), ('gone', false, true)"
    )
    return warehouse_dsn


@pytest.mark.parametrize("name", ["raw_shop_order", "gone", "a\x1b[31mb", "%s", "x" * 9000])
def test_a_run_of_a_dag_that_is_not_there(tmp_path: Path, dags: str, name: str) -> None:
    with pytest.raises(UsageError, match="there is no DAG") as found:
        run(tmp_path, "dags", "trigger", name, place=dags)
    assert "\x1b" not in str(found.value)
    assert "raw_shop_orders" in found.value.hint


def test_the_run_of_a_paused_dag_is_noted(
    tmp_path: Path, dags: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: called.append(given[1][3:]))
    run(tmp_path, "dags", "trigger", "raw_shop_orders", place=dags)
    assert "its run waits until ./etl airflow dags unpause raw_shop_orders" in capfd.readouterr().err
    run(tmp_path, "dags", "trigger", "etl_watch", "-r", "one", place=dags)
    run(tmp_path, "dags", "trigger", "nothing")  # a database that does not answer is left to Airflow
    assert "paused" not in capfd.readouterr().err
    assert called == [
        ["dags", "trigger", *rest] for rest in (["raw_shop_orders"], ["etl_watch", "-r", "one"], ["nothing"])
    ]


def test_a_stack_that_does_not_run_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="is not running") as found:
        run(tmp_path, "dags", "list", running=False)
    assert "./etl up" in found.value.hint
