"""Start PostgreSQL, the API sandbox (when no key is set) and Airflow, and return when all of them are healthy."""

from __future__ import annotations

import argparse

from local.cli.access import show_access
from local.cli.context import Context

HELP = "start everything and return"


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace, context: Context) -> int:
    if not context.stack.up():
        context.stack.say("everything was running already")
    show_access(context.stack)
    return 0
