"""`./etl`: one command line for the local stack. Each command is one module of `local/cli/commands`.

A command module has `HELP`, `configure(parser)` and `run(args, context) -> exit code`; its file name is its name.
"""

from __future__ import annotations

import argparse
import importlib
import logging
import pkgutil
import signal
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import NoReturn

import local.cli.commands
from local.cli.console import complain, err
from local.cli.context import Context
from local.errors import LocalError, UsageError

EXIT_ERROR, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130


def commands() -> dict[str, ModuleType]:
    names = sorted(module.name for module in pkgutil.iter_modules(local.cli.commands.__path__))
    return {name: importlib.import_module(f"local.cli.commands.{name}") for name in names}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="etl",
        description="Sportmonks ETL on this machine: PostgreSQL, the API sandbox and Airflow.",
        epilog="Settings come from the environment or .env; .env.example lists them.",
        allow_abbrev=False,
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in commands().items():
        summary = module.HELP
        sub = subparsers.add_parser(name, help=summary, description=module.__doc__, allow_abbrev=False)
        sub.formatter_class = argparse.RawDescriptionHelpFormatter
        module.configure(sub)
        sub.set_defaults(run=module.run)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    # What libraries would log is in the messages of the commands and in the log files.
    logging.basicConfig(level=logging.CRITICAL)
    # SIGTERM is handled as Ctrl-C: what this program has started is stopped in order.
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)  # also where a script started it in the background
    args = build_parser().parse_args(arguments)
    try:
        return int(args.run(args, Context()))
    except UsageError as error:
        complain(error)
        return EXIT_USAGE
    except LocalError as error:
        complain(error)
        return EXIT_ERROR
    except KeyboardInterrupt:
        err.print("interrupted")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()
        return EXIT_ERROR


def _interrupt(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
