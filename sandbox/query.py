"""The query of a request: includes with nesting and field selection, filters, select, order, page or cursor."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

DEFAULT_PER_PAGE, MAX_PER_PAGE, MAX_POPULATE = 25, 50, 1_000
MAX_OFFSET, MAX_FILTER_IDS, MAX_DEPTH = 20_000, 50, 3
FLAG_FILTERS = ("populate", "deleted")


class ApiError(Exception):
    """A response other than 200: HTTP status, the provider's message and code, further keys of the body."""

    def __init__(self, status: int, message: str, code: int | None = None, **extra: Any) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.extra = status, message, code, extra

    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = {"message": self.message}
        if self.code is not None:
            body["code"] = self.code
            body["link"] = "https://docs.sportmonks.com/football/api/response-codes/other-exceptions"
        return body | self.extra


def invalid(field_name: str, message: str, code: int | None = None) -> ApiError:
    return ApiError(400, "The given data was invalid.", code, errors={field_name: [message]})


@dataclass
class Node:
    """One include: its name in lower case, the fields picked (empty: all) and what is nested in it."""

    name: str
    fields: tuple[str, ...] = ()
    children: dict[str, Node] = field(default_factory=dict)

    def key(self) -> str:
        inner = ";".join(child.key() for _, child in sorted(self.children.items()))
        return f"{self.name}:{','.join(self.fields)}({inner})"


@dataclass
class Query:
    """`cursor` is (rows already sent, id of the last of them, rows per page, descending)."""

    includes: dict[str, Node]
    select: tuple[str, ...]
    filters: dict[str, list[str]]
    page: int = 1
    per_page: int = DEFAULT_PER_PAGE
    descending: bool = False
    cursor: tuple[int, int, int, bool] | None = None
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def populate(self) -> bool:
        return "populate" in self.filters

    def ids(self, name: str) -> set[int] | None:
        """The ids of a filter, None when it was not given."""
        values = self.filters.get(name)
        return None if values is None else {int(value) for value in values}

    @property
    def key(self) -> str:
        return "&".join((";".join(n.key() for _, n in sorted(self.includes.items())), ",".join(self.select)))


def parse_includes(text: str) -> dict[str, Node]:
    """`participants;scores;lineups.details:type_id,data` as a tree; the fields belong to the last name of a path."""
    tree: dict[str, Node] = {}
    for item in filter(None, (part.strip() for part in text.split(";"))):
        path, _, chosen = item.partition(":")
        names = [name.strip().lower() for name in path.split(".")]
        if not all(names):
            raise invalid("include", "The include format is invalid.", 5001)
        if len(names) > MAX_DEPTH:
            raise ApiError(400, f"The include '{path}' is nested deeper than {MAX_DEPTH} levels", 5008)
        level = tree
        for depth, name in enumerate(names):
            node = level.setdefault(name, Node(name))
            if depth == len(names) - 1 and chosen:
                node.fields = tuple(sorted({*node.fields, *filter(None, chosen.split(","))}))
            level = node.children
    return tree


def parse_filters(text: str) -> dict[str, list[str]]:
    filters: dict[str, list[str]] = {}
    for item in filter(None, (part.strip() for part in text.split(";"))):
        name, colon, values = item.partition(":")
        listed = [value.strip() for value in values.split(",") if value.strip()]
        if name in FLAG_FILTERS:
            filters[name] = listed
            continue
        if not colon or not listed:
            raise invalid("filters", "The filters format is invalid.", 5006)
        if len(listed) > MAX_FILTER_IDS:
            raise invalid("filters", f"The filter {name} takes at most {MAX_FILTER_IDS} ids.", 5006)
        if not all(value.isdigit() for value in listed):
            raise invalid("filters", f"The filter {name} takes ids only.", 5006)
        filters[name] = listed
    return filters


def write_cursor(offset: int, last_id: int, per_page: int, descending: bool) -> str:
    token = msgspec.json.encode([offset, last_id, per_page, descending])
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def read_cursor(text: str) -> tuple[int, int, int, bool]:
    """From the opaque string, or from a URL that holds it."""
    if "://" in text or "cursor=" in text:
        text = parse_qs(urlsplit(text).query).get("cursor", [""])[0]
    try:
        raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=tuple[int, int, int, bool])
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise invalid("cursor", "The cursor is invalid.", 5006) from None


def _number(params: Mapping[str, str], name: str, default: int) -> int:
    text = params.get(name)
    if text is None or text == "":
        return default
    if not text.isdigit() or int(text) < 1:
        raise invalid(name, f"The {name} must be a number of at least 1.", 5006)
    return int(text)


def parse_query(params: Mapping[str, str], *, over_per_page: str = "cap") -> Query:
    """Raises ApiError 400 for what the API refuses; a `per_page` above the maximum is capped or refused."""
    includes = parse_includes(params.get("include", params.get("includes", "")))
    select = tuple(sorted(filter(None, (name.strip() for name in params.get("select", "").split(",")))))
    filters = parse_filters(params.get("filters", ""))
    query = Query(includes, select, filters, params=params)
    if "populate" in filters:
        query.includes = {}
    order = params.get("order", "asc").lower()
    if order not in ("asc", "desc"):
        raise invalid("order", "The order must be asc or desc.", 5006)
    query.descending = order == "desc"
    if params.get("cursor"):
        for other in ("page", "per_page", "order"):
            if other in params:
                raise invalid("cursor", f"The cursor cannot be combined with {other}.", 5006)
        query.cursor = read_cursor(params["cursor"])
        query.per_page, query.descending = query.cursor[2], query.cursor[3]
        return query
    query.page = _number(params, "page", 1)
    per_page = _number(params, "per_page", DEFAULT_PER_PAGE)
    most = MAX_POPULATE if query.populate else MAX_PER_PAGE
    if per_page > most and over_per_page == "refuse":
        raise invalid("per_page", f"The per_page may not be greater than {most}.", 5006)
    query.per_page = min(per_page, most)
    if (query.page - 1) * query.per_page > MAX_OFFSET:
        raise invalid("page", f"Offsets above {MAX_OFFSET} rows are refused, use the cursor.", 5006)
    return query
