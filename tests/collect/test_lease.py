"""The lease of a chunk: who holds it, and what every way out of the block leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sportmonks.collect.context import RunContext
from sportmonks.collect.lease import hold_lease
from sportmonks.errors import BudgetWait, LostLeaseError, TransientApiError, WarehouseDownError
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import Session
from tests.collect.conftest import RunHarness

CHUNK = "SELECT owner, fence FROM etl.chunks"
ERROR = "SELECT error_message FROM etl.execution_chunks"
TAKE_OVER = "UPDATE etl.chunks SET owner = 'other', fence = fence + 1"


def _taken_over(harness: RunHarness) -> LostLeaseError:
    harness.conn.execute(TAKE_OVER)
    return LostLeaseError("taken over")


@pytest.fixture
def run(harness: RunHarness) -> RunContext:
    run = harness.run()
    harness.planned(run)
    # Long enough for any machine: no lease expires in these tests.
    return replace(run, lease_timeout=600.0)


def test_a_held_chunk_is_refused_to_others_and_free_afterwards(harness: RunHarness, run: RunContext) -> None:
    with Session(run.connect) as session:
        with hold_lease(run, session, harness.season, "one") as lease:
            assert harness.rows(CHUNK) == [("one", lease.fence)]
            with pytest.raises(BudgetWait) as wait, hold_lease(run, session, harness.season, "two"):
                pass
            assert (wait.value.entity, wait.value.seconds) == ("Chunk", run.lease_retry)
            assert harness.rows(CHUNK) == [("one", lease.fence)]
        assert harness.rows(CHUNK) == [(None, lease.fence)]
        with hold_lease(run, session, harness.season, "two") as later:
            assert later.fence == lease.fence + 1


def test_a_task_takes_over_from_its_own_former_attempt_at_once(harness: RunHarness, run: RunContext) -> None:
    with (
        Session(run.connect) as session,
        hold_lease(run, session, harness.season, "one") as former,
        hold_lease(run, session, harness.season, "one") as lease,
    ):
        assert lease.fence == former.fence + 1
        former.release()
        assert harness.rows(CHUNK) == [("one", lease.fence)]


def test_the_lease_of_a_season_without_a_row_makes_one(harness: RunHarness) -> None:
    run = harness.run()
    assert harness.rows(CHUNK) == []
    with Session(run.connect) as session, hold_lease(run, session, harness.season, "one") as lease:
        assert harness.rows(CHUNK) == [("one", lease.fence)]


def test_only_the_holder_sends_heartbeats(harness: RunHarness, run: RunContext) -> None:
    age = "SELECT clock_timestamp() - heartbeat_at > interval '1 hour' FROM etl.chunks"
    with Session(run.connect) as session, hold_lease(run, session, harness.season, "one") as lease:
        harness.conn.execute("UPDATE etl.chunks SET heartbeat_at = clock_timestamp() - interval '2 hours'")
        lease.heartbeat()
        assert harness.value(age) is False
        harness.conn.execute(f"{TAKE_OVER}, heartbeat_at = clock_timestamp() - interval '2 hours'")
        lease.heartbeat()
        assert harness.value(age) is True


def test_heartbeats_do_not_wait_for_batches_and_a_new_owner_does(harness: RunHarness, run: RunContext) -> None:
    # Several writers overlap, so that some batch is always being stored.
    chunk = {"league_id": run.league.id, "season_id": harness.season.id}
    with (
        Session(run.connect) as session,
        hold_lease(run, session, harness.season, "one") as lease,
        run.connect() as batch,
        run.connect() as other,
    ):
        with batch.transaction():
            batch.execute(sql("load/hold_lease"), chunk)
            session.run(lambda conn: conn.execute("SET lock_timeout = '1s'"))
            harness.conn.execute("UPDATE etl.chunks SET heartbeat_at = clock_timestamp() - interval '2 hours'")
            lease.heartbeat()
            assert harness.value("SELECT clock_timestamp() - heartbeat_at < interval '1 hour' FROM etl.chunks")
            other.execute("SET lock_timeout = '100ms'")
            take = {"owner": "one", "timeout": run.lease_timeout, **run.sql_params(harness.season)}
            with pytest.raises(psycopg.errors.LockNotAvailable):
                other.execute(sql("plan/take_lease"), take)
        (taken,) = other.execute(sql("plan/take_lease"), take).fetchall()
        assert taken == (lease.fence + 1,)


@pytest.mark.parametrize(
    ("error", "stored"),
    [
        (TransientApiError("no answer", hint="Try later."), "no answer Try later."),
        (ValueError("x" * 2000), ("ValueError: " + "x" * 2000)[:1000]),
        (KeyboardInterrupt(), "KeyboardInterrupt: "),
        (BudgetWait("no calls left", entity="Fixture", seconds=1, until=datetime(2026, 1, 1, tzinfo=UTC)), None),
        (WarehouseDownError("restart"), None),
        (psycopg.errors.AdminShutdown("restart"), None),
    ],
)
def test_an_error_frees_the_chunk_and_is_stored_unless_it_is_a_wait(
    harness: RunHarness, run: RunContext, error: BaseException, stored: Any
) -> None:
    with (
        Session(run.connect) as session,
        pytest.raises(type(error)),
        hold_lease(run, session, harness.season, "one"),
    ):
        raise error
    assert harness.value("SELECT owner FROM etl.chunks") is None
    assert harness.value(ERROR) == stored
    # An attempt that goes on after a wait is not counted again.
    assert harness.value("SELECT waiting FROM etl.execution_chunks") is (stored is None)


def test_a_lost_lease_is_left_to_its_new_holder(harness: RunHarness, run: RunContext) -> None:
    fence = harness.value("SELECT fence FROM etl.chunks")
    with (
        Session(run.connect) as session,
        pytest.raises(LostLeaseError),
        hold_lease(run, session, harness.season, "one"),
    ):
        raise _taken_over(harness)
    assert harness.rows(CHUNK) == [("other", fence + 2)]
    assert harness.value(ERROR) is None
