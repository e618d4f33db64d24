"""A route guessed from one request that somebody has tried and its answer. Pure functions: nothing is requested here.

``guess`` returns drafts that differ in how the API pages, the likeliest first; which of them holds is found out by a
second request (``route_new``), and ``route_yaml`` writes one as a route file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from local.cli.route_guess_paging import SIZES, Question, Way, size_of, ways_to_page
from local.cli.route_guess_period import take_days
from sportmonks import lenient_json
from sportmonks.api.transport import HttpResponse
from sportmonks.routes.body import not_json, read_body
from sportmonks.routes.guess import dates_found, records_found

# Names of keys, the likeliest first; any other needs as many records to be believed.
_KEYS = ("id", "_id", "uuid", "guid", "key")
_NUMBERS = ("number", "no", "nr", "code", "sku", "slug", "symbol", "reference", "ref", "name", "email")
ENOUGH = 5
_FIRST_CURSORS = ("*", "-1", "0", "initial", "start")
# Parts of the names of dates: a change comes before a time of its own, and that before its creation.
_DATE_NAMES = ("updated", "modified", "changed", "edited", "date", "day", "time", "timestamp", "at", "created")
_DATE_FORMATS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S", "%d/%m/%Y %H:%M:%S",
                 "%m/%d/%Y %H:%M:%S", "%Y/%m/%d")  # fmt: skip
_ENVELOPES = ("data", "result", "results", "response", "items", "records", "values", "rates", "observations")


@dataclass(frozen=True)
class TriedRequest:
    """A request as it was tried. ``path``: below the connection's host, without query; ``body``: decoded, of a POST."""

    path: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @classmethod
    def of(cls, url: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TriedRequest:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        return cls(parts.path or "/", query, dict(headers or {}), body)


@dataclass(frozen=True)
class Records:
    """Where the records of an answer are. ``path``: None where the format gives them (CSV, NDJSON)."""

    path: str | None
    rows: list[Any]
    form: str = ""  # records_as
    fields: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Draft:
    """A route that may be right. ``tried``: the request that it was guessed from; ``way``: how it pages; ``notes``:
    comments by the key that they belong to."""

    tried: TriedRequest
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    period: dict[str, Any]
    way: Way
    records: Records
    date_field: str = ""
    date_format: str = ""
    key: tuple[str, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)


def guess(tried: TriedRequest, response: HttpResponse) -> list[Draft]:
    """Drafts for a request and its good answer, the likeliest first. Raises SportmonksError for an answer that routes
    cannot read (a web page, XML, no JSON)."""
    body = read_body(response, "auto", None, tried.path, lenient=True)
    if not body.strict:
        try:
            lenient_json.decode(body.json)
        except lenient_json.UNREADABLE as error:
            raise not_json(tried.path, error) from None
    records = find_records(
        body.json, [lenient_json.decode(row)[0] for row in body.rows] if body.rows is not None else None
    )
    found = take_days(tried.path, tried.query, tried.body)
    named = [_named(row, records) for row in records.rows]
    date_field, date_format = find_date(named, found.clues)
    key, why = find_key(named, date_field)
    notes = {"records": records.note, "key": why}
    draft = Draft(
        tried,
        found.path,
        found.query,
        tried.headers,
        found.body,
        found.period,
        Way({"style": "none"}, ""),
        records,
        date_field,
        date_format,
        key,
        notes,
    )
    names = tuple(found.period[end] for end in ("date_from", "date_to") if end in found.period)
    period = tuple(name for name in names if name in tried.query)
    single = key[0] if len(key) == 1 else ""
    last = found.period.get("date_to", "")
    end = (last, tried.query.get(last, ""))
    question = Question(found.query, found.body, response.headers, body.json, records.rows, single, period, end)
    if records.form == "object" or (body.rows is not None and not size_of(question)):
        return [
            replace(draft, way=Way({"style": "none"}, "the answer is one record" if body.rows is None else "one file"))
        ]
    return [_paged(draft, way) for way in ways_to_page(question)]


def first_draft(tried: TriedRequest) -> Draft:
    """The request as it was tried, and nothing guessed."""
    plain = Way({"style": "none"}, "")
    return Draft(tried, tried.path, tried.query, tried.headers, tried.body, {}, plain, Records(None, []))


def with_more(draft: Draft, rows: list[Any]) -> Draft:
    """The draft after a look at the records of another page: what is different in each record of the first one may not
    be so in both."""
    named = [_named(row, draft.records) for row in (*draft.records.rows, *rows)]
    key, why = find_key(named, draft.date_field)
    return replace(draft, key=key, notes={**draft.notes, "key": why})


def with_days(draft: Draft) -> Draft:
    """The draft with the days of the request that was tried instead of a period."""
    tried = draft.tried
    return _paged(replace(draft, path=tried.path, query=tried.query, body=tried.body, period={}), draft.way)


def _paged(draft: Draft, way: Way) -> Draft:
    """The draft with a way to page; what the paging sends itself is taken out of query and body."""
    sent = {way.keys.get("parameter"), way.keys.get("size_parameter")}
    # How some APIs want the cursor of the first page, which has to stay.
    first = _FIRST_CURSORS if way.keys["style"] == "cursor" else ()
    query = {name: value for name, value in draft.query.items() if name not in sent or value in first}
    body = draft.body
    if isinstance(body, Mapping) and way.keys["style"] != "none":
        size = next((name for name in body if name in SIZES and body[name] == way.keys.get("size")), None)
        body = {**body, **({size: "{size}"} if size else {}), **way.body}
    return replace(draft, query=query, body=body, way=way)


def find_records(body: bytes, rows: list[Any] | None = None) -> Records:
    """The records of an answer; ``rows`` where its format gives them."""
    if rows is not None:
        return Records(None, rows)
    top = lenient_json.decode(body)[0] if body else None
    if (by_name := _lists_by_name(top)) is not None:
        return by_name
    lists = records_found(body) if body else []
    if lists:
        path, count = lists[0]
        found = _at(top, path)
        others = ", ".join(f"{other} ({number})" for other, number in lists[1:4])
        note = f"{count} in the answer that was looked at" + (f"; other lists: {others}" if others else "")
        if isinstance(found[0], list):
            header = len(found) > 1 and all(isinstance(one, str) for one in found[0])
            fields = ("header",) if header else ()
            return Records(path, found, "", fields, note if fields else f"{note}; give fields: names of the values")
        return Records(path, found, note=note)
    if not isinstance(top, Mapping):
        return Records(".", top if isinstance(top, list) else [])
    for path, inner in _mappings(top):
        if len(inner) > 1 and all(isinstance(value, Mapping) for value in inner.values()):
            note = f"an object of {len(inner)} records; their names become _key"
            return Records(path, [{"_key": name, **value} for name, value in inner.items()], "values", note=note)
    empty = next((name for name in top if name in _ENVELOPES and top[name] == []), None)
    if empty:
        return Records(empty, [], note="empty in the answer that was looked at")
    within = next((name for name in ("data", "result") if isinstance(top.get(name), Mapping)), "")
    return Records(within or ".", [top[within] if within else top], "object", note="the answer is one record")


def _lists_by_name(top: Any) -> Records | None:
    """The records of an object whose members are lists of them under days or numbers; None where there is none."""
    if not isinstance(top, Mapping):
        return None
    inner = ((name, value) for name, value in top.items() if isinstance(value, Mapping))
    for path, lists in ((".", top), *inner):
        names = [name for name in lists if re.fullmatch(r"\d{4}-\d\d-\d\d.*|\d+", name)]
        if names and len(names) == len(lists) and all(isinstance(value, list) for value in lists.values()):
            rows = [{"_key": name, **row} for name in names for row in lists[name] if isinstance(row, Mapping)]
            if rows:
                note = f"{len(rows)} in {len(names)} lists, whose names become _key"
                return Records(path, rows, "values", note=note)
    return None


def _mappings(top: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield ".", top
    for name in _ENVELOPES:
        if isinstance(top.get(name), Mapping):
            yield name, top[name]


def _at(top: Any, path: str) -> Any:
    from sportmonks.config.strict_yaml import split_path

    for part in split_path(path) or ():
        top = top[part]
    return top


def _named(row: Any, records: Records) -> Any:
    """A record as its route will see it: a list of values under the names of the first one."""
    if isinstance(row, list) and records.fields and records.rows:
        return dict(zip(map(str, records.rows[0]), row, strict=False)) if row is not records.rows[0] else None
    return row


def find_date(rows: list[Any], clues: str = "") -> tuple[str, str]:
    """(path, format or nothing) of the day of a record; empty where there is none. ``clues``: text of the request, in
    which the field that the API filters by is likely to be named."""
    first = next((row for row in rows if isinstance(row, Mapping)), None)
    if first is None:
        return "", ""
    found = [(path, "") for path, _ in dates_found(first)]
    found += [(path, form) for path, value in _scalars(first) if (form := _common_format(rows, path, value))]
    if not found:
        return "", ""
    return min(found, key=lambda one: (_date_rank(one[0], clues), found.index(one)))


def _common_format(rows: list[Any], path: str, value: Any) -> str:
    """The format that all records' values of a field have; empty where there is none."""
    if not isinstance(value, str) or not 8 <= len(value) <= 20:
        return ""
    values = [
        text for row in rows if isinstance(row, Mapping) and isinstance(text := dict(_scalars(row)).get(path), str)
    ]
    return next((form for form in _DATE_FORMATS if all(_fits(text, form) for text in values)), "")


def _fits(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _date_rank(path: str, clues: str) -> tuple[bool, int]:
    name = path.rpartition(".")[2].lower()
    stem = name
    for ending in ("_at", "_gmt", "_on", "_time", "_date", "at"):
        stem = stem.removesuffix(ending)
    rank = next((place for place, part in enumerate(_DATE_NAMES) if part in name), len(_DATE_NAMES))
    return not (len(stem) > 3 and stem in clues), rank


def find_key(rows: list[Any], date_field: str = "") -> tuple[tuple[str, ...], str]:
    """(paths of the fields that name a record, why) of records; no path where none is unique."""
    records = [dict(_scalars(row)) for row in rows if isinstance(row, Mapping)]
    if not records:
        return (), "no record was seen: which field names one?"
    candidates = [path for path in records[0] if all(_usable(record.get(path)) for record in records)]
    unique = [path for path in candidates if len({record[path] for record in records}) == len(records)]
    ranked = sorted(unique, key=lambda path: (_key_rank(path), list(records[0]).index(path)))
    many = "" if len(records) >= ENOUGH else f"; only {len(records)} seen"
    for path in ranked:
        if _key_rank(path) < 8 or (len(records) >= ENOUGH and path != date_field):
            return (path,), f"different in each of {len(records)} records{many}"
    for path in sorted(candidates, key=_key_rank):
        if date_field in candidates and path != date_field and len(records) >= ENOUGH:
            pairs = {(record[path], record[date_field]) for record in records}
            if len(pairs) == len(records):
                return (path, date_field), f"together different in each of {len(records)} records"
    return (), "no field is different in each record: every distinct content is a row"


def _key_rank(path: str) -> float:
    name = path.rpartition(".")[2]
    nested = 0.5 if "." in path else 0.0
    if name.lower() in _KEYS:
        return _KEYS.index(name.lower()) + nested
    if name == "_key":
        return 5
    if name.endswith(("_id", "Id", "ID")) or (name.lower().endswith("id") and nested):
        return 6 + nested
    if name.lower() in _NUMBERS:
        return 7 + nested
    return (8 if name.lower().endswith("id") else 9) + nested


def _usable(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and value != "" and len(str(value)) <= 200


def _scalars(record: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Paths and values of the plain fields of a record, and of the objects in it."""
    for name, value in record.items():
        shown = f'"{name}"' if "." in name else name
        if isinstance(value, Mapping):
            for inner, plain in value.items():
                if "." not in inner and not isinstance(plain, Mapping | list):
                    yield f"{shown}.{inner}", plain
        elif not isinstance(value, list):
            yield shown, value
