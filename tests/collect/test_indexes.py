"""Season indexes that fail, lack rows, list nothing or another season: nothing is lost or counts as gone."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.collect.discover import Discovered, discover
from sportmonks.collect.plan import plan
from sportmonks.errors import TransientApiError
from tests.collect.conftest import DAY, RunHarness


def gone_by_day(harness: RunHarness) -> list[int]:
    """How many fixtures are due on each of four days because they are gone from the index."""
    due = []
    for _ in range(4):
        harness.move(DAY)
        due.append(harness.planned(harness.run()).estimate.by_reason.get("gone_from_index", 0))
    return due


def test_an_index_that_lacks_most_fixtures_is_suspected_first_and_accepted_when_it_stays(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.box.fault("missing_ids", match={"path": "/fixtures"}, rate=1.0, ids=harness.fixture_ids()[2:])
    assert gone_by_day(harness) == [0, 0, 0, 10]


def test_a_season_whose_index_fails_collects_what_is_known_and_reads_the_index_itself(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    harness.run_all(harness.run())
    new = harness.fixture_ids()[0]
    harness.conn.execute("DELETE FROM football.fixtures WHERE id = %s", (new,))
    harness.conn.execute("DELETE FROM raw.fixtures WHERE fixture_id = %s", (new,))
    harness.move(400 * DAY)  # the others are aged by now

    def failing(*_: Any, **__: Any) -> Any:
        raise TransientApiError("no index today")

    run = harness.run()
    with monkeypatch.context() as patch:
        patch.setattr(SportmonksClient, "season_index", failing)
        failed = discover(run).failed
        assert list(failed) == [harness.season.id]
        assert plan(run, list(failed)).estimate.by_reason == {"aged": 11}
        # Still no index: known fixtures are read all the same, and the chunk stores the reason.
        with pytest.raises(TransientApiError, match="no index today"):
            harness.collect(run)
    reasons = "SELECT status, count(*) FROM etl.execution_fixtures WHERE execution_id = %s GROUP BY 1"
    assert harness.rows(reasons, run.execution_id) == [("UNCHANGED", 11)]
    error = "SELECT error_message FROM etl.execution_chunks WHERE execution_id = %s"
    assert harness.value(error, run.execution_id) == "no index today"
    requested = harness.requested()
    assert harness.collect(run).outcomes == {"saved": 1}
    assert harness.requested() == requested + 1
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE collection_status = 'COLLECTED'") == 12


def test_an_empty_index_marks_no_fixture_as_gone(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.box.fault("no_result", rate=1.0)
    harness.move(DAY)
    assert harness.planned(harness.run()).estimate.by_reason.get("gone_from_index", 0) == 0


def test_a_first_index_without_rows_is_requested_again_in_the_run(harness: RunHarness) -> None:
    harness.box.fault("empty_index", count=1)
    run = harness.run()
    found = discover(run)
    assert (found.suspected, found.seasons[harness.season.id]["listed"]) == ((), 12)
    assert plan(run).estimate.by_reason == {"never_collected": 12}


@pytest.mark.parametrize("times", [1, 2])
def test_a_part_of_a_first_index_is_not_taken_for_all_of_it(harness: RunHarness, times: int) -> None:
    """Its pagination counts the rows of the page. Once: the page is requested again; twice: the index is."""
    harness.box.fault("short_page", match={"path": "/fixtures"}, count=times)
    before = harness.box.calls()["total"]
    found = discover(harness.run())
    assert (found.suspected, harness.value("SELECT count(*) FROM football.fixtures")) == ((), 12)
    assert harness.box.calls()["total"] == before + times + 1


def test_an_index_that_stays_short_of_its_own_count_is_suspected_until_it_is_believed(harness: RunHarness) -> None:
    harness.box.fault("short_page", match={"path": "/fixtures"}, rate=1.0)
    suspected = []
    for _ in range(4):
        suspected.append(discover(harness.run()).suspected)
        harness.move(DAY)
    assert suspected == [(harness.season.id,)] * 3 + [()]
    assert harness.value("SELECT count(*) FROM football.fixtures") == 6


def test_a_first_index_that_stays_empty_is_requested_in_later_runs_until_it_is_believed(harness: RunHarness) -> None:
    fault = harness.box.fault("empty_index", rate=1.0)
    run = harness.run(seasons=[])
    assert discover(run).suspected == (harness.season.id,)
    # After a wait or a retry of the same run, it is not requested a third time.
    assert discover(run) == Discovered()
    state = "SELECT indexed_at IS NULL, doubtful_indexes FROM etl.chunks"
    assert harness.rows(state) == [(True, 1)]
    harness.move(DAY)
    discover(harness.run(seasons=[]))
    assert harness.rows(state) == [(True, 2)]
    harness.box.admin("DELETE", f"/faults/{fault}")
    harness.move(60)
    assert harness.planned(harness.run(seasons=[])).estimate.by_reason == {"never_collected": 12}
    assert harness.rows(state) == [(False, 0)]


def test_fixtures_of_a_season_whose_index_stays_empty_are_requested_and_found_out(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.box.fault("empty_index", rate=1.0)
    assert gone_by_day(harness) == [0, 0, 0, 12]


def test_an_index_of_another_season_is_requested_again_in_the_run(
    harness: RunHarness, caplog: pytest.LogCaptureFixture
) -> None:
    harness.box.fault("wrong_place", match={"path": "/fixtures"}, count=1)
    run = harness.run()
    found = discover(run)
    assert (found.suspected, found.seasons[harness.season.id]["listed"]) == ((), 12)
    assert plan(run).estimate.by_reason == {"never_collected": 12}
    assert f"The index of {harness.season.name} lists 12 fixtures of other seasons" in caplog.text


def test_an_index_that_stays_that_of_another_season_leaves_all_where_it_is(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.box.fault("wrong_place", match={"path": "/fixtures"}, fields=["league_id"], rate=1.0)
    seen = []
    for _ in range(4):
        harness.move(DAY)
        run = harness.run()
        found = discover(run)
        seen.append((found.suspected == (harness.season.id,), plan(run).estimate.by_reason.get("gone_from_index", 0)))
    # In the end it counts as one without any row, and each fixture is requested by its id.
    assert seen == [(True, 0)] * 3 + [(False, 12)]
    places = "SELECT DISTINCT league_id, season_id FROM football.fixtures"
    assert harness.rows(places) == [(harness.league.id, harness.season.id)]
