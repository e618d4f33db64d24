"""Write a table or view of the warehouse as CSV or Parquet: ./etl export standings --season 19734 > table.csv

TABLE is a name of the schemas football, raw and etl (docs/reference/schema.md), with or without the schema. The rows go
from the server into the file as they come, so a table of any size needs the same memory. A file appears when it is
complete. --season keeps the rows of a season, by season_id or by the season of fixture_id.

Parquet needs pyarrow. Numbers without a declared scale become doubles there, JSON and lists become text.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import psycopg
from rich.markup import escape

from local.cli import parquet
from local.cli.arguments import choice, identifier
from local.cli.console import err, printable
from local.cli.context import Context
from local.cli.relations import Relation, find_relation, statement
from local.errors import LocalError, UsageError
from local.stack.queries import query
from local.stack.warehouse import warehouse

if TYPE_CHECKING:
    from sportmonks.warehouse.queries import Query

HELP = "write a table or view as CSV or Parquet"
FORMATS = ("csv", "parquet")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("table", metavar="TABLE", help="such as standings, football.fixtures, raw.fixtures")
    parser.add_argument("--season", metavar="ID", help="only the rows of this season")
    parser.add_argument("--format", metavar="FORMAT", help="csv or parquet (default: by the ending of --to, else csv)")
    parser.add_argument("--to", metavar="FILE", default="-", help="the file to write; - (default) is standard output")


def run(args: argparse.Namespace, context: Context) -> int:
    season_id = None if args.season is None else identifier("--season", args.season)
    form = choice("--format", args.format, FORMATS) if args.format else _by_ending(args.to)
    if form == "parquet":
        if args.to == "-" and sys.stdout.isatty():
            raise UsageError(
                "Parquet is no text for a terminal", hint="give --to FILE, or send the output to a program"
            )
        parquet.require()
    file = None if args.to == "-" else _target(args.to)
    with warehouse(context.stack) as conn:
        relation = find_relation(conn, args.table)
        rows = statement(conn, relation, season_id)
        values = {"season_id": season_id}
        with _opened(file) as target, conn.transaction():
            # A snapshot of its own, which no statement changes and no time-out cuts.
            conn.execute(query("export/session"))
            if form == "csv":
                written = _csv(conn, rows, values, target)
            else:
                written = _parquet(conn, relation, rows, values, target)
    place = "" if file is None else f" into {escape(printable(str(file)))}"
    err.print(f"{written:,} rows of {relation}{place}")
    return 0


def _by_ending(target: str) -> str:
    return "parquet" if target.casefold().endswith((".parquet", ".pq")) else "csv"


def _target(text: str) -> Path:
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            raise UsageError(f"--to {text}: this is a folder", hint="give a file")
        if not path.absolute().parent.is_dir():
            raise UsageError(f"--to {text}: there is no folder {path.absolute().parent}", hint="create it first")
    except OSError as error:
        raise UsageError(f"--to: {error.strerror}", hint="give a shorter name") from None
    return path


@contextmanager
def _opened(file: Path | None) -> Iterator[BinaryIO]:
    """Standard output, or a file beside the target that takes its place when all rows are in it."""
    if file is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        handle, draft = tempfile.mkstemp(prefix=f".{file.name[:50]}-", dir=file.absolute().parent)
    except OSError as error:
        raise LocalError(f"--to {file}: {error.strerror}", hint="give a file in a folder of yours") from None
    try:
        with os.fdopen(handle, "wb") as target:
            yield target
        # The rights of any new file; mkstemp's are for secrets.
        mask = os.umask(0)
        os.umask(mask)
        Path(draft).chmod(0o666 & ~mask)
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _csv(conn: psycopg.Connection[Any], rows: Query, values: dict[str, Any], target: BinaryIO) -> int:
    with conn.cursor() as cursor:
        with cursor.copy(rows, values) as copy:
            for chunk in copy:
                target.write(chunk)
        return cursor.rowcount


def _parquet(
    conn: psycopg.Connection[Any], relation: Relation, rows: Query, values: dict[str, Any], target: BinaryIO
) -> int:
    place = {"schema": relation.schema, "name": relation.name}
    columns = [tuple(row) for row in conn.execute(query("look/columns"), place).fetchall()]
    with conn.cursor() as cursor, cursor.copy(rows, values) as copy:
        return parquet.write(copy, columns, target)
