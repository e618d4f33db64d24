"""End to end: a season from the API into PostgreSQL, by this package, by dlt and by a Singer tap with its target.

dlt (REST source, merge) and Singer are installed at the first run into environments of their own
(`benchmarks/requirements-*.in`). Each client runs in a process of its own; the API and PostgreSQL run beside it on the
same cores. The clients take turns, so that each repeat has one run of each; CPU time is of the client and of PostgreSQL
together. All of them fill a table per section; this package and dlt read the payload, this package keeps it, too.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import psycopg

from benchmarks.environments import python_with
from benchmarks.harness import ServerMeter, child, client_of, ids_of, postgres, season_of, table, warehouse
from benchmarks.report import Line, Result, pair
from benchmarks.season import season_run

if TYPE_CHECKING:
    from local.stack.postgres import EmbeddedPostgres

FOLDER = Path(__file__).parent
MIB = 1024  # ru_maxrss comes in KiB
OURS = {1: "this package, 1 fetcher, 1 writer", 2: "this package, 2 fetchers, 2 writers"}


def collect_season(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child: index, plan and collect one season, then all of it once more, when nothing has changed."""
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan

    calls: list[Any] = []
    run, season = season_run(inputs, calls.append)
    begun, before = time.perf_counter(), _cpu()
    discover(run)
    plan(run)
    result = collect(run, season, "bench")
    found = {
        "fixtures": sum(result.outcomes.values()),
        "seconds": time.perf_counter() - begun,
        "cpu": _cpu() - before,
        "mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MIB,
        "calls": len(calls),
    }
    run, season = season_run({**inputs, "execution_id": "etl_20260102_000000_abcdef"}, calls.append)
    begun = time.perf_counter()
    discover(run)
    plan(run)
    again = collect(run, season, "bench")
    seconds = time.perf_counter() - begun
    return {**found, "again": {"seconds": seconds, "calls": len(calls) - found["calls"], "batches": again.batches}}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def run(args: argparse.Namespace) -> Result | None:
    if args.child:
        print(json.dumps(collect_season(json.loads(sys.stdin.read()))))
        return None
    ours = [sys.executable, "-m", "benchmarks", "path", "--child"]
    clients = {OURS[2]: ours, OURS[1]: ours}
    singer = None if args.no_singer else python_with("singer", "singer_sdk, target_postgres")
    if not args.no_dlt and (dlt := python_with("dlt", "dlt, dlt.destinations")):
        clients["dlt"] = [str(dlt), str(FOLDER / "dlt_client.py")]
    with postgres() as server:
        found = _in_turns(server, clients, args.fixtures, args.repeats)
        lines, figures = _lines(found), {"runs": found}
        if singer is not None:
            # It takes so long that fewer fixtures have to do.
            clients = {OURS[2]: ours, "Singer": [str(singer), str(FOLDER / "singer_client.py")]}
            few = _in_turns(server, clients, args.singer_fixtures, args.singer_repeats)
            lines, figures = [*lines, *_lines(few)], {**figures, "with_singer": few}
    first, again = ([row["seconds"] for row in rows] for rows in (found[OURS[2]], _again(found[OURS[2]])))
    lines.append(pair("the season again when nothing has changed, against its first run", "s", again, first))
    return Result(lines, figures)


def _again(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row["again"] for row in rows]


def _in_turns(
    server: EmbeddedPostgres, clients: dict[str, list[str]], fixtures: int, repeats: int
) -> dict[str, list[dict[str, Any]]]:
    """The runs of each client, which collect the same season in turns."""
    from sportmonks.config.settings import DEFAULT_INCLUDES

    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in clients}
    with season_of(fixtures) as (box, league_id, season_id):
        with client_of(box) as client:
            ids = ids_of(client, season_id)
            for start in range(0, len(ids), 50):  # makes every payload once, outside the measured time
                client.fixtures_multi(ids[start : start + 50], DEFAULT_INCLUDES)
        inputs = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id}
        inputs |= {"includes": ";".join(DEFAULT_INCLUDES), "budgeted": True}
        meter = ServerMeter(server)
        for repeat in range(repeats):
            for name, command in clients.items() if repeat % 2 else reversed(clients.items()):
                rows[name].append(_measure(server, meter, name, command, inputs))
    for name, found in rows.items():
        assert {row["fixtures"] for row in found} == {len(ids)}, (name, found)
        if name in OURS.values():
            assert all(row["batches"] == 0 for row in _again(found)), found
    _show(rows, len(ids), repeats)
    return rows


