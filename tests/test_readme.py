"""The README and the other pages are true: commands parse, targets exist, queries run, settings are real."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import Any

import psycopg
import pytest

from tests.harness.paths import REPO

PAGES = [*sorted(REPO.glob("*.md")), *sorted((REPO / "docs").rglob("*.md"))]
README = (REPO / "README.md").read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands(prefix: str) -> list[str]:
    """Commands of all pages that begin so, comments cut off."""
    lines = [
        line.strip()
        for page in PAGES
        for block in blocks(page.read_text(encoding="utf-8"), "(?:sh)?")
        for line in block.splitlines()
    ]
    inline = re.findall(r"`([^`\n]+)`", "\n".join(page.read_text(encoding="utf-8") for page in PAGES))
    found = [re.split(r"\s{2,}|\s+#", line)[0] for line in (*lines, *inline) if line.startswith(prefix)]
    return sorted(set(found))


def test_the_two_commands_stand_on_top() -> None:
    first = blocks(README, "")[0]
    assert [line.split()[:2] for line in first.splitlines()] == [["make", "run"], ["make", "test"]]


@pytest.mark.parametrize("command", commands("make "))
def test_make_targets_exist(command: str) -> None:
    target = command.split()[1]
    made = subprocess.run(["make", "-n", target], cwd=REPO, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr


@pytest.mark.parametrize("command", [c for c in commands("./etl ") if "…" not in c and "[" not in c])
def test_etl_commands_parse(command: str) -> None:
    from local.cli.main import build_parser

    build_parser().parse_args(shlex.split(command)[1:])


def test_the_queries_run(warehouse: psycopg.Connection[Any]) -> None:
    queries = [statement for block in blocks(README, "sql") for statement in block.split(";") if statement.strip()]
    assert queries
    for query in queries:
        warehouse.execute(query.encode())


def test_the_settings_named_are_those_there_are() -> None:
    example = (REPO / ".env.example").read_text(encoding="utf-8")
    for name in re.findall(r"`((?:ETL|SPORTMONKS|SUPABASE)_[A-Z_]+)`", README):
        assert name in example, name
