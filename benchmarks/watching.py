"""The cost of monitoring: the same season collected with logs and metrics written to the warehouse, and without."""

from __future__ import annotations

import argparse
import json
import sys
import time
from statistics import median
from typing import TYPE_CHECKING, Any

from benchmarks.harness import child, client_of, ids_of, postgres, season_of, table, warehouse
from benchmarks.report import Result, pair
from benchmarks.season import season_run

if TYPE_CHECKING:
    from sportmonks.api.calls import CallRecord

WAYS = ("watched", "not watched")


def collected(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child process: collect one season, monitored as in the task of a DAG or not at all.

    Index and plan are outside the measured time.
    """
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan
    from sportmonks.collect.telemetry import ChunkTelemetry

    calls: list[CallRecord] = []
    run, season = season_run(inputs, calls.append if inputs["watched"] else None)
    discover(run)
    plan(run)
    begun = time.perf_counter(), time.process_time()
    share = 0.0
    if inputs["watched"]:
        with ChunkTelemetry(run.connect, run.execution_id, f"{run.league.id}_{season.id}", calls) as watch:
            result = collect(run, season, "bench", watch.on_batch)
        share = watch.share
    else:
        result = collect(run, season, "bench")
    seconds, cpu = time.perf_counter() - begun[0], time.process_time() - begun[1]
    with run.connect() as conn:
        (rows,) = conn.execute("SELECT count(*) FROM etl.etl_logs WHERE component = 'COLLECT'").fetchone() or (0,)
    return {
        "fixtures": sum(result.outcomes.values()),
        "batches": result.batches,
        "events": rows,
        "seconds": seconds,
        "cpu": cpu,
        "share": share,
    }


def run(args: argparse.Namespace) -> Result | None:
    if args.child:
        print(json.dumps(collected(json.loads(sys.stdin.read()))))
        return None
    from sportmonks.config.settings import DEFAULT_INCLUDES

    rows: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    with season_of(args.fixtures) as (box, league_id, season_id), postgres() as server:
        with client_of(box) as client:
            ids = ids_of(client, season_id)
            for start in range(0, len(ids), 50):  # makes every payload once, outside the measured time
                client.fixtures_multi(ids[start : start + 50], DEFAULT_INCLUDES)
        inputs = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id, "threads": 1}
        for repeat in range(args.repeats):
            for way in WAYS if repeat % 2 else reversed(WAYS):
                dsn = warehouse(server, f"watching_{repeat}_{way.replace(' ', '_')}")
                command = [sys.executable, "-m", "benchmarks", "watching", "--child"]
                rows[way].append(child(command, {**inputs, "dsn": dsn, "watched": way == "watched"}))
    for way, found in rows.items():
        assert {row["fixtures"] for row in found} == {len(ids)}, (way, found)
        assert {row["events"] > 0 for row in found} == {way == "watched"}, (way, found)
    batches = rows["watched"][0]["batches"]
    table(
        f"Collecting a season of {len(ids)} fixtures in {batches} batches, {args.repeats} times each, taken in turns",
        ("", "ms per batch, fastest", "median", "client CPU ms per batch", "share of monitoring"),
        [
            (
                way,
                f"{1000 * min(row['seconds'] for row in found) / batches:,.0f}",
                f"{1000 * median(row['seconds'] for row in found) / batches:,.0f}",
                f"{1000 * min(row['cpu'] for row in found) / batches:,.0f}",
                f"{median(row['share'] for row in found):.2f} %",
            )
            for way, found in rows.items()
        ],
    )
    cpu = [[1000 * row["cpu"] / batches for row in rows[way]] for way in WAYS]
    line = pair("a season with logs and metrics against one without: the client's CPU time", "ms a batch", *cpu)
    return Result([line], {"batches": batches, "runs": rows})


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=200)
    make.add_argument("--repeats", type=int, default=8)
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
