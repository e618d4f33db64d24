"""Fetching, reading and writing at the same time: fetch threads, one that reads what came, writer threads.

A fetched batch is saved in the warehouse before the next call starts, and removed by the transaction that loads it.
Its payloads are read on a thread of their own, so that the next call does not wait for that, and neither does the
transaction. One such thread is enough: reading holds the interpreter's lock.
Calls and writing overlap, and a task that is killed loses only the calls under way: what was fetched before is found
and loaded by its successor. When all places are taken, fetching waits, so memory does not grow with the chunk. Whatever
stops the pipeline, the batches that have been fetched are still written.
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
from functools import partial
from typing import Any, Protocol

import msgspec
import psycopg

from sportmonks.collect.response_store import save
from sportmonks.collect.suspects import Suspects
from sportmonks.errors import BudgetWait, LostLeaseError, TransientApiError
from sportmonks.load.batch import BatchResult, FetchedBatch, LoadContext, store_batch
from sportmonks.load.content_hash import StoredHashes
from sportmonks.load.reading import read_batch, stored_hashes
from sportmonks.planning.batches import Batch
from sportmonks.warehouse.session import Session

log = logging.getLogger(__name__)

# How long a pipeline that is abandoned waits for the calls under way, so that their responses are not lost.
DRAIN_TIMEOUT_S = 20.0


class BatchResponseLike(Protocol):
    """The attributes of a response to ``/fixtures/multi`` that the pipeline reads.

    A response may also have ``includes``, those that were requested in the end, ``api_answers``: whether the API
    answered anything, and ``bodies``: what the rows are from, as it came.
    """

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
    """A batch whose transaction has been committed. ``fetched`` is without its payloads: who receives it may be slower
    than the writers, and must not hold what they have written."""

    fetched: FetchedBatch
    stored: BatchResult
    write_seconds: float


class Pipeline:
    """Runs the batches of one chunk once. ``fetch`` and ``connect`` are called from several threads.

    ``in_flight``: batches over all threads that have been requested and not been committed; it bounds the memory. Each
    of the ``fetchers`` has one call under way, which is what a kill can lose. ``idle`` is called on the caller's thread
    after every ``idle_seconds`` in which no batch was committed. ``api_works`` is called when batches brought nothing
    and no other did either: whether the API returns a fixture that is known to be good.
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
        api_works: Callable[[], bool] = lambda: False,
    ) -> None:
        self._fetch = fetch
        self._connect = connect
        self._context = context
        self._idle, self._idle_seconds = idle, idle_seconds
        self._api_works = api_works
        self._room = threading.Semaphore(in_flight)
        self._fetched: queue.SimpleQueue[tuple[FetchedBatch, dict[int, StoredHashes]] | None] = queue.SimpleQueue()
        self._read: queue.SimpleQueue[FetchedBatch | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[StoredBatch | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        # Guards the source of batches, the suspects and the error.
        self._lock = threading.Lock()
        self._error: BaseException | None = None
        self._suspects = Suspects()
        self._fetch_threads = [threading.Thread(target=self._fetch_all, daemon=True) for _ in range(fetchers)]
        self._read_thread = threading.Thread(target=self._read_all, daemon=True)
        self._write_threads = [threading.Thread(target=self._write_all, daemon=True) for _ in range(writers)]

    def run(self, batches: Iterable[Batch]) -> Iterator[StoredBatch]:
        """Each committed batch, on the caller's thread. Raises the first error after all fetched batches are written.

        A BudgetWait is an error like any other here. A batch that brings no fixture is set aside, so that the others
        need not wait for it; ``collect.suspects`` decides at the end whether its fixtures are recorded as failed.
        Raises TransientApiError when no batch brought anything.
        """
        self._source = iter(batches)
        for thread in self._threads():
            thread.start()
        threading.Thread(target=self._finish, daemon=True).start()
        complete = False
        try:
            while (done := self._next()) is not None:
                yield done
            complete = True
        finally:
            self._halt()
            deadline = time.monotonic() + DRAIN_TIMEOUT_S
            for thread in self._threads():
                thread.join(None if complete else max(0.0, deadline - time.monotonic()))
        # Recorded as failed, they do not come before the others again when the chunk is tried anew.
        blamed = self._suspects.to_blame(interrupted=self._error is not None)
        if blamed and not isinstance(self._error, LostLeaseError):
            with Session(self._connect) as session:
                for suspect in blamed:
                    batch = suspect.batch
                    failed = FetchedBatch(batch.number, batch.fixture_ids, {}, poisoned=suspect.reasons)
                    yield store(session, failed, self._context)
        if self._error is not None:
            raise self._error

    def _threads(self) -> Iterable[threading.Thread]:
        return (*self._fetch_threads, self._read_thread, *self._write_threads)

    def _next(self) -> StoredBatch | None:
        while True:
            with contextlib.suppress(queue.Empty):
                return self._done.get(timeout=self._idle_seconds)
            self._idle()

    def _finish(self) -> None:
        """Ends each stage after the one before it, and the caller's loop after the last writer."""
        for thread in self._fetch_threads:
            thread.join()
        self._fetched.put(None)
        self._read_thread.join()
        for _ in self._write_threads:
            self._read.put(None)
        for thread in self._write_threads:
            thread.join()
        self._done.put(None)

    def _fetch_all(self) -> None:
        try:
            with Session(self._connect) as session:
                while self._fetch_next(session):
                    pass
        except BaseException as error:
            self._fail(error)

    # Each piece of the three stages is a call of its own: a thread that waits for the next one holds no batch.

    def _fetch_next(self, session: Session) -> bool:
        """False when there is nothing more to fetch."""
        self._room.acquire()
        batch, repeated = self._take()
        if batch is None:
            return False
        fetched = self._fetch_unless_suspected(batch, repeated)
        if fetched is None:
            self._room.release()
        else:
            self._save(session, fetched)
            stored = session.run(partial(stored_hashes, ids=fetched.requested))
            self._fetched.put((replace(fetched, bodies=()), stored))
        return True

    def _read_all(self) -> None:
        while self._read_next():
            pass

    def _read_next(self) -> bool:
        item = self._fetched.get()
        if item is None:
            return False
        fetched, stored = item
        try:
            at = fetched.at or self._context.clock()
            read = read_batch(fetched.rows, stored, at, typed=self._context.typed)
            self._read.put(replace(fetched, read=read, at=at))
        except BaseException as error:
            # The batch is saved: the next attempt finds it.
            self._fail(error)
        return True

    def _take(self) -> tuple[Batch | None, bool]:
        """The next batch, and whether it was tried before: after the last batch come those whose call failed."""
        with self._lock:
            if self._stop.is_set():
                return None, False
            batch = next(self._source, None)
            undecided = batch is None and self._suspects.undecided()
        if undecided and self._api_works():
            with self._lock:
                self._suspects.record_success()
        with self._lock:
            return (batch, False) if batch is not None else (self._suspects.next_retry(), True)

    def _fetch_unless_suspected(self, batch: Batch, repeated: bool) -> FetchedBatch | None:
        """The fetched batch, or None when it brought no fixture and was set aside."""
        try:
            fetched = self._call(batch)
        except TransientApiError as error:
            reason = f"its batch keeps failing: {error.message}"
            self._suspect(batch, dict.fromkeys(batch.fixture_ids, reason), call_failed=True, repeated=repeated)
            return None
        if fetched.poisoned and not fetched.rows and not fetched.missing:
            self._suspect(batch, fetched.poisoned, repeated=repeated, api_answers=fetched.api_answers)
            return None
        with self._lock:
            self._suspects.record_success()
        return fetched

    def _call(self, batch: Batch) -> FetchedBatch:
        started, at = time.monotonic(), self._context.clock()
        response = self._fetch(batch)
        return FetchedBatch(
            number=batch.number,
            requested=batch.fixture_ids,
            # Copied, so that the body of the response can be freed: it would double the memory of a batch.
            rows={key: bytes(row) for key, row in response.rows.items()},
            missing=response.missing,
            poisoned=response.poisoned,
            calls=response.calls,
            bytes=response.bytes,
            seconds=time.monotonic() - started,
            includes=getattr(response, "includes", None),
            at=at,
            answer_id=uuid.uuid4().hex,
            api_answers=getattr(response, "api_answers", False),
            bodies=getattr(response, "bodies", ()),
        )

    def _suspect(
        self,
        batch: Batch,
        reasons: Mapping[int, str],
        *,
        repeated: bool,
        call_failed: bool = False,
        api_answers: bool = False,
    ) -> None:
        log.warning("Batch %d is set aside: %s", batch.number, next(iter(reasons.values())))
        try:
            with self._lock:
                self._suspects.add(batch, reasons, call_failed=call_failed, repeated=repeated, api_answers=api_answers)
        except TransientApiError:
            if not self._api_works():
                raise
            with self._lock:
                self._suspects.record_success()

    def _save(self, session: Session, fetched: FetchedBatch) -> None:
        params = {**self._context.sql_params(), "fence": self._context.fence}
        if not session.run(lambda conn: save(conn, fetched, params)):
            raise self._context.lost_lease()

    def _write_all(self) -> None:
        try:
            with Session(self._connect) as session:
                while self._write_next(session):
                    pass
        except BaseException as error:
            self._fail(error)

    def _write_next(self, session: Session) -> bool:
        fetched = self._read.get()
        if fetched is None:
            return False
        self._done.put(store(session, fetched, self._context))
        self._room.release()
        return True

    def _fail(self, error: BaseException) -> None:
        """Keeps the first error, except that any other error replaces a wait for the budget."""
        with self._lock:
            if self._error is None or isinstance(self._error, BudgetWait):
                self._error = error
        self._halt()

    def _halt(self) -> None:
        """No further call starts; fetchers that wait for a place wake up and end."""
        self._stop.set()
        for _ in self._fetch_threads:
            self._room.release()


def store(session: Session, fetched: FetchedBatch, context: LoadContext) -> StoredBatch:
    """Load a fetched batch; repeated after restarts of the server and deadlocks, and counted once all the same."""
    started = time.monotonic()
    stored = session.run(lambda conn: store_batch(conn, fetched, context))
    return StoredBatch(replace(fetched, rows={}, read=None), stored, time.monotonic() - started)
