"""The days that a run of Airflow's Backfill stands for, as parameters of the run.

Airflow makes one run per time of the schedule between the two dates of its Backfill dialog. Such a run has no form of
its own, so it gets as its period the days from its own time to the day before the next time of the schedule: the runs
of a Backfill together cover every day between its dates, each once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

BACKFILL = "backfill"


def run_parameters(params: Mapping[str, Any], run: Any, schedule: str | None) -> dict[str, Any]:
    """``params`` of a DAG run; those of a Backfill's run that name no dates get ``date_from`` and ``date_to``.

    ``run``: Airflow's DAG run. ``schedule``: the cron expression of its DAG, in UTC.
    """
    given = dict(params)
    if run.run_type == BACKFILL and run.logical_date and not (given.get("date_from") or given.get("date_to")):
        first, last = days_of(run.logical_date, schedule)
        given |= {"date_from": first.isoformat(), "date_to": last.isoformat()}
    return given


def days_of(logical_date: datetime, schedule: str | None) -> tuple[date, date]:
    """First and last day (UTC, included) from a time of the schedule to the day before its next time."""
    from croniter import croniter  # type: ignore[import-untyped]  # here, because DAG files must not import it

    start = logical_date.astimezone(UTC)
    if schedule is None or not croniter.is_valid(schedule):
        return start.date(), start.date()
    following: datetime = croniter(schedule, start).get_next(datetime)
    return start.date(), max(start.date(), following.date() - timedelta(days=1))
