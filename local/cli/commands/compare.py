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

from local.cli.arguments import identifier, integer, shown
from local.cli.console import out
from local.cli.context import Context
from local.cli.output import configure_output, print_json, wants_json
from local.cli.questions import configure_yes
from local.errors import LocalError, UsageError

HELP = "measure batch calls against single calls"
TESTS = ("single", "chunk", "compare", "all")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--test", default="all", metavar="TEST", help="single, chunk, compare or all (default)")
    parser.add_argument("--batch-size", default="10", metavar="N", help="fixtures per call (default 10)")
    parser.add_argument("--league-id", metavar="ID", help="the league of the season")
    parser.add_argument("--season-id", metavar="ID", help="the season whose fixtures are read")
    parser.add_argument("--fixture-count", metavar="N", help="fixtures to compare (default 20)")
    parser.add_argument("--verbose", action="store_true", help="a line per call")
    configure_yes(parser)
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    from local.cli import comparison
    from local.cli.leagues import ready_manifest
    from local.stack.checks import catalog_or_error
    from sportmonks.errors import SportmonksError

    if args.test not in TESTS:
        raise UsageError(f"--test {shown(args.test)} is no test", hint=f"choose one of {', '.join(TESTS)}")
    what = {"chunk": "all", "single": "one batch"}.get(args.test)
    if what and args.fixture_count is not None:
        raise UsageError(
            f"--fixture-count has no effect on --test {args.test}, which reads {what}", hint="leave it out"
        )
    batch_size = integer("--batch-size", args.batch_size, 1, catalog_or_error().collect.max_batch_size)
    count = 20 if args.fixture_count is None else integer("--fixture-count", args.fixture_count, 1, 1000)
    league_id = None if args.league_id is None else identifier("--league-id", args.league_id)
    season_id = None if args.season_id is None else identifier("--season-id", args.season_id)
    context.stack.up()
    manifest, _ = ready_manifest(context.stack)
    try:
        with comparison.client_of(context.stack, verbose=args.verbose) as client:
            wanted = max(count if args.test in ("compare", "all") else 0, batch_size if args.test != "chunk" else 0, 1)
            chunk = comparison.choose(client, manifest.leagues, league_id, season_id, wanted)
            out.print(f"{chunk.league.name}, season {chunk.season.name}: {len(chunk.fixture_ids)} fixtures")
            readings: list[comparison.Reading] = []
            found: comparison.Comparison | None = None
            for test, ids in (("single", chunk.fixture_ids[:batch_size]), ("chunk", chunk.fixture_ids)):
                if args.test in (test, "all"):
                    readings.append(comparison.read(client, chunk, ids, batch_size))
                    comparison.show(readings[-1:])
            if args.test in ("compare", "all"):
                found = comparison.compared(client, chunk, chunk.fixture_ids[:count], batch_size)
                readings += found.readings
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None
    if wants_json(args):
        print_json(
            {
                "league_id": chunk.league.id,
                "league": chunk.league.name,
                "season_id": chunk.season.id,
                "season": chunk.season.name,
                "readings": [reading.document() for reading in readings],
                "comparison": found.document() if found else None,
            }
        )
    return 0 if found is None or found.same else 1
