"""One answer of an unknown API: its records undecoded, what it says about paging, and the errors that hide in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

import msgspec

from sportmonks import lenient_json
from sportmonks.api.transport import HttpResponse
from sportmonks.coerce import as_delay, as_rows
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import FatalApiError, TransientApiError
from sportmonks.redaction import mask_text, without_credentials
from sportmonks.routes.body import not_json, read_body
from sportmonks.routes.guess import further_page
from sportmonks.routes.json_path import Answer, decoded_at, dig, is_null, keys, shown_path, text_at, value_at
from sportmonks.routes.limits import is_throttled, texts_alone
from sportmonks.routes.request import credential_parameters
from sportmonks.routes.spec import Route

# Where a text or a non-empty value is an error whatever else the answer holds, and flags that say so when false.
ERROR_FIELDS: tuple[JsonPath, ...] = (
    ("errors",), ("error",), ("error_message",), ("errorMessage",), ("error_description",), ("errorMessages",),
    ("fault",), ("timed_out",), ("_shards", "failed"),
)  # fmt: skip
_MESSAGES = (("message",), ("Message",), ("error", "message"), ("detail",), ("title",))
_SUCCESS = ("success", "ok", "Success", "succeeded")
_CODES = ("code", "errcode", "errno", "error_code", "ret")
_CODE_MESSAGES = ("msg", "message", "errmsg", "error_msg")
# Codes of success: 0, 00000, 200, 201, 20000.
_GOOD_CODE = re.compile(r"0+|2\d\d|20+|\D.*")
_LIST_OF_OBJECTS = re.compile(rb"\[\s*\{")
_EMPTY = (b"[]", b"{}", b"null")
_WORD = re.compile(r"[^\W\d_]{2,}")
_SENTENCE_WORDS = 4  # fewer may be a name, or a time with its day, month and zone
# How a message says that there are no records, or that all went well.
_NOTHING = re.compile(r"\b(?:no|none|nothing|zero|0|empty|success\w*|ok)\b|not found|without", re.I)
_NO_ERROR = ("", "0", "false", "none", "null", "no", "ok", "success", "no error", "n/a")


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
                raise _error(label, mask_text(body.json[:4_000].decode("utf-8", "replace"))[:200], route)
            if not found and route.missing_records == "empty" and route.error_fields is None:
                _refuse_note(body.json, label)
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
        (text for text in texts if text and text.strip().lower() not in _NO_ERROR and not _NOTHING.search(text)), ""
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


def nested_at(body: bytes, path: JsonPath) -> tuple[list[msgspec.Raw], JsonPath] | None:
    """The list that a path to the records leads through, and the rest of the path: ``orders.lines`` are the lines of
    all orders. None where it leads through no list."""
    for depth in range(1, len(path)):
        raw = dig(body, path[:depth])
        if raw is not None and bytes(memoryview(raw)[:1]) == b"[":
            return lenient_json.elements(raw), path[depth:]
    return None


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


def refuse_error(body: bytes, route: Route, label: str, *, found: bool, empty: bool = False) -> None:
    """Raises TransientApiError when the answer holds an error: an error must not look like an empty day. ``found``:
    whether the records are there, beside which a ``message`` is no error. ``empty``: whether there is none, beside
    which a ``code`` with a message is one."""
    if body[:1] != b"{":
        return
    top = lenient_json.members(body)
    paths = route.error_fields
    if paths is None:
        paths = ERROR_FIELDS if found else (*ERROR_FIELDS, *_MESSAGES)
        # An object that leads to the records may have an error of its own.
        leading = [route.records[:depth] for depth in range(1, len(route.records))]
        paths = (*paths, *(before + path for before in leading for path in ERROR_FIELDS))
        if route.records:  # else the answer is the record itself, which may have a status of its own
            _refuse_status(body, top, route, label)
            if empty:
                _refuse_code(body, top, route, label)
    for path in paths:
        if path == route.records[: len(path)] or not any(key.startswith(path[0].partition("[")[0]) for key in top):
            continue
        value = value_at(body, path)
        if value is None or value is False or value in (0, [], {}):
            continue
        if isinstance(value, str) and value.strip().lower() in _NO_ERROR:
            continue
        raise _error(label, f"{shown_path(path)}: {_short(value)}", route)


def _refuse_status(body: bytes, top: Mapping[str, msgspec.Raw], route: Route, label: str) -> None:
    for name in _SUCCESS:
        if name in top and (name,) != route.records and value_at(body, (name,)) is False:
            raise _error(label, f"{name} is false{_with_message(body)}", route)
    status = value_at(body, ("status",)) if "status" in top else None
    if (isinstance(status, int) and not isinstance(status, bool) and 400 <= status < 600) or (
        isinstance(status, str) and status.lower() in ("error", "fail", "failed", "failure")
    ):
        raise _error(label, f"status is {status}{_with_message(body)}", route)


def _refuse_code(body: bytes, top: Mapping[str, msgspec.Raw], route: Route, label: str) -> None:
    code = next((text for name in _CODES if name in top and (text := text_at(body, (name,))) is not None), None)
    text = next((text for name in _CODE_MESSAGES if name in top and (text := text_at(body, (name,)))), "")
    if code is not None and not _GOOD_CODE.fullmatch(code) and text.strip().lower() not in _NO_ERROR:
        raise _error(label, f"code is {code}: {text}", route)


def _refuse_note(body: bytes, label: str) -> None:
    """Raises TransientApiError where an answer without the list holds nothing but texts, and one of them is a sentence:
    it may be a refusal by a name and in words that are not known."""
    for name, text in texts_alone(body).items():
        if len(_WORD.findall(text)) >= _SENTENCE_WORDS:
            raise TransientApiError(
                f"{label}: the answer has no records, but a text ({mask_text(f'{name}: {text}')[:300]}).",
                hint="If this API answers so when there are no records: error_fields: [] in the route.",
            )


def _error(label: str, what: str, route: Route) -> TransientApiError:
    own = "" if route.error_fields is not None else " If that is no error: error_fields in the route."
    return TransientApiError(f"{label}: the answer holds an error ({mask_text(what)[:300]}).", hint=own.strip())


def _with_message(body: bytes) -> str:
    text = next(filter(None, (text_at(body, path) for path in (*_MESSAGES, ("error",)))), None)
    return f": {text}" if text else ""


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        for name in ("message", "detail", "title", "description", "info", "code"):
            if isinstance(value.get(name), str | int):
                return str(value[name])
    if isinstance(value, list) and value:
        return _short(value[0])
    return str(value)


def message_of(body: bytes) -> str:
    """The message in the body of an error, short and masked; nothing else of the body."""
    try:
        texts = ("error", "error_description", "error_message", "errorMessage", "msg", "errmsg", "reason")
        for path in (*_MESSAGES, *((text,) for text in texts), ("errors", "message")):
            if text := text_at(body.strip(), path):
                return f" ({mask_text(text)[:200]})"
        if errors := value_at(body.strip(), ("errors",)):
            return f" ({mask_text(_short(errors))[:200]})"
    except lenient_json.UNREADABLE:
        pass
    return ""


def wait_in_body(body: bytes) -> float | None:
    """Seconds to wait that the body of a refusal names; None when it names none."""
    try:
        named = (value_at(body.strip(), path) for path in (("retry_after",), ("parameters", "retry_after")))
        return next((delay for value in named if (delay := as_delay(value)) is not None), None)
    except lenient_json.UNREADABLE:
        return None


def backoff_in_body(body: bytes) -> float | None:
    """Seconds to wait before the next request that a good answer names as ``backoff``; None when it names none."""
    if b'"backoff"' not in body:
        return None
    try:
        return as_delay(value_at(body.strip(), ("backoff",)))
    except lenient_json.UNREADABLE:
        return None


def rows_at(raw: msgspec.Raw | None, route: Route, label: str, body: bytes = b"") -> list[msgspec.Raw]:
    """The records that were found at ``records``, in the form that ``records_as`` says.

    Raises FatalApiError when there are none, unless the route declares that as empty: a wrong path must not look like
    an empty answer. ``body`` serves that error and a null at the path; ``label`` is the path of the request.
    """
    first = b"" if raw is None else bytes(memoryview(raw)[:1])
    if raw is not None and first == b"[":
        rows = lenient_json.elements(raw)
        if route.fields:
            return _named(rows, route, label, body)
        if any(_LIST_OF_OBJECTS.match(memoryview(row)) for row in rows):
            raise FatalApiError(
                f"{label}: at '{shown_path(route.records)}' are lists of records among the records.",
                hint="Write which one it is, such as records: '[1]'.",
            )
        return rows
    if raw is not None and first == b"{":
        return _of_object(raw, route, label)
    path = shown_path(route.records)
    if raw is None and (route.missing_records == "empty" or is_null(body, route.records)):
        return []
    there = mask_text(f" The answer has: {', '.join(sorted(keys(body))[:12])}.") if body else ""
    raise FatalApiError(
        f"{label}: there is no list at '{path}'.{there}",
        hint="Correct records in the route; if the API leaves it out on no result: missing_records: empty.",
    )


def _of_object(raw: msgspec.Raw, route: Route, label: str) -> list[msgspec.Raw]:
    if route.records_as == "object":
        return [raw]
    if route.records_as == "values":
        return _values(lenient_json.members(raw))
    listed = lenient_json.listed(raw)
    if listed is not None and route.records:
        return listed
    members = lenient_json.members(raw)
    objects = sum(bytes(memoryview(value)[:1]) == b"{" for value in members.values())
    lists = sum(_LIST_OF_OBJECTS.match(memoryview(value)) is not None for value in members.values())
    if route.records_as == "auto" and len(members) in (objects, lists) and len(members) > 1:
        kind = "objects" if objects else "lists of objects"
        raise FatalApiError(
            f"{label}: at '{shown_path(route.records)}' is an object of {len(members)} {kind}, and not a list.",
            hint="Say what it is: records_as: values (each is a record) or records_as: object (it is one record).",
        )
    return [raw]


def _values(members: Mapping[str, msgspec.Raw]) -> list[msgspec.Raw]:
    """Each value as a record; of lists of objects (by day, say), each of their elements."""
    if not any(_LIST_OF_OBJECTS.match(memoryview(value)) for value in members.values()):
        return [_with_key(key, value) for key, value in members.items()]
    lists = ((key, bytes(memoryview(value)[:1]) == b"[", value) for key, value in members.items())
    return [
        _with_key(key, one) for key, many, value in lists for one in (lenient_json.elements(value) if many else [value])
    ]


def _with_key(key: str, value: msgspec.Raw) -> msgspec.Raw:
    """A value of an object as a record that knows its key, as ``_key``; what is no object, as ``_value``."""
    text, name = bytes(value).strip(), msgspec.json.encode(key)
    if text[:1] != b"{":
        return msgspec.Raw(b'{"_key":%s,"_value":%s}' % (name, text))
    rest = text[1:].lstrip()
    return msgspec.Raw(b'{"_key":%s%s%s' % (name, b"" if rest == b"}" else b",", rest))


def _named(rows: list[msgspec.Raw], route: Route, label: str, body: bytes) -> list[msgspec.Raw]:
    """Lists of values as objects under the route's ``fields``: names, ``header`` (the first list) or a path."""
    names: list[str] = list(route.fields)
    if names == ["header"]:
        names, rows = ([str(name) for name in lenient_json.decode(rows[0])[0]], rows[1:]) if rows else ([], [])
    elif len(names) == 1 and names[0].startswith("."):
        given = as_rows(value_at(body, tuple(names[0][1:].split(".")))) or []
        names = [str(one.get("name", "") if isinstance(one, Mapping) else one) for one in given]
        if not names:
            raise FatalApiError(f"{label}: there are no names at '{route.fields[0]}'.", hint="Correct fields.")
    keyed = [msgspec.json.encode(name) for name in names]
    found = []
    for row in rows:
        values = lenient_json.elements(row) if bytes(memoryview(row)[:1]) == b"[" else []
        pairs = b",".join(b"%s:%s" % (name, bytes(value)) for name, value in zip(keyed, values, strict=False))
        # Another number of values stays a list, which is no record and is rejected as it came.
        found.append(msgspec.Raw(b"{%s}" % pairs) if len(values) == len(keyed) else row)
    return found
