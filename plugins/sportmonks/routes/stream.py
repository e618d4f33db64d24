"""The pages of a run, in order: each listing of the plan is read page by page, and what its answers say is decided."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from sportmonks.api.page_spec import Step
from sportmonks.api.pagination import Paginator
from sportmonks.errors import FatalApiError, OutsidePlanError
from sportmonks.routes.answer import FetchedPage
from sportmonks.routes.counters import ABSENT, EMPTY, END
from sportmonks.routes.doubts import DatedListing, EndsOfWindows
from sportmonks.routes.mismatch import no_records, not_followed, refuse_wrong_style
from sportmonks.routes.page import Page, page_info
from sportmonks.routes.period import Window
from sportmonks.routes.records import NO_OBJECT, PreparedPage, prepare
from sportmonks.routes.refusals import Refusals, may_have_expired
from sportmonks.routes.request import Slice, page_request
from sportmonks.routes.source import Source
from sportmonks.routes.spec import Route
from sportmonks.routes.store import ResumePoint
from sportmonks.routes.unpublished import NOT_PUBLISHED, NewestPeriods

log = logging.getLogger(__name__)


def read_pages(
    source: Source,
    route: Route,
    slices: Sequence[Slice],
    start: ResumePoint,
    today: date,
    period: Window | None = None,
    *,
    watermark: date | None = None,
) -> Iterator[Page]:
    """Every page from ``start`` on, in order. ``period``: of the complete run; ``watermark``: the last day collected
    before it, None in a first run. Raises what the source and the paginator raise, and ConfigurationError where an
    answer names a further page that the route does not follow, or an API other than Sportmonks refuses every listing.

    A listing without a row is counted as ``EMPTY`` and its number; periods at the end that are not found yet end as
    ``NOT_PUBLISHED``."""
    reader = _Reader(source, route, slices, start, today, period, watermark)
    state = start.state
    for part in slices[start.slice_index :]:
        yield from reader.listing(part, state)
        state = None
    yield from reader.end()


class _Reader:
    """What a run knows beyond one of its listings."""

    def __init__(
        self,
        source: Source,
        route: Route,
        slices: Sequence[Slice],
        start: ResumePoint,
        today: date,
        period: Window | None,
        watermark: date | None,
    ) -> None:
        self._source = source
        self._route = route
        self._slices = slices
        self._today = today
        self._period = period
        self._first_run = watermark is None
        self._ends = EndsOfWindows(route, today)
        absent = int(sum(count for name, count in start.counters.items() if name.startswith(ABSENT)))
        self._newest = NewestPeriods(route, today, watermark, slices[: start.slice_index][-absent:] if absent else ())
        self._refusals = Refusals(route, slices, int(start.counters.get("skipped", 0)), self._newest, today)
        self._trusted: set[str] = set()

    def listing(self, part: Slice, state: Mapping[str, Any] | None) -> Iterator[Page]:
        """The pages of one listing, from a state of its paginator on."""
        route = self._route
        paginator = Paginator.start(route.paging, state)
        # A cursor or link that was stored may have expired since.
        stored = paginator.cursor is not None or paginator.link is not None
        again = 0
        restarted = False
        # Of a listing that is gone on with, the days of its first pages are not known.
        dated = DatedListing(route) if self._first_run and not paginator.pages else None
        while not paginator.ended():
            number = paginator.pages + 1
            try:
                fetched = self._source.fetch(page_request(route, part, paginator))
            except (FatalApiError, OutsidePlanError) as error:
                if not restarted and (stored or may_have_expired(paginator, error)):
                    log.warning("Page %d of %s is refused, it is read from its beginning: %s", number, part, error)
                    paginator, stored, restarted = Paginator.start(route.paging), False, True
                    continue
                yield from self._refusals.pages(part, paginator, error)
                return
            stored = False
            if self._newest.periods:
                yield Page([], [], self._newest.forgotten, self._newest.begins_at, None, str(part))
            self._newest.check(part)
            refuse_wrong_style(route, fetched, part.window)
            step = self._step(paginator, fetched)
            if step is Step.AGAIN:
                again += 1
                log.warning("Page %d of %s is empty, refused or repeated, requesting it again", number, part)
                continue
            if fetched.names_more and number == 1 and paginator.ended():
                raise not_followed(route, fetched.names_more)
            prepared = self._prepared(part, fetched.rows if step is not Step.END else [])
            self._ends.add(prepared)
            if dated is not None:
                dated.add(prepared)
            counted: dict[str, float] = {
                "records": prepared.records,
                "out_of_range": prepared.out_of_range,
                "undated": prepared.undated,
                "pages": 1,
                "repeated_pages": int(step is Step.REPEATED),
                "asked_again": again,
                "bytes": fetched.size,
            }
            again = 0
            place = f"page {number} of {part}"
            page = Page(prepared.kept, prepared.rejected, counted, part.index, paginator.state(), place)
            yield self._last(page, part, paginator, dated) if paginator.ended() else page

    def end(self) -> Iterator[Page]:
        """The end of a run whose newest periods are not there: its days are collected up to the first of them."""
        newest, ends = self._newest, self._ends
        if newest.first is None:
            return
        log.info("Not published yet (HTTP 404), the next run requests it again: %s", newest.text)
        doubts = [doubt for doubt in (newest.doubt, ends.doubt) if doubt]
        for doubt in doubts:
            log.warning("%s", doubt)
        counted = {**newest.forgotten, f"{END}{NOT_PUBLISHED}": newest.periods, "unproven": len(doubts)}
        unproven = min(day for day in (newest.first, ends.lost) if day)
        count = len(self._slices)
        yield Page([], [], counted, count, None, newest.text, unproven=unproven, doubt="; ".join(doubts))

    def _step(self, paginator: Paginator, fetched: FetchedPage) -> Step:
        """What to do with an answer. A doubtful one that came again just so is no accident: of many such listings only
        one is requested a second time."""
        info = page_info(fetched, self._route.hash_without)
        known = not paginator.pages and fetched.doubtful in self._trusted
        step = paginator.take(replace(info, doubtful=False) if known else info)
        if step is Step.AGAIN and fetched.doubtful and not paginator.pages:
            self._trusted.add(fetched.doubtful)
        return step

    def _last(self, page: Page, part: Slice, paginator: Paginator, dated: DatedListing | None) -> Page:
        """The last page of a listing: how its end was known, and why the listing or the run may be short."""
        counted = {**page.counted, f"{END}{paginator.end}": 1}
        if not paginator.rows:
            counted[f"{EMPTY}{part.index}"] = 1
        self._ends.close(part.window)
        doubt = paginator.doubt or (dated.doubt if dated is not None else "")
        unproven = part.window.first if doubt and part.window else None
        if part.index + 1 == len(self._slices) and (lost := self._ends.lost) is not None:
            doubt = doubt or self._ends.doubt
            unproven = min(lost, unproven or lost)
        counted["unproven"] = int(bool(doubt))
        if doubt:
            log.warning("%s ended with %s, but %s", part, paginator.end, doubt)
        why = f"{part}: {doubt}" if doubt else ""
        return replace(page, counted=counted, slice_index=part.index + 1, state=None, unproven=unproven, doubt=why)

    def _prepared(self, part: Slice, rows: Sequence[Any]) -> PreparedPage:
        """The records of a page. Raises FatalApiError where none of several is an object."""
        prepared = prepare(rows, self._route, self._period, part.item, self._today)
        if len(prepared.rejected) == len(rows) > 1 and {NO_OBJECT} == {one.reason for one in prepared.rejected}:
            raise no_records(self._route, prepared.rejected[0].text)
        return prepared
