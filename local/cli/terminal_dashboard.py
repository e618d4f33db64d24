"""The dashboard in a terminal (`./etl dashboard`): the queries of the page, printed with rich."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.cli.console import printable
from sportmonks.dashboard import queries

STYLES = {
    "RUNNING": "cyan",
    "COMPLETED": "green",
    "FAILED": "red",
    "CANCELLED": "yellow",
    "DEBUG": "dim",
    "INFO": "default",
    "WARNING": "yellow",
    "ERROR": "red",
    "CRITICAL": "bold red",
    "SKIPPED": "dim",
    "PENDING": "dim",
}
STATES = {
    "ok": ("All good", "green"),
    "attention": ("Needs a look", "yellow"),
    "bad": ("Something is wrong", "red"),
    "empty": ("Nothing has run yet", "yellow"),
    "starting": ("The first runs are under way", "cyan"),
}


def clean(value: Any, style: str = "") -> Text:
    """Stored text, without markup and control characters."""
    return Text(printable("–" if value is None else str(value)), style=style)


def status(value: str) -> Text:
    return clean(value, STYLES.get(value, ""))


def number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"


def duration(seconds: float | None) -> str:
    """754 -> 12m 34s."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.1f}s" if seconds < 10 else f"{seconds:.0f}s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}m {rest:02d}s" if minutes < 60 else f"{minutes // 60}h {minutes % 60:02d}m"


def time_text(iso: str | None) -> str:
    return "never" if iso is None else datetime.fromisoformat(iso).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def _table(*columns: str, right: tuple[str, ...] = ()) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    for name in columns:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def show_health(console: Console, conn: queries.Conn) -> str:
    """Print the health section; returns the overall status."""
    x = queries.health(conn)
    title, colour = STATES[x["overall"]]
    share = 100 * x["collected_fixtures"] // x["total_fixtures"] if x["total_fixtures"] else 0
    table = Table.grid(padding=(0, 3, 0, 0))
    rate = "–" if x["avg_success_rate"] is None else f"{x['avg_success_rate']} %"
    done = f"{share} % ({number(x['collected_fixtures'])} of {number(x['total_fixtures'])})"
    pairs = [
        ("Executions", number(x["total_executions"]), "Fixtures collected", done),
        ("Running", number(x["running_executions"]), "Due now", number(x["due_fixtures"])),
        ("Completed", number(x["completed_executions"]), "Leagues", number(x["leagues"])),
        ("Failed", number(x["failed_executions"]), "Seasons", number(x["chunks"])),
        ("Mean duration", duration(x["avg_duration_seconds"]), "Log lines, 24 h", f"≈ {number(x['logs_24h'])}"),
        ("Mean success rate", rate, "Errors, 24 h", number(x["errors_24h"])),
        ("Last execution", time_text(x["last_execution_at"]), "Open alerts", number(x["open_alerts"])),
    ]
    for left, first, right, second in pairs:
        table.add_row(Text(left, "dim"), first, Text(right, "dim"), second)
    reasons = Text("; ".join(x["reasons"]), colour) if x["reasons"] else Text("")
    console.print(Panel(Group(reasons, table) if x["reasons"] else table, title=title, border_style=colour))
    return str(x["overall"])


def show_running(console: Console, conn: queries.Conn) -> None:
    found = queries.executions(conn, status="RUNNING", limit=20)["rows"]
    for x in found:
        bar = ProgressBar(total=max(x["total_fixtures"], 1), completed=x["processed_fixtures"], width=30)
        line = Table.grid(padding=(0, 2, 0, 0))
        left = f"about {duration(x['remaining_seconds'])} left" if x["remaining_seconds"] is not None else ""
        line.add_row(clean(x["dag_id"]), bar, f"{x['processed_fixtures']} / {x['total_fixtures']}", left)
        console.print(line)


def show_executions(console: Console, conn: queries.Conn, *, limit: int = 10) -> None:
    # The id is never folded, because people copy it; it holds the time at which the run was due.
    figures = ("took", "fixtures", "failed")
    table = _table("execution", "DAG", "status", *figures, right=figures)
    table.columns[0].no_wrap = True
    for x in queries.executions(conn, limit=limit)["rows"]:
        table.add_row(
            clean(x["execution_id"]),
            clean((x["dag_id"] or "–").removeprefix("sportmonks_")),
            status(x["status"]),
            duration(x["duration_seconds"]),
            f"{x['processed_fixtures']} / {x['total_fixtures']}",
            clean(x["failed_fixtures"], "red" if x["failed_fixtures"] else ""),
        )
    console.print(table)


