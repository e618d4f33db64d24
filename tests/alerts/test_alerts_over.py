"""When an alert is over, and what only looks like it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.alerts.deadlines import raise_deadline_alert
from sportmonks.alerts.rules import ETLAlertManager
from tests.harness.runs import NOW, Run

DRY = '{"dry_run": true}'


def _live(warehouse: psycopg.Connection[Any], minutes: float = 0) -> list[str]:
    manager = ETLAlertManager(warehouse)
    found = manager.check_system_alerts(now=NOW + timedelta(minutes=minutes))
    assert manager.failed_rules == []
    return sorted(alert.kind for alert in found)


@pytest.mark.parametrize(
    ("kind", "first", "proof"),
    [
        ("ERROR_RATE", {"failed": 10}, {}),
        ("SUCCESS_RATE", {"successful": 80}, {}),
        ("DURATION", {"minutes": 90}, {"minutes": 3}),
    ],
)
def test_only_a_run_that_did_the_work_ends_an_alert(
    warehouse: psycopg.Connection[Any], run: Run, kind: str, first: dict[str, Any], proof: dict[str, Any]
) -> None:
    run(hours_ago=5, **first)
    assert _live(warehouse) == [kind]
    run(hours_ago=3, status="FAILED", processed=0, minutes=1, error="API down")
    run(hours_ago=2, config=DRY, total=0, minutes=1)
    run(hours_ago=1.5, status="CANCELLED", processed=0, minutes=1)
    run(hours_ago=1.2, total=0, minutes=1)
    assert _live(warehouse) == [kind]
    run(hours_ago=1, **proof)
    assert _live(warehouse) == []
    assert warehouse.execute("SELECT count(*), min(status) FROM etl.etl_alerts").fetchone() == (1, "RESOLVED")


def test_a_failed_check_stands_until_the_season_is_checked_again(warehouse: psycopg.Connection[Any], run: Run) -> None:
    def work_on(execution: str) -> None:
        warehouse.execute(
            "INSERT INTO etl.chunks (league_id, season_id, last_execution_id) VALUES (8, 1, %(e)s)"
            " ON CONFLICT (league_id, season_id) DO UPDATE SET last_execution_id = %(e)s",
            {"e": execution},
        )

    def check(execution: str, success: bool) -> None:
        warehouse.execute(
            "INSERT INTO etl.check_results (execution_id, chunk_id, name, required, success)"
            " VALUES (%s, '8_1', 'goals_add_up', true, %s)",
            (execution, success),
        )

    first = run(hours_ago=30)
    work_on(first)
    check(first, False)
    assert _live(warehouse) == ["QUALITY_CHECKS"]
    second = run(hours_ago=1)
    work_on(second)  # its collector is at work, or it failed before the checks
    assert _live(warehouse) == ["QUALITY_CHECKS"]
    assert [a.kind for a in ETLAlertManager(warehouse).check_execution_alerts(second, now=NOW)] == ["QUALITY_CHECKS"]
    check(second, False)
    assert _live(warehouse) == ["QUALITY_CHECKS"]
    assert warehouse.execute("SELECT count(*) FROM etl.etl_alerts").fetchone() == (1,)
    third = run(hours_ago=0.5)
    work_on(third)
    check(third, True)
    assert _live(warehouse) == []
    work_on(second)
    assert _live(warehouse) == ["QUALITY_CHECKS"]
    warehouse.execute("UPDATE etl.chunks SET deactivated_at = now()")  # no longer followed
    assert _live(warehouse) == []


def test_a_league_that_is_gone_leaves_no_alert_for_ever(warehouse: psycopg.Connection[Any], run: Run) -> None:
    for hours in (3, 2, 1):
        run(hours_ago=hours, status="FAILED", failed=50, minutes=90)
    raise_deadline_alert(warehouse, {"dag_id": "gone", "dag_run_id": "r"}, 45, 8, now=NOW)
    assert _live(warehouse) == ["CONSECUTIVE_FAILURES", "DEADLINE", "DURATION", "ERROR_RATE"]
    assert _live(warehouse, minutes=31 * 24 * 60) == []


def test_an_alert_raised_while_the_rule_looked_is_not_over(warehouse: psycopg.Connection[Any]) -> None:
    """The triggerer raises a missed deadline between etl_watch's SELECT and what it makes of it."""
    late = {"dag_id": "d", "dag_run_id": "late", "run_after": "2026-11-20T05:00:00Z"}
    raise_deadline_alert(warehouse, late, 45, 8, now=NOW + timedelta(seconds=1))
    statement = "SELECT outcome FROM etl.apply_alerts('DEADLINE', '[]', NULL, '0', %s)"
    assert warehouse.execute(statement, (NOW,)).fetchall() == []
    assert warehouse.execute(statement, (NOW + timedelta(seconds=2),)).fetchall() == [("resolved",)]
