"""A TCP proxy before PostgreSQL that can fall silent: it keeps connections, accepts new ones, and passes nothing on."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Iterator

from psycopg import conninfo

PIECE = 65_536
LOOK_SECONDS = 0.02


class TcpProxy:
    """Passes bytes both ways between its own port and ``target``, unless it is ``stalled``."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self._open = threading.Event()
        self._open.set()
        self._ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(LOOK_SECONDS)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.getsockname()[1])

    def stall(self) -> None:
        """From here on nothing passes, in either direction; the kernel goes on acknowledging what is sent."""
        self._open.clear()

    def resume(self) -> None:
        """What has been sent meanwhile passes, in order."""
        self._open.set()

    def close(self) -> None:
        self._ended.set()
        self._thread.join(5)
        self._server.close()

    def _run(self) -> None:
        peers: dict[socket.socket, socket.socket] = {}
        with selectors.DefaultSelector() as selector:
            selector.register(self._server, selectors.EVENT_READ)
            while not self._ended.is_set():
                if not self._open.is_set():
                    self._open.wait(LOOK_SECONDS)
                    continue
                for key, _ in selector.select(LOOK_SECONDS):
                    if key.fileobj is self._server:
                        self._accept(selector, peers)
                    elif isinstance(key.fileobj, socket.socket) and key.fileobj in peers:
                        self._pass_on(key.fileobj, selector, peers)
            for side in list(peers):
                side.close()

    def _accept(self, selector: selectors.BaseSelector, peers: dict[socket.socket, socket.socket]) -> None:
        try:
            client, _ = self._server.accept()
        except TimeoutError:
            return
        try:
            server = socket.create_connection(self._target)
        except OSError:
            client.close()
            return
        for side, other in ((client, server), (server, client)):
            peers[side] = other
            selector.register(side, selectors.EVENT_READ)

    def _pass_on(
        self, side: socket.socket, selector: selectors.BaseSelector, peers: dict[socket.socket, socket.socket]
    ) -> None:
        other = peers[side]
        try:
            data = side.recv(PIECE)
            other.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (side, other):
                selector.unregister(end)
                peers.pop(end)
                end.close()


@contextlib.contextmanager
def tcp_proxy(dsn: str) -> Iterator[tuple[TcpProxy, str]]:
    """A proxy before the server of ``dsn``, and the connection string that leads through it."""
    parts = conninfo.conninfo_to_dict(dsn)
    proxy = TcpProxy((str(parts["host"]), int(parts["port"])))  # type: ignore[arg-type]
    try:
        yield proxy, conninfo.make_conninfo(dsn, host="127.0.0.1", port=proxy.port)
    finally:
        proxy.close()
