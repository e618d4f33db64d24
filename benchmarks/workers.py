"""Celery workers side by side: `python -m benchmarks.workers`. Forced runs of all leagues with 1, 2 and 4 workers.

Each worker is a process of its own that runs some tasks at once; broker is a real Redis. The sandbox takes as long for
an answer as the real API, so that a worker mostly waits. Two more rounds with all workers: one under a limit of calls
that they could exceed, one that loses a worker to SIGKILL in the middle. Every round is compared with the sandbox's
truth.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import harness
from tests.e2e import kills
from tests.e2e.monitoring import wait_for
from tests.e2e.stack import Etl, running_stack
from tests.harness.workers import NotToBeHadError, Workers, celery_workers

HEARTBEATS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}
HEAD = ("workers", "limit", "seconds", "fixtures/s", "calls", "refused", "requested twice", "rows that differ")
NO_LIMIT = 1_000_000


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    make.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    make.add_argument("--concurrency", type=int, default=2, help="tasks that a worker runs at once")
    make.add_argument("--leagues", type=int, default=6)
    make.add_argument("--seasons", type=int, default=3)
    make.add_argument("--teams", type=int, default=12)
    make.add_argument("--latency", type=float, default=0.6, help="seconds until the sandbox answers")
    make.add_argument("--limit", type=int, default=60, help="calls in a window of the limited round")
    make.add_argument("--window", type=int, default=30, help="its seconds")
    make.add_argument("--batch", type=int, default=10, help="fixtures in a call")
    args = make.parse_args(argv)
    print(harness.machine(), flush=True)
    world = (
        f"--leagues {args.leagues} --seasons {args.seasons} --teams {args.teams} --latency {args.latency}"
        f" --limit {NO_LIMIT} --window {args.window} --frozen"
    )
    catalog = {
        r"retry_delay_seconds: \d+": "retry_delay_seconds: 2",
        r"  max_inline_wait_seconds: \d+.*": "  max_inline_wait_seconds: 60",
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o711)  # as root, PostgreSQL runs under an account of its own
        with running_stack(Path(folder), world, catalog) as etl:
            first = etl("run", "--all")
            if first.returncode:
                raise SystemExit(first.stdout + first.stderr)
            beside = Path(folder) / "workers"
            beside.mkdir()
            try:
                with celery_workers(etl, beside, HEARTBEATS) as workers:
                    rows = rounds(etl, workers, args)
            except NotToBeHadError as reason:
                raise SystemExit(f"not measured: {reason}") from None
    fixtures = args.leagues * args.seasons * args.teams * (args.teams - 1)
    harness.table(
        f"{args.leagues} leagues, {fixtures} fixtures, batches of {args.batch}, {args.concurrency} tasks a worker,"
        f" {args.latency} s an answer; limit: calls in {args.window} s",
        HEAD,
        rows,
    )
    return 0


def rounds(etl: Etl, workers: Workers, args: argparse.Namespace) -> list[tuple[str, ...]]:
    rows, names = [], []
    for count in args.workers:
        while len(names) < count:
            names.append(f"worker{len(names) + 1}")
            workers.add(names[-1], args.concurrency)
        rows.append((str(count), "none", *measured(etl, args)))
    etl.sandbox("POST", "/_admin/limits", {"limit": args.limit})
    rows.append((str(len(names)), str(args.limit), *measured(etl, args)))
    etl.sandbox("POST", "/_admin/limits", {"limit": NO_LIMIT})
    rows.append((f"{len(names)}, one killed", "none", *measured(etl, args, workers, names[-1])))
    return rows


def measured(etl: Etl, args: argparse.Namespace, workers: Workers | None = None, lost: str = "") -> tuple[str, ...]:
    """One round: every league once, forced; in the middle the worker ``lost`` is killed. Cells of its row."""
    time.sleep(args.window + 1)  # windows and what the budget knows of them begin anew
    etl.sandbox("DELETE", "/_admin/calls")
    dags = [row["dag_id"] for row in etl.rows("SELECT DISTINCT dag_id FROM etl.etl_executions")]
    begun = time.monotonic()
    runs = {dag_id: etl.trigger(dag_id, force=True, batch_size=args.batch) for dag_id in dags}
    if workers is not None:
        wait_for(lambda: workers.tasks(lost) and len(kills.reads(etl)) > 100, "work in the middle")
        workers.kill(lost)
    for dag_id, run in runs.items():
        kills.must_succeed(etl, dag_id, run)
    seconds = time.monotonic() - begun
    calls = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")
    leagues = {chunk["league_id"] for chunk in etl.sandbox("GET", "/_admin/truth")["chunks"]}
    cells = (
        f"{seconds:.0f}",
        f"{calls['fixtures_requested_distinct'] / seconds:.1f}",
        str(calls["total"]),
        str(calls["total_429"] + calls["calls_after_remaining_zero"]),
        str(calls["fixtures_requested_again"]),
        str(len(kills.differences(etl, *leagues))),
    )
    print(" | ".join(cells), flush=True)
    return cells


if __name__ == "__main__":
    sys.exit(main())
