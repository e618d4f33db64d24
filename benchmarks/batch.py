"""Batch calls against single calls: the same fixtures and includes, with a fixed latency per response."""

from __future__ import annotations

import argparse
import time
from statistics import median

from benchmarks.harness import client_of, ids_of, season_of, table
from benchmarks.report import Result, pair

SIZES = (1, 10, 50)


def run(args: argparse.Namespace) -> Result:
    from sportmonks.config.settings import DEFAULT_INCLUDES

    with season_of(args.fixtures, latency=args.latency_ms / 1000) as (box, _, season_id), client_of(box) as client:
        ids = ids_of(client, season_id)[: args.fixtures]
        for start in range(0, len(ids), 50):  # warm-up: the payloads are made and the connection is open
            client.fixtures_multi(ids[start : start + 50], DEFAULT_INCLUDES)
        seconds: dict[int, list[float]] = {size: [] for size in SIZES}
        calls: dict[int, int] = {}
        for _ in range(args.repeats):
            for size in SIZES:
                before = box.calls()["total"]
                begun = time.perf_counter()
                found = 0
                for start in range(0, len(ids), size):
                    found += len(client.fixtures_multi(ids[start : start + size], DEFAULT_INCLUDES).rows)
                seconds[size].append(time.perf_counter() - begun)
                calls[size] = box.calls()["total"] - before
                assert found == len(ids), f"{found} of {len(ids)} fixtures were received"
    slowest = median(seconds[1])
    table(
        f"Batch against single calls: {len(ids)} fixtures, {args.latency_ms:g} ms per response, one call at a time, "
        f"median of {args.repeats}",
        ("fixtures per call", "calls", "seconds", "fixtures/s", "times as fast"),
        [
            (str(size), str(calls[size]), f"{took:.1f}", f"{len(ids) / took:.1f}", f"{slowest / took:.1f}")
            for size, took in ((size, median(found)) for size, found in seconds.items())
        ],
    )
    speed = {size: [len(ids) / took for took in found] for size, found in seconds.items()}
    label = f"{SIZES[-1]} fixtures a call against one, {args.latency_ms:g} ms an answer: speed"
    line = pair(label, "fixtures/s", speed[SIZES[-1]], speed[1])
    return Result([line], {"fixtures": len(ids), "latency_ms": args.latency_ms, "calls": calls, "seconds": seconds})


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=50)
    make.add_argument("--latency-ms", type=float, default=400)
    make.add_argument("--repeats", type=int, default=3)
