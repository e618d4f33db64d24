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
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from local.cli import route_new, route_run, route_try
from local.cli.console import complain, err, out
from local.cli.context import Context
from local.cli.output import configure_output, make_table, show_pairs
from local.cli.output import show as show_document
from local.cli.route_files import find, load, read
from local.cli.route_run import plan_of
from local.cli.terminal_dashboard import show_doubts
from local.errors import LocalError
from local.stack.warehouse import warehouse

if TYPE_CHECKING:
    from sportmonks.routes.parse import Problem
    from sportmonks.routes.spec import Route

HELP = "make, check, try, run and show raw routes"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="read the files and say what is wrong")
    check.add_argument("files", nargs="*", type=Path, metavar="FILE", help="default: all of include/routes")
    listed = actions.add_parser("list", help="routes, tables, last runs")
    create = actions.add_parser("create", help="make the raw tables now")
    show = actions.add_parser("show", help="one route in full")
    show.add_argument("name", help="its DAG, table or route name")
    show.add_argument("--date-from", metavar="YYYY-MM-DD")
    show.add_argument("--date-to", metavar="YYYY-MM-DD")
    for parser in (check, listed, create, show):
        configure_output(parser)
    route_new.configure(actions.add_parser("new", help="write the file of a route for an address"))
    route_try.configure(actions.add_parser("try", help="make one request and show what comes"))
    route_run.configure(actions.add_parser("run", help="trigger a route's DAG and follow it"))


def run(args: argparse.Namespace, context: Context) -> int:
    if args.action == "check":
        return _check(args)
    if args.action == "list":
        return _list(args, context)
    if args.action == "create":
        return _create(args, context)
    if args.action == "show":
        return _show(args, context)
    parts = {"new": route_new.run, "try": route_try.run, "run": route_run.run}
    return parts[args.action](args, context)


def _check(args: argparse.Namespace) -> int:
    from sportmonks.errors import SportmonksError
    from sportmonks.routes.parse import Problem

    routes: list[Route] = []
    problems: list[Problem] = []
    if not args.files:
        routes, problems = load()
    for file in args.files:
        try:
            routes.append(read(file))
        except SportmonksError as error:
            problems.append(Problem(str(file), str(error)))
    document = {
        "routes": [{"file": one.file, "dag_id": one.name, "table": f"raw.{one.table}"} for one in routes],
        "problems": _problem_documents(problems),
    }
    show_document(args, document, lambda: _show_good(routes))
    _show_problems([problem.message for problem in problems])
    return 1 if problems else 0


def _show_good(routes: list[Route]) -> None:
    for route in routes:
        out.print(f"[green]good[/]   {escape(route.file)}: DAG {route.name}, table raw.{route.table}")


def _problem_documents(problems: list[Problem]) -> list[dict[str, str]]:
    return [{"file": problem.file, "message": problem.message} for problem in problems]


def _show_problems(messages: list[str]) -> None:
    for message in messages:
        for line in message.splitlines():
            err.print(f"[bold red]wrong[/]  {escape(line)}")


def _list(args: argparse.Namespace, context: Context) -> int:
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
    documents = [_listed(route, rows.get(f"raw.{route.table}"), reachable) for route in routes]
    document = {"routes": documents, "problems": _problem_documents(problems)}
    show_document(args, document, lambda: _show_list(documents))
    _show_problems([problem.message for problem in problems])
    return 1 if problems else 0


def _listed(route: Route, row: Any, reachable: bool) -> dict[str, Any]:
    """A route with its newest run. `has_table`: null when the warehouse cannot be reached."""
    names = ("rows", "status", "ended_at", "records", "collected_to", "ended_by", "unproven", "doubts")
    if row:
        _, _, _, count, _, status, ended, processed, collected_to, _, *ends = row
        values: tuple[Any, ...] = (count, status or "never", ended, processed, collected_to, *ends)
    else:
        values = (None,) * len(names)
    return {
        "dag_id": route.name,
        "table": f"raw.{route.table}",
        "schedule": route.schedule,
        "has_table": bool(row) if reachable else None,
        **dict(zip(names, values, strict=True)),
    }


def _show_list(documents: list[dict[str, Any]]) -> None:
    columns = ("DAG", "rows", "schedule (UTC)", "last run (UTC)", "records", "collected to", "ends")
    table = make_table(*columns, right=("rows", "records"))
    for row in documents:
        count = "?" if row["has_table"] is None else f"~{row['rows']:,}" if row["has_table"] else "no table yet"
        when = f"{row['ended_at']:%Y-%m-%d %H:%M}" if row["ended_at"] else ""
        done = "" if row["records"] is None else f"{row['records']:,}"
        ends = ", ".join(filter(None, (row["ended_by"], f"{row['unproven']} may be short" if row["unproven"] else "")))
        cells = (f"{row['status'] or ''} {when}".strip(), done, row["collected_to"] or "", ends)
        table.add_row(*map(escape, (row["dag_id"], count, row["schedule"] or "by hand", *cells)))
    out.print(table)
    for row in documents:
        show_doubts(out, row["dag_id"], row["doubts"], row["unproven"])


def _create(args: argparse.Namespace, context: Context) -> int:
    from sportmonks.routes.store import ensure_tables
    from sportmonks.warehouse.migrations import migrate

    routes, problems = load()
    with warehouse(context.stack) as conn:
        migrate(conn)
        tables, refused = ensure_tables(conn, routes)
    document = {"tables": list(tables), "refused": list(refused), "problems": _problem_documents(problems)}
    show_document(args, document, lambda: _show_tables(tables))
    _show_problems([*refused, *(problem.message for problem in problems)])
    return 1 if refused or problems else 0


def _show_tables(tables: list[str]) -> None:
    for name in tables:
        out.print(f"[green]there[/]  {escape(name)}")


def _show(args: argparse.Namespace, context: Context) -> int:
    from sportmonks.routes.extract import estimate
    from sportmonks.routes.items import read_items, read_watermark

    route = find(args.name)
    items: list[dict[str, Any]] = [{}] if route.for_each is None else []
    watermark = None
    try:
        with warehouse(context.stack) as conn:
            items, watermark = read_items(conn, route), read_watermark(conn, route)
    except LocalError as error:
        complain(error)
    plan = plan_of(route, items, watermark, {"--date-from": args.date_from, "--date-to": args.date_to})
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
    document = {name.replace(" ", "_").lower(): value or None for name, value in properties.items()}
    show_document(args, document, lambda: show_pairs(properties))
    return 0
