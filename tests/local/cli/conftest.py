"""A seeded warehouse for the commands that read one, and `./etl routes` over a folder of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.cli.context import Context
from local.cli.main import build_parser
from tests.harness.dashboard_seed import seeded  # noqa: F401 (a fixture)
from tests.routes.conftest import collect  # noqa: F401 (a fixture)


@pytest.fixture
def routes_etl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., int]:
    """``routes_etl("check")`` -> exit code, over a folder of routes of the test's own and no local stack."""
    from sportmonks.config import settings
    from sportmonks.routes import parse

    monkeypatch.setattr(parse, "ROUTES_DIR", tmp_path)
    monkeypatch.setattr(settings, "ROUTES_DIR", tmp_path)
    stack = SimpleNamespace(
        settings=SimpleNamespace(passed_on={}, warehouse="", sandbox=True),
        postgres=SimpleNamespace(running=lambda: False),
        airflow=SimpleNamespace(folder=tmp_path),
    )

    return routes_command(stack)


def routes_command(stack: SimpleNamespace) -> Callable[..., int]:
    """``call("check")``: what ``./etl routes check`` exits with on this stack."""

    def call(*arguments: str) -> int:
        args = build_parser().parse_args(["routes", *arguments])
        context = Context()
        context.__dict__["stack"] = stack
        code: int = args.run(args, context)
        return code

    return call
