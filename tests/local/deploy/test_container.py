"""The container files agree with the code and the locked requirements; Docker's client checks them where it exists."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import conninfo, sql

from local.deploy import container as deploy
from local.deploy import make_secrets
from tests.deploy.compose.__main__ import NotDone, compose_client
from tests.harness.paths import REPO

COMPOSE = REPO / "docker-compose.yaml"
SERVICES = {"postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer", "sandbox", "worker", "redis"}
SECRET_NAMES = re.compile(r"PASSWORD|KEY|SECRET")


def interpolate(text: str, env: dict[str, str]) -> str:
    """Compose's ${NAME:-default}, defaults nested; `$$` is a dollar sign."""

    def close(start: int) -> int:
        depth = 0
        for index in range(start, len(text)):
            depth += {"{": 1, "}": -1}.get(text[index], 0) if text[index] in "{}" else 0
            if depth == 0:
                return index
        raise AssertionError(f"no end of {text[start : start + 40]}")

    found = re.search(r"(?<!\$)\$\{", text)
    if not found:
        return text.replace("$$", "$")
    end = close(found.start() + 1)
    name, _, default = text[found.end() : end].partition(":-")
    assert re.fullmatch(r"[A-Z][A-Z0-9_]*", name), name
    value = env.get(name) or interpolate(default, env)
    return text[: found.start()].replace("$$", "$") + value + interpolate(text[end + 1 :], env)


def resolved(env: dict[str, str]) -> dict[str, Any]:
    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: walk(item) for key, item in value.items()}
        if isinstance(value, list):
            return [walk(item) for item in value]
        return interpolate(value, env) if isinstance(value, str) else value

    document: dict[str, Any] = walk(yaml.safe_load(COMPOSE.read_text()))
    return document


@pytest.fixture
def settings() -> dict[str, str]:
    lines = make_secrets.lines("")
    return dict(line.split("=", 1) for line in lines) | {"SPORTMONKS_API_KEY": "some-key"}


def write_files(folder: Path, settings: dict[str, str]) -> Path:
    """What compose puts into `/run` of a container that gets every secret and config."""
    document = resolved(settings)
    (folder / "secrets").mkdir(parents=True)
    for name, source in document["secrets"].items():
        (folder / "secrets" / name).write_text(settings.get(source["environment"], ""))
    (folder / "settings").mkdir()
    for entry in document["x-airflow"]["configs"]:
        text = document["configs"][entry["source"]]["content"]
        (folder / "settings" / Path(entry["target"]).name).write_text(text)
    return folder


@pytest.fixture
def files(settings: dict[str, str], tmp_path: Path) -> deploy.Files:
    return deploy.Files(write_files(tmp_path / "run", settings))


