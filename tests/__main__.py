"""Runs every test: those that start a complete stack one by one, all others side by side on the machine's cores.

``python -m tests [arguments of pytest]``. A stack needs the machine for itself, because its tests wait for schedules
and deadlines. The last line counts the tests of both parts; the exit code is that of pytest.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

PARTS = {
    "without stacks": ["--stacks", "without", "--numprocesses", "auto", "--dist", "loadfile", "--no-loadscope-reorder"],
    "with stacks": ["--stacks", "only"],
}
NO_TESTS = 5
OUTCOMES = ("failed", "passed", "skipped", "error")


def main(arguments: list[str]) -> int:
    codes, totals, seconds = [], Counter[str](), 0.0
    with tempfile.TemporaryDirectory() as folder:
        for name, options in PARTS.items():
            report = Path(folder) / f"{name}.xml"
            command = [sys.executable, "-m", "pytest", *options, f"--junitxml={report}", *arguments]
            print(f"---- tests {name}", flush=True)
            codes.append(subprocess.run(command, check=False).returncode)
            if report.exists():
                outcomes, took = count(report)
                totals, seconds = totals + outcomes, seconds + took
    shown = ", ".join(f"{totals[outcome]} {outcome}" for outcome in OUTCOMES if totals[outcome])
    print(f"==== {shown or 'no tests ran'} in {seconds:.2f}s ====")
    failed = [code for code in codes if code not in (0, NO_TESTS)]
    return failed[0] if failed else min(codes)


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
