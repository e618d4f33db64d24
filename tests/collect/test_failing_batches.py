"""Batches that fail: the others come, and no fixture is blamed for an API that is down."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from sportmonks.api.client import SportmonksClient
from sportmonks.errors import TransientApiError
from tests.collect.conftest import DAY, HOUR, RunHarness


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
