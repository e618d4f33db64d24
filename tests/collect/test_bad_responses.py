"""Payloads that are degraded, empty or written otherwise: nothing is lost."""

from __future__ import annotations

import pytest

from tests.collect.conftest import HOUR, RunHarness

LINEUPS = "SELECT count(*) FROM football.fixture_lineups"


def test_a_degraded_response_is_accepted_once_it_persists(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    lineups = harness.value(LINEUPS)
    fault = harness.box.fault("degraded", rate=1.0, drop=["lineups"])
    harness.move(60)
    outcomes = [harness.run_all(harness.run(force=True)).outcomes]
    for _ in range(3):
        assert harness.value(LINEUPS) == lineups
        harness.move(HOUR + 60)
        outcomes.append(harness.run_all(harness.run()).outcomes)
    assert outcomes == [{"held": 12}] * 3 + [{"saved": 12}]
    assert harness.value(LINEUPS) == 0
    harness.box.admin("DELETE", f"/faults/{fault}")


@pytest.mark.parametrize("batch_size", [1, 5])
def test_first_payloads_whose_lists_are_all_empty_are_read_again_soon(harness: RunHarness, batch_size: int) -> None:
    harness.box.fault("empty_lists", rate=1.0)
    harness.run_all(harness.run(batch_size=batch_size))
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE suspected_at IS NOT NULL") == 12
    harness.box.admin("DELETE", "/faults")
    harness.move(HOUR)
    run = harness.run(batch_size=batch_size)
    assert harness.planned(run).estimate.by_reason == {"held": 12}
    assert harness.collect(run).outcomes == {"saved": 12}
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE home_goals IS NULL") == 0
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE suspected_at IS NOT NULL OR held_reads > 0") == 0


def test_first_payloads_of_another_season_are_read_again_soon(harness: RunHarness) -> None:
    harness.box.fault("wrong_place", match={"path": "multi"}, rate=1.0)
    places = "SELECT DISTINCT season_id FROM football.fixtures"
    assert harness.run_all(harness.run()).outcomes == {"saved": 12}
    assert harness.rows(places) == [(harness.season.id,)]
    harness.box.admin("DELETE", "/faults")
    harness.move(HOUR)
    run = harness.run()
    assert harness.planned(run).estimate.by_reason == {"held": 12}
    assert harness.collect(run).outcomes == {"saved": 12}
    assert harness.rows(places) == [(harness.season.id,)]
    assert harness.value("SELECT count(*) FROM football.suspected_fixtures") == 0


@pytest.mark.parametrize("kind", ["shuffle", "duplicate", "unknown_keys", "empty_strings", "content_type"])
def test_unusual_responses_are_stored_like_others(harness: RunHarness, kind: str) -> None:
    harness.box.fault(kind, rate=1.0)
    assert harness.run_all(harness.run()).outcomes == {"saved": 12}
