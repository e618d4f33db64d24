"""Run the DAG of one or more leagues and follow it to its end.

Starts the stack when it is down, reads the catalog when that has not been done, triggers sportmonks_<league> with
the parameters given here, shows its progress, and prints the summary of the execution. Exit code 0 when every run
has succeeded, 1 when one has failed, 2 for a wrong argument (nothing is started then).
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from local.cli.access import show_access
from local.cli.arguments import day, integer, number, requires, shown
from local.cli.context import Context
from local.cli.leagues import find, ready_manifest, season_ids
from local.cli.output import configure_output, print_json, wants_json
from local.cli.questions import configure_yes
from local.cli.runs import Plan, export_metrics, report, run_documents, run_plans
from local.errors import UsageError
from local.stack.checks import catalog_or_error

HELP = "run leagues and follow them"


def configure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("which")
    which.add_argument("--league", action="append", default=[], metavar="NAME|ID", help="repeat it for more")
    which.add_argument("--all", action="store_true", help="every followed league")
    which.add_argument("--season", action="append", default=[], metavar="ID|NAME", help="only these seasons")
    which.add_argument("--date-from", metavar="YYYY-MM-DD", help="only fixtures from this day on")
    which.add_argument("--date-to", metavar="YYYY-MM-DD", help="only fixtures until this day")
    how = parser.add_argument_group("how much")
    how.add_argument("--batch-size", metavar="N", help="fixtures per call")
    how.add_argument("--max-fixtures", metavar="N", help="at most so many fixtures in the run")
    how.add_argument("--max-chunks", metavar="N", help="at most so many seasons in the run")
    how.add_argument("--min-fixtures", metavar="N", help="leave out seasons with fewer due fixtures")
    how.add_argument("--includes", metavar="LIST", help="e.g. participants;scores;events")
    mode = parser.add_argument_group("mode")
    mode.add_argument("--dry-run", action="store_true", help="only say what would be done and what it costs")
    mode.add_argument("--force", action="store_true", help="fetch again what is not due, too")
    mode.add_argument("--no-continue", action="store_true", help="do not continue from checkpoints")
    mode.add_argument("--clear-checkpoint", action="store_true", help="forget the checkpoints first")
    mode.add_argument("--track-performance", action="store_true", help="record detailed timings as metrics")
    mode.add_argument("--export-metrics", metavar="FILE", help="write the run's metrics there (JSON)")
    follow = parser.add_argument_group("following")
    follow.add_argument("--no-follow", action="store_true", help="trigger and return")
    follow.add_argument("--verbose", action="store_true", help="also print the log lines of the run as they come")
    follow.add_argument("--timeout", metavar="SECONDS", help="stop following after that; the run goes on")
    configure_yes(parser)
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    conf = parameters(args)  # raises for wrong arguments, before anything starts
    timeout = None if args.timeout is None else number("--timeout", args.timeout, 1, 7 * 86400)
    if args.all and args.league:
        raise UsageError("--all and --league exclude each other", hint="give one of them")
    if not args.all and not args.league:
        raise UsageError("no league is given", hint="add --league NAME (or ID), or --all")
    if args.all and args.season:
        raise UsageError("--season belongs to one league", hint="give --league instead of --all")
    if args.season and len(set(args.league)) > 1:
        raise UsageError("--season belongs to one league, and several are given", hint="run one league after the other")
    for option, given in (
        ("--timeout", args.timeout is not None),
        ("--export-metrics", args.export_metrics is not None),
        ("--verbose", args.verbose),
    ):
        if args.no_follow and given:
            raise UsageError(f"{option} has no effect with --no-follow", hint="leave one of them out")
    for option, given in (
        ("--clear-checkpoint", args.clear_checkpoint),
        ("--track-performance", args.track_performance),
    ):
        if args.dry_run and given:
            raise UsageError(f"{option} has no effect with --dry-run", hint="leave one of them out")
    # Without force a run reads what is due, wherever an earlier one has stopped.
    requires("--no-continue", args.no_continue, ["--force"], args.force)
    stack = context.stack
    started = stack.up()
    try:
        plans = _plans(context, args, conf)
        begun = time.monotonic()
        runs, good = run_plans(stack, plans, follow=not args.no_follow, timeout=timeout, verbose=args.verbose)
    except KeyboardInterrupt:
        if started:
            stack.say("stopping what this command has started")
            stack.down()
        else:
            stack.say("the run goes on; make down stops everything")
        raise
    if args.no_follow:
        if wants_json(args):
            print_json({"runs": run_documents(stack, runs), "seconds": 0})
        return 0
    if args.export_metrics:
        export_metrics(stack, runs, _writable(args.export_metrics))
    took = time.monotonic() - begun
    documents = report(stack, runs, took, estimates=args.dry_run, tables=not wants_json(args))
    if wants_json(args):
        print_json({"runs": documents, "seconds": round(took, 1)})
    elif started:
        show_access(stack)
    return 0 if good else 1


def _plans(context: Context, args: argparse.Namespace, conf: dict[str, Any]) -> list[Plan]:
    """The runs to trigger; the catalog is read again before an unknown league is refused."""
    found, fresh = ready_manifest(context.stack)
    if args.all:
        return [Plan(league, conf) for league in found.leagues]
    try:
        leagues = [find(found.leagues, text) for text in args.league]
    except UsageError:
        if fresh:
            raise
        found, _ = ready_manifest(context.stack, refresh=True)
        leagues = [find(found.leagues, text) for text in args.league]
    unique = {league.id: league for league in leagues}.values()
    return [
        Plan(league, conf | ({"seasons": season_ids(league, args.season)} if args.season else {})) for league in unique
    ]


def parameters(args: argparse.Namespace) -> dict[str, Any]:
    """The DAG's parameters from the arguments; the others keep the DAG's defaults. UsageError for a wrong one."""
    conf: dict[str, Any] = {
        "batch_size": _integer("--batch-size", args.batch_size, 1, catalog_or_error().collect.max_batch_size),
        "max_fixtures": _integer("--max-fixtures", args.max_fixtures, 1, 10_000_000),
        "max_chunks": _integer("--max-chunks", args.max_chunks, 1, 100_000),
        "min_fixtures": _integer("--min-fixtures", args.min_fixtures, 1, 100_000),
        "date_from": _day("--date-from", args.date_from),
        "date_to": _day("--date-to", args.date_to),
        "includes": _includes(args.includes),
    }
    if conf["date_from"] and conf["date_to"] and conf["date_from"] > conf["date_to"]:
        raise UsageError(f"--date-from {conf['date_from']} is after --date-to {conf['date_to']}", hint="exchange them")
    conf = {name: value for name, value in conf.items() if value is not None}
    for name in ("dry_run", "force", "clear_checkpoint", "track_performance"):
        if getattr(args, name):
            conf[name] = True
    if args.no_continue:
        conf["continue_from_checkpoint"] = False
    if args.export_metrics:
        _writable(args.export_metrics)
        conf["export_metrics"] = True
    return conf


def _integer(option: str, text: str | None, low: int, high: int) -> int | None:
    return None if text is None else integer(option, text, low, high)


def _day(option: str, text: str | None) -> str | None:
    return None if text is None else day(option, text).isoformat()


def _includes(text: str | None) -> list[str] | None:
    from sportmonks.config.settings import parse_includes
    from sportmonks.errors import ConfigurationError

    if text is None:
        return None
    try:
        names = parse_includes(text, name="--includes")
    except ConfigurationError as error:
        raise UsageError(error.message, hint=error.hint) from None
    if not names:
        raise UsageError(
            f"--includes {shown(text)!r} names no include", hint="give e.g. --includes participants;scores"
        )
    return list(names)


def _writable(text: str) -> Path:
    path = Path(text).expanduser().absolute()
    try:
        reason = "is a folder" if path.is_dir() else ""
        if not reason and not path.parent.is_dir():
            reason = f"lies in {shown(path.parent)}, which does not exist"
    except OSError as error:
        reason = f"is no name of a file: {error.strerror}"
    if reason:
        raise UsageError(f"--export-metrics {shown(text)!r} {reason}", hint="give a file in an existing folder")
    return path
