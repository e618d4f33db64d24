"""Side-by-side measurements on this machine: `python -m benchmarks [airflow|batch|load|path|watching]` (no name: all).

Each benchmark starts the API sandbox and an embedded PostgreSQL of its own and removes them at its end. Benchmarks that
are run alone: `python -m benchmarks.latency`, `python -m benchmarks.memory`, `python -m benchmarks.routes`,
`python -m benchmarks.dashboard`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import airflow, batch, harness, load, path, watching

PARTS = {"airflow": airflow, "batch": batch, "load": load, "path": path, "watching": watching}


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    make = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parts = make.add_subparsers(dest="part", metavar="part")
    for name, module in PARTS.items():
        help_text = (module.__doc__ or "").partition("\n")[0]
        module.add_arguments(parts.add_parser(name, help=help_text, description=module.__doc__))
    args = make.parse_args(argv)
    if args.part is not None:
        if not getattr(args, "child", False):
            print(harness.machine(), flush=True)
        PARTS[args.part].run(args)
        return 0
    print(harness.machine(), flush=True)
    for name, module in PARTS.items():
        module.run(make.parse_args([name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
