"""Fetches and writes at the same time: one thread reads pages into a bounded queue, the caller's thread writes them.

A full queue makes the fetcher wait; nothing is dropped. A page is never split over two transactions, so that the
stored records always end with a complete page, and an interrupted run resumes with the next one.
"""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping

from sportmonks.routes.page import Page
from sportmonks.routes.store import RouteStore

# Pages that arrive slower than this are written one by one: an interruption then loses no complete page.
IDLE_SECONDS = 1.0


class _StoppedError(Exception):
    """The writer has stopped, so the fetcher ends; it is no error of its own."""


class Pipeline:
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
