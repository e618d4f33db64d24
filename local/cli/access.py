"""The last lines of a command: where to look, how to sign in, how to stop."""

from __future__ import annotations

from rich.markup import escape

from local.cli.console import out
from local.stack.airflow import masked
from local.stack.stack import Stack

PAGE = "sportmonks-etl/"


def page_url(stack: Stack) -> str:
    """The address of the ETL dashboard."""
    return f"{stack.airflow.url}/{PAGE}"


def access_document(stack: Stack) -> dict[str, str | None]:
    """Where things are, without a password."""
    return {
        "airflow": stack.airflow.url,
        "page": page_url(stack),
        "user": stack.api.user,
        "warehouse": masked(stack.warehouse),
        "sandbox": f"{stack.sandbox_url}/v3" if stack.settings.sandbox else None,
    }


def show_access(stack: Stack) -> None:
    """URL and login of Airflow. The password is meant for this terminal: it is in no log."""
    out.print()
    out.print(f"Airflow    {stack.airflow.url}   login [bold]admin[/] / [bold]{escape(stack.airflow.password())}[/]")
    out.print(f"page       {page_url(stack)}   (./etl open)")
    out.print(f"warehouse  {escape(masked(stack.warehouse))}   (./etl dsn prints it with its password)")
    if stack.settings.sandbox:
        out.print(f"sandbox    {stack.sandbox_url}/v3   (no SPORTMONKS_API_KEY is set)")
    out.print("stop       make down   (or ./etl down)")
