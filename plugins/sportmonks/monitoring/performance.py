"""PerformanceTracker: durations, counters and gauges, aggregated before they are written."""

from __future__ import annotations

import logging
import math
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

from sportmonks.monitoring.monitor import ETLMonitor

log = logging.getLogger(__name__)
P = ParamSpec("P")

RESERVOIR = 1_024
FLUSH_EVERY_S = 30.0


def _harmless(call: Callable[P, None]) -> Callable[P, None]:
    """Accepts any value, because monitoring must not fail the job."""

    @wraps(call)
    def careful(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            call(*args, **kwargs)
        except Exception:
            log.debug("A measurement could not be taken", exc_info=True)

    return careful


class _Timing:
    """Exact count, sum and maximum; percentiles from a reservoir sample, so that memory stays constant."""

    __slots__ = ("count", "maximum", "sample", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.maximum = 0.0
        self.sample: list[float] = []

    def add(self, value: float, rng: random.Random) -> None:
        self.count += 1
        self.total += value
        self.maximum = max(self.maximum, value)
        if len(self.sample) < RESERVOIR:
            self.sample.append(value)
        elif (place := rng.randrange(self.count)) < RESERVOIR:
            self.sample[place] = value

    def percentile(self, share: float) -> float:
        """Percentile by the nearest-rank method."""
        ordered = sorted(self.sample)
        return ordered[max(math.ceil(share * len(ordered)) - 1, 0)]


class PerformanceTracker:
    """Durations and counts of the operations of one execution.

    An operation ``fetch`` gives the metrics fetch.count, .mean, .p50, .p95, .max (ms) and fetch.errors, written
    about every 30 s and at ``flush``; with ``track_performance`` also one metric ``fetch`` per call. Counters are
    written as the increase since the last flush, so that their sum over any period is right. Thread-safe.
    """

    def __init__(
        self,
        monitor: ETLMonitor,
        execution_id: str | None,
        tags: Mapping[str, Any] | None = None,
        *,
        track_performance: bool = False,
    ) -> None:
        self.monitor = monitor
        self.execution_id = execution_id
        self.tags = dict(tags or {})
        self.track_performance = track_performance
        self._lock = threading.Lock()
        self._rng = random.Random(0)
        self._timings: dict[str, _Timing] = {}
        self._counters: dict[str, float] = {}
        self._gauges: dict[str, tuple[float, str | None]] = {}
        self._flushed_at = time.monotonic()

    @contextmanager
    def track_operation(self, name: str, /, **tags: Any) -> Iterator[None]:
        """Measure the duration of the block. An exception is counted and raised on."""
        started = time.perf_counter()
        try:
            yield
        except BaseException:
            self.increment_counter(f"{name}.errors")
            raise
        finally:
            self.record_duration(name, (time.perf_counter() - started) * 1000, **tags)

    @_harmless
    def record_duration(self, name: str, milliseconds: float, /, **tags: Any) -> None:
        """A duration measured elsewhere, treated like ``track_operation``."""
        took = float(milliseconds)
        with self._lock:
            self._timings.setdefault(name, _Timing()).add(took, self._rng)
        if self.track_performance:
            self._record(name, took, "ms", tags)
        self._flush_when_due()

    @_harmless
    def record_metric(self, name: str, value: float, /, unit: str | None = None, **tags: Any) -> None:
        """Write one metric as one row, without aggregation."""
        self._record(name, value, unit, tags)

    @_harmless
    def increment_counter(self, name: str, value: float = 1) -> None:
        with self._lock:
            self._counters[name] = self._counters.get(name, 0) + value
        self._flush_when_due()

    @_harmless
    def set_gauge(self, name: str, value: float, unit: str | None = None) -> None:
        """Set a gauge; the next flush writes the newest value."""
        with self._lock:
            self._gauges[name] = (value, unit)
        self._flush_when_due()

    @_harmless
    def flush(self) -> None:
        """Hand the aggregates to the monitor and reset them."""
        with self._lock:
            timings, self._timings = self._timings, {}
            counters, self._counters = self._counters, {}
            gauges, self._gauges = self._gauges, {}
            self._flushed_at = time.monotonic()
        for name, timing in timings.items():
            self._record(f"{name}.count", timing.count, "calls")
            self._record(f"{name}.mean", timing.total / timing.count, "ms")
            self._record(f"{name}.p50", timing.percentile(0.50), "ms")
            self._record(f"{name}.p95", timing.percentile(0.95), "ms")
            self._record(f"{name}.max", timing.maximum, "ms")
        for name, value in counters.items():
            self._record(name, value, "count")
        for name, (value, unit) in gauges.items():
            self._record(name, value, unit)

    def close(self) -> None:
        self.flush()

    def __enter__(self) -> PerformanceTracker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _record(self, name: str, value: float, unit: str | None, tags: Mapping[str, Any] | None = None) -> None:
        self.monitor.record_metric(self.execution_id, name, value, unit, {**self.tags, **(tags or {})})

    def _flush_when_due(self) -> None:
        if time.monotonic() - self._flushed_at >= FLUSH_EVERY_S:
            self.flush()
