"""Command line of the fault suite: `python -m tests.chaos --runs 200`, `--seed 17` plays one scenario again."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from tests.harness.paths import REPO

sys.path.insert(0, str(REPO / "plugins"))

from tests.chaos.environment import ChaosEnvironment
from tests.chaos.play import play
from tests.chaos.result import ScenarioResult
from tests.chaos.scenario import scenario
from tests.harness.server_folder import server_folder

SUMS = (
    ("fixtures compared", "fixtures"),
    ("processes killed (SIGKILL)", "kills"),
    ("PostgreSQL crashes", "crashes"),
    ("late corrections", "corrections"),
    ("deletions", "deletions"),
    ("batches fetched twice", "fetched_twice"),
    ("fixtures or rows lost", "lost"),
    ("duplicates", "duplicates"),
    ("wrong rows", "wrong"),
    ("corrections missing in the ledger", "unrecorded"),
    ("fixtures that a green run neither stored nor mentioned", "holes"),
    ("unchanged rows with a new updated_at", "touched"),
    ("calls while nothing remained", "over_quota"),
    ("avoidable responses 429", "refused"),
    ("calls or figures that the books have wrong", "unbooked"),
)


def table(done: Sequence[ScenarioResult]) -> str:
    """The sums over all scenarios, one line each."""
    rows = [("scenarios", str(len(done))), *((title, str(sum(getattr(f, name) for f in done))) for title, name in SUMS)]
    rows.append(("most batches fetched twice per kill", str(max((f.most_fetched_twice for f in done), default=0))))
    rows.append(("seconds", f"{sum(f.seconds for f in done):.0f}"))
    return "\n".join(f"{title:<40} {value:>10}" for title, value in rows)


def play_all(seeds: Sequence[int], jobs: int, keep: Path | None) -> Iterator[ScenarioResult]:
    """The scenarios in the order of their seeds, ``jobs`` at a time, each job with a PostgreSQL of its own."""
    with ExitStack() as stack:
        free: SimpleQueue[ChaosEnvironment] = SimpleQueue()
        for _ in range(jobs):
            free.put(stack.enter_context(ChaosEnvironment(stack.enter_context(server_folder()))))

        def one(seed: int) -> ScenarioResult:
            environment = free.get()
            try:
                return play(scenario(seed), environment, keep=keep)
            finally:
                free.put(environment)

        yield from stack.enter_context(ThreadPoolExecutor(jobs)).map(one, seeds)


def main(argv: Sequence[str] | None = None) -> int:
    make = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    make.add_argument("--runs", type=int, default=20, help="number of scenarios (default 20)")
    make.add_argument("--first", type=int, default=1, help="seed of the first one (default 1)")
    make.add_argument("--seed", type=int, help="play this one again")
    make.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="scenarios at a time (default: cores)")
    make.add_argument("--keep", type=Path, help="folder for the logs of failed scenarios")
    args = make.parse_args(argv)
    seeds = [args.seed] if args.seed is not None else range(args.first, args.first + args.runs)
    done: list[ScenarioResult] = []
    for result in play_all(seeds, max(1, min(args.jobs, len(seeds))), args.keep):
        done.append(result)
        mark = "ok  " if result.good else "FAIL"
        print(
            f"{mark} seed {result.seed}: {result.seconds:.1f} s, {result.fixtures} fixtures, {result.kills} kills,"
            f" {result.crashes} crashes, {result.fetched_twice} batches fetched twice",
            flush=True,
        )
        for problem in result.problems[:12]:
            print(f"     {problem[:400]}")
        if not result.good:
            print(f"     again: .venv/bin/python -m tests.chaos --seed {result.seed} --keep /tmp/chaos", flush=True)
    print(f"\n{table(done)}")
    return 0 if all(result.good for result in done) else 1


if __name__ == "__main__":
    sys.exit(main())
