"""A run from start to finish: idempotent, recounted, honest about its status."""

from __future__ import annotations

from decimal import Decimal

import psycopg
import pytest

from sportmonks.alerts.rules import ETLAlertManager
from sportmonks.config.catalog import Thresholds
from sportmonks.dashboard import queries
from tests.warehouse.run_builder import LEAGUE, RUN, T0, Ask, RunBuilder, at, summary


def test_a_run_from_start_to_finish(builder: RunBuilder, ask: Ask) -> None:
    builder.start(config={"force": False})
    builder.plan({1: 3, 2: 2})
    builder.complete_chunk(1, SAVED=2, UNCHANGED=1)
    builder.complete_chunk(2, SAVED=1, FAILED=1)
    assert builder.finish() == "COMPLETED"
    found = summary(ask)
    assert {
        key: found[key]
        for key in (
            "status",
            "total_fixtures",
            "processed_fixtures",
            "successful_fixtures",
            "failed_fixtures",
            "total_chunks",
            "processed_chunks",
            "error_message",
        )
    } == {
        "status": "COMPLETED",
        "total_fixtures": 5,
        "processed_fixtures": 5,
        "successful_fixtures": 4,
        "failed_fixtures": 1,
        "total_chunks": 2,
        "processed_chunks": 2,
        "error_message": None,
    }
    assert (found["started_at"], found["finished_at"], found["duration_seconds"]) == (T0, at(10), Decimal(600))
    assert (found["success_rate"], found["fixtures_per_second"]) == (Decimal("80.00"), Decimal("0.01"))


def test_start_again_changes_nothing_but_the_heartbeat(builder: RunBuilder, ask: Ask) -> None:
    builder.start(config={"force": True})
    builder.start(5)
    (row,) = ask("SELECT * FROM etl.etl_executions")
    assert (row["started_at"], row["heartbeat_at"], row["config"]) == (T0, at(5), {"force": True})


def test_the_time_before_a_clear_is_not_worked_time(builder: RunBuilder, ask: Ask) -> None:
    """Ended after 10 minutes, cleared an hour later, again over after 6: that took 16 minutes, and no alert says 76."""
    builder.start()
    builder.plan({1: 3, 2: 2})
    builder.complete_chunk(1, SAVED=3)
    builder.open(2)
    builder.collected(2, error="no answer")
    assert builder.close(2) == "FAILED"
    assert builder.finish() == "FAILED"
    assert summary(ask)["duration_seconds"] == Decimal(600)
    builder.open(2, 70)
    assert summary(ask, 73)["duration_seconds"] == Decimal(780)
    (running,) = queries.execution_rows(builder.conn, limit=5, now=at(73))
    assert running["duration_seconds"] == 780
    builder.mark(2, 74, SAVED=2)
    builder.collected(2, minutes=74)
    assert builder.close(2, 75) == "COMPLETED"
    assert (summary(ask)["status"], summary(ask)["duration_seconds"]) == ("COMPLETED", Decimal(900))
    # The season took 3 minutes, and 5 more.
    (chunk,) = ask(
        "SELECT metric_value FROM etl.etl_metrics WHERE metric_name = 'chunk_duration' AND metric_value > 200"
    )
    assert chunk["metric_value"] == 480
    builder.start(100)  # the run in full, cleared at its start
    builder.open(1, 100)
    builder.collected(1, minutes=101)
    builder.close(1, 101)
    assert builder.finish(102) == "COMPLETED"
    assert summary(ask)["duration_seconds"] == Decimal(900 + 60)
    manager = ETLAlertManager(builder.conn, Thresholds(duration_minutes=30))
    assert manager.check_system_alerts(now=at(103)) == []


def test_every_step_twice_counts_once(builder: RunBuilder, ask: Ask) -> None:
    for _ in range(2):
        builder.start()
    builder.plan({1: 3})
    for _ in range(2):
        builder.open(1)
    builder.mark(1, SAVED=3)
    builder.collected(1)
    assert [builder.close(1), builder.close(1, 6)] == ["COMPLETED"] * 2
    assert [builder.finish(), builder.finish(12)] == ["COMPLETED"] * 2
    found = summary(ask)
    assert (found["processed_fixtures"], found["successful_fixtures"], found["processed_chunks"]) == (3, 3, 1)
    # The end of a run that is over does not move because its last task ran again.
    assert (found["finished_at"], found["duration_seconds"]) == (at(10), Decimal(600))
    metrics = ask("SELECT metric_name, count(*) AS n FROM etl.etl_metrics GROUP BY 1")
    assert {row["metric_name"]: row["n"] for row in metrics} == {
        "chunk_duration": 1,
        "fixtures_per_second": 1,
        "chunk_api_calls": 1,
        "chunk_failed_fixtures": 1,
    }


