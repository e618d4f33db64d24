"""Pagination as a state machine: which request follows an answer, and when a listing is complete.

:class:`PageSpec` describes how an API pages (five styles), :class:`Paginator` reads one listing of it. The Sportmonks
client and the raw routes use the same machine; :class:`PageRules` holds what differs between them.

The machine does not trust an answer: a page may be empty although more was promised, repeat an earlier page, begin too
early, or carry a cursor that does not move. What may be a passing fault is requested again. What stays contradictory
ends in an error wherever a short list could be taken for a complete one, or is reported where the API's own figures
are known to be wrong often (``doubt``), and no listing is read endlessly.

=======================  ============================================================================================
by page or offset        what follows
=======================  ============================================================================================
flag says the last page  the end
total reached            the end behind a short page; behind a full one, the next page is requested: totals are capped
total exceeded           it is ignored from then on
1,000 or 10,000 rows     exactly, the last page full and no flag at its end: a doubt, since listings are capped there
short page               the next page is requested
empty page               the end where a total or a short page agrees; else it is requested again, and behind a full
                         page one page further is requested as well: rows there are a doubt; where the page before has
                         promised more and this one says that it is the last, the end behind a full page
empty, total not reached requested again, then one page further; the end with a doubt
400, 404, 410, 416, 422  behind a page that promised nothing: requested again, then the end; with a doubt where a total
                         promised more, or where another status than "not found" comes behind a full page
first page, null or note requested again, where null is above its rows, or a message speaks of something else
"not found"              behind a full page, one page further is requested as well: rows there are a doubt
page that was read       behind a short page, or three times in a row: the end; with a doubt behind a full one, or where
                         other pages follow
=======================  ============================================================================================

The state of a paginator is a small JSON object, so that an interrupted run resumes at the page where it stopped.
"""

from __future__ import annotations

from dataclasses import dataclass

from sportmonks.api.page_spec import End, PageInfo, Step
from sportmonks.api.page_state import PageState
from sportmonks.errors import FatalApiError, TransientApiError

# A page that contradicts the one before it is requested again so many times before it counts.
MAX_RETRIES = 2
# Statuses that say that there is no such page. Others may say that no further page is shown, although there is one.
_NOT_FOUND = (404, 410)
# So many repeated pages in a row end a listing whose rules let repeated pages pass.
MAX_REPEATS = 3
# So many pages in a row may name a further one and have no rows, as those of a filtered listing do.
MAX_EMPTY_PAGES = 1_000
# What search APIs often count and show at most: a total of just that, reached with a full page, proves nothing.
_USUAL_LIMITS = (1_000, 10_000)


