"""The dashboard in a terminal (`./etl dashboard`): what the queries of the page return, printed with rich."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from local.cli.console import printable
from local.cli.output import make_table

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
    "UNREAD": "dim",
    "INCOMPLETE": "yellow",
    "DUE": "yellow",
    "UP_TO_DATE": "green",
    "COMPLETE": "green",
}
STATES = {
    "ok": ("All good", "green"),
    "attention": ("Needs a look", "yellow"),
    "bad": ("Something is wrong", "red"),
    "empty": ("Nothing has run yet", "yellow"),
    "starting": ("The first runs are under way", "cyan"),
}

Row = dict[str, Any]
Rows = list[Row]


def clean(value: Any, style: str = "") -> Text:
    """Stored text, without markup and control characters."""
    return Text(printable("–" if value is None else str(value)), style=style)


def status(value: str) -> Text:
    return clean(value, STYLES.get(value, ""))


def season_state(value: str) -> Text:
    """A season by its data (``etl.season_state``), as the page has it: UP_TO_DATE -> up to date."""
    words = "never read" if value == "UNREAD" else value.lower().replace("_", " ")
    return clean(words, STYLES.get(value, ""))


def reread_failed(x: Row) -> bool:
    """Whether the newest run of a season failed although nothing is missing: it would have read it once more."""
    return bool(x["status"] == "FAILED" and x["state"] != "FAILED")


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
    return make_table(*columns, right=right, header="dim")


def show_health(console: Console, x: Row) -> None:
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


def show_running(console: Console, found: Rows) -> None:
    for x in found:
        line = Table.grid(padding=(0, 2, 0, 0))
        if x["kind"] != "league":
            name = clean(x["dag_id"] or x["collector"])
            line.add_row(name, f"{number(x['records'])} rows", f"running for {duration(x['duration_seconds'])}")
            console.print(line)
            continue
        bar = ProgressBar(total=max(x["total_fixtures"], 1), completed=x["processed_fixtures"], width=30)
        left = f"about {duration(x['remaining_seconds'])} left" if x["remaining_seconds"] is not None else ""
        line.add_row(clean(x["dag_id"]), bar, f"{x['processed_fixtures']} / {x['total_fixtures']}", left)
        console.print(line)


def show_executions(console: Console, found: Rows) -> None:
    # The id is never folded, because people copy it; it holds the time at which the run was due.
    figures = ("took", "fixtures", "failed")
    table = _table("execution", "DAG", "started", "status", *figures, right=figures)
    table.columns[0].no_wrap = True
    for x in found:
        of_league = x["kind"] == "league"
        failed = x["failed_fixtures"] if of_league else x["failed_records"]
        table.add_row(
            clean(x["execution_id"]),
            clean((x["dag_id"] or x.get("collector") or "–").removeprefix("sportmonks_")),
            clean(origin(x)),
            status(x["status"]),
            duration(x["duration_seconds"]),
            _done(x),
            clean(failed, "red" if failed else ""),
        )
    console.print(table)


def _done(x: Row) -> str:
    if x["kind"] != "league":
        return f"{number(x['records'])} rows"
    if x["dry_run"] and x["status"] == "COMPLETED":
        return f"estimate: {number(x['estimated_fixtures'])} due"
    return f"{x['processed_fixtures']} / {x['total_fixtures']}"


def origin(x: Row) -> str:
    """How and by whom a run was started, such as ``manual by admin``."""
    return (x["run_type"] or "–") + (f" by {x['triggered_by']}" if x["triggered_by"] else "")


def _head(x: Row, *figures: tuple[str, str]) -> Table:
    """What a run is and how it went, a line each; ``figures``: those of its kind, as label and text."""
    head = Table.grid(padding=(0, 3, 0, 0))
    for label, value in (
        ("DAG", clean(x["dag_id"] or x.get("collector") or "–")),
        ("Run", clean(x["run_id"] or "–")),
        ("How started", clean(origin(x))),
        ("Status", status(x["status"])),
        ("Started (UTC)", Text(time_text(x["started_at"]))),
        ("Duration", Text(duration(x["duration_seconds"]))),
        *((label, Text(text)) for label, text in figures),
        ("API calls", Text(f"{number(x['api_calls'])}, {number(x['failed_calls'])} failed")),
        ("Error", clean(x["error_message"], "red") if x["error_message"] else Text("–")),
    ):
        head.add_row(Text(label, "dim"), value)
    return head


def _show_other(console: Console, x: dict[str, Any]) -> None:
    """Print a run of the catalog, of a raw route or of a collector with its lists."""
    console.print(_head(x, ("Rows", f"{number(x['records'])} read, {number(x['new_records'])} new")))
    figures = ("read", "new", "changed", "same", "failed", "calls")
    names = ("processed", "inserted", "updated", "unchanged", "failed")
    table = _table("list", "status", *figures, right=figures)
    for c in x["collectors"]:
        values = [number(c[f"records_{name}"]) for name in names]
        table.add_row(clean(c["collector_name"]), status(c["status"]), *values, number(c["api_calls"]))
    console.print(table)


def show_execution(console: Console, x: Row) -> None:
    """Print one execution with its seasons, or a run of another kind with its lists."""
    if x["kind"] != "league":
        _show_other(console, x)
        return
    rate = "–" if x["success_rate"] is None else f"{x['success_rate']} %"
    speed = number(x["fixtures_per_second"])
    console.print(_head(x, ("Fixtures", _fixtures_text(x)), ("Success rate", rate), ("Fixtures/s", speed)))
    figures = ("planned", "saved", "same", "failed", "calls", "took")
    table = _table("season", "status", *figures, "error", right=figures)
    for c in x["chunks"]:
        name = f"{c['league_name']} {c['season_name'] or c['season_id']}".strip()
        values = [number(c[key]) for key in ("planned", "saved", "unchanged", "failed", "api_calls")]
        took, error = duration(c["duration_seconds"]), clean(c["error_message"] or "")
        table.add_row(clean(name), status(c["status"]), *values, took, error)
    console.print(table)


def _fixtures_text(x: dict[str, Any]) -> str:
    done = f"{x['processed_fixtures']} of {x['total_fixtures']}"
    return f"{done}, {x['failed_fixtures']} failed, {x['missing_fixtures']} missing"


def log_line(x: Row) -> Text:
    line = Text.assemble((time_text(x["timestamp"]), "dim"), " ", (f"{x['level']:<8}", STYLES[x["level"]]), " ")
    line.append_text(clean(x["component"], "bold"))
    for label, key in (("exec", "execution_id"), ("chunk", "chunk_id"), ("fixture", "fixture_id")):
        if x[key] is not None:
            line.append_text(clean(f" {label}:{x[key]}", "dim"))
    return line.append(" ").append_text(clean(x["message"]))


def show_logs(console: Console, found: Row, *, limit: int) -> None:
    """Print the newest lines in order of time, as in a log file."""
    for x in reversed(found["rows"]):
        console.print(log_line(x))
    if found["next"] and len(found["rows"]) < limit:
        reach = f"{found['looked_at']:,} lines, back to {time_text(found['looked_back_to'])} UTC"
        console.print(f"Looked through {reach}: narrow the filters to look further.", style="yellow")
    elif not found["rows"]:
        console.print("No line matches.", style="dim")


def show_metrics(console: Console, found: Rows, *, period: str) -> None:
    figures = ("mean", "highest", "lowest", "samples")
    table = _table("metric", "unit", *figures, right=figures)
    for x in found:
        values = [number(x[key]) for key in ("mean", "maximum", "minimum", "samples")]
        table.add_row(clean(x["metric_name"]), clean(x["unit"] or ""), *values)
    console.print(table if found else Text(f"No metric {period}.", "dim"))


def show_alerts(console: Console, found: Rows) -> None:
    """Print alerts with their hints."""
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


def show_routes(console: Console, found: Rows) -> None:
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
    for x in found:
        show_doubts(console, x["name"], x["doubts"], x["unproven"])


def show_doubts(console: Console, route: str, doubts: list[str] | None, unproven: int | None) -> None:
    """Print why listings of a route may be short; nothing when none may be."""
    for doubt in doubts or ():
        console.print(Text.assemble(("may be short  ", "yellow")).append_text(clean(f"{route}: {doubt}")))
    more = (unproven or 0) - len(doubts or ())
    if doubts and more > 0:
        console.print(Text(f"              and {more:,} more, in the log of its run", "dim"))


def show_budgets(console: Console, found: Rows) -> None:
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


def show_coverage(console: Console, found: Rows) -> None:
    """Print a line per league and season: what is collected, settled and due."""
    figures = ("fixtures", "collected", "share", "settled", "due", "failed")
    table = _table("league", "season", "id", "state", *figures, "last collected (UTC)", "", right=("id", *figures))
    for x in found:
        total = x["total_fixtures"]
        flags = {"stale": x["stale"], "suspected": x["suspected_fixtures"], "last re-read failed": reread_failed(x)}
        marks = [name for name, given in flags.items() if given]
        table.add_row(
            clean(x["league_name"]),
            clean(x["season_name"]),
            str(x["season_id"]),
            season_state(x["state"]),
            number(total),
            number(x["collected_fixtures"]),
            f"{100 * x['collected_fixtures'] // total} %" if total else "–",
            number(x["settled_fixtures"]),
            number(x["due_fixtures"]),
            clean(x["failed_fixtures"], "red" if x["failed_fixtures"] else ""),
            time_text(x["last_collected_at"]),
            Text(", ".join(marks), "red"),
        )
    console.print(table if found else Text("No season is known yet: ./etl run starts one.", "dim"))


def show_corrections(console: Console, found: Rows) -> None:
    """Print what the provider changed after a fixture had been collected, before and after, newest first."""
    table = _table("changed (UTC)", "season", "fixture", "field", "before", "after")
    for x in found:
        field = ".".join(filter(None, (x["section"], x["field"])))
        before, after = (clean(_short(x[key])) for key in ("before", "after"))
        season = f"{x['league_name'] or x['league_id']} {x['season_name'] or x['season_id']}"
        fixture = f"{x['fixture_name'] or ''} ({x['fixture_id']})".strip()
        table.add_row(time_text(x["changed_at"]), clean(season), clean(fixture), clean(field), before, after)
    console.print(table if found else Text("The provider has corrected nothing here.", "dim"))


def _short(value: Any) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def show_season(console: Console, x: Row) -> None:
    """Print one season: its state, newest runs, checks that fail, and fixtures that need something."""
    head = Table.grid(padding=(0, 3, 0, 0))
    for label, value in (
        ("Season", clean(f"{x['league_name']} {x['season_name']} ({x['season_id']})", "bold")),
        (
            "State",
            season_state(x["state"]).append(", but its last re-read failed" if reread_failed(x) else "", "yellow"),
        ),
        ("Fixtures", Text(f"{number(x['collected_fixtures'])} of {number(x['total_fixtures'])} collected")),
        ("Settled", Text(number(x["settled_fixtures"]))),
        ("Due now", Text(number(x["due_fixtures"]))),
        ("Failed", clean(x["failed_fixtures"], "red" if x["failed_fixtures"] else "")),
        ("Quality", Text("–" if x["quality"] is None else f"{x['quality']} of 100")),
        ("Last collected (UTC)", Text(time_text(x["last_collected_at"]))),
        ("Next due (UTC)", Text(time_text(x["next_due_at"]) if x["next_due_at"] else "–")),
        ("Error", clean(x["error_message"], "red") if x["error_message"] else Text("–")),
    ):
        head.add_row(Text(label, "dim"), value)
    console.print(head)
    figures = ("planned", "saved", "same", "failed", "calls", "took")
    table = _table("execution", "status", *figures, right=figures)
    table.columns[0].no_wrap = True
    for run in x["runs"][:5]:
        values = [number(run[key]) for key in ("planned", "saved", "unchanged", "failed", "api_calls")]
        table.add_row(clean(run["execution_id"]), status(run["status"]), *values, duration(run["duration_seconds"]))
    if x["runs"]:
        console.print(table)
    for check in x["checks"]:
        if not check["success"]:
            console.print(Text("check failed ", "red").append_text(clean(f"{check['name']}: {check['notes'] or ''}")))
    if x["fixtures"]:
        table = _table("fixture", "name", "kick-off (UTC)", "status", "why")
        for one in x["fixtures"]:
            why = one["last_error"] or (f"due: {one['due_reason']}" if one["due_reason"] else "")
            kick_off = time_text(one["starting_at"]) if one["starting_at"] else "–"
            table.add_row(
                clean(one["fixture_id"]), clean(one["name"]), kick_off, status(one["collection_status"]), clean(why)
            )
        console.print(table)
