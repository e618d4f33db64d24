"""Recognises in an answer of an unknown API where its records, dates and further pages are. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sportmonks import lenient_json
from sportmonks.coerce import read_time
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.json_path import next_link, shown_path

_CONTAINERS = (
    "links", "_links", "meta", "metadata", "paging", "pagination", "page", "cursors", "page_info", "pageInfo",
    "response_metadata", "result", "_metadata", "info", "data", "message", "response",
)  # fmt: skip
LINKS = ("next", "next_page_url", "nextLink", "@odata.nextLink", "next_url", "nextUrl", "next_page", "nextRecordsUrl",
          "next_link")  # fmt: skip
CURSORS = ("next_cursor", "nextCursor", "next_page_token", "nextPageToken", "next_token", "nextToken", "after",
            "cursor", "endCursor", "continuation", "continuationToken", "scroll_id", "_scroll_id",
            "after_cursor", "next-cursor", "nextCursorMark")  # fmt: skip
# Objects whose members are the parameters of the next page.
_PARAMETERS = ("continue", "next_params", "nextParams")
_FLAGS = ("has_more", "hasMore", "has_next", "hasNext", "hasNextPage", "has_next_page", "more", "hasMoreRows",
          "more_items_in_collection")  # fmt: skip
_TOTALS = ("total", "total_count", "totalCount", "totalResults", "total_results", "count", "recordCount",
           "@odata.count", "total_records", "totalRecords", "found", "total-results", "numFound", "totalItems",
           "total_items", "hydra:totalItems")  # fmt: skip
_TOTAL_HEADERS = ("X-Total-Count", "X-Total", "X-WP-Total", "Total-Count")
_RECORDS = ("data", "results", "items", "records", "value", "values", "rows", "entries", "hits", "content", "list")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that an answer names. ``kind``: link, cursor, parameters (an object of them), flag, total; ``path``:
    where, as a route writes it."""

    kind: str
    path: str
    value: Any


def paging_found(headers: Mapping[str, str], body: bytes) -> list[Finding]:
    """What an answer says about further pages, the surest first."""
    found = []
    if (link := next_link(headers)) is not None:
        found.append(Finding("link", "header.link", link))
    if headers.get("X-Next-Page"):
        found.append(Finding("cursor", "header.X-Next-Page", headers["X-Next-Page"]))
    top = _decoded(body)
    places = list(_places(top))
    kinds = (("link", LINKS), ("cursor", CURSORS), ("parameters", _PARAMETERS), ("flag", _FLAGS), ("total", _TOTALS))
    for kind, names in kinds:
        for path, place in places:
            for name in names:
                where, value = _value(kind, name, place.get(name))
                if value is not None:
                    found.append(Finding(_kind_of(kind, value), shown_path((*path, *where)), value))
    found += [Finding("total", f"header.{name}", headers[name]) for name in _TOTAL_HEADERS if headers.get(name)]
    return found


def _kind_of(kind: str, value: Any) -> str:
    """A next page that is a number or a plain word is no address."""
    return "cursor" if kind == "link" and not (isinstance(value, str) and ("/" in value or "?" in value)) else kind


def _value(kind: str, name: str, value: Any) -> tuple[JsonPath, Any]:
    """Where below its place a value of that kind is, and the value; None where there is none. A link or cursor may lie
    within an object."""
    if kind in ("link", "cursor"):
        if isinstance(value, Mapping):
            inner = next((key for key in ("href", "url", "link", "after", "cursor") if key in value), "")
            return (name, inner), value.get(inner)
        fits = isinstance(value, str | int) and not isinstance(value, bool) and value != ""
        return (name,), value if fits else None
    if kind == "flag":
        return (name,), value if isinstance(value, bool) else None
    if kind == "parameters":
        plain = isinstance(value, Mapping) and all(isinstance(one, str | int | None) for one in value.values())
        return (name,), value if plain and value else None
    return (name,), value if isinstance(value, int) and not isinstance(value, bool) else None


def further_page(headers: Mapping[str, str], body: bytes) -> str:
    """Where an answer names a further page; empty where it does not."""
    for one in paging_found(headers, body):
        if one.kind in ("link", "parameters") or (one.kind == "flag" and one.value is True):
            return one.path
        if one.kind == "cursor" and ("next" in one.path.lower() or "continuation" in one.path.lower()):
            return one.path
    return ""


def named_values(body: bytes, names: Iterable[str]) -> list[tuple[str, Any]]:
    """(path, value, which may be null) of the keys of these names at the places where answers speak of their pages."""
    wanted = tuple(names)
    return [
        (shown_path((*path, name)), place[name])
        for path, place in _places(_decoded(body))
        for name in wanted
        if name in place
    ]


def records_found(body: bytes) -> list[tuple[str, int]]:
    """Paths of lists of objects with their lengths, the likeliest first; ``.`` is the answer itself."""
    top = _decoded(body)
    found = [(path, rows) for path, rows in _lists(top, ()) if rows and isinstance(rows[0], Mapping | list)]
    found.sort(key=lambda one: (len(one[0]), not one[0] or one[0][-1] not in _RECORDS, -len(one[1])))
    return [(shown_path(path), len(rows)) for path, rows in found]


def dates_found(record: Mapping[str, Any], now: datetime | None = None) -> list[tuple[str, str]]:
    """(path, how it is written) of the fields of a record that look like a day or a time: ``iso``, ``epoch``,
    ``epoch_ms``."""
    return [(shown_path(path), form) for path, form in _dates(record, (), now or datetime.now(UTC))]


def _dates(value: Mapping[str, Any], path: JsonPath, now: datetime) -> Iterator[tuple[JsonPath, str]]:
    for name, item in value.items():
        here = (*path, str(name))
        if isinstance(item, Mapping) and len(here) < 4:
            yield from _dates(item, here, now)
        elif (form := _date_form(item, now)) is not None:
            yield here, form


def _date_form(value: Any, now: datetime) -> str | None:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value) if len(value) in (10, 13) else None
    if isinstance(value, int) and not isinstance(value, bool):
        earliest, latest = (now - timedelta(days=40 * 365)).timestamp(), (now + timedelta(days=10 * 365)).timestamp()
        for form, factor in (("epoch", 1), ("epoch_ms", 1000)):
            if earliest * factor < value < latest * factor and value >= 10**8:
                return form
        return None
    if not isinstance(value, str) or len(value) < 8:
        return None
    try:
        read_time(value.strip(), datetime.fromisoformat)
    except (ValueError, OverflowError):
        return None
    return "iso"


def _decoded(body: bytes) -> Any:
    try:
        return lenient_json.decode(body)[0] if body else None
    except lenient_json.UNREADABLE:
        return None


def _places(top: Any) -> Iterator[tuple[JsonPath, Mapping[str, Any]]]:
    if not isinstance(top, Mapping):
        return
    yield (), top
    for name in _CONTAINERS:
        if isinstance(inner := top.get(name), Mapping):
            yield (name,), inner
            for second in _CONTAINERS:
                if isinstance(deeper := inner.get(second), Mapping):
                    yield (name, second), deeper


def _lists(value: Any, path: JsonPath) -> Iterator[tuple[JsonPath, list[Any]]]:
    if isinstance(value, list):
        yield path, value
    elif isinstance(value, Mapping) and len(path) < 3:
        for name, item in value.items():
            yield from _lists(item, (*path, str(name)))
