"""The command line: wrong arguments end before anything starts; leagues and seasons are found by name or id."""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from local.cli import main as cli
from local.cli.commands import run as run_command
from local.cli.console import seconds
from local.cli.leagues import find, season_ids
from local.errors import UsageError
from local.stack.settings import REPO
from sportmonks.config.manifest import League, Season


def parse(*words: str) -> argparse.Namespace:
    return cli.build_parser().parse_args(["run", *words])


def test_every_command_is_complete() -> None:
    found = cli.commands()
    assert found.keys() >= {"up", "down", "status", "dsn", "run", "demo", "clean"}
    for name, module in found.items():
        assert module.HELP, name
        assert module.__doc__, name
        assert callable(module.run), name


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--batch-size", "0"], "--batch-size 0 is not an integer from 1 to"),
        (["--batch-size", "1000"], "--batch-size 1000 is not an integer from 1 to"),
        (["--batch-size", "ten"], "--batch-size ten"),
        (["--batch-size", "2.5"], "--batch-size 2.5"),
        (["--batch-size=-3"], "--batch-size -3"),
        (["--max-fixtures", "0"], "--max-fixtures 0"),
        (["--max-chunks", "x"], "--max-chunks x"),
        (["--min-fixtures", "0"], "--min-fixtures 0"),
        (["--date-from", "15.8.2026"], "--date-from '15.8.2026'"),
        (["--date-from", "20260815"], "--date-from '20260815'"),
        (["--date-to", "2026-02-30"], "--date-to '2026-02-30'"),
        (["--date-from", "2026-03-01", "--date-to", "2026-02-01"], "is after --date-to"),
        (["--includes", "scores;a b"], "--includes"),
        (["--includes", ";"], "names no include"),
        (["--export-metrics", "/nowhere/at/all.json"], "--export-metrics"),
        (["--export-metrics", "/"], "--export-metrics '/' is a folder"),
    ],
)
def test_a_bad_parameter_is_named(words: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        run_command.parameters(parse("--league", "8", *words))
    assert message in caught.value.message
    assert caught.value.hint


def test_parameters_that_are_not_given_are_left_to_the_dag(tmp_path: Path) -> None:
    assert run_command.parameters(parse("--all")) == {}
    words = ["--batch-size", "25", "--min-fixtures", "2", "--dry-run", "--no-continue", "--includes", "scores,events"]
    file = tmp_path / "metrics.json"
    found = run_command.parameters(parse("--league", "8", *words, "--export-metrics", str(file)))
    assert found == {
        "batch_size": 25,
        "min_fixtures": 2,
        "dry_run": True,
        "continue_from_checkpoint": False,
        "includes": ["scores", "events"],
        "export_metrics": True,
    }


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "no league is given"),
        (["--all", "--league", "8"], "exclude each other"),
        (["--all", "--season", "1"], "--season belongs to one league"),
        (["--league", "8", "--timeout", "soon"], "--timeout soon"),
    ],
)
def test_a_bad_combination_is_refused_before_anything_starts(words: list[str], message: str) -> None:
    context: Any = SimpleNamespace()  # has no stack: touching it would fail
    with pytest.raises(UsageError, match=message):
        run_command.run(parse(*words), context)


LEAGUES = tuple(
    League(id=number, name=name, slug=slug, schedule=None, deadline_minutes=60, includes=(), seasons=seasons)
    for number, name, slug, seasons in [
        (8, "Premier League", "premier_league", (Season(id=77, name="2025/2026", group="season_2025_2026"),)),
        (609, "Premier League", "premier_league_609", ()),
        (271, "Superliga", "superliga", ()),
        (564, "La Liga", "la_liga", ()),
    ]
)


@pytest.mark.parametrize(
    ("text", "league"),
    [("8", 8), ("609", 609), ("superliga", 271), ("La Liga", 564), ("la_liga", 564), (" LA LIGA ", 564)],
)
def test_leagues_are_found_by_id_name_or_slug(text: str, league: int) -> None:
    assert find(LEAGUES, text).id == league


def test_a_league_by_its_dag() -> None:
    assert find(LEAGUES, "sportmonks_premier_league_609").id == 609


def test_a_name_of_two_leagues_asks_for_the_id() -> None:
    with pytest.raises(UsageError, match=r"several leagues: Premier League \(8\), Premier League \(609\)"):
        find(LEAGUES, "Premier League")


@pytest.mark.parametrize("text", ["Superlig", "suprliga", "super"])
def test_an_unknown_league_lists_near_ones(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        find(LEAGUES, text)
    assert f"--league {text!r}" in caught.value.message
    assert "near: Superliga (271)" in caught.value.message


def test_a_league_that_nothing_resembles_lists_the_followed() -> None:
    with pytest.raises(UsageError, match=r"none of the 4 followed leagues; followed: Premier League \(8\)"):
        find(LEAGUES, "zzzz")


def test_seasons_are_found_by_id_name_or_group() -> None:
    assert season_ids(LEAGUES[0], ["77", "2025/2026", "season_2025_2026"]) == ["77"]
    with pytest.raises(UsageError, match=r"--season '1999/2000' is no season of Premier League") as caught:
        season_ids(LEAGUES[0], ["1999/2000"])
    assert "2025/2026 (77)" in caught.value.hint


def test_the_complete_command_with_a_wrong_setting(tmp_path: Path) -> None:
    """As a user runs it: exit code, message and hint, and nothing is created."""
    environment = {"PATH": "/usr/bin:/bin", "ETL_HOME": str(tmp_path / "home"), "ETL_PORT": "none"}
    environment["PYTHONPATH"] = f"{REPO}:{REPO / 'plugins'}"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "local.cli.main", "up"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert "error: ETL_PORT='none' is not an integer" in done.stderr
    assert "hint:  set ETL_PORT to 8080" in done.stderr
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(("value", "text"), [(0.26, "0.3 s"), (59.4, "59 s"), (75, "1 min 15 s"), (3700, "1 h 01 min")])
def test_seconds_are_readable(value: float, text: str) -> None:
    assert seconds(value) == text
