"""Print the warehouse's connection string, password included, for psql and other programs: psql "$(./etl dsn)"."""

from __future__ import annotations

import argparse

from local.cli.console import err
from local.cli.context import Context
from local.errors import LocalError

HELP = "print the warehouse's connection string"


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    if not stack.settings.warehouse:
        if stack.postgres.data_dir is None:
            raise LocalError("the embedded PostgreSQL has never been started here", hint="run `./etl up`")
        if not stack.postgres.running():
            err.print("the embedded PostgreSQL is not running: ./etl up")
    print(stack.warehouse)
    return 0
