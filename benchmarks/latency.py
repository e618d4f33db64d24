"""A season from an API whose answers take 600 ms, with 1, 2 and 4 calls in flight, against calls x latency / in flight.

The bound is what the calls alone take if nothing else costs any time; only the batch calls count, index and plan are
made before. `python -m benchmarks.latency [--fixtures N] [--repeats N] [--json FILE]`.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.harness import child, client_of, ids_of, machine, postgres, season_of, table, warehouse
from benchmarks.path import season_run

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


def main() -> None:
    from sportmonks.config.settings import DEFAULT_INCLUDES

    make = argparse.ArgumentParser(prog="python -m benchmarks.latency", description=__doc__)
    make.add_argument("--fixtures", type=int, default=600)
    make.add_argument("--repeats", type=int, default=3)
    make.add_argument("--json", metavar="FILE", help="write the figures as JSON as well")
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = make.parse_args()
    if args.child:
        print(json.dumps(collect_planned(json.loads(sys.stdin.read()))))
        return
    print(machine(), flush=True)
    found: dict[int, list[float]] = {number: [] for number in IN_FLIGHT}
    with season_of(args.fixtures, latency=LATENCY_S) as (box, league_id, season_id), postgres() as server:
        with client_of(box) as client:
            ids = ids_of(client, season_id)
            for start in range(0, len(ids), SIZE):  # makes every payload once, outside the measured time
                client.fixtures_multi(ids[start : start + SIZE], DEFAULT_INCLUDES)
        inputs = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id}
        for repeat in range(args.repeats):
            for number in IN_FLIGHT:
                dsn = warehouse(server, f"latency_{number}_{repeat}")
                command = [sys.executable, "-m", "benchmarks.latency", "--child"]
                done = child(command, {**inputs, "dsn": dsn, "threads": number})
                assert done["fixtures"] == len(ids), done
                found[number].append(done["seconds"])
    calls = math.ceil(len(ids) / SIZE)
    rows = []
    for number, seconds in found.items():
        bound = math.ceil(calls / number) * LATENCY_S
        rows.append(
            {"in_flight": number, "bound_s": round(bound, 2), "seconds": [round(each, 2) for each in seconds],
             "of_the_bound": round(median(seconds) / bound, 3)}
        )  # fmt: skip
    table(
        f"A season of {len(ids)} fixtures, {calls} calls of {LATENCY_S * 1000:.0f} ms, median of {args.repeats}",
        ("calls in flight", "bound", "seconds", "fastest to slowest", "of the bound"),
        [
            (str(row["in_flight"]), f"{row['bound_s']} s", f"{median(found[row['in_flight']]):.2f}",
             f"{min(row['seconds'])} to {max(row['seconds'])}", f"{row['of_the_bound']:.2f}")
            for row in rows
        ],
    )  # fmt: skip
    if args.json:
        Path(args.json).write_text(json.dumps({"calls": calls, "latency_s": LATENCY_S, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
