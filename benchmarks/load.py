"""Storing a batch of 50 against COPY of raw and COPY of everything, the same batch unchanged, bytes and WAL.

For each batch the four are measured one after the other, so that each meets the same load of the machine; the ratios
are medians over the batches, with their quartiles. COPY of everything is the limit: rows that are encoded already go
into the raw table and the eight typed tables, with their indexes, in one transaction and nothing else.
"""

from __future__ import annotations

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.sql import SQL, Identifier

from benchmarks.harness import client_of, ids_of, postgres, season_of, table, warehouse
from benchmarks.report import Line, Result, pair

if TYPE_CHECKING:
    from sportmonks.load.batch import FetchedBatch, LoadContext

SIZE = 50
RAW, ALL, FIRST, JSON, AGAIN, READ = (
    "COPY of raw alone",
    "COPY of everything: the limit",
    "a first batch: rows read here (typed)",
    "a first batch: rows out of the JSON",
    "the same batch again, unchanged, with its reading",
    "reading a first batch, beside its call",
)
SECTIONS = ("participants", "scores", "events", "lineups", "player_statistics", "statistics", "periods")

# Bytes of the tables with data, their indexes included.
STORED = """
SELECT sum(pg_total_relation_size(c.oid)) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('raw', 'football') AND c.relkind = 'r'
"""


@dataclass(frozen=True)
class Cost:
    """Of one batch: seconds on the wall, CPU seconds of this process and of the server's, bytes of WAL."""

    wall: float
    client: float
    server: float
    wal: int


class Meter:
    """Measures pieces of work on one connection. The server's CPU needs /proc (Linux)."""

    def __init__(self, conn: psycopg.Connection[Any]) -> None:
        self._conn, self._file = conn, Path(f"/proc/{conn.info.backend_pid}/schedstat")
        self.costs: defaultdict[str, list[Cost]] = defaultdict(list)

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        wal = self._wal()
        server, client, wall = self._server(), time.process_time(), time.perf_counter()
        yield
        wall, client, server = time.perf_counter() - wall, time.process_time() - client, self._server() - server
        self.costs[name].append(Cost(wall, client, server, self._wal() - wal))

    def _wal(self) -> int:
        row = self._conn.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchone()
        assert row is not None
        return int(row[0])

    def _server(self) -> float:
        with suppress(OSError):
            return int(self._file.read_text().split()[0]) / 1e9
        return 0.0


@dataclass(frozen=True)
class FetchedSeason:
    """A season's batches of ``SIZE`` fixtures, as they came, and the pages of its index."""

    league_id: int
    season_id: int
    index: list[Any]
    batches: list[FetchedBatch]

    def context(self) -> LoadContext:
        from sportmonks.config.settings import DEFAULT_INCLUDES
        from sportmonks.load.batch import LoadContext

        return LoadContext("etl_bench", self.league_id, self.season_id, 0, DEFAULT_INCLUDES)

    def prepare(self, conn: psycopg.Connection[Any]) -> None:
        """Its index into the warehouse."""
        from sportmonks.load.index import store_index

        season = (self.season_id, "Season")
        store_index(conn, league=(self.league_id, "League"), season=season, pages=self.index, now=datetime.now(UTC))


def fetch_season(fixtures: int) -> FetchedSeason:
    from sportmonks.config.settings import DEFAULT_INCLUDES
    from sportmonks.load.batch import FetchedBatch

    with season_of(fixtures) as (box, league_id, season_id), client_of(box) as client:
        batches, index = [], list(client.season_index(season_id))
        ids = ids_of(client, season_id)
        for number, start in enumerate(range(0, len(ids) - SIZE + 1, SIZE), start=1):
            part = tuple(ids[start : start + SIZE])
            rows = {key: bytes(row) for key, row in client.fixtures_multi(part, DEFAULT_INCLUDES).rows.items()}
            batches.append(FetchedBatch(number, part, rows, bytes=sum(map(len, rows.values())), at=datetime.now(UTC)))
    return FetchedSeason(league_id, season_id, index, batches)


def run(args: argparse.Namespace) -> Result:
    from sportmonks.load.batch import store_batch
    from sportmonks.load.reading import read_batch, stored_hashes

    season = fetch_season(args.fixtures)
    batches, context = season.batches, season.context()
    by_server = replace(context, typed=False)
    with postgres() as server, psycopg.connect(warehouse(server, "load"), autocommit=True) as conn:
        meter = Meter(conn)
        with psycopg.connect(warehouse(server, "load_json"), autocommit=True) as other:
            for each in (conn, other):
                _prepare(each, season)
            other_meter = Meter(other)
            for batch in batches:
                now = replace(batch, at=datetime.now(UTC))
                with meter(READ):
                    read = read_batch(now.rows, stored_hashes(conn, now.requested), now.at)
                first = replace(now, read=read)
                with meter(RAW), conn.transaction():
                    _copy_raw(conn, "floor", first)
                with meter(ALL), conn.transaction():
                    _copy_raw(conn, "everything", first)
                    _copy_sections(conn, first)
                with meter(FIRST):
                    stored = store_batch(conn, first, context)
                assert stored.outcomes == {"SAVED": SIZE}, stored
                read = read_batch(now.rows, {}, now.at, typed=False)
                with other_meter(JSON):
                    stored = store_batch(other, replace(now, read=read), by_server)
                assert stored.outcomes == {"SAVED": SIZE}, stored
                with meter(AGAIN):
                    stored = store_batch(conn, replace(batch, at=datetime.now(UTC)), context)
                assert stored.outcomes == {"UNCHANGED": SIZE}, stored
            costs = {**meter.costs, **other_meter.costs}
        size = conn.execute(STORED).fetchone()
        assert size is not None
        version, fixtures = conn.info.server_version // 10000, SIZE * len(batches)
    found = _figures(costs, batches, int(size[0]) / fixtures, version)
    _show(found)
    return Result(_lines(costs), found)


