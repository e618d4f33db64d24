"""One answer of an unknown API: its records undecoded, and what it says about paging."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from urllib.parse import unquote

import msgspec

from sportmonks import lenient_json
from sportmonks.api.transport import HttpResponse
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import TransientApiError
from sportmonks.redaction import mask_text, without_credentials
from sportmonks.routes.answer_errors import NO_ERROR, error_in, refuse_error, refuse_note
from sportmonks.routes.answer_records import nested_at, rows_at
from sportmonks.routes.body import not_json, read_body
from sportmonks.routes.guess import further_page
from sportmonks.routes.json_path import Answer, decoded_at, dig, is_null, shown_path, text_at
from sportmonks.routes.limits import is_throttled
from sportmonks.routes.request import credential_parameters
from sportmonks.routes.spec import Route

_EMPTY = (b"[]", b"{}", b"null")
# How a message says that there are no records, or that all went well.
_NOTHING = re.compile(r"\b(?:no|none|nothing|zero|0|empty|success\w*|ok)\b|not found|without", re.I)


@dataclass(frozen=True, slots=True)
class FetchedPage:
    """One answer: its records undecoded, and what it says about paging. ``size``: bytes of the body. ``refused``: the
    status of an error that may mean that the page lies behind the end. ``names_more``: where it names a further page
    that the route does not follow. ``doubtful``: it has no records, in a way that may be a failure: null in the place
    of what holds their list, or a message beside it that speaks of something else; then which, else empty."""

    rows: list[msgspec.Raw]
    more: bool | None = None
    total: int | None = None
    next: str | int | None = None
    size: int = 0
    total_pages: int | None = None
    refused: int | None = None
    names_more: str = ""
    doubtful: str = ""
    outer: list[msgspec.Raw] | None = None  # the elements of the page, where each of them holds a list of records


def read_page(response: HttpResponse, route: Route, label: str, *, lenient: bool = False) -> FetchedPage:
    """The records of a good answer and what it says about paging.

    ``lenient``: take JSON with values that no decoder accepts, whose records are rejected one by one later. Raises
    TransientApiError (damage on the way, an error in the answer) and FatalApiError (what asking again cannot change).
    """
    body = read_body(response, route.format, route.delimiter, label, lenient=lenient, charset=route.charset)
    try:
        if body.rows is None and not body.json:
            return _nothing(route, label, len(response.body))
        rows = body.rows
        if body.misplaced:
            refuse_error(body.json, route, label, found=False)
            raise TransientApiError(f"{label}: the answer is JSON and not CSV.", hint="Is format: csv right?")
        if rows is not None:
            _check_rows(rows, body.columns, route, label)
        else:
            raw = dig(body.json, route.records)
            if raw is None and _is_one_line(response, body.json, route):
                return _page(Answer(b"", response.headers, [msgspec.Raw(body.json)]), route, len(response.body))
            outer = nested_at(body.json, route.records) if raw is None else None
            found = raw is not None or outer is not None
            refuse_error(body.json, route, label, found=found, empty=not found or bytes(raw or b"") in _EMPTY)
            if not found and is_throttled(body.json, status=200):
                raise error_in(label, mask_text(body.json[:4_000].decode("utf-8", "replace"))[:200], route)
            if not found and route.missing_records == "empty" and route.error_fields is None:
                refuse_note(body.json, label)
            leads = route.records and not route.records[0].startswith("[")
            if not found and leads and not body.json.startswith(b"{") and body.json not in _EMPTY:
                # Not even the object that the route looks into: no way to say that there are no records.
                kind = {b"[": "a list", b'"': "a text"}.get(body.json[:1], "a single value")
                raise TransientApiError(
                    f"{label}: there is no object with '{shown_path(route.records)}', but {kind}.",
                    hint="Where the answer itself is the list: records: . in the route.",
                )
            if outer is not None:
                elements, inner = outer
                rows = [row for one in elements for row in rows_at(dig(one, inner), route, label, bytes(one))]
                page = _page(Answer(body.json, response.headers, rows), route, len(response.body))
                return replace(page, outer=elements)
            rows = rows_at(raw, route, label, body.json)
        page = _page(Answer(body.json, response.headers, rows), route, len(response.body))
        return page if rows or not body.json else replace(page, doubtful=_doubt_of(body.json, route))
    except lenient_json.UNREADABLE as error:
        raise not_json(label, error) from None


def _doubt_of(body: bytes, route: Route) -> str:
    """What speaks against an answer without records: null above their list, where a list alone may be null for nothing;
    a message that does not say that there are none. Empty where nothing does."""
    if len(route.records) > 1 and is_null(body, route.records[:-1]):
        return "null"
    paths = (("message",), ("Message",), ("detail",))
    texts = (text_at(body, path) for path in paths) if body[:1] == b"{" else ()
    return next(
        (text for text in texts if text and text.strip().lower() not in NO_ERROR and not _NOTHING.search(text)), ""
    )


def _check_rows(rows: list[msgspec.Raw], columns: tuple[str, ...] | None, route: Route, label: str) -> None:
    """Raises TransientApiError where the text of an error came in place of a CSV, or its object in place of lines."""
    wanted = _wanted(route)
    if columns is not None:
        header = dict.fromkeys(columns, "")
        missing = next((path for path in wanted if decoded_at(header, path) is None), None)
        if missing is not None:
            raise TransientApiError(
                f"{label}: the CSV has no column '{shown_path(missing)}', but {mask_text(', '.join(columns))[:200]}.",
                hint="Check key, date_field and delimiter of the route.",
            )
    elif len(rows) == 1 and not (wanted and all(dig(bytes(rows[0]), path) is not None for path in wanted)):
        refuse_error(bytes(rows[0]), route, label, found=not wanted)


def _is_one_line(response: HttpResponse, body: bytes, route: Route) -> bool:
    """Whether a body is the only line of NDJSON: nothing calls it JSON, and the object itself has what the route names
    of a record."""
    kind = (response.headers.get("Content-Type") or "").partition(";")[0].strip().lower()
    if route.format != "auto" or "json" in kind or not body.startswith(b"{") or b"\n" in body:
        return False
    wanted = _wanted(route)
    return bool(wanted) and all(dig(body, path) is not None for path in wanted)


def _wanted(route: Route) -> list[JsonPath]:
    """What each record has to have, as far as the route says."""
    return [path for path in (*route.key, route.date_field) if path and ".".join(path) not in _item_names(route)]


def _item_names(route: Route) -> tuple[str, ...]:
    """The placeholders of for_each, which may be part of a key."""
    return route.for_each.columns if route.for_each else ()


def _nothing(route: Route, label: str, size: int) -> FetchedPage:
    if route.missing_records == "empty":
        return FetchedPage([], size=size)
    raise TransientApiError(
        f"{label}: the answer is empty.",
        hint="If this API answers so when there are no records: missing_records: empty.",
    )


def _page(answer: Answer, route: Route, size: int) -> FetchedPage:
    paging = route.paging
    more = answer.flag(paging.more)
    if more is None and (done := answer.flag(paging.done)) is not None:
        more = not done
    following = answer.cursor(paging.next)
    follows_none = (paging.style == "none" and not route.paging_declared) or (paging.linked and following is None)
    return FetchedPage(
        rows=answer.rows,
        names_more=further_page(answer.headers, answer.body) if follows_none else "",
        more=more,
        total=answer.number(paging.total),
        next=_storable(following, route) if isinstance(following, str) else following,
        size=size,
        total_pages=answer.number(paging.total_pages),
    )


def _storable(following: str, route: Route) -> str:
    """A link or cursor without credentials, since it becomes part of the stored page state."""
    found = without_credentials(following)
    head, mark, query = found.partition("?")
    names = credential_parameters(route) | ({route.auth.name} if route.auth.type == "query" else set())
    if not names or not mark:
        return found
    kept = [pair for pair in query.split("&") if unquote(pair.partition("=")[0]) not in names]
    return head + (mark if kept else "") + "&".join(kept)
