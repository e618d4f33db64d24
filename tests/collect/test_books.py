"""The books of a run at any time: its calls as the provider counted them, its attempts, fixtures by outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from sportmonks.collect.collect import collect
from sportmonks.collect.context import RunContext
from sportmonks.errors import BudgetWait, TransientApiError
from tests.chaos.checks import BOOKS_AGAINST_PLANS
from tests.collect.conftest import RunHarness
from tests.collect.test_resume import Broken, dying

EXECUTION = "SELECT api_calls, failed_calls FROM etl.etl_executions WHERE execution_id = %s"
CHUNK = "SELECT api_calls, failed_calls, tries FROM etl.execution_chunks WHERE execution_id = %s"


def calls(harness: RunHarness) -> int:
    return int(harness.box.calls()["total"])


@pytest.fixture
def run(harness: RunHarness) -> RunContext:
    return harness.run(counted=True)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "status", "status": 500, "count": 3},
        {"kind": "cut", "count": 2},
        {"kind": "html_200", "count": 1},
        {"kind": "rate_limited", "count": 1, "seconds": 0},
        {"kind": "forbidden_include", "include": "events"},
        {"kind": "missing_ids", "match": {"path": "multi"}, "count": 1, "n": 1},
        {"kind": "no_result", "match": {"path": "multi"}, "count": 1},
        {"kind": "poison"},
    ],
    ids=lambda fault: fault["kind"],
)
def test_every_call_of_a_run_is_in_its_books(harness: RunHarness, run: RunContext, fault: dict[str, Any]) -> None:
    """Indexes, batches, retries, a batch that is split, the search for what is missing: as many as the provider saw."""
    if fault["kind"] == "poison":
        fault = {**fault, "match": {"fixture_id": harness.fixture_ids()[3]}}
    harness.box.fault(**fault)
    before = calls(harness)
    harness.run_all(run)
    made = calls(harness) - before
    ((booked, failed),) = harness.rows(EXECUTION, run.execution_id)
    assert booked == made
    ((in_chunk, _, tries),) = harness.rows(CHUNK, run.execution_id)
    indexes = harness.box.calls()["by_path"]["football/fixtures"] if fault["kind"] != "poison" else None
    assert 3 <= in_chunk < booked
    assert indexes is None or in_chunk >= booked - indexes
    assert tries == 1
    good = {"missing_ids", "no_result"}
    assert (failed > 0) == (fault["kind"] not in good)
    assert harness.rows(BOOKS_AGAINST_PLANS) == []


def test_calls_and_attempts_of_a_run_during_an_outage_are_counted(harness: RunHarness, run: RunContext) -> None:
    harness.planned(run)
    harness.box.fault(kind="status", status=503, match={"path": "/fixtures/"}, rate=1.0)
    before = calls(harness)
    ((index_calls, _),) = harness.rows(EXECUTION, run.execution_id)
    for attempt in (1, 2, 3):
        with pytest.raises(TransientApiError):
            harness.collect(run)
        ((booked, failed, tries),) = harness.rows(CHUNK, run.execution_id)
        assert (booked, tries) == (calls(harness) - before, attempt)
        assert 0 < failed <= booked
        assert harness.rows(EXECUTION, run.execution_id) == [(index_calls + booked, failed)]


def test_a_wait_for_calls_continues_the_attempt(harness: RunHarness, run: RunContext) -> None:
    harness.planned(run)
    harness.conn.execute("UPDATE etl.api_budget SET blocked_until = now() + interval '1 hour', blocked_within = 3600")
    for _ in range(2):
        with pytest.raises(BudgetWait):
            harness.collect(run)
        # In Airflow the chunk is not opened again after a deferral.
        with pytest.raises(BudgetWait):
            collect(run, harness.season, "test")
    assert harness.rows(CHUNK, run.execution_id)[0][2] == 2
    harness.conn.execute("UPDATE etl.api_budget SET blocked_until = NULL")
    collect(run, harness.season, "test")
    assert harness.rows(CHUNK, run.execution_id)[0][2] == 2


def test_a_left_behind_answer_is_in_the_books_of_the_run_that_fetched_it(harness: RunHarness, run: RunContext) -> None:
    """Its calls when they were made, its fixtures when they are stored; of the run that stores it, neither."""
    harness.planned(run)
    broken = harness.run(run.execution_id, connect=dying(harness, "load/take_answer", times=99), counted=True)
    with pytest.raises(Broken):
        harness.collect(broken)
    kept = harness.value("SELECT count(*) FROM etl.fetched_answers")
    names = (run.execution_id, harness.league.id, harness.season.id)
    harness.conn.execute("SELECT etl.close_chunk(%s, %s, %s)", names)
    harness.conn.execute("SELECT etl.finish_etl_execution(%s)", (run.execution_id,))
    figures = "SELECT status, processed_fixtures, successful_fixtures, api_calls FROM etl.etl_executions"
    ((status, processed, stored, booked),) = harness.rows(figures)
    assert (status, processed, stored) == ("FAILED", 0, 0)
    assert booked == calls(harness)
    later = harness.run(counted=True)
    harness.run_all(later)
    # What was left in the plan of the first run, and in the first one's answers, is read once.
    assert harness.rows(f"{figures} WHERE execution_id = %s", run.execution_id) == [
        ("FAILED", 5 * kept, 5 * kept, booked)
    ]
    assert harness.value("SELECT sum(api_calls) FROM etl.etl_executions") == calls(harness)
    assert harness.rows(BOOKS_AGAINST_PLANS) == []


def test_a_left_behind_answer_is_complete_by_the_includes_that_it_was_requested_with(
    harness: RunHarness, run: RunContext
) -> None:
    harness.planned(run)
    with pytest.raises(Broken):
        harness.collect(harness.run(run.execution_id, connect=dying(harness, "load/take_answer", times=99)))
    kept = 5 * int(harness.value("SELECT count(*) FROM etl.fetched_answers"))
    harness.run_all(harness.run(includes=["participants", "scores"]))
    # Not ``includes_added``, although the run that stored them requests fewer.
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE due_reason = 'aged'") == kept > 0


def test_missing_fixtures_are_counted_until_they_come(harness: RunHarness, run: RunContext) -> None:
    gone = harness.fixture_ids()[:2]
    harness.box.fault(kind="missing_ids", match={"path": "multi"}, ids=gone, rate=1.0)
    figures = "SELECT missing_fixtures, processed_fixtures FROM etl.etl_executions WHERE execution_id = %s"
    harness.run_all(run)
    assert harness.rows(figures, run.execution_id) == [(2, 12)]
    summary = "SELECT missing_fixtures, api_calls FROM etl.get_etl_execution_summary(%s)"
    assert harness.rows(summary, run.execution_id) == [(2, harness.box.calls()["total"])]
    harness.box.admin("DELETE", "/faults")
    harness.conn.execute(
        "UPDATE etl.execution_fixtures SET status = 'PENDING', done_at = NULL, error = NULL WHERE status = 'MISSING'"
    )
    harness.conn.execute(
        "SELECT etl.recount_chunk(%s, %s, %s)", (run.execution_id, harness.league.id, harness.season.id)
    )
    harness.conn.execute("SELECT etl.recount_execution(%s)", (run.execution_id,))
    harness.collect(run)
    assert harness.rows(figures, run.execution_id) == [(0, 12)]


def test_a_dead_owners_heartbeat_from_before_the_clock_was_set_back_is_not_believed(
    harness: RunHarness, run: RunContext
) -> None:
    harness.planned(run)
    alive = "UPDATE etl.chunks SET owner = 'other', heartbeat_at = clock_timestamp() + %s"
    harness.conn.execute(alive, (timedelta(seconds=1),))
    with pytest.raises(BudgetWait, match="Another task"):
        harness.collect(run)
    harness.conn.execute(alive, (timedelta(days=2),))
    assert harness.collect(run).outcomes == {"saved": 12}
