"""Fetch and write at the same time: fetch threads -> bounded queue -> writers, each batch one transaction.

No room means wait, never drop, so memory does not grow with the chunk. Whatever stops the stream, batches that have
been fetched are still written.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec
import psycopg

from sportmonks.batches import Batch
from sportmonks.errors import BudgetWait
from sportmonks.load.store import Fetched, LoadContext, Stored, store_batch

log = logging.getLogger(__name__)


class Answered(Protocol):
    """What the stream needs of an answer to /fixtures/multi."""

    @property
    def rows(self) -> dict[int, msgspec.Raw]: ...
    @property
    def missing(self) -> tuple[int, ...]: ...
    @property
    def poisoned(self) -> dict[int, str]: ...
    @property
    def calls(self) -> int: ...
    @property
    def bytes(self) -> int: ...


Fetch = Callable[[Batch], Answered]
Connect = Callable[[], "psycopg.Connection[Any]"]


@dataclass(frozen=True, slots=True)
class Progress:
    """A batch that is stored for good."""

    fetched: Fetched
    stored: Stored
    write_seconds: float


class Stream:
    """Runs the batches of one chunk. ``fetch`` and ``connect`` are called from several threads.

    ``in_flight``: batches that may be asked for but not committed yet, over all threads. It bounds the memory, and
    what a kill at the worst moment can cost: that many batches are fetched again.
    """

    def __init__(
        self,
        fetch: Fetch,
        connect: Connect,
        context: LoadContext,
        *,
        fetchers: int = 1,
        writers: int = 1,
        in_flight: int = 2,
    ) -> None:
        self._fetch = fetch
        self._connect = connect
        self._context = context
        self._room = threading.Semaphore(in_flight)
        self._fetched: queue.SimpleQueue[Fetched | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[Progress | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._fetch_threads = [threading.Thread(target=self._fetch_all, daemon=True) for _ in range(fetchers)]
        self._write_threads = [threading.Thread(target=self._write_all, daemon=True) for _ in range(writers)]

    def run(self, batches: Iterable[Batch]) -> Iterator[Progress]:
        """Progress per stored batch, on the caller's thread. Raises the first error once all is written that can be.

        A BudgetWait is an error like any other here: what has been fetched is stored, then it is raised.
        """
        self._source = iter(batches)
        for thread in (*self._fetch_threads, *self._write_threads):
            thread.start()
        threading.Thread(target=self._finish, daemon=True).start()
        try:
            while (progress := self._done.get()) is not None:
                yield progress
        finally:
            self._halt()
            for thread in (*self._fetch_threads, *self._write_threads):
                thread.join()
        if self._error is not None:
            raise self._error

    def _finish(self) -> None:
        """Ends the writers once the last fetcher is through, and the caller's loop after the last writer."""
        for thread in self._fetch_threads:
            thread.join()
        for _ in self._write_threads:
            self._fetched.put(None)
        for thread in self._write_threads:
            thread.join()
        self._done.put(None)

    def _fetch_all(self) -> None:
        try:
            while True:
                self._room.acquire()
                with self._lock:
                    batch = None if self._stop.is_set() else next(self._source, None)
                if batch is None:
                    return
                self._fetched.put(self._answer(batch))
        except BaseException as error:
            self._fail(error)

    def _answer(self, batch: Batch) -> Fetched:
        started = time.monotonic()
        answer = self._fetch(batch)
        return Fetched(
            number=batch.number,
            asked=batch.fixture_ids,
            rows=answer.rows,
            missing=answer.missing,
            poisoned=answer.poisoned,
            calls=answer.calls,
            bytes=answer.bytes,
            seconds=time.monotonic() - started,
        )

    def _write_all(self) -> None:
        try:
            with self._connect() as conn:
                conn.autocommit = True
                while (fetched := self._fetched.get()) is not None:
                    started = time.monotonic()
                    stored = store_batch(conn, fetched, self._context)
                    self._done.put(Progress(fetched, stored, time.monotonic() - started))
                    self._room.release()
        except BaseException as error:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        """Keeps the first error; a wait for budget gives way to a real fault."""
        with self._lock:
            if self._error is None or isinstance(self._error, BudgetWait):
                self._error = error
        self._halt()

    def _halt(self) -> None:
        """No further batch is asked for; fetchers that wait for room wake up and see it."""
        self._stop.set()
        for _ in self._fetch_threads:
            self._room.release()
