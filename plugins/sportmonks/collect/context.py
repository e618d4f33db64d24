"""What the steps of a league run have in common."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.api.budget import CallAccount
from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.config.settings import API_CONN_ID
from sportmonks.planning.run_params import RunParams
from sportmonks.warehouse.session import Session

if TYPE_CHECKING:
    import psycopg

    from sportmonks.api.client import SportmonksClient
    from sportmonks.collect.checkpoints import CheckpointStore


@dataclass(frozen=True)
class RunContext:
    """One league run. ``connect`` opens autocommit connections to the warehouse and may be called from any thread.

    ``client`` is a callable, so that steps that make no call need no connection to the API. ``clock`` returns the time
    (timezone-aware), so that tests can set it. ``task_session``: the session of the task that the steps run in, on
    its main thread; see ``session``.
    """

    execution_id: str
    league: League
    settings: TaskSettings
    params: RunParams
    connect: Callable[[], psycopg.Connection[Any]]
    client: Callable[[], SportmonksClient]
    checkpoints: CheckpointStore
    connection_name: str = API_CONN_ID
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # Seconds without a heartbeat after which the owner of a chunk counts as dead.
    lease_timeout: float = 120.0
    # Seconds after which a task tries again to take a chunk that another task holds.
    lease_retry: float = 15.0
    task_session: Session | None = None
    log: Any = field(default_factory=lambda: logging.getLogger("sportmonks.collect"))

    @contextmanager
    def session(self) -> Iterator[Session]:
        """The session for a step of the run: the task's, which stays open for its next step, else one of its own.

        A connection costs both sides more than most steps do, and over a network several round trips.
        """
        if self.task_session is not None:
            yield self.task_session
        else:
            with Session(self.connect) as session:
                yield session

    def sql_params(self, season: Season | None = None) -> dict[str, Any]:
        """The parameters that the statements of this run, or of one of its chunks, have in common."""
        found: dict[str, Any] = {"execution_id": self.execution_id, "league_id": self.league.id}
        return found | {"season_id": season.id} if season else found

    def counted_client(self, season: Season | None = None) -> SportmonksClient:
        """The client; its calls are counted for this run from here on, and for the chunk of ``season``."""
        client = self.client()
        client.count_calls_for(CallAccount(self.execution_id, self.league.id, season.id if season else None))
        return client
