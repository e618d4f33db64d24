"""Following runs: the output on a terminal and in a pipe, the errors of failed tasks, and the end of following."""

from __future__ import annotations

from io import StringIO
from typing import Any

import psycopg
import pytest
from rich.console import Console

from local.cli import failures, follow, runs
from local.cli.follow import FollowedRun, Follower
from local.errors import LocalError

STARTED = {
    "dag_id": "sportmonks_superliga",
    "dag_run_id": "manual__1",
    "run_after": "2026-08-15T12:00:00Z",
    "state": "queued",
}


class FakeApi:
    """A stand-in for Airflow: each call of `runs` returns the next state of the one run that there is."""

    url = "http://127.0.0.1:8080"

    def __init__(self, states: list[str], tasks: list[dict[str, Any]] | None = None, log: Any = None) -> None:
        self.states = states
        self._tasks = tasks or []
        self.log = log or []
        self.task_states: list[str | None] = [None]

    def runs(self, dag_ids: set[str], since: str) -> dict[tuple[str, str], dict[str, Any]]:
        assert (dag_ids, since) == ({STARTED["dag_id"]}, STARTED["run_after"])
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {} if state == "deleted" else {(STARTED["dag_id"], STARTED["dag_run_id"]): {"state": state}}

    def task_state(self, dag_id: str, run_id: str, task_id: str) -> str | None:
        return self.task_states.pop(0) if len(self.task_states) > 1 else self.task_states[0]

    def tasks(self, dag_id: str, run_id: str, *, state: str = "") -> list[dict[str, Any]]:
        return [task for task in self._tasks if task["state"] == state]

    def log_lines(self, dag_id: str, run_id: str, task: dict[str, Any]) -> list[dict[str, Any]]:
        if isinstance(self.log, Exception):
            raise self.log
        return list(self.log)


class FakeFollower(Follower):
    """Takes its rows from a dictionary instead of the warehouse; of a list of results each is returned once."""

    def __init__(self, api: FakeApi, answers: dict[str, list[list[dict[str, Any]]]]) -> None:
        super().__init__(api, "", interval=0.0)  # type: ignore[arg-type]
        self.answers = answers

    def rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        queue = self.answers.get(name, [[]])
        return queue.pop(0) if len(queue) > 1 else queue[0]


def season(run: FollowedRun, processed: int, status: str = "RUNNING", failed: int = 0) -> dict[str, Any]:
    return {
        "execution_id": run.execution_id,
        "season_id": 10,
        "season": "2025/2026",
        "status": status,
        "planned": 90,
        "processed": processed,
        "failed": failed,
        "error_message": None,
    }


@pytest.fixture
def run() -> FollowedRun:
    return FollowedRun.of("Superliga", STARTED)


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    return _console(monkeypatch, terminal=False)


def _console(monkeypatch: pytest.MonkeyPatch, *, terminal: bool) -> StringIO:
    text = StringIO()
    console = Console(file=text, width=120, force_terminal=terminal, highlight=False, soft_wrap=True)
    for module in (follow, failures, runs):
        for name in ("out", "err"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, console)
    return text


def test_the_execution_is_that_of_the_dag(run: FollowedRun) -> None:
    assert run.execution_id.startswith("etl_20260815_120000_")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_run_is_followed_to_its_end(run: FollowedRun, monkeypatch: pytest.MonkeyPatch, terminal: bool) -> None:
    text = _console(monkeypatch, terminal=terminal)
    steps = [[], [season(run, 0)], [season(run, 50)], [season(run, 90, "COMPLETED")]]
    follower = FakeFollower(FakeApi(["queued", "running", "running", "success"]), {"run/progress": steps})
    assert follower.follow([run])
    assert run.state == "success"
    assert (run.processed, run.planned) == (90, 90)
    output = text.getvalue()
    assert "Superliga" in output
    assert "2025/2026" in output
    assert "90/90" in output
    assert "success" in output


def test_a_run_that_was_deleted_has_failed(run: FollowedRun, screen: StringIO) -> None:
    assert not FakeFollower(FakeApi(["running", "deleted"]), {}).follow([run])
    assert run.state == "failed"


def test_a_pipe_gets_lines_only_when_something_changes(run: FollowedRun, screen: StringIO) -> None:
    steps = [[season(run, 0)]] * 20 + [[season(run, 90, "COMPLETED")]]
    FakeFollower(FakeApi(["running"] * 20 + ["success"]), {"run/progress": steps}).follow([run])
    lines = screen.getvalue().splitlines()
    assert len(lines) == 4, lines
    assert lines[-1].endswith("Superliga 2025/2026: completed 90/90 fixtures")


def test_a_failed_run_is_not_good(run: FollowedRun, screen: StringIO) -> None:
    steps = [[season(run, 10, "FAILED", failed=3)]]
    assert not FakeFollower(FakeApi(["running", "failed"]), {"run/progress": steps}).follow([run])
    assert "Superliga: failed 10/90 fixtures, 3 failed" in screen.getvalue()


