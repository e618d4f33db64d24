"""Four leagues at once against a limit of 60 calls per window: no refusals, and every row is stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import running_sandbox
from sportmonks.config.catalog import BudgetSettings, CollectSettings, TaskSettings
from sportmonks.warehouse.connection import open_connection
from tests.chaos.environment import ChaosEnvironment
from tests.chaos.league import league_of
from tests.chaos.runner import Runner
from tests.harness.compare import compare

LIMIT, WINDOW_S = 60, 4.0


@pytest.mark.slow
def test_four_leagues_share_sixty_calls_a_window(environment: ChaosEnvironment, tmp_path: Path) -> None:
    settings = TaskSettings(
        collect=CollectSettings(batch_size=2),
        budget=BudgetSettings(default_limit=LIMIT, window_seconds=int(WINDOW_S)),
    )
    clock = get_context("forkserver").Value("d", 0.0)
    with (
        environment.database() as dsn,
        running_sandbox(
            leagues=4, seasons=2, teams=6, limit=LIMIT, window=WINDOW_S, now="2026-07-10T12:00:00", frozen=True
        ) as box,
    ):
        clock.value = float(box.admin("GET", "/clock")["epoch"])
        league_ids = list(dict.fromkeys(row["league_id"] for row in box.admin("GET", "/truth")["chunks"]))

        def collect(league_id: int) -> Runner:
            folder = tmp_path / str(league_id)
            folder.mkdir()
            place = {"dsn": dsn, "base_url": box.base_url, "key": box.key, "folder": str(folder)}
            # The answers are counted: none may count as lost because the machine is busy.
            runner = Runner(league_of(box, league_id), settings, place, clock, league_id, 1, read_timeout=30.0)
            runner.runs = league_id * 1000
            runner.run_league({})
            return runner

        with ThreadPoolExecutor(max_workers=4) as pool:
            runners = list(pool.map(collect, league_ids))
        calls: dict[str, Any] = box.calls()
        truth = box.admin("GET", "/truth/fixtures?full=1")["fixtures"]
        with open_connection(dsn, autocommit=True) as conn:
            found = compare(conn, truth, tombstones={})
    assert not [text for runner in runners for text in (*runner.stats.given_up, *runner.stats.failures)]
    assert found.all() == []
    assert calls["fixtures_requested"] == len(truth)
    assert calls["by_entity"]["Fixture"] >= 2 * LIMIT
    assert calls["total_429"] == 0
    assert calls["calls_after_remaining_zero"] == 0
    # Long waits were deferred, and the slot was free meanwhile.
    assert sum(runner.stats.waits for runner in runners) >= 1
