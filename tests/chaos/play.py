"""Plays one scenario: its phases with their faults, then runs without faults until nothing is due, then the checks."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
import time
import traceback
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.config.catalog import BudgetSettings, CollectSettings, TaskSettings
from sportmonks.config.settings import DEFAULT_INCLUDES
from sportmonks.warehouse.connection import open_connection
from tests.chaos import checks
from tests.chaos.environment import ChaosEnvironment
from tests.chaos.league import league_of
from tests.chaos.result import ScenarioResult
from tests.chaos.runner import GivenUp, Runner
from tests.chaos.scenario import Phase, Scenario
from tests.harness.canary import KEY
from tests.harness.compare import stamps, touched
from tests.harness.tcp_proxy import TcpProxy, tcp_proxy

PLENTY = 1_000_000


def play(scenario: Scenario, environment: ChaosEnvironment, *, keep: Path | None = None) -> ScenarioResult:
    """Play a scenario and check its outcome. ``keep``: folder for the logs of a failed one."""
    started = time.monotonic()
    result = ScenarioResult(scenario.seed)
    options: dict[str, Any] = {"limit": scenario.limit or PLENTY, "window": scenario.window}
    with (
        environment.database() as dsn,
        _folder(keep, scenario.seed, result) as folder,
        running_sandbox(
            leagues=1,
            seasons=scenario.seasons,
            teams=scenario.teams,
            seed=scenario.seed,
            now=scenario.now,
            frozen=True,
            latency=scenario.latency,
            key=KEY,
            **options,
        ) as box,
        tcp_proxy(dsn) as (proxy, way),
    ):
        ScenarioPlay(scenario, environment, box, (dsn, way, proxy), folder, result).run()
    result.seconds = time.monotonic() - started
    return result


@contextlib.contextmanager
def _folder(keep: Path | None, seed: int, result: ScenarioResult) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        yield folder
    finally:
        if keep is not None and not result.good:
            shutil.copytree(folder, keep / f"seed-{seed}", dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


class ScenarioPlay:
    """A scenario that is being played: its phases, the runs until nothing is due, and the checks.

    ``warehouse``: its connection string, the one through a proxy that the tasks use, and that proxy.
    """

    def __init__(
        self,
        scenario: Scenario,
        environment: ChaosEnvironment,
        box: RunningSandbox,
        warehouse: tuple[str, str, TcpProxy],
        folder: Path,
        result: ScenarioResult,
    ) -> None:
        self.scenario, self.environment, self.box, self.result = scenario, environment, box, result
        self.dsn, way, self.proxy = warehouse
        self.folder = folder
        self.clock = get_context("forkserver").Value("d", 0.0)
        self.rng = Random(f"play {scenario.seed}")
        self.corrected: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.uncertain: set[int] = set()
        self.tombstones: dict[int, str] = {}
        self.deleted: set[int] = set()
        self.recreated: dict[int, int] = {}
        self.recreated_at: dict[int, float] = {}
        self.move(0)
        self.runner = Runner(
            league_of(box),
            TaskSettings(
                collect=CollectSettings(batch_size=scenario.batch_size, typed_rows=scenario.typed_rows),
                budget=BudgetSettings(
                    default_limit=scenario.limit or 1000, window_seconds=max(1, int(scenario.window))
                ),
            ),
            {"dsn": way, "base_url": box.base_url, "key": box.key, "folder": str(folder)},
            self.clock,
            scenario.seed,
            scenario.workers,
            dsn=self.dsn,
        )

    def run(self) -> None:
        """The phases, the runs without faults, the checks; failures are written to a file in any case."""
        try:
            self._run()
        except Exception:
            # Of many scenarios the others are still played.
            self.result.problems.append(f"the suite itself failed: {traceback.format_exc()}")
        finally:
            stats = self.runner.stats
            text = "\n".join([str(self.scenario), *stats.failures, *stats.given_up, *self.result.problems])
            (self.folder / "failures.txt").write_text(text)

    def _run(self) -> None:
        for phase in self.scenario.phases:
            self.phase(phase)
        self.end_faults()
        self.settle()
        checks.check_rows(self, "after the drain", skip=checks.not_due_yet(self))
        self.read_everything_again()
        checks.check_rows(self, "after all was read again", skip=frozenset())
        checks.check_ledger(self)
        checks.check_calls(self)
        checks.check_books(self)
        checks.check_key(self)
        checks.check_fetched_twice(self)

    # -- phases -------------------------------------------------------------------------------------------

    def move(self, seconds: float) -> None:
        """Move the clock of the sandbox, then that of the code: a response must not be older than it claims to be."""
        answer = self.box.admin("POST", "/clock", {"advance_seconds": seconds})
        self.clock.value = float(answer["epoch"])

    def phase(self, phase: Phase) -> None:
        """One run (or two at once) with its corrections, faults, kills and crashes."""
        if phase.advance:
            self.move(phase.advance)
        self.correct(phase)
        self.sabotage(phase.sabotage)
        for fault in phase.faults:
            self.post_fault(fault)
        self.runner.kill_chance = phase.kill_chance
        execution = self.runner.new_execution()
        timers = self.timers(phase)
        try:
            runs = [execution, self.runner.new_execution()] if phase.twin else [execution]
            with ThreadPoolExecutor(max_workers=2) as pool:
                list(pool.map(lambda name: self.one_run(phase.params, name, check=False), runs))
            # Not before both have ended: what one of them doubts, the other one may just be reading.
            for name in runs:
                checks.check_green(self, name, phase.params)
            if phase.clear == "run":
                self.one_run(phase.params, execution)
            elif phase.clear == "chunk":
                season = self.rng.choice(self.runner.league.seasons)
                with contextlib.suppress(GivenUp):
                    self.runner.chunk(execution, phase.params, season)
                self.runner.finish(execution)
        finally:
            for timer in timers:
                timer.join()
            self.box.admin("DELETE", "/faults")
            self.runner.kill_chance = 0.0

    def one_run(self, params: dict[str, Any], execution: str, *, check: bool = True) -> int:
        """How many fixtures were due; -1 when the run failed. ``check``: whether a green one may have a hole."""
        try:
            due = self.runner.run_league(params, execution)[1]
            if check:
                checks.check_green(self, execution, params)
            return due
        except GivenUp as error:
            self.runner.stats.given_up.append(str(error))
            return -1

    def timers(self, phase: Phase) -> list[threading.Thread]:
        acts: list[tuple[float, Any]] = []
        if phase.postgres_crash_after is not None:
            acts.append((phase.postgres_crash_after, self.crash_postgres))
        if phase.clock_jump_after is not None:
            delay, seconds = phase.clock_jump_after
            acts.append((delay, lambda: self.move(seconds)))
        if phase.silence is not None:
            acts.append((phase.silence[0], self.proxy.stall))
            acts.append((sum(phase.silence), self.proxy.resume))
        if phase.read_only is not None:
            acts.append((phase.read_only[0], lambda: self.environment.set_read_only(True)))
            acts.append((sum(phase.read_only), lambda: self.environment.set_read_only(False)))
        threads = [threading.Thread(target=_after, args=act) for act in acts]
        for thread in threads:
            thread.start()
        return threads

    def crash_postgres(self) -> None:
        self.runner.stats.crashes += 1
        self.environment.crash()

    def correct(self, phase: Phase) -> None:
        if phase.corrections:
            newest = self.runner.query("SELECT coalesce(max(change_id), 0) FROM etl.fixture_changes")[0][0]
            collected = {
                row[0]
                for row in self.runner.query(
                    "SELECT fixture_id FROM raw.fixtures WHERE includes @> %s", list(DEFAULT_INCLUDES)
                )
            }
            done = self.box.admin("POST", "/corrections", {"n": phase.corrections})["corrections"]
            self.result.corrections += len(done)
            for row in done:
                if row["fixture_id"] in collected:
                    self.corrected[row["fixture_id"]].append((newest, row["kind"]))
                self.uncertain.add(row["fixture_id"])
        if phase.deletions:
            for row in self.box.admin("POST", "/deletions", {"n": phase.deletions})["deleted"]:
                self.deleted.add(row["fixture_id"])
                self.tombstones |= self.stored_payload(row["fixture_id"])
                self.result.deletions += 1
        if phase.recreations:
            # An index of the same instant would count as read by the next run.
            self.move(1)
            ids = self.recognisable()
            chosen = self.rng.sample(ids, min(phase.recreations, len(ids)))
            for row in self.box.admin("POST", "/recreations", {"ids": chosen})["recreated"] if chosen else ():
                self.recreated[row["fixture_id"]] = row["new_id"]
                self.recreated_at[row["new_id"]] = self.clock.value

    def recognisable(self) -> list[int]:
        """Fixtures that can be recognised under another id: never read, or read with both teams. One whose only answer
        was spoilt has neither teams nor the name that it has in the index."""
        rows = self.runner.query(
            "SELECT id FROM football.fixtures WHERE (last_fetched_at IS NULL OR home_team_id <> away_team_id)"
            " AND deleted_at IS NULL ORDER BY id"
        )
        return [row[0] for row in rows if row[0] not in self.recreated and row[0] not in self.recreated.values()]

    def stored_payload(self, fixture_id: int) -> dict[int, str]:
        """The payload that the warehouse holds of a fixture when the provider deletes it; it must stay as it is."""
        rows = self.runner.query("SELECT payload::text FROM raw.fixtures WHERE fixture_id = %s", fixture_id)
        return {fixture_id: rows[0][0]} if rows else {}

    def post_fault(self, fault: dict[str, Any]) -> None:
        fault = {**fault}
        poisoned = fault.pop("poisoned", 1)
        if fault["kind"] == "poison":
            ids = [row["id"] for row in self.truth(full=False)]
            for fixture_id in self.rng.sample(ids, poisoned):
                self.box.fault(match={"fixture_id": fixture_id}, **fault)
        elif fault["kind"] == "season_down":
            self.box.fault(match={"season": self.rng.choice(self.runner.league.seasons).id}, **fault)
        else:
            self.box.fault(**fault)

    def sabotage(self, how: str | None) -> None:
        """Make the checkpoints missing, unreadable, outdated, of another chunk, or invalid."""
        for file in self.folder.glob("sportmonks_ckpt__*"):
            found: dict[str, Any] = {}
            with contextlib.suppress(ValueError):
                found = json.loads(file.read_text())
            if how == "delete":
                file.unlink()
            elif how == "corrupt":
                file.write_text('{"league_id": 8, "season')
            elif how == "stale":
                old = datetime.fromtimestamp(self.clock.value - 400 * 86_400, UTC).isoformat()
                found |= {"started_at": old, "updated_at": old, "finished": False, "forced": True, "done": 0}
                file.write_text(json.dumps(found))
            elif how == "foreign":
                file.write_text(json.dumps(found | {"season_id": 1}))
            elif how == "nonsense":
                file.write_text(json.dumps(found | {"started_at": "yesterday", "forced": True, "finished": False}))

    # -- runs without faults --------------------------------------------------------------------------------------

    def end_faults(self) -> None:
        """End all faults and limits, and forget what the code has learned from them."""
        self.box.admin("DELETE", "/faults")
        calls = self.box.calls()
        windows = 1 + calls["total"] // (self.scenario.limit or PLENTY)
        own = sum(calls["answers_429"].values()) - calls["faults"].get("rate_limited", 0)
        self.result.refused = 0 if self.misled() else max(0, own)
        if self.result.refused > windows:
            self.result.problems.append(f"{own} responses 429 in {windows} windows")
        self.box.admin("POST", "/limits", {"limit": PLENTY, "window_seconds": 3600})
        self.runner.query("DELETE FROM etl.api_budget")
        self.runner.query("DELETE FROM etl.api_circuit")
        self.runner.query("DELETE FROM etl.forbidden_includes")

    def settle(self) -> None:
        """Runs until no fixture is due or waits for another try; the clock moves on to the next due time."""
        failed = len(self.runner.stats.given_up)
        self.move(120)  # the clock stands still within a phase: what is due shortly after it is due from here on
        for turn in range(25):
            due = self.one_run(self.everything(), self.runner.new_execution())
            if len(self.runner.stats.given_up) > failed + 2:
                self.result.problems.append(f"fails without any fault: {self.runner.stats.given_up[-1]}")
                return
            if due and turn % 4 == 3:
                self.move(3600)  # after a clock that went back some reads are early
            if due == 0:
                next_due = self.next_try()
                if next_due is None:
                    return
                self.move(max(next_due - self.clock.value, 0) + 1)
        self.result.problems.append("never finishes: something is due in every run")

    def everything(self, **more: Any) -> dict[str, Any]:
        return {"seasons": [str(season.id) for season in self.runner.league.seasons], **more}

    def next_try(self) -> float | None:
        row = self.runner.query(
            """-- Changes of the index are dated after the last read, which may be later than a clock that was set back.
               SELECT extract(epoch FROM min(greatest(next_due_at, index_changed_at, index_missing_at)))::float8
               FROM football.fixtures
               WHERE deleted_at IS NULL AND next_due_at IS NOT NULL
                 AND (missing_reads + held_reads + failed_reads > 0
                      OR greatest(index_changed_at, index_missing_at) > last_requested_at)"""
        )[0]
        return None if row[0] is None else float(row[0])

    def read_everything_again(self) -> None:
        """A forced run: afterwards every correction must be stored, and nothing else may have been written."""
        with self.connect() as conn:
            before = stamps(conn)
        self.move(1)
        params = self.everything(force=True, continue_from_checkpoint=False)
        for _ in range(3 + 1):
            # A payload with fewer rows by a correction (a goal was taken back) may be held back first.
            self.one_run(params, self.runner.new_execution())
            next_due = self.next_try()
            if next_due is None:
                break
            self.move(max(next_due - self.clock.value, 0) + 1)
            params = self.everything()
        with self.connect() as conn:
            moved = touched(before, stamps(conn))
        self.result.touched = len(moved)
        self.result.problems += moved[:5]

    # -- what the checks read -----------------------------------------------------------------------------------

    def connect(self) -> psycopg.Connection[Any]:
        return open_connection(self.dsn, autocommit=True)

    def truth(self, *, full: bool = True) -> list[dict[str, Any]]:
        """Fixtures of the seasons that the league had at the start; newer seasons would need a new manifest."""
        known = {season.id for season in self.runner.league.seasons}
        rows = self.box.admin("GET", f"/truth/fixtures?{'full=1' if full else 'brief=1'}")["fixtures"]
        return [row for row in rows if row["season_id"] in known]

    def clock_went_back(self) -> bool:
        return any((phase.clock_jump_after or (0, 0))[1] < 0 for phase in self.scenario.phases)

    def misled(self) -> bool:
        return any(f["kind"] in ("no_rate_limit", "wrong_rate_limit") for p in self.scenario.phases for f in p.faults)


def _after(seconds: float, act: Any) -> None:
    time.sleep(seconds)
    act()
