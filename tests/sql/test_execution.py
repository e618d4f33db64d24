"""The functions that keep the execution tables: idempotent, recounted, honest about their status."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.sql.conftest import Ask, One

T0 = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
RUN, LEAGUE = "etl_20260301_050000_abcdef", 8


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


class Book:
    """A run as its tasks write it."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    def call(self, function: str, *values: Any, **named: Any) -> Any:
        parts = ["%s"] * len(values) + [f"{name} => %s" for name in named]
        row = self.conn.execute(f"SELECT etl.{function}({', '.join(parts)})", (*values, *named.values())).fetchone()
        assert row is not None
        return row[0]

    def start(self, minutes: float = 0, config: dict[str, Any] | None = None, run: str = RUN) -> None:
        self.call("start_etl_execution", run, json.dumps(config or {}), "sportmonks_x", "manual__1", at(minutes))

    def plan(self, seasons: dict[int, int], minutes: float = 1) -> None:
        for position, (season, count) in enumerate(seasons.items(), start=1):
            self.conn.execute(
                "INSERT INTO etl.chunks (league_id, season_id, season_name) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (LEAGUE, season, f"S{season}"),
            )
            self.conn.execute(
                "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, position, planned)"
                " VALUES (%s, %s, %s, %s, %s)",
                (RUN, LEAGUE, season, position, count),
            )
            self.conn.execute(
                "INSERT INTO etl.execution_fixtures"
                " (execution_id, league_id, season_id, fixture_id, position, reason, priority)"
                " SELECT %s, %s, %s, %s * 100 + n, n, 'never_collected', 60 FROM generate_series(0, %s - 1) AS n",
                (RUN, LEAGUE, season, season, count),
            )
        self.conn.execute("UPDATE etl.etl_executions SET planned_at = %s WHERE execution_id = %s", (at(minutes), RUN))

    def open(self, season: int, minutes: float = 2) -> None:
        self.call("open_chunk", RUN, LEAGUE, season, at(minutes))

    def mark(self, season: int, minutes: float = 3, **outcomes: int) -> None:
        for outcome, count in outcomes.items():
            self.conn.execute(
                "UPDATE etl.execution_fixtures SET status = %s, done_at = %s WHERE fixture_id IN"
                " (SELECT fixture_id FROM etl.execution_fixtures"
                "   WHERE season_id = %s AND status = 'PENDING' ORDER BY fixture_id LIMIT %s)",
                (outcome, at(minutes), season, count),
            )

    def collected(self, season: int, error: str | None = None, minutes: float = 4) -> None:
        self.conn.execute(
            "UPDATE etl.execution_chunks SET collected_at = %s, error_message = %s"
            " WHERE execution_id = %s AND season_id = %s",
            (None if error else at(minutes), error, RUN, season),
        )

    def close(self, season: int, minutes: float = 5) -> Any:
        return self.call("close_chunk", RUN, LEAGUE, season, at(minutes))

    def finish(self, minutes: float = 10, **named: Any) -> Any:
        return self.call("finish_etl_execution", RUN, **named, p_now=at(minutes))

    def whole_chunk(self, season: int, **outcomes: int) -> None:
        self.open(season)
        self.mark(season, **outcomes)
        self.collected(season)
        self.close(season)


@pytest.fixture
def book(warehouse: psycopg.Connection[Any]) -> Book:
    return Book(warehouse)


def summary(ask: Ask, minutes: float = 20) -> dict[str, Any]:
    (row,) = ask("SELECT * FROM etl.get_etl_execution_summary(%s, %s)", RUN, at(minutes))
    return row


def test_a_run_from_start_to_finish(book: Book, ask: Ask) -> None:
    book.start(config={"force": False})
    book.plan({1: 3, 2: 2})
    book.whole_chunk(1, SAVED=2, UNCHANGED=1)
    book.whole_chunk(2, SAVED=1, FAILED=1)
    assert book.finish() == "COMPLETED"
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


