"""The reference of a deadline: the time at which a run was queued.

Airflow's own reference for this (DAGRUN_QUEUED_AT) makes every clear of such a run fail with HTTP 500 in 3.3
(apache/airflow issue 70368), and clearing is how a failed season is repaired here. This one counts the same and leaves
the deadline where it is when a run is cleared.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sportmonks.airflow_compat import deadline_reference_base


class RunQueuedAt(deadline_reference_base()):  # type: ignore[misc]
    """The time at which a run was queued. Registered by the plugin, so that the scheduler knows it."""

    required_kwargs = {"dag_id", "run_id"}  # noqa: RUF012 (the base class declares it so)

    def _evaluate_with(self, *, session: Any, dag_id: str, run_id: str, **_: Any) -> datetime | None:
        """Runs in the scheduler and the api-server, inside their own session."""
        from airflow.models.dagrun import DagRun
        from sqlalchemy import select

        query = select(DagRun.queued_at).where(DagRun.dag_id == dag_id, DagRun.run_id == run_id)
        found: datetime | None = session.scalar(query)
        return found
