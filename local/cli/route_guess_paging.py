"""How an API may page, by one of its answers: the likeliest way first. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from sportmonks.api.page_spec import ALL_MEMBERS
from sportmonks.routes.guess import CURSORS, LINKS, Finding, named_values, paging_found
from sportmonks.routes.period import leads_beyond

# Parameters of the size of a page -> how such APIs number their pages.
SIZES: Mapping[str, tuple[str, str]] = {
    "per_page": ("page", "page"), "page_size": ("page", "page"), "pageSize": ("page", "page"),
    "pagesize": ("page", "page"), "$pageSize": ("page", "$page"), "perPage": ("page", "page"),
    "size": ("page", "page"),
    "limit": ("offset", "offset"), "$limit": ("offset", "$offset"), "$top": ("offset", "$skip"),
    "top": ("offset", "skip"),
    "maxResults": ("offset", "startAt"), "max_results": ("offset", "start"), "rows": ("offset", "start"),
    "count": ("offset", "offset"), "take": ("offset", "skip"), "page[size]": ("page", "page[number]"),
    "page[limit]": ("offset", "page[offset]"), "results_per_page": ("page", "page"), "max": ("offset", "offset"),
    "num": ("offset", "start"), "hitsPerPage": ("page", "page"), "first": ("offset", "offset"),
}  # fmt: skip
PAGES = ("page", "p", "pg", "page_number", "pageNumber", "pageNo", "page_no", "$page", "pageIndex", "page[number]",
         "current_page", "currentPage", "seite")  # fmt: skip
OFFSETS = ("offset", "$offset", "skip", "$skip", "start", "startAt", "start_index", "startIndex", "page[offset]",
           "first_row", "from_row")  # fmt: skip
# The last key of a cursor's path -> the parameters that take it.
TAKES: Mapping[str, tuple[str, ...]] = {
    "nextPageToken": ("pageToken", "nextPageToken"), "next_page_token": ("page_token",),
    "next_token": ("next_token", "token"),
    "nextToken": ("nextToken",), "next_cursor": ("cursor", "start_cursor", "next_cursor"),
    "nextCursor": ("cursor", "nextCursor"),
    "after": ("after",), "cursor": ("cursor",), "endCursor": ("after", "cursor"),
    "after_cursor": ("cursor", "page[after]"),
    "continuation": ("continuation",), "continuationToken": ("continuationToken",), "scroll_id": ("scroll_id",),
    "_scroll_id": ("scroll_id",), "next": ("cursor", "page", "next", "after"), "next_page": ("page",),
    "X-Next-Page": ("page",), "next-cursor": ("cursor",), "nextCursorMark": ("cursorMark",),
}  # fmt: skip
DONE = ("isLast", "is_last", "end_of_stream", "lastPage", "is_last_page", "isLastPage", "last", "done", "complete")
TOTAL_PAGES = ("total_pages", "totalPages", "pages", "last_page", "lastPage", "page_count", "pageCount", "pageTotal")


@dataclass(frozen=True)
class Way:
    """A way to page. ``keys``: of ``paging`` in a route file; ``reason``: for its comment; ``sure``: the answer itself
    says so. ``body``: what the body of the request needs as well."""

    keys: dict[str, Any]
    reason: str
    sure: bool = False
    body: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What is known of a request and its answer. ``query``: without the days; ``body``: of a POST, else None;
    ``period``: names of the days in the query."""

    query: Mapping[str, str]
    body: Any
    headers: Mapping[str, str]
    answer: bytes
    rows: list[Any]
    key: str = ""
    period: tuple[str, ...] = ()
    end: tuple[str, str] = ("", "")  # name and value of the last day in the query


def ways_to_page(seen: Question) -> list[Way]:
    """Ways to page, the likeliest first; the last one is that there is one page."""
    size = size_of(seen)
    # A link to the days behind those of the request leads to no further page.
    findings = [one for one in paging_found(seen.headers, seen.answer) if not leads_beyond(str(one.value), *seen.end)]
    flags = _flags(seen, findings)
    found = [*_named(seen, findings, flags), *_by_number(seen, findings, flags)]
    behind = list(_behind_last(seen, flags))
    if not any(way.sure for way in (*found, *behind)):
        numbers = list(_untold(seen, findings, flags, size))
        # APIs in the style of Stripe call their answers a list, and know no page numbers.
        behind = [*behind, *numbers] if named_values(seen.answer, ["object"]) else [*numbers, *behind]
    found += behind
    found = [replace(way, keys=way.keys | size) if way.keys["style"] != "none" else way for way in found]
    return [*found, Way({"style": "none"}, "the answer says nothing about further pages")]


def size_of(seen: Question) -> dict[str, Any]:
    """``size_parameter`` and ``size`` of the request; empty where it names no size. In a body, the size alone."""
    for name, value in seen.query.items():
        if name in SIZES and value.isdecimal() and int(value) > 0:
            return {"size_parameter": name, "size": int(value)}
    if isinstance(seen.body, Mapping):
        for name in seen.body:
            if name in SIZES and isinstance(seen.body[name], int):
                return {"size": seen.body[name]}
    return {}


def _flags(seen: Question, findings: list[Finding]) -> dict[str, Any]:
    more = next((one.path for one in findings if one.kind == "flag"), None)
    done = next((path for path, value in named_values(seen.answer, DONE) if isinstance(value, bool)), None)
    return ({"more": more} if more else {}) | ({"done": done} if done and not more else {})


