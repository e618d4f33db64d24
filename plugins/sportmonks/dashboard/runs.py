"""All runs in one list: those of leagues (executions), of the catalog, of raw routes and of other collectors."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sportmonks.dashboard.queries import (
    Conn,
    Row,
    counted,
    execution,
    execution_rows,
    keyed_page,
    page_key,
    rows,
    with_cause,
)
from sportmonks.planning.execution_id import execution_id as make_id

KINDS = ("league", "catalog", "route", "collector")


def runs(
    conn: Conn,
    *,
    kind: str | None = None,
    status: str | None = None,
    dag_id: str | None = None,
    run_id: str | None = None,
    before: str | None = None,
    limit: int = 25,
    now: datetime | None = None,
) -> Row:
    """``{"rows", "next", "total"}``, newest first; ``kind`` is one of KINDS. ``before`` is the ``next`` of the page
    before. With ``dag_id`` and ``run_id`` the run of that DAG run, and no total."""
    at = now or datetime.now(UTC)
    found: list[Row] = []
    if kind in (None, "league"):
        filters = {"status": status, "dag_id": dag_id, "run_id": run_id, "before": before}
        found += execution_rows(conn, limit=limit + 1, now=at, **filters)
    if kind != "league" and bool(dag_id) == bool(run_id):
        found += _others(
            conn,
            kind=kind,
            status=status,
            # What the ids of executions of this DAG run end with.
            suffix=make_id(dag_id, run_id, at)[-6:] if dag_id and run_id else None,
            **page_key(before),
            limit=limit + 1,
            now=at,
        )
    found.sort(key=lambda row: (datetime.fromisoformat(row["started_at"]), row["execution_id"]), reverse=True)
    total = None if dag_id or run_id else counted(conn, "runs", kind=kind, status=status)
    return {**keyed_page(found, limit), "total": total}


def run(conn: Conn, execution_id: str, *, now: datetime | None = None) -> Row | None:
    """One run of any kind; None when there is no such run. Those that are not of a league have their ``collectors``."""
    at = now or datetime.now(UTC)
    if league := execution(conn, execution_id, now=at):
        return league
    found = _others(conn, execution_id=execution_id, limit=1, now=at)
    if not found:
        return None
    return {**found[0], "collectors": rows(conn, "dashboard/run_collectors", execution_id=execution_id, now=at)}


def _others(conn: Conn, **parameters: Any) -> list[Row]:
    every = ("kind", "status", "execution_id", "suffix", "before", "before_id")
    given = {**dict.fromkeys(every), **parameters}
    return [with_cause(row) for row in rows(conn, "dashboard/other_runs", **given)]