def test_start_again_changes_nothing_but_the_heartbeat(book: Book, ask: Ask) -> None:
    book.start(config={"force": True})
    book.start(5)
    (row,) = ask("SELECT * FROM etl.etl_executions")
    assert (row["started_at"], row["heartbeat_at"], row["config"]) == (T0, at(5), {"force": True})


def test_every_step_twice_counts_once(book: Book, ask: Ask) -> None:
    for _ in range(2):
        book.start()
    book.plan({1: 3})
    for _ in range(2):
        book.open(1)
    book.mark(1, SAVED=3)
    book.collected(1)
    assert [book.close(1), book.close(1, 6)] == ["COMPLETED"] * 2
    assert [book.finish(), book.finish(12)] == ["COMPLETED"] * 2
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


def test_a_cleared_chunk_takes_the_run_back_to_running_and_its_figures_are_recounted(book: Book, ask: Ask) -> None:
    book.start()
    book.plan({1: 3, 2: 2})
    book.whole_chunk(1, SAVED=3)
    book.open(2)
    book.mark(2, SAVED=1)
    book.collected(2, "the API is down")
    assert book.close(2) == "FAILED"
    assert book.finish() == "FAILED"
    assert summary(ask)["error_message"] == "S2: the API is down"

    book.open(2, 30)
    assert (summary(ask, 31)["status"], summary(ask, 31)["finished_at"]) == ("RUNNING", None)
    book.mark(2, 31, SAVED=1)
    book.collected(2, minutes=31)
    assert book.close(2, 32) == "COMPLETED"
    assert book.finish(33) == "COMPLETED"
    found = summary(ask)
    assert (found["processed_fixtures"], found["successful_fixtures"], found["error_message"]) == (5, 5, None)
    (chunk,) = ask("SELECT tries, started_at, finished_at FROM etl.execution_chunks WHERE season_id = 2")
    assert chunk == {"tries": 2, "started_at": at(2), "finished_at": at(32)}


def test_only_the_failed_tasks_run_again_and_the_run_still_ends_right(book: Book, ask: Ask) -> None:
    """ "Clear only failed" runs collect and check: neither open, nor close, nor finish, because they had succeeded."""
    book.start()
    book.plan({1: 3, 2: 2})
    book.whole_chunk(1, SAVED=3)
    book.open(2)
    book.collected(2, "the API is down")
    book.close(2)
    assert book.finish() == "FAILED"

    book.call("reopen_chunk", RUN, LEAGUE, 2, at(30))
    assert summary(ask, 31)["status"] == "RUNNING"
    book.collected(2, "still down")
    book.call("stop_chunk", RUN, LEAGUE, 2, at(31))
    assert (summary(ask)["status"], summary(ask)["error_message"]) == ("FAILED", "S2: still down")

    book.call("reopen_chunk", RUN, LEAGUE, 2, at(40))
    book.mark(2, 41, SAVED=2)
    book.collected(2, minutes=41)
    assert book.close(2, 42) == "COMPLETED"
    found = summary(ask)
    assert (found["status"], found["processed_fixtures"], found["error_message"]) == ("COMPLETED", 5, None)


def test_a_failed_try_of_a_run_under_way_is_left_to_its_close_task(book: Book, ask: Ask) -> None:
    book.start()
    book.plan({1: 3})
    book.open(1)
    book.collected(1, "for now")
    book.call("stop_chunk", RUN, LEAGUE, 1, at(5))
    (chunk,) = ask("SELECT status FROM etl.execution_chunks WHERE season_id = 1")
    assert chunk["status"] == "RUNNING"


