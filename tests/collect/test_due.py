"""One notion of due: plan, estimate, page, terminal and alerts count the same fixtures, whatever was run before."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.config.catalog import RecheckSettings, TaskSettings
from sportmonks.dashboard import queries
from sportmonks.warehouse.queries import sql
from tests.collect.conftest import DAY, HOUR, RunHarness
from tests.harness.load import fixture_row

NARROW = ["participants", "scores"]


def due(harness: RunHarness, settings: TaskSettings | None = None, **params: Any) -> int:
    """The number of due fixtures, which is the same in every place that tells it."""
    harness.move(0)
    run = harness.run(dry_run=True, settings=settings, **params)
    estimate = harness.planned(run).estimate
    now, names = run.clock(), {"league_id": harness.league.id, "season_id": harness.season.id}
    rows = {
        "estimate": estimate.fixtures,
        "reasons": sum(estimate.by_reason.values()),
        "health": queries.health(harness.conn, now=now)["due_fixtures"],
        "coverage": sum(row["due_fixtures"] for row in queries.coverage(harness.conn, now=now)),
        "chunk": queries.chunk(harness.conn, **names, now=now)["due_fixtures"],
        "listed": len([row for row in queries.chunk(harness.conn, **names, now=now)["fixtures"] if row["due_reason"]]),
    }
    alerts = harness.conn.execute(sql("alerts/stale_leagues"), {"now": now, "stale_hours": -1e6}).fetchall()
    rows["alert"] = sum(row[5]["due"] for row in alerts)
    harness.conn.execute("SELECT etl.recount_coverage(%s, %s, %s)", (*names.values(), now))
    rows["recount"] = harness.value("SELECT due_fixtures FROM etl.chunks")
    assert set(rows.values()) == {estimate.fixtures}, rows
    return estimate.fixtures


def test_every_place_tells_the_same_number(harness: RunHarness) -> None:
    every = len(harness.fixture_ids())
    assert due(harness) == every
    harness.run_all(harness.run(max_fixtures=5))
    assert due(harness) == every - 5
    harness.run_all(harness.run())
    assert due(harness) == 0
    harness.move(400 * DAY)
    assert due(harness) == every
    # Another setting counts from the next plan on, which may be a dry run.
    yearly = TaskSettings(recheck=RecheckSettings(max_age_days=900))
    assert due(harness, yearly) == 0
    assert due(harness) == every


def test_a_narrow_run_by_hand_makes_nothing_due_and_reads_nothing_again(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.move(2 * HOUR)
    before = harness.rows("SELECT id, next_due_at, due_reason, last_fetched_at FROM football.fixtures ORDER BY id")
    narrow = harness.run_all(harness.run(includes=NARROW, force=True))
    assert narrow.outcomes == {"unchanged": len(before)}
    assert due(harness) == 0
    assert due(harness, includes=NARROW) == 0
    after = harness.rows("SELECT id, next_due_at, due_reason, last_fetched_at FROM football.fixtures ORDER BY id")
    assert after == before
    requested = harness.requested()
    harness.run_all(harness.run())
    assert harness.requested() == requested


def test_a_narrow_run_leaves_due_what_was_due(harness: RunHarness) -> None:
    every = len(harness.fixture_ids())
    harness.run_all(harness.run(includes=NARROW))
    assert due(harness) == every
    assert harness.rows("SELECT DISTINCT due_reason FROM football.fixtures") == [("includes_added",)]
    harness.run_all(harness.run())
    assert due(harness) == 0
    harness.move(400 * DAY)
    harness.run_all(harness.run(includes=NARROW))
    assert due(harness) == every
    assert harness.run_all(harness.run()).outcomes == {"unchanged": every}
    assert due(harness) == 0


def test_a_narrow_run_stores_a_correction_and_confirms_no_loss(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.move(HOUR)
    one, other = sorted(harness.fixture_ids())[:2]
    values = {"result_info": "Decided afterwards."}
    harness.box.fault(kind="set_fields", values=values, rate=1.0, match={"path": "multi", "fixture_id": one})
    drop = {"drop": ["scores"], "rate": 1.0, "match": {"path": "multi", "fixture_id": other}}
    harness.box.fault(kind="degraded", **drop)
    for _ in range(5):
        harness.run_all(harness.run(includes=NARROW, force=True, continue_from_checkpoint=False))
    assert fixture_row(harness.conn, one)["result_info"] == values["result_info"]
    row = fixture_row(harness.conn, other)
    assert (row["held_reads"], row["due_reason"], row["home_goals"] is None) == (1, "held", False)
    assert due(harness) == 1


@pytest.mark.parametrize("includes", [["participants", "scores", "events"], [*NARROW, "formations"]])
def test_includes_beyond_the_usual_ones_are_read_by_the_run_that_requests_them(
    harness: RunHarness, includes: list[str]
) -> None:
    harness.run_all(harness.run())
    harness.move(HOUR)
    planned = harness.planned(harness.run(includes=includes))
    assert planned.estimate.fixtures == (len(harness.fixture_ids()) if "formations" in includes else 0)


def test_after_a_clock_that_was_set_back_every_place_still_tells_the_same_number(harness: RunHarness) -> None:
    """Nobody knows when a fixture was read whose last read lies ahead, so it is due everywhere until it is read."""
    every = len(harness.fixture_ids())
    harness.run_all(harness.run())
    harness.move(-2 * DAY)
    assert due(harness) == every
    # Since now, not since long ago, so that no league looks stale.
    assert harness.value("SELECT min(next_due_at) > '2026-01-01' FROM football.fixtures")
    harness.run_all(harness.run())
    assert due(harness) == 0
