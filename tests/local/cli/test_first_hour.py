"""The first hour: how much to collect, settings that changed, leagues that the key does not cover, a slow Airflow."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from rich.console import Console

from local.cli import access, follow, history, leagues
from local.cli.follow import FollowedRun, Follower
from local.cli.main import build_parser
from local.errors import LocalError, UsageError
from local.stack import stack as stack_module
from local.stack.airflow_api import SilentError
from local.stack.checks import check_leagues
from local.stack.files import free_port, read_json, write_json
from local.stack.settings import Settings
from local.stack.stack import Stack
from sandbox.testing import running_sandbox
from sportmonks.config.manifest import League, Season
from tests.harness.paths import REPO

SEASONS = (
    Season(id=12, name="2027/2028", group="season_2027_2028"),
    Season(id=11, name="2026/2027", group="season_2026_2027", is_current=True),
    Season(id=10, name="2025/2026", group="season_2025_2026"),
)
LEAGUE = League(
    id=8, name="Premier League", slug="pl", schedule=None, deadline_minutes=60, includes=("scores",), seasons=SEASONS
)


def demo(*words: str, sandbox: bool = False) -> list[dict[str, Any]]:
    """The parameters of the runs that `./etl demo` would start."""
    stack: Any = SimpleNamespace(settings=SimpleNamespace(sandbox=sandbox), say=lambda line: None)
    args = build_parser().parse_args(["demo", *words])
    return [plan.conf for plan in history.plans_of(args, stack, (LEAGUE,))]


def test_how_much_is_collected_without_a_question(monkeypatch: pytest.MonkeyPatch) -> None:
    current = [{"seasons": ["11"]}]
    assert demo(sandbox=True) == [{}]
    monkeypatch.setattr(history, "interactive", lambda: True)
    assert demo("--yes") == current
    assert demo("--seasons", "current") == demo("--seasons=current", "--yes") == current
    assert demo("--seasons", "all", "--yes") == [{}]
    monkeypatch.setattr(history, "interactive", lambda: False)
    assert demo() == current
    with pytest.raises(UsageError, match="--seasons some is not known"):
        demo("--seasons", "some")


def test_a_person_chooses_by_the_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "interactive", lambda: True)
    seasons = [{"season_id": key, "fixtures": 380, "calls": 8} for key in (10, 11)]
    triggered: list[dict[str, Any]] = []
    questions: list[list[tuple[str, str]]] = []

    def run_plans(stack: Any, plans: list[Any]) -> tuple[list[Any], bool]:
        triggered.extend(plan.conf for plan in plans)
        return [], True

    def choose(question: str, choices: list[tuple[str, str]]) -> str:
        questions.append(choices)
        return answers.pop(0)

    estimate = {"estimate": {"chunks": seasons, "minutes": 150.0}}
    monkeypatch.setattr(history, "run_plans", run_plans)
    monkeypatch.setattr(history, "report", lambda *_, **__: [estimate])
    monkeypatch.setattr(history, "choose", choose)
    answers = ["current", "all", "nothing"]
    assert [demo(), demo(), demo()] == [[{"seasons": ["11"]}], [{}], []]
    assert triggered == [{"dry_run": True}] * 3
    (first, small), (_, large), (_, _) = questions[0]
    assert first == "current"
    assert "380 fixtures in 8 calls" in small
    assert "all 2 seasons: 760 fixtures in 16 calls, about 2 hours" in large


def test_a_question_on_a_real_terminal() -> None:
    """Enter takes the first choice, nonsense brings the question again, and the end of input counts as Enter."""
    code = (
        "from local.cli.questions import choose, interactive;"
        " print(interactive(), choose('q', [('a', 'A'), ('b', 'B')]))"
    )
    for typed, answer in ((b"\n", "a"), (b"7\nx\n2\n", "b"), (b"\x04", "a")):
        leader, follower = pty.openpty()
        done = subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=follower,
            stdout=subprocess.PIPE,
            stderr=follower,
            env={**os.environ, "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}"},
        )
        os.write(leader, typed)
        assert done.stdout
        with done:
            assert done.stdout.read().decode().split() == ["True", answer]
        os.close(leader)
        os.close(follower)


def stack_of(home: Path, **env: str) -> Stack:
    return Stack(Settings.load({"ETL_HOME": str(home), **env}, None))


def test_a_changed_setting_asks_before_it_restarts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = stack_of(tmp_path, SPORTMONKS_API_KEY="a-long-secret-key", ETL_LEAGUES="8")
    before.started_with.remember()
    assert before.started_with.same()
    text = (tmp_path / "settings.json").read_text()
    assert "a-long-secret-key" not in text
    now = stack_of(tmp_path, SPORTMONKS_API_KEY="another-secret-key", ETL_LEAGUES="8", ETL_LOG_LEVEL="DEBUG")
    assert not now.started_with.same()
    questions: list[tuple[list[str], list[str]]] = []

    def no(changed: list[str], running: list[str]) -> bool:
        questions.append((changed, running))
        return False

    now.may_restart = no
    now._require_restart()
    assert questions == [], "nothing runs, so nothing is restarted"
    monkeypatch.setattr(now.processes, "running", lambda name: name in ("scheduler", "triggerer"))
    with pytest.raises(LocalError, match="ETL_LOG_LEVEL, SPORTMONKS_API_KEY changed since trig") as found:
        now._require_restart()
    assert "--yes" in found.value.hint
    assert questions == [(["ETL_LOG_LEVEL", "SPORTMONKS_API_KEY"], ["triggerer", "scheduler"])]
    assert (tmp_path / "settings.json").read_text() == text
    now.may_restart = lambda changed, running: True
    now._require_restart()
    # What a former version has written holds one hash: the change is there, its name is not known.
    write_json(tmp_path / "settings.json", {"sha256": read_json(tmp_path / "settings.json")["sha256"]})
    assert before.started_with.same()
    now.may_restart = no
    with pytest.raises(LocalError, match="settings changed since"):
        now._require_restart()


def test_without_a_terminal_only_yes_restarts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from local.cli import context

    monkeypatch.setenv("ETL_HOME", str(tmp_path))
    monkeypatch.setattr(context, "interactive", lambda: False)
    assert not context.Context().stack.may_restart(["ETL_PORT"], ["scheduler"])
    assert context.Context(yes=True).stack.may_restart(["ETL_PORT"], ["scheduler"])
    monkeypatch.setattr(context, "interactive", lambda: True)
    questions: list[str] = []
    monkeypatch.setattr(context, "confirm", lambda question: bool(questions.append(question)) or True)
    assert context.Context().stack.may_restart(["ETL_PORT"], ["scheduler"])
    assert "ETL_PORT changed" in questions[0]


def test_a_league_that_is_not_covered_is_refused_with_those_that_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_sandbox(leagues=3, seasons=1, teams=4) as box:

        def problem(leagues: str) -> tuple[str, str] | None:
            settings = Settings.load({"ETL_HOME": str(tmp_path), "ETL_LEAGUES": leagues}, None)
            return check_leagues(settings, box.base_url, box.key)

        covered = {chunk["league_id"] for chunk in box.admin("GET", "/truth")["chunks"]}
        some = min(covered)
        assert problem(str(some)) is None
        assert problem("all") is None
        found = problem(f"{some},987654")
        assert found
        assert found[0] == "ETL_LEAGUES names league 987654, which this key does not cover"
        assert all(f"({league_id})" in found[1] for league_id in covered)
        # The stack refuses before it stops or starts anything.
        stack = stack_of(tmp_path, ETL_LEAGUES="987654", ETL_PORT=str(free_port()))
        stack.started_with.remember()
        monkeypatch.setattr(stack.processes, "running", lambda name: name == "sandbox")
        monkeypatch.setattr(Stack, "sandbox_url", box.base_url.removesuffix("/v3"))
        monkeypatch.setattr(stack_module, "SANDBOX_KEY", box.key)
        with pytest.raises(LocalError, match="league 987654, which this key does not cover"):
            stack.up()
        both = problem("987654,987655")
        assert both
        assert "leagues 987654, 987655" in both[0]


def test_a_slow_airflow_is_waited_for_with_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    stack = stack_of(tmp_path)
    stack.say = lines.append
    monkeypatch.setattr(stack_module, "PROGRESS_SECONDS", 0)
    monkeypatch.setattr(stack_module.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(stack, "_require_running", lambda names: None)
    states = [["dag_processor", "scheduler"], ["scheduler"], []]
    stack._wait(lambda: states.pop(0), ["scheduler"])
    assert lines == ["still waiting for dag-processor, scheduler (0 s)", "still waiting for scheduler (0 s)"]
    # A process that has ended is not waited for.
    monkeypatch.undo()
    with pytest.raises(LocalError, match="scheduler has ended"):
        stack._wait(lambda: ["scheduler"], ["scheduler"])


def test_a_dag_that_is_read_late_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    answers: list[set[str]] = [{"w"}, {"w"}, {"w", "x"}]
    api = SimpleNamespace(dag_ids=lambda: answers.pop(0), get=lambda path: {"import_errors": []})
    alive = [True]
    processes = SimpleNamespace(running=lambda name: alive[0], log_file=lambda name: Path("dag-processor.log"))
    stack: Any = SimpleNamespace(api=api, say=lines.append, processes=processes)
    monkeypatch.setattr(leagues, "PROGRESS_SECONDS", 0)
    leagues.wait_for_dags(stack, "w", "x")
    assert lines == ["Airflow has not read x yet (0 s)", "Airflow has not read x yet (1 s)"] or len(lines) == 2
    answers[:], alive[0] = [{"w"}], False
    with pytest.raises(LocalError, match="the DAG x does not appear in Airflow: the DAG processor has ended"):
        leagues.wait_for_dags(stack, "w", "x")


def test_an_airflow_that_is_silent_for_a_while_does_not_end_the_following(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = FollowedRun("League", "d", "r", "x", "2026-08-15T12:00:00Z")
    answers: list[Any] = [SilentError("no answer"), SilentError("no answer"), "success"]

    def runs(dag_ids: Any, since: str) -> Any:
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {("d", "r"): {"state": answer}}

    class Silent(Follower):
        def rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
            return []

    api: Any = SimpleNamespace(runs=runs)
    assert Silent(api, "", interval=0.0).follow([run])
    assert capsys.readouterr().err.count("no answer; waiting for it") == 1
    run.state, answers[:] = "running", [SilentError("no answer")]
    monkeypatch.setattr(follow, "SILENCE_SECONDS", 0.0)
    with pytest.raises(SilentError):
        Silent(api, "", interval=0.001).follow([run])


def test_the_end_names_a_query_that_returns_rows(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.harness.dashboard_seed import seed

    shown = StringIO()
    monkeypatch.setattr(access, "out", Console(file=shown, width=300, highlight=False))
    stack: Any = SimpleNamespace(settings=SimpleNamespace(warehouse=warehouse_dsn), warehouse=warehouse_dsn)
    access.show_next(stack, (LEAGUE,))
    assert "query" not in shown.getvalue()
    assert './etl run --league "Premier League" --dry-run' in shown.getvalue()
    seed(warehouse, leagues=1, seasons=1, now=datetime.now(UTC))
    # The seeded matches have no results, so the table gets rows of its own.
    warehouse.execute("DROP VIEW football.standings CASCADE")
    warehouse.execute(
        "CREATE TABLE football.standings AS SELECT season_id, n AS position, 'x' AS team, 3 AS played, 9 AS points"
        " FROM etl.chunks, generate_series(1, 20) AS n"
    )
    access.show_next(stack, (LEAGUE,))
    found = re.search(r'-c "(SELECT .*)"', shown.getvalue())
    assert found
    assert len(warehouse.execute(found[1].encode()).fetchall()) == 5
