"""The full size starts at once, responds fast, needs little memory; equal seeds are equal worlds; the command line."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.testing import ROOT, flags, running_sandbox
from sandbox.world import Options, World

INCLUDES = "participants;scores;events;statistics;periods;lineups.details"


def memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")


def test_full_scale() -> None:
    began = time.monotonic()
    with running_sandbox(scale="full", cache_mb=30) as box:
        truth = box.admin("GET", "/truth")
        assert time.monotonic() - began < 10  # fixtures are made when they are requested
        assert (truth["seasons"], truth["fixtures"]) == (490, 67_085)
        big = max(truth["chunks"], key=lambda chunk: chunk["fixtures"])
        assert big["fixtures"] == 5_326
        ids: list[int] = []
        for page in range(1, 7):
            filters = f"filters=populate;fixtureSeasons:{big['season_id']}&per_page=1000&page={page}"
            _, _, body = box.get(f"football/fixtures?{filters}")
            ids += [row["id"] for row in body["data"]]
        assert len(set(ids)) == 5_326
        assert not body["pagination"]["has_more"]
        times = []
        for start in range(0, 1_000, 50):
            path = f"football/fixtures/multi/{','.join(map(str, ids[start : start + 50]))}?include={INCLUDES}"
            begin = time.monotonic()
            assert len(box.request("GET", f"/v3/{path}", headers={"Authorization": box.key})[2]) > 4_000_000
            times.append(time.monotonic() - begin)
        begin = time.monotonic()
        box.request("GET", f"/v3/{path}", headers={"Authorization": box.key})
        assert time.monotonic() - begin < min(times)
        # generous: other work may share the machine
        assert min(times) < 0.5
        assert memory_mb(box.process.pid) < 220


def test_big_chunk_on_demand() -> None:
    with running_sandbox(leagues=1, seasons=2, big_chunk=700, teams=4, fixtures_per_season=5) as box:
        assert sorted(chunk["fixtures"] for chunk in box.admin("GET", "/truth")["chunks"]) == [5, 700]


def test_nobody_plays_twice_in_a_round_and_every_pair_meets() -> None:
    world = World(Options(teams=12, leagues=2, fixtures_per_season=132), 1_795_000_000)
    for season in world.visible_seasons(1_795_000_000):
        pairs = set()
        rounds: dict[int | None, list[int]] = {}
        for index in range(season.size):
            plan = season.plan(index)
            pairs.add((plan.home, plan.away))
            rounds.setdefault(plan.round_no, []).extend((plan.home, plan.away))
            assert world.find(season.fixture_id(index)) == (season, index)
            assert world.find(season.fixture_id(index) + 4 * 3 * season.size) is None
        assert len(pairs) == 132
        assert all(len(set(clubs)) == 12 for clubs in rounds.values())


def test_same_seed_same_world_after_a_restart() -> None:
    found = []
    for seed in (7, 7, 8):
        with running_sandbox(seed=seed, leagues=1, seasons=1, now="2026-11-21", frozen=True) as box:
            box.admin("POST", "/corrections", {"n": 3})
            box.admin("POST", "/deletions", {"n": 1})
            found.append(box.admin("GET", "/truth/fixtures")["fixtures"])
    assert found[0] == found[1]
    assert found[0] != found[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_at_once(number: signal.Signals) -> None:
    with running_sandbox(leagues=1, seasons=1) as box:
        box.fault("hang")
        with pytest.raises(TimeoutError):
            box.get("football/leagues", timeout=0.2)
        box.process.send_signal(number)
        assert box.process.wait(timeout=5) == 0


@pytest.mark.parametrize(
    ("argument", "words"),
    [
        ("--teams=7", "even number"),
        ("--leagues=0", "from 1 to 600"),
        ("--fixtures-per-season=0", "at least one fixture"),
        ("--big-chunk=20000", "from 1 to 10000"),
        ("--limit=0", "at least 1"),
        ("--now=tomorrow", "not an ISO date-time"),
        ("--plan-leagues=123456", "this world has 8"),
        ("--variant=cursor=maybe", "choose from opaque, url"),
        ("--host=203.0.113.1", "cannot listen on"),
        ("--port=99999", "cannot listen on"),
        ("--scale=huge", "invalid choice"),
        ("--frobnicate", "unrecognized arguments"),
    ],
)
def test_bad_flags_are_refused(argument: str, words: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sandbox", argument],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert run.returncode == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr


def test_a_sandbox_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match="even number"), running_sandbox(teams=5):
        pass


def test_the_maximum_of_multi_can_be_raised() -> None:
    with running_sandbox(leagues=1, seasons=1, multi_maximum=80) as box:
        ids = [str(row["id"]) for row in box.admin("GET", "/truth/fixtures?brief=1")["fixtures"]]
        assert len(box.get(f"football/fixtures/multi/{','.join(ids[:80])}")[2]["data"]) == 80
        assert box.get(f"football/fixtures/multi/{','.join(ids[:81])}")[0] == 400
        some = box.admin("GET", f"/truth/fixtures?ids={ids[1]},{ids[4]}")["fixtures"]
        assert [str(row["id"]) for row in some] == [ids[1], ids[4]]


def test_flags_from_options() -> None:
    words = flags({"limit": 60, "frozen": True, "plan_leagues": "8,564", "variant": ["a=b", "c=d"], "now": None})
    assert words == ["--limit", "60", "--frozen", "--plan-leagues", "8,564", "--variant", "a=b", "--variant", "c=d"]


def test_help_names_every_flag() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "sandbox", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    for flag in (
        "--leagues",
        "--big-chunk",
        "--scale",
        "--limit",
        "--window",
        "--now",
        "--frozen",
        "--variant",
        "--key",
    ):
        assert flag in run.stdout
