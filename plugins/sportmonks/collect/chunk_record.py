"""The record of a chunk in its run: that work on it starts, what its quality checks found, that it stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg

from sportmonks.errors import QualityCheckError
from sportmonks.warehouse.queries import sql

if TYPE_CHECKING:
    from sportmonks.collect.context import RunContext
    from sportmonks.config.manifest import Season


def open_chunk(run: RunContext, season: Season) -> None:
    """Record that work on the season starts, or starts again after a clear. A retry, or a wait that is over, changes
    nothing: the chunk is running already."""
    with run.session() as session:
        session.execute(sql("plan/open_chunk"), run.sql_params(season))


def check_chunk(run: RunContext, season: Season) -> None:
    """Run the quality checks of the season, store their results and close the chunk with them.

    Raises QualityCheckError, which names the failed ones, when a required one failed.
    """
    with run.session() as session:
        for name in ("plan/run_checks", "plan/close_chunk"):
            session.execute(sql(name), run.sql_params(season))
        try:
            session.execute(sql("plan/require_checks"), run.sql_params(season))
        except psycopg.errors.RaiseException as error:
            raise QualityCheckError(f"{error.diag.message_primary}.", hint=error.diag.message_hint or "") from None


def season_news(run: RunContext, season: Season) -> tuple[int, int]:
    """Fixtures that were stored or deleted since the season's collection was last complete, and how many of them had
    been collected before. Call it before ``check_chunk``, which makes it complete."""
    with run.session() as session:
        (row,) = session.execute(sql("plan/season_news"), run.sql_params(season))
        return int(row[0]), int(row[1])


def stop_chunk(run: RunContext, season: Season) -> None:
    """Record that a try of the season has failed, in a run that had ended before: no other task will close the chunk.
    A failure here is logged only, because the error that stopped the season is worth more than the record."""
    try:
        with run.connect() as conn:
            conn.execute(sql("plan/stop_chunk"), run.sql_params(season))
    except Exception as error:
        run.log.warning("The stop of season %s could not be recorded: %s", season.name, type(error).__name__)
