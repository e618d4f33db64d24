"""The life of an alert, the same for every kind: opened once, seen, acknowledged, over, and a new one the next day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.alerts.deadlines import raise_deadline_alert
from sportmonks.alerts.dispatch import notify_new
from sportmonks.alerts.notifier import Delivery
from sportmonks.alerts.rules import RULES, ETLAlertManager
from tests.harness.runs import NOW, Run

Warehouse = psycopg.Connection[Any]
Step = Callable[[Warehouse, Run, datetime], object]


def _ago(at: datetime) -> float:
    return (NOW - at) / timedelta(hours=1)


def _run(**figures: Any) -> Step:
    return lambda _, run, at: run(hours_ago=_ago(at), **figures)


def _sql(*statements: str) -> Step:
    def do(warehouse: Warehouse, _: Run, at: datetime) -> None:
        for statement in statements:
            warehouse.execute(statement, {"at": at})

    return do


def _failures(_: Warehouse, run: Run, at: datetime) -> None:
    for hours in (3, 2, 1):
        run(hours_ago=_ago(at) + hours / 10, status="FAILED", processed=0)


def _checked(success: bool) -> Step:
    def do(warehouse: Warehouse, run: Run, at: datetime) -> None:
        execution = run(hours_ago=_ago(at))
        chunk = "INSERT INTO etl.chunks (league_id, season_id, last_execution_id) VALUES (8, 1, %(e)s)"
        again = " ON CONFLICT (league_id, season_id) DO UPDATE SET last_execution_id = %(e)s"
        check = "INSERT INTO etl.check_results (execution_id, chunk_id, name, required, success)"
        warehouse.execute(chunk + again, {"e": execution})
        warehouse.execute(check + " VALUES (%s, '8_1', 'goals_add_up', true, %s)", (execution, success))

    return do


def _late(warehouse: Warehouse, _: Run, at: datetime) -> None:
    raise_deadline_alert(warehouse, {"dag_id": "sportmonks_premier_league", "dag_run_id": str(at)}, 45, 8, now=at)


BUDGET = (
    "INSERT INTO etl.api_budget (connection, entity, call_limit, remaining, resets_at)"
    " VALUES ('c', 'Fixture', 3000, 0, %(at)s::timestamptz + interval '30 minutes')"
    " ON CONFLICT (connection, entity) DO UPDATE SET remaining = 0, resets_at = excluded.resets_at"
)
CIRCUIT = (
    "INSERT INTO etl.api_circuit (connection, state, open_seconds, open_until)"
    " VALUES ('c', 'OPEN', 600, %(at)s::timestamptz + interval '10 minutes')"
    " ON CONFLICT (connection) DO UPDATE SET state = 'OPEN', open_seconds = 600, open_until = excluded.open_until"
)
INCLUDE = (
    "INSERT INTO etl.forbidden_includes (connection, entity, include, message, learnt_at)"
    " VALUES ('c', 'Fixture', 'odds', 'no access', %(at)s)"
)
DUE = (
    "INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 1) ON CONFLICT DO NOTHING",
    "INSERT INTO football.fixtures (id, league_id, season_id, next_due_at, created_at) VALUES"
    " (1, 8, 1, %(at)s::timestamptz - interval '50 hours', %(at)s::timestamptz - interval '90 hours')"
    " ON CONFLICT (id) DO UPDATE SET next_due_at = excluded.next_due_at, last_fetched_at = NULL",
)
STRANGE = (
    "INSERT INTO football.fixtures (id, league_id, season_id, state_id, last_changed_at)"
    " SELECT n, 8, 1, 700 + n, %(at)s FROM (SELECT count(*) + 1 FROM football.fixtures) x(n)"
)
KNOWN = "INSERT INTO football.states (id) SELECT DISTINCT state_id FROM football.fixtures ON CONFLICT DO NOTHING"
SUSPECTED = (
    "INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 1) ON CONFLICT DO NOTHING",
    "INSERT INTO football.fixtures (id, league_id, season_id, state_id, held_reads) VALUES (1, 8, 1, 5, 2)"
    " ON CONFLICT (id) DO UPDATE SET held_reads = 2",
)
ROUTE = {"name": "raw_shop_orders", "table_name": "client_shop_orders", "hours": 24}
SILENT = (
    "DELETE FROM etl.collector_runs",
    "INSERT INTO etl.raw_routes (table_name, client, route, created_at) VALUES"
    " ('client_shop_orders', 'shop', 'orders', %(at)s::timestamptz - interval '73 hours') ON CONFLICT DO NOTHING",
)
COLLECTED = "SELECT etl.record_collector_run('raw_shop_orders', 'etl_1', 'success', p_now => %(at)s::timestamptz)"
UNPROVEN = (
    "INSERT INTO etl.raw_routes (table_name, client, route) VALUES ('client_shop_lists', 'shop', 'lists')"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO etl.route_progress (route_name, plan_hash, slices, status, counters, updated_at)"
    " SELECT 'raw_shop_lists', n || %(at)s::text, 1, 'DONE', '{\"unproven\": 2}',"
    "        %(at)s::timestamptz - n * interval '1 second' FROM generate_series(0, 1) n",
)
PROVEN = (
    "INSERT INTO etl.route_progress (route_name, plan_hash, slices, status, counters, updated_at)"
    " VALUES ('raw_shop_lists', 'p', 1, 'DONE', '{\"unproven\": 0}', %(at)s)"
)
SEASONS = (
    "INSERT INTO football.states (id) VALUES (5) ON CONFLICT DO NOTHING",
    "INSERT INTO etl.chunks (league_id, season_id) VALUES (8, 2) ON CONFLICT DO NOTHING",
    "INSERT INTO football.seasons (id, league_id, starting_at)"
    " SELECT n, 8, %(at)s::timestamptz - (3 - n) * interval '1 year' FROM generate_series(1, 2) n"
    " ON CONFLICT DO NOTHING",
    "INSERT INTO football.fixtures (id, league_id, season_id, state_id, collection_status, starting_at)"
    " SELECT 100 * s + n, 8, s, 5, 'COLLECTED', %(at)s::timestamptz - (3 - s) * interval '30 days'"
    " FROM generate_series(1, 2) s, generate_series(1, 25) n ON CONFLICT DO NOTHING",
    "INSERT INTO raw.fixtures (fixture_id, payload, content_hash, includes, collected_at)"
    " SELECT id, '{}', '', '{events.type}', now() FROM football.fixtures ON CONFLICT DO NOTHING",
    "DELETE FROM football.fixture_events",
    "INSERT INTO football.fixture_events (fixture_id, id)"
    " SELECT f.id, n FROM football.fixtures f, generate_series(1, CASE f.season_id WHEN 1 THEN 10 ELSE 4 END) n",
)
MORE_ROWS = (
    "INSERT INTO football.fixture_events (fixture_id, id)"
    " SELECT f.id, n FROM football.fixtures f, generate_series(5, 8) n WHERE f.season_id = 2"
)
# kind -> what makes it true, what ends it.
LIVES: dict[str, tuple[Step, Step]] = {
    "ERROR_RATE": (_run(failed=10), _run()),
    "SUCCESS_RATE": (_run(successful=80), _run()),
    "DURATION": (_run(minutes=90), _run(minutes=5)),
    "CONSECUTIVE_FAILURES": (_failures, _run()),
    "QUALITY_CHECKS": (_checked(False), _checked(True)),
    "BUDGET_EXHAUSTED": (_sql(BUDGET), _sql("UPDATE etl.api_budget SET remaining = 9")),
    "API_FAILING": (_sql(CIRCUIT), _sql("DELETE FROM etl.api_circuit")),
    "INCLUDES_REFUSED": (_sql(INCLUDE), _sql("DELETE FROM etl.forbidden_includes")),
    "STALE_LEAGUE": (_sql(*DUE), _sql("UPDATE football.fixtures SET last_fetched_at = %(at)s")),
    "STALE_ROUTE": (_sql(*SILENT), _sql(COLLECTED)),
    "UNPROVEN_ROUTE": (_sql(*UNPROVEN), _sql(PROVEN)),
    "SUSPECTED_DATA": (_sql(*SUSPECTED), _sql("UPDATE football.fixtures SET held_reads = 0")),
    "FEWER_ROWS": (_sql(*SEASONS), _sql(MORE_ROWS)),
    "UNKNOWN_IDS": (_sql(STRANGE), _sql(KNOWN)),
    "DEADLINE": (_late, _run(minutes=5)),
}


def test_every_kind_has_a_life_here() -> None:
    assert {rule.kind for rule in RULES} == set(LIVES)


@pytest.mark.parametrize("kind", LIVES)
def test_the_life_of(warehouse: Warehouse, run: Run, kind: str) -> None:
    notified: list[str] = []

    def deliver(alerts: list[Any]) -> Delivery:
        notified.extend(alert.kind for alert in alerts)
        return Delivery(sent=["test"])

    def look(at: datetime) -> list[tuple[int, str, str]]:
        manager = ETLAlertManager(warehouse, routes=[ROUTE])
        found = manager.check_system_alerts(now=at)
        assert manager.failed_rules == []
        notify_new(warehouse, deliver=deliver, now=at)
        return [(alert.alert_id, alert.kind, alert.status) for alert in found]

    begin, end = LIVES[kind]
    begin(warehouse, run, NOW - timedelta(hours=2) if kind == "DURATION" else NOW)
    first = look(NOW)
    assert [(found[1], found[2]) for found in first] == [(kind, "OPEN")]
    assert look(NOW + timedelta(minutes=10)) == first
    alert_id = first[0][0]
    warehouse.execute("SELECT etl.acknowledge_alert(%s, 'ann')", (alert_id,))
    assert look(NOW + timedelta(minutes=20)) == [(alert_id, kind, "ACKNOWLEDGED")]
    end(warehouse, run, NOW + timedelta(minutes=25))
    assert look(NOW + timedelta(minutes=40)) == []
    begin(warehouse, run, NOW + timedelta(hours=24))
    again = look(NOW + timedelta(hours=26) if kind == "DURATION" else NOW + timedelta(hours=24, minutes=1))
    assert [(found[1], found[2]) for found in again] == [(kind, "OPEN")]
    assert again[0][0] != alert_id
    assert notified == [kind, kind]
