"""Discover: read the indexes of the seasons that this run looks at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.catalog import Season
from sportmonks.chunks import seasons_to_index
from sportmonks.errors import BudgetWait, OutsidePlanError, TransientApiError
from sportmonks.operators.base import LeagueOperator, airflow_errors, execution_of

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context


class DiscoverOperator(LeagueOperator):
    """Season indexes into the warehouse, one call per 1000 fixtures.

    A season whose index cannot be read now is handed to its own group, which tries again: one season in trouble
    must not keep the others waiting. When every season fails, the API is down and the task fails.
    """

    def execute(self, context: Context) -> dict[str, Any]:
        """Figures by season, and ``failed``: seasons whose group has to read the index itself."""
        with airflow_errors():
            return self._discover(context)

    def _discover(self, context: Context) -> dict[str, Any]:
        params = self._params(context)
        done: dict[int, dict[str, int]] = {}
        failed: dict[int, str] = {}
        started = context["dag_run"].start_date or datetime.now(UTC)
        hook = self._hook()
        with self._connector()() as conn:
            indexed = self._indexed_at(conn)
            asked = params.narrowing.seasons
            for season in seasons_to_index(
                self._league.seasons, indexed, self._dials.sweep, datetime.now(UTC), asked=asked
            ):
                # Read already in this run, before a wait for the budget or a retry.
                if season.id in indexed and indexed[season.id] >= started:
                    continue
                try:
                    done[season.id] = self._index(conn, hook, season)
                except BudgetWait as wait:
                    self._wait_for_budget(wait)
                except OutsidePlanError as error:
                    self.log.warning("Season %s is outside the plan and left out: %s", season.name, error)
                except TransientApiError as error:
                    self.log.warning("Index of season %s failed, its group will read it: %s", season.name, error)
                    failed[season.id] = str(error)
        if len(failed) > 1 and not done:
            raise TransientApiError(f"No index of {len(failed)} seasons could be read: {next(iter(failed.values()))}")
        self.log.info("%d indexes read, %d failed (%s)", len(done), len(failed), execution_of(context))
        return {"seasons": {str(key): value for key, value in done.items()}, "failed": sorted(failed)}

    def _indexed_at(self, conn: psycopg.Connection[Any]) -> dict[int, datetime]:
        rows = conn.execute(
            "SELECT season_id, indexed_at FROM etl.chunks WHERE league_id = %s AND indexed_at IS NOT NULL",
            (self._league.id,),
        ).fetchall()
        return dict(rows)

    def _index(self, conn: psycopg.Connection[Any], hook: Any, season: Season) -> dict[str, int]:
        return read_index(conn, hook, (self._league.id, self._league.name), season)


def read_index(
    conn: psycopg.Connection[Any], hook: Any, league: tuple[int, str], season: Season, *, urgent: bool = True
) -> dict[str, int]:
    """Read and store one season's index; fixtures by what it said of them."""
    from dataclasses import asdict

    from sportmonks.load.index import store_index

    result = store_index(
        conn,
        league=league,
        season=(season.id, season.name),
        pages=hook.client.season_index(season.id, urgent=urgent),
        now=datetime.now(UTC),
    )
    return asdict(result)
