"""The estimate: the cost of a run, computed without a batch call and stored with its execution."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collect.conftest import RunHarness


def test_a_dry_run_stores_the_estimate_and_requests_nothing(harness: RunHarness) -> None:
    run = harness.run(dry_run=True)
    planned = harness.planned(run)
    estimate = planned.estimate
    assert (planned.seasons, estimate.fixtures, estimate.calls) == ((), 12, {"Fixture": 3})
    assert estimate.by_reason == {"never_collected": 12}
    assert [(row["season"], row["fixtures"], row["calls"]) for row in estimate.chunks] == [(harness.season.name, 12, 3)]
    assert harness.requested() == 0
    assert harness.value("SELECT count(*) FROM etl.execution_fixtures") == 0
    stored = harness.value("SELECT estimate FROM etl.etl_executions WHERE execution_id = %s", run.execution_id)
    assert (stored["by_reason"], stored["calls"], stored["available_now"]) == (
        estimate.by_reason,
        estimate.calls,
        estimate.available_now,
    )


@pytest.mark.parametrize(
    ("rows", "available"),
    [
        ([], 1800),  # nothing known: the default limit without its reserve
        ([("Fixture", None, 500)], 200),
        ([("Fixture", "fixtures", None), ("fixtures", None, 500)], 200),  # the API books them under another name
        ([("fixtures", None, 500)], 1800),
    ],
)
def test_the_estimate_considers_the_remaining_budget(harness: RunHarness, rows: list[Any], available: int) -> None:
    for entity, answers_as, remaining in rows:
        known = remaining is not None
        harness.conn.execute(
            "INSERT INTO etl.api_budget (connection, entity, answers_as, call_limit, remaining, resets_at)"
            " VALUES ('sportmonks_api', %s, %s, %s, %s, CASE WHEN %s THEN now() + interval '10 minutes' END)",
            (entity, answers_as, 3000 if known else None, remaining, known),
        )
    assert harness.planned(harness.run(dry_run=True)).estimate.available_now == available
