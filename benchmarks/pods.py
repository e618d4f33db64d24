"""A pod per task: `python -m benchmarks.pods`. Forced runs of all leagues with Airflow's KubernetesExecutor.

There is no cluster here: a small server plays the Kubernetes API, and each pod is a process with an environment and an
empty folder of its own (tests/harness/pods.py). So a pod costs what a new process costs; pulling the image, finding a
node and starting a container come on top. The same runs with the LocalExecutor, whose tasks are forks of the scheduler,
come first. One more round with all pods is under a limit of calls that they could exceed.
Every round is compared with the sandbox's truth.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from benchmarks import executor_rounds, harness
from benchmarks.executor_rounds import COLUMNS, HEARTBEATS
from tests.e2e import kills
from tests.e2e.monitoring import wait_for
from tests.e2e.stack import Etl
from tests.harness.kubernetes_executor import Cluster, cluster
from tests.harness.workers import NotToBeHadError

HEAD = ("executor", "tasks at once", "limit", *COLUMNS, "tasks", "CPU s a task", "s from queue to start")


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.pods", description=__doc__)
    make.add_argument("--pods", type=int, nargs="+", default=[2, 4], help="pods at once")
    executor_rounds.add_arguments(make, leagues=2, limit=30, window=15)
    args = make.parse_args(argv)
    print(harness.machine(), flush=True)
    with executor_rounds.stored_leagues(args, inline_wait=5) as (etl, folder):
        beside = folder / "cluster"
        beside.mkdir()
        try:
            with cluster(etl, beside, HEARTBEATS) as pods:
                rows = rounds(etl, pods, args)
        except NotToBeHadError as reason:
            raise SystemExit(f"not measured: {reason}") from None
    harness.table(
        f"{args.leagues} leagues, {executor_rounds.fixtures(args)} fixtures, batches of {args.batch},"
        f" {args.latency} s an answer;"
        f" limit: calls in {args.window} s",
        HEAD,
        rows,
    )
    return 0


def rounds(etl: Etl, pods: Cluster, args: argparse.Namespace) -> list[tuple[str, ...]]:
    most = max(args.pods)
    pods.schedule("LocalExecutor", most)
    rows = [("Local", str(most), "none", *measured(etl, pods, args))]
    for count in args.pods:
        pods.schedule("KubernetesExecutor", count)
        rows.append(("Kubernetes", str(count), "none", *measured(etl, pods, args)))
    etl.sandbox("POST", "/_admin/limits", {"limit": args.limit})
    rows.append(("Kubernetes", str(count), str(args.limit), *measured(etl, pods, args)))
    return rows


def measured(etl: Etl, pods: Cluster, args: argparse.Namespace) -> tuple[str, ...]:
    """One round: every league once, forced. Cells of its row."""
    executor_rounds.start_anew(etl, args)
    before, made = pods.cpu_seconds(), len(pods.pods.usage)
    runs, seconds = executor_rounds.forced_runs(etl, args)
    wait_for(lambda: not pods.pods.running(), "the end of the last pod")
    used = pods.cpu_seconds() - before
    started = [task for dag_id, run in runs.items() for task in kills.tasks(etl, dag_id, run).values() if task["pid"]]
    tasks = len(pods.pods.usage) - made or len(started)
    cells = (
        *executor_rounds.cells(etl, seconds),
        str(tasks),
        f"{used / tasks:.2f}",
        f"{statistics.median(map(waited, started)):.1f}",
    )
    print(" | ".join(cells), flush=True)
    return cells


def waited(task: dict[str, Any]) -> float:
    """Seconds that a task was queued before it started."""
    return (datetime.fromisoformat(task["start_date"]) - datetime.fromisoformat(task["queued_when"])).total_seconds()


if __name__ == "__main__":
    sys.exit(main())
