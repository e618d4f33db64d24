"""Triggers the DAG of a raw route and follows the run: pages, records and rate, from the warehouse."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from local.cli.arguments import number
from local.cli.console import err, out, seconds
from local.cli.context import Context
from local.cli.failures import show_failure
from local.cli.follow import LINE_SECONDS, FollowedRun, Follower
from local.cli.leagues import PARSE_SECONDS, wait_for_dags
from local.cli.output import configure_output, print_json, show, show_pairs, wants_json
from local.cli.questions import configure_yes
from local.cli.route_access import how_to_connect
from local.cli.route_files import find
from local.cli.runs import start_run
from local.errors import LocalError, UsageError
from local.stack.connections import find_connection
from local.stack.stack import Stack
from local.stack.warehouse import warehouse

if TYPE_CHECKING:
    from sportmonks.routes.extract import RoutePlan
    from sportmonks.routes.spec import Route

FILE = "raw_routes.py"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", help="its DAG, table or route name")
    parser.add_argument("--from", dest="date_from", metavar="YYYY-MM-DD", help="first day of the period")
    parser.add_argument("--to", dest="date_to", metavar="YYYY-MM-DD", help="last day of the period")
    parser.add_argument("--force", action="store_true", help="start with the first page, whatever was read before")
    parser.add_argument("--dry-run", action="store_true", help="only say what a run would request")
    parser.add_argument("--timeout", metavar="SECONDS", help="stop following after that; the run goes on")
    configure_yes(parser)
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    """0: the run has succeeded; 1: it has failed, or it was not followed to its end."""
    route = find(args.name)
    conf = parameters(route, args)
    timeout = None if args.timeout is None else number("--timeout", args.timeout, 1, 7 * 86400)
    stack = context.stack
    if args.dry_run:
        for option, given in (("--timeout", args.timeout), ("--force", args.force)):
            if given:
                raise UsageError(f"{option} has no effect with --dry-run", hint="leave one of them out")
        return _estimate(route, args, stack)
    if find_connection(route.connection, stack) is None and stack.postgres.running():
        raise LocalError(f"there is no connection {route.connection}", hint=how_to_connect(route.connection))
    stack.up()
    if route.name not in stack.api.dag_ids():
        # A new file: its DAG exists once the file of all routes has been parsed again.
        stack.api.parse(FILE, timeout=PARSE_SECONDS)
    wait_for_dags(stack, route.name)
    followed = start_run(stack, route.name, route.name, conf)
    follower = RouteFollower(stack)
    try:
        row = follower.follow_route(followed, timeout=timeout)
    except KeyboardInterrupt:
        stack.say("the run goes on; make down stops everything")
        raise
    if wants_json(args):
        print_json(_document(stack, route, followed, row))
    if followed.state == "success":
        if not wants_json(args):
            for line in result_lines(row, route):
                out.print(escape(line))
        return 0
    err.print()
    show_failure(stack.api, follower, followed)
    return 1


def parameters(route: Route, args: argparse.Namespace) -> dict[str, Any]:
    """The DAG's parameters from the arguments. UsageError for a wrong one, before anything starts."""
    from sportmonks.errors import ConfigurationError
    from sportmonks.routes.period import parse_day

    if route.period is None and (args.date_from or args.date_to):
        raise UsageError(f"{route.name} has no period", hint="leave --from and --to out, or give the route a period")
    try:
        first, last = parse_day(args.date_from, "--from"), parse_day(args.date_to, "--to")
    except ConfigurationError as error:
        raise UsageError(error.message, hint=error.hint) from None
    if first and last and first > last:
        raise UsageError(f"--from {first} is after --to {last}", hint="swap them")
    days = {"date_from": first.isoformat() if first else None, "date_to": last.isoformat() if last else None}
    return {name: day for name, day in days.items() if day} | ({"force": True} if args.force else {})


def plan_of(
    route: Route, items: Sequence[Mapping[str, Any]], watermark: date | None, days: Mapping[str, str | None]
) -> RoutePlan:
    """What a run that began now would request. ``days``: the options of the first and the last day, with their values.
    UsageError for values that cannot be meant."""
    from sportmonks.errors import ConfigurationError
    from sportmonks.routes.extract import RouteRequest, make_plan
    from sportmonks.routes.period import local_today, parse_day

    try:
        first, last = (parse_day(text, option) for option, text in days.items())
        request = RouteRequest(first, last)
        return make_plan(route, request, items, watermark, local_today(datetime.now(UTC), route.period))
    except ConfigurationError as error:
        raise UsageError(error.message, hint=error.hint) from None


