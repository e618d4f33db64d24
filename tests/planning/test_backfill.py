"""The days of a run that Airflow's Backfill made."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any

import pytest

from sportmonks.planning.backfill import days_of, run_parameters

DAILY, WEEKLY = "20 5 * * *", "0 6 * * 1"
BERLIN = timezone(timedelta(hours=2))


@pytest.mark.parametrize(
    ("at", "schedule", "days"),
    [
        ("2024-02-28T05:20:00+00:00", DAILY, ("2024-02-28", "2024-02-28")),
        ("2024-02-26T06:00:00+00:00", WEEKLY, ("2024-02-26", "2024-03-03")),
        ("2024-02-01T00:00:00+00:00", "@monthly", ("2024-02-01", "2024-02-29")),
        ("2024-02-28T12:00:00+00:00", "0 */6 * * *", ("2024-02-28", "2024-02-28")),
        ("2024-02-29T01:20:00+02:00", DAILY, ("2024-02-28", "2024-02-28")),
        ("2024-02-28T05:20:00+00:00", None, ("2024-02-28", "2024-02-28")),
        ("2024-02-28T05:20:00+00:00", "@continuous", ("2024-02-28", "2024-02-28")),
    ],
)
def test_a_run_stands_for_the_days_until_the_next_time_of_its_schedule(
    at: str, schedule: str | None, days: tuple[str, str]
) -> None:
    first, last = days_of(datetime.fromisoformat(at), schedule)
    assert (first.isoformat(), last.isoformat()) == days


@pytest.mark.parametrize("schedule", [DAILY, WEEKLY, "@monthly", "0 5 */3 * *", "30 23 * * *"])
def test_the_runs_of_a_backfill_cover_every_day_once(schedule: str) -> None:
    from croniter import croniter  # type: ignore[import-untyped]

    times = croniter(schedule, datetime(2023, 12, 31, 23, 59, tzinfo=UTC))
    covered: list[date] = []
    for _ in range(30):
        first, last = days_of(times.get_next(datetime), schedule)
        covered += [first + timedelta(days=number) for number in range((last - first).days + 1)]
    assert covered == [covered[0] + timedelta(days=number) for number in range(len(covered))]


def run(run_type: str, at: datetime | None) -> Any:
    return SimpleNamespace(run_type=run_type, logical_date=at)


AT = datetime(2024, 2, 28, 5, 20, tzinfo=UTC)
DAY = {"date_from": "2024-02-28", "date_to": "2024-02-28"}


@pytest.mark.parametrize(
    ("params", "made_by", "expected"),
    [
        ({"force": True, "date_from": None, "date_to": None}, run("backfill", AT), {"force": True, **DAY}),
        ({"date_from": ""}, run("backfill", AT), DAY),
        ({}, run("manual", AT), {}),
        ({}, run("scheduled", AT), {}),
        ({}, run("manual", None), {}),
        # Dates that were given with the Backfill hold for all of its runs.
        ({"date_from": "2024-01-01"}, run("backfill", AT), {"date_from": "2024-01-01"}),
        ({"date_to": "2024-01-01"}, run("backfill", AT), {"date_to": "2024-01-01"}),
    ],
)
def test_only_a_backfill_without_dates_gets_the_days_of_its_runs(
    params: dict[str, Any], made_by: Any, expected: dict[str, Any]
) -> None:
    given = dict(params)
    assert run_parameters(params, made_by, DAILY) == expected
    assert params == given
