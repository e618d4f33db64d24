"""ETLMonitor: the execution tables and their SQL functions, called from Python."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row

from sportmonks.coerce import clean_text
from sportmonks.monitoring.sink import EventSink
from sportmonks.redaction import as_text, mask_text, to_json
from sportmonks.warehouse.queries import sql

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FIGURES = (
    "total_fixtures",
    "processed_fixtures",
    "successful_fixtures",
    "failed_fixtures",
    "total_chunks",
    "processed_chunks",
)


class ETLMonitor:
    """Writes executions immediately, events and metrics through a buffer.

    ``connect`` gives a new connection to the warehouse; it is also called on a background thread, so resolve
    Airflow connections before (``info = warehouse_conninfo(); ETLMonitor(lambda: open_connection(info))``).
    What concerns an execution raises like any statement; events and metrics never raise and never wait.
    """

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], *, capacity: int = 20_000, interval: float = 1.0
    ) -> None:
        self._connect = connect
        self.sink = EventSink(connect, capacity=capacity, interval=interval)

    # Executions

    def start_execution(
        self,
        execution_id: str,
        config: Mapping[str, Any] | None = None,
        *,
        dag_id: str | None = None,
        run_id: str | None = None,
    ) -> str:
        """Start the execution, or continue it after a retry. Returns its id."""
        self._one(
            "monitoring/start_execution",
            execution_id=execution_id,
            config=to_json(config) or "{}",
            dag_id=dag_id,
            run_id=run_id,
        )
        return execution_id

    def finish_execution(
        self, execution_id: str, status: str | None = None, *, error_message: str | None = None, **figures: int | None
    ) -> str:
        """Finish the execution and return its status. Counts and status left out are taken from its plan and chunks."""
        unknown = set(figures) - set(FIGURES)
        if unknown:
            raise TypeError(f"finish_execution() has no figure {sorted(unknown)[0]!r}; known: {', '.join(FIGURES)}")
        self.sink.flush()
        row = self._one(
            "monitoring/finish_execution",
            execution_id=execution_id,
            status=status,
            error_message=mask_text(error_message) if error_message else None,
            **{name: figures.get(name) for name in FIGURES},
        )
        return str(row["status"]) if row else ""

    def heartbeat(self, execution_id: str) -> None:
        """Record that the execution is alive, so that etl_watch does not close it as dead."""
        self._one("monitoring/heartbeat", execution_id=execution_id)

    def get_execution_summary(self, execution_id: str | None = None) -> dict[str, Any] | None:
        """Status, durations, counts, success rate (%) and fixtures/s of an execution (without an id: the newest);
        None where there is none."""
        return self._one("monitoring/execution_summary", execution_id=execution_id)

    def get_health_status(self) -> dict[str, Any]:
        """Counts by status, mean duration (s) and success rate (%), last execution, logs and errors of 24 hours."""
        return self._one("monitoring/health_status") or {}

    # Events and metrics

    def log_event(
        self,
        level: str,
        component: str,
        message: str,
        *,
        details: Mapping[str, Any] | None = None,
        execution_id: str | None = None,
        chunk_id: str | None = None,
        fixture_id: int | None = None,
        duration_ms: float | None = None,
        timestamp: datetime | None = None,
    ) -> None:
        """Buffer one event for etl.etl_logs, secrets masked."""
        try:
            known = level.upper() if level.upper() in LEVELS else "INFO"
            self.sink.put(
                "logs",
                (
                    timestamp or datetime.now(UTC),
                    known,
                    _name(component) or "?",
                    mask_text(as_text(message)),
                    to_json(details),
                    _name(execution_id),
                    _name(chunk_id),
                    fixture_id,
                    None if duration_ms is None else round(duration_ms, 3),
                ),
            )
        except Exception:  # watching must not fail the job, whatever it was handed
            self.sink.dropped += 1

    def record_metric(
        self,
        execution_id: str | None,
        metric_name: str,
        metric_value: float,
        metric_unit: str | None = None,
        tags: Mapping[str, Any] | None = None,
    ) -> None:
        """Buffer one metric for etl.etl_metrics. A value that is not a finite number is dropped and counted."""
        try:
            value = float(metric_value)
            if not math.isfinite(value):
                raise ValueError("one NaN would become the mean of its bucket")
            row = (_name(execution_id), _name(metric_name) or "?", value, _name(metric_unit), to_json(tags) or "{}")
            self.sink.put("metrics", (datetime.now(UTC), *row))
        except Exception:
            self.sink.dropped += 1

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until the buffer is written; False when that took longer than the timeout."""
        return self.sink.flush(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Write the buffered rows and close the connection."""
        self.sink.close(timeout)

    def __enter__(self) -> ETLMonitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _one(self, query: str, **parameters: Any) -> dict[str, Any] | None:
        with self._connect() as conn, conn.cursor(row_factory=dict_row) as cursor:
            return cursor.execute(sql(query), parameters).fetchone()


def _name(value: Any) -> str | None:
    """A name that PostgreSQL accepts: no NUL, no lone surrogates, not too long for an index."""
    if value is None:
        return None
    return clean_text(str(value)[:500])
