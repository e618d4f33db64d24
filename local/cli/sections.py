"""The sections of `./etl dashboard`: what each reads from the warehouse, and how it is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from local.cli import terminal_dashboard as terminal
from local.cli.console import out
from local.errors import LocalError
from local.stack.queries import query
from sportmonks.config.catalog import Thresholds
from sportmonks.dashboard import queries, runs

RUNNING_SHOWN, ALERTS_SHOWN = 20, 100
# What runs of the catalog, of raw routes and of collectors do not have.
OF_LEAGUES = (
    "league_id", "league_name", "attempts", "cleared", "heartbeat_at", "total_fixtures", "processed_fixtures",
    "successful_fixtures", "failed_fixtures", "total_chunks", "processed_chunks", "success_rate",
    "fixtures_per_second", "remaining_seconds", "dry_run", "estimated_fixtures",
)  # fmt: skip
OVERVIEW = ("health", "running", "budgets", "alerts", "executions")


@dataclass(frozen=True)
class Filters:
    """What narrows the sections. `season`: league id and season id."""

    limit: int = 20
    hours: float | None = None
    execution_id: str | None = None
    season: tuple[int, int] | None = None
    level: str | None = None
    component: str | None = None
    text: str | None = None


@dataclass(frozen=True)
class Section:
    """`options`: those of `Filters` that have an effect here."""

    read: Callable[[queries.Conn, Filters, Thresholds], Any]
    show: Callable[[Any, Filters], None]
    options: tuple[str, ...] = ()


def find_season(conn: queries.Conn, season_id: int) -> tuple[int, int]:
    """League id and season id. LocalError for a season that the warehouse does not know."""
    row = conn.execute(query("look/season"), {"season_id": season_id}).fetchone()
    if row is None:
        raise LocalError(f"there is no season {season_id}", hint="./etl dashboard --coverage lists them with their ids")
    return int(row[0]), season_id


def read_sections(conn: queries.Conn, names: tuple[str, ...], filters: Filters, limits: Thresholds) -> dict[str, Any]:
    """The data of these sections by name, as plain JSON values."""
    return {name: SECTIONS[name].read(conn, filters, limits) for name in names}


def show_sections(found: Mapping[str, Any], filters: Filters) -> None:
    """Print them; a blank line stands between them."""
    for place, (name, data) in enumerate(found.items()):
        if place and name not in ("running", "budgets"):
            out.print()
        SECTIONS[name].show(data, filters)


def _execution(conn: queries.Conn, filters: Filters, limits: Thresholds) -> dict[str, Any]:
    found = runs.run(conn, filters.execution_id or "")
    if found is None:
        raise LocalError(f"there is no execution {filters.execution_id}", hint="./etl dashboard lists the newest")
    return found


def _runs(conn: queries.Conn, limit: int, status: str | None = None) -> list[dict[str, Any]]:
    """Runs of every kind; what only runs of leagues have is None in the others."""
    found = runs.runs(conn, status=status, limit=limit)["rows"]
    return [row if row["kind"] == "league" else {**dict.fromkeys(OF_LEAGUES), **row} for row in found]


def _season(conn: queries.Conn, filters: Filters, limits: Thresholds) -> dict[str, Any]:
    assert filters.season is not None
    found = queries.chunk(conn, *filters.season)
    if found is None:
        raise LocalError(f"there is no season {filters.season[1]}", hint="./etl dashboard --coverage lists them")
    return found


def _coverage(conn: queries.Conn, filters: Filters, limits: Thresholds) -> list[dict[str, Any]]:
    found = queries.coverage(conn, stale_hours=limits.stale_hours)
    return [row for row in found if filters.season in (None, (row["league_id"], row["season_id"]))]


def _corrections(conn: queries.Conn, filters: Filters, limits: Thresholds) -> list[dict[str, Any]]:
    league, season = filters.season or (None, None)
    found = queries.changes(
        conn, league_id=league, season_id=season, execution_id=filters.execution_id, limit=filters.limit
    )
    return list(found["rows"])


def _logs(conn: queries.Conn, filters: Filters, limits: Thresholds) -> dict[str, Any]:
    chunk = "_".join(map(str, filters.season)) if filters.season else None
    return queries.search_logs(
        conn,
        limit=filters.limit,
        seconds=30,
        level=filters.level,
        component=filters.component,
        text=filters.text,
        execution_id=filters.execution_id,
        chunk_id=chunk,
    )


def _alerts(conn: queries.Conn, filters: Filters, limits: Thresholds) -> list[dict[str, Any]]:
    found = queries.alerts(conn, limit=ALERTS_SHOWN)["rows"]
    return sorted(found, key=lambda alert: alert["severity"] != "CRITICAL")


def _period(filters: Filters) -> str:
    if filters.execution_id and not filters.hours:
        return "of this execution"
    return f"in the last {filters.hours or 24:g} hours"


SECTIONS: Mapping[str, Section] = {
    "health": Section(lambda conn, f, x: queries.health(conn), lambda d, f: terminal.show_health(out, d)),
    "running": Section(
        lambda conn, f, x: _runs(conn, RUNNING_SHOWN, "RUNNING"),
        lambda d, f: terminal.show_running(out, d),
    ),
    "budgets": Section(lambda conn, f, x: queries.budgets(conn), lambda d, f: terminal.show_budgets(out, d)),
    "alerts": Section(_alerts, lambda d, f: terminal.show_alerts(out, d)),
    "executions": Section(
        lambda conn, f, x: _runs(conn, f.limit),
        lambda d, f: terminal.show_executions(out, d),
        ("limit",),
    ),
    "execution": Section(_execution, lambda d, f: terminal.show_execution(out, d), ("execution_id",)),
    "season": Section(_season, lambda d, f: terminal.show_season(out, d), ("season",)),
    "coverage": Section(_coverage, lambda d, f: terminal.show_coverage(out, d), ("season",)),
    "corrections": Section(
        _corrections, lambda d, f: terminal.show_corrections(out, d), ("season", "execution_id", "limit")
    ),
    "logs": Section(
        _logs,
        lambda d, f: terminal.show_logs(out, d, limit=f.limit),
        ("limit", "level", "component", "text", "execution_id", "season"),
    ),
    "metrics": Section(
        lambda conn, f, x: queries.metrics_summary(conn, hours=f.hours, execution_id=f.execution_id),
        lambda d, f: terminal.show_metrics(out, d, period=_period(f)),
        ("hours", "execution_id"),
    ),
    "routes": Section(
        lambda conn, f, x: queries.routes(conn, stale_route_intervals=x.stale_route_intervals),
        lambda d, f: terminal.show_routes(out, d),
    ),
}
