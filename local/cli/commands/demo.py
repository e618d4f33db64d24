"""What `make run` does: start everything, read the catalog, collect, and show the outcome and where to go from there.

Without a key the sandbox plays the API and every season is collected. With a key the cost of all history is estimated
first, and a question asks how much to collect now: the current seasons (the first choice), all, or nothing. --yes and
programs without a terminal take the current seasons; --seasons says it without a question.

The stack keeps running afterwards (`make down` stops it); Ctrl-C before the end stops everything.
"""

from __future__ import annotations

import argparse
import time

from local.cli.access import access_document, show_end
from local.cli.completeness import show_completeness
from local.cli.context import Context
from local.cli.history import chosen_scope, configure_history, plans_of
from local.cli.leagues import ready_manifest
from local.cli.output import configure_output, show, wants_json
from local.cli.questions import configure_yes
from local.cli.runs import report, run_plans

HELP = "start everything, run all leagues, show the outcome"


def configure(parser: argparse.ArgumentParser) -> None:
    configure_history(parser)
    configure_yes(parser)
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    chosen_scope(args)  # raises for a wrong word, before anything starts
    stack = context.stack
    try:
        stack.up()
        # Always refreshed, so that new seasons and a changed catalog file take effect.
        found, _ = ready_manifest(stack, refresh=True)
        stack.say(f"{len(found.leagues)} leagues are followed")
        plans = plans_of(args, stack, found.leagues)
        begun = time.monotonic()
        runs, good = run_plans(stack, plans) if plans else ([], True)
        took = time.monotonic() - begun
        documents = report(stack, runs, took, tables=bool(plans) and not wants_json(args))
        everything = stack.settings.sandbox and all(not plan.conf for plan in plans)
        complete = show_completeness(stack, found) if everything else True
    except KeyboardInterrupt:
        stack.say("stopping everything")
        stack.down()
        raise
    document = {"runs": documents, "seconds": round(took, 1), "complete": complete, **access_document(stack)}
    show(args, document, lambda: show_end(stack, found.leagues))
    return 0 if good and complete else 1
