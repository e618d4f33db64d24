"""Compares the number of fixtures of every season in the warehouse and in the sandbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests
from rich.markup import escape

from local.cli.console import err, out
from local.cli.follow import Follower
from local.cli.output import make_table
from local.errors import LocalError
from local.stack.stack import Stack

if TYPE_CHECKING:
    from sportmonks.config.manifest import Manifest


def show_completeness(stack: Stack, manifest: Manifest) -> bool:
    """Print a line per league; True when every season of every followed league is complete."""
    expected = _seasons_of_sandbox(stack)
    follower = Follower(stack.api, stack.warehouse)
    rows = follower.rows("run/stored_fixtures", league_ids=[league.id for league in manifest.leagues])
    follower.close()
    stored = {row["season_id"]: row["stored"] for row in rows}
    figures = ("seasons", "fixtures at the API", "in PostgreSQL")
    table = make_table("league", *figures, right=figures)
    wrong = []
    totals = [0, 0, 0]
    for league in manifest.leagues:
        chunks = [chunk for chunk in expected if chunk["league_id"] == league.id]
        there = sum(chunk["fixtures"] for chunk in chunks)
        here = sum(stored.get(chunk["season_id"], 0) for chunk in chunks)
        totals = [old + new for old, new in zip(totals, (len(chunks), there, here), strict=True)]
        wrong += [
            f"{league.name} {chunk['season_name']}: {stored.get(chunk['season_id'], 0)} of {chunk['fixtures']}"
            for chunk in chunks
            if stored.get(chunk["season_id"], 0) != chunk["fixtures"]
        ]
        colour = "green" if here == there else "red"
        table.add_row(escape(league.name), str(len(chunks)), str(there), f"[{colour}]{here}[/]")
    table.add_row("[bold]together[/]", *[f"[bold]{total}[/]" for total in totals])
    out.print()
    out.print(table)
    for line in wrong[:20]:
        err.print(f"[red]not complete:[/] {escape(line)}")
    return not wrong


def _seasons_of_sandbox(stack: Stack) -> list[dict[str, Any]]:
    try:
        with requests.Session() as session:
            session.trust_env = False
            response = session.get(f"{stack.sandbox_url}/_admin/truth", timeout=60)
            response.raise_for_status()
            chunks: list[dict[str, Any]] = response.json()["chunks"]
            return chunks
    except (requests.RequestException, ValueError, KeyError) as error:
        raise LocalError(
            f"the sandbox does not report its fixtures: {type(error).__name__}", hint="run `./etl status`"
        ) from error
