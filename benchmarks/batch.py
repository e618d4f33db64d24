"""Batch calls against single calls: the same fixtures and includes, with a fixed latency per response."""

from __future__ import annotations

import argparse
import time
from statistics import median

from benchmarks.harness import client_of, ids_of, season_of, table


def run(args: argparse.Namespace) -> None:
    from sportmonks.config.settings import DEFAULT_INCLUDES

    with season_of(args.fixtures, latency=args.latency_ms / 1000) as (box, _, season_id), client_of(box) as client:
        ids = ids_of(client, season_id)[: args.fixtures]
        for start in range(0, len(ids), 50):  # warm-up: the payloads are made and the connection is open
            client.fixtures_multi(ids[start : start + 50], DEFAULT_INCLUDES)
        rows = []
        for size in (1, 10, 50):
            seconds, calls = [], 0
            for _ in range(args.repeats):
                before = box.calls()["total"]
                begun = time.perf_counter()
                found = 0
                for start in range(0, len(ids), size):
                    found += len(client.fixtures_multi(ids[start : start + size], DEFAULT_INCLUDES).rows)
                seconds.append(time.perf_counter() - begun)
                calls = box.calls()["total"] - before
                assert found == len(ids), f"{found} of {len(ids)} fixtures were received"
            rows.append((size, calls, median(seconds)))
    slowest = rows[0][2]
    table(
        f"Batch against single calls: {len(ids)} fixtures, {args.latency_ms:g} ms per response, one call at a time, "
        f"median of {args.repeats}",
        ("fixtures per call", "calls", "seconds", "fixtures/s", "times as fast"),
        [
            (str(size), str(calls), f"{seconds:.1f}", f"{len(ids) / seconds:.1f}", f"{slowest / seconds:.1f}")
            for size, calls, seconds in rows
        ],
    )


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--fixtures", type=int, default=100)
    make.add_argument("--latency-ms", type=float, default=400)
    make.add_argument("--repeats", type=int, default=3)
