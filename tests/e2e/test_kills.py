"""Kills, clears, deferrals and invalid checkpoints in a real Airflow, on a stack of their own.

Several tests share runs, and one waits for Airflow to notice a dead process while the others go on: the tests run in
this order, but each can run alone.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psutil
import pytest
import requests

from tests.e2e import kills
from tests.e2e.kills import Season
from tests.e2e.monitoring import wait_for
from tests.e2e.stack import Etl, running_stack

pytestmark = pytest.mark.timeout(1200)

LEAGUES = {
    "sportmonks_premier_league": 8,
    "sportmonks_la_liga": 564,
    "sportmonks_serie_a": 384,
    "sportmonks_bundesliga": 82,
}
PREMIER_LEAGUE, LA_LIGA, SERIE_A, BUNDESLIGA = LEAGUES
KILLED_DAG, KILLED_LEAGUE = "sportmonks_superliga", 271
SEASONS, SEASON_FIXTURES = 2, 30
FIXTURES = SEASONS * SEASON_FIXTURES
LIMIT, WINDOW_S = 60, 20


@pytest.fixture(scope="module")
def etl(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Etl]:
    """Five leagues of two seasons whose clock stands still; tasks have one retry after a short delay."""
    world = f"--leagues 5 --seasons {SEASONS} --teams 6 --frozen"
    catalog = {
        r"retries: \d+": "retries: 1",
        r"retry_delay_seconds: \d+": "retry_delay_seconds: 2",
        r"  max_inline_wait_seconds: \d+.*": "  max_inline_wait_seconds: 2",
    }
    with running_stack(tmp_path_factory.mktemp("kills"), world, catalog) as stack:
        done = stack("run", "--league", "8", "--dry-run")
        assert done.returncode == 0, done.stdout + done.stderr
        known = {*LEAGUES, KILLED_DAG}
        wait_for(lambda: known <= {row["dag_id"] for row in stack.airflow("GET", "/dags")["dags"]}, "all DAGs")
        yield stack


def test_a_dry_run_stores_its_estimate_and_requests_no_batch(etl: Etl) -> None:
    before = kills.reads(etl)
    run = etl.trigger(LA_LIGA, dry_run=True, seasons=["2025/2026"], batch_size=7)
    kills.must_succeed(etl, LA_LIGA, run)
    found = kills.execution(etl, LA_LIGA, run)
    assert (found["status"], found["processed_fixtures"]) == ("COMPLETED", 0)
    assert found["estimate"]["fixtures"] == SEASON_FIXTURES
    assert [(chunk["season"], chunk["calls"]) for chunk in found["estimate"]["chunks"]] == [("2025/2026", 5)]
    assert kills.reads(etl) == before


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("seasons", ["1999/2000"]),
        ("date_from", "2026-02-30"),
        ("date_to", "yesterday"),
        ("batch_size", 0),
        ("batch_size", "many"),
        ("min_fixtures", 0),
        ("max_chunks", -1),
        ("max_fixtures", 1.5),
        ("includes", ["drop table"]),
        ("force", "perhaps"),
        ("continue_from_checkpoint", 2),
        ("clear_checkpoint", "x"),
        ("dry_run", 1),
        ("track_performance", []),
        ("export_metrics", None),
    ],
)
def test_nonsense_is_refused_by_name_before_there_is_a_run(etl: Etl, name: str, value: Any) -> None:
    newest = etl.newest_run(PREMIER_LEAGUE)
    with pytest.raises(requests.HTTPError) as refused:
        etl.trigger(PREMIER_LEAGUE, **{name: value})
    assert refused.value.response.status_code in (400, 422)
    assert name in refused.value.response.text
    assert etl.newest_run(PREMIER_LEAGUE) == newest


def test_a_misspelt_dry_run_collects_nothing(etl: Etl) -> None:
    """Airflow takes any name; the run refuses it before its first call."""
    before = etl.sandbox("GET", "/_admin/calls?last=0")["total"]
    run = etl.trigger(SERIE_A, dry_rnu=True)
    assert etl.wait_for_run(SERIE_A, run) == "failed"
    assert "Did you mean dry_run?" in str(etl.failures(SERIE_A, run)["start"])
    assert etl.sandbox("GET", "/_admin/calls?last=0")["total"] == before


@dataclass
class KilledCollectors:
    """A run of which one collector was killed and another was left without its supervisor."""

    run: str
    killed: Season
    abandoned: Season
    suspended: psutil.Process
    before: Counter[int]


@pytest.fixture(scope="module")
def killed_collectors(etl: Etl) -> Iterator[KilledCollectors]:
    """One collector is killed twice, once more than it is retried, and its group is cleared. The supervisor of another
    one is killed and its process is suspended: no end of it is reported, and it has not ended."""
    killed, abandoned = kills.seasons_of(etl, KILLED_LEAGUE)
    before = kills.reads(etl)
    kills.slow(etl, 2.0, season=killed.id)
    kills.slow(etl, 2.0, season=abandoned.id)
    run = etl.trigger(KILLED_DAG, batch_size=3)
    suspended = kills.at_work(etl, KILLED_DAG, run, abandoned)
    supervisor = suspended.parent()
    assert supervisor is not None
    # In this order, because the end of its supervisor would end a suspended process.
    kills.kill(supervisor)
    suspended.suspend()
    try:
        kills.kill(kills.at_work(etl, KILLED_DAG, run, killed))
        kills.kill(kills.at_work(etl, KILLED_DAG, run, killed, try_number=2))
        wait_for(lambda: kills.tasks(etl, KILLED_DAG, run)[killed.collect]["state"] == "failed", "the end of the tries")
        etl.sandbox("DELETE", "/_admin/faults")
        kills.clear(etl, KILLED_DAG, run, [killed.collect], only_failed=True, include_downstream=True)
        yield KilledCollectors(run, killed, abandoned, suspended, before)
    finally:
        if kills.lives(suspended):
            suspended.kill()


@dataclass
class Together:
    """Runs by DAG, and what had been read before them."""

    runs: dict[str, list[str]]
    before: Counter[int]


@pytest.fixture(scope="module")
def together(etl: Etl, killed_collectors: KilledCollectors) -> Together:
    """Four leagues at once, one of them twice, against a limit of 60 calls a window. When all are deferred, the
    triggerer is killed and started again by `./etl up`."""
    before = kills.reads(etl)
    etl.sandbox("POST", "/_admin/limits", {"limit": LIMIT, "window_seconds": WINDOW_S})
    runs = {dag_id: [etl.trigger(dag_id, batch_size=2)] for dag_id in LEAGUES}
    runs[PREMIER_LEAGUE].append(etl.trigger(PREMIER_LEAGUE, batch_size=2))

    def waiting() -> bool:
        tasks = [kills.tasks(etl, dag_id, runs[dag_id][0]) for dag_id in LEAGUES]
        collectors = [row["state"] for rows in tasks for name, row in rows.items() if name.endswith(".collect")]
        return collectors.count("deferred") > 1 and not {"queued", "running"} & set(collectors)

    wait_for(waiting, "collectors that all wait, none of which holds a slot")
    triggerer = kills.component(etl, "triggerer")
    kills.kill(triggerer, *triggerer.children(recursive=True))
    kills.up_again(etl)
    for dag_id, ids in runs.items():
        for run in ids:
            kills.must_succeed(etl, dag_id, run)
    calls = etl.sandbox("GET", "/_admin/calls?last=0")
    etl.sandbox("POST", "/_admin/limits", {"limit": 3000, "window_seconds": 3600})
    assert calls["total_429"] == calls["calls_after_remaining_zero"] == 0
    return Together(runs, before)


def test_four_leagues_share_a_limit_and_wait_without_holding_slots(etl: Etl, together: Together) -> None:
    requests_by_fixture = kills.reads(etl) - together.before
    for dag_id, league_id in LEAGUES.items():
        ids = set().union(*(kills.fixtures_of(etl, season) for season in kills.seasons_of(etl, league_id)))
        assert {key: requests_by_fixture[key] for key in ids} == dict.fromkeys(ids, 1), dag_id
        found = kills.must_have_done(etl, dag_id, together.runs[dag_id][0], FIXTURES)
        assert found["api_calls"] == SEASONS + FIXTURES // 2  # indexes and batches
    assert kills.differences(etl, *LEAGUES.values()) == []


def test_two_runs_of_one_league_read_every_fixture_once(etl: Etl, together: Together) -> None:
    _, second = together.runs[PREMIER_LEAGUE]
    found = kills.execution(etl, PREMIER_LEAGUE, second)
    assert (found["status"], found["total_fixtures"]) == ("COMPLETED", 0)
    assert found["api_calls"] <= SEASONS  # indexes


def test_a_clear_reads_nothing_that_is_not_due(etl: Etl, together: Together) -> None:
    due = {row["id"] for row in etl.rows("SELECT id FROM football.fixtures WHERE next_due_at <= now() + '5 min'")}
    before = kills.reads(etl)
    run_cleared, group_cleared, task_cleared = LA_LIGA, SERIE_A, BUNDESLIGA
    runs = {dag_id: together.runs[dag_id][0] for dag_id in (run_cleared, group_cleared, task_cleared)}
    season = kills.seasons_of(etl, LEAGUES[group_cleared])[0]
    etl.airflow("POST", f"/dags/{run_cleared}/dagRuns/{runs[run_cleared]}/clear", {"dry_run": False})
    kills.clear(
        etl,
        group_cleared,
        runs[group_cleared],
        [f"{season.group}.{task}" for task in ("collect", "close")],
    )
    kills.clear(
        etl,
        task_cleared,
        runs[task_cleared],
        [kills.seasons_of(etl, LEAGUES[task_cleared])[0].collect],
        include_downstream=False,
    )
    for dag_id, run in runs.items():
        kills.must_succeed(etl, dag_id, run)
        kills.must_have_done(etl, dag_id, run, FIXTURES)
    assert set(kills.reads(etl) - before) <= due


def key_of(season: Season, league_id: int) -> str:
    return f"sportmonks_ckpt__{league_id}__{season.id}"


def checkpoint(etl: Etl, season: Season, league_id: int) -> dict[str, Any]:
    return dict(json.loads(etl.airflow("GET", f"/variables/{key_of(season, league_id)}")["value"]))


def write_checkpoint(etl: Etl, season: Season, league_id: int, text: str) -> None:
    key = key_of(season, league_id)
    etl.airflow("PATCH", f"/variables/{key}", {"key": key, "value": text})


def long_ago(text: str) -> str:
    return (datetime.fromisoformat(text) - timedelta(days=400)).isoformat()


def test_forced_runs_that_were_interrupted_continue_or_start_again(etl: Etl) -> None:
    """The plan of a forced run leaves out what an interrupted one has read, if its checkpoint is valid."""
    seasons = {dag_id: kills.seasons_of(etl, league_id) for dag_id, league_id in LEAGUES.items()}
    done = _interrupt(etl, seasons)
    broken, stale = seasons[LA_LIGA]
    write_checkpoint(etl, broken, 564, "{not json")
    old = checkpoint(etl, stale, 564)
    aged = {name: long_ago(old[name]) for name in ("started_at", "updated_at")}
    write_checkpoint(etl, stale, 564, json.dumps(old | aged))
    foreign, deleted = seasons[SERIE_A]
    write_checkpoint(etl, foreign, 384, json.dumps(checkpoint(etl, deleted, 384)))
    etl.airflow("DELETE", f"/variables/{key_of(deleted, 384)}")

    before = kills.reads(etl)
    left = FIXTURES - done[PREMIER_LEAGUE]
    expected = {PREMIER_LEAGUE: left, LA_LIGA: FIXTURES, SERIE_A: FIXTURES, BUNDESLIGA: FIXTURES}
    estimates = {
        PREMIER_LEAGUE: (left, etl.trigger(PREMIER_LEAGUE, force=True, dry_run=True)),
        BUNDESLIGA: (
            FIXTURES,
            etl.trigger(BUNDESLIGA, force=True, dry_run=True, continue_from_checkpoint=False),
        ),
    }
    runs = {dag_id: etl.trigger(dag_id, force=True) for dag_id in (PREMIER_LEAGUE, LA_LIGA, SERIE_A)}
    runs[BUNDESLIGA] = etl.trigger(BUNDESLIGA, force=True, clear_checkpoint=True)
    for dag_id, run in runs.items():
        kills.must_succeed(etl, dag_id, run)
        kills.must_have_done(etl, dag_id, run, expected[dag_id])
    for dag_id, (fixtures, run) in estimates.items():
        assert kills.execution(etl, dag_id, run)["estimate"]["fixtures"] == fixtures
    requests_by_fixture = kills.reads(etl) - before
    assert set(requests_by_fixture.values()) == {1}
    for dag_id, league_id in LEAGUES.items():
        ids = set().union(*(kills.fixtures_of(etl, season) for season in seasons[dag_id]))
        assert len(ids & requests_by_fixture.keys()) == expected[dag_id], dag_id
        assert all(checkpoint(etl, season, league_id)["finished"] for season in seasons[dag_id])
    assert kills.differences(etl, *LEAGUES.values()) == []


def _interrupt(etl: Etl, seasons: dict[str, list[Season]]) -> dict[str, int]:
    """Forced runs that fail in the middle of every season; fixtures done by DAG."""
    kills.slow(etl, 2.0)
    runs = {dag_id: etl.trigger(dag_id, force=True, batch_size=3) for dag_id in LEAGUES}
    left = [(dag_id, season) for dag_id in LEAGUES for season in seasons[dag_id]]

    def refuse() -> bool:
        for dag_id, season in list(left):
            if kills.stored(etl, dag_id, runs[dag_id], season):
                left.remove((dag_id, season))
                match = {"path": "/multi/", "season": season.id}
                etl.sandbox("POST", "/_admin/faults", {"kind": "unauthorized", "match": match})
        return not left

    wait_for(refuse, "a batch of every season")
    for dag_id, run in runs.items():
        assert etl.wait_for_run(dag_id, run) == "failed"
    etl.sandbox("DELETE", "/_admin/faults")
    done = {
        dag_id: sum(kills.stored(etl, dag_id, runs[dag_id], season) for season in seasons[dag_id]) for dag_id in runs
    }
    assert all(0 < count < FIXTURES for count in done.values())
    return done


def test_dead_collectors_are_noticed_and_their_work_is_done_once(etl: Etl, killed_collectors: KilledCollectors) -> None:
    """The missing heartbeat is noticed after a minute and a half; the process that is resumed later changes nothing."""
    kills.must_succeed(etl, KILLED_DAG, killed_collectors.run)
    found = kills.must_have_done(etl, KILLED_DAG, killed_collectors.run, FIXTURES)
    killed_collectors.suspended.resume()
    wait_for(lambda: not kills.lives(killed_collectors.suspended), "the end of the suspended process")
    # The process may have been suspended before its call or within it and then repeats it: it is the same batch.
    assert kills.read_again(etl, killed_collectors.abandoned, killed_collectors.before) <= 3
    assert kills.read_again(etl, killed_collectors.killed, killed_collectors.before) <= 2 * 3
    # The resumed process ends the call that it had begun, which is in the books of its run, and changes nothing else.
    after = kills.execution(etl, KILLED_DAG, killed_collectors.run)
    assert 0 <= after["api_calls"] - found["api_calls"] <= 2
    books = ("api_calls", "failed_calls", "bytes")
    assert {**after, **{name: found[name] for name in books}} == found
    assert etl.rows("SELECT * FROM etl.fetched_answers") == []
    assert kills.differences(etl, KILLED_LEAGUE) == []


def test_a_killed_scheduler_and_a_killed_postgres_end_no_run(etl: Etl) -> None:
    """The first run loses its scheduler, then the second its database, which is Airflow's own as well."""
    before = kills.reads(etl)
    seasons = {dag_id: kills.seasons_of(etl, LEAGUES[dag_id]) for dag_id in (PREMIER_LEAGUE, LA_LIGA)}
    kills.slow(etl, 2.0)
    first = etl.trigger(PREMIER_LEAGUE, force=True, batch_size=3)
    for season in seasons[PREMIER_LEAGUE]:
        kills.at_work(etl, PREMIER_LEAGUE, first, season)
    kills.kill(kills.component(etl, "scheduler"))
    kills.up_again(etl)
    second = etl.trigger(LA_LIGA, force=True, batch_size=3)
    for season in seasons[LA_LIGA]:
        kills.at_work(etl, LA_LIGA, second, season)
    kills.kill(kills.postmaster(etl))
    kills.up_again(etl)
    etl.sandbox("DELETE", "/_admin/faults")
    for dag_id, run in ((PREMIER_LEAGUE, first), (LA_LIGA, second)):
        kills.must_succeed(etl, dag_id, run)
        kills.must_have_done(etl, dag_id, run, FIXTURES)
        tasks = kills.tasks(etl, dag_id, run)
        for season in seasons[dag_id]:
            # Each try that was killed costs the batch that was under way.
            killed = tasks[season.collect]["try_number"] - 1
            assert kills.read_again(etl, season, before) <= 3 * killed
    assert kills.differences(etl, 8, 564) == []
