"""Celery workers side by side: `python -m benchmarks.workers`. Forced runs of all leagues with 1, 2 and 4 workers.

Each worker is a process of its own that runs some tasks at once; broker is a real Redis. The sandbox takes as long for
an answer as the real API, so that a worker mostly waits. Two more rounds with all workers: one under a limit of calls
that they could exceed, one that loses a worker to SIGKILL in the middle. Every round is compared with the sandbox's
truth.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import executor_rounds, harness
from benchmarks.executor_rounds import COLUMNS, HEARTBEATS, NO_LIMIT
from tests.e2e import kills
from tests.e2e.monitoring import wait_for
from tests.e2e.stack import Etl
from tests.harness.workers import NotToBeHadError, Workers, celery_workers

HEAD = ("workers", "limit", *COLUMNS)


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.workers", description=__doc__)
    make.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    make.add_argument("--concurrency", type=int, default=2, help="tasks that a worker runs at once")
    executor_rounds.add_arguments(make, leagues=6, limit=60, window=30)
    args = make.parse_args(argv)
    print(harness.machine(), flush=True)
    with executor_rounds.stored_leagues(args, inline_wait=60) as (etl, folder):
        beside = folder / "workers"
        beside.mkdir()
        try:
            with celery_workers(etl, beside, HEARTBEATS) as workers:
                rows = rounds(etl, workers, args)
        except NotToBeHadError as reason:
            raise SystemExit(f"not measured: {reason}") from None
    harness.table(
        f"{args.leagues} leagues, {executor_rounds.fixtures(args)} fixtures, batches of {args.batch},"
        f" {args.concurrency} tasks a worker,"
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
    executor_rounds.start_anew(etl, args)

    def lose_one() -> None:
        if workers is not None:
            wait_for(lambda: workers.tasks(lost) and len(kills.reads(etl)) > 100, "work in the middle")
            workers.kill(lost)

    _, seconds = executor_rounds.forced_runs(etl, args, lose_one)
    cells = executor_rounds.cells(etl, seconds)
    print(" | ".join(cells), flush=True)
    return cells


if __name__ == "__main__":
    sys.exit(main())
