"""Includes that do not exist, that the plan refuses, and runs with fewer or more of them: nothing is lost, and no
change is recorded that did not happen."""

from __future__ import annotations

import pytest

from sportmonks.collect.plan import plan
from sportmonks.config.settings import DEFAULT_INCLUDES
from sportmonks.errors import UnknownIncludeError
from tests.collect.conftest import RunHarness

STORED = "SELECT fixture_id, payload, updated_at FROM raw.fixtures ORDER BY 1"
LINEUPS = "SELECT count(*) FROM football.fixture_lineups"


@pytest.mark.parametrize(
    ("include", "words"),
    [
        ("foo", "There is no include 'foo'"),
        ("scoers", "Did you mean scores?"),
        ("lineups.detials", "Did you mean lineups.details?"),
        ("player", "is not offered there"),
    ],
)
def test_an_unknown_include_stops_the_run_before_its_work(harness: RunHarness, include: str, words: str) -> None:
    run = harness.run(includes=["participants", include])
    with pytest.raises(UnknownIncludeError, match=words.replace("?", r"\?")):
        harness.planned(run)
    calls = harness.box.calls()
    assert (calls["total"], calls["fixtures_requested"]) == (2, 0)
    assert harness.value("SELECT count(*) FROM football.fixtures") == 0


def test_what_the_plan_refuses_is_left_out(harness: RunHarness) -> None:
    run = harness.run(includes=["participants", "scores", "odds"])
    assert harness.run_all(run).outcomes["saved"] == 12
    assert run.client().forbidden_includes == {("Fixture", "odds")}
    assert harness.value("SELECT DISTINCT includes FROM raw.fixtures") == ["participants", "scores"]


def test_fewer_includes_are_no_correction_and_remove_nothing(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    lineups, raw = (
        harness.value(LINEUPS),
        harness.rows(STORED),
    )
    harness.move(1)
    harness.run_all(harness.run(force=True, includes=["scores"]))
    assert harness.value(LINEUPS) == lineups
    assert harness.value("SELECT count(*) FROM etl.fixture_changes") == 0
    # Nothing new came: the stored payload is not even touched.
    assert harness.rows(STORED) == raw
    # A read with fewer includes makes nothing due.
    harness.move(1)
    assert plan(harness.run()).estimate.by_reason == {}


def test_an_include_added_later_is_fetched_for_all_and_is_no_correction(harness: RunHarness) -> None:
    harness.run_all(harness.run(includes=["participants", "scores"]))
    assert harness.value(LINEUPS) == 0
    harness.move(60)
    assert harness.run_all(harness.run()).outcomes == {"saved": 12}
    assert harness.value(LINEUPS) > 0
    assert harness.value("SELECT count(*) FROM etl.fixture_changes") == 0
    harness.move(60)
    assert plan(harness.run()).estimate.fixtures == 0


def test_a_correction_after_a_read_with_fewer_includes_is_still_recorded(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.move(60)
    harness.run_all(harness.run(force=True, includes=["participants"]))
    corrected = harness.box.admin(
        "POST", "/corrections", {"n": 1, "season": harness.season.id, "kinds": ["statistic_changed"]}
    )["corrections"]
    harness.move(60)
    harness.run_all(harness.run(force=True))
    recorded = harness.rows("SELECT fixture_id, section FROM etl.fixture_changes")
    assert (corrected[0]["fixture_id"], "statistics") in recorded
    assert {fixture_id for fixture_id, _ in recorded} == {corrected[0]["fixture_id"]}


def test_an_include_that_the_subscription_refuses_leaves_its_rows_and_the_others_come(
    harness: RunHarness,
) -> None:
    harness.run_all(harness.run())
    lineups = harness.value(LINEUPS)
    harness.box.fault("forbidden_include", include="lineups")
    harness.move(60)
    assert harness.run_all(harness.run(force=True)).outcomes == {"unchanged": 12}
    assert harness.value(LINEUPS) == lineups
    assert harness.value("SELECT count(*) FROM raw.fixtures WHERE payload ? 'lineups'") == 12
    assert harness.value("SELECT count(*) FROM raw.fixtures WHERE includes @> %s", list(DEFAULT_INCLUDES)) == 12


def test_emptied_lineups_after_a_read_with_fewer_includes_are_held_back(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    lineups = harness.value(LINEUPS)
    harness.move(60)
    harness.run_all(harness.run(force=True, includes=["participants", "scores"]))
    harness.box.fault("degraded", rate=1.0, drop=["lineups"])
    harness.move(60)
    assert harness.run_all(harness.run(force=True)).outcomes == {"held": 12}
    assert harness.value(LINEUPS) == lineups
