"""The last lines of a command: where to look, how to sign in, how to stop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from local.cli.console import out
from local.errors import LocalError
from local.stack.airflow import masked
from local.stack.queries import query
from local.stack.stack import Stack
from local.stack.warehouse import warehouse
from sportmonks.config.settings import PAGE

if TYPE_CHECKING:
    from sportmonks.config.manifest import League


def page_url(stack: Stack) -> str:
    """The address of the ETL dashboard."""
    return f"{stack.airflow.url}/{PAGE}/"


def access_document(stack: Stack) -> dict[str, str | None]:
    """Where things are, without a password."""
    return {
        "airflow": stack.airflow.url,
        "page": page_url(stack),
        "user": stack.api.user,
        "warehouse": masked(stack.warehouse),
        "sandbox": f"{stack.sandbox_url}/v3" if stack.settings.sandbox else None,
    }


def show_end(stack: Stack, leagues: Sequence[League]) -> None:
    """Where things are, and where to go from here."""
    show_access(stack)
    show_next(stack, leagues)


def show_next(stack: Stack, leagues: Sequence[League]) -> None:
    """A query that returns rows now, and the next command."""
    text = _sample_query(stack)
    if text:
        out.print(f'query      ./etl psql --read-only -- -c "{text}"', markup=False)
    name = leagues[0].name if leagues else ""
    command = f'./etl run --league "{name}" --dry-run' if name else "./etl dashboard"
    out.print(f"next       {command}   (what is due now, and what it costs)", markup=False)


def _sample_query(stack: Stack) -> str:
    """A query that returns rows; empty when nothing is collected yet, or the warehouse cannot say."""
    rows = query("look/sample_rows")
    try:
        with warehouse(stack) as conn:
            season = conn.execute(query("look/sample_season")).fetchone()
            if season is None or not conn.execute(rows, {"season_id": season[0]}).fetchall():
                return ""
    except LocalError:
        return ""
    # On one line, so without the comments.
    lines = [line for line in rows.splitlines() if not line.startswith("--")]
    statement = " ".join(" ".join(lines).split()).rstrip(";")
    return statement.replace("%(season_id)s", str(season[0]))


def show_access(stack: Stack) -> None:
    """URL and login of Airflow. The password is meant for this terminal: it is in no log."""
    out.print()
    out.print(f"Airflow    {stack.airflow.url}   login [bold]admin[/] / [bold]{escape(stack.airflow.password())}[/]")
    out.print(f"page       {page_url(stack)}   (./etl open)")
    out.print(f"warehouse  {escape(masked(stack.warehouse))}   (./etl dsn prints it with its password)")
    if stack.settings.sandbox:
        out.print(f"sandbox    {stack.sandbox_url}/v3   (no SPORTMONKS_API_KEY is set)")
    out.print("stop       make down   (or ./etl down)")
