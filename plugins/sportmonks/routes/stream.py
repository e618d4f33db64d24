"""Fetches and writes at the same time: one thread reads pages into a bounded queue, the caller's thread writes them.

A full queue makes the fetcher wait; nothing is dropped. A page is never split over two transactions, so that the
stored records always end with a complete page, and an interrupted run resumes with the next one.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sportmonks.api.page_spec import PageInfo, Step
from sportmonks.api.pagination import Paginator
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import ConfigurationError, FatalApiError, OutsidePlanError
from sportmonks.routes.answer import FetchedPage
from sportmonks.routes.doubts import DatedListing, EndsOfWindows
from sportmonks.routes.json_path import shown_path
from sportmonks.routes.period import Window, leads_beyond, request_parameters
from sportmonks.routes.records import NO_OBJECT, Prepared, Rejected, page_mark, prepare
from sportmonks.routes.request import Slice, page_request
from sportmonks.routes.source import Source
from sportmonks.routes.spec import Route
from sportmonks.routes.store import ABSENT, EMPTY, END, ResumePoint, RouteStore
from sportmonks.routes.unpublished import NOT_PUBLISHED, NewestPeriods, newest_days, not_found

log = logging.getLogger(__name__)

# How a listing of the Sportmonks API ends that the subscription does not cover: no failure, and no day is collected.
OUTSIDE_PLAN = "outside_plan"
# How a cursor or link is refused that has expired: the listing is then read from its beginning, once.
_EXPIRED = (400, 404, 410, 422)

# Pages that arrive slower than this are written one by one: an interruption then loses no complete page.
IDLE_SECONDS = 1.0


@dataclass(slots=True)
class Page:
    """A page ready to be written, and the position of the run after it: slice and state of its paginator.

    ``unproven``: the first day of a listing that ended with this page and may be short; ``doubt``: why.
    """

    rows: list[Prepared]
    rejected: list[Rejected]
    counted: dict[str, float]
    slice_index: int
    state: dict[str, Any] | None
    place: str
    unproven: date | None = None
    doubt: str = ""


class _StoppedError(Exception):
    """The writer has stopped, so the fetcher ends; it is no error of its own."""


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
    state = start.state
    skipped = int(start.counters.get("skipped", 0))
    ends = EndsOfWindows(route, today)
    absent = int(sum(count for name, count in start.counters.items() if name.startswith(ABSENT)))
    newest = NewestPeriods(route, today, watermark, slices[: start.slice_index][-absent:] if absent else ())
    newest_of_items = newest_days(slices) if route.for_each is not None else set()
    trusted: set[str] = set()
    for part in slices[start.slice_index :]:
        paginator = Paginator.start(route.paging, state)
        # A cursor or link that was stored may have expired since.
        stored, state = paginator.cursor is not None or paginator.link is not None, None
        again = 0
        restarted = False
        # Of a listing that is gone on with, the days of its first pages are not known.
        dated = DatedListing(route) if watermark is None and not paginator.pages else None
        while not paginator.ended():
            try:
                fetched = source.fetch(page_request(route, part, paginator))
            except (FatalApiError, OutsidePlanError) as error:
                if not restarted and (stored or _may_have_expired(paginator, error)):
                    log.warning(
                        "Page %d of %s is refused, it is read from its beginning: %s", paginator.pages + 1, part, error
                    )
                    paginator, stored, restarted = Paginator.start(route.paging), False, True
                    continue
                if not paginator.pages and newest.takes(part, error):
                    log.info("%s is not found (HTTP 404), it may not be published yet", part)
                    first = part.window.first if part.window is not None else today
                    noted = {f"{ABSENT}{first.toordinal()}": 1.0}
                    yield Page([], [], noted, part.index + 1, None, str(part), unproven=first)
                    break
                if isinstance(error, FatalApiError):
                    raise
                if paginator.pages:
                    raise FatalApiError(
                        f"{part}: page {paginator.pages + 1} was refused: {error}",
                        hint="Only a listing whose first page is refused is skipped. Clear the task to go on.",
                    ) from error
                skipped += 1
                ours = route.api == "sportmonks"
                if skipped >= len(slices) and not ours:
                    # The next try asks for all of them again: with one alone, the refusal of the others would pass.
                    yield Page([], [], {"skipped": 1 - skipped}, 0, None, str(part))
                    raise ConfigurationError(
                        f"{route.name}: the API refused each of the {len(slices)} listings; the last: {error}",
                        hint=f"Check the path and the access of the Airflow connection {route.connection}.",
                    ) from error
                log.warning("Skipped %s: %s", part, error)
                if skipped >= len(slices):
                    log.warning("%s: the subscription covers none of its %d listings", route.name, len(slices))
                refused = {"skipped": 1.0} | ({f"{END}{OUTSIDE_PLAN}": 1} if ours else {})
                if part.window is not None and part.window.first in newest_of_items and not_found(error):
                    refused[f"{ABSENT}{part.window.first.toordinal()}"] = 1
                days = part.window.first if part.window is not None and route.for_each is None else None
                if days is not None:
                    # Some days of a route that has others are missing; where all are refused, it is outside the plan.
                    refused["unproven"] = 1 - skipped if skipped >= len(slices) else 1
                yield Page(
                    [], [], refused, part.index + 1, None, str(part),
                    unproven=days, doubt="" if days is None else f"{part}: it was refused",
                )  # fmt: skip
                break
            stored = False
            if newest.periods:
                yield Page([], [], newest.forgotten, newest.begins_at, None, str(part))
            newest.check(part)
            _refuse_wrong_style(route, fetched, part.window)
            number = paginator.pages + 1
            info = page_info(fetched, route.hash_without)
            # One that came again just so is no accident: of many listings only one is requested a second time.
            known = not paginator.pages and fetched.doubtful in trusted
            step = paginator.take(replace(info, doubtful=False) if known else info)
            if step is Step.AGAIN:
                if fetched.doubtful and not paginator.pages:
                    trusted.add(fetched.doubtful)
                again += 1
                log.warning("Page %d of %s is empty, refused or repeated, requesting it again", number, part)
                continue
            if fetched.names_more and number == 1 and paginator.ended():
                raise _not_followed(route, fetched.names_more)
            prepared = prepare(fetched.rows if step is not Step.END else [], route, period, part.item, today)
            if len(prepared.rejected) == len(fetched.rows) > 1 and {NO_OBJECT} == {r.reason for r in prepared.rejected}:
                raise _no_records(route, prepared.rejected[0].text)
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
            done = paginator.ended()
            ends.add(prepared)
            if dated is not None:
                dated.add(prepared)
            unproven = None
            if paginator.end is not None:
                counted[f"{END}{paginator.end}"] = 1
                if not paginator.rows:
                    counted[f"{EMPTY}{part.index}"] = 1
                ends.close(part.window)
                paginator.doubt = paginator.doubt or (dated.doubt if dated is not None else "")
                unproven = part.window.first if paginator.doubt and part.window else None
                if part.index + 1 == len(slices) and (lost := ends.lost) is not None:
                    paginator.doubt = paginator.doubt or ends.doubt
                    unproven = min(lost, unproven or lost)
                counted["unproven"] = int(bool(paginator.doubt))
                if paginator.doubt:
                    log.warning("%s ended with %s, but %s", part, paginator.end, paginator.doubt)
            yield Page(
                prepared.kept,
                prepared.rejected,
                counted,
                part.index + 1 if done else part.index,
                None if done else paginator.state(),
                f"page {number} of {part}",
                unproven=unproven,
                doubt=f"{part}: {paginator.doubt}" if paginator.end is not None and paginator.doubt else "",
            )
    if newest.first is not None:
        yield _unpublished(newest, ends, len(slices))


def _unpublished(newest: NewestPeriods, ends: EndsOfWindows, slices: int) -> Page:
    """The end of a run whose newest periods are not there: its days are collected up to the first of them."""
    log.info("Not published yet (HTTP 404), the next run requests it again: %s", newest.text)
    doubts = [doubt for doubt in (newest.doubt, ends.doubt) if doubt]
    for doubt in doubts:
        log.warning("%s", doubt)
    counted = {**newest.forgotten, f"{END}{NOT_PUBLISHED}": newest.periods, "unproven": len(doubts)}
    return Page(
        [], [], counted, slices, None, newest.text,
        unproven=min(day for day in (newest.first, ends.lost) if day), doubt="; ".join(doubts),
    )  # fmt: skip


def _may_have_expired(paginator: Paginator, error: FatalApiError | OutsidePlanError) -> bool:
    """Whether the refusal is that of a cursor or link which the API no longer knows."""
    follows = paginator.cursor is not None or paginator.link is not None
    return follows and isinstance(error, FatalApiError) and error.status in _EXPIRED


def page_info(fetched: FetchedPage, without: Sequence[JsonPath] = ()) -> PageInfo:
    """What an answer says about its page, for the paginator. ``without``: fields that change for no reason."""
    listed = fetched.rows if fetched.outer is None else fetched.outer
    return PageInfo(
        len(listed),
        page_mark(listed, without),
        fetched.more,
        fetched.total,
        fetched.next,
        total_pages=fetched.total_pages,
        refused=fetched.refused,
        doubtful=bool(fetched.doubtful),
    )


def _no_records(route: Route, first: str) -> FatalApiError:
    lists = first.startswith("[")
    hint = "Name their values: fields in the route." if lists else "Correct records in the route."
    return FatalApiError(
        f"{route.name}: the records are {'lists' if lists else 'plain values'}, not objects.", hint=hint
    )


def _refuse_wrong_style(route: Route, fetched: FetchedPage, window: Window | None) -> None:
    """Raises ConfigurationError where what the answer names is followed in another way than the route says."""
    following, spec = str(fetched.next or ""), route.paging
    ends = request_parameters(route.period, window) if following and route.period and window else {}
    name = route.period.date_to if route.period else ""
    if spec.style == "next" and leads_beyond(following, name, ends.get(name, "")):
        raise ConfigurationError(
            f"{route.name}: the link at {shown_path(spec.next or ())} leads to the days behind those that were"
            " requested, and to no further page.",
            hint="Write paging: none; max_days of the period cuts it into requests.",
        )
    if spec.style == "next" and following.isdecimal():
        raise ConfigurationError(
            f"{route.name}: the answer names the next page by its number ({following}), which is no link.",
            hint="Write style: cursor, with parameter: the name of the page's number.",
        )
    if spec.style == "cursor" and "://" in following and spec.cursor_of(following) == following:
        raise ConfigurationError(
            f"{route.name}: the answer names the next page by a link without {spec.parameter}.",
            hint="Write style: next, or the parameter that the link has.",
        )


def _not_followed(route: Route, path: str) -> ConfigurationError:
    if route.paging.linked:
        return ConfigurationError(
            f"{route.name}: the first page names no next one at the path of paging.next, but at {path}.",
            hint=f"Correct it: next: {path}.",
        )
    return ConfigurationError(
        f"{route.name}: the answer names a further page ({path}), and the route does not say how to read it.",
        hint="Declare paging in the route; if this page is all that is wanted: paging: none.",
    )


class Stream:
    """Reads ``pages`` in a thread and writes them with ``store``.

    ``batch``: a transaction is written as soon as so many records, or so many pages, are ready. ``queue_pages``: pages
    that may wait to be written. ``on_page(page, counters)`` is called after each stored page.
    """

    def __init__(
        self,
        pages: Iterator[Page],
        store: RouteStore,
        *,
        batch: int,
        queue_pages: int,
        on_page: Callable[[Page, Mapping[str, float]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = pages
        self._store = store
        self._batch = batch
        self._on_page = on_page
        self._clock = clock
        self._queue: queue.Queue[Page | BaseException | None] = queue.Queue(maxsize=queue_pages)
        self._stop = threading.Event()

    def run(self) -> None:
        """Returns when every page is stored. Pages that were fetched before an error are stored before it is raised."""
        thread = threading.Thread(target=self._fetch, name="fetch", daemon=True)
        thread.start()
        try:
            self._write_all()
        finally:
            self._stop.set()
            with contextlib.suppress(queue.Empty):
                while True:
                    self._queue.get_nowait()  # wakes a fetcher that waits for room
            thread.join(timeout=5)

    def _fetch(self) -> None:
        try:
            for page in self._pages:
                self._put(page)
            self._put(None)
        except _StoppedError:
            pass
        except BaseException as error:
            with contextlib.suppress(_StoppedError):
                self._put(error)

    def _put(self, item: Page | BaseException | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=0.5)
                return
        raise _StoppedError

    def _write_all(self) -> None:
        waiting: list[Page] = []
        rows = 0
        last = self._clock()
        while True:
            try:
                item = self._queue.get(timeout=IDLE_SECONDS if waiting else None)
            except queue.Empty:
                last = self._flush(waiting, last)
                rows = 0
                continue
            if isinstance(item, Page):
                waiting.append(item)
                rows += len(item.rows)
                if rows < self._batch and len(waiting) < self._batch:
                    continue
            last = self._flush(waiting, last)
            rows = 0
            if item is None:
                return
            if isinstance(item, BaseException):
                raise item

    def _flush(self, waiting: list[Page], last: float) -> float:
        """Write one transaction; the time since the last one is counted in it. Returns the time it began."""
        if not waiting:
            return last
        now = self._clock()
        counted: dict[str, float] = {"seconds": round(now - last, 3)}
        for page in waiting:
            for name, value in page.counted.items():
                counted[name] = counted.get(name, 0) + value
        end = waiting[-1]
        self._store.write(
            [row for page in waiting for row in page.rows],
            [bad for page in waiting for bad in page.rejected],
            counted,
            end.slice_index,
            end.state,
            unproven=min((page.unproven for page in waiting if page.unproven), default=None),
            doubts=[page.doubt for page in waiting if page.doubt],
        )
        for page in waiting:
            self._on_page(page, self._store.counters)
        waiting.clear()
        return now
