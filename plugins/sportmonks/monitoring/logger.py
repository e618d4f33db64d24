"""ETLLogger: one call writes to the ordinary log (Airflow's task log) and to the table etl.etl_logs."""

from __future__ import annotations

import logging
import os
from typing import Any

from sportmonks.monitoring.monitor import ETLMonitor
from sportmonks.redaction import MAX_TEXT, as_text, mask_text, mask_value

_NUMBERS = {"DEBUG": 10, "INFO": 20, "WARNING": 30, "ERROR": 40, "CRITICAL": 50}


def level_from_environment() -> int:
    """``ETL_LOG_LEVEL`` as a number; an unknown name counts as INFO, because logging must not stop a job."""
    return _NUMBERS.get(os.environ.get("ETL_LOG_LEVEL", "").strip().upper(), 20)


class ETLLogger:
    """Thread-safe logger with the context of an execution, chunk and fixture.

    Calls never raise and never wait for the database. ``details``, of any name, become the JSON of the row and
    ``key=value`` in the console. Without a monitor the lines go to the console only. ``bind`` gives a child with more
    context.
    """

    def __init__(
        self,
        component: str,
        monitor: ETLMonitor | None = None,
        *,
        execution_id: str | None = None,
        chunk_id: str | None = None,
        fixture_id: int | None = None,
        level: int | None = None,
    ) -> None:
        self.component = component
        self.monitor = monitor
        self.execution_id = execution_id
        self.chunk_id = chunk_id
        self.fixture_id = fixture_id
        self.level = level_from_environment() if level is None else level
        self._console = logging.getLogger(f"sportmonks.etl.{component.lower()}")

    def bind(self, **context: Any) -> ETLLogger:
        """A logger on the same monitor with another ``component``, ``execution_id``, ``chunk_id`` or ``fixture_id``."""
        merged: dict[str, Any] = {
            "component": self.component,
            "execution_id": self.execution_id,
            "chunk_id": self.chunk_id,
            "fixture_id": self.fixture_id,
            "level": self.level,
            **context,
        }
        return ETLLogger(merged.pop("component"), self.monitor, **merged)

    def debug(
        self, message: str, /, *, fixture_id: int | None = None, duration_ms: float | None = None, **details: Any
    ) -> None:
        self.log("DEBUG", message, fixture_id=fixture_id, duration_ms=duration_ms, **details)

    def info(
        self, message: str, /, *, fixture_id: int | None = None, duration_ms: float | None = None, **details: Any
    ) -> None:
        self.log("INFO", message, fixture_id=fixture_id, duration_ms=duration_ms, **details)

    def warning(
        self, message: str, /, *, fixture_id: int | None = None, duration_ms: float | None = None, **details: Any
    ) -> None:
        self.log("WARNING", message, fixture_id=fixture_id, duration_ms=duration_ms, **details)

    def error(
        self, message: str, /, *, fixture_id: int | None = None, duration_ms: float | None = None, **details: Any
    ) -> None:
        self.log("ERROR", message, fixture_id=fixture_id, duration_ms=duration_ms, **details)

    def critical(
        self, message: str, /, *, fixture_id: int | None = None, duration_ms: float | None = None, **details: Any
    ) -> None:
        self.log("CRITICAL", message, fixture_id=fixture_id, duration_ms=duration_ms, **details)

    def log(
        self,
        level_name: str,
        message: str,
        /,
        *,
        fixture_id: int | None = None,
        duration_ms: float | None = None,
        **details: Any,
    ) -> None:
        """Log one event of the given level; every other method calls this one."""
        number = _NUMBERS.get(level_name, 20)
        if number < self.level:
            return
        try:
            fixture = self.fixture_id if fixture_id is None else fixture_id
            self._console.log(number, "%s", self._line(message, fixture, duration_ms, details))
            if self.monitor is not None:
                self.monitor.log_event(
                    level_name,
                    self.component,
                    message,
                    details=details,
                    execution_id=self.execution_id,
                    chunk_id=self.chunk_id,
                    fixture_id=fixture,
                    duration_ms=duration_ms,
                )
        except Exception:  # the promise of this class: watching cannot fail the job
            self._console.debug("An event could not be logged", exc_info=True)

    def _line(self, message: str, fixture: int | None, duration_ms: float | None, details: dict[str, Any]) -> str:
        parts = [self.component]
        if self.chunk_id:
            parts.append(f"chunk:{self.chunk_id}")
        if fixture is not None:
            parts.append(f"fixture:{fixture}")
        parts.append(mask_text(as_text(message)))
        if duration_ms is not None:
            parts.append(f"({duration_ms:.0f} ms)")
        parts += [f"{key}={value}" for key, value in mask_value(details, room=[MAX_TEXT]).items()]
        return " ".join(parts)

    def close(self) -> None:
        """Write the buffered events. The monitor stays open, because others may share it."""
        if self.monitor is not None:
            self.monitor.flush()

    def __enter__(self) -> ETLLogger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
