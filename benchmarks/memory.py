"""Peak memory of a collector on a small and on the largest chunk: `python -m benchmarks.memory`.

Each chunk is collected by a process of its own, with the package's code against the sandbox and an embedded
PostgreSQL; its peak resident memory is what the operating system reports. Memory counts as flat when the ratio of the
two peaks stays below 1.2.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from benchmarks.harness import child, postgres, season_of, warehouse
from benchmarks.season import season_run

if TYPE_CHECKING:
    from local.stack.postgres import EmbeddedPostgres

ALLOWED = 1.2


def collect_one(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child process: index, plan and collect one season; fixtures stored, seconds, memory in MiB."""
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan

    run, season = season_run(inputs)
    discover(run)
    plan(run)
    begun, before = time.monotonic(), _peak()
    result = collect(run, season, "memory")
    return {
        "fixtures": sum(result.outcomes.values()),
        "seconds": round(time.monotonic() - begun, 1),
        "before_mib": before,
        "peak_mib": _peak(),
    }


def _peak() -> float:
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)


def measure(server: EmbeddedPostgres, fixtures: int) -> dict[str, Any]:
    """Collect a season of this many fixtures in a child process."""
    with season_of(fixtures) as (box, league_id, season_id):
        inputs = {"url": box.base_url, "key": box.key, "league_id": league_id, "season_id": season_id}
        inputs["dsn"] = warehouse(server, f"memory_{fixtures}")
        return child([sys.executable, "-m", "benchmarks.memory", "--child"], inputs)


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    make.add_argument("--small", type=int, default=500, help="fixtures of the small chunk (default 500)")
    make.add_argument("--large", type=int, default=5326, help="fixtures of the large one (default 5326)")
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    args = make.parse_args(argv)
    if args.child:
        print(json.dumps(collect_one(json.loads(sys.stdin.read()))))
        return 0
    with postgres() as server:
        small, large = measure(server, args.small), measure(server, args.large)
    print(f"{'fixtures':>10} {'seconds':>9} {'before':>10} {'peak':>10}")
    for row in (small, large):
        print(f"{row['fixtures']:>10} {row['seconds']:>9} {row['before_mib']:>6} MiB {row['peak_mib']:>6} MiB")
    ratio = large["peak_mib"] / small["peak_mib"]
    print(f"ratio {ratio:.3f} (allowed {ALLOWED})")
    return 0 if ratio <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
