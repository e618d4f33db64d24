"""The image has the versions of the locked requirements, and is built once."""

from __future__ import annotations

import re
from typing import Any

from tests.harness.paths import REPO
from tests.local.deploy.compose_file import resolved


def locked(package: str) -> str:
    match = re.search(rf"^{re.escape(package)}==(\S+)", (REPO / "requirements.txt").read_text(), re.M)
    assert match, f"{package} is not in requirements.txt"
    return match[1]


def test_the_image_has_the_versions_of_the_lock() -> None:
    text = (REPO / "Dockerfile").read_text()
    base = re.search(r"^ARG AIRFLOW_IMAGE=apache/airflow:(\S+)-python3\.(\d+)$", text, re.M)
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
