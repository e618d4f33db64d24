"""The environment of Airflow's processes: known options, no settings of another Airflow, secrets kept and private."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest

from local.stack.airflow import (
    AirflowHome,
    Endpoints,
    clean_environment,
    masked,
    sqlalchemy_url,
    warehouse_connection,
)
from local.stack.settings import REPO, Settings

ENDPOINTS = Endpoints(
    metadata="postgresql://u:p%40ss@127.0.0.1:5433/airflow",
    warehouse="postgresql://me:p%40ss@db.example.org:6543/postgres?sslmode=require",
    api_url="https://api.sportmonks.com/v3",
    api_key='a"key\\',
)


@pytest.fixture
def home(tmp_path: Path) -> AirflowHome:
    settings = Settings.load({"ETL_HOME": str(tmp_path), "ETL_PORT": "9123", "ETL_LEAGUES": "8"}, None)
    found = AirflowHome(settings)
    found.prepare()
    return found


def test_every_option_exists(home: AirflowHome) -> None:
    """A misspelt AIRFLOW__ variable would have no effect and cause no message."""
    from airflow.configuration import conf

    known = conf.configuration_description
    for name in home.environment(ENDPOINTS):
        match = re.fullmatch(r"AIRFLOW__([A-Z_]+?)__([A-Z_]+)", name)
        if match:
            assert match[2].lower() in known.get(match[1].lower(), {"options": {}})["options"], name


def test_nothing_of_another_airflow_leaks_in(home: AirflowHome, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = {
        "AIRFLOW_HOME": "/elsewhere",
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__SMTP__SMTP_HOST": "x",
        "AIRFLOW_CONN_SPORTMONKS_API": "x",
        "AIRFLOW_VAR_SPORTMONKS_MANIFEST": "x",
        "PYTHONPATH": "/elsewhere",
        "PGHOST": "elsewhere",
        "SPORTMONKS_API_KEY": "from-the-shell",
    }
    for name, value in foreign.items():
        monkeypatch.setenv(name, value)
    env = home.environment(ENDPOINTS)
    assert not [value for value in env.values() if value in ("x", "/elsewhere", "elsewhere", "from-the-shell")]
    assert env["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"
    assert env["AIRFLOW_HOME"] == str(home.folder)
    assert env["ETL_LEAGUES"] == "8"
    assert env["AIRFLOW__API__PORT"] == "9123"
    assert clean_environment({"HOME": "/h", "PATH": "/bin"})["HOME"] == "/h"


def test_the_connections_survive_any_sign(home: AirflowHome) -> None:
    env = home.environment(ENDPOINTS)
    assert json.loads(env["AIRFLOW_CONN_SPORTMONKS_API"])["password"] == 'a"key\\'
    warehouse = json.loads(env["AIRFLOW_CONN_SPORTMONKS_WAREHOUSE"])
    assert warehouse == {
        "conn_type": "postgres",
        "host": "db.example.org",
        "port": 6543,
        "login": "me",
        "password": "p@ss",
        "schema": "postgres",
        "extra": {"sslmode": "require"},
    }
    assert json.loads(warehouse_connection("host=h user=u"))["port"] == 5432
    assert sqlalchemy_url(ENDPOINTS.metadata) == "postgresql+psycopg2://u:p%40ss@127.0.0.1:5433/airflow"


def test_passwords_are_masked_for_eyes() -> None:
    assert masked(ENDPOINTS.warehouse) == "postgresql://me@db.example.org:6543/postgres"


def test_secrets_are_made_once_and_private(home: AirflowHome) -> None:
    first = home.environment(ENDPOINTS)
    password = home.password()
    again = AirflowHome(home.settings)
    again.prepare()
    assert again.password() == password
    assert again.environment(ENDPOINTS) == first
    secret_files = [*home.folder.glob("*.key"), home.passwords_file]
    assert len(secret_files) == 4
    assert {stat.S_IMODE(path.stat().st_mode) for path in secret_files} == {0o600}


def test_the_plugin_loader_is_kept_out_of_the_package() -> None:
    lines = (REPO / "plugins" / ".airflowignore").read_text().splitlines()
    assert "sportmonks" in lines  # with a slash at its end Airflow 3.1.0 does not see it


def test_an_interpreter_finds_its_libraries_and_nothing_else_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a process that gets no environment else, as the sandbox does."""
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/python/lib")
    assert clean_environment({}).keys() == {"PATH", "LD_LIBRARY_PATH"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"no_proxy": "db.example"}, "db.example"),
        ({"https_proxy": "http://proxy.example:3128"}, "127.0.0.1,localhost"),
        ({"HTTP_PROXY": "http://proxy.example:3128", "no_proxy": "db.example"}, "db.example,127.0.0.1,localhost"),
    ],
)
def test_requests_to_this_machine_go_past_a_proxy(
    monkeypatch: pytest.MonkeyPatch, home: AirflowHome, given: dict[str, str], expected: str | None
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    home.prepare()
    assert home.environment(ENDPOINTS).get("no_proxy") == expected
