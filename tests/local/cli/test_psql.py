"""`./etl psql`: the password reaches psql in its environment, never on its command line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.cli.commands import psql
from local.cli.context import Context
from local.cli.main import build_parser
from local.errors import LocalError

SECRET = "pa55word-that-must-not-be-shown"
ANY = f"postgresql://me:{SECRET}@db.example.org:6543/etl?sslmode=require"


def run(*words: str) -> int:
    context = Context()
    reader = ANY.replace("me:", "reader:")
    stack: Any = SimpleNamespace(settings=SimpleNamespace(warehouse=ANY), warehouse=ANY, warehouse_reader=reader)
    context.__dict__["stack"] = stack
    return psql.run(build_parser().parse_args(["psql", *words]), context)


@pytest.mark.parametrize(
    ("words", "user", "arguments"),
    [
        ([], "me", []),
        (["--read-only"], "reader", []),
        (["--read-only", "--", "-c", "SELECT 1"], "reader", ["-c", "SELECT 1"]),
    ],
)
def test_the_password_is_in_the_environment(
    monkeypatch: pytest.MonkeyPatch, words: list[str], user: str, arguments: list[str]
) -> None:
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: called.append(given))
    run(*words)
    ((program, command, env),) = called
    assert Path(program).name == "psql"
    assert command[0:2] == ["psql", "--dbname"]
    assert set(command[2].split()) == {
        f"user={user}", "host=db.example.org", "port=6543", "dbname=etl", "sslmode=require",
    }  # fmt: skip
    assert command[3:] == arguments
    assert env["PGPASSWORD"] == SECRET
    assert SECRET not in str(command)


def test_a_machine_without_psql_uses_that_of_the_embedded_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    called: list[Any] = []
    monkeypatch.setattr(os, "execve", lambda *given: called.append(given))
    run()
    version = subprocess.run([called[0][0], "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("psql (PostgreSQL)")


def test_no_psql_anywhere_is_a_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("EMBEDDED_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(LocalError, match="no psql on this machine"):
        run()
