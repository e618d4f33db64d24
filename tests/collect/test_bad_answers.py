"""Answers that are wrong, poorer or asked for differently: nothing is lost, nothing is told that did not happen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.collect.discover import discover
from sportmonks.collect.plan import plan
from sportmonks.config.settings import DEFAULT_INCLUDES
from sportmonks.errors import TransientApiError
from tests.collect.conftest import DAY, HOUR, Desk

LINEUPS = "SELECT count(*) FROM football.fixture_lineups"


def test_fewer_includes_are_no_correction_and_take_nothing_away(desk: Desk) -> None:
    desk.whole(desk.run())
    lineups, raw = desk.value(LINEUPS), desk.rows("SELECT fixture_id, payload, updated_at FROM raw.fixtures ORDER BY 1")
    desk.move(1)
    desk.whole(desk.run(force=True, includes=["scores"]))
    assert desk.value(LINEUPS) == lineups
    assert desk.value("SELECT count(*) FROM etl.fixture_changes") == 0
    # Nothing new came: the stored payload is not even touched.
    assert desk.rows("SELECT fixture_id, payload, updated_at FROM raw.fixtures ORDER BY 1") == raw
    # But the reading was not a whole one: the next ordinary run makes it good.
    desk.move(1)
    assert plan(desk.run()).estimate.by_reason == {"includes_added": 12}


def test_an_include_added_later_is_fetched_for_all_and_is_no_correction(desk: Desk) -> None:
    desk.whole(desk.run(includes=["participants", "scores"]))
    assert desk.value(LINEUPS) == 0
    desk.move(60)
    assert desk.whole(desk.run()).outcomes == {"saved": 12}
    assert desk.value(LINEUPS) > 0
    assert desk.value("SELECT count(*) FROM etl.fixture_changes") == 0
    desk.move(60)
    assert plan(desk.run()).estimate.fixtures == 0


def test_a_correction_after_a_reading_with_fewer_includes_is_still_told(desk: Desk) -> None:
    desk.whole(desk.run())
    desk.move(60)
    desk.whole(desk.run(force=True, includes=["participants"]))
    corrected = desk.box.admin(
        "POST", "/corrections", {"n": 1, "season": desk.season.id, "kinds": ["statistic_changed"]}
    )["corrections"]
    desk.move(60)
    desk.whole(desk.run())
    told = desk.rows("SELECT fixture_id, section FROM etl.fixture_changes")
    assert (corrected[0]["fixture_id"], "statistics") in told
    assert {fixture_id for fixture_id, _ in told} == {corrected[0]["fixture_id"]}


def test_an_include_the_plan_refuses_leaves_its_rows_and_the_other_sections_come(desk: Desk) -> None:
    desk.whole(desk.run())
    lineups = desk.value(LINEUPS)
    desk.box.fault("forbidden_include", include="lineups")
    desk.move(60)
    assert desk.whole(desk.run(force=True)).outcomes == {"unchanged": 12}
    assert desk.value(LINEUPS) == lineups
    assert desk.value("SELECT count(*) FROM raw.fixtures WHERE payload ? 'lineups'") == 12
    assert desk.value("SELECT count(*) FROM raw.fixtures WHERE includes @> %s", list(DEFAULT_INCLUDES)) == 12


def test_emptied_lineups_after_a_narrow_reading_are_held_back_all_the_same(desk: Desk) -> None:
    desk.whole(desk.run())
    lineups = desk.value(LINEUPS)
    desk.move(60)
    desk.whole(desk.run(force=True, includes=["participants", "scores"]))
    desk.box.fault("degraded", rate=1.0, drop=["lineups"])
    desk.move(60)
    assert desk.whole(desk.run()).outcomes == {"held": 12}
    assert desk.value(LINEUPS) == lineups


def test_a_poorer_answer_is_believed_once_it_persists(desk: Desk) -> None:
    desk.whole(desk.run())
    lineups = desk.value(LINEUPS)
    fault = desk.box.fault("degraded", rate=1.0, drop=["lineups"])
    desk.move(60)
    outcomes = [desk.whole(desk.run(force=True)).outcomes]
    for _ in range(3):
        assert desk.value(LINEUPS) == lineups
        desk.move(HOUR + 60)
        outcomes.append(desk.whole(desk.run()).outcomes)
    assert outcomes == [{"held": 12}] * 3 + [{"saved": 12}]
    assert desk.value(LINEUPS) == 0
    desk.box.admin("DELETE", f"/faults/{fault}")


def test_an_index_that_lacks_most_fixtures_is_doubted_first_and_believed_when_it_stays(desk: Desk) -> None:
    desk.whole(desk.run())
    desk.box.fault("missing_ids", match={"path": "/fixtures"}, rate=1.0, ids=desk.fixture_ids()[2:])
    due = []
    for _ in range(4):
        desk.move(DAY)
        due.append(desk.planned(desk.run()).estimate.by_reason.get("gone_from_index", 0))
    assert due == [0, 0, 0, 10]


def test_a_season_whose_index_fails_collects_what_is_known_and_reads_the_index_itself(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.whole(desk.run())
    new = desk.fixture_ids()[0]
    desk.conn.execute("DELETE FROM football.fixtures WHERE id = %s", (new,))
    desk.conn.execute("DELETE FROM raw.fixtures WHERE fixture_id = %s", (new,))
    desk.move(400 * DAY)  # the others are aged by now

    def failing(*_: Any, **__: Any) -> Any:
        raise TransientApiError("no index today")

    run = desk.run()
    with monkeypatch.context() as patch:
        patch.setattr(SportmonksClient, "season_index", failing)
        failed = discover(run).failed
        assert list(failed) == [desk.season.id]
        assert plan(run, list(failed)).estimate.by_reason == {"aged": 11}
        # Still no index: what is known is read all the same, and the chunk says what is wrong.
        with pytest.raises(TransientApiError, match="no index today"):
            desk.collect(run)
    reasons = "SELECT status, count(*) FROM etl.execution_fixtures WHERE execution_id = %s GROUP BY 1"
    assert desk.rows(reasons, run.execution_id) == [("UNCHANGED", 11)]
    error = "SELECT error_message FROM etl.execution_chunks WHERE execution_id = %s"
    assert desk.value(error, run.execution_id) == "no index today"
    asked = desk.asked()
    assert desk.collect(run).outcomes == {"saved": 1}
    assert desk.asked() == asked + 1
    assert desk.value("SELECT count(*) FROM football.fixtures WHERE collection_status = 'COLLECTED'") == 12


def test_an_empty_index_says_nothing(desk: Desk) -> None:
    desk.whole(desk.run())
    desk.box.fault("no_result", rate=1.0)
    desk.move(DAY)
    assert desk.planned(desk.run()).estimate.by_reason.get("gone_from_index", 0) == 0


def test_fixtures_that_the_api_forgets_for_a_moment_come_within_the_run(desk: Desk) -> None:
    desk.box.fault("no_result", match={"path": "multi"}, count=1)
    found = desk.whole(desk.run())
    assert (found.outcomes, found.explained) == ({"saved": 12}, {"deleted": 0, "intermittent": 5, "unexplained": 0})
    assert desk.asked() == 12 + 5
    assert desk.value("SELECT count(*) FROM etl.execution_fixtures WHERE status <> 'SAVED'") == 0


def test_fixtures_that_stay_away_are_asked_for_twice_in_a_run_and_then_more_rarely(desk: Desk) -> None:
    gone = desk.fixture_ids()[:2]
    desk.box.fault("missing_ids", match={"path": "multi"}, rate=1.0, ids=gone)
    found = desk.whole(desk.run())
    assert (found.outcomes, found.explained) == (
        {"saved": 10, "missing": 2},
        {"deleted": 0, "intermittent": 0, "unexplained": 2},
    )
    assert desk.asked() == 12 + 2
    waits = "SELECT DISTINCT missing_reads, extract(epoch FROM next_due_at - last_requested_at) FROM football.fixtures"
    assert desk.rows(f"{waits} WHERE missing_reads > 0") == [(2, 2 * HOUR)]
    desk.move(2 * HOUR)
    desk.whole(desk.run())
    assert desk.asked() == 14 + 2


@pytest.mark.parametrize("answer", ["no_result", "403"])
def test_fixtures_of_a_league_that_has_left_the_plan_say_so(desk: Desk, answer: str) -> None:
    desk.whole(desk.run())
    before = desk.rows("SELECT fixture_id, payload FROM raw.fixtures ORDER BY 1")
    desk.box.admin("POST", "/variants", {"outside_plan": answer})
    desk.box.admin("POST", "/plan", {"leagues": [999]})
    desk.move(60)
    run = desk.run(force=True)
    desk.planned(run)
    found = desk.collect(run)
    assert (found.outcomes, found.explained) == (
        {"missing": 12},
        {"deleted": 0, "outside_plan": 12, "unexplained": 0},
    )
    assert desk.rows("SELECT DISTINCT last_error FROM football.fixtures") == [
        (f"The subscription does not cover {desk.league.name} ({desk.league.id}) any more.",)
    ]
    assert desk.rows("SELECT fixture_id, payload FROM raw.fixtures ORDER BY 1") == before
    assert desk.value("SELECT count(*) FROM football.fixtures WHERE deleted_at IS NOT NULL") == 0


def test_a_second_look_that_fails_costs_the_chunk_nothing(desk: Desk) -> None:
    run = desk.run()
    desk.planned(run)
    desk.box.fault("missing_ids", match={"path": "multi"}, count=1, ids=desk.fixture_ids()[:1])
    real, asked = SportmonksClient.fixtures_multi, []

    def tiring(self: Any, ids: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(tuple(ids))
        if len(asked) > 3:
            raise TransientApiError("no use")
        return real(self, ids, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(SportmonksClient, "fixtures_multi", tiring)
        assert desk.collect(run).outcomes == {"saved": 11, "missing": 1}
    assert asked[3:] == [(desk.fixture_ids()[0],)]


def test_a_deleted_fixture_is_explained_even_if_the_list_of_deletions_came_late(desk: Desk) -> None:
    desk.whole(desk.run())
    gone = desk.box.admin("POST", "/deletions", {"n": 1, "season": desk.season.id})["deleted"][0]["fixture_id"]
    status = "SELECT collection_status FROM football.fixtures WHERE id = %s"
    desk.move(60)
    fault = desk.box.fault("no_result", match={"path": "/fixtures"}, rate=1.0)
    run = desk.run(force=True)
    desk.whole(run)
    assert desk.value(status, gone) == "COLLECTED"
    desk.box.admin("DELETE", f"/faults/{fault}")
    desk.move(2 * HOUR)
    desk.whole(desk.run())
    assert desk.value(status, gone) == "DELETED"
    assert desk.value("SELECT count(*) FROM football.fixture_scores WHERE fixture_id = %s", gone) > 0


def test_a_tombstone_that_comes_back_is_read_again(desk: Desk) -> None:
    desk.whole(desk.run())
    back = desk.fixture_ids()[0]
    desk.conn.execute(
        "UPDATE football.fixtures SET collection_status = 'DELETED', state_id = 20, deleted_at = now(),"
        " next_due_at = NULL WHERE id = %s",
        (back,),
    )
    desk.move(DAY)
    assert desk.whole(desk.run()).outcomes.get("saved", 0) + desk.asked() > 12
    row = desk.rows("SELECT collection_status, state_id, deleted_at FROM football.fixtures WHERE id = %s", back)
    assert row == [("COLLECTED", 5, None)]


def test_a_batch_that_keeps_failing_does_not_keep_the_others(desk: Desk) -> None:
    poisoned = desk.fixture_ids()[:3]
    for fixture_id in poisoned:
        desk.box.fault("poison", match={"fixture_id": fixture_id})
    result = desk.whole(desk.run())
    assert result.outcomes == {"saved": 9, "failed": 3}
    failed = desk.rows(
        "SELECT id, next_due_at > last_requested_at FROM football.fixtures WHERE failed_reads = 1 ORDER BY 1"
    )
    assert failed == [(fixture_id, True) for fixture_id in poisoned]


Failing = Callable[[Callable[[tuple[int, ...]], bool]], list[tuple[int, ...]]]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Makes calls fail as a whole whose ids the test picks; lists what was asked for."""
    real = SportmonksClient.fixtures_multi

    def fail(pick: Callable[[tuple[int, ...]], bool]) -> list[tuple[int, ...]]:
        asked: list[tuple[int, ...]] = []

        def multi(self: Any, ids: Any, *args: Any, **kwargs: Any) -> Any:
            asked.append(tuple(ids))
            if pick(tuple(ids)):
                raise TransientApiError("no use")
            return real(self, ids, *args, **kwargs)

        monkeypatch.setattr(SportmonksClient, "fixtures_multi", multi)
        return asked

    return fail


