"""Notifications: each alert is sent exactly once, whatever hangs, fails or is killed; deadlines become alerts."""

from __future__ import annotations

import threading
import time
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.alerts import dispatch
from sportmonks.alerts.deadlines import raise_deadline_alert, run_deadline
from sportmonks.alerts.dispatch import check_and_notify, notify_new, notify_one
from sportmonks.alerts.notifier import Delivery
from sportmonks.alerts.rules import Alert, ETLAlertManager
from sportmonks.config.catalog import Thresholds
from sportmonks.warehouse.connection import open_connection
from tests.harness.runs import NOW, Run

LIMITS = Thresholds()


class Inbox:
    """Takes what would be sent; ``up`` decides whether it arrives."""

    def __init__(self) -> None:
        self.messages: list[list[Alert]] = []
        self.up = True
        self.configured = True

    def __call__(self, alerts: list[Alert]) -> Delivery:
        if not self.configured:
            return Delivery()
        if not self.up:
            return Delivery(failed={"smtp": "down"})
        self.messages.append(alerts)
        return Delivery(sent=["smtp"])


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


def test_one_notification_per_alert(warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox) -> None:
    run(failed=10)
    for hours in range(3):
        check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW + timedelta(hours=hours))
    assert [[a.kind for a in message] for message in inbox.messages] == [["ERROR_RATE"]]
    run(hours_ago=-3)
    result = check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW + timedelta(hours=4))
    assert result == {"live": 0, "opened": 0, "resolved": 1, "notified": 0, "failed_rules": []}
    assert len(inbox.messages) == 1


def test_a_channel_that_is_down_is_tried_again(warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox) -> None:
    run(failed=10)
    inbox.up = False
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)["notified"] == 0
    inbox.up = True
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)["notified"] == 1
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)["notified"] == 0


def test_a_channel_that_hangs_leaves_the_rest_to_the_next_run(
    warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        run(f"dag_{number}", failed=10)
    monkeypatch.setattr(dispatch, "SENDING_S", 0)
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)["notified"] == 0
    monkeypatch.undo()
    for hours in range(30):  # a night without a mail server
        inbox.up = hours == 29
        check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW + timedelta(hours=hours))
    assert len(inbox.messages) == 4


def test_without_channels_nothing_is_saved_up(warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox) -> None:
    run(failed=10)
    inbox.configured = False
    check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)
    inbox.configured = True
    check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)
    assert inbox.messages == []


def test_a_flood_is_one_digest(warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox) -> None:
    for number in range(30):
        run(f"dag_{number}", failed=10)
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)["notified"] == 30
    assert [len(message) for message in inbox.messages] == [30]


def test_a_killed_notifier_loses_nothing(warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox) -> None:
    run(failed=10)

    def killed(alerts: list[Alert]) -> Delivery:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_and_notify(warehouse, LIMITS, deliver=killed, now=NOW)
    assert notify_new(warehouse, deliver=inbox, now=NOW + timedelta(minutes=1)) == 0  # the claim still holds
    assert notify_new(warehouse, deliver=inbox, now=NOW + timedelta(minutes=11)) == 1


def test_a_claim_from_before_the_clock_was_set_back_holds_nothing_up(
    warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox
) -> None:
    run(failed=10)
    check_and_notify(warehouse, LIMITS, deliver=lambda _: Delivery(), now=NOW)
    warehouse.execute(
        "UPDATE etl.etl_alerts SET notified_at = NULL, notify_claimed_at = %s", (NOW + timedelta(days=2),)
    )
    assert notify_new(warehouse, deliver=inbox, now=NOW) == 1


def test_a_missed_deadline_is_one_alert_until_a_run_is_in_time(
    warehouse: psycopg.Connection[Any], run: Run, inbox: Inbox
) -> None:
    late = {
        "dag_id": "sportmonks_premier_league",
        "dag_run_id": "scheduled__1",
        "run_after": "2026-11-20T05:00:00Z",
        "state": "running",
    }
    first, opened = raise_deadline_alert(warehouse, late, 45, 8, now=NOW)
    assert opened
    assert notify_one(warehouse, first, deliver=inbox, now=NOW)
    again, opened = raise_deadline_alert(warehouse, {**late, "dag_run_id": "scheduled__2"}, 45, 8, now=NOW)
    assert (again, opened) == (first, False)
    assert not notify_one(warehouse, again, deliver=inbox, now=NOW)
    check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW)
    message = inbox.messages[0][0]
    assert message.message == "Run scheduled__1 was not finished within 45 minutes of its queueing (state running)."
    assert (message.dag_id, message.run_id, message.league_id) == ("sportmonks_premier_league", "scheduled__1", 8)
    run(hours_ago=-1, minutes=50)  # completed, but late again
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW + timedelta(hours=2))["live"] == 1
    run(hours_ago=-2.5, minutes=1, config='{"dry_run": true}')
    assert check_and_notify(warehouse, LIMITS, deliver=inbox, now=NOW + timedelta(hours=3))["live"] == 1
    other = run("sportmonks_la_liga", hours_ago=-3, minutes=10)
    assert ETLAlertManager(warehouse).check_execution_alerts(other, now=NOW + timedelta(hours=4)) == []
    in_time = run(hours_ago=-3, minutes=10)
    manager = ETLAlertManager(warehouse)
    assert manager.check_execution_alerts(in_time, now=NOW + timedelta(hours=4)) == []
    assert manager.resolved == 1
    assert len(inbox.messages) == 1


def test_an_old_look_does_not_reopen_what_a_new_one_has_resolved(
    warehouse_dsn: str, warehouse: psycopg.Connection[Any], run: Run
) -> None:
    """Two watchers look at the same rule: the second one waits, and sees what the first one's run has changed."""
    run(failed=10)
    ETLAlertManager(warehouse).check_system_alerts(now=NOW)
    with open_connection(warehouse_dsn, autocommit=True) as first, open_connection(warehouse_dsn) as second:
        second.execute("SELECT pg_advisory_xact_lock(hashtextextended('etl_rule:ERROR_RATE', 0))")
        slow = threading.Thread(target=ETLAlertManager(first).check_system_alerts, kwargs={"now": NOW})
        slow.start()
        while not warehouse.execute("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted").fetchone():
            assert slow.is_alive()
            time.sleep(0.01)
        run(hours_ago=0.2)
        ETLAlertManager(second).check_system_alerts(now=NOW)
        second.commit()
        slow.join()
    rows = warehouse.execute("SELECT kind, status FROM etl.etl_alerts").fetchall()
    assert rows == [("ERROR_RATE", "RESOLVED")]


def test_the_declaration_of_a_deadline() -> None:
    alert = run_deadline(45, league_id=8)
    assert alert.interval == timedelta(minutes=45)
    assert alert.callback.path == "sportmonks.alerts.deadlines.deadline_missed"
    assert alert.callback.kwargs == {"minutes": 45, "league_id": 8}
