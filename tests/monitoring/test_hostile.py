"""What a job may hand to its logger and tracker without being failed, held up or filled up by them."""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any

import psycopg
import pytest

from sportmonks.monitoring import ETLLogger, ETLMonitor, PerformanceTracker
from sportmonks.redaction import MASK, MAX_JSON, MAX_TEXT, mask_text, to_json
from sportmonks.warehouse.connection import open_connection


def _monitor(dsn: str, **settings: Any) -> ETLMonitor:
    return ETLMonitor(lambda: open_connection(dsn), interval=0.02, **settings)


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_any_message_and_any_detail(
    warehouse_dsn: str, warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, logger="sportmonks")
    shared: dict[str, Any] = {"loop": None}
    shared["loop"] = shared
    with _monitor(warehouse_dsn) as monitor:
        log = ETLLogger("NUL\x00 \ud800", monitor, execution_id="etl\x00_1")
        log.error(ValueError("an exception"))  # type: ignore[arg-type]
        log.error(Unspeakable())  # type: ignore[arg-type]
        log.info("names of parameters", message="a", level_name="b", self="c", monitor="d")
        log.info("odd", set={1}, bytes=b"\xff", fails=Unspeakable(), loop=shared, nan=float("nan"), nul="a\x00b")
        log.info(
            "huge", blob="x" * 3_000_000, tree={str(i): {str(k): "y" * 4000 for k in range(200)} for i in range(99)}
        )
        log.info("x" * 3_000_000)
        log.info("wrong types", fixture_id="seven", duration_ms="long")  # type: ignore[arg-type]
        assert monitor.flush(10)
    rows = warehouse.execute(
        "SELECT message, component, execution_id, length(details::text) FROM etl.etl_logs ORDER BY log_id"
    ).fetchall()
    assert [row[0][:20] for row in rows] == [
        "an exception",
        "<Unspeakable>",
        "names of parameters",
        "odd",
        "huge",
        "x" * 20,
    ]
    assert {row[1:3] for row in rows} == {("NUL \ufffd", "etl_1")}
    assert all((row[3] or 0) < 1.2 * MAX_JSON for row in rows)
    assert max(len(line) for line in caplog.messages) < 4 * MAX_TEXT


def test_a_long_text_is_masked_in_one_pass() -> None:
    """Blobs that once took minutes: the time of ten times the text is about ten times the time, or less."""
    for piece in ("x", "password", "://a:", "authorization ", "token=", "a:b@"):
        short, long = (min(_seconds(piece * count) for _ in range(3)) for count in (400, 4000))
        assert long < 60 * short + 0.01, piece


def _seconds(text: str) -> float:
    started = time.perf_counter()
    mask_text(text)
    return time.perf_counter() - started


def test_half_a_secret_at_the_cut_is_not_shown() -> None:
    for size in range(4 * MAX_TEXT - 40, 4 * MAX_TEXT + 1):
        text = mask_text("password=" + "s" * (size - 40) + " and token=hidden-secret-1234567890")
        assert "hidden" not in text
    assert mask_text("db_password=hunter22 https://u:pa@ss/w") == f"db_password={MASK} https://u:{MASK}@ss/w"


def test_details_have_room_and_not_more() -> None:
    found = json.loads(to_json({"first": "x", "list": ["y" * 1000] * 150, "last": {"n": 1}}) or "")
    assert found["first"] == "x"
    assert found["list"][-1] == "… 86 more"
    assert found["…"] == "…"


def test_measurements_never_fail_the_job(warehouse_dsn: str, warehouse: psycopg.Connection[Any]) -> None:
    with _monitor(warehouse_dsn) as monitor, PerformanceTracker(monitor, "e", track_performance=True) as tracker:
        with tracker.track_operation("op", name="a", milliseconds="b", value="c", unit="d", self="e"):
            pass
        tracker.record_duration("bad", "soon")  # type: ignore[arg-type]
        tracker.increment_counter("count", "two")  # type: ignore[arg-type]
        tracker.set_gauge("gauge", None)  # type: ignore[arg-type]
        tracker.record_metric("nan", float("nan"))
        tracker.record_metric("n\x00ul", 1, unit="u", tag=Unspeakable())
        tracker.increment_counter("count", 2)
    rows = warehouse.execute(
        "SELECT metric_name, metric_value, tags FROM etl.etl_metrics ORDER BY metric_id"
    ).fetchall()
    assert [row[0] for row in rows] == [
        "op",
        "nul",
        "op.count",
        "op.mean",
        "op.p50",
        "op.p95",
        "op.max",
        "count",
    ]
    assert rows[0][2] == {"name": "a", "milliseconds": "b", "value": "c", "unit": "d", "self": "e"}
    assert rows[-1][1] == 2
    assert monitor.sink.dropped == 2


def test_no_thread_to_be_had(
    warehouse_dsn: str, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "etl-monitor":
            raise RuntimeError("can't start new thread")
        start(thread)

    monitor = _monitor(warehouse_dsn)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        ETLLogger("T", monitor).info("kept")
        assert not monitor.flush(1)
    ETLLogger("T", monitor).info("and the next")
    assert monitor.flush(10)
    monitor.close()
    lines = warehouse.execute("SELECT message FROM etl.etl_logs ORDER BY log_id").fetchall()
    assert lines == [("kept",), ("and the next",)]
