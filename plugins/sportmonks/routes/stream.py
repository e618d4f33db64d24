"""Fetching and writing at the same time: one thread reads pages in order, a bounded queue, the caller's thread writes.

A full queue makes the fetcher wait; nothing is ever dropped. A page is never split over two transactions, so what is
stored always ends with a whole page, and a killed run goes on with the next one.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sportmonks.errors import OutsidePlanError
from sportmonks.routes.paging import PageInfo, Pager, Step
from sportmonks.routes.period import Window, in_api_words
from sportmonks.routes.records import Prepared, Rejected, page_mark, prepare
from sportmonks.routes.source import Source
from sportmonks.routes.spec import Route
from sportmonks.routes.store import ResumePoint, RouteStore

log = logging.getLogger(__name__)

# Pages that arrive slower than this are written one by one: a kill then costs no finished page.
IDLE_SECONDS = 1.0


@dataclass(frozen=True)
class Slice:
    """One listing of the plan: a window of days (None for routes without a period) for one item of ``for_each``."""

    index: int
    window: Window | None
    item: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{name} {value}" for name, value in self.item.items()]
        return ", ".join([*parts, *([str(self.window)] if self.window else [])]) or "whole listing"


@dataclass(slots=True)
class Page:
    """A page ready to be written, and where the run stands after it."""

    rows: list[Prepared]
    rejected: list[Rejected]
    counted: dict[str, float]
    slice_index: int
    state: dict[str, Any] | None
    place: str


class _Stopped(Exception):
    """The writer has given up; the fetcher ends without a word."""


def request_of(route: Route, part: Slice) -> tuple[str, dict[str, str]]:
    """Path and query of a slice, without paging: placeholders filled, the period under the API's names."""
    values = {name: str(value) for name, value in part.item.items()}
    query = {name: value.format_map(values) if "{" in value else value for name, value in route.query}
    if route.period is not None and part.window is not None:
        for name, value in in_api_words(route.period, part.window).items():
            if f"{{{name}}}" in route.path:
                values[name] = value
            else:
                query[name] = value
    return route.path.format_map(values), query


def read_pages(
    source: Source, route: Route, slices: Sequence[Slice], start: ResumePoint, today: date
) -> Iterator[Page]:
    """Every page from ``start`` on, in order. Raises what the source and the pager raise."""
    state = start.state
    for part in slices[start.slice_index :]:
        path, query = request_of(route, part)
        pager = Pager.start(route.paging, state)
        state = None
        again = 0
        while not pager.ended():
            link, asked = pager.request(query)
            try:
                fetched = source.fetch(path, asked, link=link, beyond=pager.pages > 0 and not pager.promised)
            except OutsidePlanError as error:
                log.warning("Skipped %s: %s", part, error)
                yield Page([], [], {"skipped": 1}, part.index + 1, None, str(part))
                break
            facts = PageInfo(len(fetched.rows), page_mark(fetched.rows), fetched.more, fetched.total, fetched.next)
            number = pager.pages + 1
            step = pager.take(facts)
            if step is Step.AGAIN:
                again += 1
                log.warning("Page %d of %s came empty or twice, asking again", number, part)
                continue
            prepared = prepare(fetched.rows, route, part.window, part.item, today)
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
            done = pager.ended()
            yield Page(
                prepared.kept,
                prepared.rejected,
                counted,
                part.index + 1 if done else part.index,
                None if done else pager.state(),
                f"page {number} of {part}",
            )


class Stream:
    """Runs ``pages`` in a thread and writes them with ``store``; ``tell(page, counters)`` after each page stored."""

    def __init__(
        self,
        pages: Iterator[Page],
        store: RouteStore,
        *,
        batch: int,
        queue_pages: int,
        tell: Callable[[Page, Mapping[str, float]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pages = pages
        self._store = store
        self._batch = batch
        self._tell = tell
        self._clock = clock
        self._queue: queue.Queue[Page | BaseException | None] = queue.Queue(maxsize=queue_pages)
        self._stop = threading.Event()

    def run(self) -> None:
        """Until every page is stored. What was fetched before an error is stored before the error is raised."""
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
        except _Stopped:
            pass
        except BaseException as error:
            with contextlib.suppress(_Stopped):
                self._put(error)

    def _put(self, item: Page | BaseException | None) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._queue.put(item, timeout=0.5)
                return
        raise _Stopped

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
        """One transaction; the time since the last one is booked with it. Returns its moment."""
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
        )
        for page in waiting:
            self._tell(page, self._store.counters)
        waiting.clear()
        return now
