"""ETLLogger, ETLMonitor and PerformanceTracker against a real table, and against none at all."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

import psycopg
import pytest

from sportmonks.monitoring import ETLLogger, ETLMonitor, PerformanceTracker
from sportmonks.warehouse.connection import open_connection


def _monitor(dsn: str, **settings: Any) -> ETLMonitor:
    return ETLMonitor(lambda: open_connection(dsn), interval=0.02, **settings)


def _dead(threads: set[threading.Thread]) -> ETLMonitor:
    """Of tables that do not answer; ``threads``: those that tried to reach them."""

    def refuse() -> psycopg.Connection[Any]:
        threads.add(threading.current_thread())
        raise psycopg.OperationalError("connection refused")

    return ETLMonitor(refuse, interval=0.02)


def test_a_line_reaches_console_and_table_with_its_context(
    warehouse_dsn: str, warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sportmonks")
    with _monitor(warehouse_dsn) as monitor:
        log = ETLLogger("COLLECT", monitor, execution_id="etl_1").bind(chunk_id="8_23614")
        log.debug("not at this level")
        log.warning("Fixture %s held back", fixture_id=7, duration_ms=12.3456, rows=0, api_token="sesame-open")
        log.close()
        row = warehouse.execute(
            "SELECT level, component, message, details, execution_id, chunk_id, fixture_id, duration_ms::float"
            " FROM etl.etl_logs"
        ).fetchall()
    assert row == [
        ("WARNING", "COLLECT", "Fixture %s held back", {"rows": 0, "api_token": "***"}, "etl_1", "8_23614", 7, 12.346)
    ]
    assert caplog.messages == ["COLLECT chunk:8_23614 fixture:7 Fixture %s held back (12 ms) rows=0 api_token=***"]


def test_the_level_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ETL_LOG_LEVEL", "debug")
    assert ETLLogger("X").level == 10
    monkeypatch.setenv("ETL_LOG_LEVEL", "LOUD")
    assert ETLLogger("X").level == 20


def test_many_threads_lose_nothing(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    with _monitor(warehouse_dsn) as monitor:
        log = ETLLogger("T", monitor, level=10)
        threads = [
            threading.Thread(target=lambda n=n: [log.debug("line", thread=n, i=i) for i in range(400)])
            for n in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert monitor.flush(20)
    count = warehouse.execute("SELECT count(*), count(DISTINCT details) FROM etl.etl_logs").fetchone()
    assert count == (3200, 3200)
    assert monitor.sink.dropped == 0


def test_a_dead_table_costs_log_lines_only(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="sportmonks")
    threads: set[threading.Thread] = set()
    monitor = _dead(threads)
    log = ETLLogger("T", monitor)
    for number in range(1000):
        log.info("still here", number=number)
    log.close()
    monitor.close(timeout=1)
    assert threads
    assert threading.current_thread() not in threads
    assert caplog.messages.count("Monitoring tables do not answer: 1000 events stand only in this log.") == 1
    assert sum("are kept and tried again" in line for line in caplog.messages) == 1
    assert monitor.sink.dropped == 1000
    log.info("after the end")  # neither raises nor starts anything


def test_rows_wait_for_a_table_that_comes_back(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    broken = True

    def connect() -> psycopg.Connection[Any]:
        if broken:
            raise psycopg.OperationalError("starting up")
        return open_connection(warehouse_dsn)

    with ETLMonitor(connect, interval=0.02) as monitor:
        for number in range(50):
            monitor.log_event("INFO", "T", f"line {number}")
        assert not monitor.flush(1)
        broken = False
        assert monitor.flush(10)
    lines = [row[0] for row in warehouse.execute("SELECT message FROM etl.etl_logs ORDER BY log_id")]
    assert lines == [f"line {number}" for number in range(50)]


def test_the_buffer_is_bounded_and_keeps_the_newest(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    ready = threading.Event()

    def connect() -> psycopg.Connection[Any]:
        ready.wait(5)
        return open_connection(warehouse_dsn)

    with ETLMonitor(connect, capacity=100, interval=60) as monitor:
        for number in range(250):
            monitor.log_event("INFO", "T", str(number))
        ready.set()
        assert monitor.flush(10)
    found = [int(row[0]) for row in warehouse.execute("SELECT message FROM etl.etl_logs ORDER BY log_id")]
    assert found == list(range(150, 250))
    assert monitor.sink.dropped == 150


def test_one_refused_row_does_not_hold_up_the_others(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    with _monitor(warehouse_dsn) as monitor:
        monitor.log_event("INFO", "T", "before", fixture_id=1)
        monitor.log_event("INFO", "T", "too big", fixture_id=2**70)
        monitor.log_event("INFO", "T", "after", fixture_id=3)
        monitor.log_event("INFO", "T", "odd \ud800 text", details={"\x00": "\ud800"})
        assert monitor.flush(10)
    lines = [row[0] for row in warehouse.execute("SELECT message FROM etl.etl_logs ORDER BY log_id")]
    assert lines[:2] == ["before", "after"]


def test_executions_summary_and_health(warehouse_dsn: str) -> None:
    with _monitor(warehouse_dsn) as monitor:
        monitor.start_execution("etl_a", {"batch_size": 50, "api_key": "hush-hush"}, dag_id="d", run_id="r")
        monitor.start_execution("etl_a")  # a retry
        status = monitor.finish_execution(
            "etl_a", "COMPLETED", total_fixtures=10, processed_fixtures=10, successful_fixtures=9, failed_fixtures=1
        )
        assert status == "COMPLETED"
        summary = monitor.get_execution_summary("etl_a")
        assert summary is not None
        assert summary["success_rate"] == 90
        assert monitor.get_execution_summary("nope") is None
        health = monitor.get_health_status()
        assert (health["total_executions"], health["completed_executions"]) == (1, 1)
        with open_connection(warehouse_dsn) as conn:
            row = conn.execute("SELECT config FROM etl.etl_executions").fetchone()
        assert row == ({"batch_size": 50, "api_key": "***"},)
        with pytest.raises(TypeError, match="no figure 'fixtures'"):
            monitor.finish_execution("etl_a", fixtures=3)


def test_the_tracker_sums_up(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    with _monitor(warehouse_dsn) as monitor, PerformanceTracker(monitor, "etl_a", {"chunk_id": "8_1"}) as tracker:
        for value in range(1, 101):
            tracker.record_duration("api_call", float(value))
        with pytest.raises(ValueError, match="broken"), tracker.track_operation("parse"):
            raise ValueError("broken")
        tracker.increment_counter("retries")
        tracker.increment_counter("retries", 2)
        tracker.set_gauge("queue", 1)
        tracker.set_gauge("queue", 2, "batches")
        tracker.flush()
        tracker.increment_counter("retries")
    rows = warehouse.execute(
        "SELECT metric_name, metric_value, tags FROM etl.etl_metrics ORDER BY metric_id"
    ).fetchall()
    found = [
        (name, value) for name, value, _ in rows if not name.startswith("parse.m") and not name.startswith("parse.p")
    ]
    assert found == [
        ("api_call.count", 100),
        ("api_call.mean", 50.5),
        ("api_call.p50", 50),
        ("api_call.p95", 95),
        ("api_call.max", 100),
        ("parse.count", 1),
        ("parse.errors", 1),
        ("retries", 3),
        ("queue", 2),
        ("retries", 1),
    ]
    assert all(tags == {"chunk_id": "8_1"} for *_, tags in rows)


def test_track_performance_writes_every_call(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    with (
        _monitor(warehouse_dsn) as monitor,
        PerformanceTracker(monitor, "etl_a", track_performance=True) as tracker,
    ):
        for _ in range(3):
            with tracker.track_operation("load", batch=1):
                pass
    names = [row[0] for row in warehouse.execute("SELECT metric_name FROM etl.etl_metrics WHERE metric_name = 'load'")]
    assert len(names) == 3


def test_a_call_costs_microseconds(warehouse_dsn: str) -> None:
    """At most 2 % of a batch's time (about 0.4 s) for its dozen lines and hundred timings, on the processor."""
    with _monitor(warehouse_dsn) as monitor, PerformanceTracker(monitor, "etl_a") as tracker:
        log = ETLLogger("COLLECT", monitor, execution_id="etl_a")
        best = 1.0
        for _ in range(5):
            started = time.thread_time()
            for _ in range(100):
                log.info("Batch saved", saved=50, unchanged=0)
                with tracker.track_operation("load"):
                    pass
            best = min(best, (time.thread_time() - started) / 100)
    assert best * 12 < 0.008
