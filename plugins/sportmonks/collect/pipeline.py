"""Fetch and write at the same time: fetch threads -> bounded queue -> writers, each batch one transaction.

A fetched answer is kept in the warehouse before the next call is begun, and goes in the transaction that stores it.
So calls and writing overlap, and a kill at the worst moment costs the one call that was under way: what had been
answered before is found and stored by the successor. No room means wait, never drop, so memory does not grow with
the chunk. Whatever stops the stream, batches that have been fetched are still written.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import msgspec
import psycopg

from sportmonks.collect.response_store import keep
from sportmonks.errors import BudgetWait, LostLease, TransientApiError
from sportmonks.load.batch import BatchResult, FetchedBatch, LoadContext, store_batch
from sportmonks.load.payloads import read_payloads
from sportmonks.planning.batches import Batch
from sportmonks.warehouse.session import Session

log = logging.getLogger(__name__)

# A stream that is broken off waits so long for the call under way; its answer would be worth a call.
FAREWELL_S = 20.0
# So many batches in a row without a fixture, and nobody need ask on.
MAX_DOUBTFUL = 3


class BatchResponseLike(Protocol):
    """What the stream needs of an answer to /fixtures/multi. ``includes``: what was really asked for."""

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


Fetch = Callable[[Batch], BatchResponseLike]
Connect = Callable[[], "psycopg.Connection[Any]"]


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """A batch that is stored for good."""

    fetched: FetchedBatch
    stored: BatchResult
    write_seconds: float


class _SetAside(NamedTuple):
    """A batch of which no fixture came, and how it is recorded if it is to blame. ``call_failed``: its call did, before
    any fixture could be asked for alone; worth another try."""

    batch: Batch
    failed: FetchedBatch
    call_failed: bool


class Stream:
    """Runs the batches of one chunk. ``fetch`` and ``connect`` are called from several threads.

    ``in_flight``: batches asked for but not committed yet, over all threads; it bounds the memory. Each fetcher has
    one call under way, and that is what a kill costs. ``idle`` is called on the caller's thread every
    ``idle_seconds`` in which no batch got done.
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
        idle: Callable[[], None] = lambda: None,
        idle_seconds: float = 20.0,
    ) -> None:
        self._fetch = fetch
        self._connect = connect
        self._context = context
        self._idle, self._idle_seconds = idle, idle_seconds
        self._room = threading.Semaphore(in_flight)
        self._fetched: queue.SimpleQueue[FetchedBatch | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[StoredBatch | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._alive = False  # the API has told something of a fixture
        self._doubtful: list[_SetAside] = []  # batches of which no fixture came, since the last one that brought some
        self._blamed: list[_SetAside] = []  # those before it, and those that failed twice
        self._fetch_threads = [threading.Thread(target=self._fetch_all, daemon=True) for _ in range(fetchers)]
        self._write_threads = [threading.Thread(target=self._write_all, daemon=True) for _ in range(writers)]

    def run(self, batches: Iterable[Batch]) -> Iterator[StoredBatch]:
        """Progress per stored batch, on the caller's thread. Raises the first error once all is written that can be.

        A BudgetWait is an error like any other here: what has been fetched is stored, then it is raised. A batch
        of which nothing came is set aside, so that it does not keep the others waiting: if any fares better, it is
        to blame; if none does, the API is, and no fixture is marked as failed for it.
        """
        self._source = iter(batches)
        for thread in (*self._fetch_threads, *self._write_threads):
            thread.start()
        threading.Thread(target=self._finish, daemon=True).start()
        whole = False
        try:
            while (progress := self._next()) is not None:
                yield progress
            whole = True
        finally:
            self._halt()
            patience = time.monotonic() + FAREWELL_S
            for thread in (*self._fetch_threads, *self._write_threads):
                thread.join(None if whole else max(0.0, patience - time.monotonic()))
        if self._error is None and self._doubtful and not self._alive:
            raise _nothing_came(self._doubtful[0].failed)
        # What is recorded does not stand before the others once more when the chunk is tried again.
        blamed = self._blamed if self._error else [*self._blamed, *self._doubtful]
        if blamed and not isinstance(self._error, LostLease):
            with Session(self._connect) as session:
                for aside in blamed:
                    yield store(session, aside.failed, self._context)
        if self._error is not None:
            raise self._error

    def _next(self) -> StoredBatch | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._done.get(timeout=self._idle_seconds)
            self._idle()

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
            with Session(self._connect) as session:
                while True:
                    self._room.acquire()
                    batch, again = self._take()
                    if batch is None:
                        return
                    fetched = self._answer(batch, again)
                    if fetched is None:
                        self._room.release()
                    else:
                        self._keep(session, fetched)
                        # Read here, while the writer waits for PostgreSQL: it is the slower of the two.
                        self._fetched.put(replace(fetched, parsed=read_payloads(fetched.rows)))
        except BaseException as error:
            self._fail(error)

    def _take(self) -> tuple[Batch | None, bool]:
        """The next batch; behind the last one those whose call failed as a whole, once more: perhaps the API was away
        for a moment. True for these."""
        with self._lock:
            if self._stop.is_set():
                return None, False
            batch = next(self._source, None)
            for found in (self._blamed, self._doubtful) if batch is None and self._alive else ():
                for place, aside in enumerate(found):
                    if aside.call_failed:
                        return found.pop(place).batch, True
            return batch, False

    def _answer(self, batch: Batch, again: bool) -> FetchedBatch | None:
        """The answer to a batch; None when it was set aside."""
        try:
            fetched = self._ask(batch)
        except TransientApiError as error:
            reason = f"its batch keeps failing: {error.message}"
            self._doubt(batch, dict.fromkeys(batch.fixture_ids, reason), call_failed=True, again=again)
            return None
        if fetched.poisoned and not fetched.rows and not fetched.missing:
            self._doubt(batch, fetched.poisoned, call_failed=False, again=again)
            return None
        with self._lock:
            self._alive = True
            self._blamed += self._doubtful
            self._doubtful = []
        return fetched

    def _ask(self, batch: Batch) -> FetchedBatch:
        started, at = time.monotonic(), self._context.clock()
        answer = self._fetch(batch)
        return FetchedBatch(
            number=batch.number,
            requested=batch.fixture_ids,
            # Out of the answer's body, which can go: it would double the memory of a batch.
            rows={key: bytes(row) for key, row in answer.rows.items()},
            missing=answer.missing,
            poisoned=answer.poisoned,
            calls=answer.calls,
            bytes=answer.bytes,
            seconds=time.monotonic() - started,
            includes=getattr(answer, "includes", None),
            at=at,
            answer_id=uuid.uuid4().hex,
        )

    def _doubt(self, batch: Batch, poisoned: Mapping[int, str], *, call_failed: bool, again: bool) -> None:
        failed = FetchedBatch(batch.number, batch.fixture_ids, {}, poisoned=poisoned)
        aside = _SetAside(batch, failed, call_failed and not again)
        with self._lock:
            (self._blamed if again else self._doubtful).append(aside)
            in_a_row = len(self._doubtful)
        if in_a_row > MAX_DOUBTFUL:
            raise _nothing_came(failed)
        log.warning("Batch %d is set aside: %s", batch.number, next(iter(poisoned.values())))

    def _keep(self, session: Session, fetched: FetchedBatch) -> None:
        names = {**self._context.sql_params(), "fence": self._context.fence}
        if not session.run(lambda conn: keep(conn, fetched, names)):
            raise self._context.lost_lease()

    def _write_all(self) -> None:
        try:
            with Session(self._connect) as session:
                while (fetched := self._fetched.get()) is not None:
                    self._done.put(store(session, fetched, self._context))
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


def _nothing_came(failed: FetchedBatch) -> TransientApiError:
    return TransientApiError(f"No fixture that was asked for came back: {next(iter(failed.poisoned.values()))}")


def store(session: Session, fetched: FetchedBatch, context: LoadContext) -> StoredBatch:
    """Store an answer, over restarts and deadlocks, once."""
    started = time.monotonic()
    stored = session.run(lambda conn: store_batch(conn, fetched, context))
    return StoredBatch(fetched, stored, time.monotonic() - started)