PENDING = "SELECT count(*) FROM etl.execution_fixtures WHERE status = 'PENDING'"


def test_an_api_that_is_down_is_nobodys_fault_and_soon_left_alone(desk: Desk, failing: Failing) -> None:
    asked = failing(lambda _: True)
    run = desk.run(batch_size=1)
    desk.planned(run)
    with pytest.raises(TransientApiError, match="No fixture that was asked for came back"):
        desk.collect(run)
    assert len(asked) == 4
    assert desk.value(PENDING) == 12


def test_batches_that_keep_failing_do_not_keep_the_others_and_come_after_them_next_time(
    desk: Desk, failing: Failing
) -> None:
    bad = desk.fixture_ids()[:6]
    asked = failing(lambda ids: bool(set(bad) & set(ids)))
    run = desk.run(batch_size=2)
    desk.planned(run)
    assert desk.collect(run).outcomes == {"saved": 6, "failed": 6}
    # Each of the three once at its turn and once behind the others.
    assert len(asked) == 3 + 3 + 3
    failed = desk.rows(
        "SELECT id, next_due_at - last_requested_at FROM football.fixtures WHERE failed_reads = 1 ORDER BY 1"
    )
    assert failed == [(fixture_id, timedelta(hours=1)) for fixture_id in bad]
    bad.clear()
    desk.move(HOUR + 60)
    assert desk.whole(desk.run()).outcomes == {"saved": 6}