def _named(seen: Question, findings: list[Finding], flags: dict[str, Any]) -> Iterator[Way]:
    """The answer names its successor: a link or a cursor, also one that is null."""
    total = _proof(seen, findings)
    known = " (what comes is compared with the total; take it out where that is an estimate)" if total else ""
    for one in findings:
        if one.kind == "link":
            why = f"the answer has a link at {one.path}{known}"
            yield Way({"style": "next", "next": one.path, **total}, why, sure=True)
    for one in findings:
        if one.kind == "parameters" and seen.body is None:
            why = f"the answer has the parameters of the next page at {one.path}"
            yield Way({"style": "cursor", "parameter": ALL_MEMBERS, "next": one.path, **flags}, why, sure=True)
    for one in findings:
        if one.kind == "cursor":
            for way in _cursor(seen, one.path, flags, sure=True):
                yield replace(way, keys=way.keys | total, reason=way.reason + known)
    if any(one.kind in ("link", "cursor", "parameters") for one in findings):
        return
    for names, linked in ((LINKS, True), (CURSORS, False)):
        for path, value in named_values(seen.answer, names):
            if value is None or value == "":
                why = f"{path} is empty in this answer: it was the last page"
                if linked and path.rpartition(".")[2].strip('"') not in TAKES:
                    yield Way({"style": "next", "next": path}, why, sure=True)
                else:
                    yield from (replace(way, reason=why) for way in _cursor(seen, path, flags, sure=True))
                return
    if "X-Next-Page" in seen.headers:
        yield from _cursor(seen, "header.X-Next-Page", flags, sure=True)


def _cursor(seen: Question, path: str, flags: dict[str, Any], *, sure: bool) -> Iterator[Way]:
    last = path.rpartition(".")[2].strip('"')
    sent = isinstance(seen.body, Mapping)
    parameters = [name for name in seen.query if name in TAKES.get(last, ())] or list(TAKES.get(last, ("cursor",)))
    if sent and last == "next_cursor":
        parameters.sort(key=lambda name: name != "start_cursor")
    for parameter in parameters:
        why = f"the answer has the next page's {'number' if parameter == 'page' else 'cursor'} at {path}"
        if sent:
            keys = {"style": "cursor", "next": path, **flags}
            yield Way(keys, why, sure, body={parameter: "{cursor}"})
            continue
        keys = {"style": "cursor", "parameter": parameter, "next": path, **flags}
        yield Way(keys, why, sure)
        if seen.period:
            yield Way({**keys, "drop_with_cursor": list(seen.period)}, f"{why}; it is sent without the period", sure)


def _by_number(seen: Question, findings: list[Finding], flags: dict[str, Any]) -> Iterator[Way]:
    """The request itself has a page number or an offset."""
    ends = flags | _totals(seen, findings)
    for style, names in (("page", PAGES), ("offset", OFFSETS)):
        for name, value in seen.query.items():
            if name in names and value.isdecimal():
                first = {"first": int(value)} if style == "page" and int(value) != 1 else {}
                keys = {"style": style, "parameter": name, **first, **ends}
                yield Way(keys, f"the address has {name}={value}")


def _totals(seen: Question, findings: list[Finding]) -> dict[str, Any]:
    total = next((one.path for one in findings if one.kind == "total" and int(str(one.value)) >= len(seen.rows)), None)
    pages = next((p for p, value in named_values(seen.answer, TOTAL_PAGES) if type(value) is int and value > 0), None)
    return ({"total": total} if total else {}) | ({"total_pages": pages} if pages and not total else {})


def _proof(seen: Question, findings: list[Finding]) -> dict[str, Any]:
    """``total``, where the answer counts more records than it brings, and not just what APIs count at most."""
    found = _totals(seen, findings)
    value = next((int(str(one.value)) for one in findings if one.path == found.get("total")), 0)
    return {"total": found["total"]} if value > len(seen.rows) and value % 1_000 else {}


def _behind_last(seen: Question, flags: dict[str, Any]) -> Iterator[Way]:
    """The next page begins behind the last record."""
    last = seen.rows[-1] if seen.rows else None
    if not isinstance(last, Mapping):
        return
    if isinstance(seen.body, Mapping) and isinstance(last.get("sort"), list):
        why = "each record has the values that it is sorted by"
        yield Way({"style": "cursor", "next": "last.sort"}, why, sure=True, body={"search_after": "{cursor}"})
    elif flags.get("more") and seen.key and not isinstance(seen.body, Mapping):
        why = "the answer has a flag, and no cursor but its records"
        for parameter in ("starting_after", "after", "since_id"):
            yield Way({"style": "cursor", "parameter": parameter, "next": f"last.{seen.key}", **flags}, why)


def _untold(seen: Question, findings: list[Finding], flags: dict[str, Any], size: dict[str, Any]) -> Iterator[Way]:
    """The answer says nothing, or a total only: numbers are seen."""
    ends = flags | _totals(seen, findings)
    if isinstance(seen.body, Mapping) or not (size or ends or len(seen.rows) >= 10):
        return
    likely = SIZES.get(size.get("size_parameter", ""), ("page", "page"))
    other = ("page", "page") if likely[0] == "offset" else ("offset", "offset")
    for style, parameter in (likely, other):
        if parameter not in seen.query:
            yield Way({"style": style, "parameter": parameter, **ends}, f"{parameter} was seen, and it works")
