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
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sportmonks.api.pagination import PageInfo, Paginator, Step
from sportmonks.errors import OutsidePlanError
from sportmonks.routes.period import Window, request_parameters
from sportmonks.routes.records import Prepared, Rejected, page_mark, prepare
from sportmonks.routes.source import Source
from sportmonks.routes.spec import Route
from sportmonks.routes.store import ResumePoint, RouteStore

log = logging.getLogger(__name__)

# Pages that arrive slower than this are written one by one: an interruption then loses no complete page.
IDLE_SECONDS = 1.0


@dataclass(frozen=True)
class Slice:
    """One listing of the plan: a window of days (None for routes without a period) for one item of ``for_each``."""

    index: int
    window: Window | None
    item: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{name} {value}" for name, value in self.item.items()]
        return ", ".join([*parts, *([str(self.window)] if self.window else [])]) or "the listing"


@dataclass(slots=True)
class Page:
    """A page ready to be written, and the position of the run after it: slice and state of its paginator."""

    rows: list[Prepared]
    rejected: list[Rejected]
    counted: dict[str, float]
    slice_index: int
    state: dict[str, Any] | None
    place: str


class _StoppedError(Exception):
    """The writer has stopped, so the fetcher ends; it is no error of its own."""


def request_of(route: Route, part: Slice) -> tuple[str, dict[str, str]]:
    """Path and query of a slice without its paging: placeholders filled, the period under the API's names."""
    values = {name: str(value) for name, value in part.item.items()}
    query = {name: value.format_map(values) if "{" in value else value for name, value in route.query}
    if route.period is not None and part.window is not None:
        for name, value in request_parameters(route.period, part.window).items():
            if f"{{{name}}}" in route.path:
                values[name] = value
            else:
                query[name] = value
    return route.path.format_map(values), query


def read_pages(
    source: Source, route: Route, slices: Sequence[Slice], start: ResumePoint, today: date
) -> Iterator[Page]:
    """Every page from ``start`` on, in order. Raises what the source and the paginator raise."""
    state = start.state
    for part in slices[start.slice_index :]:
        path, query = request_of(route, part)
        paginator = Paginator.start(route.paging, state)
        state = None
        again = 0
        while not paginator.ended():
            link, sent = paginator.request(query)
            beyond = paginator.pages > 0 and not paginator.promised
            try:
                fetched = source.fetch(path, sent, link=link, beyond=beyond)
            except OutsidePlanError as error:
                log.warning("Skipped %s: %s", part, error)
                yield Page([], [], {"skipped": 1}, part.index + 1, None, str(part))
                break
            number = paginator.pages + 1
            step = paginator.take(
                PageInfo(len(fetched.rows), page_mark(fetched.rows), fetched.more, fetched.total, fetched.next)
            )
            if step is Step.AGAIN:
                again += 1
                log.warning("Page %d of %s is empty or repeated, requesting it again", number, part)
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
            done = paginator.ended()
            yield Page(
                prepared.kept,
                prepared.rejected,
                counted,
                part.index + 1 if done else part.index,
                None if done else paginator.state(),
                f"page {number} of {part}",
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
        )
        for page in waiting:
            self._on_page(page, self._store.counters)
        waiting.clear()
        return now
