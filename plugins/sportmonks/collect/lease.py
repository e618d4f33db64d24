"""The lease of a chunk: only one task collects a chunk at a time, and a task that has lost it can no longer write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sportmonks.collect.context import RunContext
from sportmonks.config.manifest import Season
from sportmonks.errors import BudgetWait, LostLeaseError, SportmonksError
from sportmonks.redaction import mask_text
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.session import Session
from sportmonks.warehouse.sqlstate import is_away

if TYPE_CHECKING:
    import psycopg


class Lease:
    """A chunk that this task holds.

    ``fence`` grows with every task that takes the chunk. Each transaction that writes for the chunk compares it, so a
    former owner cannot commit. ``heartbeat_seconds``: how often ``heartbeat`` should be called at least; several calls
    may fail before another task can take the chunk.
    """

    def __init__(self, run: RunContext, session: Session, season: Season, fence: int) -> None:
        self.fence = fence
        self.heartbeat_seconds = run.lease_timeout / 6
        self._session = session
        self._params = {**run.sql_params(season), "fence": fence}
        self._log = run.log

    def heartbeat(self) -> None:
        """Record that this task is alive, on the chunk and on its execution."""
        self._session.execute(sql("plan/heartbeat"), self._params)

    def release(self, *, waiting: bool = False) -> None:
        """Make the chunk free for the next task, unless another one has taken it already. ``waiting``: this attempt
        goes on after a wait, so the next one to take the chunk does not count as an attempt of its own."""
        self._session.execute(sql("plan/release_lease"), {**self._params, "waiting": waiting})

    def release_after(self, error: BaseException) -> None:
        """Store the reason of a failure with the chunk and release it. Never raises: ``error`` is the one to report."""
        reason = mask_text(str(error) if isinstance(error, SportmonksError) else f"{type(error).__name__}: {error}")
        try:
            self._session.execute(sql("plan/collected"), {**self._params, "error": reason[:1000]})
            self.release()
        except Exception as lost:
            self._log.warning("The reason of the failure could not be stored: %s", type(lost).__name__)


@contextmanager
def hold_lease(run: RunContext, session: Session, season: Season, owner: str) -> Iterator[Lease]:
    """Take the lease of a season's chunk and release it at the end of the block, whatever ends it.

    ``owner`` names the task: it takes over from its own former attempt at once, from another task only after
    ``run.lease_timeout`` seconds without a heartbeat. Raises BudgetWait while another live task holds the chunk. If the
    block raises LostLeaseError, the chunk belongs to another task and is left alone. After BudgetWait, and while the
    warehouse is away, the attempt goes on later; after anything else the reason is stored with the chunk.
    """
    fence = session.run(lambda conn: _take(run, conn, season, owner))
    if fence is None:
        raise BudgetWait(
            f"Another task is collecting {run.league.name} {season.name} just now.",
            entity="Chunk",
            seconds=run.lease_retry,
            until=datetime.now(UTC) + timedelta(seconds=run.lease_retry),
        )
    lease = Lease(run, session, season, fence)
    try:
        yield lease
    except LostLeaseError:
        raise
    except BudgetWait:
        lease.release(waiting=True)
        raise
    except BaseException as error:
        if is_away(error):
            # The task waits for the warehouse, which may not take this word either.
            with suppress(Exception):
                lease.release(waiting=True)
        else:
            lease.release_after(error)
        raise
    lease.release()


def _take(run: RunContext, conn: psycopg.Connection[Any], season: Season, owner: str) -> int | None:
    """The new fence of the chunk, or None while another live task owns it."""
    params = {"owner": owner, "timeout": run.lease_timeout, **run.sql_params(season)}
    row = conn.execute(sql("plan/take_lease"), params).fetchone()
    if row is None:
        # A season that was never indexed has no row yet to hold the lease.
        names = {**run.sql_params(season), "season": season.name, "league": run.league.name}
        conn.execute(sql("plan/ensure_chunk"), names)
        row = conn.execute(sql("plan/take_lease"), params).fetchone()
    return row[0] if row else None
