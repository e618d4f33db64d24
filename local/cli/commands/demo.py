"""What `make run` does: start everything, read the catalog, run every followed league, and show the outcome.

The stack keeps running afterwards (`make down` stops it); Ctrl-C before the end stops everything.
"""

from __future__ import annotations

import argparse
import time

from local.cli.access import access_document, show_access
from local.cli.completeness import show_completeness
from local.cli.context import Context
from local.cli.leagues import ready_manifest
from local.cli.output import configure_output, show, wants_json
from local.cli.runs import Plan, report, run_plans

HELP = "start everything, run all leagues, show the outcome"


def configure(parser: argparse.ArgumentParser) -> None:
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    try:
        stack.up()
        # Always refreshed, so that new seasons and a changed catalog file take effect.
        found, _ = ready_manifest(stack, refresh=True)
        stack.say(f"{len(found.leagues)} leagues are followed")
        begun = time.monotonic()
        runs, good = run_plans(stack, [Plan(league, {}) for league in found.leagues])
        took = time.monotonic() - begun
        documents = report(stack, runs, took, tables=not wants_json(args))
        complete = show_completeness(stack, found) if stack.settings.sandbox else True
    except KeyboardInterrupt:
        stack.say("stopping everything")
        stack.down()
        raise
    document = {"runs": documents, "seconds": round(took, 1), "complete": complete, **access_document(stack)}
    show(args, document, lambda: show_access(stack))
    return 0 if good and complete else 1
