"""Fixtures that do not come: left out once, for long, deleted, outside the subscription, or back again."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.errors import OutsidePlanError, TransientApiError
from tests.collect.conftest import DAY, HOUR, RunHarness


def test_fixtures_that_the_api_omits_once_come_within_the_run(harness: RunHarness) -> None:
    harness.box.fault("no_result", match={"path": "multi"}, count=1)
    found = harness.run_all(harness.run())
    assert (found.outcomes, found.explained) == ({"saved": 12}, {"deleted": 0, "intermittent": 5, "unexplained": 0})
    assert harness.requested() == 12 + 5
    assert harness.value("SELECT count(*) FROM etl.execution_fixtures WHERE status <> 'SAVED'") == 0


def test_fixtures_that_stay_missing_are_requested_twice_in_a_run_and_then_less_often(harness: RunHarness) -> None:
    gone = harness.fixture_ids()[:2]
    harness.box.fault("missing_ids", match={"path": "multi"}, rate=1.0, ids=gone)
    found = harness.run_all(harness.run())
    assert (found.outcomes, found.explained) == (
        {"saved": 10, "missing": 2},
        {"deleted": 0, "intermittent": 0, "unexplained": 2},
    )
    assert harness.requested() == 12 + 2
    waits = "SELECT DISTINCT missing_reads, extract(epoch FROM next_due_at - last_requested_at) FROM football.fixtures"
    assert harness.rows(f"{waits} WHERE missing_reads > 0") == [(2, 2 * HOUR)]
    harness.move(2 * HOUR)
    harness.run_all(harness.run())
    assert harness.requested() == 14 + 2


@pytest.mark.parametrize("response", ["no_result", "403"])
def test_fixtures_of_a_league_outside_the_subscription_store_that_reason(harness: RunHarness, response: str) -> None:
    harness.run_all(harness.run())
    before = harness.rows("SELECT fixture_id, payload FROM raw.fixtures ORDER BY 1")
    harness.box.admin("POST", "/variants", {"outside_plan": response})
    harness.box.admin("POST", "/plan", {"leagues": [999]})
    harness.move(60)
    run = harness.run(force=True)
    harness.planned(run)
    found = harness.collect(run)
    assert (found.outcomes, found.explained) == (
        {"missing": 12},
        {"deleted": 0, "outside_plan": 12, "unexplained": 0},
    )
    assert harness.rows("SELECT DISTINCT last_error FROM football.fixtures") == [
        (f"The subscription does not cover {harness.league.name} ({harness.league.id}) any more.",)
    ]
    assert harness.rows("SELECT fixture_id, payload FROM raw.fixtures ORDER BY 1") == before
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE deleted_at IS NOT NULL") == 0


def test_a_season_outside_the_subscription_says_so(harness: RunHarness, monkeypatch: pytest.MonkeyPatch) -> None:
    """The API answers with an empty list, or refuses it."""
    complete = f"SELECT complete, reason FROM football.season_complete({harness.season.id})"
    harness.box.admin("POST", "/plan", {"leagues": [999]})
    harness.planned(harness.run())
    assert harness.rows(complete) == [
        (False, "its list of fixtures was empty, which is believed only if it persists"),
    ]
    harness.conn.execute("DELETE FROM etl.chunks")
    with monkeypatch.context() as patch:
        refusal = OutsidePlanError("GET fixtures: 403, code 5007", hint="")
        patch.setattr(SportmonksClient, "season_index", Mock(side_effect=refusal))
        harness.planned(harness.run())
    assert harness.rows(complete) == [
        (
            False,
            "its list of fixtures has not been read; its last run: The subscription does not cover this season:"
            " GET fixtures: 403, code 5007",
        )
    ]
    harness.box.admin("POST", "/plan", {"leagues": None})
    harness.move(DAY)
    harness.run_all(harness.run())
    assert harness.rows(f"SELECT collected, reason FROM football.season_complete({harness.season.id})") == [(12, None)]


def test_a_second_request_that_fails_does_not_fail_the_chunk(harness: RunHarness) -> None:
    run = harness.run()
    harness.planned(run)
    harness.box.fault("missing_ids", match={"path": "multi"}, count=1, ids=harness.fixture_ids()[:1])
    real, requested = SportmonksClient.fixtures_multi, []

    def failing(self: Any, ids: Any, *args: Any, **kwargs: Any) -> Any:
        requested.append(tuple(ids))
        if len(requested) > 3:
            raise TransientApiError("no use")
        return real(self, ids, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SportmonksClient, "fixtures_multi", failing)
        assert harness.collect(run).outcomes == {"saved": 11, "missing": 1}
    # The second request for the missing one, and that for one that came, which would tell that the API works.
    assert requested[3] == (harness.fixture_ids()[0],)
    assert [len(ids) for ids in requested[4:]] == [1]


def test_a_deleted_fixture_is_explained_even_if_the_list_of_deletions_comes_late(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    gone = harness.box.admin("POST", "/deletions", {"n": 1, "season": harness.season.id})["deleted"][0]["fixture_id"]
    status = "SELECT collection_status FROM football.fixtures WHERE id = %s"
    harness.move(60)
    fault = harness.box.fault("no_result", match={"path": "/fixtures"}, rate=1.0)
    run = harness.run(force=True)
    harness.run_all(run)
    assert harness.value(status, gone) == "COLLECTED"
    harness.box.admin("DELETE", f"/faults/{fault}")
    harness.move(2 * HOUR)
    harness.run_all(harness.run())
    assert harness.value(status, gone) == "DELETED"
    assert harness.value("SELECT count(*) FROM football.fixture_scores WHERE fixture_id = %s", gone) > 0


def test_a_tombstone_that_comes_back_is_read_again(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    back = harness.fixture_ids()[0]
    harness.conn.execute(
        "UPDATE football.fixtures SET collection_status = 'DELETED', state_id = 20, deleted_at = now(),"
        " next_due_at = NULL WHERE id = %s",
        (back,),
    )
    harness.move(DAY)
    assert harness.run_all(harness.run()).outcomes.get("saved", 0) + harness.requested() > 12
    row = harness.rows("SELECT collection_status, state_id, deleted_at FROM football.fixtures WHERE id = %s", back)
    assert row == [("COLLECTED", 5, None)]
