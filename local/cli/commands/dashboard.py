"""Show what the dashboard page shows, in the terminal: health, runs, logs, metrics, alerts; export it as JSON.

Without options: health, running executions, API budget, open alerts and the newest runs. Several sections may be named
at once. With --alerts the alert rules run first. Nothing has to be up but the warehouse.

--fail-on LEVEL exits with 4 when something is wrong, for scripts and checks from outside:
  critical  an alert of this severity is live, or a season failed in its newest run and lacks data
  alert     the same, or any alert is open and nobody has acknowledged it
  warning   the same, or anything else that the page names as a reason to look
With --watch it ends as soon as that is so.
"""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from local.cli.arguments import choice, identifier, integer, number, requires
from local.cli.console import complain, out, printable
from local.cli.context import Context
from local.cli.output import configure_output, print_json, wants_json
from local.errors import LocalError, UsageError
from local.stack.checks import catalog_or_error
from local.stack.warehouse import warehouse

if TYPE_CHECKING:
    import psycopg

    from local.cli.sections import Filters
    from sportmonks.config.catalog import Catalog

HELP = "show health, runs, logs, metrics and alerts"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
FAIL_ON = ("critical", "alert", "warning")
EXIT_CONDITION = 4
SECTIONS = ("coverage", "corrections", "logs", "metrics", "alerts", "routes")
# Option -> which field of the filters it sets.
OPTIONS = ("limit", "hours", "level", "component", "text", "execution_id", "season")


def configure(parser: argparse.ArgumentParser) -> None:
    which = parser.add_argument_group("sections")
    which.add_argument("--coverage", action="store_true", help="leagues and seasons: what is collected, due, failed")
    which.add_argument("--corrections", action="store_true", help="what the provider changed after the fact")
    which.add_argument("--logs", action="store_true", help="newest log lines (./etl logs follows them)")
    which.add_argument("--metrics", action="store_true", help="each metric of the last hours in one line")
    which.add_argument("--alerts", action="store_true", help="run the alert rules and show what is open")
    which.add_argument("--routes", action="store_true", help="raw routes with their newest runs")
    which.add_argument("--export", metavar="FILE", type=Path, help="write everything there as JSON")
    narrow = parser.add_argument_group("what to look at")
    narrow.add_argument("--execution-id", metavar="ID", help="one execution; alone: in detail")
    narrow.add_argument("--season", metavar="ID", help="one season; alone: in detail")
    narrow.add_argument("--limit", metavar="N", help="how many lines or runs (default 20)")
    narrow.add_argument("--level", metavar="LEVEL", help="log lines of this level and above")
    narrow.add_argument("--component", metavar="NAME", help="only this component's log lines")
    narrow.add_argument("--text", metavar="TEXT", help="only log lines with this text")
    narrow.add_argument("--hours", metavar="N", help="period of --metrics (default 24, or all of --execution-id)")
    how = parser.add_argument_group("how")
    how.add_argument("--watch", nargs="?", const="5", metavar="SECONDS", help="show it again and again (default 5)")
    how.add_argument("--fail-on", metavar="LEVEL", help="exit with 4 on: critical, alert or warning")
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    from local.cli.sections import OVERVIEW, Filters, find_season

    names = tuple(name for name in SECTIONS if getattr(args, name))
    detail = [("execution", args.execution_id), ("season", args.season)]
    if not names and not args.export:
        names = tuple(name for name, given in detail if given) or OVERVIEW
    _refuse_without_effect(args, names)
    interval = None if args.watch is None else number("--watch", args.watch, 1, 86_400)
    fail_on = None if args.fail_on is None else choice("--fail-on", args.fail_on, FAIL_ON)
    season_id = None if args.season is None else identifier("--season", args.season)
    filters = Filters(
        limit=20 if args.limit is None else integer("--limit", args.limit, 1, 5000),
        hours=None if args.hours is None else number("--hours", args.hours, 0.01, 24 * 366),
        execution_id=args.execution_id,
        level=None if args.level is None else choice("--level", args.level, LEVELS),
        component=args.component,
        text=args.text,
    )
    if args.export and not args.export.resolve().parent.is_dir():
        raise UsageError(f"--export: there is no folder {args.export.resolve().parent}", hint="create it first")
    first = True
    while True:
        try:
            with warehouse(context.stack) as conn:
                if season_id is not None:
                    filters = _with_season(filters, find_season(conn, season_id))
                if args.alerts and first:
                    _run_rules(conn, context.stack.settings.includes)
                code = _round(args, conn, names, filters, fail_on, interval)
        except LocalError as error:
            if first or interval is None:
                raise
            complain(error)  # the warehouse may be back in the next round
            code = 0
        if interval is None or code:
            return code
        first = False
        time.sleep(interval)


