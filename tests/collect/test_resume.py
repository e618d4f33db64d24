"""Whatever is broken off goes on: from kept answers, from the plan, from checkpoints that may be lost or wrong."""

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
from sportmonks.errors import BudgetWait, LostLease
from tests.collect.conftest import DAY, Desk

OUTCOMES = "SELECT status, count(*) FROM etl.execution_fixtures WHERE execution_id = %s GROUP BY 1"


class Broken(Exception):
    """Stands for the death of a task between two statements."""


def dying(desk: Desk, word: str, times: int = 1, error: Exception | None = None) -> Callable[[], Any]:
    """Connections on which statements that hold ``word`` fail, the first ``times``."""
    left = [times]

    class Mined(psycopg.Connection[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if word in str(query) and left[0] > 0:
                left[0] -= 1
                raise error or Broken(word)
            return super().execute(query, *args, **kwargs)

    return _as(Mined, desk)


def deaf(desk: Desk) -> Callable[[], Any]:
    """Connections of which one breaks in the instant after a batch's commit."""
    left = [1]

    class Deaf(psycopg.Connection[Any]):
        last = ""

        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            self.last = str(query)
            return super().execute(query, *args, **kwargs)

        @contextmanager
        def transaction(self, *args: Any, **kwargs: Any) -> Any:
            with super().transaction(*args, **kwargs) as inner:
                yield inner
            if "SET processed = processed" in self.last and left[0]:
                left[0] -= 1
                raise psycopg.OperationalError("the connection is gone")

    return _as(Deaf, desk)


def _as(kind: type[psycopg.Connection[Any]], desk: Desk) -> Callable[[], Any]:
    def connect() -> psycopg.Connection[Any]:
        conn = desk.connect()
        conn.__class__ = kind
        return conn

    return connect


def test_an_answer_that_was_fetched_and_not_stored_is_stored_by_the_successor(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)
    broken = desk.run(run.execution_id, connect=dying(desk, "DELETE FROM etl.fetched_answers", times=99))
    with pytest.raises(Broken):
        desk.collect(broken)
    kept = desk.value("SELECT count(*) FROM etl.fetched_answers")
    assert kept >= 1
    asked = desk.asked()
    desk.collect(run)
    assert desk.value("SELECT count(*) FROM etl.fetched_answers") == 0
    assert desk.asked() == 12
    assert asked == 5 * kept
    assert desk.rows(OUTCOMES, run.execution_id) == [("SAVED", 12)]


def test_an_answer_left_behind_is_stored_as_of_its_own_time_under_another_run(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)
    with pytest.raises(Broken):
        desk.collect(desk.run(run.execution_id, connect=dying(desk, "DELETE FROM etl.fetched_answers", times=99)))
    fetched_at, kept = run.clock(), desk.value("SELECT count(*) FROM etl.fetched_answers")
    desk.move(DAY)
    later = desk.run()
    desk.whole(later)
    assert desk.value("SELECT count(*) FROM football.fixtures WHERE collection_status = 'COLLECTED'") == 12
    assert desk.value("SELECT min(first_fetched_at) FROM football.fixtures") == fetched_at
    assert ("SAVED", 5 * kept) in desk.rows(OUTCOMES, run.execution_id)


def test_a_kept_answer_that_cannot_be_read_blocks_nothing(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)
    desk.conn.execute(
        "INSERT INTO etl.fetched_answers VALUES ('x', %s, %s, %s, now(), 'rubbish')",
        (run.execution_id, desk.league.id, desk.season.id),
    )
    assert desk.collect(run).outcomes == {"saved": 12}
    assert desk.value("SELECT count(*) FROM etl.fetched_answers") == 0


@pytest.mark.parametrize(
    "error", [psycopg.errors.DeadlockDetected("x"), psycopg.errors.AdminShutdown("x"), psycopg.OperationalError("x")]
)
@pytest.mark.parametrize("word", ["DELETE FROM etl.fetched_answers", "INSERT INTO etl.fetched_answers", "heartbeat_at"])
def test_passing_faults_of_the_warehouse_are_nobodys_business(desk: Desk, error: Exception, word: str) -> None:
    run = desk.run()
    desk.planned(run)
    again = desk.run(run.execution_id, connect=dying(desk, word, times=1, error=error))
    assert desk.collect(again).outcomes == {"saved": 12}
    assert desk.asked() == 12


def test_a_commit_that_was_not_heard_of_counts_once(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)
    again = desk.run(run.execution_id, connect=deaf(desk))
    assert sum(desk.collect(again).outcomes.values()) == 12
    assert desk.rows(OUTCOMES, run.execution_id) == [("SAVED", 12)]
    figures = "SELECT processed, saved, api_calls FROM etl.execution_chunks WHERE execution_id = %s"
    assert desk.rows(figures, run.execution_id) == [(12, 12, 3)]
    assert desk.value("SELECT max(unchanged_reads) FROM football.fixtures") == 0


def test_what_another_run_has_read_meanwhile_is_not_read_again(desk: Desk) -> None:
    one, two = desk.run(), desk.run()
    desk.planned(one)
    desk.planned(two)
    desk.collect(one, "one")
    desk.collect(two, "two")
    assert desk.asked() == 12
    assert desk.rows(OUTCOMES, two.execution_id) == [("UNCHANGED", 12)]


def test_a_living_owner_keeps_its_chunk_and_a_dead_one_loses_it(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)
    desk.conn.execute("UPDATE etl.chunks SET owner = 'other', heartbeat_at = clock_timestamp()")
    with pytest.raises(BudgetWait):
        desk.collect(run)
    desk.conn.execute("UPDATE etl.chunks SET heartbeat_at = clock_timestamp() - interval '3 seconds'")
    assert desk.collect(run).outcomes == {"saved": 12}


def test_a_chunk_taken_over_in_the_middle_is_left_alone(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)

    class Robbed(psycopg.Connection[Any]):
        def execute(self, query: Any, *args: Any, **kwargs: Any) -> Any:
            if "INSERT INTO etl.fetched_answers" in str(query):
                desk.conn.execute("UPDATE etl.chunks SET fence = fence + 1, owner = 'other'")
            return super().execute(query, *args, **kwargs)

    with pytest.raises(LostLease):
        desk.collect(desk.run(run.execution_id, connect=_as(Robbed, desk)))
    assert desk.value("SELECT owner FROM etl.chunks") == "other"
    assert desk.rows(OUTCOMES, run.execution_id) == [("PENDING", 12)]
    # The answer under way was its last: it asks for nothing more, and leaves nothing that is stored some day.
    assert desk.asked() == 5
    assert desk.value("SELECT count(*) FROM etl.fetched_answers") == 0


def test_a_plan_made_again_keeps_what_is_done_and_finishes_what_was_begun(desk: Desk) -> None:
    run = desk.run()
    desk.whole(run)
    # Killed after its last batch, before its chunk was closed; then the whole run is cleared.
    planned = plan(run)
    assert planned.estimate.fixtures == 0
    assert planned.seasons == (desk.season.id,)
    desk.collect(run)
    desk.conn.execute("SELECT etl.close_chunk(%s, %s, %s)", (run.execution_id, desk.league.id, desk.season.id))
    assert desk.value("SELECT etl.finish_etl_execution(%s)", run.execution_id) == "COMPLETED"
    assert desk.value("SELECT processed_fixtures FROM etl.etl_executions") == 12
    assert desk.asked() == 12


def test_an_index_read_by_a_clock_that_was_set_back_since_is_read_again(desk: Desk) -> None:
    desk.move(DAY)
    gone = desk.box.admin("POST", "/deletions", {"n": 1, "season": desk.season.id})["deleted"][0]["fixture_id"]
    desk.whole(desk.run())
    assert desk.value("SELECT count(*) FROM football.fixtures WHERE id = %s", gone) == 0
    desk.move(-DAY)  # before the deletion
    desk.whole(desk.run())
    assert desk.value("SELECT collection_status FROM football.fixtures WHERE id = %s", gone) == "COLLECTED"


def _mark(desk: Desk, **fields: Any) -> str:
    now = desk.run().clock()
    mark = checkpoints.Checkpoint(
        league_id=desk.league.id,
        season_id=desk.season.id,
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
def test_what_a_checkpoint_is_worth_to_a_forced_run(desk: Desk, text: Any, due: int) -> None:
    desk.whole(desk.run())
    if isinstance(text, dict):
        now = desk.run().clock()
        shifted = {key: now + timedelta(seconds=value) if key.endswith("_at") else value for key, value in text.items()}
        text = _mark(desk, **shifted)
    key = checkpoints.key_of(desk.league.id, desk.season.id)
    desk.checkpoints.pop(key, None)
    if text is not None:
        desk.checkpoints[key] = text
    assert plan(desk.run(force=True)).estimate.fixtures == due
    assert plan(desk.run(force=True, continue_from_checkpoint=False)).estimate.fixtures == 12
    assert plan(desk.run(force=True, clear_checkpoint=True)).estimate.fixtures == 12
    assert key not in desk.checkpoints


def test_variables_that_cannot_be_had_cost_nothing(desk: Desk) -> None:
    class Down(type(desk.checkpoints)):  # type: ignore[misc]
        def get(self, *_: Any) -> Any:
            raise OSError("no answer")

        set = delete = get

    desk.checkpoints = Down()
    assert desk.whole(desk.run(force=True, clear_checkpoint=True)).outcomes == {"saved": 12}
