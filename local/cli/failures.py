"""Why a DAG run failed: the failed tasks, the last lines of their errors, and what to do."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from local.cli.console import err
from local.cli.follow import FollowedRun, Follower
from local.errors import LocalError
from local.stack.airflow_api import AirflowApi

MAX_TASKS = 6


def show_failure(api: AirflowApi, follower: Follower, run: FollowedRun) -> None:
    """Print on standard error why a run failed: its failed tasks, their last errors, and hints."""
    err.print(f"[bold red]{escape(run.label)} has failed[/] ({run.execution_id})")
    try:
        failed = api.tasks(run.dag_id, run.run_id, state="failed")
    except LocalError as error:
        failed = []
        err.print(f"  its tasks cannot be read: {escape(error.message)}")
    for task in failed[:MAX_TASKS]:
        err.print(f"  [red]{escape(task['task_id'])}[/] failed in try {task['try_number']}")
        for line in _last_errors(api, run, task):
            err.print(f"    {escape(line)}")
    if len(failed) > MAX_TASKS:
        err.print(f"  and {len(failed) - MAX_TASKS} more")
    hints = []
    for row in follower.rows("run/errors", execution_id=run.execution_id):
        err.print(f"  {escape(row['component'])}: {escape(row['message'])}")
        if row["hint"] and row["hint"] not in hints:
            hints.append(row["hint"])
    follower.close()
    hints.append(
        "remove the cause, then clear the failed tasks (only failed) in "
        f"{run.page(api.url)}, or run the command again: what is stored stays"
    )
    for hint in hints:
        err.print(f"[bold]hint:[/]  {escape(hint)}")


def _last_errors(api: AirflowApi, run: FollowedRun, task: dict[str, Any]) -> list[str]:
    try:
        lines = api.log_lines(run.dag_id, run.run_id, task)
    except LocalError as error:
        return [f"its log cannot be read: {error.message}"]
    found: list[str] = []
    for line in lines:
        if str(line.get("level", "")).lower() not in ("error", "critical"):
            continue
        causes = [
            f"{cause.get('exc_type')}: {cause.get('exc_value')}"
            for cause in line.get("error_detail") or []
            if isinstance(cause, dict)
        ]
        # The exception is more specific than "Task failed with exception".
        found += causes or [str(line.get("event", ""))]
    distinct = list(dict.fromkeys(text.strip() for text in found if text.strip()))
    return distinct[-3:]
