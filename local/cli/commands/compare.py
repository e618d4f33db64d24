"""Measure batch calls against single calls with the API that is configured; nothing is stored.

single   one batch of --batch-size fixtures
chunk    all fixtures of a season in batches of --batch-size
compare  --fixture-count fixtures, one by one and in batches, and whether both gave the same
all      the three after each other

The calls are real: they count in the budget of the subscription, and they wait where it is used up. Without
--league-id and --season-id, the newest season with enough fixtures of the first followed league is taken.
"""

from __future__ import annotations

import argparse

from local.cli.console import out
from local.cli.context import Context
from local.errors import LocalError, UsageError

HELP = "measure batch calls against single calls"
TESTS = ("single", "chunk", "compare", "all")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--test", default="all", metavar="TEST", help="single, chunk, compare or all (default)")
    parser.add_argument("--batch-size", default="10", metavar="N", help="fixtures per call (default 10)")
    parser.add_argument("--league-id", metavar="ID", help="the league of the season")
    parser.add_argument("--season-id", metavar="ID", help="the season whose fixtures are read")
    parser.add_argument("--fixture-count", default="20", metavar="N", help="fixtures to compare (default 20)")
    parser.add_argument("--verbose", action="store_true", help="a line per call")


def run(args: argparse.Namespace, context: Context) -> int:
    from local.cli import comparison
    from local.cli.leagues import ready_manifest
    from local.stack.checks import read_catalog
    from sportmonks.errors import SportmonksError

    if args.test not in TESTS:
        raise UsageError(f"--test {args.test} is no test", hint=f"choose one of {', '.join(TESTS)}")
    batch_size = _integer("--batch-size", args.batch_size, 1, read_catalog().collect.max_batch_size)
    count = _integer("--fixture-count", args.fixture_count, 1, 1000)
    league_id = args.league_id and _integer("--league-id", args.league_id, 1, 2**31)
    season_id = args.season_id and _integer("--season-id", args.season_id, 1, 2**31)
    context.stack.up()
    manifest, _ = ready_manifest(context.stack)
    try:
        with comparison.client_of(context.stack, verbose=args.verbose) as client:
            wanted = max(count if args.test in ("compare", "all") else 0, batch_size if args.test != "chunk" else 0, 1)
            chunk = comparison.choose(client, manifest.leagues, league_id, season_id, wanted)
            out.print(f"{chunk.league.name}, season {chunk.season.name}: {len(chunk.fixture_ids)} fixtures")
            good = True
            if args.test in ("single", "all"):
                comparison.show([comparison.read(client, chunk, chunk.fixture_ids[:batch_size], batch_size)])
            if args.test in ("chunk", "all"):
                comparison.show([comparison.read(client, chunk, chunk.fixture_ids, batch_size)])
            if args.test in ("compare", "all"):
                ids = chunk.fixture_ids[:count]
                good = comparison.compare(client, chunk, ids, batch_size)
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None
    return 0 if good else 1


def _integer(option: str, text: str, low: int, high: int) -> int:
    if text.isascii() and text.isdecimal() and low <= int(text) <= high:
        return int(text)
    raise UsageError(f"{option} {text} is not an integer from {low} to {high}", hint=f"give {option} such a number")
