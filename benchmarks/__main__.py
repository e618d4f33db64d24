"""Side-by-side measurements on this machine: `python -m benchmarks [PART]` (no part: all, within half an hour).

Each part starts the API sandbox and an embedded PostgreSQL of its own and removes them at its end. At the end of all a
table with the ratios is printed; `--json FILE` writes all figures and leaves those of parts that were not measured.
`readme` writes README's table from the stored run. Benchmarks that are run alone: `python -m benchmarks.memory`,
`python -m benchmarks.routes`, `python -m benchmarks.dashboard`, `python -m benchmarks.analysis`, `python -m
benchmarks.workers`, `python -m benchmarks.pods`, `python -m benchmarks.history`.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import airflow, batch, harness, latency, load, path, report, volume, watching

# The long one last: what was found before it is printed by then.
PARTS = {
    "path": path,
    "load": load,
    "batch": batch,
    "latency": latency,
    "watching": watching,
    "volume": volume,
    "airflow": airflow,
}


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    make = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    make.add_argument("--json", metavar="FILE", type=Path, help="write the figures as JSON as well")
    make.add_argument("--without", metavar="PART", action="append", choices=PARTS, default=[], help="leave a part out")
    parts = make.add_subparsers(dest="part", metavar="part")
    parts.add_parser("readme", help="write README's table from the stored run")
    for name, module in PARTS.items():
        help_text = (module.__doc__ or "").partition("\n")[0]
        module.add_arguments(parts.add_parser(name, help=help_text, description=module.__doc__))
    args = make.parse_args(argv)
    if args.part == "readme":
        report.update_readme()
        return 0
    if getattr(args, "child", False):
        PARTS[args.part].run(args)
        return 0
    print(harness.machine(), flush=True)
    chosen = {args.part: args} if args.part else {n: make.parse_args([n]) for n in PARTS if n not in args.without}
    measured = {}
    for name, its_args in chosen.items():
        begun, load_before = time.monotonic(), os.getloadavg()[0]
        result = PARTS[name].run(its_args)
        minutes, load = (time.monotonic() - begun) / 60, (load_before, os.getloadavg()[0])
        measured[name] = report.as_json(result, minutes=minutes, load=load)
        if args.json:  # after each part: what was found is not lost with the next one
            report.write(report.merged(measured, args.json), args.json)
    took = sum(part["minutes"] for part in measured.values())
    print(f"\nAll of it, in {took:.0f} minutes:\n\n{report.table_of(report.merged(measured, None))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
