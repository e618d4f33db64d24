"""The payloads of a batch on their way in: read, fingerprinted, cleaned where a typed column needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sportmonks.load.clean import clean
from sportmonks.load.content_hash import content_hash
from sportmonks.load.summary import PayloadSummary, summarize
from sportmonks.planning.recheck import DELETED

# No JSON, no UTF-8, a number that no type holds, or brackets without end.
UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Payload:
    """One fixture. ``cleaned`` is set when typed columns cannot take the values as they came."""

    raw: bytes
    content_hash: bytes
    seen: PayloadSummary
    cleaned: bytes | None = None

    def fitting(self) -> Payload:
        """Cleaned. What cannot even be read stays as it is: stored alone, it shows why it does not fit."""
        with suppress(*UNREADABLE):
            return replace(self, cleaned=cleaned(self.raw))
        return self


def read_payloads(rows: Mapping[int, bytes | msgspec.Raw]) -> tuple[dict[int, Payload], dict[int, str]]:
    """Payloads by fixture id in rising order, and why some cannot be read."""
    payloads: dict[int, Payload] = {}
    unreadable: dict[int, str] = {}
    for fixture_id in sorted(rows):
        raw = bytes(rows[fixture_id])
        try:
            # PostgreSQL's text holds no NUL; nothing else of the payload is touched.
            payloads[fixture_id] = _read(_without_nul(raw) if b"\\u0000" in raw else raw)
        except UNREADABLE as error:
            unreadable[fixture_id] = f"not a fixture: {error}"
    return payloads, unreadable


def carried_over(payload: Payload, old: bytes, sections: Iterable[str]) -> Payload:
    """The payload with ``sections`` of an older one that it is silent about, whether it was asked for them or not. Null
    in the place of a list is silence, too; an empty list is not. A deleted fixture keeps all that was known of it."""
    fields, before = _object.decode(payload.raw), _object.decode(old)
    silent = {name for name, value in fields.items() if bytes(value) == b"null" and _is_list(before.get(name))}
    if payload.seen.state_id == DELETED:
        silent = set(sections)
    kept = {name: before[name] for name in sections if name in before and (name not in fields or name in silent)}
    return _read(msgspec.json.encode(fields | kept)) if kept else payload


def _is_list(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(memoryview(raw)[:1]) == b"["


def cleaned(raw: bytes) -> bytes:
    """The payload with every typed field castable."""
    return msgspec.json.encode(clean(msgspec.json.decode(raw, type=dict[str, Any])))


def _read(raw: bytes) -> Payload:
    try:
        return Payload(raw, content_hash(raw), summarize(raw))
    except msgspec.ValidationError:
        fitting = cleaned(raw)
        return Payload(raw, content_hash(raw), summarize(fitting), fitting)


def _without_nul(raw: bytes) -> bytes:
    def strip(value: Any) -> Any:
        if isinstance(value, str):
            return value.replace("\x00", "")
        if isinstance(value, list):
            return [strip(item) for item in value]
        if isinstance(value, dict):
            return {strip(key): strip(item) for key, item in value.items()}
        return value

    return msgspec.json.encode(strip(msgspec.json.decode(raw)))
