"""Passwords and keys are files in the containers that need them, and nowhere else."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from local.deploy import container as deploy
from tests.local.deploy.compose_file import COMPOSE, SECRET_NAMES, given, write_files


def test_secrets_come_from_the_environment_only() -> None:
    """The file holds no password and no default for one but the empty text."""
    for name, default in re.findall(r"\$\{([A-Z0-9_]+):?-?([^}$]*)\}", COMPOSE.read_text()):
        secret = SECRET_NAMES.search(name) and not name.startswith("AIRFLOW__SECRETS__")
        if secret and (name, default) != ("SPORTMONKS_API_KEY", "demo-key"):
            assert default == "", f"{name} has the default {default!r}"
    assert not re.search(r"(PASSWORD|SECRET|_KEY): +(?!\"\"\n)[^$\s{]", COMPOSE.read_text())


def test_the_connections_are_what_airflow_reads(files: deploy.Files, settings: dict[str, str], tmp_path: Path) -> None:
    from airflow.sdk import Connection

    found = json.loads(files.connections)
    assert found["sportmonks_api"] == {
        "conn_type": "http",
        "host": "https://api.sportmonks.com/v3",
        "password": "some-key",
    }
    warehouse = Connection.from_uri(found["sportmonks_warehouse"], conn_id="x")
    assert (warehouse.conn_type, warehouse.host, warehouse.schema) == ("postgres", "postgres", "sportmonks")
    assert (warehouse.login, warehouse.password) == ("sportmonks", settings["WAREHOUSE_PASSWORD"])
    own = "postgresql://me:p%40ss@db.example.org:6543/postgres?sslmode=require"
    other = deploy.Files(write_files(tmp_path / "own", settings | {"SUPABASE_CONNECTION_STRING": own}))
    warehouse = Connection.from_uri(json.loads(other.connections)["sportmonks_warehouse"], conn_id="x")
    assert (warehouse.password, warehouse.port) == ("p@ss", 6543)
    assert warehouse.extra_dejson == {"sslmode": "require"}


def test_airflow_reads_its_secrets_from_the_files(
    services: dict[str, Any], files: deploy.Files, settings: dict[str, str], tmp_path: Path
) -> None:
    """A process of Airflow with a container's environment, which holds none of them."""
    run = shlex.quote(f"{files.folder}/")  # where the container has /run/
    given = {name: value.replace("/run/", run) for name, value in services["scheduler"]["environment"].items()}
    text = (files.folder / "settings" / "backend.json").read_text()
    (files.folder / "settings" / "backend.json").write_text(text.replace("/run/", f"{files.folder}/"))
    program = (
        "import json; from airflow.configuration import conf; from airflow.sdk import BaseHook\n"
        "names = [('core', 'fernet_key'), ('api', 'secret_key'), ('api_auth', 'jwt_secret'),"
        " ('database', 'sql_alchemy_conn')]\n"
        "found = [conf.get(*name) for name in names]\n"
        "found += [BaseHook.get_connection(name).password for name in ('sportmonks_api', 'sportmonks_warehouse')]\n"
        "print(json.dumps(found))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": os.environ["PATH"], "AIRFLOW_HOME": str(tmp_path)} | given,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [
        settings["AIRFLOW_FERNET_KEY"],
        settings["AIRFLOW_API_SECRET_KEY"],
        settings["AIRFLOW_JWT_SECRET"],
        f"postgresql+psycopg2://airflow:{settings['AIRFLOW_DATABASE_PASSWORD']}@postgres:5432/airflow",
        settings["SPORTMONKS_API_KEY"],
        settings["WAREHOUSE_PASSWORD"],
    ]


def test_no_secret_on_a_command_line(services: dict[str, Any], settings: dict[str, str]) -> None:
    secrets = {value for name, value in settings.items() if SECRET_NAMES.search(name)}
    for name, service in services.items():
        words = json.dumps([service.get("command"), service.get("entrypoint"), service.get("healthcheck")])
        assert name == "sandbox" or not any(secret in words for secret in secrets), name


def test_redis_keeps_queued_tasks_and_reads_its_password_from_a_file(
    services: dict[str, Any], files: deploy.Files, settings: dict[str, str], tmp_path: Path
) -> None:
    shell, flag, script = services["redis"]["command"]
    assert (shell, flag) == ("sh", "-c")
    written = script.replace("/tmp/redis.conf", shlex.quote(str(tmp_path / "redis.conf")))
    written = written.replace("/run/", shlex.quote(f"{files.folder}/"))
    written = written.replace("exec docker-entrypoint.sh", "echo").replace("-o redis ", "")
    subprocess.run(["sh", "-c", written], env={"PATH": os.environ["PATH"]}, check=True, capture_output=True)
    lines = (tmp_path / "redis.conf").read_text().splitlines()
    assert lines == [f"requirepass {settings['REDIS_PASSWORD']}", "appendonly yes", "dir /data"]
    assert (tmp_path / "redis.conf").stat().st_mode & 0o077 == 0
    assert "redis:/data" in services["redis"]["volumes"]


def test_secrets_are_files_and_in_no_environment(services: dict[str, Any], settings: dict[str, str]) -> None:
    """`docker inspect` shows an environment. The sandbox's own key is no secret."""
    secrets = {value: name for name, value in settings.items() if SECRET_NAMES.search(name)}
    for name, service in services.items():
        text = json.dumps(given(service, settings))
        found = [secret for value, secret in secrets.items() if value in text]
        assert found == (["SPORTMONKS_API_KEY"] if name == "sandbox" else []), name


def test_only_those_containers_get_a_secret_that_need_it(services: dict[str, Any]) -> None:
    holders: dict[str, set[str]] = {}
    for name, service in services.items():
        for secret in service.get("secrets", []):
            holders.setdefault(secret, set()).add(name)
    both, airflow = {"preflight", "init"}, {"api-server", "scheduler", "dag-processor", "triggerer", "worker"}
    assert holders.pop("postgres_password") == both | {"postgres"}
    assert holders.pop("redis_password") == both | {"redis"}
    for name in ("airflow_fernet_key", "airflow_api_secret_key", "airflow_jwt_secret"):
        assert holders.pop(name) == both | airflow
    assert holders.keys() == {
        "airflow_admin_password",
        "airflow_database_password",
        "warehouse_password",
        "warehouse_reader_password",
    }
    assert all(found == both for found in holders.values())
    assert {name for name, service in services.items() if service.get("configs")} == both | airflow


def test_the_sandbox_knows_no_secret_but_its_key(services: dict[str, Any], settings: dict[str, str]) -> None:
    text = json.dumps(given(services["sandbox"], settings))
    assert [name for name, value in settings.items() if value in text] == ["SPORTMONKS_API_KEY"]
