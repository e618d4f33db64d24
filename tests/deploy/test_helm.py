"""The values for the official Helm chart agree with the code, the compose file and the guide; with the chart's schema
where AIRFLOW_CHART_SCHEMA names it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterator
from configparser import RawConfigParser
from functools import cache
from pathlib import Path
from typing import Any

import airflow.config_templates
import jsonschema
import pytest
import yaml

import sportmonks
from sportmonks.config.settings import API_CONN_ID, WAREHOUSE_CONN_ID
from tests.harness.paths import REPO

HELM = REPO / "deploy" / "helm"
FILES = ("values.yaml", "values-celery.yaml")
SCHEMA = os.environ.get("AIRFLOW_CHART_SCHEMA")
TEMPLATES = Path(airflow.config_templates.__path__[0])
DOCKERFILE = (REPO / "deploy" / "Dockerfile").read_text(encoding="utf-8")
GUIDE = (REPO / "docs" / "guides" / "kubernetes.md").read_text(encoding="utf-8")


def merged(base: dict[str, Any], top: dict[str, Any]) -> dict[str, Any]:
    """As Helm lays one file of values over another: objects key by key, anything else replaced."""
    found = dict(base)
    for key, value in top.items():
        both = isinstance(value, dict) and isinstance(found.get(key), dict)
        found[key] = merged(found[key], value) if both else value
    return found


def values(*names: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in names:
        found = merged(found, yaml.safe_load((HELM / name).read_text(encoding="utf-8")))
    return found


SETUPS = {"kubernetes": values(FILES[0]), "celery": values(*FILES)}


@pytest.fixture(params=SETUPS)
def setup(request: pytest.FixtureRequest) -> dict[str, Any]:
    return SETUPS[request.param]


def test_the_image_has_the_version_of_the_code(setup: dict[str, Any]) -> None:
    assert setup["defaultAirflowTag"] == sportmonks.__version__
    image = f"{setup['defaultAirflowRepository']}:{setup['defaultAirflowTag']}"
    assert set(re.findall(rf"{setup['defaultAirflowRepository']}:\S+", GUIDE)) == {image}
    # With it the pods of tasks would run another image.
    assert "images" not in setup


def test_the_image_is_built_on_the_release_that_is_tested(setup: dict[str, Any]) -> None:
    (release,) = re.findall(r"(?m)^ARG AIRFLOW_VERSION=(\S+)", DOCKERFILE)
    assert setup["airflowVersion"] == release
    assert f"\napache-airflow=={release}\n" in "\n" + (REPO / "requirements.in").read_text(encoding="utf-8")
    (python,) = re.findall(r"(?m)^ARG PYTHON_VERSION=(\S+)", DOCKERFILE)
    project = tomllib.loads((REPO / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {python}" in project["classifiers"]


def test_what_the_image_copies_exists() -> None:
    copied = re.findall(r"(?m)^COPY (?:--\S+ )?(\S+) ", DOCKERFILE)
    ignore = (REPO / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for source in copied:
        # The wheel is built before the image.
        assert source.startswith("dist/") or (REPO / source).exists(), source
        assert any(line[0] == "!" and source.startswith(line[1:].partition("*")[0]) for line in ignore), source


def test_every_pod_gets_both_connections(setup: dict[str, Any]) -> None:
    names = [entry["envName"] for entry in setup["secret"]]
    assert names == [f"AIRFLOW_CONN_{name.upper()}" for name in (API_CONN_ID, WAREHOUSE_CONN_ID)]


def test_variables_are_some_that_the_package_reads(setup: dict[str, Any]) -> None:
    source = "".join(path.read_text(encoding="utf-8") for path in (REPO / "plugins").rglob("*.py"))
    names = {entry["name"] for entry in setup["env"]} | set(re.findall(r"(?m)^ENV (\w+)=", DOCKERFILE))
    names.remove("CONNECTION_CHECK_MAX_COUNT")  # the entrypoint of Airflow's image reads it
    assert names
    assert [name for name in names if f'"{name}"' not in source] == []


def secrets_of(setup: dict[str, Any]) -> set[tuple[str, str]]:
    """(Secret, key) that the values want."""
    found = {(entry["secretName"], entry["secretKey"]) for entry in setup["secret"]}
    found |= {(setup["fernetKeySecretName"], "fernet-key"), (setup["jwtSecretName"], "jwt-secret")}
    found |= {(setup["apiSecretKeySecretName"], "api-secret-key"), (setup["data"]["metadataSecretName"], "connection")}
    if "Celery" in setup["executor"]:
        found |= {
            (setup["redis"]["passwordSecretName"], "password"),
            (setup["data"]["brokerUrlSecretName"], "connection"),
        }
    return found


def test_the_guide_makes_every_secret(setup: dict[str, Any]) -> None:
    made = {
        (secret, key)
        for secret, keys in re.findall(r"create secret generic (\S+)((?: --from-file=\S+)+)", GUIDE)
        for key in re.findall(r"--from-file=(\S+)", keys)
    }
    in_words = set(re.findall(r"`([\w-]+)`\s+\(key\s+`([\w-]+)`", GUIDE))
    assert secrets_of(setup) <= made | in_words


def test_no_disk_is_shared_and_no_password_is_in_the_values(setup: dict[str, Any]) -> None:
    for part in ("dags", "logs", "triggerer"):
        assert setup[part]["persistence"] == {"enabled": False}
    assert setup["postgresql"] == {"enabled": False}
    assert setup["createUserJob"] == {"enabled": False}  # its default password is known to everybody
    assert not re.search(r"(?mi)^\s*\w*(password|fernetKey|secretKey|connection):\s", (HELM / FILES[0]).read_text())


@cache
def options_of_airflow() -> set[tuple[str, str]]:
    described = yaml.load((TEMPLATES / "config.yml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    providers = RawConfigParser(comment_prefixes=("#",))
    providers.read(TEMPLATES / "provider_config_fallback_defaults.cfg")
    return {(section, option) for section, body in described.items() for option in body["options"]} | {
        (section, option) for section in providers.sections() for option in providers[section]
    }


# Options of a provider without a default in Airflow's core: see the provider's configuration reference,
# https://airflow.apache.org/docs/apache-airflow-providers-cncf-kubernetes/stable/configurations-ref.html
OF_PROVIDERS = {("kubernetes_executor", "task_publish_max_retries")}


def test_configuration_names_options_of_airflow(setup: dict[str, Any]) -> None:
    named = {(section, option) for section, body in setup["config"].items() for option in body}
    assert named - options_of_airflow() == OF_PROVIDERS


def test_configuration_is_that_of_the_compose_file() -> None:
    """But for how many tasks run at once, which is a matter of the machines, and what differs by executor."""
    compose = yaml.safe_load((REPO / "docker-compose.yaml").read_text(encoding="utf-8"))["x-airflow"]["environment"]
    shared = 0
    for section, body in SETUPS["celery"]["config"].items():
        for option, value in body.items():
            there = compose.get(f"AIRFLOW__{section.upper()}__{option.upper()}")
            if there is not None and "$" not in there:
                assert str(value) == there, (section, option)
                shared += 1
    assert shared >= 5


def test_the_dag_files_are_those_of_the_guide() -> None:
    text = (REPO / "docs" / "guides" / "wheel.md").read_text(encoding="utf-8")
    shown = dict(re.findall(r"`(sportmonks_\w+\.py)`[^`]*```python\n(.*?)```", text, re.DOTALL))
    files = {path.name: path.read_text(encoding="utf-8") for path in (REPO / "deploy" / "dags").glob("*.py")}
    assert files == shown


def used_keys(values: dict[str, Any], path: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and key not in ("config", "resources"):
            yield from used_keys(value, f"{path}{key}.")
        else:
            yield f"{path}{key}"


def test_every_key_is_one_that_was_validated() -> None:
    """The chart ignores some keys that it does not know: a misspelt one would have no effect."""
    lines = (REPO / "tests" / "deploy" / "chart_keys.txt").read_text(encoding="utf-8").splitlines()
    known = {line for line in lines if not line.startswith("#")}
    used = {key for setup in SETUPS.values() for key in used_keys(setup)}
    assert used - known == set(), "Validate with AIRFLOW_CHART_SCHEMA, then add it to tests/deploy/chart_keys.txt."
    assert known - used == set()


def unknown_keys(schema: dict[str, Any], part: dict[str, Any], found: Any, path: str = "") -> Iterator[str]:
    """Keys that the schema does not name, where it names any: the chart allows and ignores some of them."""
    while "$ref" in part:
        part = {
            **schema["definitions"][part["$ref"].rpartition("/")[2]],
            **{k: v for k, v in part.items() if k != "$ref"},
        }
    if not isinstance(found, dict) or not part.get("properties"):
        return
    for key, value in found.items():
        if key in part["properties"]:
            yield from unknown_keys(schema, part["properties"][key], value, f"{path}/{key}")
        else:
            yield f"{path}/{key}"


@pytest.mark.skipif(not SCHEMA, reason="AIRFLOW_CHART_SCHEMA names no values.schema.json of the chart")
def test_the_chart_knows_every_key(setup: dict[str, Any]) -> None:
    schema = json.loads(Path(SCHEMA or "").read_text(encoding="utf-8"))
    jsonschema.validate(setup, schema)
    assert list(unknown_keys(schema, schema, setup)) == []


def test_an_unknown_key_would_be_found() -> None:
    schema = {"properties": {"a": {"$ref": "#/definitions/b"}}, "definitions": {"b": {"properties": {"c": {}}}}}
    assert list(unknown_keys(schema, schema, {"a": {"c": 1, "d": 2}, "e": 3})) == ["/a/d", "/e"]
