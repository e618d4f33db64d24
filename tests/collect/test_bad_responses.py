"""Responses that are wrong, degraded or requested differently: nothing is lost, and no change is recorded that did not
happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.collect.discover import Discovered, discover
from sportmonks.collect.plan import plan
from sportmonks.config.settings import DEFAULT_INCLUDES
from sportmonks.errors import TransientApiError
from tests.collect.conftest import DAY, HOUR, RunHarness

STORED = "SELECT fixture_id, payload, updated_at FROM raw.fixtures ORDER BY 1"
LINEUPS = "SELECT count(*) FROM football.fixture_lineups"


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


def test_an_index_that_lacks_most_fixtures_is_suspected_first_and_accepted_when_it_stays(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.box.fault("missing_ids", match={"path": "/fixtures"}, rate=1.0, ids=harness.fixture_ids()[2:])
    due = []
    for _ in range(4):
        harness.move(DAY)
        due.append(harness.planned(harness.run()).estimate.by_reason.get("gone_from_index", 0))
    assert due == [0, 0, 0, 10]


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
    due = []
    for _ in range(4):
        harness.move(DAY)
        due.append(harness.planned(harness.run()).estimate.by_reason.get("gone_from_index", 0))
    assert due == [0, 0, 0, 12]


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


def test_a_batch_that_keeps_failing_does_not_stop_the_others(harness: RunHarness) -> None:
    poisoned = harness.fixture_ids()[:3]
    for fixture_id in poisoned:
        harness.box.fault("poison", match={"fixture_id": fixture_id})
    result = harness.run_all(harness.run())
    assert result.outcomes == {"saved": 9, "failed": 3}
    failed = harness.rows(
        "SELECT id, next_due_at > last_requested_at FROM football.fixtures WHERE failed_reads = 1 ORDER BY 1"
    )
    assert failed == [(fixture_id, True) for fixture_id in poisoned]


READS = (
    "SELECT collection_status, failed_reads, next_due_at - last_requested_at FROM football.fixtures WHERE id = ANY (%s)"
)


@pytest.mark.parametrize("count", [1, 2, 5])
def test_poisoned_fixtures_that_are_due_alone_are_recorded_with_growing_delay_and_the_run_is_green(
    harness: RunHarness, count: int
) -> None:
    bad = harness.fixture_ids()[:count]
    for fixture_id in bad:
        harness.box.fault("poison", match={"fixture_id": fixture_id})
    harness.run_all(harness.run())
    hours = 1
    for reads in (2, 3, 4):
        harness.move(hours * HOUR + 1)
        run = harness.run()
        assert harness.planned(run).estimate.by_reason == {"failed": count}
        assert harness.collect(run).outcomes == {"failed": count}
        hours *= 2
        assert harness.rows(READS, bad) == [("FAILED", reads, timedelta(hours=hours))] * count
    status = "SELECT etl.close_chunk(%s, %s, %s)"
    assert harness.value(status, run.execution_id, harness.league.id, harness.season.id) == "COMPLETED"


def test_a_poisoned_fixture_alone_in_a_season_that_has_nothing_else_is_recorded(harness: RunHarness) -> None:
    bad = harness.fixture_ids()[0]
    harness.box.fault("missing_ids", match={"path": "/fixtures"}, rate=1.0, ids=harness.fixture_ids()[1:])
    harness.box.fault("poison", match={"fixture_id": bad})
    assert harness.run_all(harness.run()).outcomes == {"failed": 1}
    assert harness.rows(READS, [bad]) == [("FAILED", 1, timedelta(hours=1))]


def test_fixtures_of_a_season_that_is_down_are_not_recorded_as_failed(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.move(60)
    run = harness.run(force=True)
    assert harness.planned(run).estimate.fixtures == 12
    harness.box.fault("season_down", match={"season": harness.season.id})
    with pytest.raises(TransientApiError):
        harness.collect(run)
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE failed_reads > 0") == 0


def test_an_id_that_spoils_every_batch_is_read_at_its_own_address(harness: RunHarness) -> None:
    harness.box.fault("poison", match={"fixture_id": harness.fixture_ids()[0], "path": "multi"})
    assert harness.run_all(harness.run()).outcomes == {"saved": 12}


Failing = Callable[[Callable[[tuple[int, ...]], bool]], list[tuple[int, ...]]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Makes the calls fail whose ids the test picks; returns a list of the ids of each call."""
    real = SportmonksClient.fixtures_multi

    def fail(pick: Callable[[tuple[int, ...]], bool]) -> list[tuple[int, ...]]:
        requested: list[tuple[int, ...]] = []

        def multi(self: Any, ids: Any, *args: Any, **kwargs: Any) -> Any:
            requested.append(tuple(ids))
            if pick(tuple(ids)):
                raise TransientApiError("no use")
            return real(self, ids, *args, **kwargs)

        monkeypatch.setattr(SportmonksClient, "fixtures_multi", multi)
        return requested

    return fail


