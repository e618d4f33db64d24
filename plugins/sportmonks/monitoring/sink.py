"""The buffer between the job and the monitoring tables, and the thread that writes it.

What it promises the job: ``put`` costs microseconds, never waits, never raises. A dead or slow table costs rows
here (the oldest first, counted), never data there: every line has already gone to the ordinary log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Literal

import psycopg

from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

Table = Literal["logs", "metrics"]
Row = tuple[Any, ...]

_COPY: dict[Table, str] = {"logs": "monitoring/copy_logs", "metrics": "monitoring/copy_metrics"}
# Errors of a row that the table will never accept, as opposed to a table that cannot be reached.
_ROW_ERRORS = (psycopg.DataError, psycopg.IntegrityError, ValueError, TypeError)
BATCH = 1_000
STATEMENT_TIMEOUT_MS = 10_000
IDLE_CLOSE_S = 15.0
MAX_BACKOFF_S = 30.0


class EventSink:
    """Bounded buffer of rows for etl_logs and etl_metrics.

    ``connect`` is called on the flusher's thread, so it must not need Airflow's own channels: resolve the
    connection on the task's main thread (``warehouse_conninfo``) and pass ``lambda: open_connection(info)``.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], *, capacity: int = 20_000, interval: float = 1.0
    ) -> None:
        self._connect = connect
        self._rows: deque[tuple[Table, Row]] = deque(maxlen=capacity)
        self._interval = interval
        self._wake = threading.Event()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._closing = False
        self._writing = False
        self._flush_requested = 0
        self._failures = 0
        self._conn: psycopg.Connection[Any] | None = None
        self.written = 0
        self.dropped = 0
        self.cpu_seconds = 0.0  # of the thread that writes

    def put(self, table: Table, row: Row) -> None:
        """Buffer one row. Over capacity, the oldest row is dropped and counted."""
        with self._lock:
            if self._closing:
                self.dropped += 1
                return
            if len(self._rows) == self._rows.maxlen:
                self.dropped += 1
            self._rows.append((table, row))
            full = len(self._rows) >= BATCH
            if self._thread is None:
                thread = threading.Thread(target=self._run, name="etl-monitor", daemon=True)
                # May raise when no thread can be started; the row then waits until the next row tries again.
                thread.start()
                self._thread = thread
        if full:
            self._wake.set()

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until everything buffered so far is written; False when that took longer than ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        with self._lock:
            if self._thread is None:
                return not self._rows
            self._flush_requested = self._failures + 1
            self._wake.set()
            while self._rows or self._writing:
                left = deadline - time.monotonic()
                if left <= 0 or (self._failures >= self._flush_requested and not self._writing):
                    return False
                self._idle.wait(left)
        return True

    def close(self, timeout: float = 5.0) -> bool:
        """Flush, then stop the thread. A thread that hangs in a dead connection ends with the process. Rows put
        afterwards are counted as dropped."""
        done = self.flush(timeout)
        with self._lock:
            self._closing = True
            thread = self._thread
        self._wake.set()
        if thread is not None and done:
            thread.join(timeout)
        if not done:
            with self._lock:
                lost = len(self._rows)
                self.dropped += lost
                self._rows.clear()
            log.warning("Monitoring tables do not answer: %s events stand only in this log.", lost)
        return done

    def _run(self) -> None:
        last_write = time.monotonic()
        try:
            while True:
                failures = self._failures
                pause = min(self._interval * 2**failures, MAX_BACKOFF_S) if failures else self._interval
                self._wake.wait(pause)
                self._wake.clear()
                if self._rows:
                    self._drain()
                    self.cpu_seconds = time.thread_time()
                    last_write = time.monotonic()
                elif self._conn is not None and time.monotonic() - last_write > IDLE_CLOSE_S:
                    self._disconnect()
                with self._lock:
                    if self._closing:
                        return
        finally:
            self._disconnect()

    def _drain(self) -> None:
        """Write batches until the buffer is empty or a write fails."""
        while True:
            with self._lock:
                if not self._rows:
                    self._idle.notify_all()
                    return
                count = min(len(self._rows), BATCH)
                batch = [self._rows.popleft() for _ in range(count)]
                self._writing = True
            ok = self._write(batch)
            with self._lock:
                self._writing = False
                if ok:
                    self.written += len(batch)
                    self._failures = 0
                else:
                    self._failures += 1
                    self._put_back(batch)
                self._idle.notify_all()
                if not ok or (self._closing and not self._rows):
                    return

    def _put_back(self, batch: Sequence[tuple[Table, Row]]) -> None:
        """Put unwritten rows back at the front; where there is no room for all, the newest are kept."""
        room = (self._rows.maxlen or 0) - len(self._rows)
        self.dropped += max(len(batch) - room, 0)
        if room > 0:
            self._rows.extendleft(reversed(batch[-room:]))

    def _write(self, batch: Sequence[tuple[Table, Row]]) -> bool:
        """Write the batch in one transaction. False: the same rows have to be tried again later."""
        try:
            if self._conn is None or self._conn.closed:
                self._conn = self._connect()
                self._conn.autocommit = True
            try:
                self._copy(self._conn, batch)
            except _ROW_ERRORS:
                # One row that the tables refuse must not hold up the others.
                for entry in batch:
                    self._copy_one(self._conn, entry)
        except Exception as error:
            if self._failures == 0:
                log.warning("Monitoring tables: %s; events are kept and tried again.", _first_line(error))
            self._disconnect()
            return False
        return True

    def _copy_one(self, conn: psycopg.Connection[Any], entry: tuple[Table, Row]) -> None:
        try:
            self._copy(conn, [entry])
        except _ROW_ERRORS as error:
            self.dropped += 1
            log.warning("Monitoring tables refuse an event: %s", _first_line(error))

    @staticmethod
    def _copy(conn: psycopg.Connection[Any], batch: Sequence[tuple[Table, Row]]) -> None:
        with conn.transaction(), conn.cursor() as cursor:
            cursor.execute(sql("session/statement_timeout"), {"milliseconds": STATEMENT_TIMEOUT_MS})
            # A lost log line at a power cut is cheaper than waiting for the disk on every flush.
            cursor.execute(sql("session/commit_without_flush"))
            for table, query in _COPY.items():
                rows = [row for kind, row in batch if kind == table]
                if not rows:
                    continue
                with cursor.copy(sql(query)) as copy:
                    for row in rows:
                        copy.write_row(row)

    def _disconnect(self) -> None:
        conn, self._conn = self._conn, None
        if conn is not None:
            try:
                conn.close()
            except Exception:
                log.debug("Closing the monitoring connection failed", exc_info=True)


def _first_line(error: BaseException) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0][:300]
