"""Discover: reads the indexes of the seasons that a run covers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sportmonks.collect.context import RunContext
from sportmonks.config.manifest import Season
from sportmonks.errors import OutsidePlanError, TransientApiError
from sportmonks.load.index import store_index
from sportmonks.planning.chunks import seasons_to_index
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import Session

if TYPE_CHECKING:
    import psycopg


@dataclass(frozen=True, slots=True)
class Discovered:
    """Counts of indexed fixtures by season id. ``failed``: by season id, why its index could not be read; the tasks of
    that season read it themselves."""

    seasons: dict[int, dict[str, int]] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)


def discover(run: RunContext) -> Discovered:
    """Read season indexes into the warehouse, one call per 1000 fixtures.

    A season whose index fails does not stop the others. Raises TransientApiError when several seasons fail and none
    succeeds, because then the API is down, UnknownIncludeError for an include of the run that does not exist, and
    BudgetWait when the call budget is used up; called again, it continues with the seasons that are left.
    """
    found = Discovered()
    run.counted_client().check_includes(run.params.includes)
    with Session(run.connect) as session:
        session.run(lambda conn: _read_indexes(run, conn, found))
    if len(found.failed) > 1 and not found.seasons:
        reason = next(iter(found.failed.values()))
        raise TransientApiError(f"No index of {len(found.failed)} seasons could be read: {reason}")
    run.log.info("%d indexes read, %d failed", len(found.seasons), len(found.failed))
    return found


def _read_indexes(run: RunContext, conn: psycopg.Connection[Any], found: Discovered) -> None:
    """Adds to ``found``; repeated after an error of the warehouse, it continues with the seasons that are left."""
    client = run.client()
    started_at = _started_at(conn, run)
    # A time in the future comes from a clock that has been set back since, so it says nothing.
    indexed = {key: at for key, at in _indexed_at(conn, run.league.id).items() if at <= run.clock()}
    for season in seasons_to_index(
        run.league.seasons, indexed, run.settings.sweep, run.clock(), requested=run.params.run_filter.seasons
    ):
        if season.id in found.failed or (season.id in indexed and started_at and indexed[season.id] >= started_at):
            continue
        try:
            found.seasons[season.id] = read_index(run, conn, client, season)
        except OutsidePlanError as error:
            run.log.warning("Season %s is outside the subscription and left out: %s", season.name, error)
        except TransientApiError as error:
            run.log.warning("The index of season %s failed, its own tasks will read it: %s", season.name, error)
            found.failed[season.id] = str(error)


def read_index(run: RunContext, conn: psycopg.Connection[Any], client: Any, season: Season) -> dict[str, int]:
    """Read and store the index of one season; counts of its fixtures by what the index changed."""
    result = store_index(
        conn,
        league=(run.league.id, run.league.name),
        season=(season.id, season.name),
        pages=client.season_index(season.id, urgent=True),
        now=run.clock(),
        believed_after=run.settings.guard.rereads,
    )
    if result.suspected:
        run.log.warning(
            "The index of %s lacks %d known fixtures; they count as gone only if this persists",
            season.name,
            result.suspected,
        )
    return asdict(result)


def _started_at(conn: psycopg.Connection[Any], run: RunContext) -> datetime | None:
    """When this execution started: an index read since then is not read again after a wait or a retry."""
    row = conn.execute(sql("plan/began"), run.sql_params()).fetchone()
    return row[0] if row else None


def _indexed_at(conn: psycopg.Connection[Any], league_id: int) -> dict[int, datetime]:
    return dict(conn.execute(sql("plan/indexed_seasons"), {"league_id": league_id}).fetchall())
