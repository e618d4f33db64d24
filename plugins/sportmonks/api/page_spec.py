"""How an API pages, what an answer says about its page, and how a listing may end: the plain values of
:mod:`sportmonks.api.pagination`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Meta

from sportmonks.api.response import ApiResponse, row_id
from sportmonks.config.strict_yaml import JsonPath

Style = Literal["page", "cursor", "next", "offset", "none"]
Until = Literal["empty", "short", "total"]

# Rows of a listing that the Sportmonks API returns by page number; beyond them only the cursor works.
ROW_LIMIT = 20_000
DEFAULT_PER_PAGE = 25
MAX_PAGES = 2_000
# In place of the name of a cursor's parameter: the cursor is an object of parameters.
ALL_MEMBERS = "*"


class Step(StrEnum):
    """What to do with the page that was taken."""

    KEEP = "keep"
    AGAIN = "again"  # drop this answer and request the same page once more
    REPEATED = "repeated"  # keep it, but its content was seen before
    END = "end"  # nothing of it counts, and the listing is complete


class End(StrEnum):
    """How the end of a listing was known."""

    EMPTY_PAGE = "empty_page"
    SHORT_PAGE = "short_page"  # only where the route declares ``until: short``
    TOTAL = "total"
    NO_NEXT = "no_next"
    FLAG = "flag"
    ERROR_BEHIND_END = "error_behind_end"
    REPEATED_PAGE = "repeated_page"  # page numbers behind the end are answered with a page that was read
    REPEATED_CURSOR = "repeated_cursor"  # the last page names itself as the next one
    ONE_PAGE = "one_page"  # the API does not page


@dataclass(frozen=True)
class PageSpec:
    """How an API pages, as a route file declares it.

    ``more``: path of the flag that says whether more pages follow; ``done``: of the one that says that none does;
    ``total``, ``total_pages``: path of the number of rows or pages; ``next``: path of the next cursor or link. A path
    begins at the top of the body; ``header.NAME`` is a header of the answer (``header.link``: the link of ``rel=next``)
    and ``last.PATH`` a field of the last record.

    ``until`` says what is an end by page number or offset: ``empty``, only an empty page; ``short``, the first page
    that is shorter than one before it; ``total``, the total and nothing else. Without it, flags and totals are used,
    what they leave open is requested once more, and what contradicts them is reported (``Paginator.doubt``). Where
    pages name their successor, ``empty`` makes an empty page the end as well, and the same cursor may come with each.

    A cursor with the parameter ``*`` is an object whose members are the parameters of the next page.

    All fields belong to the hash of a route's plan, those added after version 0.1 where they are not at their default.
    """

    style: Style = "none"
    parameter: str = ""
    first: Annotated[int, Meta(ge=0, le=1_000_000)] = 1
    size_parameter: str | None = None
    size: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None
    more: JsonPath | None = None
    total: JsonPath | None = None
    next: JsonPath | None = None
    drop_with_cursor: tuple[str, ...] = ()
    # Rows that page numbers can reach; then the cursor takes over.
    cursor_after: Annotated[int, Meta(ge=1, le=1_000_000_000)] | None = None
    cursor_parameter: str = "cursor"
    stop_on_repeat: bool = False
    max_pages: Annotated[int, Meta(ge=1, le=10_000_000)] = 100_000
    until: Until | None = None
    done: JsonPath | None = None
    total_pages: JsonPath | None = None

    def cursor_of(self, text: str | int) -> str | int:
        """The cursor itself; ``text`` may be a URL or a query that holds it."""
        name = self.cursor_name
        if isinstance(text, int) or not name:
            return text
        if "://" in text or f"{name}=" in text:
            found = parse_qs(urlsplit(text).query or text.lstrip("?")).get(name)
            if found:
                return found[0]
        return text

    @property
    def cursor_name(self) -> str:
        """The request parameter that carries the cursor."""
        return self.parameter if self.style == "cursor" else self.cursor_parameter

    @property
    def linked(self) -> bool:
        """Whether every page names its successor, so that a missing name is the end."""
        return self.style in ("cursor", "next")

    @property
    def flagged(self) -> bool:
        """Whether answers have a flag for the end."""
        return self.more is not None or self.done is not None


# Sportmonks API v3: ``page=N`` as long as ``has_more``. A request with a cursor and one of the dropped parameters is
# answered with 400.
V3_PAGES = PageSpec(
    style="page",
    parameter="page",
    size_parameter="per_page",
    size=50,
    more=("pagination", "has_more"),
    next=("pagination", "next_cursor"),
    drop_with_cursor=("per_page", "page", "order"),
    cursor_after=ROW_LIMIT,
)


@dataclass(frozen=True, slots=True)
class PageRules:
    """What a listing has to keep to; the defaults are those of a raw route, whose API is unknown.

    ``strict``: every page brings new rows and says whether more follow. A repeated page, or an empty one before the
    end, is then an error instead of being passed over. ``number_first_page``: whether the first request carries its
    page number. ``row_limit``: rows after which a listing without a cursor cannot go on; None = no such limit.
    """

    strict: bool = False
    number_first_page: bool = True
    row_limit: int | None = None


ROUTE_RULES = PageRules()
V3_RULES = PageRules(strict=True, number_first_page=False, row_limit=ROW_LIMIT)


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What an answer says about its page; None where it says nothing.

    ``refused``: the HTTP status of an error that may mean that the page lies behind the end. ``rows``: number of rows.
    ``mark``: hash of the page's content. ``row_marks``: one value per distinct row where rows have an identity, which
    also finds pages that overlap. ``number``/``per_page``: as the answer states them. ``doubtful``: no rows, in a way
    that may be a failure.
    """

    rows: int
    mark: str = ""
    more: bool | None = None
    total: int | None = None
    next: str | int | None = None
    row_marks: frozenset[int] = frozenset()
    number: int | None = None
    per_page: int | None = None
    total_pages: int | None = None
    refused: int | None = None
    doubtful: bool = False

    @property
    def marks(self) -> frozenset[int | str]:
        return self.row_marks or frozenset((self.mark,))


def sportmonks_pages(params: Mapping[str, str], *, cursor: bool = False, max_pages: int = MAX_PAGES) -> PageSpec:
    """The pages of a listing that is requested with ``params``. ``cursor``: use the cursor from the second page on."""
    return replace(
        V3_PAGES,
        size_parameter=None,  # ``params`` hold it
        size=int(params.get("per_page", DEFAULT_PER_PAGE)),
        cursor_after=0 if cursor else ROW_LIMIT,
        max_pages=max_pages,
    )


def page_info(response: ApiResponse) -> PageInfo:
    """What a Sportmonks answer says about its page."""
    rows = response.rows()
    pagination = response.pagination
    if response.no_result or pagination is None:
        return PageInfo(len(rows), row_marks=_row_marks(rows))
    return PageInfo(
        len(rows),
        more=pagination.has_more,
        next=pagination.next_cursor,
        row_marks=_row_marks(rows),
        number=pagination.current_page,
        per_page=pagination.per_page,
    )


def _row_marks(rows: list[msgspec.Raw]) -> frozenset[int]:
    """The ids of the rows; for a row without one (top scorers) a hash of its content."""
    ids = ((row, row_id(row)) for row in rows)
    return frozenset(hash(bytes(row)) if found is None else found for row, found in ids)
