"""Servers on the loopback that take what the notifiers send: mail by SMTP, and HTTP posts."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email import message_from_string
from email.header import decode_header, make_header
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, TypeVar

Server = TypeVar("Server", bound=socketserver.BaseServer)


class Post(NamedTuple):
    """One HTTP request; ``authorization`` is its header as it came."""

    path: str
    authorization: str | None
    body: Any


class Get(NamedTuple):
    """One HTTP request without a body; ``authorization`` is its header as it came."""

    path: str
    authorization: str | None


class Mail(NamedTuple):
    """One mail, decoded; ``to`` as in its header, ``html`` its first part."""

    subject: str
    to: str
    html: str


class _Smtp(socketserver.StreamRequestHandler):
    """As much of SMTP as one mail needs."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        lines: list[str] | None = None
        while raw := self.rfile.readline():
            line = raw.decode().rstrip("\r\n")
            if lines is not None:
                if line == ".":
                    self.server.mails.append(_read_mail("\n".join(lines)))
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


def _read_mail(text: str) -> Mail:
    found = message_from_string(text)
    part: Any = found.get_payload(0)
    return Mail(
        str(make_header(decode_header(str(found["Subject"])))), str(found["To"]), part.get_payload(decode=True).decode()
    )


class MailServer(socketserver.ThreadingTCPServer):
    """Keeps what it receives in ``mails``."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.mails: list[Mail] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def connection(self, **extra: Any) -> dict[str, Any]:
        """An Airflow connection to it: no TLS, two recipients."""
        plain = {"disable_ssl": True, "disable_tls": True}
        people = {"to": "oncall@example.com, second@example.com", "from_email": "etl@example.com"}
        return {"conn_type": "smtp", "host": "127.0.0.1", "port": self.port, "extra": {**plain, **people, **extra}}


class _Http(BaseHTTPRequestHandler):
    server: HookServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.posts.append(Post(self.path, self.headers.get("Authorization"), json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(b"ok")

    def do_GET(self) -> None:
        self.server.gets.append(Get(self.path, self.headers.get("Authorization")))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


class HookServer(ThreadingHTTPServer):
    """Keeps what it receives in ``posts`` and ``gets`` and answers with ``status``."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Http)
        self.posts: list[Post] = []
        self.gets: list[Get] = []
        self.status = 200

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def connection(self) -> dict[str, Any]:
        """An Airflow connection to it, with a bearer token."""
        return {"conn_type": "http", "host": self.url, "password": "hook-secret", "extra": {"path": "/hooks/etl"}}


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """The server at work in a thread of its own, closed at the end."""
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class SilentServer(socketserver.ThreadingTCPServer):
    """Accepts connections and never ends an answer. ``trickle``: what it sends again and again, ten times a second."""

    daemon_threads = True

    def __init__(self, trickle: bytes = b"") -> None:
        super().__init__(("127.0.0.1", 0), _Silent)
        self.trickle = trickle
        self.connections = 0
        self.ended = threading.Event()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def server_close(self) -> None:
        self.ended.set()
        super().server_close()


class _Silent(socketserver.BaseRequestHandler):
    server: SilentServer

    def handle(self) -> None:
        self.server.connections += 1
        with suppress(OSError):
            while not self.server.ended.wait(0.1):
                self.request.sendall(self.server.trickle)
