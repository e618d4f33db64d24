"""Why were fixtures not returned? The provider lists its deletions, and the leagues that the plan covers; everything
else stays open and is asked again."""

from __future__ import annotations

from sportmonks.collect.context import RunContext
from sportmonks.config.manifest import Season
from sportmonks.errors import BudgetWait, SportmonksError
from sportmonks.warehouse.connection import sql
from sportmonks.warehouse.session import Session


def classify_missing(run: RunContext, session: Session, season: Season) -> dict[str, int]:
    """Mark fixtures that the provider lists as deleted, and those of a league that the plan does not cover; counts of
    them and of still unexplained ones.

    A call for each question, and only when this run misses something. An error here is no reason to fail the chunk:
    what is missing stays due.
    """
    names = run.sql_params(season)
    missing = {row[0] for row in session.execute(sql("plan/missing"), names)}
    if not missing:
        return {}
    try:
        deleted = {row["id"] for row in run.client().deleted_fixtures(season.id)} & missing
        rest = missing - deleted
        covered = not rest or bool(run.client().leagues([run.league.id]))
    except BudgetWait:
        raise
    except SportmonksError as error:
        run.log.warning("Why fixtures of %s are missing could not be asked: %s", season.name, error)
        return {"unexplained": len(missing)}
    if deleted:
        session.execute(sql("plan/tombstone"), {**names, "ids": sorted(deleted), "now": run.clock()})
        run.log.warning("%s: %d fixtures were deleted by the provider: %s", season.name, len(deleted), sorted(deleted))
    if covered:
        return {"deleted": len(deleted), "unexplained": len(rest)}
    reason = f"The subscription does not cover {run.league.name} ({run.league.id}) any more."
    session.execute(sql("plan/outside_plan"), {"ids": sorted(rest), "error": reason})
    run.log.warning("%s: %d fixtures were not returned. %s", season.name, len(rest), reason)
    return {"deleted": len(deleted), "outside_plan": len(rest), "unexplained": 0}
