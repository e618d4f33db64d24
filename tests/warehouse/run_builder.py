"""A run as its tasks write it, step by step."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg

Ask = Callable[..., list[dict[str, Any]]]
One = Callable[..., Any]
T0 = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
RUN, LEAGUE = "etl_20260301_050000_abcdef", 8


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


class RunBuilder:
    """A run as its tasks write it."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self.conn = conn

    def call(self, function: str, *values: Any, **named: Any) -> Any:
        parts = ["%s"] * len(values) + [f"{name} => %s" for name in named]
        row = self.conn.execute(f"SELECT etl.{function}({', '.join(parts)})", (*values, *named.values())).fetchone()
        assert row is not None
        return row[0]

    def start(self, minutes: float = 0, config: dict[str, Any] | None = None, run: str = RUN) -> None:
        self.call("start_etl_execution", run, json.dumps(config or {}), "sportmonks_x", "manual__1", at(minutes))

    def plan(self, seasons: dict[int, int], minutes: float = 1) -> None:
        for position, (season, count) in enumerate(seasons.items(), start=1):
            self.conn.execute(
                "INSERT INTO etl.chunks (league_id, season_id, season_name) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (LEAGUE, season, f"S{season}"),
            )
            self.conn.execute(
                "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, position, planned)"
                " VALUES (%s, %s, %s, %s, %s)",
                (RUN, LEAGUE, season, position, count),
            )
            self.conn.execute(
                "INSERT INTO etl.execution_fixtures"
                " (execution_id, league_id, season_id, fixture_id, position, reason, priority)"
                " SELECT %s, %s, %s, %s * 100 + n, n, 'never_collected', 60 FROM generate_series(0, %s - 1) AS n",
                (RUN, LEAGUE, season, season, count),
            )
        self.conn.execute("UPDATE etl.etl_executions SET planned_at = %s WHERE execution_id = %s", (at(minutes), RUN))

    def open(self, season: int, minutes: float = 2) -> None:
        self.call("open_chunk", RUN, LEAGUE, season, at(minutes))

    def mark(self, season: int, minutes: float = 3, **outcomes: int) -> None:
        for outcome, count in outcomes.items():
            self.conn.execute(
                "UPDATE etl.execution_fixtures SET status = %s, done_at = %s WHERE fixture_id IN"
                " (SELECT fixture_id FROM etl.execution_fixtures"
                "   WHERE season_id = %s AND status = 'PENDING' ORDER BY fixture_id LIMIT %s)",
                (outcome, at(minutes), season, count),
            )

    def collected(self, season: int, error: str | None = None, minutes: float = 4) -> None:
        self.conn.execute(
            "UPDATE etl.execution_chunks SET collected_at = %s, error_message = %s"
            " WHERE execution_id = %s AND season_id = %s",
            (None if error else at(minutes), error, RUN, season),
        )

    def close(self, season: int, minutes: float = 5) -> Any:
        return self.call("close_chunk", RUN, LEAGUE, season, at(minutes))

    def finish(self, minutes: float = 10, **named: Any) -> Any:
        return self.call("finish_etl_execution", RUN, **named, p_now=at(minutes))

    def complete_chunk(self, season: int, **outcomes: int) -> None:
        self.open(season)
        self.mark(season, **outcomes)
        self.collected(season)
        self.close(season)


def summary(ask: Ask, minutes: float = 20) -> dict[str, Any]:
    (row,) = ask("SELECT * FROM etl.get_etl_execution_summary(%s, %s)", RUN, at(minutes))
    return row


def stored(builder: RunBuilder, season: int, numbers: range, *, raw: bool = True) -> None:
    for number in numbers:
        key = season * 100 + number
        builder.conn.execute(
            "INSERT INTO football.fixtures"
            " (id, league_id, season_id, collection_status, state_id, home_goals, away_goals,"
            " quality_score) VALUES (%s, 8, %s, 'COLLECTED', 5, 1, 0, 90)",
            (key, season),
        )
        if raw:
            builder.conn.execute(
                "INSERT INTO raw.fixtures (fixture_id, payload, content_hash, includes, collected_at)"
                """ VALUES (%s, '{"scores": []}', '', '{}', now())""",
                (key,),
            )
