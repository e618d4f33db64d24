"""Side by side on this machine: `python -m benchmarks [batch|load|path|watching]`, all of them without a name.

Everything runs against the API sandbox and an embedded PostgreSQL, started for it and gone afterwards.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import batch, ground, load, path, watching

PARTS = {"batch": batch, "load": load, "path": path, "watching": watching}


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    make = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parts = make.add_subparsers(dest="part", metavar="part")
    for name, module in PARTS.items():
        help_text = (module.__doc__ or "").partition("\n")[0]
        module.add_arguments(parts.add_parser(name, help=help_text, description=module.__doc__))
    asked = make.parse_args(argv)
    if asked.part is not None:
        if not getattr(asked, "child", False):
            print(ground.machine(), flush=True)
        PARTS[asked.part].run(asked)
        return 0
    print(ground.machine(), flush=True)
    for name, module in PARTS.items():
        module.run(make.parse_args([name]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
