"""What the tables tell people: summary, health, logs, report, views."""

from __future__ import annotations

from decimal import Decimal

from psycopg.types.json import Jsonb

from tests.warehouse.run_builder import RUN, Ask, One, RunBuilder, at, stored


def test_the_summary_without_an_id_is_the_newest_and_tells_a_running_ones_age(builder: RunBuilder, ask: Ask) -> None:
    assert ask("SELECT * FROM etl.get_etl_execution_summary()") == []
    builder.start(run="etl_old")
    builder.start(5, run="etl_new")
    (row,) = ask("SELECT * FROM etl.get_etl_execution_summary(p_now => %s)", at(7))
    assert (row["execution_id"], row["duration_seconds"], row["success_rate"]) == ("etl_new", Decimal(120), None)


def test_health(builder: RunBuilder, ask: Ask) -> None:
    (empty,) = ask("SELECT * FROM etl.get_etl_health_status(%s)", at(0))
    assert (empty["total_executions"], empty["avg_success_rate"], empty["last_execution_at"]) == (0, None, None)
    for number, (status, good) in enumerate([("COMPLETED", 10), ("FAILED", 5), ("CANCELLED", 0), (None, 0)]):
        builder.start(number, run=f"etl_{number}")
        if status:
            builder.call(
                "finish_etl_execution", f"etl_{number}", status, 10, 10 if good else 0, good, p_now=at(number + 10)
            )
    for hours, level in ((1, "ERROR"), (1, "INFO"), (23, "CRITICAL"), (25, "ERROR")):
        builder.call("log_etl_event", level, "TEST", "x", p_now=at(60 * 48 - 60 * hours))
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


def test_logs_and_metrics(builder: RunBuilder, ask: Ask) -> None:
    key = builder.call(
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
    builder.call("record_etl_metric", RUN, "calls", 3, "calls", Jsonb({"entity": "Fixture"}))
    builder.call("record_etl_metric", RUN, "calls", 4, p_tags=None)
    assert [row["tags"] for row in ask("SELECT tags FROM etl.etl_metrics ORDER BY metric_id")] == [
        {"entity": "Fixture"},
        {},
    ]


def test_the_report_carries_chunks_and_on_request_metrics(builder: RunBuilder, one: One) -> None:
    builder.start()
    builder.plan({1: 1, 2: 1})
    builder.complete_chunk(1, SAVED=1)
    builder.complete_chunk(2, UNCHANGED=1)
    builder.finish()
    plain, full = one("SELECT etl.execution_report(%s)", RUN), one("SELECT etl.execution_report(%s, true)", RUN)
    assert [chunk["season_id"] for chunk in plain["chunks"]] == [1, 2]
    assert (plain["status"], "metrics" in plain, len(full["metrics"])) == ("COMPLETED", False, 8)


def test_views_join_what_is_there(builder: RunBuilder, ask: Ask) -> None:
    builder.conn.execute(
        "INSERT INTO football.leagues (id, name) VALUES (8, 'Premier League');"
        "INSERT INTO football.seasons (id, league_id, name) VALUES (1, 8, '2025/2026');"
        "INSERT INTO football.teams (id, name) VALUES (10, 'Home');"
        "INSERT INTO football.states (id, developer_name) VALUES (5, 'FT')"
    )
    stored(builder, 1, range(2))
    builder.conn.execute("UPDATE football.fixtures SET home_team_id = 10, away_team_id = 11")
    builder.conn.execute(
        "UPDATE football.fixtures SET deleted_at = now(), collection_status = 'DELETED' WHERE id = 101"
    )
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
    builder.conn.execute(
        "INSERT INTO football.fixture_lineups (fixture_id, id, player_id, type_id)"
        " VALUES (100, 1, 7, 11), (100, 2, 8, 12);"
        "INSERT INTO football.fixture_player_statistics (fixture_id, id, lineup_id, type_id, value)"
        " VALUES (100, 1, 1, 119, 90), (100, 2, 1, 118, 7.5);"
        "INSERT INTO football.fixture_player_figures SELECT * FROM etl.player_figures('{100}', now())"
    )
    rows = ask("SELECT player_id, started, minutes, rating FROM football.player_appearances ORDER BY 1")
    assert [tuple(row.values()) for row in rows] == [(7, True, 90, Decimal("7.5")), (8, False, None, None)]
