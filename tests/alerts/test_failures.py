"""Failed runs without an execution, missed deadlines, heartbeats: people are notified, warehouse or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import airflow.sdk
import psycopg
import pytest
from psycopg import conninfo

from local.stack.airflow import warehouse_connection
from sportmonks.alerts.deadlines import deadline_missed, report_missed_deadline
from sportmonks.alerts.failures import run_failed, run_succeeded
from sportmonks.alerts.heartbeat import send_heartbeat
from sportmonks.redaction import add_secret
from tests.harness.receivers import HookServer, serving
from tests.harness.tcp_proxy import tcp_proxy

RUN = {"dag_id": "sportmonks_la_liga", "dag_run_id": "scheduled__1", "run_after": "2026-11-20T05:00:00Z"}
# Nobody listens there, and nobody will: the port is reserved.
NOWHERE = "host=127.0.0.1 port=1 user=etl password=x dbname=etl"


class Variables:
    """Airflow's Variables outside a task, where the real ones cannot be written."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: str) -> None:
        self.values[key] = value

    def delete(self, key: str) -> None:
        del self.values[key]


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    found = Variables()
    monkeypatch.setattr(airflow.sdk, "Variable", found)
    return found


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HookServer]:
    """A webhook that is the only channel."""
    for name in ("SMTP", "SLACK", "WEBHOOK", "HEARTBEAT"):
        monkeypatch.delenv(f"AIRFLOW_CONN_SPORTMONKS_{name}", raising=False)
    with serving(HookServer()) as server:
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WEBHOOK", json.dumps(server.connection()))
        yield server


@pytest.fixture
def no_warehouse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(NOWHERE))


@pytest.fixture
def reachable(warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))


def failed(dag_id: str = "sportmonks_catalog", error: str = "The key is refused.\nsecond line") -> dict[str, Any]:
    run = SimpleNamespace(dag_id=dag_id, run_id="manual__1")
    return {"dag_run": run, "ti": SimpleNamespace(task_id="reference"), "exception": RuntimeError(error)}


def messages(receiver: HookServer) -> list[dict[str, Any]]:
    return [alert for post in receiver.posts for alert in post.body["alerts"]]


@pytest.mark.usefixtures("reachable")
def test_a_failed_run_is_one_alert_until_a_run_succeeds(
    receiver: HookServer, variables: Variables, warehouse: psycopg.Connection[Any]
) -> None:
    for _ in range(3):
        run_failed(failed())
    (sent,) = messages(receiver)
    assert sent["kind"] == "RUN_FAILED"
    assert sent["subject"] == "sportmonks_catalog"
    assert sent["message"] == "Task reference of run manual__1 failed: The key is refused."
    assert sent["hint"]
    rows = "SELECT status, seen_count FROM etl.etl_alerts WHERE dedupe_key = 'RUN_FAILED:sportmonks_catalog'"
    assert warehouse.execute(rows).fetchall() == [("OPEN", 3)]
    run_succeeded(failed())
    assert warehouse.execute(rows).fetchall() == [("RESOLVED", 3)]
    run_succeeded(failed())
    run_failed(failed())
    assert len(messages(receiver)) == 2


def test_a_silent_warehouse_holds_no_notification_up(
    receiver: HookServer, variables: Variables, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        silent = conninfo.make_conninfo(dsn, connect_timeout=2)
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(silent))
        proxy.stall()
        run_failed(failed("etl_watch"))
    (sent,) = messages(receiver)
    assert sent["subject"] == "etl_watch"
    assert "on no page" in sent["message"]


@pytest.mark.usefixtures("no_warehouse")
def test_without_the_warehouse_a_failure_is_sent_directly_and_not_every_ten_minutes(
    receiver: HookServer, variables: Variables
) -> None:
    for _ in range(4):
        run_failed(failed("etl_watch"))
    (sent,) = messages(receiver)
    assert "on no page" in sent["message"]
    assert sent["subject"] == "etl_watch"
    run_failed(failed("raw_2151_orders"))
    assert [message["subject"] for message in messages(receiver)] == ["etl_watch", "raw_2151_orders"]
    variables.values["sportmonks_notified_etl_watch"] = "2020-01-01T00:00:00+00:00"
    run_failed(failed("etl_watch"))
    assert len(messages(receiver)) == 3


@pytest.mark.usefixtures("no_warehouse")
def test_a_channel_that_is_down_is_tried_by_the_next_failure(receiver: HookServer, variables: Variables) -> None:
    receiver.status = 503
    run_failed(failed("etl_watch"))
    receiver.status = 200
    run_failed(failed("etl_watch"))
    assert len(messages(receiver)) == 2
    run_failed(failed("etl_watch"))
    assert len(messages(receiver)) == 2


@pytest.mark.usefixtures("no_warehouse")
def test_a_missed_deadline_reaches_people_without_the_warehouse(receiver: HookServer) -> None:
    assert report_missed_deadline(RUN, 60, 564) is None
    (sent,) = messages(receiver)
    assert (sent["kind"], sent["subject"]) == ("DEADLINE", "sportmonks_la_liga")
    assert "scheduled__1 was not finished within 60 minutes" in sent["message"]
    assert sent["link"].endswith("/dags/sportmonks_la_liga/runs/scheduled__1")


@pytest.mark.usefixtures("no_warehouse")
def test_the_deadline_callback_of_airflow_reaches_people_without_the_warehouse(receiver: HookServer) -> None:
    asyncio.run(deadline_missed(minutes=60, league_id=564, context={"dag_run": RUN, "deadline": {"id": "1"}}))
    (sent,) = messages(receiver)
    assert (sent["kind"], sent["subject"]) == ("DEADLINE", "sportmonks_la_liga")
    assert "on no page" in sent["message"]


@pytest.mark.usefixtures("no_warehouse")
def test_no_secret_in_what_is_sent_directly(receiver: HookServer, variables: Variables) -> None:
    add_secret("k3y-of-this-test")
    run_failed(failed(error="401 for api_token=abc.def and k3y-of-this-test"))
    text = json.dumps(messages(receiver))
    assert "abc.def" not in text
    assert "k3y-of-this-test" not in text


def test_the_heartbeat(receiver: HookServer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert send_heartbeat() is None
    address = {"conn_type": "http", "host": receiver.url, "extra": {"path": "/ping/t0ken"}, "password": "bearer"}
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_HEARTBEAT", json.dumps(address))
    assert send_heartbeat() is True
    assert [(beat.path, beat.authorization) for beat in receiver.gets] == [("/ping/t0ken", "Bearer bearer")]
    receiver.status = 500
    assert send_heartbeat() is False
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_HEARTBEAT", json.dumps(address | {"host": "http://127.0.0.1:1"}))
    assert send_heartbeat() is False