def _round(
    args: argparse.Namespace,
    conn: psycopg.Connection[Any],
    names: tuple[str, ...],
    filters: Filters,
    fail_on: str | None,
    interval: float | None,
) -> int:
    """Read and show everything once; the exit code."""
    from local.cli.sections import read_sections, show_sections
    from sportmonks.dashboard import queries

    limits = catalog_or_error().alerts
    if args.export:
        _export(args.export, conn, filters)
    found = read_sections(conn, names, filters, limits)
    health = found.get("health") or (queries.health(conn) if fail_on else {})
    if wants_json(args):
        document = {"as_of": datetime.now(UTC).isoformat(), **found}
        if fail_on:
            document["overall"] = health["overall"]
        print_json(document, one_line=interval is not None)
    else:
        if interval is not None:
            out.clear()
            out.print(f"[dim]{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC, every {interval:g} s; Ctrl-C ends this[/]")
        show_sections(found, filters)
    reason = condition(fail_on, health) if fail_on else ""
    if reason:
        complain(LocalError(f"--fail-on {fail_on}: {reason}"))
    return EXIT_CONDITION if reason else 0


def condition(level: str, health: dict[str, Any]) -> str:
    """What of `level` is so; empty when nothing is. `health`: the row of the page's health section."""
    reasons = [
        (health["critical_alerts"], "critical alert is live", "critical alerts are live"),
        (
            health["failed_chunks"],
            "season failed in its newest run and lacks data",
            "seasons failed in their newest run and lack data",
        ),
    ]
    if level != "critical":
        reasons.append((health["open_alerts"], "alert is open", "alerts are open"))
    found = [f"{count} {one if count == 1 else many}" for count, one, many in reasons if count]
    if level == "warning" and not found:
        found = list(health["reasons"])
    return "; ".join(found)


def _refuse_without_effect(args: argparse.Namespace, names: tuple[str, ...]) -> None:
    """UsageError for an option that no chosen section looks at."""
    from local.cli.sections import SECTIONS as known

    for name in OPTIONS:
        using = [section for section in known if name in known[section].options]
        exported = args.export and name in ("hours", "execution_id")
        if getattr(args, name) is not None and not exported and not set(using) & set(names):
            option = f"--{name.replace('_', '-')}"
            flags = [f"--{section}" for section in using if section in SECTIONS]
            requires(option, True, flags or ["other sections"], False)
    if args.export and args.watch is not None:
        raise UsageError("--export writes one file, so --watch has no effect on it", hint="leave one of them out")
    if args.export and not names and wants_json(args):
        raise UsageError("--export FILE writes JSON into the file, so -o json shows nothing", hint="leave -o json out")


def _with_season(filters: Filters, season: tuple[int, int]) -> Filters:
    from dataclasses import replace

    return replace(filters, season=season)


def _export(file: Path, conn: psycopg.Connection[Any], filters: Filters) -> None:
    from sportmonks.dashboard import export

    limits = catalog_or_error().alerts
    chosen: dict[str, Any] = {"hours": filters.hours, "execution_id": filters.execution_id}
    chosen |= {"stale_hours": limits.stale_hours, "stale_route_intervals": limits.stale_route_intervals}
    try:
        export.write_json(file, export.everything(conn, chosen))
    except OSError as error:
        raise LocalError(f"--export {file}: {error.strerror}", hint="give another file") from None
    out.print(f"written: {escape(printable(str(file)))}")


def configured_includes(catalog: Catalog, setting: str) -> list[str]:
    """The includes that leagues request, as the manifest has them: those of ``setting`` (ETL_INCLUDES), else of the
    catalog, and what leagues have of their own."""
    from sportmonks.config.settings import parse_includes

    leagues = () if catalog.leagues == "all" else catalog.leagues
    own = [entry.includes or () for entry in leagues if not isinstance(entry, int)]
    common = parse_includes(setting) if setting else catalog.includes
    return list(dict.fromkeys([*common, *(include for includes in own for include in includes)]))


def _run_rules(conn: psycopg.Connection[Any], setting: str) -> None:
    from sportmonks.alerts.rules import ETLAlertManager
    from sportmonks.api.batch import ENTITY
    from sportmonks.routes.parse import route_includes, scheduled_routes

    catalog = catalog_or_error()
    configured = [*((ENTITY, include) for include in configured_includes(catalog, setting)), *route_includes()]
    manager = ETLAlertManager(conn, catalog.alerts, configured, scheduled_routes())
    manager.check_system_alerts()
    if manager.failed_rules:
        raise LocalError(
            f"alert rules failed: {', '.join(manager.failed_rules)}", hint="run ./etl up once; it migrates"
        )
