"""Finds the records and paging values in an answer, and prepares records for a raw table: their bytes, their day, their
hash. Pure functions over undecoded JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import sha256
from typing import Any

import msgspec

from sportmonks import lenient_json
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import FatalApiError
from sportmonks.redaction import mask_text
from sportmonks.routes.period import Window, record_day
from sportmonks.routes.spec import Route

# \u0000 after an even number of backslashes: the one character that PostgreSQL's jsonb refuses.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
# What reading a body that is not valid JSON raises.
JSON_ERRORS = lenient_json.UNREADABLE
_sorted = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that can be stored. ``payload``: its JSON as it came; ``content_hash``: 32 bytes."""

    payload: bytes
    request: bytes
    day: date | None
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that cannot be stored; ``text``: its JSON as it came."""

    reason: str
    text: str


@dataclass(slots=True)
class PreparedPage:
    """The records of a page, sorted by what happens to them, and their numbers."""

    kept: list[Prepared]
    rejected: list[Rejected]
    records: int = 0
    out_of_range: int = 0
    undated: int = 0


def prepare(
    rows: Sequence[msgspec.Raw], route: Route, window: Window | None, request: Mapping[str, Any], today: date
) -> PreparedPage:
    """Sort the records of a page. ``request``: the parameters of for_each; they are part of the content, since two
    items may give the same text. ``today``: the day of records of routes without a date field.
    """
    request_bytes = _sorted.encode(dict(request))
    page = PreparedPage([], [], records=len(rows))
    for raw in rows:
        text = bytes(raw)
        try:
            record = msgspec.json.decode(text)
        except lenient_json.UNREADABLE as error:
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
    """A hash of the page's content: equal for two pages with the same records in the same order."""
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
    """The value at ``path``, undecoded and as it came; None where it is missing or null. Raises msgspec.DecodeError."""
    raw = msgspec.Raw(memoryview(body))
    for part in path:
        if bytes(memoryview(raw)[:1]) != b"{":
            return None
        found = lenient_json.members(raw).get(part)
        if found is None or bytes(found) == b"null":
            return None
        raw = found
    return raw


def json_body(body: bytes) -> bytes:
    """The body without byte order mark and blanks. Raises one of JSON_ERRORS when it is not valid JSON in UTF-8."""
    body = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not body.isascii():
        body.decode("utf-8")  # undecoded slices are not checked, and PostgreSQL would refuse the batch
    msgspec.json.decode(body, type=msgspec.Raw)
    return body


def rows_at(raw: msgspec.Raw | None, route: Route, label: str, body: bytes = b"") -> list[msgspec.Raw]:
    """The list that was found at ``records``; one object is a list of one.

    Raises FatalApiError when there is none, unless the route declares that as empty: a wrong path must not look like
    an empty answer. ``body`` serves that error and a null at the path; ``label`` is the path of the request.
    """
    first = b"" if raw is None else bytes(memoryview(raw)[:1])
    if raw is not None and first == b"[":
        return lenient_json.elements(raw)
    if raw is not None and first == b"{":
        return [raw]
    path = ".".join(route.records) or "."
    if raw is None and (route.missing_records == "empty" or _is_null(body, route.records)):
        return []
    there = mask_text(f" The answer has: {', '.join(sorted(_keys(body))[:12])}.") if body else ""
    raise FatalApiError(
        f"{label}: there is no list at '{path}'.{there}",
        hint="Correct records in the route; if the API leaves it out on no result: missing_records: empty.",
    )


def text_at(body: bytes, path: JsonPath) -> str | None:
    """The text or integer at ``path`` as text; None where it is missing, empty or something else."""
    raw = dig(body, path)
    value: Any = None if raw is None else msgspec.json.decode(raw)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def number_at(body: bytes, path: JsonPath | None) -> int | None:
    """The non-negative integer at ``path``, also written as text; None where there is none."""
    text = text_at(body, path) if path is not None else None
    return int(text) if text is not None and text.isdecimal() else None


def flag_at(body: bytes, path: JsonPath | None) -> bool | None:
    """Whether the value at ``path`` is true, a number other than 0 or a text such as a next link; None without one."""
    if path is None:
        return None
    raw = dig(body, path)
    if raw is None:
        return False if _is_null(body, path) else None
    value = msgspec.json.decode(raw)
    return value.lower() not in ("", "false", "0", "no") if isinstance(value, str) else bool(value)


def _keys(body: bytes) -> list[str]:
    return list(msgspec.json.decode(body, type=dict[str, msgspec.Raw])) if body[:1] == b"{" else []


def _is_null(body: bytes, path: JsonPath) -> bool:
    """Whether the key is there and its value null, which means that nothing was found."""
    parent = dig(body, path[:-1]) if path and body else None
    if parent is None or bytes(memoryview(parent)[:1]) != b"{":
        return False
    return path[-1] in msgspec.json.decode(parent, type=dict[str, msgspec.Raw])
