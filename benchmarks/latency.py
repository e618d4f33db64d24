"""A season from an API whose answers take 600 ms, with 1, 2 and 4 calls in flight, against the same calls alone.

The calls alone are made by as many threads, which drop the answers: what this machine needs to send and receive them.
Both are given against calls x latency / in flight as well, the bound where sending and receiving cost nothing. Index
and plan are made before.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median
from typing import Any

from benchmarks.harness import child, client_of, ids_of, postgres, season_of, table, warehouse
from benchmarks.report import Result, pair
from benchmarks.season import season_run

LATENCY_S = 0.6
SIZE = 50
IN_FLIGHT = (1, 2, 4)


def collect_planned(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child: the seconds of collecting a season that is planned already."""
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan

    run, season = season_run(inputs)
    discover(run)
    plan(run)
    begun = time.perf_counter()
    result = collect(run, season, "bench")
    return {"fixtures": sum(result.outcomes.values()), "seconds": time.perf_counter() - begun}


def calls_alone(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child: the seconds of the calls, made by as many threads, without anything else."""
    from sportmonks.config.settings import DEFAULT_INCLUDES

    run, _ = season_run(inputs)
    client, ids = run.client(), inputs["ids"]
    batches = [tuple(ids[start : start + SIZE]) for start in range(0, len(ids), SIZE)]
    begun = time.perf_counter()
    with ThreadPoolExecutor(inputs["threads"]) as pool:
        found = sum(pool.map(lambda batch: len(client.fixtures_multi(batch, DEFAULT_INCLUDES).rows), batches))
    return {"fixtures": found, "seconds": time.perf_counter() - begun}


CHILDREN: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {"calls": calls_alone, "collect": collect_planned}


def run(args: argparse.Namespace) -> Result | None:
    from sportmonks.config.settings import DEFAULT_INCLUDES

    if args.child:
        print(json.dumps(CHILDREN[args.child](json.loads(sys.stdin.read()))))
        return None
    found: dict[tuple[int, str], list[float]] = {(number, kind): [] for number in IN_FLIGHT for kind in CHILDREN}
    with season_of(args.fixtures, latency=LATENCY_S) as (box, league_id, season_id), postgres() as server:
        with client_of(box) as client:
            ids = ids_of(client, season_id)
            for start in range(0, len(ids), SIZE):  # makes every payload once, outside the measured time
                client.fixtures_multi(ids[start : start + SIZE], DEFAULT_INCLUDES)
        inputs = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id, "ids": ids}
        for repeat in range(args.repeats):
            for number, kind in found:
                dsn = warehouse(server, f"latency_{kind}_{number}_{repeat}")
                command = [sys.executable, "-m", "benchmarks", "latency", "--child", kind]
                done = child(command, {**inputs, "dsn": dsn, "threads": number})
                assert done["fixtures"] == len(ids), done
                found[number, kind].append(done["seconds"])
    calls = math.ceil(len(ids) / SIZE)
    rows = [_figures(number, calls, found[number, "calls"], found[number, "collect"]) for number in IN_FLIGHT]
    table(
        f"A season of {len(ids)} fixtures, {calls} calls of {LATENCY_S * 1000:.0f} ms, median of {args.repeats}",
        (
            "calls in flight",
            "bound",
            "calls alone",
            "collected",
            "of the calls alone",
            "fewest to most",
            "of the bound",
        ),
        [
            (
                str(row["in_flight"]),
                f"{row['bound_s']} s",
                f"{row['calls_s']} s",
                f"{row['collected_s']} s",
                f"{row['of_the_calls'][1]:.2f}",
                f"{row['of_the_calls'][0]:.2f} to {row['of_the_calls'][2]:.2f}",
                f"{row['of_the_bound']:.2f}",
            )
            for row in rows
        ],
    )
    lines = [
        pair(
            f"a season from an API that takes {LATENCY_S * 1000:.0f} ms, {number} in flight,"
            " against calls x latency / in flight",
            "s",
            found[number, "collect"],
            [row["bound_s"]] * args.repeats,
        )
        for number, row in zip(IN_FLIGHT, rows, strict=True)
    ]
    return Result(lines, {"calls": calls, "latency_s": LATENCY_S, "rows": rows})


def _figures(number: int, calls: int, alone: list[float], collected: list[float]) -> dict[str, Any]:
    """``of_the_calls``: fewest, median and most of the ratios, each of one pair."""
    bound = math.ceil(calls / number) * LATENCY_S
    shares = sorted(one / other for one, other in zip(collected, alone, strict=True))
    return {
        "in_flight": number,
        "bound_s": round(bound, 2),
        "calls_s": round(median(alone), 2),
        "collected_s": round(median(collected), 2),
        "of_the_calls": [round(share, 3) for share in (shares[0], median(shares), shares[-1])],
        "of_the_bound": round(median(collected) / bound, 3),
    }


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=600)
    make.add_argument("--repeats", type=int, default=3)
    make.add_argument("--child", choices=CHILDREN, help=argparse.SUPPRESS)
