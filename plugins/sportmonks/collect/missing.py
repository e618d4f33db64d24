"""Finds out why fixtures were not returned: the API lists deleted fixtures and the leagues of the subscription.

A fixture without an explanation stays due.
"""

from __future__ import annotations

from sportmonks.collect.context import RunContext
from sportmonks.config.manifest import Season
from sportmonks.errors import BudgetWait, SportmonksError
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import Session


def classify_missing(run: RunContext, session: Session, season: Season) -> dict[str, int]:
    """Mark missing fixtures that were deleted by the provider or whose league the subscription does not cover.

    Returns counts by explanation: ``deleted``, ``outside_plan`` (only when there are such) and ``unexplained``; empty
    when nothing is missing. Makes at most two calls, and none when nothing is missing. Raises BudgetWait when the call
    budget is used up; any other API error is logged, and the missing fixtures stay due.
    """
    params = run.sql_params(season)
    missing = {row[0] for row in session.execute(sql("plan/missing"), params)}
    if not missing:
        return {}
    try:
        deleted = {row["id"] for row in run.client().deleted_fixtures(season.id)} & missing
        rest = missing - deleted
        covered = not rest or bool(run.client().leagues([run.league.id]))
    except BudgetWait:
        raise
    except SportmonksError as error:
        run.log.warning("It could not be found out why fixtures of %s are missing: %s", season.name, error)
        return {"unexplained": len(missing)}
    if deleted:
        session.execute(sql("plan/tombstone"), {**params, "ids": sorted(deleted), "now": run.clock()})
        run.log.warning("%s: %d fixtures were deleted by the provider: %s", season.name, len(deleted), sorted(deleted))
    if covered:
        return {"deleted": len(deleted), "unexplained": len(rest)}
    reason = f"The subscription does not cover {run.league.name} ({run.league.id}) any more."
    session.execute(sql("plan/outside_plan"), {"ids": sorted(rest), "error": reason})
    run.log.warning("%s: %d fixtures were not returned. %s", season.name, len(rest), reason)
    return {"deleted": len(deleted), "outside_plan": len(rest), "unexplained": 0}
