"""Storing a batch of 50: against a COPY of the payloads alone (the lower bound), new and unchanged, by statement."""

from __future__ import annotations

import argparse
import re
import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from benchmarks.harness import client_of, ids_of, ms, postgres, season_of, table, warehouse

SIZE = 50


class Timed(psycopg.Connection[Any]):
    """Records the seconds of each statement under its first comment; statements of one text are sent one by one."""

    seconds: defaultdict[str, list[float]]

    def execute(self, query: Any, params: Any = None, **rest: Any) -> psycopg.Cursor[Any]:
        parts = [query] if params is not None or not isinstance(query, str) else re.split(r"(?<=;)\n+(?=-- )", query)
        for part in parts:
            begun = time.perf_counter()
            cursor = super().execute(part, params, **rest)
            name = str(part).strip().partition("\n")[0].removeprefix("-- ").partition(". ")[0].rstrip(".")
            self.seconds[name].append(time.perf_counter() - begun)
        return cursor


class Clock:
    """Wall time and, where /proc has it (Linux), CPU time of the server's process."""

    def __init__(self, pid: int) -> None:
        self._file = Path(f"/proc/{pid}/schedstat")

    def now(self) -> tuple[float, float]:
        server = 0.0
        with suppress(OSError):
            server = int(self._file.read_text().split()[0]) / 1e9
        return time.perf_counter(), server


def run(args: argparse.Namespace) -> None:
    from sportmonks.config.settings import DEFAULT_INCLUDES
    from sportmonks.load import batch as store
    from sportmonks.load.payloads import read_payloads

    with season_of(args.fixtures) as (box, league_id, season_id), client_of(box) as client:
        batches, index = [], list(client.season_index(season_id))
        ids = ids_of(client, season_id)
        for number, start in enumerate(range(0, len(ids), SIZE), start=1):
            part = tuple(ids[start : start + SIZE])
            rows = {key: bytes(row) for key, row in client.fixtures_multi(part, DEFAULT_INCLUDES).rows.items()}
            batches.append(store.FetchedBatch(number, part, rows, bytes=sum(map(len, rows.values()))))
    batches = [batch for batch in batches if len(batch.rows) == SIZE]
    context = store.LoadContext("etl_bench", league_id, season_id, 0, DEFAULT_INCLUDES)
    found: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    with postgres() as server:
        conn = Timed.connect(warehouse(server, "load"), autocommit=True, prepare_threshold=None)
        conn.seconds = defaultdict(list)
        clock = Clock(conn.info.backend_pid)
        _prepare(conn, index, league_id, season_id)
        for batch in batches:
            with _timed(found, "COPY of the payloads alone (the floor)", clock):
                _floor(conn, batch.rows)
            with _timed(found, "beside it, in the fetching thread: content hash, summary", clock):
                read = read_payloads(batch.rows)
            conn.seconds.clear() if batch is batches[0] else None
            with _timed(found, "one batch in one transaction: raw, typed tables, books", clock):
                stored = store.store_batch(conn, replace(batch, parsed=read), context)
            assert stored.outcomes == {"SAVED": SIZE}, stored
        profile = {name: values for name, values in conn.seconds.items() if len(values) >= len(batches) - 1}
        for batch in batches:
            with _timed(found, "the same batch again, unchanged, reading it included", clock):
                stored = store.store_batch(conn, batch, context)
            assert stored.outcomes == {"UNCHANGED": SIZE}, stored
        (statistics,) = conn.execute("SELECT count(*) FROM football.fixture_player_statistics").fetchone() or (0,)
        version = conn.info.server_version // 10000
        conn.close()
    _show(found, profile, batches, statistics, version)


def _show(
    found: Mapping[str, list[tuple[float, float]]],
    profile: Mapping[str, list[float]],
    batches: list[Any],
    statistics: int,
    version: int,
) -> None:
    fixtures = SIZE * len(batches)
    size = sum(batch.bytes for batch in batches) / fixtures / 1000
    floor = median(wall for wall, _ in next(iter(found.values())))
    order = sorted(found, key=lambda name: ("alone" not in name, "one batch" not in name, "again" in name))
    table(
        f"Storing batches of {SIZE} fixtures of {size:.0f} kB with {statistics / fixtures:.0f} player statistics each, "
        f"PostgreSQL {version}, one connection, median of {len(batches)} batches",
        ("", "per batch", "server CPU", "fixtures/s", "of the floor"),
        [
            (
                name,
                ms([wall for wall, _ in found[name]]),
                ms([server for _, server in found[name]]),
                f"{SIZE / median(wall for wall, _ in found[name]):,.0f}",
                f"{median(wall for wall, _ in found[name]) / floor:.2f}",
            )
            for name in order
        ],
    )
    slowest = sorted(profile, key=lambda name: -median(profile[name]))[:10]
    table("Statements of a first batch, slowest first", ("", "median"), [(name, ms(profile[name])) for name in slowest])


class _timed:
    def __init__(self, found: defaultdict[str, list[tuple[float, float]]], name: str, clock: Clock) -> None:
        self.found, self.name, self.clock = found, name, clock

    def __enter__(self) -> None:
        self.begun = self.clock.now()

    def __exit__(self, *_: object) -> None:
        wall, server = self.clock.now()
        self.found[self.name].append((wall - self.begun[0], server - self.begun[1]))


def _prepare(conn: psycopg.Connection[Any], index: list[Any], league_id: int, season_id: int) -> None:
    from datetime import UTC, datetime

    from sportmonks.load.index import store_index

    conn.execute("CREATE TABLE floor (fixture_id bigint PRIMARY KEY, payload jsonb NOT NULL)")
    with suppress(psycopg.errors.FeatureNotSupported, psycopg.errors.InvalidParameterValue):
        conn.execute("ALTER TABLE floor ALTER COLUMN payload SET COMPRESSION lz4")  # as raw.fixtures has it
    now = datetime.now(UTC)
    store_index(conn, league=(league_id, "League"), season=(season_id, "Season"), pages=index, now=now)
    conn.execute("CHECKPOINT")


def _floor(conn: psycopg.Connection[Any], rows: Mapping[int, bytes]) -> None:
    with conn.transaction(), conn.cursor() as cursor, cursor.copy("COPY floor FROM STDIN (FORMAT binary)") as copy:
        copy.set_types(["int8", "jsonb"])
        for key, payload in rows.items():
            copy.write_row((key, _AsJsonb(payload)))


class _AsJsonb(psycopg.types.json.Jsonb):
    def __init__(self, raw: bytes) -> None:
        super().__init__(raw, dumps=lambda value: value)


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=760)
