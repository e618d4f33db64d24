"""Open the ETL dashboard in the browser, at a league, a season or a run; where there is no browser, print its address.

--airflow opens Airflow itself: the grid of the league's DAG, or the list of DAGs.
"""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser
from urllib.parse import quote

from local.cli.access import page_url
from local.cli.arguments import identifier
from local.cli.console import out
from local.cli.context import Context
from local.cli.output import configure_output, print_json, wants_json
from local.errors import LocalError, UsageError
from local.stack.airflow_api import run_page
from local.stack.stack import Stack
from local.stack.warehouse import warehouse

HELP = "open the dashboard page"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--league", metavar="NAME|ID", help="coverage of the page, or the DAG with --airflow")
    parser.add_argument("--season", metavar="ID", help="the season's page")
    parser.add_argument("--run", dest="execution_id", metavar="ID", help="the page of an execution, or of the newest")
    parser.add_argument("--airflow", action="store_true", help="Airflow's own pages instead")
    parser.add_argument("--print", dest="print_only", action="store_true", help="only print the address")
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    places = [
        name
        for name, given in (("--league", args.league), ("--season", args.season), ("--run", args.execution_id))
        if given
    ]
    if len(places) > 1:
        raise UsageError(f"{' and '.join(places)} name different pages", hint="give one of them")
    if args.airflow and args.season:
        raise UsageError("--season has no page in Airflow", hint="leave --airflow out, or give --league")
    season_id = None if args.season is None else identifier("--season", args.season)
    stack = context.stack
    address = _address(args, stack, season_id)
    if wants_json(args):
        print_json({"url": address})
        return 0
    out.print(address, markup=False)
    if not stack.processes.running("api-server"):
        raise LocalError("Airflow does not run, so nothing answers there", hint="run ./etl up")
    if not args.print_only and _has_browser():
        webbrowser.open(address)
    return 0


def _address(args: argparse.Namespace, stack: Stack, season_id: int | None) -> str:
    page, airflow = page_url(stack), stack.airflow.url
    if not (args.league or season_id or args.execution_id):
        return f"{airflow}/" if args.airflow else page
    with warehouse(stack) as conn:
        from local.cli.log_rows import find_league
        from local.cli.sections import find_season
        from sportmonks.dashboard import queries, runs

        if args.league:
            league_id = find_league(conn, args.league)
            rows = [row for row in queries.coverage(conn) if row["league_id"] == league_id]
            if args.airflow:
                return f"{airflow}/dags/{quote(_dag_of(conn, league_id), safe='')}"
            # The page shows a league by its seasons: the newest one, from which the others are a click away.
            return f"{page}#/season/{league_id}/{rows[0]['season_id']}" if rows else f"{page}#/coverage"
        if season_id:
            league_id, _ = find_season(conn, season_id)
            return f"{page}#/season/{league_id}/{season_id}"
        if args.execution_id in ("newest", "last"):
            found = next(iter(runs.runs(conn, limit=1)["rows"]), None)
        else:
            found = runs.run(conn, args.execution_id)
        if found is None:
            raise LocalError(f"there is no execution {args.execution_id}", hint="./etl dashboard lists the newest")
        if not args.airflow:
            return f"{page}#/run/{quote(found['execution_id'], safe='')}"
        if not found["run_id"]:
            raise LocalError(f"{found['execution_id']} is no run of Airflow", hint="leave --airflow out")
        return run_page(airflow, found["dag_id"], found["run_id"])


def _dag_of(conn: object, league_id: int) -> str:
    from local.stack.queries import query

    row = conn.execute(query("look/league_dag"), {"league_id": league_id}).fetchone()  # type: ignore[attr-defined]
    if row is None:
        raise LocalError(f"league {league_id} has had no run yet", hint=f"./etl run --league {league_id} starts one")
    return str(row[0])


def _has_browser() -> bool:
    """Whether a browser can show something to whoever typed this: not over ssh, nor in a pipe."""
    screen = sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return screen and sys.stdout.isatty() and not os.environ.get("SSH_CONNECTION")
