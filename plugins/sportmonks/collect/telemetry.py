"""Events and metrics of a chunk's collection: its batches, calls and problems, and the cost of recording them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sportmonks.monitoring.logger import ETLLogger
from sportmonks.monitoring.monitor import ETLMonitor
from sportmonks.monitoring.performance import PerformanceTracker

if TYPE_CHECKING:
    import psycopg

    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.pipeline import StoredBatch
    from sportmonks.collect.progress import ChunkProgress


class ChunkTelemetry:
    """Records events and metrics of one chunk. ``calls``: filled by the client, emptied here after each batch.

    ``share``: percent of the collection's time that monitoring has taken so far: the calls of this class, and the
    processor time of the thread that writes. It becomes the metric ``monitoring.share`` of the chunk.
    """

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        execution_id: str,
        chunk_id: str,
        calls: list[CallRecord],
        *,
        track_performance: bool = False,
    ) -> None:
        self._calls = calls
        self._monitor = ETLMonitor(connect)
        self._tracker = PerformanceTracker(
            self._monitor, execution_id, {"chunk_id": chunk_id}, track_performance=track_performance
        )
        self._logger = ETLLogger("COLLECT", self._monitor, execution_id=execution_id, chunk_id=chunk_id)
        self._started = time.perf_counter()
        self._spent = 0.0

    @property
    def share(self) -> float:
        took = time.perf_counter() - self._started
        return 100 * (self._spent + self._monitor.sink.cpu_seconds) / took if took else 0.0

    def on_batch(self, done: StoredBatch, progress: ChunkProgress) -> None:
        """Record a batch that has been committed."""
        with self._timed():
            self._count_calls()
            stored, fetched = done.stored, done.fetched
            self._logger.info(
                f"Batch {stored.number}: {progress.checkpoint.done} of {progress.checkpoint.total} fixtures",
                duration_ms=round((fetched.seconds + done.write_seconds) * 1000, 1),
                fetch_s=round(fetched.seconds, 3),
                write_s=round(done.write_seconds, 3),
                calls=fetched.calls,
                bytes=fetched.bytes,
                changes=stored.changes,
                **{key.lower(): value for key, value in stored.outcomes.items()},
            )
            self._tracker.record_duration("fetch_batch", fetched.seconds * 1000)
            self._tracker.record_duration("write_batch", done.write_seconds * 1000)
            for fixture_id, problem in stored.problems.items():
                self._logger.warning(problem, fixture_id=fixture_id)

    def stopped(self, error: BaseException) -> None:
        """Record that the collection ends before its plan is done."""
        self._logger.error("Collection stopped", reason=str(error)[:1000])

    def close(self) -> None:
        with self._timed():
            self._count_calls()
        self._tracker.set_gauge("monitoring.share", round(self.share, 3), "%")
        self._tracker.close()
        with self._timed():
            self._monitor.close()

    def __enter__(self) -> ChunkTelemetry:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _count_calls(self) -> None:
        while self._calls:
            call = self._calls.pop()
            self._tracker.record_duration("api_call", call.seconds * 1000, entity=call.entity)
            if call.status != 200:
                self._tracker.increment_counter(f"api_call.status_{call.status or 'none'}")

    @contextmanager
    def _timed(self) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._spent += time.perf_counter() - started
