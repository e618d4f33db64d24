"""What a command shows: a table for people, or one JSON document for programs (`-o json`).

With `-o json` standard output holds the document and nothing else: progress, warnings and errors go to standard error.
Field names are those of docs/reference/command-line.md, and a test compares them with what the commands print.
"""

from __future__ import annotations

import argparse
import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.table import Table

from local.cli.console import out

FORMATS = ("table", "json")


def configure_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o",
        "--output",
        dest="output_format",
        choices=FORMATS,
        default="table",
        metavar="FORMAT",
        help="table (default) or json",
    )


def wants_json(args: argparse.Namespace) -> bool:
    return getattr(args, "output_format", "table") == "json"


def show(args: argparse.Namespace, document: object, table: Callable[[], object]) -> None:
    """Print `document` as JSON where that was requested, else call `table`, which prints for people."""
    if wants_json(args):
        print_json(document)
    else:
        table()


def print_json(document: object, *, one_line: bool = False) -> None:
    """Print a document on standard output; on one line where more of them follow."""
    print(as_json(document, one_line=one_line), flush=True)


def as_json(document: object, *, one_line: bool = False) -> str:
    return json.dumps(document, indent=None if one_line else 2, ensure_ascii=False, default=plain)


def plain(value: object) -> object:
    """JSON's own types for what json does not know: numbers, ISO 8601 times, seconds, lists, else text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    return str(value)


@contextlib.contextmanager
def only_documents(args: argparse.Namespace) -> Iterator[None]:
    """While this lasts, what is printed for people goes to standard error if standard output is for JSON."""
    if not wants_json(args):
        yield
        return
    out.stderr = True
    try:
        yield
    finally:
        out.stderr = False


def make_table(*columns: str, right: tuple[str, ...] = (), header: str = "bold") -> Table:
    """A table without lines; the columns named in `right` hold numbers."""
    found = Table(box=None, padding=(0, 2, 0, 0), header_style=header)
    for name in columns:
        found.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return found


def show_pairs(values: Mapping[str, Any]) -> None:
    """A line per name and value; empty values are left out."""
    from rich.text import Text

    found = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, value in values.items():
        if value not in (None, ""):
            found.add_row(name, Text(str(value)))
    out.print(found)
