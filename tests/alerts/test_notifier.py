"""Mail, Slack and webhook against servers of our own on the loopback."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sportmonks.alerts.notifier import AlertNotifier
from tests.harness.alerts import make_alert
from tests.harness.receivers import HookServer, MailServer, serving


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    with serving(MailServer()) as server:
        yield server


@pytest.fixture
def receiver() -> Iterator[HookServer]:
    with serving(HookServer()) as server:
        yield server


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("SMTP", "SLACK", "WEBHOOK"):
        monkeypatch.delenv(f"AIRFLOW_CONN_SPORTMONKS_{name}", raising=False)


def _connection(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_SPORTMONKS_{name}", json.dumps(fields))


def _mail(monkeypatch: pytest.MonkeyPatch, server: MailServer, **extra: Any) -> None:
    _connection(monkeypatch, "SMTP", **server.connection(**extra))


def _webhook(monkeypatch: pytest.MonkeyPatch, server: HookServer) -> None:
    _connection(monkeypatch, "WEBHOOK", **server.connection())


def test_nothing_set_up_means_nobody_to_tell() -> None:
    delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
    assert (delivery.sent, delivery.failed, delivery.done) == ([], {}, True)


def test_all_three_channels(monkeypatch: pytest.MonkeyPatch, smtp: MailServer, receiver: HookServer) -> None:
    _mail(monkeypatch, smtp)
    _webhook(monkeypatch, receiver)
    slack = f"{receiver.url}/services"
    _connection(monkeypatch, "SLACK", conn_type="slackwebhook", host=slack, password="T0/B0/x")
    alert = make_alert(subject="Real {{ 7 * 7 }} <b>Madrid</b> & Co")
    delivery = AlertNotifier([alert], base_url="http://air.example").deliver()
    assert delivery.failed == {}
    assert delivery.sent == ["sportmonks_smtp", "sportmonks_slack", "sportmonks_webhook"]

    (mail,) = smtp.mails
    assert mail.subject == "[WARNING] Too many failed fixtures: Real {{ 7 * 7 }} <b>Madrid</b> & Co"
    assert mail.to == "oncall@example.com, second@example.com"
    assert "Real {{ 7 * 7 }} &lt;b&gt;Madrid&lt;/b&gt; &amp; Co" in mail.html
    assert "Clear the failed group." in mail.html

    posts = {post.path: post for post in receiver.posts}
    assert "Real {{ 7 * 7 }} &lt;b&gt;" in posts["/services/T0/B0/x"].body["text"]
    payload = posts["/hooks/etl"].body
    assert posts["/hooks/etl"].authorization == "Bearer hook-secret"
    assert payload["alerts"][0]["subject"] == "Real {{ 7 * 7 }} <b>Madrid</b> & Co"
    assert payload["alerts"][0]["link"].startswith("http://air.example/dags/sportmonks_la_liga/runs/")


def test_one_broken_channel_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, smtp: MailServer, receiver: HookServer
) -> None:
    _mail(monkeypatch, smtp, to="")
    _webhook(monkeypatch, receiver)
    delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
    assert delivery.sent == ["sportmonks_webhook"]
    assert "names no recipient" in delivery.failed["sportmonks_smtp"]
    assert delivery.done


def test_a_receiver_that_refuses_is_not_done(monkeypatch: pytest.MonkeyPatch, receiver: HookServer) -> None:
    _webhook(monkeypatch, receiver)
    receiver.status = 503
    delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
    assert delivery.failed == {"sportmonks_webhook": "HTTPError: The webhook behind sportmonks_webhook answered 503."}
    assert not delivery.done


def test_an_unreachable_receiver_does_not_give_its_address_away(monkeypatch: pytest.MonkeyPatch) -> None:
    extra = {"path": "/hooks/token-in-the-path"}
    for host in ("http://127.0.0.1:1", "http://user:pass-in-host@127.0.0.1:1", "http://exa mple:x:y"):
        _connection(monkeypatch, "WEBHOOK", conn_type="http", host=host, password="s3cret-bearer", extra=extra)
        delivery = AlertNotifier([make_alert()], base_url="http://air").deliver()
        assert "cannot be reached" in delivery.failed["sportmonks_webhook"]
        assert not any(word in str(delivery) for word in ("token-in", "pass-in", "s3cret"))


def test_a_digest_is_one_message(monkeypatch: pytest.MonkeyPatch, smtp: MailServer) -> None:
    _mail(monkeypatch, smtp)
    AlertNotifier([make_alert(subject=f"dag_{n}") for n in range(12)], base_url="http://air").deliver()
    assert len(smtp.mails) == 1
    assert "12 new alerts" in smtp.mails[0].subject


def test_from_the_event_loop(monkeypatch: pytest.MonkeyPatch, receiver: HookServer) -> None:
    _webhook(monkeypatch, receiver)
    delivery = asyncio.run(AlertNotifier([make_alert()], base_url="http://air").adeliver())
    assert delivery.sent == ["sportmonks_webhook"]
