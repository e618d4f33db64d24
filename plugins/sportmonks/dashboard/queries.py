"""The queries of the page and the terminal. Rows are returned as plain JSON values, secrets masked.

Every function takes a connection and runs one or a few named queries; lists that grow are paged by key.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from sportmonks.alerts.message import KIND_NAMES
from sportmonks.config.catalog import Thresholds
from sportmonks.redaction import mask_value
from sportmonks.routes.parse import scheduled_routes
from sportmonks.warehouse.queries import sql

Conn = psycopg.Connection[Any]
Row = dict[str, Any]

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
# Log lines that one page of a text search reads at most; the next page continues there. Lines of one level
# lie far apart on disk, so fewer of them.
SCAN = 20_000
SCAN_SPARSE = 700
# etl_watch runs every ten minutes. Without it no alert opens, so the absence of alerts means nothing.
UNWATCHED = timedelta(minutes=35)
# Rows of a list are counted up to this many; from there on it has "more than" so many.
COUNTED = 10_000
NEVER_WATCHED = "etl_watch has never looked: is it paused?"
# Charts of the page: title, unit, metric -> which figure of a bucket is drawn.
CHARTS: tuple[Row, ...] = (
    {
        "id": "speed",
        "title": "Fixtures per second",
        "unit": "fixtures/s",
        "lines": [("fixtures_per_second", "mean", "mean"), ("fixtures_per_second", "maximum", "fastest chunk")],
    },
    {"id": "calls", "title": "API calls", "unit": "calls", "lines": [("chunk_api_calls", "total", "calls")]},
    {
        "id": "latency",
        "title": "API latency",
        "unit": "ms",
        "lines": [
            ("api_call.p50", "mean", "p50"),
            ("api_call.p95", "maximum", "p95"),
            ("api_call.max", "maximum", "max"),
        ],
    },
    {
        "id": "load",
        "title": "Time to store a batch",
        "unit": "ms",
        "lines": [("write_batch.p50", "mean", "p50"), ("write_batch.p95", "maximum", "p95")],
    },
    {
        "id": "failures",
        "title": "Failed fixtures",
        "unit": "fixtures",
        "lines": [("chunk_failed_fixtures", "total", "failed")],
    },
    {
        "id": "budget",
        "title": "API calls left",
        "unit": "calls",
        "lines": [("api_budget_remaining", "minimum", "left")],
    },
)


def plain(value: Any) -> Any:
    """JSON's own types: times as ISO text in UTC, decimals as numbers, null for NaN and infinity."""
    if isinstance(value, float | Decimal) and not math.isfinite(value):
        return None
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    return mask_value(value)


def rows(conn: Conn, name: str, **parameters: Any) -> list[Row]:
    """All rows of the query ``name``."""
    with conn.cursor(row_factory=dict_row) as cursor:
        found = cursor.execute(sql(name), parameters).fetchall()
    return [{key: plain(value) for key, value in row.items()} for row in found]


def _now(now: datetime | None) -> datetime:
    return now or datetime.now(UTC)


