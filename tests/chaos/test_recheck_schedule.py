"""Ordinary runs on the recheck schedule find 20 late corrections and 5 deletions and write nothing else."""

from __future__ import annotations

from multiprocessing import get_context
from pathlib import Path

import pytest

from sandbox.testing import running_sandbox
from sportmonks.config.catalog import TaskSettings
from sportmonks.warehouse.connection import open_connection
from tests.chaos.environment import ChaosEnvironment
from tests.chaos.league import SECTIONS, league_of
from tests.chaos.runner import Runner
from tests.harness.compare import compare, repeated_changes, stamps, touched

HOUR, DAY = 3600, 86_400
# An hour, a day, a week, a month, and the slow sweep, each a little later.
SCHEDULE = (2 * HOUR, DAY, 7 * DAY, 30 * DAY, 366 * DAY)


@pytest.mark.slow
def test_every_late_correction_is_found_and_recorded(environment: ChaosEnvironment, tmp_path: Path) -> None:
    clock = get_context("forkserver").Value("d", 0.0)
    with (
        environment.database() as dsn,
        running_sandbox(leagues=1, seasons=2, teams=6, now="2026-03-01T23:00:00", frozen=True, limit=100_000) as box,
    ):

        def move(seconds: float) -> None:
            clock.value = float(box.admin("POST", "/clock", {"advance_seconds": seconds})["epoch"])

        move(0)
        league = league_of(box)
        place = {"dsn": dsn, "base_url": box.base_url, "key": box.key, "folder": str(tmp_path)}
        runner = Runner(league, TaskSettings(), place, clock, 1, 2)
        seasons = {"seasons": [str(season.id) for season in league.seasons]}
        runner.run_league(seasons)
        with open_connection(dsn, autocommit=True) as conn:
            first = stamps(conn)
            kept = dict(conn.execute("SELECT fixture_id, payload::text FROM raw.fixtures").fetchall())

        move(60)
        corrected = box.admin("POST", "/corrections", {"n": 20})["corrections"]
        assert len(corrected) == 20
        spared = [row["id"] for row in box.admin("GET", "/truth/fixtures?brief=1")["fixtures"] if row["finished"]]
        spared = [key for key in spared if key not in {row["fixture_id"] for row in corrected}][:5]
        deleted = {row["fixture_id"] for row in box.admin("POST", "/deletions", {"n": 5, "ids": spared})["deleted"]}
        assert len(deleted) == 5
        for seconds in SCHEDULE:
            move(seconds)
            runner.run_league(seasons)
            # Held payloads and unexplained gaps of this run are requested again in the next one.
            move(3 * HOUR)
            runner.run_league(seasons)
        assert not runner.stats.given_up

        known = {season.id for season in league.seasons}
        rows = box.admin("GET", "/truth/fixtures?full=1")["fixtures"]
        truth = [row for row in rows if row["season_id"] in known]
        with open_connection(dsn, autocommit=True) as conn:
            found = compare(conn, truth, tombstones={key: kept[key] for key in deleted})
            assert found.all() == []
            assert touched(first, stamps(conn)) == []
            assert repeated_changes(conn) == []
            for row in corrected:
                sections = conn.execute(
                    "SELECT section FROM etl.fixture_changes WHERE fixture_id = %s AND hours_after IS NOT NULL",
                    (row["fixture_id"],),
                ).fetchall()
                assert {section for (section,) in sections} & SECTIONS[row["kind"]], row["what"]
            marked = conn.execute(
                "SELECT fixture_id FROM etl.fixture_changes WHERE section = 'fixture' AND field = 'deleted'"
            ).fetchall()
            assert {key for (key,) in marked} == deleted
