"""The lists that a league's fixtures refer to, for a warehouse in which the catalog has not been read yet.

A warehouse that was emptied or replaced has no states, types, leagues and seasons until ``sportmonks_catalog`` runs
again. The league's run reads them itself then, so that it is never complete beside empty tables.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.config.catalog import SweepSettings
from sportmonks.errors import DataError
from sportmonks.incremental.collector import IncrementalCollector
from sportmonks.reference.lists import Connect, collect_list, store_counted
from sportmonks.reference.season_lists import SeasonLists
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    from sportmonks.api.client import SportmonksClient


def read_missing_lists(
    connect: Connect,
    client: SportmonksClient,
    league_id: int,
    *,
    sweep: SweepSettings,
    execution_id: str,
    log: Any = None,
) -> list[str]:
    """Read the lists that the warehouse lacks for this league; their names, empty when nothing was missing.

    Costs one query when nothing is missing. Raises the client's errors, and DataError when the API lists neither the
    league nor a season of it. What was read before an error stays, so a repeated call goes on with the rest.
    """
    with connect() as conn:
        missing = [name for (name,) in conn.execute(sql("reference/missing"), {"league_id": league_id})]
    if not missing:
        return []
    log = log or logging.getLogger(__name__)
    log.warning("The warehouse lacks %s: the catalog has not been read into it. Reading them.", ", ".join(missing))
    for name, read in (("states", client.states), ("types", client.types)):
        if name in missing:
            collect_list(connect, name, read, collector=f"reference:{name}", execution_id=execution_id)
    if "leagues" in missing or "seasons" in missing:
        _read_league(connect, client, league_id, execution_id)
    if {*missing} - {"states", "types"}:
        SeasonLists(connect, client, [league_id], sweep, execution_id, log=log).read()
    return missing


def _read_league(connect: Connect, client: SportmonksClient, league_id: int, execution_id: str) -> None:
    leagues = client.leagues([league_id])
    seasons = [season for league in leagues for season in league.get("seasons") or client.seasons(league_id)]
    if not seasons:
        raise DataError(
            f"The API lists no season of league {league_id}, and the warehouse knows none.",
            hint="Run the DAG sportmonks_catalog: it names what the subscription covers.",
        )
    rows = {"leagues": leagues, "seasons": [{**season, "league_id": league_id} for season in seasons]}
    for name, listed in rows.items():
        with IncrementalCollector(name, connect, execution_id) as run, connect() as conn, conn.transaction():
            store_counted(run, conn, name, listed, datetime.now(UTC))
            run.finish(conn)
