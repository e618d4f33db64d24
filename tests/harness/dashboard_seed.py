"""A warehouse that looks like a year of work, any size; the page, its tests and its benchmark stand on it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from sportmonks.config.catalog import Catalog
from sportmonks.config.manifest import Manifest, build_manifest

LEAGUES = "Premier League,La Liga,Serie A,Bundesliga,Ligue 1,Eredivisie,Superliga,Primeira Liga".split(",")
SEED_SQL = Path(__file__).with_suffix(".sql")
MATCH_SQL = SEED_SQL.with_name("dashboard_match.sql")


def seed(
    conn: psycopg.Connection[Any],
    *,
    leagues: int = 8,
    seasons: int = 6,
    fixtures: int = 40,
    executions: int = 60,
    logs: int = 2_000,
    metrics: int = 4_000,
    route_runs: int = 7,
    now: datetime,
) -> None:
    """``fixtures`` per season; logs over 30 days, metrics and runs of a raw route over 7.

    ``conn`` in autocommit mode.
    """
    sizes = {
        "leagues": leagues,
        "seasons": seasons,
        "fixtures": fixtures,
        "executions": executions,
        "logs": logs,
        "metrics": metrics,
        "route_runs": route_runs,
        "now": now,
    }
    with conn.transaction():
        for statement in SEED_SQL.read_text(encoding="utf-8").split(";\n"):
            if statement.strip():
                conn.execute(statement, sizes)
    conn.execute("ANALYZE")


@pytest.fixture
def seeded(warehouse: psycopg.Connection[Any]) -> psycopg.Connection[Any]:
    seed(warehouse, now=datetime.now(UTC))
    return warehouse


def seeded_manifest() -> Manifest:
    """The manifest that belongs to the smallest such warehouse: 8 leagues, each with 6 seasons."""
    offered = [
        {
            "id": league,
            "name": name,
            "seasons": [
                {"id": league * 1000 + n, "name": f"{2026 - n}/{2027 - n}", "is_current": n == 1} for n in range(1, 7)
            ],
        }
        for league, name in enumerate(LEAGUES, 1)
    ]
    return build_manifest(Catalog(), offered)


def one_match(conn: psycopg.Connection[Any]) -> int:
    """Make one of the seeded fixtures a match with teams, goals, payload, two reads and a correction; its id."""
    found = conn.execute(
        "SELECT p.fixture_id, p.execution_id, o.execution_id FROM etl.execution_fixtures p"
        " JOIN etl.execution_chunks o ON o.season_id = p.season_id AND o.execution_id < p.execution_id"
        " WHERE p.season_id = 1001 AND p.reason = 'after_1d' ORDER BY p.execution_id DESC, p.fixture_id LIMIT 1"
    ).fetchone()
    assert found is not None
    fixture, newest, older = found
    payload = {
        "id": fixture,
        "large": 12345678901234567890,
        "events": [{"id": 1}, {"id": 2}, {"id": 3}],
        "participants": [{"id": 1}, {"id": 2}],
        "scores": [{"id": 1}] * 4,
        "weatherreport": [{"id": 9}],
        "statistics": None,
    }
    names = {"fixture": fixture, "newest": newest, "older": older, "payload": Jsonb(payload)}
    for statement in MATCH_SQL.read_text(encoding="utf-8").split(";\n"):
        if statement.strip():
            conn.execute(statement, names)
    return int(fixture)
