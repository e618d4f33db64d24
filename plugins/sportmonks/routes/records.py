"""One record on its way into a raw table: its bytes, its day, its hash. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.period import Window, record_day
from sportmonks.routes.spec import Route

# \u0000 behind an even number of backslashes: the one character that PostgreSQL's jsonb refuses.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
_sorted = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that can be stored. ``payload`` is its JSON as it came, ``content_hash`` 32 bytes."""

    payload: bytes
    request: bytes
    day: date | None
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot be stored; ``text`` is what came."""

    reason: str
    text: str


@dataclass(slots=True)
class PreparedPage:
    """What became of the records of a page."""

    kept: list[Prepared]
    rejected: list[Rejected]
    records: int = 0
    out_of_range: int = 0
    undated: int = 0


def prepare(
    rows: Sequence[msgspec.Raw], route: Route, window: Window | None, request: Mapping[str, Any], today: date
) -> PreparedPage:
    """Sort the records of a page. ``request``: parameters of for_each, which belong to the content: two items may
    answer with the same text. ``today`` dates records of routes without a date field.
    """
    request_bytes = _sorted.encode(dict(request))
    page = PreparedPage([], [], records=len(rows))
    for raw in rows:
        text = bytes(raw)
        try:
            record = msgspec.json.decode(text)
        except (msgspec.MsgspecError, RecursionError) as error:
            page.rejected.append(Rejected(f"not readable: {error}", text.decode("utf-8", "replace")))
            continue
        if not isinstance(record, dict):
            page.rejected.append(Rejected("not an object", text.decode("utf-8", "replace")))
            continue
        day: date | None = today
        if route.date_field is not None:
            day = record_day(record, route.date_field, route.date_format)
            if day is None:
                page.undated += 1
                if route.undated == "drop":
                    continue
            elif window is not None and day not in window:
                page.out_of_range += 1
                continue
        if b"\\u0000" in text:
            text = _NUL.sub(rb"\1\\ufffd", text)
        page.kept.append(Prepared(text, request_bytes, day, content_hash(record, request, route.hash_without)))
    return page


def content_hash(record: Mapping[str, Any], request: Mapping[str, Any], without: Sequence[JsonPath] = ()) -> bytes:
    """SHA-256 over the record as canonical JSON (keys sorted, no blanks), ``without`` left out."""
    if without:
        record = _without(record, without)
    digest = sha256(_sorted.encode(record))
    if request:
        digest.update(_sorted.encode(dict(request)))
    return digest.digest()


def page_mark(rows: Sequence[msgspec.Raw]) -> str:
    """The same for two pages that bring the same records in the same order."""
    digest = sha256()
    for raw in rows:
        digest.update(memoryview(raw))
        digest.update(b"\n")
    return digest.hexdigest()[:32]


def _without(record: Mapping[str, Any], paths: Sequence[JsonPath]) -> dict[str, Any]:
    kept = dict(record)
    for path in paths:
        head, rest = path[0], path[1:]
        if not rest:
            kept.pop(head, None)
        elif isinstance(kept.get(head), dict):
            kept[head] = _without(kept[head], [rest])
    return kept


def dig(body: bytes, path: JsonPath) -> msgspec.Raw | None:
    """The value at ``path``, undecoded; None where it is missing or null. Raises msgspec.DecodeError."""
    raw = msgspec.Raw(memoryview(body))
    for part in path:
        if bytes(memoryview(raw)[:1]) != b"{":
            return None
        found = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get(part)
        if found is None or bytes(found) == b"null":
            return None
        raw = found
    return raw
