"""What scripts rely on: JSON on standard output, documented fields, exit codes, no flag without effect."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from tests.harness.paths import REPO
from tests.local.cli.conftest import Called

PAGE = REPO / "docs" / "reference" / "command-line.md"
Cli = Callable[..., Called]


def documented(command: str) -> set[str]:
    """The fields that the page lists for a command: the names in its row of the table."""
    for line in PAGE.read_text(encoding="utf-8").partition("## Fields")[2].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 2 and cells[0] == f"`{command}`":
            return set(re.findall(r"`([a-z_]+)`", cells[1]))
    raise AssertionError(f"{PAGE.name} has no row for {command}")


def season_of(conn: psycopg.Connection[Any]) -> tuple[int, int]:
    row = conn.execute("SELECT league_id, season_id FROM etl.fixture_changes LIMIT 1").fetchone()
    assert row
    return row[0], row[1]


def test_every_section_has_the_documented_fields(seeded_cli: Cli, seeded: psycopg.Connection[Any]) -> None:
    league, season = season_of(seeded)
    execution = seeded.execute("SELECT execution_id FROM etl.execution_chunks LIMIT 1").fetchone()
    assert execution
    overview = seeded_cli("dashboard", "-o", "json")
    assert overview.code == 0, overview.err
    assert overview.document.keys() == documented("dashboard")
    sections = "--coverage --corrections --logs --metrics --alerts --routes".split()
    done = seeded_cli("dashboard", "-o", "json", *sections)
    assert done.code == 0, done.err
    found = overview.document | done.document
    found |= seeded_cli("dashboard", "-o", "json", "--season", str(season)).document
    found |= seeded_cli("dashboard", "-o", "json", "--execution-id", execution[0]).document
    for name in (*"health budgets alerts executions coverage corrections logs metrics execution season".split(),):
        data = found[name]["rows"] if name == "logs" else found[name]
        row = data[0] if isinstance(data, list) else data
        # The page may add fields; none may go or change its name.
        assert documented(f"dashboard: {name}") <= row.keys(), name
    assert found["season"]["league_id"] == league


def test_a_season_narrows_what_has_seasons(seeded_cli: Cli, seeded: psycopg.Connection[Any]) -> None:
    league, season = season_of(seeded)
    done = seeded_cli("dashboard", "--coverage", "--corrections", "--season", str(season), "-o", "json")
    assert [(row["league_id"], row["season_id"]) for row in done.document["coverage"]] == [(league, season)]
    assert {row["season_id"] for row in done.document["corrections"]} == {season}
    text = seeded_cli("dashboard", "--season", str(season)).out
    assert "Due now" in text
    assert str(season) in text
    missing = seeded_cli("dashboard", "--season", "987654")
    assert (missing.code, "there is no season 987654" in missing.err) == (1, True)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--level", "ERROR"], "--level has no effect without --logs"),
        (["--text", "x", "--metrics"], "--text has no effect without --logs"),
        (["--hours", "3", "--logs"], "--hours has no effect without --metrics"),
        (["--season", "1", "--metrics"], "--season has no effect without --coverage or --corrections or --logs"),
        (["--limit", "3", "--alerts"], "--limit has no effect without --corrections or --logs"),
        (["--execution-id", "x", "--routes"], "--execution-id has no effect without"),
        (["--export", "x.json", "--watch"], "--watch has no effect"),
        (["--fail-on", "everything"], "--fail-on everything is not known"),
        (["--watch", "0"], "--watch 0 is not a number from 1"),
    ],
)
def test_no_flag_of_the_dashboard_is_ignored(cli: Cli, words: list[str], reason: str) -> None:
    done = cli("dashboard", *words)
    assert done.code == 2
    assert reason in done.err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["run", "--league", "8", "--no-follow", "--timeout", "3"], "--timeout has no effect with --no-follow"),
        (["run", "--league", "8", "--no-follow", "--verbose"], "--verbose has no effect with --no-follow"),
        (["run", "--league", "8", "--league", "564", "--season", "1"], "--season belongs to one league"),
        (
            ["run", "--league", "8", "--dry-run", "--track-performance"],
            "--track-performance has no effect with --dry-run",
        ),
        (
            ["run", "--league", "8", "--dry-run", "--clear-checkpoint"],
            "--clear-checkpoint has no effect with --dry-run",
        ),
        (["run", "--league", "8", "--no-continue"], "--no-continue has no effect without --force"),
        (["compare", "--test", "chunk", "--fixture-count", "3"], "--fixture-count has no effect on --test chunk"),
        (["compare", "--test", "single", "--fixture-count", "3"], "--fixture-count has no effect on --test single"),
        (["logs", "--process", "scheduler", "--level", "ERROR"], "--level has no effect on the files of --process"),
        (["open", "--airflow", "--season", "3"], "--season has no page in Airflow"),
        (["open", "--run", "x", "--league", "8"], "--league and --run name different pages"),
    ],
)
def test_no_flag_of_other_commands_is_ignored(cli: Cli, words: list[str], reason: str) -> None:
    done = cli(*words)
    assert (done.code, done.out) == (2, "")
    assert reason in done.err


SECTIONS = ("", "--coverage", "--corrections", "--logs", "--metrics", "--alerts", "--routes")
# Values that change what each option applies to.
OF_OPTIONS = {
    "--limit": "1",
    "--hours": "1",
    "--level": "CRITICAL",
    "--component": "no-such-component",
    "--text": "no such text",
    "--execution-id": "no-such-run",
    "--season": "",
    "--league": "",
}


@pytest.mark.parametrize("command", [f"dashboard {section}".strip() for section in SECTIONS] + ["logs"])
def test_an_option_that_is_accepted_changes_what_is_shown(
    seeded_cli: Cli, seeded: psycopg.Connection[Any], command: str
) -> None:
    """Every option that chooses rows, on every section: another document than without it, or refused."""
    league, season = season_of(seeded)

    def shown(*words: str) -> Any:
        done = seeded_cli(*command.split(), *words, "-o", "json")
        assert "Traceback" not in done.err
        if done.code not in (0, 4):
            return done.code
        return {name: value for name, value in done.document.items() if name != "as_of"}

    from local.cli.main import build_parser

    known = str(vars(build_parser().parse_args(command.split())))
    without = shown()
    assert isinstance(without, dict)
    for option, value in OF_OPTIONS.items():
        if f"'{option[2:].replace('-', '_')}'" in known:
            given = value or str({"--season": season, "--league": league}[option])
            assert shown(f"{option}={given}") != without, option


def test_fail_on_has_an_exit_code_of_its_own(seeded_cli: Cli, seeded: psycopg.Connection[Any]) -> None:
    assert seeded_cli("dashboard", "-o", "json", "--fail-on", "critical").code == 4
    # Nothing is wrong any more, but for an alert that nobody has looked at.
    seeded.execute("UPDATE etl.chunks SET status = 'COMPLETED' WHERE status = 'FAILED'")
    seeded.execute("DELETE FROM etl.etl_alerts WHERE status <> 'OPEN' OR severity = 'CRITICAL'")
    seeded.execute("UPDATE etl.etl_alerts SET severity = 'WARNING'")
    if not seeded.execute("SELECT 1 FROM etl.etl_alerts").fetchone():
        seeded.execute(
            "INSERT INTO etl.etl_alerts (dedupe_key, kind, severity, status, subject, message, hint)"
            " VALUES ('x', 'STALE_LEAGUE', 'WARNING', 'OPEN', 'x', 'x', 'x')"
        )
    assert seeded_cli("dashboard", "--fail-on", "critical").code == 0
    alert = seeded_cli("dashboard", "--fail-on", "alert")
    assert alert.code == 4
    assert "1 alert is open" in alert.err
    seeded.execute("UPDATE etl.etl_alerts SET status = 'ACKNOWLEDGED', acknowledged_by = 'a', acknowledged_at = now()")
    assert seeded_cli("dashboard", "--fail-on", "alert").code == 0
    # The page still names reasons to look.
    assert seeded_cli("dashboard", "--fail-on", "warning").code == 4
    # --watch ends as soon as the condition holds; each round is one line of JSON.
    watched = seeded_cli("dashboard", "--watch", "1", "--fail-on", "warning", "-o", "json")
    assert watched.code == 4
    assert json.loads(watched.out)["overall"] == "attention"
    assert watched.out.count("\n") == 1


def test_log_lines_by_league_season_level_and_execution(seeded_cli: Cli, seeded: psycopg.Connection[Any]) -> None:
    row = seeded.execute(
        "SELECT c.league_id, c.season_id, c.execution_id, k.league_name FROM etl.execution_chunks c"
        " JOIN etl.chunks k USING (league_id, season_id) JOIN etl.etl_logs l ON l.execution_id = c.execution_id LIMIT 1"
    ).fetchone()
    assert row
    league, season, execution, name = row
    dags = {
        one[0]
        for one in seeded.execute(
            "SELECT execution_id FROM etl.etl_executions WHERE dag_id IN (SELECT dag_id FROM etl.etl_executions"
            " JOIN etl.execution_chunks c USING (execution_id) WHERE c.league_id = %s)",
            [league],
        )
    }
    lines = seeded_cli("logs", "--league", name.lower(), "-o", "json").document["lines"]
    assert lines
    assert {line["execution_id"] for line in lines} <= dags
    assert lines[0].keys() == documented("logs")
    assert [line["log_id"] for line in lines] == sorted(line["log_id"] for line in lines)
    of_season = seeded_cli("logs", "--season", str(season), "--league", str(league), "-o", "json").document["lines"]
    assert {line["chunk_id"] for line in of_season} <= {f"{league}_{season}"}
    errors = seeded_cli("logs", "--level", "error", "-n", "5", "-o", "json").document["lines"]
    assert {line["level"] for line in errors} <= {"ERROR", "CRITICAL"}
    assert len(errors) == 5
    one = seeded_cli("logs", "--execution-id", execution, "-o", "json").document["lines"]
    assert {line["execution_id"] for line in one} == {execution}
    wrong = seeded_cli("logs", "--league", name[:-1])
    assert (wrong.code, f"{name} ({league})" in wrong.err) == (2, True)


def test_following_shows_each_new_line_once(seeded: psycopg.Connection[Any]) -> None:
    from local.cli.log_rows import LogFilter, NewRows, last_id

    insert = "INSERT INTO etl.etl_logs (level, component, message) VALUES (%s, 'X', %s)"
    following = NewRows(LogFilter(level="WARNING"), last_id(seeded))
    assert list(following.read(seeded)) == []
    seeded.execute(insert, ["ERROR", "first"])
    seeded.execute(insert, ["INFO", "not this one"])
    assert [row["message"] for row in following.read(seeded)] == ["first"]
    # A transaction that took its number early may commit late.
    seeded.execute(
        "INSERT INTO etl.etl_logs (log_id, level, component, message) OVERRIDING SYSTEM VALUE"
        " SELECT max(log_id) + 10, 'ERROR', 'X', 'second' FROM etl.etl_logs"
    )
    assert [row["message"] for row in following.read(seeded)] == ["second"]
    seeded.execute(insert, ["ERROR", "late"])
    assert [row["message"] for row in following.read(seeded)] == ["late"]
    assert list(following.read(seeded)) == []


def test_files_of_processes_are_read_from_their_end(cli: Cli, tmp_path: Any) -> None:
    from local.cli.tail import Tail, last_lines

    logs = tmp_path / "home" / "logs"
    logs.mkdir(parents=True)
    file = logs / "scheduler.log"
    file.write_bytes(b"".join(b"line %d of the scheduler \xff\n" % number for number in range(20_000)))
    assert [line.split()[1] for line in last_lines(file, 3)] == ["19997", "19998", "19999"]
    assert last_lines(logs / "none.log", 3) == []
    done = cli("logs", "--process", "scheduler", "-n", "2", "-o", "json")
    assert [line["process"] for line in done.document["lines"]] == ["scheduler"] * 2
    assert cli("logs", "--process", "scheduler", "--text", "line 77 ").out.split()[:2] == ["line", "77"]
    near = cli("logs", "--process", "shedule")
    assert (near.code, "did you mean scheduler?" in near.err) == (2, True)
    tail = Tail(file)
    with file.open("ab") as log:
        log.write(b"new\nhalf")
    assert list(tail.new_lines()) == ["new"]
    with file.open("ab") as log:
        log.write(b" done\n")
    assert list(tail.new_lines()) == ["half done"]
    file.replace(file.with_suffix(".log.1"))
    file.write_text("after the change\n")
    assert list(tail.new_lines()) == ["after the change"]


def test_open_gives_the_address_of_a_page(seeded_cli: Cli, seeded: psycopg.Connection[Any]) -> None:
    league, season = season_of(seeded)
    url = seeded_cli("open", "--season", str(season), "-o", "json").document["url"]
    assert url.endswith(f"/sportmonks-etl/#/season/{league}/{season}")
    run = seeded_cli("open", "--run", "newest", "-o", "json").document["url"]
    newest = seeded.execute("SELECT execution_id FROM etl.etl_executions ORDER BY started_at DESC").fetchone()
    assert newest
    assert run.endswith(f"#/run/{newest[0]}")
    dag = seeded_cli("open", "--league", str(league), "--airflow", "-o", "json").document["url"]
    assert "/dags/" in dag
    # Nothing runs there: the address is printed all the same, with the next command.
    plain = seeded_cli("open")
    assert (plain.code, plain.out.strip().endswith("/sportmonks-etl/")) == (1, True)
    assert "./etl up" in plain.err


def test_a_running_route_is_among_what_runs_and_has_a_page(seeded_cli: Cli, seeded: psycopg.Connection[Any]) -> None:
    seeded.execute(
        "INSERT INTO etl.collector_runs (collector_name, status, execution_id, records_processed)"
        " VALUES ('raw_shop_orders', 'running', 'etl_route', 9)"
    )
    running = seeded_cli("dashboard", "-o", "json").document["running"]
    routes = [row for row in running if row["kind"] == "route"]
    assert [(row["execution_id"], row["records"], row["total_fixtures"]) for row in routes] == [("etl_route", 9, None)]
    assert "league" in {row["kind"] for row in running}
    (line,) = [line for line in seeded_cli("dashboard").out.splitlines() if "running for" in line]
    assert "raw_shop_orders" in line
    assert "9 rows" in line
    newest = seeded_cli("open", "--run", "newest", "-o", "json").document["url"]
    assert newest == seeded_cli("open", "--run", "etl_route", "-o", "json").document["url"]
    assert newest.endswith("#/run/etl_route")
    words = ("open", "--run", "etl_route", "--airflow", "-o", "json")
    assert "etl_route is no run of Airflow" in seeded_cli(*words).err
    seeded.execute("INSERT INTO etl.run_origins VALUES ('etl_route', 'raw_shop_orders', 'manual__7', 'manual', 'anna')")
    assert seeded_cli(*words).document["url"].endswith("/dags/raw_shop_orders/runs/manual__7")


def test_status_and_dsn_as_json(seeded_cli: Cli) -> None:
    status = seeded_cli("status", "-o", "json")
    assert status.code == 3
    assert status.document.keys() == documented("status")
    dsn = seeded_cli("dsn", "-o", "json", "--read-only")
    assert dsn.document.keys() == documented("dsn")
    secret = seeded_cli("dsn").out.split(":")[2].split("@")[0]
    assert len(secret) > 3
    assert secret not in dsn.out + status.out
    assert seeded_cli("roles", "-o", "json").document.keys() == documented("roles")
    assert seeded_cli("routes", "check", "-o", "json").document.keys() == documented("routes check")
    listed = seeded_cli("routes", "list", "-o", "json").document
    assert listed.keys() == documented("routes list")
    assert listed["routes"][0].keys() == documented("routes list: routes")


def test_version(cli: Cli) -> None:
    from sportmonks import __version__

    assert cli("--version").out == f"etl {__version__}\n"