def health(conn: Conn, *, now: datetime | None = None) -> Row:
    """The health row with its overall status (empty, starting, ok, attention, bad) and the reasons as sentences.

    ``failing_collectors``: lists of the catalog and raw routes whose newest run has failed.
    """
    at = _now(now)
    row = rows(conn, "dashboard/health", now=at)[0]
    failing = row["failing_collectors"] = rows(conn, "dashboard/failing_collectors", now=at)
    reasons = []
    if row["critical_alerts"]:
        reasons.append(f"{row['critical_alerts']} critical alert{_s(row['critical_alerts'])}")
    if row["failed_chunks"]:
        reasons.append(f"{row['failed_chunks']} season{_s(row['failed_chunks'])} failed in the newest run")
    if failing:
        names = ", ".join(collector["collector_name"] for collector in failing[:3])
        more = f" and {len(failing) - 3} more" if len(failing) > 3 else ""
        reasons.append(f"{names}{more} failed in the newest run")
    others = row["open_alerts"] + row["acknowledged_alerts"] - row["critical_alerts"]
    if others > 0:
        reasons.append(f"{others} other alert{_s(others)}")
    if row["suspected_indexes"]:
        reasons.append(
            f"{row['suspected_indexes']} season{_s(row['suspected_indexes'])} whose index lists too little, nothing or"
            " other seasons (read again before it is believed)"
        )
    if row["suspected_fixtures"]:
        reasons.append(
            f"{row['suspected_fixtures']} fixture{_s(row['suspected_fixtures'])} came without expected data"
            " (read again before that is believed)"
        )
    if row["failed_rereads"]:
        # What is stored of them is all there is: the run that failed would have read it once more.
        count = row["failed_rereads"]
        reasons.append(f"{count} season{_s(count)} with nothing missing failed in the newest run")
    if row["failed_24h"]:
        reasons.append(f"{row['failed_24h']} failed run{_s(row['failed_24h'])} in 24 hours")
    looked = max(filter(None, (row["first_execution_at"], row["watched_at"])), default=None)
    if looked and datetime.fromisoformat(looked) < at - UNWATCHED:
        since = row["watched_at"]
        reasons.append(f"etl_watch has not looked since {since[:16].replace('T', ' ')} UTC" if since else NEVER_WATCHED)
    bad = bool(row["critical_alerts"] or row["failed_chunks"] or failing)
    empty = row["total_executions"] == 0 and not failing
    first = row["last_completed_at"] is None
    good = "starting" if first else "ok"
    row["overall"] = "empty" if empty else "bad" if bad else "attention" if reasons else good
    row["reasons"] = reasons
    return row


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def execution_rows(
    conn: Conn,
    *,
    status: str | None = None,
    execution_id: str | None = None,
    dag_id: str | None = None,
    run_id: str | None = None,
    before: str | None = None,
    limit: int,
    now: datetime | None = None,
) -> list[Row]:
    """At most ``limit`` runs of leagues, newest first, from ``before`` on."""
    found = rows(
        conn,
        "dashboard/executions",
        status=status,
        execution_id=execution_id,
        dag_id=dag_id,
        run_id=run_id,
        **page_key(before),
        limit=limit,
        now=_now(now),
    )
    return [with_cause(row) for row in found]


def page_key(before: str | None) -> Row:
    """The parameters ``before`` and ``before_id`` of a query, from the ``next`` of the page before."""
    timestamp, _, before_id = (before or "").partition("~")
    return {"before": timestamp or None, "before_id": before_id or None}


def keyed_page(found: list[Row], limit: int) -> Row:
    """``{"rows", "next"}`` of runs, newest first, of which one more than ``limit`` was read."""
    rest = len(found) > limit
    found = found[:limit]
    return {"rows": found, "next": f"{found[-1]['started_at']}~{found[-1]['execution_id']}" if rest else None}


def with_cause(row: Row) -> Row:
    """The run with ``cause``: why it failed, in one sentence; None where it has not failed."""
    count, season = row.pop("failed_seasons", 0), row.pop("failed_season", None)
    error = row.pop("failed_error", None)
    text = f"{season}: {error}" if error else row["error_message"] or "No reason was recorded; see its logs."
    sentence = first_sentence(text)
    if count and count > 1:
        sentence = f"{count} seasons failed, the first of them {sentence}"
    return {**row, "cause": sentence if row["status"] == "FAILED" else None}


def first_sentence(text: str) -> str:
    """The first line of a message up to the end of its first sentence, at most 200 characters."""
    line = text.strip().split("\n", 1)[0]
    found = re.match(r".*?[.!?](?=\s+[A-Z\d])", line)
    sentence = found.group() if found else line
    return sentence if len(sentence) <= 200 else sentence[:199].rstrip() + "…"


def counted(conn: Conn, name: str, **parameters: Any) -> int:
    """How many rows a list has: ``dashboard/count_<name>``, at most COUNTED + 1."""
    found: int = rows(conn, f"dashboard/count_{name}", limit=COUNTED + 1, **parameters)[0]["total"]
    return found


def execution(conn: Conn, execution_id: str, *, now: datetime | None = None) -> Row | None:
    """One execution with its chunks, reasons and changes; None when there is no such execution."""
    at = _now(now)
    found = execution_rows(conn, execution_id=execution_id, limit=1, now=at)
    if not found:
        return None
    return {
        **found[0],
        **rows(conn, "dashboard/execution", execution_id=execution_id)[0],
        "chunks": rows(conn, "dashboard/execution_chunks", execution_id=execution_id, now=at),
        "reasons": rows(conn, "dashboard/execution_reasons", execution_id=execution_id),
        "changes": rows(conn, "dashboard/execution_changes", execution_id=execution_id),
    }


