"""Mail, Slack and webhook against servers of our own on the loopback."""

from __future__ import annotations

import asyncio
import json
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_string
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from sportmonks.notifiers.alert import AlertNotifier
from tests.notifiers.test_message import make


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs."""

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        lines: list[str] | None = None
        while raw := self.rfile.readline():
            line = raw.decode().rstrip("\r\n")
            if lines is not None:
                if line == ".":
                    self.server.mails.append("\n".join(lines))  # type: ignore[attr-defined]
                    lines = None
                    self.wfile.write(b"250 taken\r\n")
                else:
                    lines.append(line)
            elif line.upper().startswith("DATA"):
                lines = []
                self.wfile.write(b"354 go on\r\n")
            elif line.upper().startswith("QUIT"):
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 ok\r\n")


class _Http(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.calls.append((self.path, self.headers.get("Authorization"), body))  # type: ignore[attr-defined]
        self.send_response(self.server.status)  # type: ignore[attr-defined]
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def smtp() -> Iterator[Any]:
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Smtp)
    server.mails = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def receiver() -> Iterator[Any]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Http)
    server.calls = []  # type: ignore[attr-defined]
    server.status = 200  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def no_connections(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("SMTP", "SLACK", "WEBHOOK"):
        monkeypatch.delenv(f"AIRFLOW_CONN_SPORTMONKS_{name}", raising=False)


def _connection(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_SPORTMONKS_{name}", json.dumps(fields))


def _mail(monkeypatch: pytest.MonkeyPatch, server: Any, **extra: Any) -> None:
    settings = {"to": "oncall@example.com, second@example.com", "from_email": "etl@example.com"}
    _connection(
        monkeypatch,
        "SMTP",
        conn_type="smtp",
        host="127.0.0.1",
        port=server.server_address[1],
        extra={"disable_ssl": True, "disable_tls": True, **settings, **extra},
    )


def _webhook(monkeypatch: pytest.MonkeyPatch, server: Any) -> None:
    host = f"http://127.0.0.1:{server.server_address[1]}"
    _connection(
        monkeypatch, "WEBHOOK", conn_type="http", host=host, password="hook-secret", extra={"path": "/hooks/etl"}
    )


def test_nothing_set_up_means_nobody_to_tell() -> None:
    delivery = AlertNotifier([make()], base_url="http://air").deliver()
    assert (delivery.sent, delivery.failed, delivery.done) == ([], {}, True)


def test_all_three_channels(monkeypatch: pytest.MonkeyPatch, smtp: Any, receiver: Any) -> None:
    _mail(monkeypatch, smtp)
    _webhook(monkeypatch, receiver)
    slack = f"http://127.0.0.1:{receiver.server_address[1]}/services"
    _connection(monkeypatch, "SLACK", conn_type="slackwebhook", host=slack, password="T0/B0/x")
    alert = make(subject="Real {{ 7 * 7 }} <b>Madrid</b> & Co")
    delivery = AlertNotifier([alert], base_url="http://air.example").deliver()
    assert delivery.failed == {}
    assert delivery.sent == ["sportmonks_smtp", "sportmonks_slack", "sportmonks_webhook"]

    mail = message_from_string(smtp.mails[0])
    subject = str(make_header(decode_header(mail["Subject"])))
    assert subject == "[WARNING] Too many failed fixtures: Real {{ 7 * 7 }} <b>Madrid</b> & Co"
    assert mail["To"] == "oncall@example.com, second@example.com"
    body = mail.get_payload()[0].get_payload(decode=True).decode()
    assert "Real {{ 7 * 7 }} &lt;b&gt;Madrid&lt;/b&gt; &amp; Co" in body
    assert "Clear the failed group." in body

    calls = {path: (auth, json.loads(text)) for path, auth, text in receiver.calls}
    assert "Real {{ 7 * 7 }} &lt;b&gt;" in calls["/services/T0/B0/x"][1]["text"]
    auth, payload = calls["/hooks/etl"]
    assert auth == "Bearer hook-secret"
    assert payload["alerts"][0]["subject"] == "Real {{ 7 * 7 }} <b>Madrid</b> & Co"
    assert payload["alerts"][0]["link"].startswith("http://air.example/dags/sportmonks_la_liga/runs/")


def test_one_broken_channel_stops_no_other(monkeypatch: pytest.MonkeyPatch, smtp: Any, receiver: Any) -> None:
    _mail(monkeypatch, smtp, to="")
    _webhook(monkeypatch, receiver)
    delivery = AlertNotifier([make()], base_url="http://air").deliver()
    assert delivery.sent == ["sportmonks_webhook"]
    assert "names no recipient" in delivery.failed["sportmonks_smtp"]
    assert delivery.done


def test_a_receiver_that_refuses_is_not_done(monkeypatch: pytest.MonkeyPatch, receiver: Any) -> None:
    _webhook(monkeypatch, receiver)
    receiver.status = 503
    delivery = AlertNotifier([make()], base_url="http://air").deliver()
    assert delivery.failed == {"sportmonks_webhook": "HTTPError: The webhook behind sportmonks_webhook answered 503."}
    assert not delivery.done


def test_a_digest_is_one_message(monkeypatch: pytest.MonkeyPatch, smtp: Any) -> None:
    _mail(monkeypatch, smtp)
    AlertNotifier([make(subject=f"dag_{n}") for n in range(12)], base_url="http://air").deliver()
    assert len(smtp.mails) == 1
    assert "12 new alerts" in str(make_header(decode_header(message_from_string(smtp.mails[0])["Subject"])))


def test_from_the_event_loop(monkeypatch: pytest.MonkeyPatch, receiver: Any) -> None:
    _webhook(monkeypatch, receiver)
    delivery = asyncio.run(AlertNotifier([make()], base_url="http://air").adeliver())
    assert delivery.sent == ["sportmonks_webhook"]