@dataclass
class Paginator(PageState):
    """One listing: ``request()`` gives the page to fetch, ``take()`` decides on its answer."""

    def take(self, info: PageInfo) -> Step:
        """Decide on the answer to ``request()`` and move on.

        Raises TransientApiError when the listing contradicts itself, FatalApiError when it cannot be read to its end.
        """
        if info.total is not None:
            self._compare_totals(info)
            if info.total or info.rows or not self.pages:  # the total of an empty page may count that page
                self.total = info.total
        if info.refused is not None:
            return self._refused(info.refused)
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
        if self.skipped_page:
            self.doubt = f"page {self.skipped_page} stayed without rows, and there are rows behind it"
            self.skipped_page = 0
        if self._repeats:
            self.doubt = f"page {self.pages} brought rows of an earlier page, and its own may have been others"
        self._repeats = 0
        self._advance(info)
        return Step.KEEP

    def _compare_totals(self, info: PageInfo) -> None:
        """Rows that are deleted while it reads move others onto pages that were read. A total of 0 behind the last page
        says nothing."""
        counted = self._counted_by_total() and self._total_promises_more() and (info.total or info.rows)
        if counted and self.pages and info.total < self.total:  # type: ignore[operator]
            self.doubt = self.doubt or (
                f"the API counted {self.total} records, and {info.total} at page {self.pages + 1}: where some were"
                " deleted, others may have moved onto a page that was read (if it estimates its total: until: empty)"
            )

    def _again(self, contradiction: str) -> Step:
        self._retries += 1
        if self._retries > MAX_RETRIES:
            raise TransientApiError(
                f"The listing contradicts itself: {contradiction}.", hint="A later attempt requests that page again."
            )
        return Step.AGAIN

    def _finish(self, end: End) -> Step:
        self.end = end
        if self._total_promises_more() and self.spec.until is None:
            self.doubt = self.doubt or f"the API counts {self.total} records, and {self.rows} came"
        elif self.rows in _USUAL_LIMITS and not self.short and self._may_be_capped(end):
            self.doubt = self.doubt or (
                f"exactly {self.rows} records is what many APIs count and show at most"
                + ("" if self.total is not None else " (if it is none: until: empty)")
            )
        return Step.END

    def _may_be_capped(self, end: End) -> bool:
        """Whether a listing that ends with a full page ends only because the API shows no more."""
        if self.total is not None:
            return self.rows == self.total and self._counted_by_total()
        ends = (End.NO_NEXT,) if self.spec.linked else (End.EMPTY_PAGE, End.ERROR_BEHIND_END)
        return end in ends and self.spec.until is None and not self.rules.strict

    def _counted_by_total(self) -> bool:
        return not self.spec.linked and self.cursor is None and self.spec.until in (None, "total")

    def _total_promises_more(self) -> bool:
        return self.total is not None and not self.total_is_wrong and self.rows < self.total

    def _refused(self, status: int) -> Step:
        """The API has no such page. It is requested again unless the page before was short already."""
        if self.spec.until == "total" and self._total_promises_more():
            return self._again(f"page {self.pages + 1} was refused, {self.rows} records of {self.total} came")
        if not (self._retries or (self.short and not self.promised) or self.empty_pages):
            self._retries += 1
            return Step.AGAIN
        not_found = status in _NOT_FOUND
        if not_found and not self._total_is_reached() and self._may_look_further():
            return self._look_further()
        self._finish(End.ERROR_BEHIND_END)
        if not not_found and not self.short and not self._total_is_reached():
            self.doubt = self.doubt or (
                f"page {self.pages + 1} was refused (HTTP {status}) behind a full one, so the API may show no more"
                f" than {self.rows} records"
            )
        return Step.END

    def _empty(self, info: PageInfo) -> Step:
        if self.rules.strict:
            return self._empty_strict(info)
        if info.doubtful and not self.pages and not self._retries:
            self._retries += 1
            return Step.AGAIN
        if self.cursor is not None or self.spec.linked:
            if self.pages and self.spec.flagged and info.next is None and (info.doubtful or info.more is None):
                # The page before has promised this one, which tells nothing at all: no rows, no flag, no successor.
                if self._retries < MAX_RETRIES:
                    self._retries += 1
                    return Step.AGAIN
                self.doubt = (
                    f"page {self.pages} promised more, and page {self.pages + 1} has nothing in the place of rows"
                )
            if self.stalled:
                return self._finish(End.TOTAL if self._total_is_reached() else End.REPEATED_CURSOR)
            if info.next is None and (self.spec.next or ("",))[0] == "last":
                return self._finish(End.EMPTY_PAGE)
            if self.spec.until == "empty" and info.next is not None:
                if self._retries:
                    return self._finish(End.EMPTY_PAGE)
                self._retries += 1
                return Step.AGAIN
            if self.pages and self._total_is_reached():
                # Some APIs name a next page for ever.
                return self._finish(End.TOTAL)
            # Such a listing ends where no successor is named; a filtered page may be empty and still name one.
            self.empty_pages += 1
            if self.empty_pages > MAX_EMPTY_PAGES:
                raise FatalApiError(
                    f"{MAX_EMPTY_PAGES} pages in a row had no records, and each named a further one.",
                    hint="If an empty page is the end of this API's listings: until: empty, or give total.",
                )
            self._count_page()
            self._follow(info)
            return Step.KEEP
        if self.spec.until == "total" and self.total is not None and self.rows < self.total:
            return self._again(f"page {self.pages + 1} is empty, {self.rows} records of {self.total} came")
        if self.spec.until is None and (info.more or (self.promised and self.spec.flagged)):
            if info.more is False and self.pages and not self.short and self._retries >= MAX_RETRIES:
                # Some servers promise more whenever a page is full.
                if not self._behind_a_full_page():
                    self.doubt = "page 1 promised more, and page 2 has no rows (how many has a full one? give size)"
                return self._finish(End.EMPTY_PAGE)
            return self._empty_although_promised()
        if self.spec.until is None and self.pages and self._total_is_reached():
            return self._finish(End.TOTAL)
        if self.empty_pages or not self.pages or (self.short and not self.promised) or self.spec.until == "short":
            return self._finish(End.EMPTY_PAGE)
        if self._retries < (MAX_RETRIES if self.promised else 1):
            self._retries += 1
            return Step.AGAIN
        if not self.promised and not self._may_look_further():
            return self._finish(End.EMPTY_PAGE)
        # A full page, or a total, says that there is more: perhaps behind this page.
        return self._look_further()

    def _may_look_further(self) -> bool:
        return self._behind_a_full_page() and not self.empty_pages and self.pages < self.spec.max_pages

    def _look_further(self) -> Step:
        """The page has no rows; the next one may have some."""
        self._retries = 0
        self.empty_pages += 1
        self._count_page()
        if not self.promised:  # else the total decides in the end
            self.skipped_page = self.pages
        self.page += 1
        self.offset += self.largest
        return Step.KEEP

    def _behind_a_full_page(self) -> bool:
        """Whether the last page had as many rows as a page can have, as far as that is known."""
        return not self.short and bool(self.spec.size or self.pages > 1)

    def _empty_strict(self, info: PageInfo) -> Step:
        if info.more or self.promised:
            if self._full and self._retries >= MAX_RETRIES:
                # Some servers promise more whenever a page is full.
                return self._finish(End.EMPTY_PAGE)
            return self._empty_although_promised()
        return self._finish(End.EMPTY_PAGE)

    def _empty_although_promised(self) -> Step:
        promising = f"page {self.pages}" if self.pages else "it"
        return self._again(f"page {self.pages + 1} is empty although {promising} promised more")

    def _repeated(self, info: PageInfo) -> Step:
        if self.rules.strict:
            if not self._paged and info.more is None and self.pages == 1:
                # A list that is not paged at all and has as many rows as a page: each page is all of it.
                return self._finish(End.REPEATED_PAGE)
            return self._again(f"page {self.pages + 1} repeats an earlier page")
        if self.stalled:
            return self._finish(End.REPEATED_CURSOR)
        counted = self.cursor is None and not self.spec.linked
        if counted and not self.promised and (self.short or self.empty_pages or self._total_is_reached()):
            self._finish(End.REPEATED_PAGE)
            if self.pages == 1 and not self._total_is_reached() and not self.spec.stop_on_repeat:
                self.doubt = (
                    f"page 2 brought the rows of page 1 again, so the API may not know the parameter"
                    f" '{self.spec.parameter}' (if it does: stop_on_repeat)"
                )
            return Step.END
        self._retries += 1
        if self.spec.stop_on_repeat:
            self._finish(End.REPEATED_PAGE)
            return Step.REPEATED
        if self._retries < MAX_RETRIES:
            return Step.AGAIN
        if self.stayed:
            # The page named itself as the next one, and there is nothing more under its name.
            return self._finish(End.REPEATED_CURSOR)
        self._repeats += 1
        if self._repeats >= MAX_REPEATS:
            # Some APIs answer page numbers beyond the end with the last page.
            full_first_page = self.largest >= (self.spec.size or 0)
            if not self.promised and (self.pages > self._repeats or not full_first_page):
                self._finish(End.REPEATED_PAGE)
                if counted and not self.short and not self._total_is_reached():
                    self.doubt = self.doubt or (
                        f"page {self.pages + 1} repeats a full one, so the API may show no more"
                    )
                return Step.REPEATED
            raise TransientApiError(
                f"The listing repeats itself: page {self.pages + 1} brings rows of an earlier page,"
                f" {MAX_REPEATS} times in a row.",
                hint="Check paging in the route (are its names those of the API?), or set stop_on_repeat.",
            )
        self._advance(info, repeated=True)
        return Step.REPEATED

    def _total_is_reached(self) -> bool:
        return self.total is not None and not self.total_is_wrong and self.rows >= self.total

    def _advance(self, info: PageInfo, *, repeated: bool = False) -> None:
        self._retries = self.empty_pages = 0
        self._paged = self._paged or info.more is not None
        self._seen |= info.marks
        self.last_mark = info.mark
        self.rows += info.rows
        size = info.per_page or self.spec.size or 0
        self.largest = max(self.largest, min(info.rows, size or info.rows))  # more: some came twice
        self._full = info.rows >= size
        # The first page is compared with the requested size; later ones with earlier pages, since many APIs cap it.
        self.short = info.rows < (self.largest if self.pages else max(self.largest, size))
        self._was_promised, self._was_stalled = self.promised, self.stalled
        self.promised = self.stalled = False
        self._count_page()
        if self.spec.style == "none":
            self._finish(End.ONE_PAGE)
        elif self.cursor is None and not self.spec.linked:
            self._count_on(info, size)
        elif self.rules.strict and not info.more:
            self._finish(End.FLAG)
        else:
            self._follow(info, repeated=repeated)

    def _count_page(self) -> None:
        if self.pages >= self.spec.max_pages:
            raise self._too_long()
        self.pages += 1

    def _follow(self, info: PageInfo, *, repeated: bool = False) -> None:
        links = self.spec.style == "next"
        following = info.next
        if self.spec.flagged and info.more is False and not self.rules.strict:
            self._finish(End.FLAG)
            return
        if following is None or following == "":
            if self.rules.strict or (self.spec.flagged and info.more):
                raise TransientApiError(f"The listing promised more after page {self.pages} but names no cursor.")
            if self.spec.until == "total" and self._total_promises_more():
                raise TransientApiError(
                    f"The listing ended after {self.rows} records of {self.total}: no next page is named."
                )
            self._finish(End.NO_NEXT)
            return
        if not links:
            following = self.spec.cursor_of(following)
        stays = following == (self.link if links else self.cursor)
        # Some APIs keep one cursor for all pages of a listing.
        moves_on = stays and not repeated and (self.spec.until == "empty" or self._total_promises_more())
        if not moves_on and (stays or following in self._cursors):
            if self.spec.stop_on_repeat:
                self._finish(End.REPEATED_CURSOR)
                return
            # Where the page itself is one that was read, the API does not know the cursor that it was given.
            if stays and not repeated and not self.rules.strict and not info.more:
                self._stall(info)
                return
            error = TransientApiError(
                f"The listing leads back to a page that was read: its {'link' if links else 'cursor'} does not move on"
                f" after page {self.pages}.",
                hint=""
                if self.rules.strict
                else "Is paging.parameter its name? If this API ends its listings like that, set stop_on_repeat.",
            )
            if self.rules.strict:
                raise error
            self._error = error
        self._cursors.add(following)
        self.stayed = moves_on
        self.promised = True
        if links:
            self.link = str(following)
        else:
            self.cursor = following

    def _stall(self, info: PageInfo) -> None:
        """A page names itself as the next one: the end, unless new rows come when it is requested once more."""
        if not info.rows:
            self._finish(End.REPEATED_CURSOR)
        elif self._was_stalled:
            # New rows each time, or a field that differs with each request: there would be no end.
            self._finish(End.REPEATED_CURSOR)
            self.doubt = self.doubt or (
                f"page {self.pages} names itself as the next one, and brought other rows again"
                " (if this API keeps one cursor: until: empty)"
            )
        self.stalled = self.promised = True

    def _count_on(self, info: PageInfo, size: int) -> None:
        """The next page number or offset, or the cursor where page numbers reach no further."""
        spec = self.spec
        self._look_for_the_end(info)
        if self.end is not None:
            return
        reached = max(self.rows, self.pages * size)
        if spec.cursor_after is not None and reached >= spec.cursor_after and info.next:
            self._follow(info)
        elif self.rules.row_limit is not None and reached >= self.rules.row_limit:
            raise FatalApiError(
                f"The listing is longer than the {self.rules.row_limit} rows that pages can reach and names no cursor.",
                hint="Narrow the request with filters (idAfter, a season, a period).",
            )
        self.page += 1
        self.offset += min(info.rows, self.spec.size or info.rows)  # rows that came twice do not count

    def _look_for_the_end(self, info: PageInfo) -> None:
        spec = self.spec
        if spec.flagged and spec.until is None and (info.more is not None or not self._flag_is_unknown(info)):
            # A flag that is gone: its API leaves it out on the last page.
            self.promised = bool(info.more)
            if not self.promised:
                self._finish(End.FLAG)
            return
        pages_left = None if info.total_pages is None else info.total_pages - (self.page - spec.first) - 1
        if spec.until == "total":
            if self.total is None and pages_left is None:
                raise FatalApiError(
                    "The answer names no total, and the route says until: total.", hint="Correct paging.total."
                )
            self.promised = self.total is None or self.rows < self.total
            if self.total is None and pages_left is not None:
                self.promised = pages_left > 0
            if not self.promised:
                self._finish(End.TOTAL)
        elif spec.until == "short" and info.rows < self.largest:
            self._finish(End.SHORT_PAGE)
        elif spec.until is None:
            self._compare_with_total(pages_left)

    def _flag_is_unknown(self, info: PageInfo) -> bool:
        """Whether the flag is missing although no page has had it so far, or behind a full page."""
        if self.rules.strict:
            return 0 < (info.per_page or self.spec.size or 0) <= info.rows
        return not self._was_promised

    def _compare_with_total(self, pages_left: int | None) -> None:
        if self.total is not None and self.rows > self.total:
            self.total_is_wrong = True
        counted = self.total is not None and not self.total_is_wrong
        if counted or pages_left is not None:
            self.promised = self._total_promises_more() if counted else (pages_left or 0) > 0
            if not self.promised and self.short and (counted or pages_left == 0):
                self._finish(End.TOTAL)