def _measure(
    server: EmbeddedPostgres, meter: ServerMeter, name: str, command: list[str], inputs: dict[str, Any]
) -> dict[str, Any]:
    """One run of a client into a database of its own."""
    mine = name in OURS.values()
    dsn = warehouse(server, "bench") if mine else _empty(server)
    threads = next((number for number, label in OURS.items() if label == name), None)
    with psycopg.connect(dsn, autocommit=True) as conn:
        conn.execute("CHECKPOINT")  # what was written before does not fall into the measured time
        meter.begin()
        found = child(command, {**inputs, "dsn": dsn, "database_url": _url(dsn), "threads": threads})
        found |= meter.end()
        (found["stored"],) = conn.execute(_STORED, {"ours": mine}).fetchone() or (0,)
    return found


# Bytes of the data's tables with their indexes: of every schema but the system's and, here, that of the runs.
_STORED = """
SELECT sum(pg_total_relation_size(c.oid))::bigint FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%%' AND n.nspname NOT IN ('information_schema', 'bench_staging')
  AND (NOT %(ours)s OR n.nspname IN ('raw', 'football'))
"""


def _empty(server: EmbeddedPostgres) -> str:
    with psycopg.connect(server.ensure_database("postgres"), autocommit=True) as conn:
        conn.execute("DROP DATABASE IF EXISTS bench WITH (FORCE)")
    return server.ensure_database("bench")


def _show(rows: dict[str, list[dict[str, Any]]], fixtures: int, repeats: int) -> None:
    def middle(found: list[dict[str, Any]], key: str) -> float:
        return median(row[key] for row in found)

    table(
        f"End to end: a season of {fixtures} fixtures with every default include, index and plan included, "
        f"median of {repeats}",
        ("", "seconds", "fixtures/s", "client CPU", "server CPU", "client's peak memory", "WAL a fixture", "stored"),
        [
            (
                f"{name} {found[0].get('version', '')}".strip(),
                f"{middle(found, 'seconds'):.1f}",
                f"{fixtures / middle(found, 'seconds'):,.0f}",
                f"{middle(found, 'cpu'):.1f} s",
                f"{middle(found, 'server_cpu'):.1f} s",
                f"{middle(found, 'mib'):,.0f} MiB",
                f"{middle(found, 'wal') / fixtures / 1000:.0f} kB",
                f"{middle(found, 'stored') / fixtures / 1000:.0f} kB",
            )
            for name, found in rows.items()
        ],
    )


def _lines(rows: dict[str, list[dict[str, Any]]]) -> list[Line]:
    best, lines = rows[OURS[2]], []
    for name, other in rows.items():
        if name not in OURS.values():
            speed, cpu, memory = (
                [[value(row) for row in found] for found in (best, other)]
                for value in (
                    lambda row: row["fixtures"] / row["seconds"],
                    lambda row: 1000 * (row["cpu"] + row["server_cpu"]) / row["fixtures"],
                    lambda row: row["mib"],
                )
            )
            fixtures = best[0]["fixtures"]
            lines += [
                pair(f"{fixtures} fixtures into PostgreSQL by 2 fetchers and 2 writers, against {name}"
                     f" {other[0]['version']}: speed", "fixtures/s", *speed),
                pair(f"… CPU time of client and server, {name}'s over ours", "ms a fixture", *cpu, inverse=True),
                pair("… peak memory of the client", "MiB", *memory),
            ]  # fmt: skip
    return lines


def _url(dsn: str) -> str:
    """A conninfo as a URL."""
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(dsn)
    user, password = quote(str(parts["user"])), quote(str(parts["password"]))
    return f"postgresql://{user}:{password}@{parts['host']}:{parts['port']}/{parts['dbname']}"


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=380)
    make.add_argument("--repeats", type=int, default=3)
    make.add_argument("--singer-fixtures", type=int, default=100)
    make.add_argument("--singer-repeats", type=int, default=2)
    make.add_argument("--no-dlt", action="store_true", help="without dlt")
    make.add_argument("--no-singer", action="store_true", help="without the Singer tap")
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
