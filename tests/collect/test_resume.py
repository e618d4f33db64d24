"""Interrupted collections continue: from saved batches, from the plan, from checkpoints that may be lost or wrong."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.collect import checkpoints
from sportmonks.collect.plan import plan
from sportmonks.errors import BudgetWait, LostLeaseError
from tests.collect.conftest import DAY, RunHarness

OUTCOMES = "SELECT status, count(*) FROM etl.execution_fixtures WHERE execution_id = %s GROUP BY 1"


class Broken(Exception):
    """Stands for the death of a task between two statements."""


def dying(harness: RunHarness, name: str, times: int = 1, error: Exception | None = None) -> Callable[[], Any]:
    """Connections on which the query ``name`` fails, the first ``times`` of its runs."""
    left = [times]

    class Failing(psycopg.Connection[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if getattr(query, "name", None) == name and left[0] > 0:
                left[0] -= 1
                raise error or Broken(name)
            return super().execute(query, *args, **kwargs)

    return _as(Failing, harness)


def breaking_after_commit(harness: RunHarness) -> Callable[[], Any]:
    """Connections of which one breaks right after the commit of a batch."""
    left = [1]

    class Breaking(psycopg.Connection[Any]):
        last = ""

        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            self.last = getattr(query, "name", "")
            return super().execute(query, *args, **kwargs)

        @contextmanager
        def transaction(self, *args: Any, **kwargs: Any) -> Any:
            with super().transaction(*args, **kwargs) as inner:
                yield inner
            if self.last == "load/progress" and left[0]:
                left[0] -= 1
                raise psycopg.OperationalError("the connection is gone")

    return _as(Breaking, harness)


def _as(kind: type[psycopg.Connection[Any]], harness: RunHarness) -> Callable[[], Any]:
    def connect() -> psycopg.Connection[Any]:
        conn = harness.connect()
        conn.__class__ = kind
        return conn

    return connect


def test_a_batch_that_was_fetched_and_not_stored_is_stored_by_the_successor(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)
    broken = harness.run(run.execution_id, connect=dying(harness, "load/take_answer", times=99))
    with pytest.raises(Broken):
        harness.collect(broken)
    kept = harness.value("SELECT count(*) FROM etl.fetched_answers")
    assert kept >= 1
    requested = harness.requested()
    harness.collect(run)
    assert harness.value("SELECT count(*) FROM etl.fetched_answers") == 0
    assert harness.requested() == 12
    assert requested == 5 * kept
    assert harness.rows(OUTCOMES, run.execution_id) == [("SAVED", 12)]


def test_an_orphaned_batch_is_stored_as_of_its_own_time_by_another_run(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)
    with pytest.raises(Broken):
        harness.collect(harness.run(run.execution_id, connect=dying(harness, "load/take_answer", times=99)))
    fetched_at, kept = run.clock(), harness.value("SELECT count(*) FROM etl.fetched_answers")
    harness.move(DAY)
    later = harness.run()
    harness.run_all(later)
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE collection_status = 'COLLECTED'") == 12
    assert harness.value("SELECT min(first_fetched_at) FROM football.fixtures") == fetched_at
    assert ("SAVED", 5 * kept) in harness.rows(OUTCOMES, run.execution_id)


def test_a_saved_batch_that_cannot_be_read_blocks_nothing(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)
    harness.conn.execute(
        "INSERT INTO etl.fetched_answers VALUES ('x', %s, %s, %s, now(), 'rubbish')",
        (run.execution_id, harness.league.id, harness.season.id),
    )
    assert harness.collect(run).outcomes == {"saved": 12}
    assert harness.value("SELECT count(*) FROM etl.fetched_answers") == 0


@pytest.mark.parametrize(
    "error", [psycopg.errors.DeadlockDetected("x"), psycopg.errors.AdminShutdown("x"), psycopg.OperationalError("x")]
)
@pytest.mark.parametrize("name", ["load/take_answer", "load/keep_answer", "plan/take_lease"])
def test_transient_errors_of_the_warehouse_are_survived(harness: RunHarness, error: Exception, name: str) -> None:
    run = harness.run()
    harness.planned(run)
    again = harness.run(run.execution_id, connect=dying(harness, name, times=1, error=error))
    assert harness.collect(again).outcomes == {"saved": 12}
    assert harness.requested() == 12


def test_a_commit_that_was_not_confirmed_counts_once(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)
    again = harness.run(run.execution_id, connect=breaking_after_commit(harness), counted=True)
    assert sum(harness.collect(again).outcomes.values()) == 12
    assert harness.rows(OUTCOMES, run.execution_id) == [("SAVED", 12)]
    figures = "SELECT processed, saved, api_calls FROM etl.execution_chunks WHERE execution_id = %s"
    assert harness.rows(figures, run.execution_id) == [(12, 12, 3)]
    assert harness.value("SELECT max(unchanged_reads) FROM football.fixtures") == 0


def test_fixtures_that_another_run_has_read_since_are_not_read_again(harness: RunHarness) -> None:
    one, two = harness.run(), harness.run()
    harness.planned(one)
    harness.planned(two)
    harness.collect(one, "one")
    harness.collect(two, "two")
    assert harness.requested() == 12
    assert harness.rows(OUTCOMES, two.execution_id) == [("UNCHANGED", 12)]


def test_a_live_owner_keeps_its_chunk_and_a_dead_one_loses_it(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)
    harness.conn.execute("UPDATE etl.chunks SET owner = 'other', heartbeat_at = clock_timestamp()")
    with pytest.raises(BudgetWait):
        harness.collect(run)
    harness.conn.execute("UPDATE etl.chunks SET heartbeat_at = clock_timestamp() - interval '3 seconds'")
    assert harness.collect(run).outcomes == {"saved": 12}


def test_a_chunk_taken_over_in_the_middle_is_left_alone(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)

    class TakenOver(psycopg.Connection[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if getattr(query, "name", None) == "load/keep_answer":
                harness.conn.execute("UPDATE etl.chunks SET fence = fence + 1, owner = 'other'")
            return super().execute(query, *args, **kwargs)

    with pytest.raises(LostLeaseError):
        harness.collect(harness.run(run.execution_id, connect=_as(TakenOver, harness)))
    assert harness.value("SELECT owner FROM etl.chunks") == "other"
    assert harness.rows(OUTCOMES, run.execution_id) == [("PENDING", 12)]
    # The call under way was its last: it requests nothing more, and leaves nothing that could be stored later.
    assert harness.requested() == 5
    assert harness.value("SELECT count(*) FROM etl.fetched_answers") == 0


def test_a_plan_made_again_keeps_what_is_done_and_finishes_what_was_started(harness: RunHarness) -> None:
    run = harness.run()
    harness.run_all(run)
    # Killed after its last batch, before its chunk was closed; then all tasks of the run are cleared.
    planned = plan(run)
    assert planned.estimate.fixtures == 0
    assert planned.seasons == (harness.season.id,)
    harness.collect(run)
    harness.conn.execute("SELECT etl.close_chunk(%s, %s, %s)", (run.execution_id, harness.league.id, harness.season.id))
    assert harness.value("SELECT etl.finish_etl_execution(%s)", run.execution_id) == "COMPLETED"
    assert harness.value("SELECT processed_fixtures FROM etl.etl_executions") == 12
    assert harness.requested() == 12


def test_an_index_read_by_a_clock_that_was_set_back_since_is_read_again(harness: RunHarness) -> None:
    harness.move(DAY)
    gone = harness.box.admin("POST", "/deletions", {"n": 1, "season": harness.season.id})["deleted"][0]["fixture_id"]
    harness.run_all(harness.run())
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE id = %s", gone) == 0
    harness.move(-DAY)  # before the deletion
    harness.run_all(harness.run())
    assert harness.value("SELECT collection_status FROM football.fixtures WHERE id = %s", gone) == "COLLECTED"


def _mark(harness: RunHarness, **fields: Any) -> str:
    now = harness.run().clock()
    mark = checkpoints.Checkpoint(
        league_id=harness.league.id,
        season_id=harness.season.id,
        execution_id="etl_other",
        started_at=now - timedelta(hours=1),
        updated_at=now - timedelta(minutes=30),
        forced=True,
    )
    return msgspec.json.encode(msgspec.structs.replace(mark, **fields)).decode()


@pytest.mark.parametrize(
    ("text", "due"),
    [
        (None, 12),
        ("{", 12),
        ('{"league_id": 8, "season_id": 1, "forced": true, "started_at": "yesterday"}', 12),
        ({}, 0),  # a forced collection that has read them all since it began
        ({"finished": True}, 12),
        ({"forced": False}, 12),
        ({"season_id": 1}, 12),
        ({"updated_at": -400 * DAY, "started_at": -400 * DAY}, 12),
        ({"updated_at": 400 * DAY, "started_at": 400 * DAY}, 12),
    ],
)
def test_which_checkpoints_a_forced_run_continues(harness: RunHarness, text: Any, due: int) -> None:
    harness.run_all(harness.run())
    if isinstance(text, dict):
        now = harness.run().clock()
        shifted = {key: now + timedelta(seconds=value) if key.endswith("_at") else value for key, value in text.items()}
        text = _mark(harness, **shifted)
    key = checkpoints.key_of(harness.league.id, harness.season.id)
    harness.checkpoints.pop(key, None)
    if text is not None:
        harness.checkpoints[key] = text
    assert plan(harness.run(force=True)).estimate.fixtures == due
    assert plan(harness.run(force=True, continue_from_checkpoint=False)).estimate.fixtures == 12
    assert plan(harness.run(force=True, clear_checkpoint=True)).estimate.fixtures == 12
    assert key not in harness.checkpoints


def test_a_run_works_without_variables(harness: RunHarness) -> None:
    class Down(type(harness.checkpoints)):  # type: ignore[misc]
        def get(self, *_: Any) -> Any:
            raise OSError("no answer")

        set = delete = get

    harness.checkpoints = Down()
    assert harness.run_all(harness.run(force=True, clear_checkpoint=True)).outcomes == {"saved": 12}