def show_execution(console: Console, conn: queries.Conn, execution_id: str) -> bool:
    """Print one execution with its seasons; False when there is none with this id."""
    x = queries.execution(conn, execution_id)
    if x is None:
        return False
    head = Table.grid(padding=(0, 3, 0, 0))
    rate = "–" if x["success_rate"] is None else f"{x['success_rate']} %"
    for label, value in (
        ("DAG", clean(x["dag_id"])),
        ("Run", clean(x["run_id"])),
        ("Status", status(x["status"])),
        ("Started (UTC)", Text(time_text(x["started_at"]))),
        ("Duration", Text(duration(x["duration_seconds"]))),
        ("Fixtures", Text(_fixtures_text(x))),
        ("Success rate", Text(rate)),
        ("Fixtures/s", Text(number(x["fixtures_per_second"]))),
        ("API calls", Text(f"{number(x['api_calls'])}, {number(x['failed_calls'])} failed")),
        ("Error", clean(x["error_message"], "red") if x["error_message"] else Text("–")),
    ):
        head.add_row(Text(label, "dim"), value)
    console.print(head)
    figures = ("planned", "saved", "same", "failed", "calls", "took")
    table = _table("season", "status", *figures, "error", right=figures)
    for c in x["chunks"]:
        name = f"{c['league_name']} {c['season_name'] or c['season_id']}".strip()
        values = [number(c[key]) for key in ("planned", "saved", "unchanged", "failed", "api_calls")]
        took, error = duration(c["duration_seconds"]), clean(c["error_message"] or "")
        table.add_row(clean(name), status(c["status"]), *values, took, error)
    console.print(table)
    return True


def _fixtures_text(x: dict[str, Any]) -> str:
    done = f"{x['processed_fixtures']} of {x['total_fixtures']}"
    return f"{done}, {x['failed_fixtures']} failed, {x['missing_fixtures']} missing"


def show_logs(console: Console, conn: queries.Conn, **filters: Any) -> None:
    """Print the newest lines in order of time, as in a log file."""
    found = queries.search_logs(conn, seconds=30, **filters)
    for x in reversed(found["rows"]):
        line = Text.assemble((time_text(x["timestamp"]), "dim"), " ", (f"{x['level']:<8}", STYLES[x["level"]]), " ")
        line.append_text(clean(x["component"], "bold"))
        for label, key in (("exec", "execution_id"), ("chunk", "chunk_id"), ("fixture", "fixture_id")):
            if x[key] is not None:
                line.append_text(clean(f" {label}:{x[key]}", "dim"))
        line.append(" ").append_text(clean(x["message"]))
        console.print(line)
    if found["next"] and len(found["rows"]) < filters.get("limit", 100):
        reach = f"{found['looked_at']:,} lines, back to {time_text(found['looked_back_to'])} UTC"
        console.print(f"Looked through {reach}: narrow the filters to look further.", style="yellow")
    elif not found["rows"]:
        console.print("No line matches.", style="dim")


def show_metrics(
    console: Console, conn: queries.Conn, *, hours: float | None = None, execution_id: str | None = None
) -> None:
    figures = ("mean", "highest", "lowest", "samples")
    table = _table("metric", "unit", *figures, right=figures)
    found = queries.metrics_summary(conn, hours=hours, execution_id=execution_id)
    for x in found:
        values = [number(x[key]) for key in ("mean", "maximum", "minimum", "samples")]
        table.add_row(clean(x["metric_name"]), clean(x["unit"] or ""), *values)
    period = f"in the last {hours or 24:g} hours" if hours or not execution_id else "of this execution"
    console.print(table if found else Text(f"No metric {period}.", "dim"))


def show_alerts(console: Console, conn: queries.Conn) -> int:
    """Print the open and acknowledged alerts with their hints; returns their number."""
    found = sorted(queries.alerts(conn, limit=100)["rows"], key=lambda a: a["severity"] != "CRITICAL")
    for a in found:
        line = Text.assemble((f"{a['severity']:<8}", STYLES.get(a["severity"], "")), " ")
        line.append_text(clean(f"{a['kind']} {a['subject']}", "bold"))
        if a["status"] != "OPEN":
            line.append_text(clean(f" ({a['status'].lower()} by {a['acknowledged_by']})", "dim"))
        console.print(line)
        console.print(Text("         ").append_text(clean(a["message"])))
        console.print(
            Text("         since " + time_text(a["opened_at"]) + " UTC. ", "dim").append_text(clean(a["hint"]))
        )
    if not found:
        console.print("No alert is open.", style="green")
    return len(found)


def show_routes(console: Console, conn: queries.Conn, *, stale_route_intervals: float) -> None:
    found = queries.routes(conn, stale_route_intervals=stale_route_intervals)
    if not found:
        console.print("There is no raw route yet: ./etl routes new writes one.", markup=False)
        return
    numbers = ("records", "new", "records/s", "rejected")
    columns = ("last run", "last success (UTC)", *numbers, "the end", "complete to")
    table = _table("Raw route", *columns, right=numbers)
    for x in found:
        name = {"success": "COMPLETED"}.get(x["status"], (x["status"] or "never").upper())
        succeeded = time_text(x["last_success_at"]) if x["last_success_at"] else "–"
        unproven = f", {x['unproven']} may be short" if x["unproven"] else ""
        table.add_row(
            clean(x["name"]),
            status(name),
            clean(f"{succeeded}{', stale' if x['stale'] else ''}", "red" if x["stale"] else ""),
            number(x["records_processed"]),
            number(x["records_inserted"]),
            number(x["records_per_second"]),
            number(x["rejects"]),
            clean(f"{x['ended_by'] or '–'}{unproven}"),
            clean(x["collected_to"]),
        )
    console.print(table)


def show_budgets(console: Console, conn: queries.Conn) -> None:
    found = queries.budgets(conn)
    if not found:
        return
    table = _table("API budget", "left", "of", "full again (UTC)", right=("left", "of"))
    for b in found:
        table.add_row(
            clean(b["entity"]),
            number(b["remaining"]),
            number(b["call_limit"]),
            time_text(b["resets_at"]) if b["resets_at"] else "–",
        )
    console.print(table)