def test_a_cleared_chunk_takes_the_run_back_to_running_and_its_figures_are_recounted(
    builder: RunBuilder, ask: Ask
) -> None:
    builder.start()
    builder.plan({1: 3, 2: 2})
    builder.complete_chunk(1, SAVED=3)
    builder.open(2)
    builder.mark(2, SAVED=1)
    builder.collected(2, "the API is down")
    assert builder.close(2) == "FAILED"
    assert builder.finish() == "FAILED"
    assert summary(ask)["error_message"] == "S2: the API is down"

    builder.open(2, 30)
    assert (summary(ask, 31)["status"], summary(ask, 31)["finished_at"]) == ("RUNNING", None)
    builder.mark(2, 31, SAVED=1)
    builder.collected(2, minutes=31)
    assert builder.close(2, 32) == "COMPLETED"
    assert builder.finish(33) == "COMPLETED"
    found = summary(ask)
    assert (found["processed_fixtures"], found["successful_fixtures"], found["error_message"]) == (5, 5, None)
    (chunk,) = ask("SELECT tries, started_at, finished_at FROM etl.execution_chunks WHERE season_id = 2")
    # The collector counts its attempts; opening and closing a chunk are none.
    assert chunk == {"tries": 0, "started_at": at(2), "finished_at": at(32)}


def test_only_the_failed_tasks_run_again_and_the_run_still_ends_right(builder: RunBuilder, ask: Ask) -> None:
    """ "Clear only failed" runs collect: neither close nor finish, because they had succeeded."""
    builder.start()
    builder.plan({1: 3, 2: 2})
    builder.complete_chunk(1, SAVED=3)
    builder.open(2)
    builder.collected(2, "the API is down")
    builder.close(2)
    assert builder.finish() == "FAILED"

    builder.call("open_chunk", RUN, LEAGUE, 2, at(30))
    assert summary(ask, 31)["status"] == "RUNNING"
    builder.collected(2, "still down")
    builder.call("stop_chunk", RUN, LEAGUE, 2, at(31))
    assert (summary(ask)["status"], summary(ask)["error_message"]) == ("FAILED", "S2: still down")

    builder.call("open_chunk", RUN, LEAGUE, 2, at(40))
    builder.mark(2, 41, SAVED=2)
    builder.collected(2, minutes=41)
    assert builder.close(2, 42) == "COMPLETED"
    found = summary(ask)
    assert (found["status"], found["processed_fixtures"], found["error_message"]) == ("COMPLETED", 5, None)


def test_a_failed_try_of_a_run_under_way_is_left_to_its_close_task(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    builder.plan({1: 3})
    builder.open(1)
    builder.collected(1, "for now")
    builder.call("stop_chunk", RUN, LEAGUE, 1, at(5))
    (chunk,) = ask("SELECT status FROM etl.execution_chunks WHERE season_id = 1")
    assert chunk["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("steps", "status", "error"),
    [
        ("no plan", "FAILED", "The run ended before its plan stood; see the log of start."),
        ("nothing due", "COMPLETED", None),
        ("never opened", "FAILED", "S1: not finished"),
        (
            "killed while collecting",
            "FAILED",
            "S1: Its tasks were stopped: killed, or the run was marked by hand."
            " Clear the run to go on where it stopped.",
        ),
        ("closed without an end", "FAILED", "S1: The collector did not reach the end of its plan."),
    ],
)
def test_the_status_follows_from_the_chunks(
    builder: RunBuilder, ask: Ask, steps: str, status: str, error: str | None
) -> None:
    builder.start()
    if steps == "nothing due":
        builder.plan({})
    elif steps != "no plan":
        builder.plan({1: 2})
    if steps.startswith(("killed", "closed")):
        builder.open(1)
    if steps.startswith("closed"):
        builder.close(1)
    assert builder.finish() == status
    assert summary(ask)["error_message"] == error


def test_given_figures_win_where_there_is_no_plan(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    builder.finish(
        p_status="COMPLETED",
        p_total_fixtures=9,
        p_processed_fixtures=8,
        p_successful_fixtures=6,
        p_failed_fixtures=2,
        p_total_chunks=3,
        p_processed_chunks=3,
    )
    found = summary(ask)
    assert (found["total_fixtures"], found["processed_fixtures"], found["failed_fixtures"], found["total_chunks"]) == (
        9,
        8,
        2,
        3,
    )
    assert found["success_rate"] == Decimal("75.00")


def test_a_run_can_be_cancelled_with_its_reason(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    assert builder.finish(p_status="CANCELLED", p_error_message="stopped by hand") == "CANCELLED"
    assert (summary(ask)["status"], summary(ask)["error_message"]) == ("CANCELLED", "stopped by hand")


def test_finishing_what_never_started_names_the_function_that_starts_it(builder: RunBuilder) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=r"No execution .* to finish. Start it with"):
        builder.finish()


def test_an_unknown_status_is_refused(builder: RunBuilder) -> None:
    builder.start()
    with pytest.raises(psycopg.errors.CheckViolation, match="etl_executions_status_known"):
        builder.finish(p_status="DONE")