@pytest.mark.parametrize(
    ("steps", "status", "error"),
    [
        ("no plan", "FAILED", "The run ended before its plan stood; see the log of discover and plan."),
        ("nothing due", "COMPLETED", None),
        ("never opened", "FAILED", "S1: not finished"),
        ("killed while collecting", "FAILED", "S1: not finished"),
        ("closed without an end", "FAILED", "S1: The collector did not reach the end of its plan."),
    ],
)
def test_the_status_follows_from_the_chunks(book: Book, ask: Ask, steps: str, status: str, error: str | None) -> None:
    book.start()
    if steps == "nothing due":
        book.plan({})
    elif steps != "no plan":
        book.plan({1: 2})
    if steps.startswith(("killed", "closed")):
        book.open(1)
    if steps.startswith("closed"):
        book.close(1)
    assert book.finish() == status
    assert summary(ask)["error_message"] == error


def test_given_figures_win_where_there_is_no_plan(book: Book, ask: Ask) -> None:
    book.start()
    book.finish(
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


def test_a_run_can_be_cancelled_with_its_reason(book: Book, ask: Ask) -> None:
    book.start()
    assert book.finish(p_status="CANCELLED", p_error_message="stopped by hand") == "CANCELLED"
    assert (summary(ask)["status"], summary(ask)["error_message"]) == ("CANCELLED", "stopped by hand")


def test_finishing_what_never_started_names_the_function_that_starts_it(book: Book) -> None:
    with pytest.raises(psycopg.errors.RaiseException, match=r"No execution .* to finish. Start it with"):
        book.finish()


def test_an_unknown_status_is_refused(book: Book) -> None:
    book.start()
    with pytest.raises(psycopg.errors.CheckViolation, match="etl_executions_status_known"):
        book.finish(p_status="DONE")


def test_the_summary_without_an_id_is_the_newest_and_tells_a_running_ones_age(book: Book, ask: Ask) -> None:
    assert ask("SELECT * FROM etl.get_etl_execution_summary()") == []
    book.start(run="etl_old")
    book.start(5, run="etl_new")
    (row,) = ask("SELECT * FROM etl.get_etl_execution_summary(p_now => %s)", at(7))
    assert (row["execution_id"], row["duration_seconds"], row["success_rate"]) == ("etl_new", Decimal(120), None)


def test_health(book: Book, ask: Ask) -> None:
    (empty,) = ask("SELECT * FROM etl.get_etl_health_status(%s)", at(0))
    assert (empty["total_executions"], empty["avg_success_rate"], empty["last_execution_at"]) == (0, None, None)
    for number, (status, good) in enumerate([("COMPLETED", 10), ("FAILED", 5), ("CANCELLED", 0), (None, 0)]):
        book.start(number, run=f"etl_{number}")
        if status:
            book.call(
                "finish_etl_execution", f"etl_{number}", status, 10, 10 if good else 0, good, p_now=at(number + 10)
            )
    for hours, level in ((1, "ERROR"), (1, "INFO"), (23, "CRITICAL"), (25, "ERROR")):
        book.call("log_etl_event", level, "TEST", "x", p_now=at(60 * 48 - 60 * hours))
    (found,) = ask("SELECT * FROM etl.get_etl_health_status(%s)", at(60 * 48))
    assert found == {
        "total_executions": 4,
        "running_executions": 1,
        "completed_executions": 1,
        "failed_executions": 1,
        "cancelled_executions": 1,
        "avg_duration_seconds": Decimal(600),
        "avg_success_rate": Decimal("75.00"),
        "last_execution_at": at(3),
        "logs_24h": 3,
        "errors_24h": 2,
    }


def test_logs_and_metrics(book: Book, ask: Ask) -> None:
    key = book.call(
        "log_etl_event", "warning", "COLLECT", "odd", Jsonb({"a": 1}), RUN, "8_1", 77, Decimal("12.5"), at(1)
    )
    (row,) = ask("SELECT * FROM etl.etl_logs")
    assert row == {
        "log_id": key,
        "timestamp": at(1),
        "level": "WARNING",
        "component": "COLLECT",
        "message": "odd",
        "details": {"a": 1},
        "execution_id": RUN,
        "chunk_id": "8_1",
        "fixture_id": 77,
        "duration_ms": Decimal("12.500"),
    }
    book.call("record_etl_metric", RUN, "calls", 3, "calls", Jsonb({"entity": "Fixture"}))
    book.call("record_etl_metric", RUN, "calls", 4, p_tags=None)
    assert [row["tags"] for row in ask("SELECT tags FROM etl.etl_metrics ORDER BY metric_id")] == [
        {"entity": "Fixture"},
        {},
    ]


# ---- chunks and their checks


def test_opening_a_chunk_that_no_plan_holds_works(book: Book, ask: Ask) -> None:
    """A group of a run whose plan was lost, run by hand."""
    book.start()
    book.open(1)
    assert ask("SELECT status FROM etl.execution_chunks") == [{"status": "RUNNING"}]


def test_closing_what_was_never_opened_does_nothing(book: Book, ask: Ask) -> None:
    book.start()
    assert book.close(1) is None
    assert ask("SELECT * FROM etl.etl_metrics") == []


def test_closing_counts_what_the_chunk_holds(book: Book, ask: Ask) -> None:
    book.start()
    book.plan({1: 1})
    rows = [
        (1, "COLLECTED", None, at(60 * 24 * 90)),
        (2, "COLLECTED", None, at(-5)),
        (3, "PENDING", None, at(-5)),
        (4, "FAILED", None, at(60)),
        (5, "MISSING", None, at(60)),
        (6, "DELETED", at(0), None),
    ]
    for row in rows:
        book.conn.execute(
            "INSERT INTO football.fixtures (id, league_id, season_id, collection_status, deleted_at, next_due_at)"
            " VALUES (%s, 8, 1, %s, %s, %s)",
            row,
        )
    book.whole_chunk(1, SAVED=1)
    (chunk,) = ask("SELECT * FROM etl.chunks")
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
        "due_fixtures": 2,
        "failed_fixtures": 2,
        "status": "COMPLETED",
        "owner": None,
        "last_collected_at": at(5),
        "last_execution_id": RUN,
        "chunk_id": "8_1",
    }


