"""Show what runs and where. Exit code 0 when everything runs, 3 when something does not."""

from __future__ import annotations

import argparse
from typing import Any

from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.context import Context
from local.cli.output import configure_output, show
from local.stack.airflow import masked

HELP = "show what runs"
EXIT_NOT_RUNNING = 3


def configure(parser: argparse.ArgumentParser) -> None:
    configure_output(parser)


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    parts = stack.parts()
    known = stack.settings.warehouse or stack.postgres.data_dir
    document: dict[str, Any] = {
        "running": all(part.running for part in parts),
        "parts": [{"name": part.name, "running": part.running, "detail": part.detail} for part in parts],
        "airflow": stack.airflow.url,
        "warehouse": masked(stack.warehouse) if known else None,
        "state_folder": str(stack.settings.home),
        "sandbox": stack.settings.sandbox,
    }
    show(args, document, lambda: _table(document))
    return 0 if document["running"] else EXIT_NOT_RUNNING


def _table(document: dict[str, Any]) -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for part in document["parts"]:
        state = "[green]running[/]" if part["running"] else "[red]not running[/]"
        table.add_row(part["name"], state, escape(part["detail"]))
    out.print(table)
    if document["warehouse"]:
        out.print(f"warehouse  {escape(document['warehouse'])}")
    out.print(f"state      {escape(document['state_folder'])}")
