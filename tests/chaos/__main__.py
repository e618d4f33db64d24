"""Command line of the fault suite: `python -m tests.chaos --runs 200`, `--seed 17` plays one scenario again."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tests.harness.paths import REPO

sys.path.insert(0, str(REPO / "plugins"))

from tests.chaos.ground import Ground
from tests.chaos.scenario import scenario
from tests.chaos.suite import Figures, play

SUMS = (
    ("fixtures compared", "fixtures"),
    ("processes killed (SIGKILL)", "kills"),
    ("PostgreSQL crashes", "crashes"),
    ("late corrections", "corrections"),
    ("deletions", "deletions"),
    ("batches fetched twice", "refetched"),
    ("fixtures or rows lost", "lost"),
    ("duplicates", "duplicates"),
    ("wrong rows", "wrong"),
    ("corrections missing in the ledger", "unrecorded"),
    ("unchanged rows with a new updated_at", "touched"),
    ("calls while nothing remained", "over_quota"),
    ("answers 429 of our own making", "refused"),
)


def table(done: Sequence[Figures]) -> str:
    """The figures of all scenarios, one line each."""
    rows = [("scenarios", str(len(done))), *((title, str(sum(getattr(f, name) for f in done))) for title, name in SUMS)]
    rows.append(("most batches fetched twice per kill", str(max((f.most_refetched for f in done), default=0))))
    rows.append(("seconds", f"{sum(f.seconds for f in done):.0f}"))
    return "\n".join(f"{title:<40} {value:>10}" for title, value in rows)


def play_all(seeds: Sequence[int], jobs: int, keep: Path | None) -> Iterator[Figures]:
    """The scenarios in the order of their seeds, ``jobs`` at a time, each job with a PostgreSQL of its own."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaos-")))
        free: SimpleQueue[Ground] = SimpleQueue()
        for number in range(jobs):
            free.put(stack.enter_context(Ground(home / str(number))))

        def one(seed: int) -> Figures:
            ground = free.get()
            try:
                return play(scenario(seed), ground, keep=keep)
            finally:
                free.put(ground)

        yield from stack.enter_context(ThreadPoolExecutor(jobs)).map(one, seeds)


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    make.add_argument("--runs", type=int, default=20, help="number of scenarios (default 20)")
    make.add_argument("--first", type=int, default=1, help="seed of the first one (default 1)")
    make.add_argument("--seed", type=int, help="play this one again")
    make.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="scenarios at a time (default: cores)")
    make.add_argument("--keep", type=Path, help="folder for the logs of failed scenarios")
    asked = make.parse_args(argv)
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.runs)
    done: list[Figures] = []
    for figures in play_all(seeds, max(1, min(asked.jobs, len(seeds))), asked.keep):
        done.append(figures)
        mark = "ok  " if figures.good else "FAIL"
        print(
            f"{mark} seed {figures.seed}: {figures.seconds:.1f} s, {figures.fixtures} fixtures, {figures.kills} kills,"
            f" {figures.crashes} crashes, {figures.refetched} batches fetched twice",
            flush=True,
        )
        for problem in figures.problems[:12]:
            print(f"     {problem[:400]}")
        if not figures.good:
            print(f"     again: .venv/bin/python -m tests.chaos --seed {figures.seed} --keep /tmp/chaos", flush=True)
    print(f"\n{table(done)}")
    return 0 if all(figures.good for figures in done) else 1


if __name__ == "__main__":
    sys.exit(main())
