"""A seeded warehouse for the commands that read one, and `./etl routes` over a folder of its own."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import psycopg.conninfo
import pytest

from local.cli.context import Context
from local.cli.main import build_parser
from tests.harness.dashboard_seed import seeded  # noqa: F401 (a fixture)
from tests.routes.conftest import collect, play, read_all  # noqa: F401 (fixtures)


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


@dataclass(frozen=True)
class Called:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as JSON: there is nothing else on it."""
        return json.loads(self.out)


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Callable[..., Called]]:
    """``cli("status", "-o", "json")`` as in a terminal, with a state folder of its own and nothing running.

    The port of Airflow is taken, so a command that would start the stack ends at its first check.
    """
    from local.cli import console
    from local.cli.main import main

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(console.out, "_width", 200)
    monkeypatch.setattr(console.err, "_width", 200)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        monkeypatch.setenv("ETL_PORT", str(taken.getsockname()[1]))
        monkeypatch.setenv("ETL_HOME", str(tmp_path / "home"))

        def call(*words: str) -> Called:
            capfd.readouterr()
            try:
                code = main(words)
            except SystemExit as end:  # --help and --version
                code = int(end.code or 0)
            done = capfd.readouterr()
            return Called(code, done.out, done.err)

        yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def seeded_cli(
    cli: Callable[..., Called],
    seeded: psycopg.Connection[Any],  # noqa: F811
    warehouse_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Called]:
    """The same with a seeded warehouse."""
    parts = psycopg.conninfo.conninfo_to_dict(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setenv("SUPABASE_CONNECTION_STRING", f"postgresql://{place}")
    return cli
