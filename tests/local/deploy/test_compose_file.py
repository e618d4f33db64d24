"""docker-compose.yaml agrees with the repository and with Airflow; Docker's client checks it where it exists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.compose.engine import NotDone, compose_client
from tests.harness.paths import REPO
from tests.local.deploy.compose_file import COMPOSE

SERVICES = {"postgres", "init", "api-server", "scheduler", "dag-processor", "triggerer", "sandbox", "worker", "redis"}


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
            # It is there for the order of a stop alone.
            condition = "service_started" if other == "api-server" else condition
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


def test_every_variable_is_explained() -> None:
    example = (REPO / ".env.example").read_text()
    for name in set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", COMPOSE.read_text())):
        assert re.search(rf"^(# )?{name}=", example, re.M), f"add {name} to .env.example"


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


def test_every_airflow_container_reads_the_settings_of_its_user(services: dict[str, Any]) -> None:
    for name in ("init", "api-server", "scheduler", "dag-processor", "triggerer", "worker"):
        assert services[name]["env_file"] == ".env", name


def test_what_runs_tasks_stops_before_what_they_report_to(services: dict[str, Any]) -> None:
    """Compose stops in the order of dependencies, backwards."""
    for name in ("scheduler", "worker"):
        assert services[name]["depends_on"].keys() >= {"api-server", "postgres", "init"}, name
        assert services[name]["environment"]["DUMB_INIT_SETSID"] == "0", f"{name}: its children get no signal"
    assert "redis" in services["worker"]["depends_on"]


def test_a_stop_waits_longer_than_a_batch_takes_and_logs_are_bounded(services: dict[str, Any]) -> None:
    assert services["worker"]["stop_grace_period"] == "5m"
    for name, service in services.items():
        assert service["logging"]["options"]["max-size"], name


def test_a_starved_scheduler_does_not_reset_its_own_tasks(services: dict[str, Any]) -> None:
    environment = services["scheduler"]["environment"]
    threshold = int(environment["AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_THRESHOLD"])
    assert threshold >= 120 > int(environment["AIRFLOW__SCHEDULER__ORPHANED_TASKS_CHECK_INTERVAL"])


def test_every_container_has_a_bound_of_memory(services: dict[str, Any]) -> None:
    assert all(service["mem_limit"] for service in services.values())
