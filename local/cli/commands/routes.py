"""Raw routes: the YAML files of include/routes.

check   read every file (or those named) and say what is wrong, with line and hint; exit code 1 when something is
list    routes, their tables and their last runs; without a database, what the files alone say
create  make the raw tables of all routes now, empty and with their indexes
show    one route in full: settings, requests of a run, table, last run
new     look at an address and write the file of a route for it
try     make one request of a route and show what comes; needs no database
run     trigger a route's DAG and follow the run to its end
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from local.cli import route_new, route_run, route_try
from local.cli.console import complain, err, out
from local.cli.context import Context
from local.cli.route_files import find, load, read
from local.errors import LocalError, UsageError
from local.stack.warehouse import warehouse

if TYPE_CHECKING:
    from sportmonks.routes.spec import Route

HELP = "make, check, try, run and show raw routes"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="read the files and say what is wrong")
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: all of include/routes")
    actions.add_parser("list", help="routes, tables, last runs")
    actions.add_parser("create", help="make the raw tables now")
    show = actions.add_parser("show", help="one route in full")
    show.add_argument("name", help="its DAG, table or route name")
    show.add_argument("--date-from", metavar="YYYY-MM-DD")
    show.add_argument("--date-to", metavar="YYYY-MM-DD")
    route_new.configure(actions.add_parser("new", help="write the file of a route for an address"))
    route_try.configure(actions.add_parser("try", help="make one request and show what comes"))
    route_run.configure(actions.add_parser("run", help="trigger a route's DAG and follow it"))


def run(args: argparse.Namespace, context: Context) -> int:
    if args.action == "check":
        return _check(args.files)
    if args.action == "list":
        return _list(context)
    if args.action == "create":
        return _create(context)
    if args.action == "show":
        return _show(args, context)
    parts = {"new": route_new.run, "try": route_try.run, "run": route_run.run}
    return parts[args.action](args, context)


def _check(files: list[Path]) -> int:
    from sportmonks.errors import SportmonksError
    from sportmonks.routes.parse import Problem

    routes: list[Route] = []
    problems: list[Problem] = []
    if not files:
        routes, problems = load()
    for file in files:
        try:
            routes.append(read(file))
        except SportmonksError as error:
            problems.append(Problem(str(file), str(error)))
    for route in routes:
        out.print(f"[green]good[/]   {escape(route.file)}: DAG {route.name}, table raw.{route.table}")
    for problem in problems:
        for line in problem.message.splitlines():
            err.print(f"[bold red]wrong[/]  {escape(line)}")
    return 1 if problems else 0


def _list(context: Context) -> int:
    from sportmonks.warehouse.queries import sql

    routes, problems = load()
    rows: dict[str, Any] = {}
    reachable = True
    try:
        with warehouse(context.stack) as conn:
            rows = {row[2]: row for row in conn.execute(sql("routes/status")).fetchall()}
    except LocalError as error:
        complain(error)
        reachable = False
    lines = [["DAG", "rows", "schedule (UTC)", "last run (UTC)", "records", "collected to", "ends"]]
    for route in routes:
        matches = rows.get(f"raw.{route.table}")
        cells = [route.name, "no table yet" if reachable else "?", route.schedule or "by hand"]
        if matches:
            _, _, _, count, _, status, ended, processed, collected_to, _, ended_by, unproven = matches
            cells[1] = f"~{count:,}"
            when = f"{ended:%Y-%m-%d %H:%M}" if ended else ""
            done = "" if processed is None else f"{processed:,}"
            ends = ", ".join(filter(None, (ended_by, f"{unproven} may be short" if unproven else "")))
            cells += [f"{status or 'never'} {when}".strip(), done, collected_to or "", ends]
        lines.append(cells + [""] * (len(lines[0]) - len(cells)))
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    for line in lines:
        out.print(escape("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()))
    for problem in problems:
        err.print(f"[bold red]wrong[/]  {escape(problem.message)}")
    return 1 if problems else 0


def _create(context: Context) -> int:
    from sportmonks.routes.store import ensure_tables
    from sportmonks.warehouse.migrations import migrate

    routes, problems = load()
    with warehouse(context.stack) as conn:
        migrate(conn)
        tables, refused = ensure_tables(conn, routes)
    for name in tables:
        out.print(f"[green]there[/]  {escape(name)}")
    for line in [*refused, *(problem.message for problem in problems)]:
        err.print(f"[bold red]wrong[/]  {escape(line)}")
    return 1 if refused or problems else 0


def _show(args: argparse.Namespace, context: Context) -> int:
    from sportmonks.errors import SportmonksError
    from sportmonks.routes.extract import RouteRequest, estimate, make_plan
    from sportmonks.routes.period import parse_day
    from sportmonks.routes.store import read_items, read_watermark

    route = find(args.name)
    items: list[dict[str, Any]] = [{}] if route.for_each is None else []
    watermark = None
    try:
        with warehouse(context.stack) as conn:
            items, watermark = read_items(conn, route), read_watermark(conn, route)
    except LocalError as error:
        complain(error)
    try:
        request = RouteRequest(parse_day(args.date_from, "--date-from"), parse_day(args.date_to, "--date-to"))
        plan = make_plan(route, request, items, watermark, datetime.now(UTC).date())
    except SportmonksError as error:
        raise UsageError(error.message, hint=error.hint) from None
    properties = {
        "DAG": route.name,
        "file": f"include/routes/{route.file}",
        "connection": f"{route.connection} ({route.api})",
        "path": route.path,
        "paging": route.paging.style,
        "key": ", ".join(route.key_paths or []) or "none: every distinct content is a row",
        "date field": ".".join(route.date_field or ()) or "none: the day of the run",
        "for each": f"{route.for_each}: {len(items)} items" if route.for_each else "",
        "schedule": route.schedule or "by hand",
        "settings": f"retry_max={route.retry_max}, batch_export={route.batch_export}, queue_pages={route.queue_pages}",
        **{name.replace("_", " "): value for name, value in estimate(route, plan).items() if name != "dry_run"},
    }
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in properties.items():
        if value not in (None, ""):
            table.add_row(name, escape(str(value)))
    out.print(table)
    return 0
