"""What the container `preflight` refuses, each with its hint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from local.deploy import container as deploy
from tests.harness.paths import REPO
from tests.local.deploy.compose_file import resolved, write_files


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


def test_a_key_with_a_quotation_mark_is_reported_without_the_key(settings: dict[str, str], tmp_path: Path) -> None:
    files = deploy.Files(write_files(tmp_path / "run", settings | {"SPORTMONKS_API_KEY": 'se"cret'}))
    found = deploy.problems({}, files)
    assert len(found) == 1
    assert "quotation mark" in found[0]
    assert "cret" not in found[0]


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