@pytest.fixture
def services(settings: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = resolved(settings)["services"]
    return found


def locked(package: str) -> str:
    match = re.search(rf"^{re.escape(package)}==(\S+)", (REPO / "requirements.txt").read_text(), re.M)
    assert match, f"{package} is not in requirements.txt"
    return match[1]


def test_every_service_is_there_with_a_health_check(services: dict[str, Any]) -> None:
    assert services.keys() >= SERVICES
    for name, service in services.items():
        if name in ("init", "preflight"):
            assert service["restart"] == "no"
        else:
            assert service["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL"), name
    assert services["sandbox"]["profiles"] == ["sandbox"]
    assert services["worker"]["profiles"] == services["redis"]["profiles"] == ["celery"]


def test_dependencies_exist_and_can_be_met(services: dict[str, Any]) -> None:
    for name, service in services.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in services, f"{name} waits for {other}"
            finite = services[other]["restart"] == "no"
            condition = "service_completed_successfully" if finite else "service_healthy"
            assert how["condition"] == condition, f"{name} -> {other}"
            profiles = services[other].get("profiles", [])
            assert set(profiles) <= set(service.get("profiles", [])), f"{name} waits for another profile's {other}"


def test_mounted_folders_exist(services: dict[str, Any]) -> None:
    for service in services.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert not source.startswith(".") or source == "./.env" or (REPO / source).is_dir(), source
    mounted = {volume.split(":")[0] for volume in services["scheduler"]["volumes"]}
    assert mounted >= {"./dags", "./plugins", "./include", "./config"}


def test_secrets_come_from_the_environment_only() -> None:
    """The file holds no password and no default for one but the empty text."""
    for name, default in re.findall(r"\$\{([A-Z0-9_]+):?-?([^}$]*)\}", COMPOSE.read_text()):
        secret = SECRET_NAMES.search(name) and not name.startswith("AIRFLOW__SECRETS__")
        if secret and (name, default) != ("SPORTMONKS_API_KEY", "demo-key"):
            assert default == "", f"{name} has the default {default!r}"
    assert not re.search(r"(PASSWORD|SECRET|_KEY): +(?!\"\"\n)[^$\s{]", COMPOSE.read_text())


def test_every_variable_is_explained() -> None:
    example = (REPO / ".env.example").read_text()
    for name in set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", COMPOSE.read_text())):
        assert re.search(rf"^(# )?{name}=", example, re.M), f"add {name} to .env.example"


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
    given = {
        name: value.replace("/run/", f"{files.folder}/") for name, value in services["scheduler"]["environment"].items()
    }
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


def test_airflow_settings_exist(services: dict[str, Any]) -> None:
    """A misspelt AIRFLOW__ variable would have no effect and cause no message."""
    from airflow.configuration import conf

    for name in services["scheduler"]["environment"]:
        match = re.fullmatch(r"AIRFLOW__(\w+?)__(\w+?)(_CMD)?", name)
        if match and match[1] != "CELERY":
            section = conf.configuration_description.get(match[1].lower(), {"options": {}})
            assert match[2].lower() in section["options"], name
            option = section["options"][match[2].lower()]
            assert not match[3] or option.get("sensitive"), f"{name}: Airflow runs no command for this one"


def test_the_image_has_the_versions_of_the_lock() -> None:
    text = (REPO / "Dockerfile").read_text()
    base = re.search(r"^FROM apache/airflow:(\S+)-python3\.(\d+)(?: AS product)$", text, re.M)
    assert base
    assert base[1] == locked("apache-airflow")
    assert 11 <= int(base[2]) <= 13
    pins = re.findall(r'"([a-z-]+)(?:\[\w+\])?==([\d.]+)"', text)
    assert ("apache-airflow", base[1]) in pins, "without it pip may move the core"
    for name, version in pins:
        assert version == locked(name), name
    for source in re.findall(r"^COPY --chown=\S+ (\S+)", text, re.M):
        assert (REPO / source).is_dir()
        assert f"!{source}\n" in (REPO / ".dockerignore").read_text()


def test_lock_files_have_a_hash_for_every_line() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (REPO / name).read_text()
        packages = re.findall(r"^[a-zA-Z0-9_.-]+(?:\[[\w,-]+\])?==", text, re.M)
        assert len(packages) > 100
        for block in re.split(r"^(?=[a-zA-Z0-9_.-]+(?:\[[\w,-]+\])?==)", text, flags=re.M)[1:]:
            assert "--hash=sha256:" in block, block.splitlines()[0]
        assert "://" not in text, "a lock names no registry"


def test_docker_compose_accepts_the_file(tmp_path: Path, settings: dict[str, str]) -> None:
    try:
        compose = compose_client()
    except NotDone as reason:
        pytest.skip(str(reason))
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    shutil.copy(COMPOSE, tmp_path)
    command = [*compose, "--profile", "*", "config", "--quiet"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


# -- what the containers run ---------------------------------------------------------------------------------


def test_check_names_what_is_missing(services: dict[str, Any], files: deploy.Files, tmp_path: Path) -> None:
    assert deploy.problems(services["preflight"]["environment"], files) == []
    defaults, empty = (
        resolved({})["services"]["preflight"]["environment"],
        deploy.Files(write_files(tmp_path / "e", {})),
    )
    found = "\n".join(deploy.problems(defaults, empty))
    for name in ("POSTGRES_PASSWORD", "AIRFLOW_FERNET_KEY", "AIRFLOW_ADMIN_PASSWORD", "SPORTMONKS_API_KEY"):
        assert f"{name} is not set in .env" in found
    assert "REDIS_PASSWORD" not in found
    celery = resolved({"AIRFLOW_EXECUTOR": "CeleryExecutor"})["services"]["preflight"]["environment"]
    assert any("REDIS_PASSWORD" in line for line in deploy.problems(celery, empty))
    other = defaults | {"AIRFLOW__CORE__EXECUTOR": "KubernetesExecutor", "AIRFLOW_UID": "me"}
    found = "\n".join(deploy.problems(other, files))
    assert "AIRFLOW_EXECUTOR='KubernetesExecutor'" in found
    assert "AIRFLOW_UID='me' is not the number of a user" in found


def run_command(service: dict[str, Any], files: deploy.Files, **environment: str) -> subprocess.CompletedProcess[str]:
    """The service's own command with its own environment, beside what the image and the host give."""
    words = [*service.get("entrypoint", []), *service["command"]]
    assert words[0] == "python"
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}"} | service["environment"]
    # The folders of these tests belong to this user.
    env |= {"DEPLOY_FILES": str(files.folder), "AIRFLOW_UID": str(os.getuid())}
    return subprocess.run(
        [sys.executable, *words[1:]], env=env | environment, capture_output=True, text=True, check=False, cwd="/"
    )


@pytest.fixture
def airflow_home(tmp_path: Path) -> Path:
    """What the image has below AIRFLOW_HOME once the folders are mounted."""
    for name in ("config", "dags", "include", "plugins"):
        (tmp_path / name).symlink_to(REPO / name)
    (tmp_path / "checkout").mkdir()
    (tmp_path / "checkout" / "local").symlink_to(REPO / "local")
    for name in ("auth", "logs"):
        (tmp_path / name).mkdir()
    return tmp_path


def write_dotenv(airflow_home: Path, settings: dict[str, str]) -> None:
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    (airflow_home / "checkout" / ".env").write_text(lines)


def test_the_preflight_waits_for_nothing_and_passes(
    services: dict[str, Any], files: deploy.Files, settings: dict[str, str], airflow_home: Path
) -> None:
    """The image's entrypoint waits for a database that waits for this very service: it must not run here."""
    service = services["preflight"]
    assert service["entrypoint"][0] == "python"
    assert service["depends_on"] == {}
    write_dotenv(airflow_home, settings)
    done = run_command(service, files, AIRFLOW_HOME=str(airflow_home))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_preflight_reads_what_only_the_owner_can(services: dict[str, Any]) -> None:
    """.env is closed to the containers' user; root reads it, and everything else is looked at as that user."""
    service = services["preflight"]
    assert (service["user"], service["environment"]["AIRFLOW_UID"]) == ("0:0", "50000")
    assert service["cap_drop"] == ["ALL"]
    assert service["cap_add"] == ["DAC_READ_SEARCH", "SETGID", "SETUID"]
    assert "./.env:/opt/airflow/checkout/.env:ro" in service["volumes"]
    for name in ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker", "sandbox"):
        assert services[name]["user"] == "50000:0", name
        assert not any(".env" in volume for volume in services[name]["volumes"]), name


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes another user")
def test_it_becomes_the_user_of_the_other_containers() -> None:
    program = (
        "import os; from local.deploy.container import become; become(1234); print(os.getresuid(), os.getgroups())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=REPO)
    assert done.stdout.strip() == "(1234, 1234, 1234) []"


def test_the_preflight_refuses_a_dollar_sign_and_a_stale_container(
    services: dict[str, Any], files: deploy.Files, settings: dict[str, str], airflow_home: Path
) -> None:
    """Compose would expand the one, and keep the files of running containers after the other."""
    write_dotenv(airflow_home, settings | {"AIRFLOW_CONN_MINE": "smtp://me:a$b@host", "REDIS_PASSWORD": "other"})
    done = run_command(services["preflight"], files, AIRFLOW_HOME=str(airflow_home))
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: AIRFLOW_CONN_MINE in .env holds a $, which docker compose takes for the begin of a variable."
        " Write $$ for each $.",
        "error: REDIS_PASSWORD in .env has changed since the containers were made."
        " Run: docker compose up --detach --force-recreate (if that says the same, the shell has another"
        " REDIS_PASSWORD, which docker compose prefers: unset it)",
    ]


def test_the_preflight_names_what_is_missing_and_what_cannot_be_used(airflow_home: Path) -> None:
    (airflow_home / "auth").rmdir()
    (airflow_home / "dags").unlink()
    files = deploy.Files(write_files(airflow_home / "run", {}))
    done = run_command(resolved({})["services"]["preflight"], files, AIRFLOW_HOME=str(airflow_home))
    assert done.returncode == 1
    assert "POSTGRES_PASSWORD is not set in .env" in done.stderr
    assert f"{airflow_home / 'auth'} cannot be written by the containers' user" in done.stderr
    assert f"{airflow_home / 'dags'} cannot be read" in done.stderr
    assert "chmod -R go+rX" in done.stderr


def test_the_preflight_names_a_local_folder_that_cannot_be_read(
    services: dict[str, Any], files: deploy.Files, airflow_home: Path
) -> None:
    """It runs from the image, because the mounted copy of itself may be the one that cannot be read."""
    targets = [volume.split(":")[1] for volume in services["preflight"]["volumes"]]
    assert "/opt/airflow/checkout/local" in targets
    assert not any(target.startswith("/opt/sportmonks") for target in targets)
    (airflow_home / "checkout" / "local").unlink()
    done = run_command(services["preflight"], files, AIRFLOW_HOME=str(airflow_home))
    assert done.returncode == 1
    assert f"{airflow_home / 'checkout/local/deploy'} cannot be read by the containers' user" in done.stderr


def test_every_airflow_container_reads_the_settings_of_its_user(services: dict[str, Any]) -> None:
    for name in ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"):
        assert services[name]["env_file"] == ".env", name


def test_the_image_is_built_once_and_pulled_from_nowhere(services: dict[str, Any]) -> None:
    built = {name: service["image"] for name, service in services.items() if "build" in service}
    assert built.keys() == {"preflight", "sandbox"}
    for name, service in services.items():
        if service["image"].startswith("sportmonks-etl"):
            assert service["image"] in built.values(), name
            assert service["pull_policy"] == "never", name
    named = resolved({"ETL_IMAGE": "registry.example.org/etl"})["services"]
    assert named["worker"]["image"].startswith("registry.example.org/etl:")
    assert named["sandbox"]["image"].startswith("registry.example.org/etl-sandbox:")


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
    written = script.replace("/tmp/redis.conf", str(tmp_path / "redis.conf")).replace("/run/", f"{files.folder}/")
    written = written.replace("exec docker-entrypoint.sh", "echo").replace("-o redis ", "")
    subprocess.run(["sh", "-c", written], env={"PATH": os.environ["PATH"]}, check=True, capture_output=True)
    lines = (tmp_path / "redis.conf").read_text().splitlines()
    assert lines == [f"requirepass {settings['REDIS_PASSWORD']}", "appendonly yes", "dir /data"]
    assert (tmp_path / "redis.conf").stat().st_mode & 0o077 == 0
    assert "redis:/data" in services["redis"]["volumes"]


def test_a_stop_waits_longer_than_a_batch_takes_and_logs_are_bounded(services: dict[str, Any]) -> None:
    assert services["worker"]["stop_grace_period"] == "5m"
    for name, service in services.items():
        assert service["logging"]["options"]["max-size"], name


def test_a_starved_scheduler_does_not_reset_its_own_tasks(services: dict[str, Any]) -> None:
    environment = services["scheduler"]["environment"]
    threshold = int(environment["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD"])
    assert threshold >= 120 > int(environment["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"])


def test_a_dollar_sign_that_compose_would_expand_is_named() -> None:
    text = (
        "SPORTMONKS_API_KEY=abc$HOME\nPOSTGRES_PASSWORD=a$$b\nREDIS_PASSWORD='a$b'\n# AIRFLOW_UID=$X\n"
        "AIRFLOW_BASE_URL=http://${HOSTNAME}:8080\nWAREHOUSE_PASSWORD=a$$$b\n"
    )
    assert make_secrets.expanded(text) == ["SPORTMONKS_API_KEY", "WAREHOUSE_PASSWORD"]


def test_no_secrets_are_made_for_a_file_that_compose_would_misread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    dotenv = tmp_path / ".env"
    dotenv.write_text("SPORTMONKS_API_KEY=se$cret\n")
    dotenv.chmod(0o600)
    monkeypatch.setattr(make_secrets, "DOTENV", dotenv)
    assert make_secrets.main() == 1
    output, errors = capsys.readouterr()
    assert output == ""
    assert errors.startswith("error: SPORTMONKS_API_KEY in .env holds a $")
    assert "cret" not in errors
    dotenv.write_text("SPORTMONKS_API_KEY=se$$cret\n")
    assert make_secrets.main() == 0
    assert "POSTGRES_PASSWORD=" in capsys.readouterr().out


def test_a_key_with_a_quotation_mark_is_reported_without_the_key(settings: dict[str, str], tmp_path: Path) -> None:
    files = deploy.Files(write_files(tmp_path / "run", settings | {"SPORTMONKS_API_KEY": 'se"cret'}))
    found = deploy.problems({}, files)
    assert len(found) == 1
    assert "quotation mark" in found[0]
    assert "cret" not in found[0]


def test_secrets_are_made_once() -> None:
    first = make_secrets.lines("POSTGRES_PASSWORD=kept\nREDIS_PASSWORD=\n# AIRFLOW_JWT_SECRET=x\n")
    names = [line.split("=")[0] for line in first]
    assert "POSTGRES_PASSWORD" not in names
    assert {"REDIS_PASSWORD", "AIRFLOW_JWT_SECRET", "AIRFLOW_FERNET_KEY"} <= set(names)
    assert make_secrets.lines("\n".join(["POSTGRES_PASSWORD=kept", *first])) == []
    from cryptography.fernet import Fernet

    Fernet(dict(line.split("=", 1) for line in first)["AIRFLOW_FERNET_KEY"])


def test_secrets_need_nothing_but_python() -> None:
    script = REPO / "local" / "deploy" / "make_secrets.py"
    done = subprocess.run(
        [sys.executable, "-S", str(script)], capture_output=True, text=True, check=True, cwd="/", env={}
    )
    assert done.stdout.count("=") >= 1 or (REPO / ".env").exists()


def given(service: dict[str, Any], settings: dict[str, str]) -> dict[str, str]:
    """A container's environment: the lines of `.env` where the service reads it, then its own."""
    return (settings if service.get("env_file") else {}) | service.get("environment", {})


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


def test_every_container_has_a_bound_of_memory(services: dict[str, Any]) -> None:
    assert all(service["mem_limit"] for service in services.values())


def test_the_sandbox_knows_no_secret_but_its_key(services: dict[str, Any], settings: dict[str, str]) -> None:
    text = json.dumps(given(services["sandbox"], settings))
    assert [name for name, value in settings.items() if value in text] == ["SPORTMONKS_API_KEY"]


@pytest.mark.slow
def test_init_builds_both_databases_and_again(
    services: dict[str, Any], files: deploy.Files, settings: dict[str, str], postgres_server: str, tmp_path: Path
) -> None:
    """The init container's command, run outside of a container against a real server."""
    metadata, warehouse = f"meta_{os.getpid()}", f"warehouse_{os.getpid()}"
    passwords = tmp_path / "passwords.json"
    server = conninfo.conninfo_to_dict(postgres_server)

    def url(name: str, account: str = f"{server['user']}:{server.get('password', '')}") -> str:
        return f"postgresql://{account}@{server['host']}:{server['port']}/{name}"

    (files.folder / "secrets" / "postgres_password").write_text(str(server.get("password", "")))
    address = url(metadata, f"{metadata}:secret1").replace(":", "+psycopg2:", 1)
    (files.folder / "settings" / "metadata").write_text(address)
    connections = json.loads(files.connections) | {"sportmonks_warehouse": url(warehouse, f"{warehouse}:secret2")}
    (files.folder / "settings" / "connections.json").write_text(json.dumps(connections))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **{name: value.replace("/run/", f"{files.folder}/") for name, value in services["init"]["environment"].items()},
        "DEPLOY_FILES": str(files.folder),
        "AIRFLOW_HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}",
        "POSTGRES_ADMIN": url("postgres", str(server["user"])),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }
    command = [sys.executable, "-m", "local.deploy.container", "init"]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(metadata)))
        try:
            for word in ("files of the schema applied", "up to date"):
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
                )
                assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
                assert f"warehouse: {word}" in done.stdout or word in done.stdout
            rights = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
            for name, password in ((metadata, "secret1"), (warehouse, "secret2")):
                with psycopg.connect(url(name, f"{name}:{password}")) as conn:
                    assert conn.execute(rights).fetchone() == (False,)
            with psycopg.connect(url(warehouse, f"sportmonks_read:{settings['WAREHOUSE_READER_PASSWORD']}")) as conn:
                assert conn.execute("SELECT count(*) FROM football.fixtures").fetchone() == (0,)
        finally:
            for name in (metadata, warehouse):
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                admin.execute(drop.format(sql.Identifier(name)))
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
    assert json.loads(passwords.read_text()) == {"admin": settings["AIRFLOW_ADMIN_PASSWORD"]}
    assert passwords.stat().st_mode & 0o077 == 0