def test_a_batch_that_failed_for_a_moment_comes_within_the_run(desk: Desk, failing: Failing) -> None:
    calls = iter(range(100))
    failing(lambda _: next(calls) < 2)
    assert desk.whole(desk.run(batch_size=2)).outcomes == {"saved": 12}


def test_an_api_that_goes_down_in_the_middle_is_blamed_on_no_fixture(desk: Desk, failing: Failing) -> None:
    calls = iter(range(100))
    failing(lambda _: next(calls) not in (1, 2))  # the first fails, two come, then it is down for good
    run = desk.run(batch_size=1)
    desk.planned(run)
    with pytest.raises(TransientApiError, match="No fixture that was asked for came back"):
        desk.collect(run)
    rows = "SELECT status, count(*) FROM etl.execution_fixtures GROUP BY 1 ORDER BY 1"
    assert desk.rows(rows) == [("FAILED", 1), ("PENDING", 9), ("SAVED", 2)]


@pytest.mark.parametrize("kind", ["shuffle", "duplicate", "unknown_keys", "empty_strings", "content_type"])
def test_odd_answers_are_stored_like_others(desk: Desk, kind: str) -> None:
    desk.box.fault(kind, rate=1.0)
    assert desk.whole(desk.run()).outcomes == {"saved": 12}
