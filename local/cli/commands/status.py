"""Show what runs and where. Exit code 0 when everything runs, 3 when something does not."""

from __future__ import annotations

import argparse

from rich.markup import escape
from rich.table import Table

from local.cli.console import out
from local.cli.context import Context
from local.stack.airflow import masked

HELP = "show what runs"
EXIT_NOT_RUNNING = 3


def configure(parser: argparse.ArgumentParser) -> None:
    pass


def run(args: argparse.Namespace, context: Context) -> int:
    stack = context.stack
    parts = stack.parts()
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for part in parts:
        state = "[green]running[/]" if part.running else "[red]not running[/]"
        table.add_row(part.name, state, escape(part.detail))
    out.print(table)
    if stack.settings.warehouse or stack.postgres.data_dir:
        out.print(f"warehouse  {escape(masked(stack.warehouse))}")
    out.print(f"state      {escape(str(stack.settings.home))}")
    return 0 if all(part.running for part in parts) else EXIT_NOT_RUNNING
