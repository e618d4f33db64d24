"""Where a listing stands and which request follows: the part of :mod:`sportmonks.api.pagination` that is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

import msgspec

from sportmonks.api.page_spec import ALL_MEMBERS, ROUTE_RULES, End, PageRules, PageSpec
from sportmonks.errors import FatalApiError, TransientApiError

# The fields of a paginator that are stored. Progress that older versions stored has the same names.
STATE = ("page", "cursor", "link", "offset", "rows", "pages", "largest", "last_mark", "promised")
# Stored only where they are not at their default; version 0.1 did not know them.
LATER_STATE = ("short", "empty_pages", "total", "total_is_wrong", "stalled", "stayed", "doubt", "skipped_page")


@dataclass
class PageState:
    """One listing as far as it was read: ``request()`` gives the page to fetch next, ``state()`` is stored.

    At the end, ``end`` says how it was known, and ``doubt`` what speaks against it; empty where nothing does.
    """

    spec: PageSpec
    rules: PageRules = ROUTE_RULES
    page: int = 0
    cursor: str | int | None = None
    link: str | None = None
    offset: int = 0
    rows: int = 0
    pages: int = 0
    largest: int = 0
    last_mark: str = ""
    promised: bool = False  # the last page promised more
    short: bool = False  # the last page with rows was shorter than a page can be
    empty_pages: int = 0  # pages in a row that stayed empty, with more behind them perhaps
    skipped_page: int = 0  # the number of the last page, where it had no rows although the one before it was full
    total: int | None = None  # the last total that an answer named
    total_is_wrong: bool = False  # more rows came than it counts
    stalled: bool = False  # the last page named itself as the next one
    stayed: bool = False  # so it did, and more is expected under the same cursor or link
    end: End | None = None
    doubt: str = ""
    _retries: int = 0
    _repeats: int = 0
    _was_stalled: bool = False  # so did the page before the last one
    _was_promised: bool = False  # the page before the last one promised more
    _full: bool = False  # the last page held as many rows as a page can
    _paged: bool = False  # some page has had a flag
    _seen: set[int | str] = field(default_factory=set)
    _cursors: set[str | int] = field(default_factory=set)
    _error: TransientApiError | None = None  # raised in place of the next request: the page before it counts

    @classmethod
    def start(cls, spec: PageSpec, state: Mapping[str, Any] | None = None, *, rules: PageRules = ROUTE_RULES) -> Self:
        """From the first page, or from where ``state`` says."""
        paginator = cls(
            spec,
            rules,
            page=spec.first if spec.style == "page" else 0,
            offset=spec.first if spec.style == "offset" else 0,
        )
        for name in (*STATE, *LATER_STATE):
            if state and name in state:
                setattr(paginator, name, state[name])
        if paginator.last_mark:
            paginator._seen.add(paginator.last_mark)
        return paginator

    def ended(self) -> bool:
        """Whether the listing is complete, so that there is no further request."""
        return self.end is not None

    def state(self) -> dict[str, Any]:
        """Where the listing stands, as JSON values."""
        later = {name: getattr(self, name) for name in LATER_STATE if getattr(self, name) not in (None, 0, False, "")}
        return {**{name: getattr(self, name) for name in STATE}, **later}

    @property
    def may_be_behind_the_end(self) -> bool:
        """Whether an error in answer to the next request may mean that there is no such page."""
        counted = self.cursor is None and not self.spec.linked
        return counted and self.pages > 0 and (not self.promised or not self.spec.flagged)

    def placeholders(self) -> dict[str, str | int | None]:
        """What the next request may name: ``page``, ``offset``, ``size``, ``cursor`` (None on the first page)."""
        spec = self.spec
        found: dict[str, str | int | None] = {"size": spec.size} if spec.size else {}
        if spec.style == "page":
            found["page"] = self.page
        elif spec.style == "offset":
            found["offset"] = self.offset
        elif spec.style == "cursor":
            found["cursor"] = self.cursor
        return found

    def request(self, query: Mapping[str, Any]) -> tuple[str | None, dict[str, Any]]:
        """(link to follow instead of the listing's path or None, query) of the next page.

        Raises FatalApiError when more pages are promised than ``max_pages`` allows, TransientApiError when the page
        before leads back to one that was read.
        """
        spec = self.spec
        if self._error is not None:
            raise self._error
        if self.promised and self.pages >= spec.max_pages:
            raise self._too_long()
        if self.link is not None:
            return self.link, {}
        sent = dict(query)
        if spec.size_parameter and spec.size:
            sent[spec.size_parameter] = str(spec.size)
        if self.cursor is not None:
            sent = {name: value for name, value in sent.items() if name not in spec.drop_with_cursor}
            sent |= self._carried()
        elif spec.style == "page":
            if self.rules.number_first_page or self.page != spec.first:
                sent[spec.parameter] = str(self.page)
        elif spec.style == "offset":
            sent[spec.parameter] = str(self.offset)
        return None, sent

    def _carried(self) -> dict[str, str]:
        """The parameters that carry the cursor: one, or with ``*`` the members of an object. Raises FatalApiError."""
        if self.spec.cursor_name != ALL_MEMBERS:
            return {self.spec.cursor_name: str(self.cursor)}
        try:
            members = msgspec.json.decode(str(self.cursor), type=dict[str, str | int | float | bool | None])
        except msgspec.MsgspecError:
            raise FatalApiError(
                "The parameters of the next page are no object of plain values.",
                hint="With parameter: '*', next is the path of such an object; else name the parameter of the cursor.",
            ) from None
        return {
            name: str(value).lower() if isinstance(value, bool) else str(value)
            for name, value in members.items()
            if value is not None
        }

    def _too_long(self) -> FatalApiError:
        return FatalApiError(
            f"The listing did not end after {self.pages} pages.",
            hint="Narrow the request (filters, period), request larger pages or raise max_pages. Where the API repeats"
            " its last page with other timestamps for ever, name those fields in hash_without.",
        )
