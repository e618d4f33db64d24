"""What the benchmarks of executors share: a stack whose leagues are stored, and rounds of forced runs of them."""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e import kills
from tests.e2e.stack import Etl, running_stack

HEARTBEATS = {
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "20",
    "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "5",
}
NO_LIMIT = 1_000_000
COLUMNS = ("seconds", "fixtures/s", "calls", "refused", "requested twice", "rows that differ")


def add_arguments(make: argparse.ArgumentParser, *, leagues: int, limit: int, window: int) -> None:
    """The size of the sandbox and its limit, with these defaults."""
    make.add_argument("--leagues", type=int, default=leagues)
    make.add_argument("--seasons", type=int, default=3)
    make.add_argument("--teams", type=int, default=12)
    make.add_argument("--latency", type=float, default=0.6, help="seconds until the sandbox answers")
    make.add_argument("--limit", type=int, default=limit, help="calls in a window of the limited round")
    make.add_argument("--window", type=int, default=window, help="its seconds")
    make.add_argument("--batch", type=int, default=10, help="fixtures in a call")


def fixtures(args: argparse.Namespace) -> int:
    """How many fixtures the sandbox has."""
    return int(args.leagues * args.seasons * args.teams * (args.teams - 1))


@contextmanager
def stored_leagues(args: argparse.Namespace, *, inline_wait: int) -> Iterator[tuple[Etl, Path]]:
    """A stack that has collected all leagues, and its folder.

    ``inline_wait``: seconds that a task waits for calls before it is deferred.
    """
    world = (
        f"--leagues {args.leagues} --seasons {args.seasons} --teams {args.teams} --latency {args.latency}"
        f" --limit {NO_LIMIT} --window {args.window} --frozen"
    )
    catalog = {
        r"retry_delay_seconds: \d+": "retry_delay_seconds: 2",
        r"  max_inline_wait_seconds: \d+.*": f"  max_inline_wait_seconds: {inline_wait}",
    }
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o711)  # as root, PostgreSQL runs under an account of its own
        with running_stack(Path(folder), world, catalog) as etl:
            first = etl("run", "--all")
            if first.returncode:
                raise SystemExit(first.stdout + first.stderr)
            yield etl, Path(folder)


def start_anew(etl: Etl, args: argparse.Namespace) -> None:
    """Windows, and what the budget knows of them, begin anew, and so does the sandbox's count of calls."""
    time.sleep(args.window + 1)
    etl.sandbox("DELETE", "/_admin/calls")


def forced_runs(
    etl: Etl, args: argparse.Namespace, meanwhile: Callable[[], None] = lambda: None
) -> tuple[dict[str, str], float]:
    """Every league once: the runs by DAG, and the seconds until the last has succeeded. ``meanwhile`` is called when
    all have been triggered."""
    dags = [row["dag_id"] for row in etl.rows("SELECT DISTINCT dag_id FROM etl.etl_executions")]
    begun = time.monotonic()
    runs = {dag_id: etl.trigger(dag_id, force=True, batch_size=args.batch) for dag_id in dags}
    meanwhile()
    for dag_id, run in runs.items():
        kills.must_succeed(etl, dag_id, run)
    return runs, time.monotonic() - begun


def cells(etl: Etl, seconds: float) -> tuple[str, ...]:
    """The cells of COLUMNS, after runs of so many seconds."""
    calls = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")
    leagues = {chunk["league_id"] for chunk in etl.sandbox("GET", "/_admin/truth")["chunks"]}
    return (
        f"{seconds:.0f}",
        f"{calls['fixtures_requested_distinct'] / seconds:.1f}",
        str(calls["total"]),
        str(calls["total_429"] + calls["calls_after_remaining_zero"]),
        str(calls["fixtures_requested_again"]),
        str(len(kills.differences(etl, *leagues))),
    )
