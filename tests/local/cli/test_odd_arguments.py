"""Whatever a person types: an exit code of the documented ones, a sentence or two, and never a traceback."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local.cli.main import build_parser
from tests.harness.paths import REPO
from tests.local.cli.conftest import Called

Cli = Callable[..., Called]

ODD = (
    "9" * 40,
    "-1",
    "1e999",
    "nan",
    "0x10",
    "٣",  # a digit, but not one of ours
    "𝕏ü\u202e\x1b[31m",
    "\udcff",  # a byte that is no UTF-8, as the system hands it over
    "a\0b",
    "",
    "   ",
    "%s %(x)s {} [/] '; DROP TABLE x; --",
    "../" * 400,
    "x" * 5_000,
)
# Their arguments belong to another program, or they delete.
LEFT_OUT = {"airflow", "psql", "clean"}


def invocations() -> Iterator[tuple[list[str], argparse.ArgumentParser]]:
    """Every command and action, with the parser of its options."""
    (commands,) = (a for a in build_parser()._actions if isinstance(a, argparse._SubParsersAction))
    for name, parser in commands.choices.items():
        nested = [a for a in parser._actions if isinstance(a, argparse._SubParsersAction)]
        if name in LEFT_OUT:
            continue
        if nested:
            yield from (([name, action], sub) for action, sub in nested[0].choices.items())
        else:
            yield [name], parser


def words_of(command: list[str], parser: argparse.ArgumentParser, odd: str) -> Iterator[list[str]]:
    """The command with the odd value for each of its arguments in turn."""
    positional = [a for a in parser._actions if not a.option_strings and a.nargs != "*"]
    usual = ["raw_shop_orders" if a.dest == "name" else "standings" for a in positional]
    if command == ["run"]:
        usual = ["--league", "8"]
    for action in parser._actions:
        if action.dest in ("help", "version"):
            continue
        if not action.option_strings:
            yield [*command, odd]
        elif action.nargs != 0:
            # A word of its own that begins with a hyphen would be taken for another option.
            yield [*command, *usual, f"{action.option_strings[-1]}={odd}"]
    yield [*command, *usual, odd]
    yield [*command, *usual, f"--{odd}"]


def check(done: Called, words: list[str], codes: set[int]) -> None:
    shown = f"{words!r:.200}\n{done}"
    assert done.code in codes, shown
    assert "Traceback" not in done.out + done.err, shown
    assert "\x1b[31m" not in done.err, shown
    if done.code in (1, 2):
        errors = [line for line in done.err.splitlines() if line.startswith("error:")]
        assert errors, shown
        assert all(len(line) < 1_000 for line in errors), shown


@pytest.mark.parametrize(
    ("command", "parser"), list(invocations()), ids=lambda x: " ".join(x) if isinstance(x, list) else ""
)
def test_odd_values_without_a_stack(
    cli: Cli, command: list[str], parser: argparse.ArgumentParser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for odd in ODD:
        for words in words_of(command, parser, odd):
            check(cli(*words), words, {0, 1, 2, 3})
    left = [path.name for path in tmp_path.iterdir() if path.name != "home"]
    assert not left, f"a file was made of nonsense: {left}"


@pytest.mark.parametrize("command", [["dashboard"], ["logs"], ["export"], ["open"]], ids=" ".join)
def test_odd_values_with_a_warehouse(
    seeded_cli: Cli, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    parsers = {" ".join(words): parser for words, parser in invocations()}
    for odd in ODD:
        for words in words_of(command, parsers[command[0]], odd):
            if not {"--follow", "--watch"} & {word.partition("=")[0] for word in words}:
                check(seeded_cli(*words), words, {0, 1, 2})


def test_what_is_missing_is_named_with_the_next_command(cli: Cli) -> None:
    for words in (["dashboard"], ["logs"], ["export", "standings"], ["dsn"], ["psql"], ["open", "--season", "8"]):
        done = cli(*words)
        assert (done.code, done.out) == (1, ""), done
        assert "./etl up" in done.err, words
    for words in (["up"], ["run", "--all"], ["demo"], ["compare"]):
        done = cli(*words)
        assert done.code == 1
        assert "another program listens on port" in done.err, words


def test_a_stopped_warehouse_is_a_sentence(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUPABASE_CONNECTION_STRING", "postgresql://me:secret-word@127.0.0.1:1/nothing")
    for words in (["dashboard"], ["logs"], ["export", "standings"], ["roles", "--apply"], ["open", "--league", "8"]):
        done = cli(*words)
        assert done.code == 1, done
        check(done, words, {1})
        assert "secret-word" not in done.err
        assert "127.0.0.1" in done.err


def test_a_warehouse_without_our_schema(cli: Cli, postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    parts: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(postgres_server)
    place = f"{parts['user']}:{parts.get('password', '')}@{parts['host']}:{parts['port']}/postgres"
    monkeypatch.setenv("SUPABASE_CONNECTION_STRING", f"postgresql://{place}")
    for words in (
        ["dashboard"],
        ["logs"],
        ["logs", "--league", "x"],
        ["export", "standings"],
        ["open", "--season", "8"],
    ):
        done = cli(*words)
        assert done.code in (1, 2), done
        check(done, words, {1, 2})


def test_misspelt_words_have_a_suggestion(cli: Cli) -> None:
    assert "did you mean dashboard?" in cli("dashbord").err
    assert "did you mean --coverage?" in cli("dashboard", "--covrage").err
    assert "did you mean json?" in cli("status", "-o", "jsn").err
    assert cli().code == 2


def test_a_fault_of_the_program_is_no_traceback(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from local.cli.commands import status

    def broken(*_: object) -> int:
        raise KeyError("x")

    monkeypatch.setattr(status, "run", broken)
    done = cli("status")
    assert done.code == 70
    assert "a fault of this program: KeyError: 'x'" in done.err
    assert "ETL_TRACEBACK" in done.err


def test_bytes_that_are_no_text_as_the_system_gives_them(tmp_path: Path) -> None:
    environment = {"PATH": "/usr/bin:/bin", "ETL_HOME": str(tmp_path), "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}"}
    command = [sys.executable, "-P", "-m", "local.cli.main", "export", b"\xff\xfe"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert re.search(rb"error: .*no text", done.stderr)
