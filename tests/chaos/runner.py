"""Runs the tasks of league runs as Airflow would (retries, deferrals, clears), and kills their processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from multiprocessing import forkserver
from random import Random
from typing import Any

import psycopg

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.warehouse.sqlstate import is_transient
from tests.chaos.tasks import CRASH_POINTS, Crash, Job, main
from tests.harness.paths import REPO

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["tests.chaos.tasks"])


def start_server() -> None:
    """The process that tasks are forked from, with everything imported; its path comes by the environment alone."""
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join((str(REPO / "plugins"), str(REPO)))
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


TRIES = 4
LONGEST_S = 60.0


@dataclass
class TaskStats:
    """Kills, crashes, waits and failures of the tasks of one scenario."""

    kills: int = 0
    crashes: int = 0
    waits: int = 0
    failures: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    processes: int = 0


class GivenUp(Exception):
    """A task has failed with all its retries."""


class Runner:
    """League runs of one scenario. ``kill_chance``: share of task processes that are killed, drawn from the seed.
    ``read_timeout``: seconds after which a client takes an answer for lost and asks again.

    ``dsn``: the warehouse itself, for the SQL tasks; the tasks' own way to it is in ``place`` and may have a proxy.
    """

    def __init__(
        self,
        league: League,
        settings: TaskSettings,
        place: dict[str, str],
        clock: Any,
        seed: int,
        workers: int,
        *,
        dsn: str | None = None,
        read_timeout: float = 1.0,
    ) -> None:
        self.read_timeout = read_timeout
        self.dsn = dsn or place["dsn"]
        self.league, self.settings, self.place, self.clock = league, settings, place, clock
        self.seed, self.workers = seed, workers
        self.kill_chance = 0.0
        self.stats = TaskStats()
        self.runs = 0
        self._lock = threading.Lock()
        start_server()

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock.value, UTC)

    def new_execution(self) -> str:
        with self._lock:
            self.runs += 1
            return f"etl_20260101_000000_{self.runs:06x}"

    def run_league(self, params: dict[str, Any], execution: str | None = None) -> tuple[str, int]:
        """A league run from its first to its last task: execution id, and number of due fixtures. Raises GivenUp."""
        execution = execution or self.new_execution()
        self.query("SELECT etl.start_etl_execution(%s, '{}', 'chaos', %s, %s)", execution, execution, self.now())
        try:
            seasons, due = self.task("start", execution, params)
            chosen = [season for season in self.league.seasons if season.id in seasons]
            with ThreadPoolExecutor(max_workers=self.workers) as pool:
                list(pool.map(lambda season: self._survive(lambda: self.chunk(execution, params, season)), chosen))
        finally:
            self.finish(execution)
        return execution, due

    def finish(self, execution: str) -> None:
        """The last task of a run."""
        self.query("SELECT etl.finish_etl_execution(%s, p_now => %s)", execution, self.now())

    def chunk(self, execution: str, params: dict[str, Any], season: Season) -> None:
        """The task group of a season: collect, close."""
        try:
            self.task("collect", execution, params, season=season)
        finally:
            self.query("SELECT etl.close_chunk(%s, %s, %s, %s)", execution, self.league.id, season.id, self.now())

    def _survive(self, work: Callable[[], Any]) -> None:
        try:
            work()
        except GivenUp as error:
            self.stats.given_up.append(str(error))

    def task(
        self,
        task: str,
        execution: str,
        params: dict[str, Any],
        *,
        season: Season | None = None,
    ) -> Any:
        """One task with its retries; what it returned. Raises GivenUp."""
        name = f"{task} {season.name}" if season else task
        job = Job(
            task,
            execution,
            self.league,
            self.settings,
            params,
            self.place,
            season,
            f"chaos/{execution}/{name}",
            read_timeout=self.read_timeout,
        )
        started, failed = time.monotonic(), 0
        for attempt in range(1000):
            if time.monotonic() - started > LONGEST_S:
                raise GivenUp(f"{execution} {name}: not done after {LONGEST_S:g} s")
            kind, value = self._process(replace(job, crash=self._crash(execution, name, attempt)))
            if kind == "done":
                return value
            if kind == "wait":
                self.stats.waits += 1
                time.sleep(min(float(value), 3.0) + 0.05)
            elif kind == "fatal":
                raise GivenUp(f"{execution} {name}: {value}")
            elif kind == "retry":
                self.stats.failures.append(f"{execution} {name}: {value}")
                failed += 1
                if failed >= TRIES:
                    raise GivenUp(f"{execution} {name}: {value}")
                time.sleep(0.2)
        raise GivenUp(f"{execution} {name}: killed too often")

    def _crash(self, execution: str, name: str, attempt: int) -> Crash | None:
        rng = Random(f"{self.seed} {execution} {name} {attempt}")
        if rng.random() >= self.kill_chance or attempt > 6:
            return None
        point = rng.choice(CRASH_POINTS)
        return Crash(point, rng.randint(1, 25 if "statement" in point else 4))

    def _process(self, job: Job) -> tuple[str, Any]:
        ours, theirs = _context.Pipe(duplex=False)
        process = _context.Process(target=main, args=(job, self.clock, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            if ours.poll(LONGEST_S * 2):
                return ours.recv()
            process.kill()
            raise GivenUp(f"{job.execution_id} {job.task}: hangs")
        except EOFError:
            with self._lock:
                self.stats.kills += 1
            return "killed", None
        finally:
            ours.close()
            process.join(5)
            process.close() if not process.is_alive() else process.kill()

    def query(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """One statement, repeated while the server restarts or only reads, as Airflow's retries would."""
        for attempt in range(60):
            try:
                with psycopg.connect(self.dsn, autocommit=True, connect_timeout=5) as conn:
                    cursor = conn.execute(statement, values)
                    return cursor.fetchall() if cursor.description else []
            except psycopg.Error as error:
                if attempt == 59 or not is_transient(error):
                    raise
                time.sleep(0.2)
        raise AssertionError("unreachable")
