"""A scripted REST API on localhost: five ways of paging over any number of records, and faults on demand.

`/page`, `/offset`, `/cursor`, `/next`, `/link` (Link header), `/plain` (all at once, as a list). Records come from
`record(i)`, so that 100,000 of them cost no memory. Query: `from`/`to` (days) narrow the listing as an API would.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Record = dict[str, Any]


def order(number: int) -> Record:
    """Record `number` (from 0): ten a day from 2025-01-01 on."""
    day = number // 10 % 28 + 1
    month = number // 280 % 12 + 1
    return {
        "id": number + 1,
        "created": f"2025-{month:02d}-{day:02d} 10:00:00",
        "customer": {"id": number % 97, "name": f'Customer {number % 97} \\ "x"\ttab'},
        "total": number * 1.5,
        "lines": [{"sku": f"S{number % 13}", "n": number % 5}] * (number % 3),
    }


class RestServer:
    """`total` records in pages of `size`. Faults: `fail[page] = [status, ...]` (one per answer), `repeat[page] =
    (other page, times)`, `empty[page] = times`, `delay` seconds per answer, `extra[page]` raw values put in front."""

    def __init__(self, total: int = 0, size: int = 100, record: Callable[[int], Record] = order) -> None:
        self.total = total
        self.size = size
        self.record = record
        self.fail: dict[int, list[int]] = {}
        self.repeat: dict[int, tuple[int, int]] = {}
        self.empty: dict[int, int] = {}
        self.extra: dict[int, list[Any]] = {}
        self.headers: dict[str, str] = {}
        self.delay = 0.0
        self.flags = True  # whether answers say more/total
        self.calls: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.pages: Counter[int] = Counter()
        self.hold: Callable[[int], None] | None = None
        self._lock = threading.Lock()
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                status, headers, body = server.answer(self.path, dict(self.headers.items()))
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None: ...

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: object) -> None: ...  # a client that was killed

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, target: str, headers: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        style = parts.path.strip("/").rpartition("/")[2]
        number = self._number(style, query)
        with self._lock:
            self.calls.append((parts.path, query, headers))
            self.pages[number] += 1
            status = self.fail[number].pop(0) if self.fail.get(number) else 200
            shown, empty = number, False
            if status == 200 and number in self.repeat:
                other, times = self.repeat[number]
                if times:
                    shown, self.repeat[number] = other, (other, times - 1)
            if status == 200 and self.empty.get(number):
                self.empty[number] -= 1
                empty = True
        if self.hold:
            self.hold(number)
        if self.delay:
            time.sleep(self.delay)
        if status != 200:
            return status, self.headers, json.dumps({"message": f"scripted {status}", "key": "S3cr3tKey"}).encode()
        rows: list[Any] = [] if empty else self._rows(shown)
        return self._answer(style, number, [*self.extra.get(number, []), *rows])

    def _number(self, style: str, query: dict[str, str]) -> int:
        if style == "offset":
            return -(-int(query.get("offset", 0)) // self.size) + 1
        if style in ("cursor", "next", "link"):
            return int(query.get("cursor", "c1").removeprefix("c"))
        return int(query.get("page", 1))

    def _rows(self, number: int) -> list[Record]:
        first = (number - 1) * self.size
        return [self.record(i) for i in range(first, min(first + self.size, self.total))]

    def _answer(self, style: str, number: int, rows: list[Any]) -> tuple[int, dict[str, str], bytes]:
        more = number * self.size < self.total
        headers: dict[str, str] = {}
        body: Any = {"data": rows}
        if style == "plain":
            body = [self.record(i) for i in range(self.total)]
        elif style == "cursor":
            body = {"result": {"items": rows}, "meta": {"next": f"c{number + 1}" if more else None}}
        elif style == "next":
            body["links"] = {"next": f"{self.url}/api/next?cursor=c{number + 1}&token=S3cr3tKey" if more else None}
        elif style == "link":
            body = rows
            if more:
                headers["Link"] = f'</api/link?cursor=c{number + 1}>; rel="next", </api/link>; rel="first"'
        elif self.flags:
            body["pagination"] = {"has_more": more}
            body["total"] = self.total
        return 200, headers, json.dumps(body).encode()
