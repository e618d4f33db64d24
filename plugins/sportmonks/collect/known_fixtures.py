"""What is known of a league's fixtures, for the ladder."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from sportmonks.api.includes import ForbiddenIncludes
from sportmonks.collect.context import RunContext
from sportmonks.collect.plan_store import read_facts
from sportmonks.planning.recheck import FixtureState
from sportmonks.warehouse.connection import sql

if TYPE_CHECKING:
    import psycopg


def known_facts(
    run: RunContext, conn: psycopg.Connection[Any], seasons: Sequence[int] = ()
) -> Iterator[tuple[int, int, FixtureState]]:
    """(season_id, fixture_id, facts); fixtures read without an include that is asked for now are noted as such."""
    refused = conn.execute(sql("queries/budget_forbidden_known"), {"connection": run.connection_name}).fetchall()
    wanted = ForbiddenIncludes(refused).allowed("Fixture", run.params.includes)
    return read_facts(conn, run.league.id, seasons, wanted)