def test_a_warehouse_of_the_users_own_is_left_alone(files: deploy.Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a password in it, or elsewhere; a host without a port is the one with the usual port."""
    prepared: list[str] = []
    connections: list[str] = []

    class Connection:
        def __init__(self, place: str, **_: object) -> None:
            connections.append(place)

        def __enter__(self) -> Connection:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(psycopg, "connect", Connection)
    monkeypatch.setattr("local.accounts.ensure_database", lambda _, name: prepared.append(name))
    monkeypatch.setattr("local.accounts.prepare_metadata", lambda *_: None)
    monkeypatch.setattr("local.accounts.prepare_warehouse", lambda _, *words: prepared.extend(words))
    environment = {"POSTGRES_ADMIN": "postgresql://postgres@postgres:5432/postgres"}
    (files.folder / "settings" / "metadata").write_text("postgresql+psycopg2://airflow:a@elsewhere:5432/airflow")
    (files.folder / "secrets" / "warehouse_reader_password").write_text("r")

    def prepare(own: str) -> None:
        text = json.dumps({"sportmonks_warehouse": own})
        (files.folder / "settings" / "connections.json").write_text(text)
        deploy._prepare_databases(environment, files)

    prepare("postgresql://alice@postgres:5432/data")
    prepare("postgresql://alice:a@db.example.org/data")
    assert connections == []
    prepare("postgresql://sportmonks:w@postgres/data")
    assert prepared == ["data", "w", "r", "sportmonks"]


def test_another_password_of_the_superuser_ends_init_with_a_hint(
    files: deploy.Files, postgres_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = conninfo.conninfo_to_dict(postgres_server)
    place = f"{parts['host']}:{parts['port']}"
    (files.folder / "settings" / "metadata").write_text(f"postgresql+psycopg2://airflow:a@{place}/airflow")
    environment = {
        "DEPLOY_FILES": str(files.folder),
        "POSTGRES_ADMIN": f"postgresql://{parts['user']}@{place}/postgres",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(tmp_path / "passwords.json"),
    }
    assert deploy.init(environment) == 1
    errors = capsys.readouterr().err
    assert "password authentication failed" in errors
    assert "Set that one as POSTGRES_PASSWORD in .env" in errors
    assert files.secret("POSTGRES_PASSWORD") not in errors


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        state = {"metadatabase": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}, "scheduler": {}}
        body = json.dumps(state).encode()
        self.send_response(200 if self.path == "/api/v2/monitor/health" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""


def test_healthy_reads_the_answer() -> None:
    assert deploy.healthy("http://127.0.0.1:1") == 1
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        words = [["healthy", url], ["healthy", url, "triggerer"], ["healthy", url, "scheduler"], ["healthy", url, "x"]]
        assert [deploy.main(line) for line in words] == [0, 1, 1, 1]
        server.shutdown()
    assert deploy.main(["nonsense"]) == 2