def backfill(conn: Conn, run_id: str, *, now: datetime | None = None) -> list[Row]:
    """The executions of the DAG runs that share this id, one per DAG: figures, estimate, calls, failed seasons."""
    found = execution_rows(conn, run_id=run_id, limit=500, now=now)
    more = {row["execution_id"]: row for row in rows(conn, "dashboard/backfill", run_id=run_id)}
    return [{**row, **more.get(row["execution_id"], {})} for row in found]


def coverage(conn: Conn, *, stale_hours: float | None = None, now: datetime | None = None) -> list[Row]:
    hours = Thresholds().stale_hours if stale_hours is None else stale_hours
    return rows(conn, "dashboard/coverage", stale_hours=hours, now=_now(now))


def routes(
    conn: Conn, *, stale_route_intervals: float | None = None, now: datetime | None = None, folder: Path | None = None
) -> list[Row]:
    """Raw routes with their newest runs, those that need a look first. ``folder``: of the route files, whose schedules
    say which routes are stale."""
    intervals = Thresholds().stale_route_intervals if stale_route_intervals is None else stale_route_intervals
    scheduled = Jsonb(scheduled_routes(folder))
    return rows(conn, "dashboard/routes", routes=scheduled, stale_route_intervals=intervals, now=_now(now))


def is_route(conn: Conn, dag_id: str) -> bool:
    """Whether a DAG is that of a raw route which has run."""
    return bool(rows(conn, "dashboard/route", dag_id=dag_id))


def chunk(
    conn: Conn, league_id: int, season_id: int, *, fixtures: int = 50, runs: int = 20, now: datetime | None = None
) -> Row | None:
    """One league and season: state, runs, checks, fixtures that need something, newest corrections. ``fixtures`` and
    ``runs``: how many of each; their ``total`` is in each row."""
    at = _now(now)
    key = {"league_id": league_id, "season_id": season_id}
    found = rows(conn, "dashboard/chunk", **key, now=at)
    if not found:
        return None
    corrections = changes(conn, league_id=league_id, season_id=season_id, limit=10)
    return {
        **found[0],
        "runs": rows(conn, "dashboard/chunk_runs", **key, limit=runs, now=at),
        "checks": rows(conn, "dashboard/chunk_checks", **key),
        "fixtures": rows(conn, "dashboard/chunk_fixtures", **key, limit=fixtures, now=at),
        "changes": corrections["rows"],
        "changes_total": corrections["total"],
    }


def logs(
    conn: Conn,
    *,
    level: str | None = None,
    component: str | None = None,
    execution_id: str | None = None,
    chunk_id: str | None = None,
    fixture_id: int | None = None,
    text: str | None = None,
    before: int | None = None,
    limit: int = 100,
) -> Row:
    """``level`` and above, newest first. ``next`` pages on; ``looked_back_to`` tells how far a thin page reached."""
    levels = list(LEVELS[LEVELS.index(level) :]) if level and level != "DEBUG" else None
    selective = execution_id or chunk_id or fixture_id is not None
    # A component alone is looked up level by level too: its index says so.
    by_level = not selective and bool(levels or component)
    if by_level:
        levels = levels or list(LEVELS)
        scan = SCAN_SPARSE if text else limit
    else:
        scan = SCAN if text or levels or component else limit
    found = rows(
        conn,
        "dashboard/logs_by_level" if by_level else "dashboard/logs",
        levels=levels,
        component=component,
        execution_id=execution_id,
        chunk_id=chunk_id,
        fixture_id=fixture_id,
        text=text,
        before=before,
        scan=scan,
        limit=limit,
    )
    reach = found[0]
    lines = [
        {key: value for key, value in row.items() if key not in ("looked_at", "oldest_id", "oldest_at")}
        for row in found
        if row["log_id"] is not None
    ]
    following = None
    if len(lines) == limit:
        following = lines[-1]["log_id"]
    elif reach["looked_at"] == scan:
        following = reach["oldest_id"]
    return {"rows": lines, "next": following, "looked_back_to": reach["oldest_at"], "looked_at": reach["looked_at"]}


def search_logs(conn: Conn, *, limit: int = 100, seconds: float = 5.0, **filters: Any) -> Row:
    """The answer of ``logs``, but goes on from page to page until ``limit`` lines are found, there are no more, or
    the time is up; then ``next`` is not None and ``looked_back_to`` says how far it came."""
    until = time.monotonic() + seconds
    found: list[Row] = []
    looked_at = 0
    before = filters.pop("before", None)
    while True:
        page = logs(conn, limit=limit - len(found), before=before, **filters)
        found += page["rows"]
        looked_at += page["looked_at"]
        before = page["next"]
        if before is None or len(found) >= limit or time.monotonic() > until:
            return {**page, "rows": found, "looked_at": looked_at}


