"""The payloads of a batch on their way in: read, hashed, and cleaned where a typed column needs it.

A payload stays the bytes that the provider sent, but for values that no JSON decoder and no jsonb takes: those are
repaired (:mod:`sportmonks.lenient_json`), and so are lists that came as objects. Cleaning makes a second text beside
it, from which the typed tables are filled; it is done only when they cannot take the values as they came. What was
repaired is reported with the fixture; a payload that cannot be repaired fails alone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from sportmonks import lenient_json
from sportmonks.api.response import row_id
from sportmonks.coerce import as_bool, as_int, as_rows, as_utc, clean_text, clean_value
from sportmonks.load.content_hash import StoredHashes, hash_as_sent, identify
from sportmonks.load.fields import FixtureFields, fields_of, fixture_fields
from sportmonks.load.rows import TypedRows
from sportmonks.load.summary import (
    BASE_FIELDS,
    MINOR_FIELDS,
    SECTIONS,
    PayloadSummary,
    is_negative,
    summarize,
    summarize_cleaned,
    summarize_typed,
)
from sportmonks.planning.states import DELETED

# Not JSON, not UTF-8, a number that no type holds, or brackets nested too deep.
UNREADABLE = (msgspec.DecodeError, ValueError, RecursionError)
# What reading or comparing payloads may raise beyond that, when rows have a form that nobody expected.
UNEXPECTED = (*UNREADABLE, TypeError, AttributeError, LookupError, ArithmeticError)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_rows = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


@dataclass(frozen=True, slots=True)
class Payload:
    """One fixture as JSON. ``cleaned``: the same with castable values, None where typed columns can take ``raw``.

    ``flaws``: what was repaired in ``raw``, and what its typed columns cannot show; one text for each. ``as_sent``,
    ``in_order``: hashes of the answer (``load.content_hash``), None when ``raw`` was completed with stored sections.
    ``members``: the outer level of ``raw``, undecoded.
    """

    raw: bytes
    content_hash: bytes
    summary: PayloadSummary
    cleaned: bytes | None = None
    flaws: tuple[str, ...] = ()
    as_sent: bytes | None = None
    in_order: bytes | None = None
    members: Mapping[str, msgspec.Raw] = field(default_factory=dict, repr=False, compare=False)

    def fields(self) -> FixtureFields:
        """The fixture's own fields, as PostgreSQL can cast them."""
        return fields_of(self.members) if self.cleaned is None else fixture_fields(self.cleaned)

    def fitting(self) -> Payload:
        """Itself repaired and with ``cleaned`` set. One that cannot be read is returned as it is: stored alone, it
        fails with the error that tells why."""
        with suppress(*UNREADABLE):
            repaired = lenient_json.repair(self.raw)
            payload = self if repaired.json == self.raw else self.with_raw(repaired.json, repaired.flaws)
            return replace(payload, cleaned=_clean_json(payload.raw))
        return self

    def with_raw(self, raw: bytes, flaws: tuple[str, ...] = ()) -> Payload:
        """The same answer with other JSON: what was found out about the answer stays."""
        found = _read(raw)
        unreadable = tuple(dict.fromkeys((*self.summary.unreadable, *found.summary.unreadable)))
        summary = replace(found.summary, unreadable=unreadable)
        return replace(found, summary=summary, flaws=tuple(dict.fromkeys((*self.flaws, *flaws, *found.flaws))))

    @property
    def remark(self) -> str | None:
        """What people should know about the stored fixture; None when it came as it should."""
        sections = [f"'{name}' is not a list of usable rows and says nothing" for name in self.summary.unreadable]
        return "; ".join((*sections, *self.flaws)) or None


