"""Peak memory of a collector on a small and on the largest chunk: `python -m benchmarks.memory`.

Each chunk is collected by a process of its own, the real code against the sandbox and an embedded PostgreSQL; its
peak resident memory is what the operating system says. Flat means: the ratio stays below 1.2.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "plugins"), str(ROOT)]

from local.stack.postgres import EmbeddedPostgres  # noqa: E402
from sandbox.testing import RunningSandbox, running_sandbox  # noqa: E402

ALLOWED = 1.2


class _Checkpoints(dict[str, str]):
    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


def collect_one(dsn: str, base_url: str, key: str, league_id: int, season_id: int) -> dict[str, Any]:
    """In the child: index, plan and collect one season; fixtures stored, seconds, peak in MiB."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.collect.collect import collect
    from sportmonks.collect.context import RunContext
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan
    from sportmonks.config.catalog import League, Season, TaskSettings
    from sportmonks.config.settings import DEFAULT_INCLUDES
    from sportmonks.planning.run_params import read_params
    from sportmonks.warehouse.connection import open_connection

    season = Season(id=season_id, name=str(season_id), group="season")
    league = League(
        id=league_id,
        name="League",
        slug="league",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=(season,),
    )
    client = SportmonksClient(base_url, key, budget=UnlimitedBudget())
    run = RunContext(
        execution_id=f"etl_20260101_000000_{season_id % 0xFFFFFF:06x}",
        league=league,
        settings=TaskSettings(),
        params=read_params({}, league, TaskSettings()),
        connect=lambda: open_connection(dsn, autocommit=True),
        client=lambda: client,
        checkpoints=_Checkpoints(),
    )
    with run.connect() as conn:
        conn.execute("SELECT etl.start_etl_execution(%s)", (run.execution_id,))
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
    """Collect a season of so many fixtures in a child process."""
    from sportmonks.warehouse.connection import migrate, open_connection

    dsn = server.ensure_database(f"memory_{fixtures}")
    with open_connection(dsn) as conn:
        migrate(conn)
    # A finished season: with every section, as large as fixtures get.
    now = datetime.now(UTC).replace(month=7, day=15).isoformat()
    with running_sandbox(leagues=1, seasons=2, big_chunk=fixtures, now=now, limit=1_000_000) as box:
        chunk = max(box.admin("GET", "/truth?states=0")["chunks"], key=lambda row: int(row["fixtures"]))
        return _in_child(dsn, box, chunk)


def _in_child(dsn: str, box: RunningSandbox, chunk: dict[str, Any]) -> dict[str, Any]:
    told = json.dumps([dsn, box.base_url, box.key, chunk["league_id"], chunk["season_id"]])
    command = [sys.executable, "-m", "benchmarks.memory", "--child"]
    done = subprocess.run(command, cwd=ROOT, input=told, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the collector failed: {done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    make.add_argument("--small", type=int, default=500, help="fixtures of the small chunk (default 500)")
    make.add_argument("--large", type=int, default=5326, help="fixtures of the large one (default 5326)")
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = make.parse_args(argv)
    if asked.child:
        print(json.dumps(collect_one(*json.loads(sys.stdin.read()))))
        return 0
    with tempfile.TemporaryDirectory(prefix="memory-") as home:
        server = EmbeddedPostgres(home, settings={"fsync": "off"})
        server.start()
        try:
            small, large = measure(server, asked.small), measure(server, asked.large)
        finally:
            server.destroy()
    print(f"{'fixtures':>10} {'seconds':>9} {'before':>10} {'peak':>10}")
    for row in (small, large):
        print(f"{row['fixtures']:>10} {row['seconds']:>9} {row['before_mib']:>6} MiB {row['peak_mib']:>6} MiB")
    ratio = large["peak_mib"] / small["peak_mib"]
    print(f"ratio {ratio:.3f} (allowed {ALLOWED})")
    return 0 if ratio <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
