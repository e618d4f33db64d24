"""What fixtures take in the warehouse, table by table, and whether a warehouse with 10 million statistics is slower.

The same batches are stored in turns into an empty warehouse and into one whose largest table has been filled before.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import psycopg

from benchmarks.harness import postgres, table, warehouse
from benchmarks.load import SIZE, Meter, fetch_season
from benchmarks.report import Line, Result, pair, spread

EMPTY, FULL = "an empty warehouse", "a full one"

# Bytes of each table with data: rows, what is stored outside of them, indexes.
TABLES = """
SELECT n.nspname || '.' || c.relname, pg_relation_size(c.oid),
       CASE WHEN c.reltoastrelid = 0 THEN 0 ELSE pg_total_relation_size(c.reltoastrelid) END, pg_indexes_size(c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'football') AND c.relkind = 'r'
ORDER BY pg_total_relation_size(c.oid) DESC
"""
# Statistics of players of other fixtures, like those of a played match.
FILL = """
INSERT INTO football.fixture_player_statistics (
    fixture_id, id, lineup_id, player_id, team_id, type_id, value, created_at, updated_at)
SELECT 1 + n / 700, n, n / 20, n %% 50000, n %% 1000, n %% 60, n %% 90, now(), now()
FROM generate_series(1, %(rows)s::bigint) AS n
"""


def run(args: argparse.Namespace) -> Result:
    from sportmonks.load.batch import store_batch

    season = fetch_season(args.fixtures)
    context = season.context()
    with (
        postgres() as server,
        psycopg.connect(warehouse(server, "empty"), autocommit=True) as empty,
        psycopg.connect(warehouse(server, "full"), autocommit=True) as full,
    ):
        begun = time.monotonic()
        full.execute(FILL, {"rows": args.rows})
        full.execute("VACUUM (ANALYZE) football.fixture_player_statistics")
        print(f"{args.rows:,} statistics were written in {time.monotonic() - begun:.0f} s", flush=True)
        meters = {EMPTY: Meter(empty), FULL: Meter(full)}
        for conn in (empty, full):
            season.prepare(conn)
            conn.execute("CHECKPOINT")
        for number, batch in enumerate(season.batches):
            pairs = list(zip(meters, (empty, full), strict=True))
            for name, conn in pairs if number % 2 else reversed(pairs):
                with meters[name](name):
                    stored = store_batch(conn, batch, context)
                assert stored.outcomes == {"SAVED": SIZE}, stored
        sizes = empty.execute(TABLES).fetchall()
    fixtures = SIZE * len(season.batches)
    payload = sum(batch.bytes for batch in season.batches) / fixtures
    _show(sizes, fixtures, payload)
    costs = {name: [1000 * (cost.client + cost.server) for cost in meter.costs[name]] for name, meter in meters.items()}
    size = sum(sum(row[1:]) for row in sizes) / fixtures
    lines = [
        Line("stored in all tables with their indexes, against the payloads' JSON", f"{size / 1000:.0f} kB a fixture",
             f"{payload / 1000:.0f} kB a fixture", spread([size / payload]), 1),
        pair(f"reading and storing {SIZE} new fixtures beside {args.rows / 1e6:g} million statistics, against an empty"
             " warehouse: CPU time", "ms", costs[FULL], costs[EMPTY]),
    ]  # fmt: skip
    figures = {
        "fixtures": fixtures,
        "payload_kb": payload / 1000,
        "kb_per_fixture": {
            name: {
                "rows": rows / fixtures / 1000,
                "toast": toast / fixtures / 1000,
                "indexes": indexes / fixtures / 1000,
            }
            for name, rows, toast, indexes in sizes
        },
        "cpu_ms": costs,
    }
    return Result(lines, figures)


def _show(sizes: list[tuple[Any, ...]], fixtures: int, payload: float) -> None:
    def kilobytes(value: float) -> str:
        return f"{value / fixtures / 1000:.1f}"

    rows = [(name, *map(kilobytes, (*parts, sum(parts)))) for name, *parts in sizes if sum(parts) > 200 * fixtures]
    total = [sum(row[place] for row in sizes) for place in (1, 2, 3)]
    table(
        f"kB a fixture (= MB per 1,000), of {fixtures} fixtures of {payload / 1000:.0f} kB",
        ("table", "rows", "out of line", "indexes", "together"),
        [*rows, ("all", *map(kilobytes, (*total, sum(total))))],
    )


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=300)
    make.add_argument("--rows", type=int, default=10_000_000, help="statistics in the full warehouse")
