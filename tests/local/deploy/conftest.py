"""A `.env` with fresh secrets, the services that it leads to, and the files that their containers get."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.deploy import container as deploy
from local.deploy import make_secrets
from tests.local.deploy.compose_file import resolved, write_files


@pytest.fixture
def settings() -> dict[str, str]:
    lines = make_secrets.lines("")
    return dict(line.split("=", 1) for line in lines) | {"SPORTMONKS_API_KEY": "some-key"}


@pytest.fixture
def files(settings: dict[str, str], tmp_path: Path) -> deploy.Files:
    return deploy.Files(write_files(tmp_path / "run", settings))


@pytest.fixture
def services(settings: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = resolved(settings)["services"]
    return found
