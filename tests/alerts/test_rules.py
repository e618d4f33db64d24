"""Each rule: fires once, stays one alert while it lasts, is resolved when it is over."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.alerts.rules import ETLAlertManager
from sportmonks.config.catalog import Thresholds
from sportmonks.errors import ConfigurationError
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.queries import sql
from tests.harness.runs import NOW, Run


def _kinds(alerts: list[Any]) -> list[str]:
    return sorted(alert.kind for alert in alerts)


def _check(warehouse: psycopg.Connection[Any], hours: float = 0, **settings: float) -> list[Any]:
    manager = ETLAlertManager(warehouse, settings)
    found = manager.check_system_alerts(now=NOW + timedelta(hours=hours))
    assert manager.failed_rules == []
    return found


def _open(warehouse: psycopg.Connection[Any]) -> list[tuple[str, str]]:
    return warehouse.execute("SELECT kind, status FROM etl.etl_alerts ORDER BY alert_id").fetchall()


def test_ten_percent_failing_is_one_alert_until_a_good_run(warehouse: psycopg.Connection[Any], run: Run) -> None:
    first = run(failed=10)
    found = ETLAlertManager(warehouse).check_execution_alerts(first, now=NOW)
    assert [(a.kind, a.severity, a.opened, a.execution_id) for a in found] == [("ERROR_RATE", "WARNING", True, first)]
    assert found[0].message == "10 of 100 fixtures failed (10.0 %, limit 5 %)."
    assert found[0].hint
    assert found[0].run_id == "manual__1"
    again = _check(warehouse)
    assert [(a.alert_id, a.opened, a.seen_count) for a in again] == [(found[0].alert_id, False, 2)]
    run(hours_ago=0.5, config='{"dry_run": true}', total=0)  # a dry run proves nothing
    run(hours_ago=0.4, total=0)  # and neither does a run that had nothing to do
    assert _kinds(_check(warehouse)) == ["ERROR_RATE"]
    run(hours_ago=0.2)
    assert _check(warehouse) == []
    assert _open(warehouse) == [("ERROR_RATE", "RESOLVED")]
    run(hours_ago=0.1, failed=60)
    found = _check(warehouse)
    assert [(a.kind, a.severity, a.opened) for a in found] == [("ERROR_RATE", "CRITICAL", True)]


def test_the_limit_itself_is_fine(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run("a", failed=5)
    run("b", total=100, processed=90, minutes=60)
    assert _check(warehouse) == []
    assert _kinds(_check(warehouse, error_rate_percent=4)) == ["ERROR_RATE"]


def test_success_rate_counts_what_was_planned_and_not_failed(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run("missing", total=100, processed=100, successful=80)
    run("broken", total=100, processed=10, failed=10, status="FAILED")
    assert [(a.kind, a.subject) for a in _check(warehouse)] == [("ERROR_RATE", "broken"), ("SUCCESS_RATE", "missing")]


def test_three_failures_in_a_row(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run(hours_ago=80)
    for hours in (72, 48):
        run(hours_ago=hours, status="FAILED", processed=0, error="API down")
    assert _check(warehouse) == []
    last = run(hours_ago=24, status="FAILED", processed=0, error="API still down")
    run("other", hours_ago=24, status="FAILED", processed=0)
    found = _check(warehouse)
    assert [(a.kind, a.subject, a.execution_id) for a in found] == [
        ("CONSECUTIVE_FAILURES", "sportmonks_premier_league", last)
    ]
    assert "API still down" in found[0].message
    run(hours_ago=1)
    assert _check(warehouse) == []


def test_a_long_run_running_or_finished(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run(hours_ago=2, status="RUNNING")
    found = _check(warehouse)
    assert [(a.kind, a.message) for a in found] == [("DURATION", "Running for 120.0 minutes (limit 60).")]
    warehouse.execute(
        "UPDATE etl.etl_executions SET status = 'COMPLETED', finished_at = %s, duration_seconds = 7200", (NOW,)
    )
    assert _kinds(_check(warehouse)) == ["DURATION"]
    run(hours_ago=0, minutes=3)
    assert _check(warehouse, hours=0.1) == []


def test_checks_of_another_dag_are_left_alone(warehouse: psycopg.Connection[Any], run: Run) -> None:
    first, second = run("a", failed=10), run("b", failed=10)
    manager = ETLAlertManager(warehouse)
    manager.check_execution_alerts(first, now=NOW)
    assert [a.subject for a in manager.check_execution_alerts(second, now=NOW)] == ["b"]
    assert _open(warehouse) == [("ERROR_RATE", "OPEN"), ("ERROR_RATE", "OPEN")]
    assert manager.check_execution_alerts("nobody", now=NOW) == []


def test_quality_checks_of_the_newest_run(warehouse: psycopg.Connection[Any], run: Run) -> None:
    execution = run()
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, league_name, season_name, last_execution_id)"
        " VALUES (8, 1, 'Premier League', '2025/2026', %s)",
        (execution,),
    )
    warehouse.execute(
        "INSERT INTO etl.check_results (execution_id, chunk_id, name, required, success, notes) VALUES"
        " (%(e)s, '8_1', 'goals_add_up', true, false, '3 fixtures'), (%(e)s, '8_1', 'hint', false, false, '')",
        {"e": execution},
    )
    found = _check(warehouse)
    assert [(a.kind, a.subject, a.message, a.season_id) for a in found] == [
        ("QUALITY_CHECKS", "Premier League 2025/2026", "Quality checks failed: goals_add_up: 3 fixtures", 1)
    ]
    warehouse.execute("UPDATE etl.check_results SET success = true")
    assert _check(warehouse) == []


def test_a_budget_that_flaps_is_one_alert(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute(
        "INSERT INTO etl.api_budget (connection, entity, call_limit, remaining, resets_at)"
        " VALUES ('sportmonks_api', 'Fixture', 3000, 0, %s)",
        (NOW + timedelta(minutes=30),),
    )
    found = _check(warehouse)
    assert [(a.kind, a.message) for a in found] == [
        ("BUDGET_EXHAUSTED", "0 of 3000 calls left until 2026-11-20 12:30 UTC.")
    ]
    assert _check(warehouse, hours=0.6) == []
    warehouse.execute("UPDATE etl.api_budget SET resets_at = %s", (NOW + timedelta(hours=2),))
    assert [(a.alert_id, a.opened) for a in _check(warehouse, hours=1)] == [(found[0].alert_id, False)]
    warehouse.execute("UPDATE etl.api_budget SET remaining = 5, blocked_until = %s", (NOW + timedelta(hours=9),))
    assert _check(warehouse, hours=1)[0].message == "The API refuses calls until 2026-11-20 21:00 UTC."


def test_a_stale_league_needs_something_due_and_nothing_collected(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute(
        "INSERT INTO etl.chunks (league_id, season_id, league_name) VALUES (8, 1, 'Premier League'), (9, 2, 'Quiet'),"
        " (10, 3, 'Fresh'), (11, 4, 'Left'), (12, 5, 'Never')"
    )
    warehouse.execute("UPDATE etl.chunks SET deactivated_at = now() WHERE league_id = 11")
    old, recent, coming = NOW - timedelta(hours=50), NOW - timedelta(hours=2), NOW + timedelta(hours=5)
    rows = [
        (80, 8, 1, old, old, old),
        (90, 9, 2, coming, old, old),
        (100, 10, 3, old, old, old),
        (101, 10, 3, coming, recent, old),
        (110, 11, 4, old, old, old),
        (120, 12, 5, old, None, old),
    ]
    with warehouse.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO football.fixtures (id, league_id, season_id, next_due_at, last_fetched_at, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s)",
            rows,
        )
    found = sorted(_check(warehouse), key=lambda alert: alert.league_id)
    assert [(a.kind, a.subject) for a in found] == [("STALE_LEAGUE", "Premier League"), ("STALE_LEAGUE", "Never")]
    assert "nothing was ever collected" in found[1].message
    warehouse.execute("UPDATE football.fixtures SET last_fetched_at = %s", (recent,))
    assert _check(warehouse) == []


SUSPECTED = (
    "INSERT INTO football.fixtures (id, league_id, season_id, state_id, held_reads, last_fetched_at,"
    " suspected_sections, suspected_at) VALUES (%s, 8, 1, %s, %s, %s, %s, %s)"
)


def test_fixtures_that_lack_data_again_raise_an_alert(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("INSERT INTO etl.chunks (league_id, season_id, league_name) VALUES (8, 1, 'Premier League')")
    first = NOW - timedelta(hours=2)
    for state_id, held_reads, sections, read_again, alert in (
        (5, 1, "participants, scores", False, False),  # at first sight
        (5, 2, "participants, scores", True, True),
        (5, 1, "participants", True, True),  # again, though something else has changed
        (5, 0, "participants", True, False),  # believed in the end
        (1, 2, "participants", True, False),  # the teams of a match to come may not be known
        (5, 1, None, True, False),
        (5, 2, None, True, True),  # held back
        (1, 2, None, True, True),
        (5, 0, None, True, False),
    ):
        case = (state_id, held_reads, sections, read_again)
        warehouse.execute("DELETE FROM football.fixtures")
        row = (1, state_id, held_reads, NOW if read_again else first, sections, first if sections else None)
        warehouse.execute(SUSPECTED, row)
        found = _check(warehouse)
        assert [(each.kind, each.subject, each.league_id) for each in found] == (
            [("SUSPECTED_DATA", "Premier League", 8)] if alert else []
        ), case
        if alert:
            assert found[0].message.startswith(f"1 fixtures lack data ({sections or 'degraded sections'})"), case


def test_an_index_that_stays_empty_raises_an_alert_once_its_season_has_begun(
    warehouse: psycopg.Connection[Any],
) -> None:
    begun, coming = {"starting_at": "2026-08-01"}, {"starting_at": "2027-08-01"}
    cases: tuple[tuple[dict[str, Any], int, bool, bool, bool], ...] = (
        # season, suspected answers, believed, known fixtures, alert
        (begun, 1, False, False, False),
        (begun, 2, False, False, True),
        (coming, 3, False, False, False),
        (coming, 3, False, True, True),
        ({"is_current": True}, 2, False, False, True),
        ({}, 2, False, False, False),  # nobody knows when it begins
        (begun, 0, True, False, True),  # believed, and still strange
        ({**begun, "finished": True}, 0, True, False, False),
        (begun, 0, True, True, False),
    )
    for season, answers, believed, known, alert in cases:
        for table in ("football.seasons", "etl.chunks", "football.fixtures"):
            warehouse.execute(f"DELETE FROM {table}")
        warehouse.execute(
            "INSERT INTO football.seasons (id, league_id, starting_at, is_current, finished)"
            " VALUES (1, 8, %(starting_at)s, %(is_current)s, %(finished)s)",
            {"starting_at": None, "is_current": False, "finished": None, **season},
        )
        warehouse.execute(
            "INSERT INTO etl.chunks"
            " (league_id, season_id, season_name, indexed_at, doubtful_indexes, index_suspected_at)"
            " VALUES (8, 1, '2026/2027', %s, %s, %s)",
            (NOW if believed else None, answers, NOW if answers else None),
        )
        if known:
            warehouse.execute("INSERT INTO football.fixtures (id, league_id, season_id) VALUES (1, 8, 1)")
        assert [each.message for each in _check(warehouse)] == (
            ["The index lists too little, nothing or other seasons: 2026/2027."] if alert else []
        ), (season, answers, believed, known)


def test_unknown_ids_stay_reported_until_they_are_known(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("INSERT INTO football.states (id) VALUES (5)")
    warehouse.execute("INSERT INTO football.types (id) VALUES (14)")
    warehouse.execute(
        "INSERT INTO football.fixtures (id, league_id, season_id, state_id, last_changed_at) VALUES"
        " (1, 8, 1, 5, %(now)s), (2, 8, 1, 777, %(now)s)",
        {"now": NOW},
    )
    warehouse.execute(
        "INSERT INTO football.fixture_events (fixture_id, id, type_id) VALUES (1, 1, 14), (1, 2, 99), (2, 3, 98)"
    )
    found = _check(warehouse)
    assert [(a.dedupe_key, a.details["ids"]) for a in found] == [
        ("UNKNOWN_IDS:states", [777]),
        ("UNKNOWN_IDS:types", [98, 99]),
    ]
    assert len(_check(warehouse, hours=100)) == 2
    warehouse.execute("INSERT INTO football.types (id) VALUES (98), (99)")
    assert [a.dedupe_key for a in _check(warehouse, hours=100)] == ["UNKNOWN_IDS:states"]


def test_refused_includes_are_shown_as_long_as_they_are_left_out(warehouse: psycopg.Connection[Any]) -> None:
    names = {"connection": "sportmonks_api", "entity": "Fixture", "code": 5002, "execution_id": None}
    for include in ("odds", "lineups.details"):
        text = f"You do not have access to the '{include}' include"
        warehouse.execute(sql("budget/forbidden_learn"), {**names, "include": include, "message": text})
    warehouse.execute("UPDATE etl.forbidden_includes SET learnt_at = %s", (NOW,))
    # Refused once: it may have been an accident.
    assert _check(warehouse, hours=1) == []
    warehouse.execute("UPDATE etl.forbidden_includes SET confirmed = true")
    (found,) = _check(warehouse, hours=167)
    assert (found.kind, found.severity) == ("INCLUDES_REFUSED", "WARNING")
    assert found.message == "The API refuses lineups.details, odds: nothing of it is collected."
    assert "You do not have access" in found.details["message"]
    assert _check(warehouse, hours=169) == []


def test_only_includes_that_are_configured_now_are_alerted_of(warehouse: psycopg.Connection[Any]) -> None:
    """An include that was requested once by hand, or taken out since, is no concern of anybody."""
    for entity, include in (("Fixture", "odds"), ("Fixture", "details"), ("Team", "coaches")):
        names = {"connection": "sportmonks_api", "entity": entity, "include": include, "code": 5002, "message": "no"}
        warehouse.execute(sql("budget/forbidden_learn"), {**names, "execution_id": None})
    warehouse.execute("UPDATE etl.forbidden_includes SET learnt_at = %s, confirmed = true", (NOW,))

    def subjects(*configured: tuple[str, str]) -> dict[str, list[str]]:
        found = ETLAlertManager(warehouse, includes=configured).check_system_alerts(now=NOW)
        return {alert.subject: alert.details["includes"] for alert in found}

    assert subjects() == {}
    assert subjects(("Fixture", "scores"), ("Team", "odds")) == {}
    assert subjects(("Fixture", "scores"), ("Fixture", "Odds:value")) == {"Includes of Fixture": ["odds"]}
    assert subjects(("Fixture", "lineups.details.type"), ("Team", "coaches")) == {
        "Includes of Fixture": ["details"],
        "Includes of Team": ["coaches"],
    }
    assert subjects() == {}
    assert _open(warehouse) == [("INCLUDES_REFUSED", "RESOLVED")] * 2


def test_an_api_that_keeps_failing_raises_an_alert_until_it_answers(warehouse: psycopg.Connection[Any]) -> None:
    for _ in range(3):
        warehouse.execute(
            "SELECT etl.api_call_failed('sportmonks_api', 'Fixture', 0, p_threshold => 3, p_now => %s)", (NOW,)
        )
    (found,) = _check(warehouse, hours=0.2)
    assert (found.kind, found.subject) == ("API_FAILING", "sportmonks_api")
    assert found.message == "Calls rest until 2026-11-20 12:00 UTC after repeated failures of the API (rest no. 1)."
    warehouse.execute(
        "SELECT etl.settle_api_call('sportmonks_api', 'Fixture', 'Fixture', 0, NULL, NULL, p_now => %s)", (NOW,)
    )
    assert _check(warehouse, hours=0.2) == []


def test_a_rule_that_fails_stops_no_other(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run(failed=10)
    warehouse.execute("DROP TABLE etl.api_budget CASCADE")
    manager = ETLAlertManager(warehouse)
    assert _kinds(manager.check_system_alerts(now=NOW)) == ["ERROR_RATE"]
    assert manager.failed_rules == ["BUDGET_EXHAUSTED"]


def test_two_watchers_at_once_open_one_alert(warehouse_dsn: str, warehouse: psycopg.Connection[Any], run: Run) -> None:
    for number in range(20):
        run(f"dag_{number}", failed=10)
    barrier = threading.Barrier(4)

    def watch() -> None:
        with open_connection(warehouse_dsn, autocommit=True) as conn:
            barrier.wait()
            manager = ETLAlertManager(conn)
            manager.check_system_alerts(now=NOW)
            assert manager.failed_rules == []

    threads = [threading.Thread(target=watch) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    row = warehouse.execute("SELECT count(*), min(seen_count), max(seen_count) FROM etl.etl_alerts").fetchone()
    assert row == (20, 4, 4)


def test_acknowledged_alerts_stay_so_and_are_resolved_too(warehouse: psycopg.Connection[Any], run: Run) -> None:
    run(failed=10)
    alert = _check(warehouse)[0]
    for who in ("ann", "bob"):
        row = warehouse.execute("SELECT etl.acknowledge_alert(%s, %s)", (alert.alert_id, who)).fetchone()
        assert row == ("ACKNOWLEDGED",)
    assert warehouse.execute("SELECT etl.acknowledge_alert(-1, 'ann')").fetchone() == (None,)
    assert _check(warehouse)[0].status == "ACKNOWLEDGED"
    assert warehouse.execute("SELECT acknowledged_by FROM etl.etl_alerts").fetchone() == ("ann",)
    run(hours_ago=0.1)
    assert _check(warehouse) == []


def test_thresholds_name_a_wrong_setting() -> None:
    assert Thresholds.from_mapping({"stale_hours": 12}).stale_hours == 12
    with pytest.raises(ConfigurationError, match=r"there is no key alerts\.stale_hour\. Did you mean stale_hours\?"):
        Thresholds.from_mapping({"stale_hour": 12})
    with pytest.raises(ConfigurationError, match=r"alerts\.stale_hours is -1"):
        Thresholds.from_mapping({"stale_hours": -1})
    with pytest.raises(ConfigurationError, match=r"alerts\.consecutive_failures is 0"):
        Thresholds.from_mapping({"consecutive_failures": 0})
