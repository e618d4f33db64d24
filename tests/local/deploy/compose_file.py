"""What docker-compose.yaml gives its containers, as compose resolves it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tests.harness.paths import REPO

COMPOSE = REPO / "docker-compose.yaml"
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


def given(service: dict[str, Any], settings: dict[str, str]) -> dict[str, str]:
    """A container's environment: the lines of `.env` where the service reads it, then its own."""
    return (settings if service.get("env_file") else {}) | service.get("environment", {})


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
