"""Paging as a small state machine over five styles: which request comes next, and when to stop.

Its state is small and JSON, so that a killed run goes on at the page where it stopped. A page that repeats an earlier
one is asked again once; if it stays, it is counted and passed by, and after a few in a row the listing ends: never an
endless loop, and an error wherever a short list could look whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sportmonks.errors import FatalApiError, TransientApiError
from sportmonks.routes.spec import PagingSpec

ASK_AGAIN = 2
MAX_REPEATS = 3


class Step(StrEnum):
    """What to do with a page."""

    KEEP = "keep"
    AGAIN = "again"  # ask the same page once more, drop this answer
    REPEATED = "repeated"  # keep, but its content was seen before


@dataclass(frozen=True, slots=True)
class PageInfo:
    """What an answer says about paging; None where it says nothing."""

    rows: int
    mark: str  # hash of the page's content
    more: bool | None = None
    total: int | None = None
    next: str | None = None


@dataclass
class Pager:
    """One listing. ``request()`` is the page that is due, ``take()`` judges the answer, ``state()`` can be stored."""

    spec: PagingSpec
    page: int = 0
    cursor: str | None = None
    link: str | None = None
    offset: int = 0
    rows: int = 0
    pages: int = 0
    largest: int = 0
    last_mark: str = ""
    promised: bool = False
    finished: bool = False
    _asked_again: int = 0
    _repeats: int = 0
    _seen: set[str] = field(default_factory=set)
    _cursors: set[str] = field(default_factory=set)

    @classmethod
    def start(cls, spec: PagingSpec, state: Mapping[str, Any] | None = None) -> Pager:
        """From the first page, or from where ``state`` says."""
        first = spec.first if spec.style == "page" else 0
        pager = cls(spec, page=first, offset=spec.first if spec.style == "offset" else 0)
        for name, value in (state or {}).items():
            setattr(pager, name, value)
        if pager.last_mark:
            pager._seen.add(pager.last_mark)
        return pager

    def ended(self) -> bool:
        return self.finished

    def state(self) -> dict[str, Any]:
        """Where the listing stands, as JSON values."""
        names = ("page", "cursor", "link", "offset", "rows", "pages", "largest", "last_mark", "promised")
        return {name: getattr(self, name) for name in names}

    def request(self, query: Mapping[str, str]) -> tuple[str | None, dict[str, str]]:
        """(link to follow instead of the route's path, query) of the page that is due."""
        spec = self.spec
        if self.link is not None:
            return self.link, {}
        asked = dict(query)
        if spec.size_parameter and spec.size:
            asked[spec.size_parameter] = str(spec.size)
        if self.cursor is not None:
            parameter = spec.parameter if spec.style == "cursor" else spec.cursor_parameter
            asked = {name: value for name, value in asked.items() if name not in spec.drop_with_cursor}
            asked[parameter] = self.cursor
        elif spec.style == "page":
            asked[spec.parameter] = str(self.page)
        elif spec.style == "offset":
            asked[spec.parameter] = str(self.offset)
        return None, asked

    def take(self, facts: PageInfo) -> Step:
        """Judge the answer to ``request()`` and move on.

        Raises TransientApiError when the listing contradicts itself, FatalApiError when it does not end.
        """
        if not facts.rows:
            return self._empty(facts)
        if facts.mark in self._seen:
            return self._repeated(facts)
        self._repeats = 0
        self._advance(facts)
        return Step.KEEP

    def _empty(self, facts: PageInfo) -> Step:
        if self.cursor is not None or self.spec.style in ("cursor", "next"):
            # Their end is the missing cursor; a filtered page may well be empty and lead on.
            self._count_page()
            self._follow(facts.next)
            return Step.KEEP
        if facts.more or (self.promised and not self._counted_all(facts)):
            self._asked_again += 1
            if self._asked_again <= ASK_AGAIN:
                return Step.AGAIN
            raise TransientApiError(
                f"The listing contradicts itself: page {self.pages + 1} is empty although more was promised.",
                hint="Clear the task to go on from that page.",
            )
        self.finished = True
        return Step.KEEP

    def _counted_all(self, facts: PageInfo) -> bool:
        """Rows were deleted while the listing was read: its own total says that nothing is left."""
        return self.spec.more is None and facts.total is not None and self.rows >= facts.total

    def _repeated(self, facts: PageInfo) -> Step:
        self._asked_again += 1
        if self.spec.stop_on_repeat:
            self.finished = True
            return Step.REPEATED
        if self._asked_again < ASK_AGAIN:
            return Step.AGAIN
        self._repeats += 1
        if self._repeats >= MAX_REPEATS:
            # Some APIs answer page numbers beyond the end with the last page.
            full_first_page = self.largest >= (self.spec.size or 0)
            if not self.promised and (self.pages > self._repeats or not full_first_page):
                self.finished = True
                return Step.REPEATED
            raise TransientApiError(
                f"The listing repeats itself: page {self.pages + 1} brings rows of an earlier page,"
                f" {MAX_REPEATS} times in a row.",
                hint="Check paging in the route (are its names those of the API?), or set stop_on_repeat.",
            )
        self._advance(facts)
        return Step.REPEATED

    def _advance(self, facts: PageInfo) -> None:
        spec = self.spec
        self._asked_again = 0
        self._seen.add(facts.mark)
        self.last_mark = facts.mark
        self.rows += facts.rows
        self.largest = max(self.largest, facts.rows)
        self.promised = False
        self._count_page()
        if spec.style == "none":
            self.finished = True
            return
        if self.cursor is not None or spec.style in ("cursor", "next"):
            self._follow(facts.next)
        else:
            self._count_on(facts)

    def _count_page(self) -> None:
        if self.pages >= self.spec.max_pages:
            raise FatalApiError(
                f"The listing did not end after {self.pages} pages.", hint="Narrow the period or raise max_pages."
            )
        self.pages += 1

    def _follow(self, following: str | None) -> None:
        if not following:
            self.finished = True
            return
        current = self.link if self.spec.style == "next" else self.cursor
        if self.spec.style != "next":
            following = cursor_of(following, self.spec)
        if following == current or following in self._cursors:
            if self.spec.stop_on_repeat:
                self.finished = True
                return
            raise TransientApiError(
                f"The listing leads back to a page that was read: its {self.spec.style} does not move on"
                f" after page {self.pages}.",
                hint="If this API ends its listings like that, set stop_on_repeat.",
            )
        self._cursors.add(following)
        self.promised = True
        if self.spec.style == "next":
            self.link = following
        else:
            self.cursor = following

    def _count_on(self, facts: PageInfo) -> None:
        spec = self.spec
        if spec.more is not None and facts.more is not None:
            self.promised = facts.more
            self.finished = not facts.more
        elif facts.total is not None:
            start = spec.first if spec.style == "offset" else 0
            done = self.offset - start + facts.rows if spec.style == "offset" else self.rows
            self.promised = done < facts.total
            self.finished = not self.promised
        elif spec.more is not None:
            self.finished = True  # the flag is gone: its API leaves it out on the last page
        else:
            # Short of an earlier page, not of the size asked for: APIs cap it.
            self.finished = facts.rows < self.largest
        if self.finished:
            return
        if spec.cursor_after and facts.next and self.rows >= spec.cursor_after:
            self._follow(facts.next)
        self.page += 1
        self.offset += facts.rows


def cursor_of(text: str, spec: PagingSpec) -> str:
    """The cursor itself, also out of a URL that holds it."""
    parameter = spec.parameter if spec.style == "cursor" else spec.cursor_parameter
    if "://" in text or f"{parameter}=" in text:
        found = parse_qs(urlsplit(text).query or text.lstrip("?")).get(parameter)
        if found:
            return found[0]
    return text
