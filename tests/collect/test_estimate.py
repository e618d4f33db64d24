"""The estimate: what a run would cost, told without a batch call and kept with its execution."""

from __future__ import annotations

from typing import Any

import pytest

from tests.collect.conftest import Desk


def test_a_dry_run_tells_the_price_keeps_it_and_asks_for_nothing(desk: Desk) -> None:
    run = desk.run(dry_run=True)
    planned = desk.planned(run)
    estimate = planned.estimate
    assert (planned.seasons, estimate.fixtures, estimate.calls) == ((), 12, {"Fixture": 3})
    assert estimate.by_reason == {"never_collected": 12}
    assert [(row["season"], row["fixtures"], row["calls"]) for row in estimate.chunks] == [(desk.season.name, 12, 3)]
    assert desk.asked() == 0
    assert desk.value("SELECT count(*) FROM etl.execution_fixtures") == 0
    stored = desk.value("SELECT estimate FROM etl.etl_executions WHERE execution_id = %s", run.execution_id)
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
def test_the_quote_counts_with_what_the_budget_holds(desk: Desk, rows: list[Any], available: int) -> None:
    for entity, answers_as, remaining in rows:
        known = remaining is not None
        desk.conn.execute(
            "INSERT INTO etl.api_budget (connection, entity, answers_as, call_limit, remaining, resets_at)"
            " VALUES ('sportmonks_api', %s, %s, %s, %s, CASE WHEN %s THEN now() + interval '10 minutes' END)",
            (entity, answers_as, 3000 if known else None, remaining, known),
        )
    assert desk.planned(desk.run(dry_run=True)).estimate.available_now == available
