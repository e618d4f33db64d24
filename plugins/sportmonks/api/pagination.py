"""Paging as a small state machine: which request follows an answer, and when to stop.

Two styles. ``page``: ``page=N`` as long as ``has_more``. ``cursor``: the ``next_cursor`` of the last page, an opaque
string or a URL that holds it; a request with a cursor must carry neither ``per_page``, ``page`` nor ``order`` (400).
The API refuses offsets above 20,000 rows, so a long page listing changes over to the cursor where one is given.

The machine trusts nothing: a page that says "no result" although its predecessor promised more, a page that comes
twice or begins too early, a cursor that does not move. What may be a moment's fault is asked again; what stays
contradictory ends in an error, never in a short list. Only nothing, again and again, behind a page that was exactly
full is an end: some servers promise more whenever a page is full.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import parse_qs, urlsplit

import msgspec

from sportmonks.api.response import ApiResponse, row_id
from sportmonks.errors import FatalApiError, TransientApiError

OFFSET_LIMIT = 20_000
DEFAULT_PER_PAGE = 25
MAX_PAGES = 2_000
ASK_AGAIN = 2

_NOT_WITH_CURSOR = ("per_page", "page", "order")


class Step(StrEnum):
    """What a page means."""

    YIELD = "yield"  # good page; more may follow
    AGAIN = "again"  # ask the same page once more
    DONE = "done"  # nothing (more) there


def cursor_of(next_cursor: str) -> str:
    """The cursor itself, also out of a URL with ``cursor=``."""
    if "://" in next_cursor or "cursor=" in next_cursor:
        found = parse_qs(urlsplit(next_cursor).query or next_cursor.partition("?")[2] or next_cursor).get("cursor")
        if found:
            return found[0]
    return next_cursor


@dataclass
class Paging:
    """State of one listing. ``params()`` gives the next request, ``take(answer)`` judges what came back."""

    base: Mapping[str, str]
    use_cursor: bool = False
    max_pages: int = MAX_PAGES
    page: int = 1
    cursor: str | None = None
    finished: bool = False
    _asked_again: int = 0
    _seen: set[int] = field(default_factory=set)
    _cursors: set[str] = field(default_factory=set)
    _pages: int = 0
    _full: bool = False  # the page before held as many rows as a page can

    def params(self) -> dict[str, str]:
        """Query of the request that is due."""
        if self.cursor is not None:
            kept = {key: value for key, value in self.base.items() if key not in _NOT_WITH_CURSOR}
            return {**kept, "cursor": self.cursor}
        return dict(self.base) if self.page == 1 else {**self.base, "page": str(self.page)}

    def take(self, answer: ApiResponse) -> Step:
        """Judge the answer to ``params()`` and move on.

        Raises TransientApiError when the listing contradicts itself, FatalApiError when it cannot be read to its end.
        """
        if answer.no_result:
            if self._pages == 0:
                self.finished = True
                return Step.DONE
            if self._full and self._asked_again >= ASK_AGAIN:
                self.finished = True
                return Step.DONE
            return self._again(f"page {self._pages + 1} is empty although page {self._pages} promised more")
        said = answer.pagination.current_page if answer.pagination else None
        if self.cursor is None and said is not None and said != self.page:
            return self._again(f"page {said} came instead of page {self.page}")
        rows = {_mark(row) for row in answer.rows()}
        known = rows & self._seen
        if known == rows:
            return self._again(f"page {self._pages + 1} repeats an earlier page")
        if known and not self._asked_again:
            # Rows that were added meanwhile push others down a page, which is harmless and stays so when asked again.
            # A page that began too early has lost as many rows at its end.
            self._asked_again += 1
            return Step.AGAIN
        self._seen |= rows
        self._asked_again = 0
        self._pages += 1
        self._advance(answer)
        return Step.YIELD

    def _again(self, what: str) -> Step:
        self._asked_again += 1
        if self._asked_again > ASK_AGAIN:
            raise TransientApiError(f"The listing contradicts itself: {what}.", hint="It will be read again later.")
        return Step.AGAIN

    def _advance(self, answer: ApiResponse) -> None:
        pagination = answer.pagination
        if pagination is None or not pagination.has_more:
            self.finished = True
            return
        if self._pages >= self.max_pages:
            raise FatalApiError(
                f"The listing did not end after {self.max_pages} pages.",
                hint="Narrow the request with filters or a larger per_page.",
            )
        next_cursor = cursor_of(pagination.next_cursor) if pagination.next_cursor else None
        per_page = pagination.per_page or int(self.base.get("per_page", DEFAULT_PER_PAGE))
        self._full = len(answer.rows()) >= per_page
        beyond = self.page * per_page >= OFFSET_LIMIT
        if self.cursor is not None or ((self.use_cursor or beyond) and next_cursor):
            if next_cursor is None or next_cursor in self._cursors:
                raise TransientApiError(
                    f"The listing promised more after page {self._pages} but its cursor does not move on."
                )
            self._cursors.add(next_cursor)
            self.cursor = next_cursor
            return
        if beyond:
            raise FatalApiError(
                f"The listing is longer than the {OFFSET_LIMIT} rows that pages can reach and names no cursor.",
                hint="Narrow the request with filters (idAfter, a season, a period).",
            )
        self.page += 1


def _mark(row: msgspec.Raw) -> int:
    """The id of a row; for rows without one (top scorers) something that only an equal row shares."""
    found = row_id(row)
    return hash(bytes(row)) if found is None else found