def _lines(costs: Mapping[str, list[Cost]]) -> list[Line]:
    first, limit, again = ([1000 * _seconds(cost, "cpu") for cost in costs[name]] for name in (FIRST, ALL, AGAIN))
    complete = [one + 1000 * _seconds(cost, "cpu") for one, cost in zip(first, costs[READ], strict=True)]
    wal = [[cost.wal / SIZE / 1000 for cost in costs[name]] for name in (FIRST, ALL)]
    return [
        pair(f"storing {SIZE} new fixtures against COPY of all their rows: CPU time", "ms", first, limit),
        pair("… WAL", "kB a fixture", *wal),
        pair(f"reading and storing {SIZE} unchanged fixtures against new ones: CPU time", "ms", again, complete),
    ]


def _figures(costs: Mapping[str, list[Cost]], batches: list[Any], stored: float, version: int) -> dict[str, Any]:
    """What is printed, as data: medians by name, ratios as (lower quartile, median, upper quartile)."""
    pairs = {
        "first batch / COPY of everything": (FIRST, ALL),
        "first batch / COPY of raw": (FIRST, RAW),
        "first batch out of the JSON / COPY of everything": (JSON, ALL),
        "reading and storing again / reading and storing first": (AGAIN, FIRST),
    }
    ratios = {}
    for name, (one, two) in pairs.items():
        for kind in ("wall", "cpu"):
            over = [_seconds(cost, kind) for cost in costs[two]]
            if one == AGAIN:
                over = [each + _seconds(cost, kind) for each, cost in zip(over, costs[READ], strict=True)]
            shares = [_seconds(cost, kind) / each for cost, each in zip(costs[one], over, strict=True)]
            ratios[f"{name}, {kind}"] = [round(each, 3) for each in quantiles(shares, n=4)]
    return {
        "batches": len(batches),
        "batch_size": SIZE,
        "payload_kb": round(sum(batch.bytes for batch in batches) / len(batches) / SIZE / 1000, 1),
        "postgresql": version,
        "stored_kb_per_fixture": round(stored / 1000, 1),
        "ratios": ratios,
        "medians": {
            name: {
                "wall_ms": round(median(cost.wall for cost in found) * 1000, 1),
                "client_cpu_ms": round(median(cost.client for cost in found) * 1000, 1),
                "server_cpu_ms": round(median(cost.server for cost in found) * 1000, 1),
                "wal_kb_per_fixture": round(median(cost.wal for cost in found) / SIZE / 1000, 1),
            }
            for name, found in costs.items()
        },
    }


def _seconds(cost: Cost, kind: str) -> float:
    return cost.wall if kind == "wall" else cost.client + cost.server


def _show(found: Mapping[str, Any]) -> None:
    table(
        f"Storing batches of {SIZE} fixtures of {found['payload_kb']} kB, PostgreSQL {found['postgresql']}, "
        f"one connection, medians of {found['batches']} batches; stored: {found['stored_kb_per_fixture']} kB a fixture",
        ("", "wall", "client CPU", "server CPU", "WAL a fixture"),
        [
            (name, f"{row['wall_ms']} ms", f"{row['client_cpu_ms']} ms", f"{row['server_cpu_ms']} ms",
             f"{row['wal_kb_per_fixture']} kB")
            for name, row in found["medians"].items()
        ],
    )  # fmt: skip
    table(
        "Ratios, each pair of one batch",
        ("", "lower quartile", "median", "upper quartile"),
        [(name, *(f"{each:.2f}" for each in values)) for name, values in found["ratios"].items()],
    )


def _prepare(conn: psycopg.Connection[Any], season: FetchedSeason) -> None:
    for schema in ("floor", "everything"):
        conn.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
        _like(conn, schema, "raw.fixtures", "fixtures")
    for name in (*SECTIONS, "player_figures"):
        _like(conn, "everything", f"football.fixture_{name}", f"fixture_{name}")
    season.prepare(conn)
    conn.execute("CHECKPOINT")


def _like(conn: psycopg.Connection[Any], schema: str, model: str, name: str) -> None:
    conn.execute(SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(
        Identifier(schema, name), Identifier(*model.split("."))))  # fmt: skip


def _copy_raw(conn: psycopg.Connection[Any], schema: str, batch: Any) -> None:
    from sportmonks.load.copy import encode_raw
    from sportmonks.load.write import copy_binary
    from sportmonks.warehouse.queries import sql

    read = batch.read
    parts = (
        part
        for key, payload in read.payloads.items()
        for part in encode_raw(
            key, payload.raw, payload.content_hash, ("all",), read.rows[key].reference_date, batch.at
        )
    )
    copy_binary(conn, sql("load/copy_raw").replace("raw.fixtures", f"{schema}.fixtures"), parts)


def _copy_sections(conn: psycopg.Connection[Any], batch: Any) -> None:
    from sportmonks.load.write import copy_binary
    from sportmonks.warehouse.queries import sql

    for name in SECTIONS:
        section = "lineups.details" if name == "player_statistics" else name
        parts = (rows.sections.get(section, b"") for rows in batch.read.rows.values())
        copy_binary(conn, sql(f"load/copy_{name}").replace("{table}", f"everything.fixture_{name}"), parts)
    figures = sql("load/copy_player_figures").replace("{table}", "everything.fixture_player_figures")
    copy_binary(conn, figures, (rows.figures for rows in batch.read.rows.values()))


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=500)
