"""Show what the dashboard page shows, in the terminal: health, runs, logs, metrics, alerts; export it as JSON.

Without options: health, running executions, API budget, open alerts and the newest runs. With --alerts the alert
rules run first. Nothing has to be up but the warehouse.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.cli.console import out
from local.cli.context import Context
from local.errors import LocalError, UsageError
from local.stack.warehouse import warehouse

if TYPE_CHECKING:
    import psycopg

    from sportmonks.config.catalog import Catalog

HELP = "show health, runs, logs, metrics and alerts"
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--execution-id", metavar="ID", help="one execution in detail; also narrows logs and metrics")
    parser.add_argument("--logs", action="store_true", help="newest log lines")
    parser.add_argument("--limit", metavar="N", default="20", help="how many lines or runs (default 20)")
    parser.add_argument("--level", metavar="LEVEL", type=str.upper, help="this level and above")
    parser.add_argument("--component", metavar="NAME", help="only this component's lines")
    parser.add_argument("--text", metavar="TEXT", help="only lines with this text")
    parser.add_argument("--metrics", action="store_true", help="each metric of the last hours in one line")
    parser.add_argument("--hours", metavar="N", help="period of --metrics (default 24, or all of --execution-id)")
    parser.add_argument("--alerts", action="store_true", help="run the alert rules and show what is open")
    parser.add_argument("--routes", action="store_true", help="raw routes with their newest runs")
    parser.add_argument("--export", metavar="FILE", type=Path, help="write everything there as JSON")


def run(args: argparse.Namespace, context: Context) -> int:
    from local.cli import terminal_dashboard as terminal
    from sportmonks.dashboard import export

    limit = int(_number("--limit", args.limit, 1, 5000))
    hours = None if args.hours is None else _number("--hours", args.hours, 0.01, 24 * 366)
    if args.level is not None and args.level not in LEVELS:
        raise UsageError(f"--level {args.level} is not a level", hint=f"choose one of {', '.join(LEVELS)}")
    if args.export and not args.export.resolve().parent.is_dir():
        raise UsageError(f"--export: there is no folder {args.export.resolve().parent}", hint="create it first")
    with warehouse(context.stack) as conn:
        if args.export:
            limits = _catalog().alerts
            chosen = {"hours": hours, "execution_id": args.execution_id, "stale_hours": limits.stale_hours}
            chosen["stale_route_intervals"] = limits.stale_route_intervals
            export.write_json(args.export, export.everything(conn, chosen))
            out.print(f"written: {args.export}", markup=False)
        if (
            args.execution_id
            and not args.logs
            and not args.metrics
            and not terminal.show_execution(out, conn, args.execution_id)
        ):
            raise LocalError(f"there is no execution {args.execution_id}", hint="./etl dashboard lists the newest")
        if args.logs:
            filters: dict[str, Any] = {"level": args.level, "component": args.component, "text": args.text}
            terminal.show_logs(out, conn, limit=limit, execution_id=args.execution_id, **filters)
        if args.metrics:
            terminal.show_metrics(out, conn, hours=hours, execution_id=args.execution_id)
        if args.alerts:
            _check(conn)
            terminal.show_alerts(out, conn)
        if args.routes:
            terminal.show_routes(out, conn, stale_route_intervals=_catalog().alerts.stale_route_intervals)
        if not (args.export or args.execution_id or args.logs or args.metrics or args.alerts or args.routes):
            _overview(conn, limit)
    return 0


def _overview(conn: psycopg.Connection[Any], limit: int) -> None:
    from local.cli import terminal_dashboard as terminal

    terminal.show_health(out, conn)
    terminal.show_running(out, conn)
    terminal.show_budgets(out, conn)
    out.print()
    terminal.show_alerts(out, conn)
    out.print()
    terminal.show_executions(out, conn, limit=limit)


def _check(conn: psycopg.Connection[Any]) -> None:
    from sportmonks.alerts.rules import ETLAlertManager
    from sportmonks.api.batch import ENTITY
    from sportmonks.config.settings import includes_override
    from sportmonks.routes.parse import route_includes, scheduled_routes

    catalog = _catalog()
    leagues = () if catalog.leagues == "all" else catalog.leagues
    own = [entry.includes or () for entry in leagues if not isinstance(entry, int)]
    names = includes_override() or [*catalog.includes, *(include for includes in own for include in includes)]
    configured = [*((ENTITY, include) for include in names), *route_includes()]
    manager = ETLAlertManager(conn, catalog.alerts, configured, scheduled_routes())
    manager.check_system_alerts()
    if manager.failed_rules:
        raise LocalError(
            f"alert rules failed: {', '.join(manager.failed_rules)}", hint="run ./etl up once; it migrates"
        )


def _catalog() -> Catalog:
    from local.stack.checks import read_catalog
    from sportmonks.errors import SportmonksError

    try:
        return read_catalog()
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None


def _number(name: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not low <= value <= high:
        raise UsageError(f"{name} {text} is not a number from {low:g} to {high:g}", hint=f"give {name} such a number")
    return value
