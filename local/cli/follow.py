"""Follows DAG runs to their end: progress bars on a terminal, lines in a pipe. The numbers come from the warehouse."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import psycopg
from psycopg.rows import dict_row
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from local.cli.console import err, out
from local.errors import LocalError
from local.stack.airflow_api import AirflowApi, SilentError, run_page
from local.stack.queries import query
from sportmonks.errors import SportmonksError
from sportmonks.warehouse.connection import open_connection

FINAL = ("success", "failed")
LINE_SECONDS = 5.0
# A busy Airflow answers late; only one that has been silent for so long ends the following.
SILENCE_SECONDS = 600.0
# Of more runs the states are read less often than every second.
RUNS_A_SECOND = 10
# In a pipe, a line at least this often, so that nobody takes a long run for one that hangs.
STILL_SECONDS = 60.0
# What is read and shown beside the progress of the runs.
EachRound = Callable[[psycopg.Connection[dict[str, Any]]], None]
_AWAY = (psycopg.OperationalError, psycopg.InterfaceError, SportmonksError)


@dataclass
class FollowedRun:
    """One DAG run with its state; `seasons` are rows of etl.execution_chunks.

    `until`: the task after which the run counts as finished here; its later tasks go on without being followed.
    """

    label: str
    dag_id: str
    run_id: str
    execution_id: str
    run_after: str
    state: str = "queued"
    until: str | None = None
    seasons: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, label: str, run: dict[str, Any], *, until: str | None = None) -> FollowedRun:
        from sportmonks.planning.execution_id import execution_id

        run_after = datetime.fromisoformat(run["run_after"])
        dag_id, run_id = run["dag_id"], run["dag_run_id"]
        execution = execution_id(dag_id, run_id, run_after)
        return cls(label, dag_id, run_id, execution, run["run_after"], run["state"], until)

    def page(self, airflow: str) -> str:
        """Its address in Airflow's pages, which are at `airflow`."""
        return run_page(airflow, self.dag_id, self.run_id)

    def document(self, airflow: str) -> dict[str, Any]:
        """What it is, as a command shows it with `--format json`."""
        names = {"dag_id": self.dag_id, "run_id": self.run_id, "execution_id": self.execution_id}
        return {**names, "state": self.state, "url": self.page(airflow)}

    @property
    def finished(self) -> bool:
        return self.state in FINAL

    @property
    def planned(self) -> int:
        return sum(row["planned"] for row in self.seasons)

    @property
    def processed(self) -> int:
        return sum(row["processed"] for row in self.seasons)

    @property
    def failed_fixtures(self) -> int:
        return sum(row["failed"] for row in self.seasons)


class Follower:
    """Reads the states from Airflow and the numbers from the warehouse, once per `interval` (seconds).

    `full_disk`: a hint when the disk is full; an Airflow that does not answer then is not waited for.
    """

    def __init__(
        self, api: AirflowApi, warehouse: str, *, interval: float = 1.0, full_disk: Callable[[], str] = lambda: ""
    ) -> None:
        self.api = api
        self.full_disk = full_disk
        self.warehouse = warehouse
        self.interval = interval
        self._connection: psycopg.Connection[dict[str, Any]] | None = None
        self._silent_since: float | None = None

    def follow(
        self, runs: list[FollowedRun], *, timeout: float | None = None, each_round: EachRound | None = None
    ) -> bool:
        """True when all runs succeeded. LocalError after `timeout` seconds; the runs then go on.

        `each_round` is called with a connection to the warehouse, and left out while there is none.
        """
        begun = time.monotonic()
        several = len(runs) > 1
        view: Bars | Lines = Bars(several) if out.is_terminal else Lines(several)
        with view:
            while True:
                self._read_states([run for run in runs if not run.finished])
                # After the states, so that the last round has the numbers of runs that have just ended.
                self._read_progress(runs)
                if each_round is not None:
                    self._call(each_round)
                view.show(runs)
                if all(run.finished for run in runs):
                    break
                if timeout is not None and time.monotonic() - begun > timeout:
                    waiting = ", ".join(run.label for run in runs if not run.finished)
                    raise LocalError(
                        f"not finished after --timeout {timeout:g} s: {waiting}; the runs go on",
                        hint="look at them in Airflow, or run the command again with a longer --timeout",
                    )
                # The answer grows with the runs that are under way, and its cost to Airflow with it.
                time.sleep(self.interval * max(1.0, sum(not run.finished for run in runs) / RUNS_A_SECOND))
        self.close()
        return all(run.state == "success" for run in runs)

    def rows(self, name: str, **parameters: object) -> list[dict[str, Any]]:
        """Rows of a query of local/stack/sql; none when the warehouse cannot be reached now."""
        try:
            return self._open().execute(query(name), parameters).fetchall()
        except _AWAY:
            self.close()
            return []

    def _open(self) -> psycopg.Connection[dict[str, Any]]:
        if self._connection is None or self._connection.closed:
            self._connection = open_connection(self.warehouse, autocommit=True)
            self._connection.row_factory = dict_row
        return self._connection

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _call(self, each_round: EachRound) -> None:
        try:
            each_round(self._open())
        except _AWAY:
            self.close()

    def _read_states(self, runs: list[FollowedRun]) -> None:
        """One request for all runs; a run that has been deleted counts as failed."""
        if not runs:
            return
        try:
            found = self.api.runs({run.dag_id for run in runs}, since=min(run.run_after for run in runs))
            for run in runs:
                row = found.get((run.dag_id, run.run_id))
                run.state = str(row["state"]) if row else "failed"
                if run.until and self.api.task_state(run.dag_id, run.run_id, run.until) == "success":
                    run.state = "success"
        except SilentError as error:
            if self.full_disk():
                raise
            now = time.monotonic()
            if self._silent_since is None:
                self._silent_since = now
                err.print(f"[yellow]{escape(error.message)}; waiting for it[/]")
            elif now - self._silent_since > SILENCE_SECONDS:
                raise
            return
        self._silent_since = None

    def _read_progress(self, runs: list[FollowedRun]) -> None:
        rows = self.rows("run/progress", execution_ids=[run.execution_id for run in runs])
        for run in runs:
            mine = [row for row in rows if row["execution_id"] == run.execution_id]
            run.seasons = mine or run.seasons


