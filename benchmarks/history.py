"""The complete history through Airflow in one run: `python -m benchmarks.history [--scale small] [--leagues N]`.

The sandbox at full size (490 seasons that have begun and 49 that are listed already: 73,273 fixtures, all default
includes) and the local stack, all on this machine. Every payload is made once before the measured time, and kept: the
sandbox takes 11 GB of memory for all of them. While the run is under way, the page is requested every few seconds and
the memory of Airflow's processes is read. Afterwards: fixtures, calls against the fewest possible by season, refused
calls, the page's answers, and the memory of the first and of the last third of the run.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

import psutil
import psycopg
import requests

from benchmarks.airflow import stack
from benchmarks.harness import SUMMER, machine, table
from sportmonks.config.settings import PAGE

BATCH = 50
EVERY_S = 5.0
# Reading how much memory belongs to a process alone costs as much as several of the page's answers.
MEMORY_EVERY = 6
PAGES = ("overview", "coverage", "executions")
# Titles of Airflow's processes; those of the tasks are children of the scheduler's workers.
PROCESSES = {"API server": "airflow api_server", "scheduler": "airflow scheduler", "DAG processor": "dag-processor"}


class Watch:
    """Requests the page and reads the memory of Airflow's processes, on a thread of its own."""

    def __init__(self, home: Path, port: int) -> None:
        self.answers: dict[str, list[float]] = {name: [] for name in PAGES}
        self.failures = 0
        self.memory: dict[str, list[float]] = {name: [] for name in (*PROCESSES, "tasks")}
        self._url = f"http://127.0.0.1:{port}"
        (passwords,) = home.rglob("passwords.json")
        self._password = json.loads(passwords.read_text())["admin"]
        self._home = home
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Watch:
        self._session = requests.Session()
        body = {"username": "admin", "password": self._password}
        token = self._session.post(f"{self._url}/auth/token", json=body, timeout=60).json()["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        self._session.close()

    def _run(self) -> None:
        for turn in itertools.count():
            if self._ended.wait(EVERY_S):
                return
            for name in PAGES:
                begun = time.monotonic()
                try:
                    answer = self._session.get(f"{self._url}/{PAGE}/api/{name}", timeout=30)
                    self.failures += not answer.ok
                except requests.RequestException:
                    self.failures += 1
                self.answers[name].append(time.monotonic() - begun)
            for name, mib in self._sizes().items() if turn % MEMORY_EVERY == 0 else ():
                self.memory[name].append(mib)

    def _sizes(self) -> dict[str, float]:
        """MiB that belong to a process alone, by the largest of its kind."""
        sizes = dict.fromkeys(self.memory, 0.0)
        roots = [int(part["pid"]) for part in json.loads((self._home / "processes.json").read_text()).values()]
        for root in roots:
            try:
                family = [psutil.Process(root), *psutil.Process(root).children(recursive=True)]
            except psutil.Error:
                continue
            for process in family:
                try:
                    title, used = " ".join(process.cmdline()), process.memory_full_info().uss / 2**20
                except psutil.Error:
                    continue
                kind = next((name for name, word in PROCESSES.items() if word in title), "")
                if not kind or process.pid != root:
                    kind = "tasks" if "airflow worker" in title else kind
                if kind:
                    sizes[kind] = max(sizes[kind], used)
        return sizes


def make_payloads(url: str, most_leagues: int | None) -> tuple[list[str], int, int]:
    """Request every fixture once; the ids of the leagues, their fixtures, and the fewest calls that collect them."""
    from sportmonks.api.budget import UnlimitedBudget
    from sportmonks.api.client import SportmonksClient
    from sportmonks.config.settings import DEFAULT_INCLUDES

    fixtures = calls = 0
    with SportmonksClient(url, "demo-key", budget=UnlimitedBudget()) as client:
        leagues = [str(league["id"]) for league in client.leagues()][:most_leagues]
        for league in leagues:
            for season in client.seasons(int(league)):
                ids = [int(row["id"]) for page in client.season_index(int(season["id"])) for row in page]
                fixtures, calls = fixtures + len(ids), calls + math.ceil(len(ids) / BATCH)
                for start in range(0, len(ids), BATCH):
                    client.fixtures_multi(ids[start : start + BATCH], DEFAULT_INCLUDES)
    return leagues, fixtures, calls


def run(args: argparse.Namespace) -> int:
    sandbox = f"--scale {args.scale} --now {SUMMER} --cache-mb {args.cache_mb} --limit 1000000"
    with stack(sandbox) as etl:
        ports = json.loads((etl.home / "ports.json").read_text())
        box = f"http://127.0.0.1:{ports['sandbox']}"
        begun = time.monotonic()
        leagues, fixtures, fewest = make_payloads(f"{box}/v3", args.leagues)
        which = [part for league in leagues for part in ("--league", league)] if args.leagues else ["--all"]
        print(f"{fixtures:,} payloads made in {time.monotonic() - begun:.0f} s; the run begins", flush=True)
        etl("run", *which, "--dry-run")
        requests.delete(f"{box}/_admin/calls", timeout=60)
        with Watch(etl.home, etl.port) as watch:
            begun = time.monotonic()
            etl("run", *which)
            took = time.monotonic() - begun
        with psycopg.connect(etl("dsn").strip()) as conn:
            (stored,) = conn.execute("SELECT count(*) FROM raw.fixtures").fetchone() or (0,)
            (size,) = conn.execute("SELECT pg_database_size(current_database())").fetchone() or (0,)
        calls = requests.get(f"{box}/_admin/calls", timeout=60).json()
    _print(args, fixtures, fewest, took, stored, size, calls, watch)
    return 0 if stored == fixtures else 1


def _print(
    args: argparse.Namespace, fixtures: int, fewest: int, took: float, stored: int, size: int, calls: Any, watch: Watch
) -> None:
    batches = sum(count for path, count in calls["by_path"].items() if "/fixtures/multi" in path)
    table(
        f"The complete history ({args.scale}) in one run",
        ("", "", "against"),
        [
            ("fixtures stored", f"{stored:,}", f"{fixtures:,} that the API has"),
            ("seconds", f"{took:.0f}", f"{stored / took:.0f} fixtures a second"),
            ("calls for fixtures", f"{batches:,}", f"{fewest:,} at least: {batches / fewest:.3f}"),
            ("refused calls", str(calls["total_429"]), "0"),
            ("warehouse", f"{size / 1e9:.2f} GB", f"{size / stored / 1e3:.0f} kB a fixture"),
        ],
    )
    table(
        "The page meanwhile",
        ("request", "answers", "median", "slowest"),
        [
            (name, str(len(found)), f"{1000 * median(found):.0f} ms", f"{1000 * max(found):.0f} ms")
            for name, found in watch.answers.items()
            if found
        ],
    )
    print(f"\n{watch.failures} of them failed.")
    thirds = {name: len(found) // 3 for name, found in watch.memory.items()}
    table(
        "Memory of each process alone, MiB",
        ("", "first third of the run", "last third", "most"),
        [
            (
                name,
                f"{median(found[: thirds[name]] or [0]):.0f}",
                f"{median(found[-thirds[name] :] or [0]):.0f}",
                f"{max(found, default=0):.0f}",
            )
            for name, found in watch.memory.items()
        ],
    )


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m benchmarks.history", description=__doc__)
    make.add_argument("--scale", choices=("small", "full"), default="full", help="of the sandbox (default full)")
    make.add_argument("--cache-mb", type=int, default=12000, help="memory of the sandbox for payloads (default 12000)")
    make.add_argument("--leagues", type=int, metavar="N", help="the first N leagues alone (default all)")
    args = make.parse_args(argv)
    print(machine(), flush=True)
    return run(args)


if __name__ == "__main__":
    sys.exit(main())