@pytest.mark.parametrize(
    ("tasks", "runs", "good"),
    [
        ([None, "running", "success"], ["queued", "running", "running"], True),  # what comes behind it goes on
        (["running", "upstream_failed"], ["running", "failed"], False),
        (["up_for_retry", "running", "success"], ["running", "running", "failed"], True),
    ],
)
def test_a_run_that_is_waited_for_until_a_task(
    screen: StringIO, tasks: list[str | None], runs: list[str], good: bool
) -> None:
    run = FollowedRun.of("catalog", STARTED, until="publish")
    api = FakeApi(runs)
    api.task_states = tasks
    assert FakeFollower(api, {}).follow([run]) is good
    assert run.finished


def test_following_ends_but_the_run_goes_on(run: FollowedRun, screen: StringIO) -> None:
    with pytest.raises(LocalError, match=r"not finished after --timeout 0\.01 s: Superliga; the runs go on"):
        FakeFollower(FakeApi(["running"]), {}).follow([run], timeout=0.01)


FAILED_TASK = {"task_id": "season_2025_2026.collect", "state": "failed", "try_number": 3, "map_index": -1}


def test_failures_are_shown_with_their_cause_and_hint(run: FollowedRun, screen: StringIO) -> None:
    log = [
        {"level": "info", "event": "all is well"},
        {
            "level": "error",
            "event": "Task failed with exception",
            "error_detail": [{"exc_type": "TransientApiError", "exc_value": "football/fixtures: [HTTP 503]"}],
        },
    ]
    errors = [{"component": "COLLECT", "message": "no answer", "hint": "Wait for the API."}]
    follower = FakeFollower(FakeApi(["failed"], [FAILED_TASK], log), {"run/errors": [errors]})
    failures.show_failure(follower.api, follower, run)
    output = screen.getvalue()
    assert "season_2025_2026.collect failed in try 3" in output
    assert "TransientApiError: football/fixtures: [HTTP 503]" in output, "brackets are text, not markup"
    assert "all is well" not in output
    assert "COLLECT: no answer" in output
    assert "Wait for the API." in output
    assert "http://127.0.0.1:8080/dags/sportmonks_superliga/runs/manual__1" in output


def test_a_log_that_cannot_be_read_hides_nothing_else(run: FollowedRun, screen: StringIO) -> None:
    follower = FakeFollower(FakeApi(["failed"], [FAILED_TASK], LocalError("gone")), {})
    failures.show_failure(follower.api, follower, run)
    assert "its log cannot be read: gone" in screen.getvalue()
    assert "hint:" in screen.getvalue()


def test_the_warehouse_may_be_away_for_a_while() -> None:
    follower = Follower(FakeApi(["running"]), "postgresql://127.0.0.1:1/x")  # type: ignore[arg-type]
    assert follower.rows("run/errors", execution_id="x") == []


def test_verbose_prints_the_lines_of_the_run(
    run: FollowedRun, screen: StringIO, warehouse: psycopg.Connection[Any], warehouse_dsn: str
) -> None:
    """Each once, also those that come while it runs; none of other runs."""
    warehouse.autocommit = True

    def log(message: str, execution_id: str) -> None:
        warehouse.execute(
            "SELECT etl.log_etl_event('INFO', 'COLLECT', %s, p_execution_id => %s)", (message, execution_id)
        )

    class Api(FakeApi):
        def runs(self, dag_ids: set[str], since: str) -> dict[tuple[str, str], dict[str, Any]]:
            log(f"Batch {len(self.states)}", run.execution_id)
            return super().runs(dag_ids, since)

    log("Chunk started", run.execution_id)
    log("Of another run", "etl_20260815_120000_ffffff")
    follower = Follower(Api(["running", "running", "success"]), warehouse_dsn, interval=0.0)  # type: ignore[arg-type]
    assert follower.follow([run], each_round=runs.line_printer([run]))
    lines = [line.rpartition(f"exec:{run.execution_id} ")[2] for line in screen.getvalue().splitlines()]
    assert [line for line in lines if line.startswith(("Batch", "Chunk"))] == [
        "Chunk started",
        "Batch 3",
        "Batch 2",
        "Batch 1",
    ]
    assert "Of another run" not in screen.getvalue()


def test_without_the_warehouse_verbose_goes_on(run: FollowedRun, screen: StringIO) -> None:
    api = FakeApi(["running", "success"])
    follower = Follower(api, "postgresql://127.0.0.1:1/x", interval=0.0)  # type: ignore[arg-type]
    assert follower.follow([run], each_round=runs.line_printer([run]))


def test_every_query_runs(warehouse_dsn: str) -> None:
    """Runs against the migrated schema, so that a renamed column is noticed."""
    from local.stack.queries import query

    parameters: dict[str, Any] = {"execution_id": "x", "execution_ids": ["x"], "league_ids": [8], "schemas": ["etl"]}
    parameters |= {"name": "x", "schema": "x", "league_id": 8, "season_id": 1, "chunk_id": "8_1", "levels": ["ERROR"]}
    parameters |= {"component": "x", "text": "x", "limit": 1, "after": 0}
    follower = Follower(FakeApi(["success"]), warehouse_dsn)  # type: ignore[arg-type]
    # Airflow's own schema is in another database; exports have tests of their own.
    names = [name for name in query.names() if not name.startswith(("server/airflow_", "export/"))]
    assert len(names) >= 6
    with psycopg.connect(warehouse_dsn) as connection:
        for name in names:
            connection.execute(query(name), parameters)
    assert follower.rows("run/summary", execution_id="x") == []
    follower.close()