def _estimate(route: Route, args: argparse.Namespace, stack: Stack) -> int:
    from sportmonks.routes.extract import estimate
    from sportmonks.routes.items import read_items, read_watermark

    with warehouse(stack) as conn:
        items, watermark = read_items(conn, route), read_watermark(conn, route)
    plan = plan_of(route, items, watermark, {"--from": args.date_from, "--to": args.date_to})
    found = {name: value for name, value in estimate(route, plan).items() if value is not None and name != "dry_run"}
    show(args, found, lambda: show_pairs({name.replace("_", " "): value for name, value in found.items()}))
    return 0


def _document(stack: Stack, route: Route, run: FollowedRun, row: Mapping[str, Any]) -> dict[str, Any]:
    from sportmonks.routes.summary import end_text

    counters = row.get("counters") or {}
    return {
        **run.document(stack.airflow.url),
        "table": f"raw.{route.table}",
        "date_from": row.get("date_from"),
        "date_to": row.get("date_to"),
        "counters": counters,
        "ended_by": end_text(counters) if counters else None,
        "error_message": row.get("error_message"),
    }


class RouteFollower(Follower):
    """Reads the state from Airflow and the pages from the warehouse, once per second."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(stack.api, stack.warehouse, full_disk=stack.full_disk)

    def follow_route(self, run: FollowedRun, *, timeout: float | None = None) -> dict[str, Any]:
        """The last figures of the run, whose state is then final. LocalError after ``timeout``; the run goes on."""
        begun = time.monotonic()
        with _view() as show:
            while True:
                self._read_states([run])
                # After the state, so that the last round has the figures of a run that has just ended.
                rows = self.rows("run/route", execution_id=run.execution_id)
                row = rows[0] if rows else {}
                show(run, row)
                if run.finished:
                    break
                if timeout is not None and time.monotonic() - begun > timeout:
                    raise LocalError(
                        f"not finished after --timeout {timeout:g} s; the run goes on",
                        hint=f"look at it in Airflow: {run.page(self.api.url)}",
                    )
                time.sleep(self.interval)
        self.close()
        return row


@contextlib.contextmanager
def _view() -> Iterator[Any]:
    """A function that shows the progress: one line that is kept up to date on a terminal, lines in a pipe."""
    if out.is_terminal:
        with out.status("") as status:
            yield lambda run, row: status.update(escape(progress_text(run.state, row)))
        return
    shown: list[str] = []
    at = [0.0]

    def line(run: FollowedRun, row: Mapping[str, Any]) -> None:
        text, now = progress_text(run.state, row), time.monotonic()
        changed = not shown or shown[-1] != text
        if changed and (
            run.finished or not shown or now - at[0] >= LINE_SECONDS or shown[-1].split(",")[0] != run.state
        ):
            out.print(f"{time.strftime('%H:%M:%S')}  {escape(text)}")
            shown[:], at[0] = [text], now

    yield line


def progress_text(state: str, row: Mapping[str, Any]) -> str:
    """State, pages, records and rate in one line."""
    if not row:
        return state
    counters = row["counters"]
    pages, records = int(counters.get("pages", 0)), int(counters.get("records", 0))
    took = float(counters.get("seconds", 0))
    parts = [state, f"{pages:,} page{'' if pages == 1 else 's'}", f"{records:,} records"]
    if took:
        parts.append(f"{records / took:,.0f} records/s")
    if row["slices"] > 1:
        parts.append(f"listing {min(row['slice_index'] + 1, row['slices'])} of {row['slices']}")
    return ", ".join(parts)


def result_lines(row: Mapping[str, Any], route: Route) -> Iterator[str]:
    """What a finished run has brought."""
    from sportmonks.routes.summary import end_text

    if not row:
        yield f"no figures of the run were found; ./etl routes list shows raw.{route.table}"
        return
    counters = row["counters"]

    def count(name: str) -> int:
        return int(counters.get(name, 0))

    took = float(counters.get("seconds", 0))
    rate = f", {count('records') / took:,.0f} records/s" if took else ""
    period = f" of {row['date_from']} to {row['date_to']}" if row["date_from"] else ""
    yield f"records    {count('records'):,}{period} in {count('pages'):,} pages, {seconds(took)}{rate}"
    yield f"stored     {count('inserted'):,} new, {count('duplicates'):,} known, into raw.{route.table}"
    named = {"out of range": "out_of_range", "without a date": "undated", "rejected": "failed", "deleted": "deleted"}
    left = [f"{count(counter):,} {name}" for name, counter in named.items() if count(counter)]
    if left:
        yield f"of these   {', '.join(left)}"
    yield f"the end    {end_text(counters) or 'nothing to read'}"
    if unproven := count("unproven"):
        which = (
            "listing may be short; the next run reads its"
            if unproven == 1
            else "listings may be short; the next run reads their"
        )
        yield f"warning    {unproven} {which} days again"
