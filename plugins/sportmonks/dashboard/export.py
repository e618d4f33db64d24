"""JSON and CSV of what the page shows, for the page's download and the terminal's ``--export``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sportmonks.dashboard import queries, runs
from sportmonks.dashboard.coverage import matching

TABLES = ("executions", "coverage", "logs", "metrics", "alerts", "changes", "budgets", "routes")
LIMIT = 5_000
# Characters that spreadsheets read as the start of a formula, full-width ones included.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def table(conn: queries.Conn, name: str, filters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Up to LIMIT rows of one of TABLES, newest first; ``filters`` are those of the page, None meaning any."""
    chosen = {key: value for key, value in (filters or {}).items() if value is not None}
    if name == "executions":
        return list(runs.runs(conn, limit=LIMIT, **_only(chosen, "kind", "status", "dag_id"))["rows"])
    if name == "coverage":
        return matching(queries.coverage(conn, **_only(chosen, "stale_hours")), **_only(chosen, "league", "only"))
    if name == "logs":
        fields = ("level", "component", "execution_id", "chunk_id", "fixture_id", "text")
        return list(queries.search_logs(conn, limit=LIMIT, **_only(chosen, *fields))["rows"])
    if name == "metrics":
        return queries.metrics_summary(conn, **_only(chosen, "hours", "execution_id"))
    if name == "alerts":
        return list(queries.alerts(conn, limit=LIMIT, **{"state": "all", **_only(chosen, "state")})["rows"])
    if name == "changes":
        keys = ("league_id", "season_id", "fixture_id", "execution_id")
        return list(queries.changes(conn, limit=LIMIT, **_only(chosen, *keys))["rows"])
    if name == "budgets":
        return queries.budgets(conn)
    if name == "routes":
        return queries.routes(conn, **_only(chosen, "stale_route_intervals"))
    raise ValueError(f"no table {name!r}; known: {', '.join(TABLES)}")


def _only(chosen: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: chosen[name] for name in names if name in chosen}


def everything(conn: queries.Conn, filters: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Health and every table; with an ``execution_id`` its detail, and its logs, metrics and corrections only."""
    chosen = filters or {}
    answer: dict[str, Any] = {"exported_at": datetime.now(UTC).isoformat(), "health": queries.health(conn)}
    if chosen.get("execution_id"):
        answer["execution"] = runs.run(conn, chosen["execution_id"])
    answer |= {name: table(conn, name, chosen) for name in TABLES}
    return answer


def as_csv(found: list[dict[str, Any]]) -> str:
    """One line per row, with the columns of all rows: runs of a route lack some that those of a league have. A cell
    that a spreadsheet would run as a formula gets an apostrophe in front."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in found for name in row))
    writer = csv.writer(out)
    writer.writerow(names)
    for row in found:
        writer.writerow([_cell(row.get(name)) for name in names])
    return out.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and value.startswith(FORMULA):
        return "'" + value
    return "" if value is None else value


def write_json(path: Path, found: Mapping[str, Any]) -> None:
    """Write the complete file or none: into a temporary file beside the target, then moved over it."""
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(found, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)
