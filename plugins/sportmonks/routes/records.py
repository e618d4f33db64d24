"""Prepares records for a raw table: their bytes, their day, their hash. Pure functions over undecoded JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from math import isfinite
from typing import Any

import msgspec

from sportmonks import lenient_json
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.period import Window, record_days
from sportmonks.routes.spec import Route

# \u0000 after an even number of backslashes: the one character that PostgreSQL's jsonb refuses.
_NUL = re.compile(rb"(?<!\\)((?:\\\\)*)\\u0000")
NO_OBJECT = "not an object"
_DAY = timedelta(days=1)
_sorted = msgspec.json.Encoder(order="sorted")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A record that can be stored. ``payload``: its JSON as it came; ``content_hash``: 32 bytes; ``old_hash``: the one
    that version 0.1 stored for the same record, where it differs."""

    payload: bytes
    request: bytes
    day: date | None
    content_hash: bytes
    old_hash: bytes | None = None


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
    far_out: int = 0  # of these, more than a day, which no time zone explains
    undated: int = 0


def prepare(
    rows: Sequence[msgspec.Raw], route: Route, period: Window | None, request: Mapping[str, Any], today: date
) -> PreparedPage:
    """Sort the records of a page. ``period``: of the complete run, since by which zone's days an API cuts its windows
    is unknown. ``request``: the parameters of for_each; they are part of the content, since two items may give the same
    text. ``today``: the day of records of routes without a date field.
    """
    request_bytes = _sorted.encode(dict(request))
    timezone = route.period.timezone if route.period else "UTC"
    page = PreparedPage([], [], records=len(rows))
    reader = _Reader()
    near = Window(period.first - _DAY, period.last + _DAY) if period is not None else None
    for raw in rows:
        text = bytes(raw)
        try:
            if not text.isascii():
                text.decode()
            record, rounded = reader.read(text)
        except lenient_json.UNREADABLE as error:
            page.rejected.append(Rejected(f"not readable: {error}", text.decode("utf-8", "replace")))
            continue
        if not isinstance(record, dict):
            page.rejected.append(Rejected(NO_OBJECT, text.decode("utf-8", "replace")))
            continue
        day: date | None = today
        if route.date_field is not None:
            days = record_days(record, route.date_field, route.date_format, timezone)
            day = days[0] if days else None
            if day is None:
                page.undated += 1
                if route.undated == "drop":
                    continue
            elif period is not None and near is not None and not any(one in period for one in days):
                page.out_of_range += 1
                page.far_out += not any(one in near for one in days)
                continue
        if b"\\u0000" in text:
            text = _NUL.sub(rb"\1\\ufffd", text)
        new, old = content_hashes(record, request, route.hash_without, rounded)
        page.kept.append(Prepared(text, request_bytes, day, new, old))
    return page


class _Reader:
    """Decodes records whose numbers with a fraction keep the digits that they are written with: a float would lose the
    17th. Such a number is a Raw."""

    def __init__(self) -> None:
        self._rounds = False
        self._decoder = msgspec.json.Decoder(float_hook=self._number)

    def read(self, text: bytes) -> tuple[Any, Any]:
        """The value, and the same with floats where a number is written otherwise than the float that holds it; else
        None. Raises one of lenient_json.UNREADABLE."""
        self._rounds = False
        value = self._decoder.decode(text)
        return value, msgspec.json.decode(text) if self._rounds else None

    def _number(self, text: str) -> msgspec.Raw:
        number = float(text)
        if not isfinite(number):
            raise msgspec.DecodeError(f"the number {text[:40]} is beyond any type")
        raw = text.encode()
        self._rounds = self._rounds or msgspec.json.encode(number) != raw
        return msgspec.Raw(raw)


def content_hashes(
    record: Mapping[str, Any], request: Mapping[str, Any], without: Sequence[JsonPath] = (), rounded: Any = None
) -> tuple[bytes, bytes | None]:
    """SHA-256 over the record as canonical JSON (keys sorted, no blanks, numbers as they are written), ``without`` left
    out; and the hash of version 0.1, which rounded numbers to floats (``rounded``, if that changes one) and left out
    nothing within lists, where it is another."""
    canonical = _sorted.encode(_without(record, without) if without else record)
    new = _digest(canonical, request)
    if rounded is None and not without:
        return new, None
    before = _without(record if rounded is None else rounded, without, lists=False)
    encoded = _sorted.encode(before)
    return new, None if encoded == canonical else _digest(encoded, request)


def _digest(canonical: bytes, request: Mapping[str, Any]) -> bytes:
    digest = sha256(canonical)
    if request:
        digest.update(_sorted.encode(dict(request)))
    return digest.digest()


def page_mark(rows: Sequence[msgspec.Raw], without: Sequence[JsonPath] = ()) -> str:
    """A hash of the page's content: equal for two pages with the same records in the same order, fields that change for
    no reason (``without``) left out."""
    digest = sha256()
    for raw in rows:
        digest.update(_steady(raw, without) if without else memoryview(raw))
        digest.update(b"\n")
    return digest.hexdigest()[:32]


def _steady(raw: msgspec.Raw, without: Sequence[JsonPath]) -> bytes | memoryview:
    try:
        record = msgspec.json.decode(raw)
    except lenient_json.UNREADABLE:
        return memoryview(raw)
    return _sorted.encode(_without(record, without)) if isinstance(record, dict) else memoryview(raw)


def _without(record: Mapping[str, Any], paths: Sequence[JsonPath], *, lists: bool = True) -> dict[str, Any]:
    """The record without the fields at ``paths``; a path leads through each element of a list."""
    kept = dict(record)
    for path in paths:
        head, rest = path[0], path[1:]
        value = kept.get(head)
        if not rest:
            kept.pop(head, None)
        elif isinstance(value, dict):
            kept[head] = _without(value, [rest], lists=lists)
        elif isinstance(value, list) and lists:
            kept[head] = [_without(one, [rest]) if isinstance(one, dict) else one for one in value]
    return kept
