"""A mail server, a webhook or a heartbeat service that accepts and answers nothing delays nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from sportmonks.alerts import heartbeat, notifier
from sportmonks.alerts.dispatch import check_and_notify
from sportmonks.alerts.heartbeat import send_heartbeat
from sportmonks.alerts.notifier import AlertNotifier, Delivery
from sportmonks.alerts.rules import Alert
from sportmonks.config.catalog import Thresholds
from tests.harness.alerts import make_alert
from tests.harness.receivers import HookServer, SilentServer, serving
from tests.harness.runs import NOW, Run

LIMITS = Thresholds()


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SMTP", "SLACK", "WEBHOOK", "HEARTBEAT"):
        monkeypatch.delenv(f"AIRFLOW_CONN_SPORTMONKS_{name}", raising=False)
    monkeypatch.setattr(notifier, "CHANNEL_TIMEOUT_S", 1.0)
    monkeypatch.setattr(heartbeat, "TIMEOUT_S", 0.5)


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[HookServer]:
    with serving(HookServer()) as server:
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WEBHOOK", json.dumps(server.connection()))
        yield server


@pytest.fixture
def silent_mail(monkeypatch: pytest.MonkeyPatch) -> Iterator[SilentServer]:
    with serving(SilentServer()) as server:
        extra = {"disable_ssl": True, "disable_tls": True, "to": "oncall@example.com"}
        fields = {"conn_type": "smtp", "host": "127.0.0.1", "port": server.port, "extra": extra}
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_SMTP", json.dumps(fields))
        yield server


def test_a_silent_mail_server_leaves_the_other_channels_their_time(
    silent_mail: SilentServer, receiver: HookServer
) -> None:
    delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
    assert delivery.sent == ["sportmonks_webhook"]
    assert delivery.failed == {"sportmonks_smtp": "TimeoutError: no answer within 1 s"}
    assert (delivery.hung, silent_mail.connections) == (["sportmonks_smtp"], 1)


def test_an_answer_that_never_ends_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte begins the time-out of the socket anew."""
    with serving(SilentServer(b"HTTP/1.1 200 OK\r\nX-Filler: x\r\n")) as server:
        fields = {"conn_type": "http", "host": f"http://127.0.0.1:{server.port}"}
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WEBHOOK", json.dumps(fields))
        delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
    assert not delivery.done
    assert "sportmonks_webhook" in delivery.failed


def test_a_channel_that_hung_is_not_tried_with_the_next_alert(
    warehouse: psycopg.Connection[Any], run: Run, silent_mail: SilentServer, receiver: HookServer
) -> None:
    for number in range(4):
        run(f"dag_{number}", failed=10)
    assert check_and_notify(warehouse, LIMITS, now=NOW)["notified"] == 4
    assert (len(receiver.posts), silent_mail.connections) == (4, 1)


def test_the_heartbeat_is_sent_before_any_notification(
    warehouse: psycopg.Connection[Any], run: Run, receiver: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(failed=10)
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_HEARTBEAT", json.dumps(receiver.connection()))
    beats: list[int] = []

    def hanging(_: list[Alert]) -> Delivery:
        beats.append(len(receiver.gets))
        raise KeyboardInterrupt  # what a deadline of the task does

    with pytest.raises(KeyboardInterrupt):
        check_and_notify(warehouse, LIMITS, deliver=hanging, heartbeat=send_heartbeat, now=NOW)
    assert beats == [1]


def test_a_silent_heartbeat_service_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(SilentServer()) as server:
        fields = {"conn_type": "http", "host": f"http://127.0.0.1:{server.port}"}
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_HEARTBEAT", json.dumps(fields))
        assert send_heartbeat() is False


def test_a_connection_that_cannot_be_read_is_a_failed_channel(
    receiver: HookServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_SLACK", '{"conn_type": ')
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_HEARTBEAT", '{"conn_type": ')
    delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
    assert delivery.sent == ["sportmonks_webhook"]
    assert "connection sportmonks_slack cannot be read" in delivery.failed["sportmonks_slack"]
    assert send_heartbeat() is False