def read_payload(raw: bytes, stored: StoredHashes | None = None, rows: TypedRows | None = None) -> Payload:
    """One payload, repaired where it has to be. Raises one of UNREADABLE.

    ``stored``: hashes of what is stored; what came in these bytes before needs no check. ``rows``: the typed rows of
    ``raw``, where they have been read.
    """
    as_sent = hash_as_sent(raw)
    payload = _checked(raw, as_sent, stored, rows)
    hashes = identify(payload.raw, payload.content_hash, stored)
    return replace(payload, content_hash=hashes.content, as_sent=hashes.as_sent, in_order=hashes.in_order)


def _checked(raw: bytes, as_sent: bytes, stored: StoredHashes | None, rows: TypedRows | None) -> Payload:
    """Its content hash is that of the bytes."""
    if stored is not None and stored.as_sent == as_sent:
        return _read(raw, as_sent)
    # PostgreSQL's text holds no NUL.
    if b"\\u0000" not in raw and not lenient_json.is_too_deep(raw):
        with suppress(*UNREADABLE):
            if not raw.isascii():
                raw.decode()  # undecoded slices are not checked, and PostgreSQL would refuse the complete batch
            found = _read(raw, as_sent, rows)
            # In rows that could be typed no id comes twice.
            return found if rows is not None else replace(found, flaws=(*found.flaws, *_sharing_ids(found.members)))
    repaired = lenient_json.repair(raw)
    payload = _read(repaired.json)
    return replace(payload, flaws=(*repaired.flaws, *payload.flaws, *_sharing_ids(payload.members)))


def summary_of(raw: bytes) -> PayloadSummary:
    """The summary of a stored payload, whatever form its sections have."""
    try:
        return summarize(raw)
    except UNREADABLE:
        return read_payload(raw).summary


def carry_over(payload: Payload, stored: bytes, sections: Iterable[str]) -> Payload:
    """The payload completed with those ``sections`` of the stored one that it does not hold, requested or not.

    Null or another value in the place of a list counts as not held, and so does a list without a usable row; an empty
    list does not. A deleted fixture keeps every section that was stored of it, and the fields that it comes without.
    """
    fields, before = payload.members, _object.decode(stored)
    unreadable = payload.summary.unreadable
    absent = {
        name
        for name, value in fields.items()
        if (name in unreadable or not _is_list(value)) and _is_list(before.get(name))
    }
    if payload.summary.state_id == DELETED:
        empty = {name for name in MINOR_FIELDS if bytes(fields.get(name, b"null")) in (b"null", b'""')}
        sections = [*sections, *empty, *(name for name in BASE_FIELDS if not payload.summary.counts.get(name))]
        absent = set(sections)
    kept = {name: before[name] for name in sections if name in before and (name not in fields or name in absent)}
    return _changed(payload, {**fields, **kept}) if kept else payload


def hold_sections(payload: Payload, stored: bytes, names: Collection[str]) -> Payload:
    """The payload with the stored rows of sections in place of its own; of ``lineups.details`` the details alone."""
    fields, before = dict(payload.members), _object.decode(stored)
    for name in names:
        section, _, part = name.partition(".")
        if section in before and not (part and section in names):
            fields[section] = _with_stored(part, fields[section], before[section]) if part else before[section]
    return _changed(payload, fields)


def _with_stored(part: str, rows: msgspec.Raw, stored: msgspec.Raw) -> msgspec.Raw:
    """The rows of a section, each with the ``part`` that the stored row of its id has."""
    try:
        new, before = _rows.decode(rows), _rows.decode(stored)
    except msgspec.ValidationError:
        return stored  # what is no row has no id
    parts = {bytes(row["id"]): row[part] for row in before if "id" in row and part in row}
    for row in new:
        if kept := parts.get(bytes(row.get("id", b""))):
            row[part] = kept
    return msgspec.Raw(msgspec.json.encode(new))


def _changed(payload: Payload, fields: Mapping[str, msgspec.Raw]) -> Payload:
    """A payload with other fields, cleaned if it was."""
    found = payload.with_raw(msgspec.json.encode(fields))
    return found.fitting() if payload.cleaned is not None and found.cleaned is None else found