def stored(book: Book, season: int, numbers: range, *, raw: bool = True) -> None:
    for number in numbers:
        key = season * 100 + number
        book.conn.execute(
            "INSERT INTO football.fixtures"
            " (id, league_id, season_id, collection_status, state_id, home_goals, away_goals,"
            " quality_score) VALUES (%s, 8, %s, 'COLLECTED', 5, 1, 0, 90)",
            (key, season),
        )
        if raw:
            book.conn.execute(
                "INSERT INTO raw.fixtures (fixture_id, payload, content_hash, includes, collected_at)"
                """ VALUES (%s, '{"scores": []}', '', '{}', now())""",
                (key,),
            )


def checks(ask: Ask) -> dict[str, tuple[bool, bool, str]]:
    rows = ask("SELECT name, required, success, notes FROM etl.check_results")
    return {row["name"]: (row["required"], row["success"], row["notes"]) for row in rows}


def test_good_checks_are_recorded_and_pass(book: Book, ask: Ask) -> None:
    book.start()
    book.plan({1: 3})
    stored(book, 1, range(2))
    book.open(1)
    book.mark(1, SAVED=2, FAILED=1)
    assert book.call("run_chunk_checks", RUN, LEAGUE, 1) == 0
    assert book.call("require_chunk_checks", RUN, LEAGUE, 1) == 4
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
    book: Book, ask: Ask, wrong: str, name: str, notes: str
) -> None:
    book.start()
    book.plan({1: 2})
    stored(book, 1, range(1))
    if wrong != "not typed":
        stored(book, 1, range(1, 2), raw=wrong != "no raw")
    book.open(1)
    book.mark(1, SAVED=1 if wrong == "pending" else 2)
    assert book.call("run_chunk_checks", RUN, LEAGUE, 1) == 1
    required, success, told = checks(ask)[name]
    assert (required, success) == (True, False)
    assert notes in told
    with (
        pytest.raises(psycopg.errors.RaiseException, match=f"Quality checks failed for chunk 8_1: {name}") as caught,
        book.conn.transaction(),
    ):
        book.call("require_chunk_checks", RUN, LEAGUE, 1)
    assert "clear this group" in str(caught.value.diag.message_hint)
    book.collected(1)
    assert book.close(1) == "FAILED"
    assert book.finish() == "FAILED"
    assert f"Quality checks failed: {name}" in summary(ask)["error_message"]