def log_components(conn: Conn) -> list[str]:
    return [row["component"] for row in rows(conn, "dashboard/log_components")]


def metric_names(conn: Conn) -> list[str]:
    return [row["metric_name"] for row in rows(conn, "dashboard/metric_names")]


def bucket_seconds(hours: float) -> int:
    """Seconds per point so that a chart has about 120 points, in round steps."""
    shortest = hours * 3600 / 120
    return next((step for step in (60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600) if step >= shortest), 86_400)


def charts(conn: Conn, *, hours: float = 24, names: Sequence[str] = (), now: datetime | None = None) -> Row:
    """The page's charts, or one chart of the metrics named. ``t`` holds bucket starts (epoch s), gaps are null."""
    end = _now(now)
    step = bucket_seconds(hours)
    since = end - timedelta(hours=hours)
    since = datetime.fromtimestamp(since.timestamp() // step * step, UTC)
    shown: Sequence[Row] = CHARTS
    if names:
        lines = [(name, figure, f"{name} ({figure})") for name in names for figure in ("mean", "maximum")]
        shown = ({"id": "custom", "title": ", ".join(names), "unit": "", "lines": lines},)
    names = sorted({line[0] for chart in shown for line in chart["lines"]})
    name = "dashboard/metrics" if step % 300 else "dashboard/metrics_rolled"
    found = rows(conn, name, names=names, since=since, bucket_seconds=step)
    # date_bin counts from ``since``, so the buckets are since, since + step, ...
    start = int(since.timestamp())
    count = int((end.timestamp() - start) // step) + 1
    table: dict[tuple[str, str], dict[int, Row]] = {}
    for row in found:
        table.setdefault((row["metric_name"], row["series"]), {})[(row["bucket"] - start) // step] = row
    answer = []
    for chart in shown:
        series = []
        for name, figure, label in chart["lines"]:
            for (metric, entity), buckets in sorted(table.items()):
                if metric != name:
                    continue
                points = [buckets[i][figure] if i in buckets else None for i in range(count)]
                series.append({"label": f"{entity} {label}".strip() if entity else label, "points": points})
        answer.append({"id": chart["id"], "title": chart["title"], "unit": chart["unit"], "series": series})
    return {"t": [start + i * step for i in range(count)], "step": step, "hours": hours, "charts": answer}


def metrics_summary(
    conn: Conn, *, hours: float | None = None, execution_id: str | None = None, now: datetime | None = None
) -> list[Row]:
    """Start of the period: without ``hours`` the start of the execution, else the last 24 hours."""
    span = hours or (None if execution_id else 24)
    since = _now(now) - timedelta(hours=span) if span else None
    return rows(conn, "dashboard/metrics_summary", since=since, execution_id=execution_id)


def budgets(conn: Conn) -> list[Row]:
    return rows(conn, "budget/gauges", connection=None)


def alerts(conn: Conn, *, state: str = "live", before: int | None = None, limit: int = 50) -> Row:
    """``state``: live, resolved or all. ``kind_name`` is the kind in words, as notifications have it."""
    found = rows(conn, "dashboard/alerts", state=state, before=before, limit=limit + 1)
    found = [{**row, "kind_name": KIND_NAMES.get(row["kind"], row["kind"])} for row in found]
    total = counted(conn, "alerts", state=state)
    return {"rows": found[:limit], "next": found[limit - 1]["alert_id"] if len(found) > limit else None, "total": total}


def changes(
    conn: Conn,
    *,
    league_id: int | None = None,
    season_id: int | None = None,
    fixture_id: int | None = None,
    execution_id: str | None = None,
    before: int | None = None,
    limit: int = 50,
) -> Row:
    filters = {
        "league_id": league_id,
        "season_id": season_id,
        "fixture_id": fixture_id,
        "execution_id": execution_id,
    }
    found = rows(conn, "dashboard/changes", before=before, limit=limit + 1, **filters)
    total = counted(conn, "changes", **filters)
    following = found[limit - 1]["change_id"] if len(found) > limit else None
    return {"rows": found[:limit], "next": following, "total": total}


def acknowledge(conn: Conn, alert_id: int, who: str) -> str | None:
    """The alert's status afterwards; None when there is no such alert."""
    row = conn.execute(sql("alerts/acknowledge"), {"alert_id": alert_id, "who": who}).fetchone()
    return row[0] if row else None