PENDING = "SELECT count(*) FROM etl.execution_fixtures WHERE status = 'PENDING'"


def test_an_api_that_is_down_fails_no_fixture_and_gets_few_calls(harness: RunHarness, failing: Failing) -> None:
    requested = failing(lambda _: True)
    run = harness.run(batch_size=1)
    harness.planned(run)
    with pytest.raises(TransientApiError, match="None of the requested fixtures came back"):
        harness.collect(run)
    assert len(requested) == 4
    assert harness.value(PENDING) == 12


def test_batches_that_keep_failing_do_not_stop_the_others_and_are_due_later(
    harness: RunHarness, failing: Failing
) -> None:
    bad = harness.fixture_ids()[:6]
    requested = failing(lambda ids: bool(set(bad) & set(ids)))
    run = harness.run(batch_size=2)
    harness.planned(run)
    assert harness.collect(run).outcomes == {"saved": 6, "failed": 6}
    # Each of the three bad batches is requested at its turn and once more after the others.
    assert len(requested) == 3 + 3 + 3
    failed = harness.rows(
        "SELECT id, next_due_at - last_requested_at FROM football.fixtures WHERE failed_reads = 1 ORDER BY 1"
    )
    assert failed == [(fixture_id, timedelta(hours=1)) for fixture_id in bad]
    bad.clear()
    harness.move(HOUR + 60)
    assert harness.run_all(harness.run()).outcomes == {"saved": 6}


def test_a_batch_that_failed_once_comes_within_the_run(harness: RunHarness, failing: Failing) -> None:
    calls = iter(range(100))
    failing(lambda _: next(calls) < 2)
    assert harness.run_all(harness.run(batch_size=2)).outcomes == {"saved": 12}


def test_an_api_that_goes_down_in_the_middle_fails_no_further_fixture(harness: RunHarness, failing: Failing) -> None:
    calls = iter(range(100))
    failing(lambda _: next(calls) not in (1, 2))  # the first fails, two come, then it is down for good
    run = harness.run(batch_size=1)
    harness.planned(run)
    with pytest.raises(TransientApiError, match="None of the requested fixtures came back"):
        harness.collect(run)
    rows = "SELECT status, count(*) FROM etl.execution_fixtures GROUP BY 1 ORDER BY 1"
    assert harness.rows(rows) == [("FAILED", 1), ("PENDING", 9), ("SAVED", 2)]


@pytest.mark.parametrize("kind", ["shuffle", "duplicate", "unknown_keys", "empty_strings", "content_type"])
def test_unusual_responses_are_stored_like_others(harness: RunHarness, kind: str) -> None:
    harness.box.fault(kind, rate=1.0)
    assert harness.run_all(harness.run()).outcomes == {"saved": 12}


def test_an_outage_of_requests_with_includes_blames_no_fixture(
    harness: RunHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Light requests still work then, so they prove nothing about fixtures that fail with their includes."""
    harness.run_all(harness.run())
    real = SportmonksClient.get

    def get(client: SportmonksClient, path: str, **given: Any) -> Any:
        if given.get("include"):
            raise TransientApiError("HTTP 504")
        return real(client, path, **given)

    harness.move(400 * DAY)
    run = harness.run(max_fixtures=5)
    harness.planned(run)
    monkeypatch.setattr(SportmonksClient, "get", get)
    with pytest.raises(TransientApiError):
        harness.collect(run)
    assert harness.value("SELECT count(*) FROM football.fixtures WHERE failed_reads > 0") == 0
