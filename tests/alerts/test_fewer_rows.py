"""The alert of a season with fewer rows per match than those before it, and what must not raise it."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from sportmonks.alerts.rules import Alert, ETLAlertManager
from tests.alerts.test_alerts_life import SEASONS
from tests.harness.runs import NOW

Warehouse = psycopg.Connection[Any]


@pytest.fixture
def seasons(warehouse: Warehouse) -> None:
    """Two seasons of 25 matches, with ten events in each match of the first and four in each of the second."""
    for statement in SEASONS:
        warehouse.execute(statement.encode(), {"at": NOW})


def found(warehouse: Warehouse, **limits: float) -> list[Alert]:
    manager = ETLAlertManager(warehouse, limits)
    alerts = manager.check_system_alerts(now=NOW)
    assert manager.failed_rules == []
    return [alert for alert in alerts if alert.kind == "FEWER_ROWS"]


@pytest.mark.usefixtures("seasons")
def test_the_alert_names_sections_and_figures(warehouse: Warehouse) -> None:
    (alert,) = found(warehouse)
    assert alert.message == (
        "Newest matches against those of the seasons before, in rows per match: events 4.0 instead of 10.0."
    )
    assert (alert.severity, alert.league_id, alert.season_id) == ("WARNING", 8, 2)
    assert "alerts.rows_percent" in alert.hint
    assert alert.details["sections"] == {"events": {"now": 4.0, "before": 10.0}}


@pytest.mark.usefixtures("seasons")
def test_a_lower_quality_score_is_one_too(warehouse: Warehouse) -> None:
    warehouse.execute("UPDATE football.fixtures SET quality_score = CASE season_id WHEN 1 THEN 95 ELSE 70 END")
    (alert,) = found(warehouse, rows_percent=0)
    assert alert.message == "Newest matches against those of the seasons before; quality score 70.0 instead of 95.0."
    assert found(warehouse, rows_percent=0, quality_points=25) == []


@pytest.mark.usefixtures("seasons")
@pytest.mark.parametrize("limit", [0, 40])
def test_the_limit_is_a_setting(warehouse: Warehouse, limit: float) -> None:
    assert found(warehouse, rows_percent=limit) == []


STAGES = "INSERT INTO football.stages (id, season_id, name) VALUES (1, 1, 'Final Rounds'), (2, 2, 'Round 1')"
YESTERDAY = f"'{NOW.isoformat()}'::timestamptz - interval '1 day'"
QUIET = {
    "a cup that is at another stage": [STAGES, "UPDATE football.fixtures SET stage_id = season_id"],
    "a section that only some matches ever had": [
        "DELETE FROM football.fixture_events e USING football.fixtures f WHERE f.id = e.fixture_id AND f.id % 4 = 0",
    ],
    "a section that is not requested any more": [
        "UPDATE raw.fixtures SET includes = '{scores}' WHERE fixture_id > 200"
    ],
    "few matches yet": ["DELETE FROM football.fixtures WHERE id > 209"],
    "few matches to compare with": ["DELETE FROM football.fixtures WHERE id BETWEEN 120 AND 199"],
    "matches that were just played": [
        f"UPDATE football.fixtures SET starting_at = {YESTERDAY} WHERE season_id = 2",
    ],
    "matches that were not played": ["UPDATE football.fixtures SET state_id = 1 WHERE season_id = 2"],
    "a league that is not followed": ["UPDATE etl.chunks SET deactivated_at = now()"],
    "the first season": ["DELETE FROM football.seasons WHERE id = 1"],
    "a season of before": [
        "INSERT INTO football.seasons (id, league_id, starting_at) SELECT 3, 8, max(starting_at) + 30"
        " FROM football.seasons",
        "INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 3)",
    ],
}


@pytest.mark.usefixtures("seasons")
@pytest.mark.parametrize("reason", QUIET)
def test_what_is_no_reason(warehouse: Warehouse, reason: str) -> None:
    for statement in QUIET[reason]:
        warehouse.execute(statement.encode())
    assert found(warehouse) == []
