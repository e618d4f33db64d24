"""Reads the envelope of an answer and leaves its rows undecoded.

A batch of 50 fixtures is about 7 MB of JSON. Its rows go to PostgreSQL as they came, so they stay
``msgspec.Raw`` (slices of the body): no Python object is built for them.

The form of the envelope differs between endpoints and years. Every form that was seen or is documented is read here:
``data`` missing, ``[]`` or null with a message (no result), ``meta`` as object or list, ``rate_limit`` absent,
numbers as strings, the rate limit in headers only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import msgspec

from sportmonks import lenient_json
from sportmonks.coerce import as_bool, as_delay, as_int, as_seconds, clean_text
from sportmonks.redaction import mask_text

# The text of "no result" has changed over the years; these words are in all versions.
NO_RESULT_WORDS = "no result"


class MalformedResponseError(ValueError):
    """The body is not the JSON envelope of this API; the text names what it is instead and never shows its content."""


@dataclass(frozen=True, slots=True)
class Pagination:
    """The pagination of one page; None where the answer gives nothing."""

    count: int | None = None
    per_page: int | None = None
    current_page: int | None = None
    next_page: str | None = None
    has_more: bool = False
    next_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class RateLimit:
    """What the API reports about its budget; ``limit`` is in a header or the body of a 429 only."""

    remaining: int | None = None
    resets_in_seconds: float | None = None
    requested_entity: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class DecodedRows:
    """The rows of an answer that are objects. ``repaired``: what was replaced in them; ``unreadable``: why rows cannot
    be decoded; both one text for each, for people."""

    objects: list[dict[str, Any]] = field(default_factory=list)
    repaired: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)


# A body as it came, in gzip.
PackedBody: TypeAlias = bytes


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """One decoded answer.

    ``data``: a Raw object (by id), a list of Raw rows (lists), None on no result. ``no_result``: the API reports no
    result or sends an empty list, which does not prove that there is nothing (see :mod:`sportmonks.api.pagination`).
    ``includes``: those that the call requested in the end, without refused ones. ``packed``: the body as it came, in
    gzip, None when it came otherwise.
    """

    data: msgspec.Raw | list[msgspec.Raw] | None
    message: str = ""
    pagination: Pagination | None = None
    rate_limit: RateLimit = field(default_factory=RateLimit)
    no_result: bool = False
    status: int = 200
    size: int = 0
    includes: tuple[str, ...] = ()
    packed: bytes | None = None

    def rows(self) -> list[msgspec.Raw]:
        """The rows of a list; a single object as a list of one; an empty list on no result."""
        if self.data is None:
            return []
        return self.data if isinstance(self.data, list) else [self.data]

    @property
    def lacking(self) -> int:
        """How many rows the answer counts for its page and does not hold: a part of it came, as if it were all."""
        page = self.pagination
        if page is None or page.count is None or page.per_page is None or page.count > page.per_page:
            return 0  # a count beyond the page is that of the listing
        return max(0, page.count - len(self.rows()))

    def read(self) -> DecodedRows:
        """The decoded rows, each repaired by itself where that is necessary."""
        found = DecodedRows()
        for position, row in enumerate(self.rows(), start=1):
            try:
                decoded, flaws = lenient_json.decode(row)
            except lenient_json.UNREADABLE as error:
                found.unreadable.append(f"row {position}: {error}")
                continue
            if isinstance(decoded, dict):
                found.objects.append(decoded)
                found.repaired.extend(f"row {position} (id {decoded.get('id')}): {flaw}" for flaw in flaws)
        return found

    def objects(self) -> list[dict[str, Any]]:
        """The decoded rows; rows that cannot be read and rows that are not objects are left out."""
        return self.read().objects


@dataclass(frozen=True, slots=True)
class Envelope:
    """The top level of any JSON answer, errors included; see ``read_envelope``.

    ``rows``: ``data``, where that is a list of valid JSON; it is not among the ``parts`` then.
    """

    parts: dict[str, msgspec.Raw]
    code: int | None
    message: str
    retry_after: float | None
    rate_limit: RateLimit
    rows: list[msgspec.Raw] | None = None

    @property
    def has_data(self) -> bool:
        return self.rows is not None or "data" in self.parts

    @property
    def is_error(self) -> bool:
        """Whether an answer without rows names an error: it must not look like an empty list."""
        if bytes(self.parts.get("data", msgspec.Raw(b"null"))).strip() not in (b"null", b"[]", b"{}"):
            return False
        named = any(_loose(self.parts.get(name)) for name in ("errors", "error"))
        return named or _loose(self.parts.get("status")) in ("error", "failed")


class _Head(msgspec.Struct):
    id: Any = None


# Rows begin with their id as a rule. Finding it there saves a scan of everything behind it.
_FIRST_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*([1-9][0-9]{0,17})\s*[,}]')


def row_id(row: msgspec.Raw) -> int | None:
    """The ``id`` of a row without decoding the rest; None when it has none."""
    if first := _FIRST_ID.match(memoryview(row)):
        return int(first[1])
    try:
        return as_int(msgspec.json.decode(row, type=_Head).id)
    except lenient_json.UNREADABLE:
        pass
    try:
        return as_int(_loose(lenient_json.members(row).get("id")))
    except lenient_json.UNREADABLE:
        return None


def _loose(raw: msgspec.Raw | None) -> Any:
    return None if raw is None else lenient_json.decode(raw)[0]


def _rate_limit(parts: Mapping[str, msgspec.Raw], headers: Mapping[str, str]) -> RateLimit:
    body = _loose(parts.get("rate_limit"))
    body = body if isinstance(body, dict) else {}
    entity = body.get("requested_entity")
    remaining = as_int(body.get("remaining"))
    if remaining is None:
        remaining = as_int(headers.get("X-RateLimit-Remaining"))
    limit = as_int(headers.get("X-RateLimit-Limit"))
    if limit is None:
        limit = as_int(body.get("total", body.get("limit")))
    return RateLimit(
        remaining=None if remaining is None else max(0, remaining),
        resets_in_seconds=as_seconds(body.get("resets_in_seconds")),
        requested_entity=entity if isinstance(entity, str) and entity else None,
        limit=limit if limit and limit > 0 else None,
    )


def _pagination(raw: msgspec.Raw | None) -> Pagination | None:
    body = _loose(raw)
    if not isinstance(body, dict):
        return None
    next_page = body.get("next_page")
    cursor = body.get("next_cursor")
    has_more = as_bool(body.get("has_more"))
    return Pagination(
        count=as_int(body.get("count")),
        per_page=as_int(body.get("per_page")),
        current_page=as_int(body.get("current_page")),
        next_page=next_page if isinstance(next_page, str) and next_page else None,
        # Without the flag, a next page or cursor means that there is more.
        has_more=has_more if has_more is not None else bool(next_page or cursor),
        next_cursor=str(cursor) if cursor else None,
    )


def _message(parts: Mapping[str, msgspec.Raw]) -> str:
    for key in ("message", "error"):
        value = _loose(parts.get(key))
        if isinstance(value, str) and value:
            break
    else:
        return ""
    errors = _loose(parts.get("errors"))
    if isinstance(errors, dict):
        texts = [str(text) for each in errors.values() for text in (each if isinstance(each, list) else [each])]
        value = " ".join([value, *texts])
    # Masked before it is cut: half a key would not be found.
    return mask_text(clean_text(value))[:500]


def read_envelope(body: bytes, headers: Mapping[str, str]) -> Envelope:
    """The top level of a JSON answer. ``headers`` should look up names without regard to case.

    Raises MalformedResponseError for everything that is not a JSON object: HTML, truncated or broken text.
    """
    if body.startswith(b"\xef\xbb\xbf"):
        body = body[3:]
    try:
        parts, rows = _parts(body)
        code = as_int(_loose(parts.get("code")))
        retry_after = as_delay(_loose(parts.get("retry_after")))
        return Envelope(parts, code, _message(parts), retry_after, _rate_limit(parts, headers), rows)
    except lenient_json.UNREADABLE as error:
        if not body.strip():
            what = "the answer is empty"
        elif body.lstrip()[:1] == b"<":
            what = "the answer is a web page, not JSON"
        else:
            what = f"the answer is not valid JSON ({error})"
        raise MalformedResponseError(what) from None


_ABSENT = msgspec.Raw(b"")


class _Page(msgspec.Struct):
    """An answer with rows, and the other keys that are read here."""

    data: list[msgspec.Raw]
    code: msgspec.Raw = _ABSENT
    status: msgspec.Raw = _ABSENT
    message: msgspec.Raw = _ABSENT
    error: msgspec.Raw = _ABSENT
    errors: msgspec.Raw = _ABSENT
    retry_after: msgspec.Raw = _ABSENT
    rate_limit: msgspec.Raw = _ABSENT
    pagination: msgspec.Raw = _ABSENT


_page = msgspec.json.Decoder(_Page)


def _parts(body: bytes) -> tuple[dict[str, msgspec.Raw], list[msgspec.Raw] | None]:
    """The top level of a body, and its rows if ``data`` is a list. Rows with values that the decoder refuses stay as
    they came: who reads a row repairs it, or leaves it out by its id."""
    try:
        if not body.isascii():
            body.decode("utf-8")  # undecoded slices are not checked
        try:
            page = _page.decode(body)
        except msgspec.ValidationError:
            return msgspec.json.decode(body, type=dict[str, msgspec.Raw]), None
        members = msgspec.structs.asdict(page)
        rows: list[msgspec.Raw] = members.pop("data")
        return {name: value for name, value in members.items() if value is not _ABSENT}, rows
    except lenient_json.UNREADABLE:
        lenient_json.check(body)
        return lenient_json.members(body), None


def read_response(envelope: Envelope, *, status: int, size: int, packed: bytes | None = None) -> ApiResponse:
    """The answer of an envelope whose decision is OK.

    Raises MalformedResponseError when ``data`` is neither object, list nor null.
    """
    raw = envelope.parts.get("data")
    data: msgspec.Raw | list[msgspec.Raw] | None = envelope.rows
    if raw is not None:
        first = bytes(memoryview(raw)[:1])
        try:
            if first == b"[":
                data = lenient_json.elements(raw)
            elif first == b"{":
                rows = lenient_json.listed(raw)
                data = raw if rows is None else rows
            elif first != b"n":
                raise MalformedResponseError("'data' is neither an object nor a list")
        except msgspec.MsgspecError as error:
            raise MalformedResponseError(f"'data' is not valid JSON ({error})") from None
    return ApiResponse(
        data=data,
        message=envelope.message,
        pagination=_pagination(envelope.parts.get("pagination")),
        rate_limit=envelope.rate_limit,
        no_result=not data,
        status=status,
        size=size,
        packed=packed,
    )
