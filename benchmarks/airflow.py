"""Airflow's share: all seasons of several leagues in one go, through the local stack and by plain processes.

Each league has small seasons (four teams, 12 matches), so that Airflow's tasks are most of the work. Side by side on
the same machine and against the same sandbox: the runs through Airflow, and the same collecting by as many plain
processes as Airflow may run at once, into a database of its own. Then the unchanged runs, and the stack at rest.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.harness import child, table
from benchmarks.report import Result, pair
from local.stack.airflow import PARALLELISM
from tests.harness.paths import REPO


def run(args: argparse.Namespace) -> Result | None:
    if args.child:
        print(json.dumps(collect_seasons(json.load(sys.stdin))))
        return None
    chunks = args.leagues * args.seasons
    with stack(f"--leagues {args.leagues} --seasons {args.seasons} --teams 4 --limit 1000000") as etl:
        etl("run", "--all", "--dry-run")  # the catalog, and every process warm
        plain = plain_processes(etl.home, args)
        rows, figures = [], {}
        for label, tasks in (
            ("first", args.leagues * 3 + chunks * 2),
            ("unchanged", args.leagues * 3),
        ):
            before, begun = cpu_seconds(etl.home), time.monotonic()
            etl("run", "--all")
            took, used = time.monotonic() - begun, cpu_seconds(etl.home) - before
            beside = took - plain if label == "first" else took
            figures[label] = {"tasks": tasks, "seconds": took, "cpu_seconds": used}
            rows.append(
                (label, str(tasks), f"{took:.0f}", f"{tasks / took:.1f}", f"{used / tasks:.2f}", f"{beside:.0f}")
            )
        time.sleep(10)
        before = cpu_seconds(etl.home)
        time.sleep(args.rest)
        rest = (cpu_seconds(etl.home) - before) / args.rest
    table(
        f"{args.leagues} leagues, {chunks} seasons of 12 matches; plain processes: {plain:.0f} s",
        ("run", "tasks", "seconds", "tasks/s", "CPU s/task", "seconds beside the work"),
        rows,
    )
    print(f"\nThe stack at rest: {rest:.2f} of a core over {args.rest} s.")
    first, again = figures["first"], figures["unchanged"]
    lines = [
        pair(f"{chunks} small seasons through Airflow against plain processes", "s", [first["seconds"]], [plain]),
        pair("… when nothing has changed, against the first run", "s", [again["seconds"]], [first["seconds"]]),
    ]
    return Result(lines, {"chunks": chunks, "plain_seconds": plain, "cores_at_rest": rest, "runs": figures})


class _Etl:
    def __init__(self, home: Path, port: int, env: dict[str, str]) -> None:
        self.home, self.port = home, port
        self._env = env

    def __call__(self, *arguments: str) -> str:
        done = subprocess.run(
            ["./etl", *arguments], cwd=REPO, env=self._env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(f"./etl {' '.join(arguments)} failed: {(done.stdout + done.stderr)[-3000:]}")
        return done.stdout


@contextmanager
def stack(sandbox: str) -> Iterator[_Etl]:
    """A local stack with a sandbox of its own, which gets the arguments ``sandbox``; removed at the end."""
    from local.stack.files import free_port

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o711)  # as root, PostgreSQL runs under an account of its own
        port = free_port()
        env = {name: value for name, value in os.environ.items() if not name.startswith(("ETL_", "SPORTMONKS_"))} | {
            "ETL_HOME": folder,
            "ETL_PORT": str(port),
            "ETL_LEAGUES": "all",
            "ETL_SANDBOX_ARGS": sandbox,
        }
        etl = _Etl(Path(folder), port, env)
        etl("up")
        try:
            yield etl
        finally:
            etl("down")


def cpu_seconds(home: Path) -> float:
    """CPU seconds of all processes of the stack so far, those that have ended included."""
    import psutil

    total = 0.0
    for process in psutil.process_iter():
        try:
            words = " ".join(process.cmdline())
            ours = str(home) in words or process.environ().get("ETL_HOME") == str(home)
            ours = ours or str(process.environ().get("AIRFLOW_HOME", "")).startswith(str(home))
            if ours:
                times = process.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
        except psutil.Error:
            continue
    return total


def plain_processes(home: Path, args: argparse.Namespace) -> float:
    """Seconds in which as many processes as Airflow runs tasks collect the same seasons, without Airflow."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient

    url = f"http://127.0.0.1:{json.loads((home / 'ports.json').read_text())['sandbox']}/v3"
    with SportmonksClient(url, "demo-key", budget=UnlimitedBudget()) as client:
        chunks = [
            {"league_id": int(league["id"]), "season_id": int(season["id"])}
            for league in client.leagues()
            for season in client.seasons(int(league["id"]))
        ]
    assert len(chunks) == args.leagues * args.seasons
    dsn = _database(home)
    shares = [chunks[place::PARALLELISM] for place in range(PARALLELISM)]
    command = [sys.executable, "-m", "benchmarks", "airflow", "--child"]
    begun = time.monotonic()
    with ThreadPoolExecutor(PARALLELISM) as pool:
        inputs = ({"url": url, "key": "demo-key", "dsn": dsn, "chunks": share} for share in shares)
        done: list[dict[str, Any]] = list(pool.map(lambda each: child(command, each), inputs))
    assert sum(each["saved"] for each in done) == len(chunks) * 12, done
    return time.monotonic() - begun


def _database(home: Path) -> str:
    from local.stack.postgres import EmbeddedPostgres
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    dsn = EmbeddedPostgres(home).ensure_database("plain")
    with open_connection(dsn) as conn:
        migrate(conn)
    return dsn


def collect_seasons(inputs: dict[str, Any]) -> dict[str, Any]:
    """In the child: index, plan and collect some seasons, one after the other."""
    from benchmarks.season import season_run
    from sportmonks.collect.collect import collect
    from sportmonks.collect.discover import discover
    from sportmonks.collect.plan import plan

    saved = 0
    for chunk in inputs["chunks"]:
        run, season = season_run({**inputs, **chunk, "execution_id": f"etl_20260101_000000_{chunk['season_id']:06x}"})
        discover(run)
        plan(run)
        saved += collect(run, season, "benchmark").outcomes.get("saved", 0)
        run.client().close()
    return {"saved": saved}


def add_arguments(make: argparse.ArgumentParser) -> None:
    make.add_argument("--leagues", type=int, default=10)
    make.add_argument("--seasons", type=int, default=10)
    make.add_argument("--rest", type=int, default=60, help="seconds at rest")
    make.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
