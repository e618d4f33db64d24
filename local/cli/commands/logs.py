"""Show log lines, the newest at the end; with --follow also those that come, until Ctrl-C.

Without --process these are the lines of the runs, from the warehouse (etl.etl_logs). With --process they are those
that a process of the local stack writes: api-server, dag-processor, scheduler, triggerer, sandbox, postgres,
airflow-db-migrate, or all of them.

With -o json there is one document with all lines; with --follow one line of JSON for each.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

from rich.text import Text

from local.cli.arguments import choice, identifier, integer
from local.cli.console import complain, out, printable
from local.cli.context import Context
from local.cli.log_rows import LEVELS, LogFilter, NewRows, find_league, last_id, newest
from local.cli.output import configure_output, print_json, wants_json
from local.cli.tail import Tail, last_lines
from local.errors import LocalError, UsageError
from local.stack.airflow import COMPONENTS
from local.stack.stack import MIGRATION
from local.stack.warehouse import warehouse
from sportmonks.warehouse.source import SANDBOX

HELP = "show and follow log lines"
PROCESSES = (*COMPONENTS, SANDBOX, "postgres", MIGRATION)
# Options that only lines of the warehouse have.
OF_ROWS = ("level", "league", "season", "execution_id", "component")
POLL_SECONDS, RETRY_SECONDS = 1.0, 5.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-f", "--follow", action="store_true", help="go on with the lines that come")
    parser.add_argument("-n", "--limit", metavar="N", help="how many lines first (default 50)")
    parser.add_argument("--level", metavar="LEVEL", help="this level and above")
    parser.add_argument("--league", metavar="NAME|ID", help="only runs of this league")
    parser.add_argument("--season", metavar="ID", help="only this season")
    parser.add_argument("--execution-id", metavar="ID", help="only this execution")
    parser.add_argument("--component", metavar="NAME", help="only this component, such as COLLECT")
    parser.add_argument("--text", metavar="TEXT", help="only lines with this text")
    parser.add_argument(
        "--process", action="append", default=[], metavar="NAME", help="files of a process instead; repeat it, or all"
    )
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    limit = 50 if args.limit is None else integer("--limit", args.limit, 0 if args.follow else 1, 5000)
    if args.process:
        for name in OF_ROWS:
            if getattr(args, name) is not None:
                option = f"--{name.replace('_', '-')}"
                raise UsageError(
                    f"{option} has no effect on the files of --process, whose lines do not say so",
                    hint="use --text, or leave --process out",
                )
        return _files(args, context, limit)
    return _rows(args, context, limit)


# -- lines of the warehouse ------------------------------------------------------------------------------------


def _rows(args: argparse.Namespace, context: Context, limit: int) -> int:
    level = None if args.level is None else choice("--level", args.level, LEVELS)
    season_id = None if args.season is None else identifier("--season", args.season)
    with warehouse(context.stack) as conn:
        chosen = _filter(conn, args, level, season_id)
        after = last_id(conn)
        found = newest(conn, chosen, limit) if limit else []
    if wants_json(args) and not args.follow:
        print_json({"lines": found})
        return 0
    for row in found:
        _show_row(args, row)
    if not args.follow:
        if not found:
            out.print("No line matches.", style="dim")
        return 0
    following = NewRows(chosen, after)
    while True:
        try:
            with warehouse(context.stack) as conn:
                while True:
                    for row in following.read(conn):
                        _show_row(args, row)
                    time.sleep(POLL_SECONDS)
        except LocalError as error:
            complain(error)  # it is tried again until Ctrl-C
            time.sleep(RETRY_SECONDS)


def _filter(conn: Any, args: argparse.Namespace, level: str | None, season_id: int | None) -> LogFilter:
    from local.cli.sections import find_season

    league_id = None if args.league is None else find_league(conn, args.league)
    chunk_id = None
    if season_id is not None:
        of_season, _ = find_season(conn, season_id)
        if league_id not in (None, of_season):
            raise UsageError(f"--season {season_id} is of league {of_season}", hint="leave --league out")
        chunk_id = f"{of_season}_{season_id}"
    return LogFilter(
        level=level,
        component=args.component,
        text=args.text,
        execution_id=args.execution_id,
        league_id=league_id,
        chunk_id=chunk_id,
    )


def _show_row(args: argparse.Namespace, row: dict[str, Any]) -> None:
    from local.cli.terminal_dashboard import log_line

    if wants_json(args):
        print_json(row, one_line=True)
    else:
        out.print(log_line(row))


# -- files of the processes ------------------------------------------------------------------------------------


def _files(args: argparse.Namespace, context: Context, limit: int) -> int:
    names = list(dict.fromkeys(choice("--process", name, (*PROCESSES, "all")) for name in args.process))
    stack = context.stack
    files = {
        name: stack.postgres.log_file if name == "postgres" else stack.processes.log_file(name)
        for name in (PROCESSES if "all" in names else names)
    }
    if not args.follow and not any(file.exists() for file in files.values()):
        raise LocalError(
            f"there is no log of {', '.join(names)} in {stack.processes.logs}", hint="./etl up starts the stack"
        )
    tails = {name: Tail(file) for name, file in files.items()}
    lines = [
        {"process": name, "line": line}
        for name, file in files.items()
        for line in (_matching(file, limit, args.text) if limit else [])
    ]
    if wants_json(args) and not args.follow:
        print_json({"lines": lines})
        return 0
    several = len(files) > 1
    for line in lines:
        _show_line(args, line, several)
    while args.follow:
        for name, tail in tails.items():
            for text in tail.new_lines():
                if _has(text, args.text):
                    _show_line(args, {"process": name, "line": text}, several)
        time.sleep(POLL_SECONDS)
    return 0


def _matching(file: Path, limit: int, text: str | None) -> list[str]:
    """The last lines with this text; it is looked for in the last 100,000 lines."""
    if not text:
        return last_lines(file, limit)
    return [line for line in last_lines(file, 100_000) if _has(line, text)][-limit:]


def _has(line: str, text: str | None) -> bool:
    return not text or text.casefold() in line.casefold()


def _show_line(args: argparse.Namespace, line: dict[str, str], several: bool) -> None:
    if wants_json(args):
        print_json(line, one_line=True)
        return
    head = Text(f"{line['process']:<18} ", "dim") if several else Text()
    out.print(head.append(printable(line["line"])))