class Bars:
    """A bar per run and, for a single run, one per season below it."""

    def __init__(self, several: bool) -> None:
        self.several = several
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            TimeElapsedColumn(),
            console=out,
        )
        self.bars: dict[tuple[str, object], TaskID] = {}

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def show(self, runs: list[FollowedRun]) -> None:
        for run in runs:
            note = _note(run.state, run.failed_fixtures)
            self._draw((run.run_id, None), run.label, run.processed, run.planned, note, run.finished)
            for row in [] if self.several else run.seasons:
                note = _note(row["status"].lower(), row["failed"])
                done = row["status"] in ("COMPLETED", "FAILED", "SKIPPED")
                label = f"  {row['season']}"
                self._draw((run.run_id, row["season_id"]), label, row["processed"], row["planned"], note, done)

    def _draw(self, key: tuple[str, object], label: str, processed: int, planned: int, note: str, done: bool) -> None:
        if key not in self.bars:
            self.bars[key] = self.progress.add_task(escape(label), total=None, note=note)
        # Before there is a plan the bar only shows activity.
        total = planned if planned or done else None
        self.progress.update(self.bars[key], completed=processed, total=total, note=note)
        if done:
            self.progress.stop_task(self.bars[key])


class Lines:
    """A line per change of state, and one every few seconds while numbers change; seasons for a single run."""

    def __init__(self, several: bool) -> None:
        self.several = several
        self.shown: dict[str, tuple[str, int]] = {}
        self.at: dict[str, float] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def show(self, runs: list[FollowedRun]) -> None:
        for run in runs:
            for name, state, processed, planned, failed in _figures(run, seasons=not self.several):
                last = self.shown.get(name)
                now = time.monotonic()
                moved = last is not None and last[1] != processed and now - self.at[name] >= LINE_SECONDS
                moved |= last is not None and not run.finished and now - self.at[name] >= STILL_SECONDS
                if last is None or last[0] != state or moved:
                    figures = f" {processed}/{planned} fixtures" if planned else ""
                    failures = f", {failed} failed" if failed else ""
                    out.print(f"{time.strftime('%H:%M:%S')}  {escape(name)}: {state}{figures}{failures}")
                    self.shown[name], self.at[name] = (state, processed), now


def _figures(run: FollowedRun, *, seasons: bool) -> Iterable[tuple[str, str, int, int, int]]:
    yield run.label, run.state, run.processed, run.planned, run.failed_fixtures
    for row in run.seasons if seasons else []:
        name = f"{run.label} {row['season']}"
        yield name, row["status"].lower(), row["processed"], row["planned"], row["failed"]


def _note(state: str, failed: int) -> str:
    colour = {"success": "green", "completed": "green", "failed": "red", "running": "cyan"}.get(state, "dim")
    return f"[{colour}]{state}[/]" + (f" [red]{failed} failed[/]" if failed else "")
