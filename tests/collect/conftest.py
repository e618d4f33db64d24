"""Runs of one small league: the real functions, the sandbox, a fresh warehouse, and a clock that tests set."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.api.budget import PostgresBudget, UnlimitedBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.collect.collect import ChunkResult, collect
from sportmonks.collect.context import RunContext
from sportmonks.collect.discover import discover
from sportmonks.collect.plan import PlanResult, plan
from sportmonks.config.catalog import CollectSettings, TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.config.settings import API_CONN_ID, DEFAULT_INCLUDES
from sportmonks.planning.run_params import read_params
from sportmonks.warehouse.connection import open_connection
from tests.harness.canary import KEY

HOUR, DAY = 3600, 86_400


class Checkpoints(dict[str, str]):
    """The operations of Airflow's Variables that checkpoints use."""

    def set(self, key: str, value: str) -> None:
        self[key] = value

    def delete(self, key: str) -> None:
        self.pop(key, None)


@dataclass
class RunHarness:
    """Makes runs, and reads what they leave in the warehouse."""

    box: RunningSandbox
    dsn: str
    conn: psycopg.Connection[Any]
    league: League
    checkpoints: Checkpoints = field(default_factory=Checkpoints)
    now: float = 0.0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    clients: list[SportmonksClient] = field(default_factory=list)

    @property
    def season(self) -> Season:
        return self.league.seasons[0]

    def connect(self) -> psycopg.Connection[Any]:
        return open_connection(self.dsn, autocommit=True)

    def move(self, seconds: float) -> None:
        """Advance the clock of the sandbox and of the runs."""
        self.now = float(self.box.admin("POST", "/clock", {"advance_seconds": seconds})["epoch"])

    def run(
        self,
        execution: str | None = None,
        *,
        batch_size: int = 5,
        connect: Callable[[], psycopg.Connection[Any]] | None = None,
        settings: TaskSettings | None = None,
        counted: bool = False,
        **params: Any,
    ) -> RunContext:
        """A started run; ``execution`` names one to continue. ``counted``: with the budget of the warehouse, which
        keeps the books of calls."""
        execution = execution or f"etl_20260101_000000_{next(self.numbers):06x}"
        settings = settings or TaskSettings(collect=CollectSettings(batch_size=batch_size))
        budget = (
            PostgresBudget(self.connect, API_CONN_ID, max_inline_wait=1.0, circuit_failures=1000)
            if counted
            else UnlimitedBudget(sleep=lambda _: None)
        )
        client = SportmonksClient(self.box.base_url, self.box.key, budget=budget, sleep=lambda _: None)
        self.clients.append(client)
        run = RunContext(
            execution_id=execution,
            league=self.league,
            settings=settings,
            params=read_params({"seasons": [str(self.season.id)], **params}, self.league, settings),
            connect=connect or self.connect,
            client=lambda: client,
            checkpoints=self.checkpoints,
            clock=lambda: datetime.fromtimestamp(self.now, UTC),
            lease_timeout=2.0,
        )
        self.conn.execute("SELECT etl.start_etl_execution(%s, p_now => %s)", (execution, run.clock()))
        return run

    def planned(self, run: RunContext) -> PlanResult:
        discover(run)
        return plan(run)

    def run_all(self, run: RunContext, owner: str = "test") -> ChunkResult:
        """Discover, plan and collect the season."""
        self.planned(run)
        return self.collect(run, owner)

    def collect(self, run: RunContext, owner: str = "test") -> ChunkResult:
        self.conn.execute("SELECT etl.open_chunk(%s, %s, %s)", (run.execution_id, self.league.id, self.season.id))
        return collect(run, self.season, owner)

    def fixture_ids(self) -> list[int]:
        """The season's fixtures."""
        return [
            row["id"] for row in self.box.admin("GET", f"/truth/fixtures?brief=1&season={self.season.id}")["fixtures"]
        ]

    def requested(self) -> int:
        """Fixtures requested from ``/fixtures/multi`` so far."""
        return int(self.box.calls()["fixtures_requested"])

    def value(self, statement: str, *parameters: Any) -> Any:
        row = self.conn.execute(statement, parameters).fetchone()
        return row[0] if row else None

    def rows(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.conn.execute(statement, parameters).fetchall()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(
        leagues=1, seasons=1, teams=4, now="2026-07-01T12:00:00", frozen=True, limit=100_000, key=KEY
    ) as box:
        yield box


@pytest.fixture
def harness(sandbox: RunningSandbox, warehouse_dsn: str) -> Iterator[RunHarness]:
    """A league of one finished season of twelve fixtures."""
    sandbox.admin("POST", "/reset")
    chunk = sandbox.admin("GET", "/truth")["chunks"][0]
    season = Season(id=chunk["season_id"], name=chunk["season_name"], group="season")
    league = League(
        id=chunk["league_id"],
        name=chunk["league_name"],
        slug="league",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=(season,),
    )
    with open_connection(warehouse_dsn, autocommit=True) as conn:
        found = RunHarness(sandbox, warehouse_dsn, conn, league)
        found.move(0)
        yield found
        for client in found.clients:
            client.close()
