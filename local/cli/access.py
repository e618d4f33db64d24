"""The last lines of a command: where to look, how to sign in, how to stop."""

from __future__ import annotations

from rich.markup import escape

from local.cli.console import out
from local.stack.airflow import masked
from local.stack.stack import Stack


def show_access(stack: Stack) -> None:
    """URL and login of Airflow. The password is meant for this terminal: it is in no log."""
    out.print()
    out.print(f"Airflow    {stack.airflow.url}   login [bold]admin[/] / [bold]{escape(stack.airflow.password())}[/]")
    out.print(f"warehouse  {escape(masked(stack.warehouse))}   (./etl dsn prints it with its password)")
    if stack.settings.sandbox:
        out.print(f"sandbox    {stack.sandbox_url}/v3   (no SPORTMONKS_API_KEY is set)")
    out.print("stop       make down   (or ./etl down)")
