"""The budget's functions in PostgreSQL under short names, with the clock in hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import psycopg

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Conn = psycopg.Connection[Any]


class Take(NamedTuple):
    granted: bool
    wait: float
    reason: str
    bucket: str
    window: int


class Books:
    """The functions with short names; ``at`` is seconds after noon."""

    def __init__(self, conn: Conn) -> None:
        self.conn = conn

    def take(self, at: float = 0, *, entity: str = "Fixture", urgent: bool = False, **settings: Any) -> Take:
        row = self.conn.execute(
            "SELECT granted, wait_seconds, reason, bucket, window_no FROM etl.take_api_call("
            "p_connection => 'c', p_entity => %(entity)s, p_urgent => %(urgent)s,"
            " p_reserve => %(reserve)s, p_default_limit => %(default)s, p_now => %(now)s)",
            {
                "entity": entity,
                "urgent": urgent,
                "reserve": settings.get("reserve", 0.0),
                "default": settings.get("default", 2000),
                "now": NOON + timedelta(seconds=at),
            },
        ).fetchone()
        assert row is not None
        return Take(row[0], float(row[1]), *row[2:])

    def settle(self, at: float, remaining: int | None, resets_in: float | None = 3600, **more: Any) -> None:
        self.conn.execute(
            "SELECT etl.settle_api_call('c', %(entity)s, %(bucket)s, %(window)s, %(remaining)s, %(resets_in)s,"
            " p_limit => %(limit)s, p_requested_entity => %(requested)s, p_latency => %(latency)s,"
            " p_answered => %(answered)s, p_default_limit => 2000, p_window_seconds => 3600, p_now => %(now)s)",
            {
                "entity": more.get("entity", "Fixture"),
                "bucket": more.get("bucket", more.get("entity", "Fixture")),
                "window": more.get("window", 0),
                "remaining": remaining,
                "resets_in": resets_in,
                "limit": more.get("limit"),
                "requested": more.get("requested"),
                "latency": more.get("latency", 0),
                "answered": more.get("answered", True),
                "now": NOON + timedelta(seconds=at),
            },
        )

    def block(self, at: float, after: float | None = None, *, exhausted: bool = False, window: int = 0) -> float:
        """Returns seconds after noon until which the bucket rests."""
        row = self.conn.execute(
            "SELECT etl.block_api('c', 'Fixture', %s, %s, %s, %s)",
            (window, after, exhausted, NOON + timedelta(seconds=at)),
        ).fetchone()
        assert row is not None
        return float((row[0] - NOON).total_seconds())

    def fail(self, at: float, *, threshold: int = 3, window: int = 0) -> bool:
        row = self.conn.execute(
            "SELECT opened FROM etl.api_call_failed('c', 'Fixture', %s, p_threshold => %s, p_within_seconds => 60,"
            " p_open_seconds => 30, p_cap_seconds => 100, p_now => %s)",
            (window, threshold, NOON + timedelta(seconds=at)),
        ).fetchone()
        assert row is not None
        return bool(row[0])

    def row(self, entity: str = "Fixture") -> dict[str, Any]:
        cursor = self.conn.cursor(row_factory=psycopg.rows.dict_row)
        row = cursor.execute("SELECT * FROM etl.api_budget WHERE entity = %s", (entity,)).fetchone()
        assert row is not None
        return row


def known(books: Books, remaining: int, *, limit: int = 60, resets_in: float = 3600) -> None:
    """A window of ``limit`` calls with ``remaining`` left, opened at noon."""
    assert books.take(0).granted
    books.settle(0, remaining, resets_in, limit=limit)