def _is_list(raw: msgspec.Raw | None) -> bool:
    return raw is not None and bytes(memoryview(raw)[:1]) == b"["


def _read(raw: bytes, as_sent: bytes | None = None, rows: TypedRows | None = None) -> Payload:
    """``as_sent``, ``rows``: the hash and the typed rows of ``raw``, where they are known."""
    given = raw
    fields = _object.decode(raw)
    lists = _lists_from_objects(fields)
    if lists:
        fields |= lists
        raw = msgspec.json.encode(fields)
    flaws = _naming(lists)
    try:
        summary = summarize(raw) if rows is None else summarize_typed(rows.fixture)
    except msgspec.ValidationError:
        pass
    else:
        return Payload(raw, _hash(raw, given, as_sent), summary, flaws=(*flaws, *summary.flaws), members=fields)
    if details := _details_from_objects(fields.get("lineups")):
        fields["lineups"] = details
        raw = msgspec.json.encode(fields)
        flaws = _naming((*lists, "lineups.details"))
    cleaned = _clean_json(raw)
    summary = summarize_cleaned(cleaned)
    unreadable = tuple(
        name for name in SECTIONS if name in fields and name not in summary.counts and not _is_null(fields[name])
    )
    flaws = (*flaws, *_odd_rows(fields, summary), *summary.flaws)
    summary = replace(summary, unreadable=unreadable)
    return Payload(raw, _hash(raw, given, as_sent), summary, cleaned, flaws, members=fields)


def _hash(raw: bytes, given: bytes, known: bytes | None) -> bytes:
    return known if known is not None and raw is given else hash_as_sent(raw)


def _naming(lists: Iterable[str]) -> tuple[str, ...]:
    names = ", ".join(f"'{name}'" for name in lists)
    return (f"{names} came as an object instead of a list",) if names else ()


def _lists_from_objects(fields: Mapping[str, msgspec.Raw]) -> dict[str, msgspec.Raw]:
    """The sections that came as an object of rows by number, as lists. Of sections that are not known to be lists,
    only those whose values are objects."""
    found: dict[str, msgspec.Raw] = {}
    for name, value in fields.items():
        if _is_object(value) and lenient_json.is_listed(bytes(value)):
            rows = lenient_json.listed(value)
            if rows is not None and (name in SECTIONS or (rows and all(_is_object(row) for row in rows))):
                found[name] = _as_list(rows)
    return found


def _details_from_objects(lineups: msgspec.Raw | None) -> msgspec.Raw | None:
    """The lineups with their details as lists; None when no details came as an object of rows by number."""
    if lineups is None or not _is_list(lineups):
        return None
    rows, changed = lenient_json.elements(lineups), False
    for place, row in enumerate(rows):
        if _is_object(row):
            fields = _object.decode(row)
            details = lenient_json.listed(fields["details"]) if "details" in fields else None
            if details is not None:
                rows[place] = msgspec.Raw(msgspec.json.encode(fields | {"details": _as_list(details)}))
                changed = True
    return _as_list(rows) if changed else None


def _as_list(rows: Iterable[msgspec.Raw]) -> msgspec.Raw:
    return msgspec.Raw(b"[" + b",".join(map(bytes, rows)) + b"]")


def _odd_rows(fields: Mapping[str, msgspec.Raw], summary: PayloadSummary) -> Iterable[str]:
    """What the typed tables cannot show of the sections: rows that are no objects or unusable, details that are no
    list."""
    for name in SECTIONS:
        if name in fields and _is_list(fields[name]):
            rows = lenient_json.elements(fields[name])
            odd = sum(not _is_object(row) for row in rows)
            if odd:
                yield f"{odd} of {len(rows)} rows of '{name}' are no objects"
            elif empty := len(rows) - summary.counts.get(name, 0):
                yield f"{empty} of {len(rows)} rows of '{name}' are unusable"
            elif name == "lineups":
                details = [_object.decode(row).get("details") for row in rows]
                if any(each is not None and not (_is_list(each) or _is_null(each)) for each in details):
                    yield "'lineups.details' is not a list everywhere"


