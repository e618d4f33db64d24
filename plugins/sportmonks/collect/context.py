"""What the steps of one league run share."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.config.settings import API_CONN_ID
from sportmonks.planning.run_params import RunParams

if TYPE_CHECKING:
    import psycopg

    from sportmonks.api.client import SportmonksClient
    from sportmonks.collect.checkpoints import Store


@dataclass(frozen=True)
class RunContext:
    """One league run. ``connect`` opens autocommit connections to the warehouse from any thread.

    ``client`` is a callable, so that nothing is asked of the API's connection by steps that make no call.
    ``clock`` gives the time (timezone-aware), so that tests can move it.
    """

    execution_id: str
    league: League
    settings: TaskSettings
    params: RunParams
    connect: Callable[[], psycopg.Connection[Any]]
    client: Callable[[], SportmonksClient]
    checkpoints: Store
    connection_name: str = API_CONN_ID
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    # Another owner of a chunk that has shown no life for so long (seconds) is taken for dead.
    lease_patience: float = 120.0
    lease_retry: float = 15.0
    log: Any = field(default_factory=lambda: logging.getLogger("sportmonks.collect"))

    def sql_params(self, season: Season | None = None) -> dict[str, Any]:
        """The keys that every statement of this run binds."""
        found: dict[str, Any] = {"execution_id": self.execution_id, "league_id": self.league.id}
        return found | {"season_id": season.id} if season else found
