"""Start PostgreSQL, the API sandbox (when no key is set) and Airflow, and return when all of them are healthy."""

from __future__ import annotations

import argparse

from local.cli.access import access_document, show_access
from local.cli.context import Context
from local.cli.output import configure_output, show
from local.cli.questions import configure_yes

HELP = "start everything and return"


def configure(parser: argparse.ArgumentParser) -> None:
    configure_yes(parser)
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    started = stack.up()
    if not started:
        stack.say("everything was running already")
    show(args, {"started": started, **access_document(stack)}, lambda: show_access(stack))
    return 0
