"""A pod per task: `python -m benchmarks.pods`. Forced runs of all leagues with Airflow's KubernetesExecutor.

There is no cluster here: a small server plays the Kubernetes API, and each pod is a process with an environment and an
empty folder of its own (tests/harness/pods.py). So a pod costs what a new process costs; pulling the image, finding a
node and starting a container come on top. The same runs with the LocalExecutor, whose tasks are forks of the scheduler,
come first. One more round with all pods is under a limit of calls that they could exceed.
Every round is compared with the sandbox's truth.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import harness
from benchmarks.workers import HEARTBEATS, NO_LIMIT
from tests.e2e import kills
from tests.e2e.monitoring import wait_for
from tests.e2e.stack import Etl, running_stack
from tests.harness.kubernetes_executor import Cluster, cluster
from tests.harness.workers import NotToBeHadError

COLUMNS = ("seconds", "fixtures/s", "calls", "refused", "requested twice", "rows that differ")
HEAD = ("executor", "tasks at once", "limit", *COLUMNS, "tasks", "CPU s a task", "s from queue to start")


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.pods", description=__doc__)
    make.add_argument("--pods", type=int, nargs="+", default=[2, 4], help="pods at once")
    make.add_argument("--leagues", type=int, default=2)
    make.add_argument("--seasons", type=int, default=3)
    make.add_argument("--teams", type=int, default=12)
    make.add_argument("--latency", type=float, default=0.6, help="seconds until the sandbox answers")
    make.add_argument("--limit", type=int, default=30, help="calls in a window of the limited round")
    make.add_argument("--window", type=int, default=15, help="its seconds")
    make.add_argument("--batch", type=int, default=10, help="fixtures in a call")
    args = make.parse_args(argv)
    print(harness.machine(), flush=True)
    world = (
        f"--leagues {args.leagues} --seasons {args.seasons} --teams {args.teams} --latency {args.latency}"
        f" --limit {NO_LIMIT} --window {args.window} --frozen"
    )
    catalog = {
        r"retry_delay_seconds: \d+": "retry_delay_seconds: 2",
        r"  max_inline_wait_seconds: \d+.*": "  max_inline_wait_seconds: 5",
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        os.chmod(name, 0o711)  # as root, PostgreSQL runs under an account of its own
        folder = Path(name)
        with running_stack(folder, world, catalog) as etl:
            first = etl("run", "--all")
            if first.returncode:
                raise SystemExit(first.stdout + first.stderr)
            beside = folder / "cluster"
            beside.mkdir()
            try:
                with cluster(etl, beside, HEARTBEATS) as pods:
                    rows = rounds(etl, pods, args)
            except NotToBeHadError as reason:
                raise SystemExit(f"not measured: {reason}") from None
    fixtures = args.leagues * args.seasons * args.teams * (args.teams - 1)
    harness.table(
        f"{args.leagues} leagues, {fixtures} fixtures, batches of {args.batch}, {args.latency} s an answer;"
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
    time.sleep(args.window + 1)  # windows and what the budget knows of them begin anew
    etl.sandbox("DELETE", "/_admin/calls")
    dags = [row["dag_id"] for row in etl.rows("SELECT DISTINCT dag_id FROM etl.etl_executions")]
    before, made, begun = pods.cpu_seconds(), len(pods.pods.usage), time.monotonic()
    runs = {dag_id: etl.trigger(dag_id, force=True, batch_size=args.batch) for dag_id in dags}
    for dag_id, run in runs.items():
        kills.must_succeed(etl, dag_id, run)
    seconds = time.monotonic() - begun
    wait_for(lambda: not pods.pods.running(), "the end of the last pod")
    used = pods.cpu_seconds() - before
    calls = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")
    leagues = {chunk["league_id"] for chunk in etl.sandbox("GET", "/_admin/truth")["chunks"]}
    started = [task for dag_id, run in runs.items() for task in kills.tasks(etl, dag_id, run).values() if task["pid"]]
    tasks = len(pods.pods.usage) - made or len(started)
    cells = (
        f"{seconds:.0f}",
        f"{calls['fixtures_requested_distinct'] / seconds:.1f}",
        str(calls["total"]),
        str(calls["total_429"] + calls["calls_after_remaining_zero"]),
        str(calls["fixtures_requested_again"]),
        str(len(kills.differences(etl, *leagues))),
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
