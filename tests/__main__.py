"""Runs every test: first the quick ones side by side on the machine's cores, then those that start a complete stack.

``python -m tests [arguments of pytest]``. A stack has the machine's attention, because its tests wait for schedules and
deadlines; most of the time they do wait, and the slow tests that need no stack run meanwhile, at a low priority. The
last line counts the tests of all parts; the exit code is that of pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Part:
    """Tests that one process of pytest runs: the value of ``--part``, further options, its scheduling priority."""

    name: str
    options: tuple[str, ...] = ()
    niceness: int = 0


# One process more than there are cores: many tests wait for a server now and then.
PROCESSES = str((os.cpu_count() or 1) + 1)
ON_ALL_CORES = ("--numprocesses", PROCESSES, "--dist", "loadfile", "--no-loadscope-reorder")
# One after the other; the parts of a row run at the same time.
ROWS = ((Part("quick", ON_ALL_CORES),), (Part("stacks"), Part("slow", niceness=10)))
NO_TESTS = 5
OUTCOMES = ("failed", "passed", "skipped", "error")


def main(arguments: list[str]) -> int:
    codes, totals, seconds = [], Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            codes += run(row, arguments, Path(folder))
            took = []
            for part in row:
                report = Path(folder) / f"{part.name}.xml"
                if report.exists():
                    outcomes, duration = count(report)
                    totals += outcomes
                    took.append(duration)
            seconds += max(took, default=0.0)
    shown = ", ".join(f"{totals[outcome]} {outcome}" for outcome in OUTCOMES if totals[outcome])
    print(f"==== {shown or 'no tests ran'} in {seconds:.2f}s ====")
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


def run(row: Sequence[Part], arguments: list[str], folder: Path) -> list[int]:
    """The exit codes of the parts of a row. The first one's output is shown as it comes, the others' afterwards."""
    processes = []
    for number, part in enumerate(row):
        report = folder / f"{part.name}.xml"
        command = [sys.executable, "-m", "pytest", "--part", part.name, *part.options, f"--junitxml={report}"]
        if number == 0:
            print(f"---- {part.name} tests", flush=True)
        with (folder / f"{part.name}.out").open("w") as output:
            process = subprocess.Popen(
                [*command, *arguments],
                stdout=output if number else None,
                stderr=subprocess.STDOUT if number else None,
            )
        if part.niceness:
            os.setpriority(os.PRIO_PROCESS, process.pid, part.niceness)
        processes.append(process)
    codes = []
    for number, (part, process) in enumerate(zip(row, processes, strict=True)):
        codes.append(process.wait())
        if number:
            print(f"---- {part.name} tests\n{(folder / f'{part.name}.out').read_text()}", flush=True)
    return codes


def count(report: Path) -> tuple[Counter[str], float]:
    """The tests of a JUnit report by outcome, and the seconds that they took."""
    outcomes, seconds = Counter[str](), 0.0
    for suite in ElementTree.parse(report).getroot():
        number = {key: int(suite.get(key, 0)) for key in ("tests", "failures", "errors", "skipped")}
        outcomes["failed"] += number["failures"]
        outcomes["error"] += number["errors"]
        outcomes["skipped"] += number["skipped"]
        outcomes["passed"] += number["tests"] - number["failures"] - number["errors"] - number["skipped"]
        seconds += float(suite.get("time", 0))
    return outcomes, seconds


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
