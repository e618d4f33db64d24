"""A tiny scripted HTTP server on a real socket: each request is answered by a function of the test."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Seen:
    """A request as the server saw it."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


# Gets the request and the raw socket; writes whatever it likes, well-formed or not.
Handler = Callable[[Seen, socket.socket], None]


def http(body: bytes | str, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """A well-formed HTTP answer."""
    raw = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": "application/json", "Content-Length": str(len(raw)), **(headers or {})}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + raw


def answer(data: Any = None, *, status: int = 200, headers: dict[str, str] | None = None, **more: Any) -> bytes:
    """A JSON answer in the provider's envelope; ``data`` None leaves the key out."""
    body = {**({} if data is None else {"data": data}), **more}
    return http(json.dumps(body), status, headers)


NO_RESULT = answer(message="No result(s) found matching your request.", rate_limit={"remaining": 3}, timezone="UTC")
ROW = answer([{"id": 1}])


def zipped(data: Any) -> bytes:
    return http(gzip.compress(json.dumps({"data": data}).encode()), headers={"Content-Encoding": "gzip"})


def always(raw: bytes) -> Handler:
    return lambda _, sock: sock.sendall(raw)


def in_turn(*raws: bytes) -> Handler:
    """Each request gets the next answer, the last one stays."""
    left = list(raws)

    def handler(_: Seen, sock: socket.socket) -> None:
        sock.sendall(left.pop(0) if len(left) > 1 else left[0])

    return handler


@dataclass
class Server:
    """Answers with ``handler``; ``seen`` lists the requests."""

    handler: Handler
    port: int = 0
    seen: list[Seen] = field(default_factory=list)
    connections: int = 0
    stopping: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v3"

    def serve(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError), sock.makefile("rb") as stream:
            while not self.stopping.is_set():
                line = stream.readline()
                if not line:
                    return
                headers: dict[str, str] = {}
                while (header := stream.readline().decode().strip()) != "":
                    name, _, value = header.partition(":")
                    headers[name.lower()] = value.strip()
                parts = urlsplit(line.split()[1].decode())
                query = {name: values[0] for name, values in parse_qs(parts.query).items()}
                seen = Seen(parts.path, query, headers)
                self.seen.append(seen)
                self.handler(seen, sock)


@contextlib.contextmanager
def serving(handler: Handler) -> Iterator[Server]:
    """The server, on a free port of 127.0.0.1."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(handler, port=listener.getsockname()[1])
    opened: list[socket.socket] = []

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            server.connections += 1
            opened.append(sock)
            threading.Thread(target=server.serve, args=(sock,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield server
    finally:
        server.stopping.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for sock in opened:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
