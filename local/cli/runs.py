"""Triggers the DAGs of leagues, follows their runs, and prints the results."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from local.cli.console import err, out, seconds
from local.cli.failures import show_failure
from local.cli.follow import EachRound, FollowedRun, Follower
from local.cli.leagues import wait_for_dags
from local.cli.output import make_table, plain
from local.errors import LocalError, UsageError
from local.stack.airflow_api import RefusedError
from local.stack.stack import Stack

if TYPE_CHECKING:
    import psycopg

    from sportmonks.config.manifest import League


@dataclass(frozen=True)
class Plan:
    """A league to run and the parameters of its DAG."""

    league: League
    conf: dict[str, Any]


def run_plans(
    stack: Stack, plans: list[Plan], *, follow: bool = True, timeout: float | None = None, verbose: bool = False
) -> tuple[list[FollowedRun], bool]:
    """Trigger a run per plan; the runs, and whether all succeeded (True when they are not followed)."""
    wait_for_dags(stack, *(plan.league.dag_id for plan in plans))
    runs = []
    for plan in plans:
        runs.append(start_run(stack, plan.league.name, plan.league.dag_id, plan.conf))
    if not follow:
        return runs, True
    follower = Follower(stack.api, stack.warehouse, full_disk=stack.full_disk)
    return runs, follower.follow(runs, timeout=timeout, each_round=line_printer(runs) if verbose else None)


def start_run(stack: Stack, label: str, dag_id: str, conf: Mapping[str, Any]) -> FollowedRun:
    """A new run of a DAG, whose address is printed. UsageError where Airflow refuses a parameter."""
    stack.api.unpause(dag_id)
    try:
        run = FollowedRun.of(label, stack.api.trigger(dag_id, conf))
    except RefusedError as error:
        raise UsageError(error.message, hint="correct that parameter") from None
    stack.say(f"{label}: {run.page(stack.airflow.url)}")
    return run


def line_printer(runs: list[FollowedRun]) -> EachRound:
    """Prints the log lines of the runs that have come since its last call."""
    from local.cli.log_rows import LogFilter, NewRows
    from local.cli.terminal_dashboard import log_line

    lines = NewRows(LogFilter(execution_ids=tuple(run.execution_id for run in runs)), 0)

    def show(conn: psycopg.Connection[Any]) -> None:
        for row in lines.read(conn):
            out.print(log_line(row))

    return show


FIGURES = (
    "status",
    "total_fixtures",
    "processed_fixtures",
    "successful_fixtures",
    "failed_fixtures",
    "missing_fixtures",
    "total_chunks",
    "processed_chunks",
    "api_calls",
    "failed_calls",
    "duration_seconds",
    "fixtures_per_second",
    "error_message",
    "estimate",
)


def run_documents(stack: Stack, runs: list[FollowedRun]) -> list[dict[str, Any]]:
    """A document per run: what it is, and the figures of its execution, null as long as it has none."""
    follower = Follower(stack.api, stack.warehouse)
    found = []
    for run in runs:
        row = next(iter(follower.rows("run/summary", execution_id=run.execution_id)), {})
        found.append(
            {
                "league": run.label,
                **run.document(stack.airflow.url),
                **{name: row.get(name) for name in FIGURES},
            }
        )
    follower.close()
    return found


def report(
    stack: Stack, runs: list[FollowedRun], took: float, *, estimates: bool = False, tables: bool = True
) -> list[dict[str, Any]]:
    """Print a line per execution, the estimates of the plans with `estimates`, and why failed runs failed. Returns what
    `run_documents` found; without `tables` only the failures are printed."""
    documents = run_documents(stack, runs)
    if tables:
        _show_documents(documents, took, estimates=estimates)
    follower = Follower(stack.api, stack.warehouse)
    for run in runs:
        if run.state == "failed":
            err.print()
            show_failure(stack.api, follower, run)
    follower.close()
    return documents


def _show_documents(documents: list[dict[str, Any]], took: float, *, estimates: bool) -> None:
    figures = ("fixtures", "failed", "seasons", "calls", "time", "fixtures/s")
    table = make_table("league", "status", *figures, right=figures)
    for row in documents:
        if row["status"] is None:
            table.add_row(escape(row["league"]), row["state"], *["-"] * 6)
            continue
        colour = "green" if row["state"] == "success" else "red"
        table.add_row(
            escape(row["league"]),
            f"[{colour}]{row['status'].lower()}[/]",
            f"{row['processed_fixtures']} of {row['total_fixtures']}",
            str(row["failed_fixtures"]),
            f"{row['processed_chunks']} of {row['total_chunks']}",
            str(row["api_calls"]),
            seconds(float(row["duration_seconds"] or 0)),
            str(row["fixtures_per_second"] or "-"),
        )
    out.print()
    out.print(table)
    if len(documents) > 1:
        totals = [
            sum(int(row[name] or 0) for row in documents)
            for name in ("processed_fixtures", "failed_fixtures", "api_calls")
        ]
        out.print(f"together  {totals[0]} fixtures, {totals[1]} failed, {totals[2]} calls in {seconds(took)}")
    for row in documents:
        if estimates and row["estimate"]:
            _show_estimate(row["league"], row["estimate"])


def export_metrics(stack: Stack, runs: list[FollowedRun], file: Path) -> None:
    """Write summary, seasons and metrics of the runs' executions to a JSON file."""
    follower = Follower(stack.api, stack.warehouse)
    found = [
        {
            "league": run.label,
            "execution_id": run.execution_id,
            "state": run.state,
            "summary": next(iter(follower.rows("run/summary", execution_id=run.execution_id)), None),
            "seasons": follower.rows("run/progress", execution_ids=[run.execution_id]),
            "metrics": follower.rows("run/metrics", execution_id=run.execution_id),
        }
        for run in runs
    ]
    follower.close()
    text = json.dumps({"executions": found}, indent=2, ensure_ascii=False, default=plain)
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise LocalError(f"--export-metrics {file}: {error.strerror}", hint="give another file") from error
    stack.say(f"metrics of {len(found)} executions are in {file}")


def _show_estimate(label: str, estimate: dict[str, Any]) -> None:
    """Print the estimate that is stored with an execution: due fixtures, calls, minutes."""
    calls = estimate.get("calls") or {}
    out.print(f"\n[bold]{escape(label)}[/]: the plan")
    lines = {
        "fixtures due": str(estimate.get("fixtures", 0)),
        "by reason": _pairs(estimate.get("by_reason") or {}),
        "calls": f"{sum(calls.values())} ({_pairs(calls)})" if calls else "0",
        "calls left now": estimate.get("available_now"),
        "minutes": estimate.get("minutes"),
        "left out": _pairs(estimate.get("left_out") or {}),
    }
    for name, value in lines.items():
        if value not in (None, ""):
            out.print(f"  {name:<15} {escape(str(value))}")
    for chunk in estimate.get("chunks") or []:
        out.print("  " + escape(_pairs(chunk)))


def _pairs(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())
