"""The payloads of a batch on their way in: read, hashed, and cleaned where a typed column needs it.

A payload stays the bytes that the provider sent. Cleaning makes a second text beside it, from which the typed tables
are filled; it is done only when they cannot take the values as they came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from sportmonks.coerce import as_int, as_utc, without_nul
from sportmonks.load.content_hash import content_hash
from sportmonks.load.summary import PayloadSummary, summarize
from sportmonks.planning.states import DELETED

# Not JSON, not UTF-8, a number that no type holds, or brackets nested too deep.
UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Payload:
    """One fixture as JSON. ``cleaned``: the same with castable values, None where typed columns can take ``raw``."""

    raw: bytes
    content_hash: bytes
    summary: PayloadSummary
    cleaned: bytes | None = None

    def fitting(self) -> Payload:
        """Itself with ``cleaned`` set. One that cannot be read is returned as it is: stored alone, it fails with the
        error that tells why."""
        with suppress(*UNREADABLE):
            return replace(self, cleaned=_clean_json(self.raw))
        return self


def read_payloads(rows: Mapping[int, bytes | msgspec.Raw]) -> tuple[dict[int, Payload], dict[int, str]]:
    """Payloads by fixture id in rising order, and for those that cannot be read the reason by fixture id."""
    payloads: dict[int, Payload] = {}
    unreadable: dict[int, str] = {}
    for fixture_id in sorted(rows):
        raw = bytes(rows[fixture_id])
        try:
            # PostgreSQL's text holds no NUL; nothing else of the payload is touched.
            payloads[fixture_id] = _read(_json_without_nul(raw) if b"\\u0000" in raw else raw)
        except UNREADABLE as error:
            unreadable[fixture_id] = f"not a fixture: {error}"
    return payloads, unreadable


def carry_over(payload: Payload, stored: bytes, sections: Iterable[str]) -> Payload:
    """The payload completed with those ``sections`` of the stored one that it does not hold, requested or not.

    Null in the place of a list counts as not held, an empty list does not. A deleted fixture keeps every section that
    was stored of it.
    """
    fields, before = _object.decode(payload.raw), _object.decode(stored)
    absent = {name for name, value in fields.items() if bytes(value) == b"null" and _is_list(before.get(name))}
    if payload.summary.state_id == DELETED:
        absent = set(sections)
    kept = {name: before[name] for name in sections if name in before and (name not in fields or name in absent)}
    return _read(msgspec.json.encode(fields | kept)) if kept else payload


def _is_list(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(memoryview(raw)[:1]) == b"["


def _read(raw: bytes) -> Payload:
    try:
        return Payload(raw, content_hash(raw), summarize(raw))
    except msgspec.ValidationError:
        cleaned = _clean_json(raw)
        return Payload(raw, content_hash(raw), summarize(cleaned), cleaned)


def _json_without_nul(raw: bytes) -> bytes:
    def strip(value: Any) -> Any:
        if isinstance(value, list):
            return [strip(item) for item in value]
        if isinstance(value, dict):
            return {without_nul(key): strip(item) for key, item in value.items()}
        return without_nul(value)

    return msgspec.json.encode(strip(msgspec.json.decode(raw)))


# ---- cleaning


def _small_int(value: Any) -> int | None:
    number = as_int(value)
    return number if number is not None and abs(number) < 2**31 else None


def _bool(value: Any) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def _time(value: Any) -> str | None:
    parsed = as_utc(value)
    return parsed.strftime("%Y-%m-%d %H:%M:%S") if parsed else None


_BIGINTS = "id fixture_id league_id season_id stage_id round_id group_id aggregate_id venue_id state_id type_id"
_BIGINTS += " sub_type_id participant_id player_id related_player_id coach_id period_id team_id position_id lineup_id"
_BIGINTS += " country_id started ended"
_INTEGERS = (
    "length goals minute extra_minute sort_order jersey_number formation_position counts_from time_added minutes"
)
_INTEGERS += " founded position"
_FLAGS = "placeholder has_odds has_premium_odds injured on_bench rescinded ticking winner"
_CASTS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_BIGINTS.split(), as_int),
    **dict.fromkeys(_INTEGERS.split(), _small_int),
    **dict.fromkeys(_FLAGS.split(), _bool),
    "starting_at": _time,
}
_LISTS = ("participants", "scores", "events", "lineups", "statistics", "periods", "details")
_OBJECTS = ("score", "meta")


def clean(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose typed fields are castable: values that are not become null, and lists lose what is no object."""
    found = _clean(payload)
    if isinstance(payload.get("details"), str):
        found["details"] = without_nul(payload["details"])  # the fixture's own is a text, a lineup's a list
    return found


def _clean(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key in _LISTS:
            found[key] = [_clean(item) for item in value if isinstance(item, dict)] if isinstance(value, list) else None
        elif key in _OBJECTS:
            found[key] = _clean(value) if isinstance(value, dict) else None
        elif key in _CASTS:
            found[key] = _CASTS[key](value)
        else:
            found[key] = without_nul(value)
    return found


def _clean_json(raw: bytes) -> bytes:
    return msgspec.json.encode(clean(msgspec.json.decode(raw, type=dict[str, Any])))
