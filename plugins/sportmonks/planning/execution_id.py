"""The id of an execution: a pure function of the DAG run, so that all its tasks and retries compute the same id."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime


def execution_id(dag_id: str, run_id: str, run_after: datetime) -> str:
    """``etl_YYYYMMDD_HHMMSS_xxxxxx``; ``run_after`` of a DAG run stays the same when its tasks are cleared."""
    digest = hashlib.sha1(f"{dag_id}|{run_id}".encode(), usedforsecurity=False).hexdigest()
    return f"etl_{run_after.astimezone(UTC):%Y%m%d_%H%M%S}_{digest[:6]}"
