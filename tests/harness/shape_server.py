"""A server that plays APIs: each request, with method and body, is answered by a function of the test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass
class Request:
    """A request as the server saw it."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes
    base: str
    target: str

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """``body``: bytes as they are, or a value that is sent as JSON. Where ``headers`` say how long it is
    (``Content-Length``, empty for nothing; ``Transfer-Encoding``), that is sent, and the connection is closed."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Play = Callable[[Request], Answer]


class ShapeServer:
    """``play`` answers; ``requests`` lists the requests."""

    def __init__(self, play: Play) -> None:
        self.play = play
        self.requests: list[Request] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                size = int(self.headers.get("Content-Length") or 0)
                request = Request(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query, keep_blank_values=True)),
                    self.headers,
                    self.rfile.read(size),
                    outer.url,
                    self.path,
                )
                outer.requests.append(request)
                answer = outer.play(request)
                raw = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                self.send_response(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    if value or name != "Content-Length":
                        self.send_header(name, value)
                if answer.headers.keys() & {"Content-Length", "Transfer-Encoding"}:
                    self.close_connection = True
                else:
                    self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                self.wfile.write(raw)

            do_POST = do_PUT = do_GET

            def log_message(self, *_: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def playing(play: Play) -> Iterator[ShapeServer]:
    """The server, on a free port of 127.0.0.1."""
    server = ShapeServer(play)
    server.start()
    try:
        yield server
    finally:
        server.stop()