def _sharing_ids(fields: Mapping[str, msgspec.Raw]) -> Iterable[str]:
    """Sections with rows of other content under an id that has come already: their table holds one of them."""
    for name in SECTIONS:
        if name in fields and _is_list(fields[name]):
            rows = {bytes(row) for row in lenient_json.elements(fields[name])}
            ids = [found for row in rows if (found := row_id(msgspec.Raw(row))) is not None]
            if sharing := len(ids) - len({*ids}):
                yield f"{sharing} of {len(rows)} rows of '{name}' have the id of another one"


def rows_by_section(payload: Payload) -> dict[str, int]:
    """How many rows with an id of their own the tables of a payload's sections hold at least."""
    found: dict[str, int] = {}
    for name in SECTIONS:
        if name in payload.summary.unreadable or not _is_list(payload.members.get(name)):
            continue
        rows = lenient_json.elements(payload.members[name])
        found[name] = len({row_id(row) for row in rows} - {None})
        if name == "lineups":
            lists = [
                fields["details"] for row in rows if _is_list((fields := lenient_json.members(row)).get("details"))
            ]
            found["lineups.details"] = len(
                {row_id(row) for each in lists for row in lenient_json.elements(each)} - {None}
            )
    return found


def _is_null(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"n"


def _is_object(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) == b"{"


# ---- cleaning


def _small_int(value: Any) -> int | None:
    number = as_int(value)
    return number if number is not None and abs(number) < 2**31 else None


def _time(value: Any) -> str | None:
    parsed = as_utc(value)
    return parsed.replace(tzinfo=None).isoformat(" ", "seconds") if parsed else None


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
    **dict.fromkeys(_FLAGS.split(), as_bool),
    "starting_at": _time,
}
_LISTS = ("participants", "scores", "events", "lineups", "statistics", "periods", "details")
_OBJECTS = ("score", "meta")
# A row that has a value in none of these fields is no row, whatever else it holds.
_IDENTIFYING = {
    "participants": ("id",),
    "scores": ("id", "type_id", "description"),
    "events": ("id", "type_id", "participant_id", "player_id"),
    "lineups": ("id", "player_id", "player_name"),
    "statistics": ("id", "type_id"),
    "periods": ("id", "type_id", "started", "description"),
    "details": ("id", "type_id"),
}


def clean(payload: Mapping[str, Any]) -> dict[str, Any]:
    """A copy whose typed fields are castable: values that are not become null, lists lose what is no usable row, and
    null is in the place of a list that has nothing else."""
    found = _clean(payload)
    if isinstance(payload.get("details"), str):
        found["details"] = clean_text(payload["details"])  # the fixture's own is a text, a lineup's a list
    return found


def _clean(row: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in row.items():
        if key in _LISTS:
            found[key] = _clean_rows(key, value)
        elif key in _OBJECTS:
            found[key] = _clean(value) if isinstance(value, dict) else None
        elif key in _CASTS:
            found[key] = _CASTS[key](value)
        else:
            found[key] = clean_value(value)
    return found


def _clean_rows(name: str, value: Any) -> list[dict[str, Any]] | None:
    rows = as_rows(value)
    if rows is None:
        return None
    cleaned = [{"id": None, **_clean(item)} for item in rows if isinstance(item, dict)]
    usable = [row for row in cleaned if any(row.get(key) not in (None, "") for key in _IDENTIFYING[name])]
    if name == "scores" and any(is_negative(row.get("score")) for row in usable):
        return None
    return None if rows and not usable else usable


def _clean_json(raw: bytes) -> bytes:
    return msgspec.json.encode(clean(msgspec.json.decode(raw, type=dict[str, Any])))
