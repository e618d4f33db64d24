"""An HTTP response whose body is put together from pieces, some of which are cached in deflated form."""

from __future__ import annotations

import zlib
from typing import Any

from sandbox.limits import Window
from sandbox.state import Encoded, deflate, encode

Header = tuple[bytes, bytes]

HTML = b"<html>\r\n<head><title>%s</title></head>\r\n<body>\r\n<center><h1>%s</h1></center>\r\n</body>\r\n</html>\r\n"
REASONS = {
    403: "403 Forbidden",
    500: "500 Internal Server Error",
    502: "502 Bad Gateway",
    503: "503 Service Unavailable",
    504: "504 Gateway Time-out",
    200: "Just a moment...",  # the title of a proxy's waiting page
}
COALESCE = 8_000
GZIP_HEADER = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"


class HttpResponse:
    """Status, headers and the pieces of the body.

    `cut_at`: share of the body after which the connection is closed, None for all of it. `reports_empty`: the window
    of the budget that this response reports as used up.
    """

    def __init__(
        self, status: int, pieces: list[bytes | Encoded], headers: list[Header], kind: bytes = b"application/json"
    ) -> None:
        self.status, self.pieces, self.headers, self.kind = status, pieces, headers, kind
        self.cut_at: float | None = None
        self.corrupted = False
        self.reports_empty: Window | None = None

    @property
    def complete(self) -> bool:
        """Whether a client receives a readable body: neither cut nor corrupted."""
        return self.cut_at is None and not self.corrupted

    def body(self, gzip: bool) -> tuple[bytes, list[Header]]:
        """The bytes to send, compressed when `gzip` is set and they are 1,000 or more, and the headers."""
        joined: list[bytes | Encoded] = []
        small: list[bytes] = []
        for piece in self.pieces:
            if isinstance(piece, Encoded) and len(piece.raw) >= COALESCE:
                joined += [b"".join(small), piece]
                small = []
            else:
                small.append(piece.raw if isinstance(piece, Encoded) else piece)
        joined.append(b"".join(small))
        headers = [(b"content-type", self.kind), *self.headers]
        raw = b"".join(piece.raw if isinstance(piece, Encoded) else piece for piece in joined)
        if not gzip or len(raw) < 1_000:
            return raw, headers
        packed = [piece.deflated if isinstance(piece, Encoded) else deflate(piece) for piece in joined]
        tail = zlib.crc32(raw).to_bytes(4, "little") + (len(raw) & 0xFFFFFFFF).to_bytes(4, "little")
        headers += [(b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        return GZIP_HEADER + b"".join(packed) + b"\x03\x00" + tail, headers


def json_response(status: int, body: Any, headers: list[Header] | None = None) -> HttpResponse:
    return HttpResponse(status, [encode(body)], headers or [])


def html_response(status: int) -> HttpResponse:
    reason = REASONS.get(status, str(status)).encode()
    return HttpResponse(status, [HTML % (reason, reason)], [], b"text/html; charset=UTF-8")
