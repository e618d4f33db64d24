"""Pagination as a state machine: which request follows an answer, and when a listing is complete.

:class:`PageSpec` describes how an API pages (five styles), :class:`Paginator` reads one listing of it. The Sportmonks
client and the raw routes use the same machine; :class:`PageRules` holds what differs between them.

The machine does not trust an answer: a page may be empty although more was promised, repeat an earlier page, begin too
early, or carry a cursor that does not move. What may be a passing fault is requested again. What stays contradictory
ends in an error wherever a short list could be taken for a complete one, and no listing is read endlessly.

The state of a paginator is a small JSON object, so that an interrupted run resumes at the page where it stopped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Annotated, Any, Literal
from urllib.parse import parse_qs, urlsplit

import msgspec
from msgspec import Meta

from sportmonks.api.response import ApiResponse, row_id
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import FatalApiError, TransientApiError

Style = Literal["page", "cursor", "next", "offset", "none"]

# Rows of a listing that the Sportmonks API returns by page number; beyond them only the cursor works.
ROW_LIMIT = 20_000
DEFAULT_PER_PAGE = 25
MAX_PAGES = 2_000
# A page that contradicts the one before it is requested again so many times before it counts.
MAX_RETRIES = 2
# So many repeated pages in a row end a listing whose rules let repeated pages pass.
MAX_REPEATS = 3

# The fields of a paginator that are stored. Progress that older versions stored has the same names.
STATE = ("page", "cursor", "link", "offset", "rows", "pages", "largest", "last_mark", "promised")


class Step(StrEnum):
    """What to do with the page that was taken."""

    KEEP = "keep"
    AGAIN = "again"  # drop this answer and request the same page once more
    REPEATED = "repeated"  # keep it, but its content was seen before
    END = "end"  # it holds nothing, and the listing is complete


@dataclass(frozen=True)
class PageSpec:
    """How an API pages, as a route file declares it.

    ``more``: path of the flag that says whether more pages follow; ``total``: path of the number of rows; ``next``:
    path of the next cursor or link, or ``("header", "link")`` for the Link header. Without ``more`` and ``total``, a
    listing by page or offset ends with the first page that is empty or shorter than one before it. All fields belong
    to the hash of a route's plan: a new field or default makes interrupted runs start from their beginning.
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

    def cursor_of(self, text: str) -> str:
        """The cursor itself; ``text`` may be a URL or a query that holds it."""
        name = self.cursor_name
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

    ``rows``: number of rows. ``mark``: hash of the page's content. ``row_marks``: one value per distinct row where
    rows have an identity, which also finds pages that overlap. ``number``/``per_page``: as the answer states them.
    """

    rows: int
    mark: str = ""
    more: bool | None = None
    total: int | None = None
    next: str | None = None
    row_marks: frozenset[int] = frozenset()
    number: int | None = None
    per_page: int | None = None

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


@dataclass
class Paginator:
    """One listing: ``request()`` gives the page to fetch, ``take()`` decides on its answer, ``state()`` is stored."""

    spec: PageSpec
    rules: PageRules = ROUTE_RULES
    page: int = 0
    cursor: str | None = None
    link: str | None = None
    offset: int = 0
    rows: int = 0
    pages: int = 0
    largest: int = 0
    last_mark: str = ""
    promised: bool = False  # the last page promised more
    _ended: bool = False
    _retries: int = 0
    _repeats: int = 0
    _full: bool = False  # the last page held as many rows as a page can
    _seen: set[int | str] = field(default_factory=set)
    _cursors: set[str] = field(default_factory=set)

    @classmethod
    def start(
        cls, spec: PageSpec, state: Mapping[str, Any] | None = None, *, rules: PageRules = ROUTE_RULES
    ) -> Paginator:
        """From the first page, or from where ``state`` says."""
        paginator = cls(
            spec,
            rules,
            page=spec.first if spec.style == "page" else 0,
            offset=spec.first if spec.style == "offset" else 0,
        )
        for name in STATE:
            if state and name in state:
                setattr(paginator, name, state[name])
        if paginator.last_mark:
            paginator._seen.add(paginator.last_mark)
        return paginator

    def ended(self) -> bool:
        """Whether the listing is complete, so that there is no further request."""
        return self._ended

    def state(self) -> dict[str, Any]:
        """Where the listing stands, as JSON values."""
        return {name: getattr(self, name) for name in STATE}

    def request(self, query: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
        """(link to follow instead of the listing's path or None, query) of the next page.

        Raises FatalApiError when more pages are promised than ``max_pages`` allows.
        """
        spec = self.spec
        if self.promised and self.pages >= spec.max_pages:
            raise self._too_long()
        if self.link is not None:
            return self.link, {}
        sent = dict(query)
        if spec.size_parameter and spec.size:
            sent[spec.size_parameter] = str(spec.size)
        if self.cursor is not None:
            sent = {name: value for name, value in sent.items() if name not in spec.drop_with_cursor}
            sent[spec.cursor_name] = self.cursor
        elif spec.style == "page":
            if self.rules.number_first_page or self.page != spec.first:
                sent[spec.parameter] = str(self.page)
        elif spec.style == "offset":
            sent[spec.parameter] = str(self.offset)
        return None, sent

    def take(self, info: PageInfo) -> Step:
        """Decide on the answer to ``request()`` and move on.

        Raises TransientApiError when the listing contradicts itself, FatalApiError when it cannot be read to its end.
        """
        if not info.rows:
            return self._empty(info)
        if self.cursor is None and info.number is not None and info.number != self.page:
            return self._again(f"page {info.number} came instead of page {self.page}")
        known = info.marks & self._seen
        if known == info.marks:
            return self._repeated(info)
        if known and not self._retries:
            # A page that began too early has lost as many rows at its end. Rows that were added meanwhile push others
            # onto the next page, too: that is harmless, and it stays so when the page is requested again.
            self._retries += 1
            return Step.AGAIN
        self._repeats = 0
        self._advance(info)
        return Step.KEEP

    def _again(self, contradiction: str) -> Step:
        self._retries += 1
        if self._retries > MAX_RETRIES:
            raise TransientApiError(
                f"The listing contradicts itself: {contradiction}.", hint="A later attempt requests that page again."
            )
        return Step.AGAIN

    def _empty(self, info: PageInfo) -> Step:
        if not self.rules.strict and (self.cursor is not None or self.spec.linked):
            # Such a listing ends where no successor is named; a filtered page may be empty and still name one.
            self._count_page()
            self._follow(info.next)
            return Step.KEEP
        if info.more or (self.promised and not self._total_reached(info)):
            if self.rules.strict and self._full and self._retries >= MAX_RETRIES:
                # Some servers promise more whenever a page is full.
                self._ended = True
                return Step.END
            promising = f"page {self.pages}" if self.pages else "it"
            return self._again(f"page {self.pages + 1} is empty although {promising} promised more")
        self._ended = True
        return Step.END

    def _total_reached(self, info: PageInfo) -> bool:
        """Rows were deleted while the listing was read: its own total says that nothing is left."""
        return self.spec.more is None and info.total is not None and self.rows >= info.total

    def _repeated(self, info: PageInfo) -> Step:
        if self.rules.strict:
            return self._again(f"page {self.pages + 1} repeats an earlier page")
        self._retries += 1
        if self.spec.stop_on_repeat:
            self._ended = True
            return Step.REPEATED
        if self._retries < MAX_RETRIES:
            return Step.AGAIN
        self._repeats += 1
        if self._repeats >= MAX_REPEATS:
            # Some APIs answer page numbers beyond the end with the last page.
            full_first_page = self.largest >= (self.spec.size or 0)
            if not self.promised and (self.pages > self._repeats or not full_first_page):
                self._ended = True
                return Step.REPEATED
            raise TransientApiError(
                f"The listing repeats itself: page {self.pages + 1} brings rows of an earlier page,"
                f" {MAX_REPEATS} times in a row.",
                hint="Check paging in the route (are its names those of the API?), or set stop_on_repeat.",
            )
        self._advance(info)
        return Step.REPEATED

    def _advance(self, info: PageInfo) -> None:
        self._retries = 0
        self._seen |= info.marks
        self.last_mark = info.mark
        self.rows += info.rows
        self.largest = max(self.largest, info.rows)
        self._full = info.rows >= self._size(info)
        self.promised = False
        self._count_page()
        if self.spec.style == "none":
            self._ended = True
        elif self.cursor is None and not self.spec.linked:
            self._count_on(info)
        elif self.rules.strict and not info.more:
            self._ended = True
        else:
            self._follow(info.next)

    def _size(self, info: PageInfo) -> int:
        return info.per_page or self.spec.size or 0

    def _count_page(self) -> None:
        if self.pages >= self.spec.max_pages:
            raise self._too_long()
        self.pages += 1

    def _too_long(self) -> FatalApiError:
        return FatalApiError(
            f"The listing did not end after {self.pages} pages.",
            hint="Narrow the request (filters, period), request larger pages or raise max_pages.",
        )

    def _follow(self, following: str | None) -> None:
        links = self.spec.style == "next"
        if not following:
            if self.rules.strict:
                raise TransientApiError(f"The listing promised more after page {self.pages} but names no cursor.")
            self._ended = True
            return
        if not links:
            following = self.spec.cursor_of(following)
        if following == (self.link if links else self.cursor) or following in self._cursors:
            if self.spec.stop_on_repeat:
                self._ended = True
                return
            raise TransientApiError(
                f"The listing leads back to a page that was read: its {'link' if links else 'cursor'} does not move on"
                f" after page {self.pages}.",
                hint="" if self.rules.strict else "If this API ends its listings like that, set stop_on_repeat.",
            )
        self._cursors.add(following)
        self.promised = True
        if links:
            self.link = following
        else:
            self.cursor = following

    def _count_on(self, info: PageInfo) -> None:
        """The next page number or offset, or the cursor where page numbers reach no further."""
        spec = self.spec
        if spec.more is not None and info.more is not None:
            self.promised = info.more
            self._ended = not info.more
        elif info.total is not None:
            done = self.offset - spec.first + info.rows if spec.style == "offset" else self.rows
            self.promised = done < info.total
            self._ended = not self.promised
        elif spec.more is not None:
            # The flag is gone: its API leaves it out on the last page. Behind a full one there may be more even so.
            self._ended = not (self.rules.strict and 0 < self._size(info) <= info.rows)
        else:
            # Compared with earlier pages and not with the requested size, which many APIs cap.
            self._ended = info.rows < self.largest
        if self._ended:
            return
        reached = max(self.rows, self.pages * self._size(info))
        if spec.cursor_after is not None and reached >= spec.cursor_after and info.next:
            self._follow(info.next)
        elif self.rules.row_limit is not None and reached >= self.rules.row_limit:
            raise FatalApiError(
                f"The listing is longer than the {self.rules.row_limit} rows that pages can reach and names no cursor.",
                hint="Narrow the request with filters (idAfter, a season, a period).",
            )
        self.page += 1
        self.offset += info.rows