def test_a_failed_optional_check_is_told_and_passes(book: Book, ask: Ask) -> None:
    book.start()
    book.plan({1: 1})
    stored(book, 1, range(1))
    book.conn.execute("UPDATE football.fixtures SET home_goals = NULL, quality_score = 30")
    book.whole_chunk(1, SAVED=1)
    assert book.call("run_chunk_checks", RUN, LEAGUE, 1) == 2
    assert {name for name, (_, success, _) in checks(ask).items() if not success} == {"finished_have_goals", "quality"}
    assert book.call("require_chunk_checks", RUN, LEAGUE, 1) == 2


def test_checks_run_again_replace_their_results(book: Book, ask: Ask) -> None:
    book.start()
    book.plan({1: 1})
    stored(book, 1, range(1))
    book.open(1)
    assert book.call("run_chunk_checks", RUN, LEAGUE, 1) == 1
    book.mark(1, SAVED=1)
    assert book.call("run_chunk_checks", RUN, LEAGUE, 1) == 0
    assert len(checks(ask)) == 4


def test_the_report_carries_chunks_and_metrics_when_asked(book: Book, one: One) -> None:
    book.start()
    book.plan({1: 1, 2: 1})
    book.whole_chunk(1, SAVED=1)
    book.whole_chunk(2, UNCHANGED=1)
    book.finish()
    plain, full = one("SELECT etl.execution_report(%s)", RUN), one("SELECT etl.execution_report(%s, true)", RUN)
    assert [chunk["season_id"] for chunk in plain["chunks"]] == [1, 2]
    assert (plain["status"], "metrics" in plain, len(full["metrics"])) == ("COMPLETED", False, 8)


def test_views_join_what_is_there(book: Book, ask: Ask) -> None:
    book.conn.execute(
        "INSERT INTO football.leagues (id, name) VALUES (8, 'Premier League');"
        "INSERT INTO football.seasons (id, league_id, name) VALUES (1, 8, '2025/2026');"
        "INSERT INTO football.teams (id, name) VALUES (10, 'Home');"
        "INSERT INTO football.states (id, developer_name) VALUES (5, 'FT')"
    )
    stored(book, 1, range(2))
    book.conn.execute("UPDATE football.fixtures SET home_team_id = 10, away_team_id = 11")
    book.conn.execute("UPDATE football.fixtures SET deleted_at = now(), collection_status = 'DELETED' WHERE id = 101")
    (result,) = ask("SELECT * FROM football.fixture_results")
    assert (result["league"], result["season"], result["home_team"], result["away_team"], result["state"]) == (
        "Premier League",
        "2025/2026",
        "Home",
        None,
        "FT",
    )
    (coverage,) = ask("SELECT * FROM football.season_coverage")
    assert (coverage["fixtures"], coverage["collected"], coverage["finished"]) == (1, 1, 1)
    book.conn.execute(
        "INSERT INTO football.fixture_lineups (fixture_id, id, player_id, type_id)"
        " VALUES (100, 1, 7, 11), (100, 2, 8, 12);"
        "INSERT INTO football.fixture_player_statistics (fixture_id, id, lineup_id, type_id, value)"
        " VALUES (100, 1, 1, 119, 90), (100, 2, 1, 118, 7.5)"
    )
    rows = ask("SELECT player_id, started, minutes, rating FROM football.player_appearances ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [(7, True, 90, Decimal("7.5")), (8, False, None, None)]
