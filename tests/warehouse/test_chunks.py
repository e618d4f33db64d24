"""A chunk of a run: opened, closed, counted, and checked."""

from __future__ import annotations

import psycopg
import pytest

from sportmonks.dashboard import queries
from tests.warehouse.run_builder import LEAGUE, RUN, Ask, RunBuilder, at, stored, summary


def test_opening_a_chunk_that_no_plan_holds_works(builder: RunBuilder, ask: Ask) -> None:
    """A group of a run whose plan was lost, run by hand."""
    builder.start()
    builder.open(1)
    assert ask("SELECT status FROM etl.execution_chunks") == [{"status": "RUNNING"}]


def test_closing_what_was_never_opened_does_nothing(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    assert builder.close(1) is None
    assert ask("SELECT * FROM etl.etl_metrics") == []


def test_closing_counts_what_the_chunk_holds(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    builder.plan({1: 1})
    rows = [
        (1, "COLLECTED", None, at(60 * 24 * 90)),
        (2, "COLLECTED", None, at(-5)),
        (3, "PENDING", None, at(-5)),
        (4, "FAILED", None, at(60)),
        (5, "MISSING", None, at(60)),
        (6, "DELETED", at(0), None),
    ]
    for row in rows:
        builder.conn.execute(
            "INSERT INTO football.fixtures (id, league_id, season_id, collection_status, deleted_at, next_due_at)"
            " VALUES (%s, 8, 1, %s, %s, %s)",
            row,
        )
    # Replaced by another: it is due like any other, and counts as a fixture no more.
    builder.conn.execute(
        "INSERT INTO football.fixtures (id, league_id, season_id, index_missing_at, replaced_by, next_due_at)"
        " VALUES (7, 8, 1, %s, 2, %s)",
        (at(0), at(-5)),
    )
    builder.complete_chunk(1, SAVED=1)
    (chunk,) = ask("SELECT * FROM etl.chunks")
    shown = queries.chunk(builder.conn, league_id=8, season_id=1, now=at(5))
    assert shown is not None
    assert shown["due_fixtures"] == chunk["due_fixtures"]
    assert {
        key: chunk[key]
        for key in (
            "total_fixtures",
            "collected_fixtures",
            "settled_fixtures",
            "due_fixtures",
            "failed_fixtures",
            "status",
            "owner",
            "last_collected_at",
            "last_execution_id",
            "chunk_id",
        )
    } == {
        "total_fixtures": 5,
        "collected_fixtures": 2,
        "settled_fixtures": 1,
        "due_fixtures": 3,
        "failed_fixtures": 2,
        "status": "COMPLETED",
        "owner": None,
        "last_collected_at": at(5),
        "last_execution_id": RUN,
        "chunk_id": "8_1",
    }


@pytest.mark.parametrize(
    ("collected", "latest", "kept"),
    [
        (False, RUN, False),  # its collector was stopped: cancelled, killed
        (True, RUN, True),  # its collector is about to give the lease back itself
        (False, "etl_20260301_060000_fedcba", True),  # another run holds the chunk by now
    ],
)
def test_the_lease_of_a_stopped_collector_ends_with_its_chunk(
    builder: RunBuilder, ask: Ask, collected: bool, latest: str, kept: bool
) -> None:
    builder.start()
    builder.plan({1: 1})
    builder.open(1)
    builder.conn.execute("UPDATE etl.chunks SET owner = 'a task', fence = 4, last_execution_id = %s", (latest,))
    if collected:
        builder.mark(1, SAVED=1)
        builder.collected(1)
    builder.close(1)
    (chunk,) = ask("SELECT owner, fence FROM etl.chunks")
    assert (chunk["owner"], chunk["fence"]) == (("a task", 4) if kept else (None, 5))


def checks(ask: Ask) -> dict[str, tuple[bool, bool, str]]:
    rows = ask("SELECT name, required, success, notes FROM etl.check_results")
    return {row["name"]: (row["required"], row["success"], row["notes"]) for row in rows}


def test_good_checks_are_recorded_and_pass(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    builder.plan({1: 3})
    stored(builder, 1, range(2))
    builder.open(1)
    builder.mark(1, SAVED=2, FAILED=1)
    assert builder.call("run_chunk_checks", RUN, LEAGUE, 1) == 0
    assert builder.call("require_chunk_checks", RUN, LEAGUE, 1) == 5
    assert all(success for _, success, _ in checks(ask).values())


@pytest.mark.parametrize(
    ("wrong", "name", "notes"),
    [
        ("pending", "plan_done", "1 planned fixtures that were never read"),
        ("no raw", "stored", "1 fixtures marked as saved that are not in raw.fixtures and football.fixtures"),
        ("not typed", "stored", "1 fixtures marked as saved"),
    ],
)
def test_a_failed_required_check_is_recorded_fails_the_task_and_the_chunk(
    builder: RunBuilder, ask: Ask, wrong: str, name: str, notes: str
) -> None:
    builder.start()
    builder.plan({1: 2})
    stored(builder, 1, range(1))
    if wrong != "not typed":
        stored(builder, 1, range(1, 2), raw=wrong != "no raw")
    builder.open(1)
    builder.mark(1, SAVED=1 if wrong == "pending" else 2)
    assert builder.call("run_chunk_checks", RUN, LEAGUE, 1) == 1
    required, success, recorded = checks(ask)[name]
    assert (required, success) == (True, False)
    assert notes in recorded
    with (
        pytest.raises(psycopg.errors.RaiseException, match=f"Quality checks failed for chunk 8_1: {name}") as caught,
        builder.conn.transaction(),
    ):
        builder.call("require_chunk_checks", RUN, LEAGUE, 1)
    assert "clear this group" in str(caught.value.diag.message_hint)
    builder.collected(1)
    assert builder.close(1) == "FAILED"
    assert builder.finish() == "FAILED"
    assert f"Quality checks failed: {name}" in summary(ask)["error_message"]


def test_a_failed_optional_check_is_recorded_and_passes(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    builder.plan({1: 1})
    stored(builder, 1, range(1))
    builder.conn.execute("UPDATE football.fixtures SET home_goals = NULL, quality_score = 30")
    builder.complete_chunk(1, SAVED=1)
    assert builder.call("run_chunk_checks", RUN, LEAGUE, 1) == 2
    assert {name for name, (_, success, _) in checks(ask).items() if not success} == {"finished_have_goals", "quality"}
    assert builder.call("require_chunk_checks", RUN, LEAGUE, 1) == 3


def test_checks_run_again_replace_their_results(builder: RunBuilder, ask: Ask) -> None:
    builder.start()
    builder.plan({1: 1})
    stored(builder, 1, range(1))
    builder.open(1)
    assert builder.call("run_chunk_checks", RUN, LEAGUE, 1) == 1
    builder.mark(1, SAVED=1)
    assert builder.call("run_chunk_checks", RUN, LEAGUE, 1) == 0
    assert len(checks(ask)) == 5
