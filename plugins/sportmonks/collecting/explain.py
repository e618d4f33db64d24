"""Why were fixtures not returned? The provider lists its deletions; everything else stays open and is asked again."""

from __future__ import annotations

from sportmonks.catalog import Season
from sportmonks.collecting.run import Run
from sportmonks.db import sql
from sportmonks.errors import BudgetWait, SportmonksError
from sportmonks.load.session import Session


def explain_missing(run: Run, session: Session, season: Season) -> dict[str, int]:
    """Mark fixtures that the provider lists as deleted; counts of deleted and still unexplained ones.

    One call (per page) and only when this run misses something. An error here is no reason to fail the chunk: what
    is missing stays due.
    """
    names = run.names(season)
    missing = {row[0] for row in session.execute(sql("plan/missing"), names)}
    if not missing:
        return {}
    try:
        deleted = {row["id"] for row in run.client().deleted_fixtures(season.id)} & missing
    except BudgetWait:
        raise
    except SportmonksError as error:
        run.log.warning("The list of deleted fixtures of %s could not be read: %s", season.name, error)
        return {"unexplained": len(missing)}
    if deleted:
        session.execute(sql("plan/tombstone"), {**names, "ids": sorted(deleted), "now": run.clock()})
        run.log.warning("%s: %d fixtures were deleted by the provider: %s", season.name, len(deleted), sorted(deleted))
    return {"deleted": len(deleted), "unexplained": len(missing - deleted)}
