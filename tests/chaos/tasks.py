"""One task of a league run in a process of its own: the package's functions and client, and points where it is killed.

A task reports ("done", value), ("wait", seconds), ("retry", reason) or ("fatal", reason) through its pipe; a killed
one reports nothing.
"""

from __future__ import annotations

import json
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing.connection import Connection as Pipe
from pathlib import Path
from typing import Any

import psycopg

from sportmonks import errors
from sportmonks.api.budget import PostgresBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.collect.chunk_record import check_chunk, open_chunk
from sportmonks.collect.collect import collect
from sportmonks.collect.context import RunContext
from sportmonks.collect.discover import discover
from sportmonks.collect.plan import plan
from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.planning.run_params import read_params
from sportmonks.warehouse.connection import WarehouseConnection, open_connection
from sportmonks.warehouse.queries import sql

API = "sportmonks_api"
# Shorter than the longest silence of a scenario, longer than any statement of its few fixtures.
ANSWER_TIMEOUT_S = 3.0


@dataclass(frozen=True)
class Crash:
    """Where this process dies by SIGKILL: at the nth statement, call, response or checkpoint."""

    point: str
    nth: int


CRASH_POINTS = ("statement", "statement", "after_statement", "call", "response", "checkpoint", "after_checkpoint")


@dataclass(frozen=True)
class Job:
    """The input of a task process. ``place``: dsn (through a proxy), base_url, key, folder (for checkpoints
    and the list of requests)."""

    task: str
    execution_id: str
    league: League
    settings: TaskSettings
    params: dict[str, Any]
    place: dict[str, str]
    season: Season | None = None
    owner: str = ""
    crash: Crash | None = None
    read_timeout: float = 1.0


@dataclass
class _Bomb:
    crash: Crash | None
    counts: dict[str, int] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def pass_by(self, point: str) -> None:
        if self.crash is None or self.crash.point != point:
            return
        with self.lock:
            self.counts[point] = self.counts.get(point, 0) + 1
            if self.counts[point] == self.crash.nth:
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(60)


class FileStore:
    """Checkpoints as files: as with Airflow's Variables a value is replaced as a unit, and the last writer wins."""

    def __init__(self, folder: Path, bomb: _Bomb) -> None:
        self.folder = folder
        self._bomb = bomb

    def get(self, key: str) -> str | None:
        try:
            return (self.folder / key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None

    def set(self, key: str, value: str) -> None:
        self._bomb.pass_by("checkpoint")
        handle, name = tempfile.mkstemp(dir=self.folder)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(value)
        os.replace(name, self.folder / key)
        self._bomb.pass_by("after_checkpoint")

    def delete(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)


class _Client(SportmonksClient):
    """Records every batch before its request and the outcome, so that repeated requests can be counted."""

    note: Callable[[str, tuple[int, ...]], None]

    def fixtures_multi(self, ids: Any, includes: Any = (), *, urgent: bool = False) -> Any:
        if not includes:  # only whether the API works, nothing of it is stored
            return super().fixtures_multi(ids, urgent=urgent)
        self.note("requested", tuple(ids))
        try:
            answer = super().fixtures_multi(ids, includes, urgent=urgent)
        except BaseException:
            self.note("failed", tuple(ids))
            raise
        self.note("received", tuple(ids))
        if answer.missing:
            self.note("missing", answer.missing)
        return answer


def connector(dsn: str, bomb: _Bomb) -> Callable[[], psycopg.Connection[Any]]:
    """Connections to the warehouse that can die before or after a statement."""

    class Mined(WarehouseConnection):
        def execute(self, *args: Any, **kwargs: Any) -> Any:
            bomb.pass_by("statement")
            done = super().execute(*args, **kwargs)
            bomb.pass_by("after_statement")
            return done

    def connect() -> psycopg.Connection[Any]:
        conn = open_connection(dsn, autocommit=True, answer_timeout=ANSWER_TIMEOUT_S)
        conn.__class__ = Mined
        return conn

    return connect


def make_run(job: Job, clock: Any, bomb: _Bomb) -> RunContext:
    """The run of a job, as the operators make it."""
    folder = Path(job.place["folder"])
    connect = connector(job.place["dsn"], bomb)

    def note(what: str, ids: tuple[int, ...]) -> None:
        bomb.pass_by({"requested": "call", "received": "response"}.get(what, "none"))
        _note(job, what, ids)

    def make_client() -> _Client:
        def learn(entity: str, include: str, code: int | None, message: str) -> None:
            with connect() as conn:
                names = {"connection": API, "entity": entity, "include": include, "code": code, "message": message}
                conn.execute(sql("budget/forbidden_learn"), {**names, "execution_id": job.execution_id})

        def forget(entity: str, include: str) -> None:
            with connect() as conn:
                names = {"connection": API, "entity": entity, "include": include}
                conn.execute(sql("budget/forbidden_forget"), names)

        with connect() as conn:
            suspected = conn.execute(sql("budget/forbidden_suspected"), {"connection": API}).fetchall()
            known = conn.execute(sql("budget/forbidden_known"), {"connection": API}).fetchall()
        client = _Client(
            job.place["base_url"],
            job.place["key"],
            budget=PostgresBudget(
                connect,
                API,
                reserve=job.settings.budget.reserve,
                max_inline_wait=1.0,
                circuit_open=0.5,
                circuit_cap=1.0,
            ),
            read_timeout=job.read_timeout,
            total_timeout=3 * job.read_timeout,
            forbidden=known,
            suspected=suspected,
            on_forbidden=learn,
            on_allowed=forget,
            sleep=lambda seconds: time.sleep(min(seconds, 0.05)),
        )
        client.note = note
        return client

    made: list[_Client] = []

    def client() -> _Client:
        if not made:
            made.append(make_client())
        return made[0]

    return RunContext(
        execution_id=job.execution_id,
        league=job.league,
        settings=job.settings,
        params=read_params(job.params, job.league, job.settings),
        connect=connect,
        client=client,
        checkpoints=FileStore(folder, bomb),
        clock=lambda: datetime.fromtimestamp(clock.value, UTC),
        lease_timeout=2.0,
        lease_retry=0.3,
    )


def _note(job: Job, what: str, ids: tuple[int, ...]) -> None:
    line = json.dumps({"execution": job.execution_id, "what": what, "ids": ids, "pid": os.getpid()})
    handle = os.open(Path(job.place["folder"]) / "requests.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (line + "\n").encode())
    os.close(handle)


def perform(job: Job, clock: Any, bomb: _Bomb) -> Any:
    """Do the task; what it returns can be pickled."""
    run = make_run(job, clock, bomb)
    if job.task == "start":
        planned = plan(run, sorted(discover(run).failed))
        _note(job, "planned", ())
        return planned.seasons, planned.estimate.fixtures
    assert job.season is not None
    open_chunk(run, job.season)
    outcomes = collect(run, job.season, job.owner).outcomes
    check_chunk(run, job.season)
    return outcomes


def main(job: Job, clock: Any, pipe: Pipe) -> None:
    """Entry of the process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = open(Path(job.place["folder"]) / "tasks.log", "a", encoding="utf-8", buffering=1)  # noqa: SIM115
    os.dup2(log.fileno(), 2)
    try:
        pipe.send(("done", perform(job, clock, _Bomb(job.crash))))
    except errors.BudgetWait as wait:
        pipe.send(("wait", wait.seconds))
    except (errors.ConfigurationError, errors.FatalApiError) as error:
        pipe.send(("fatal", f"{type(error).__name__}: {error}"))
    except Exception as error:
        pipe.send(("retry", f"{type(error).__name__}: {error}"))
    finally:
        pipe.close()
    os._exit(0)
