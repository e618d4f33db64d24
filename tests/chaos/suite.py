"""One scenario from its seed to its figures."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import psycopg

from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.config.catalog import BudgetSettings, CollectSettings, TaskSettings
from sportmonks.config.manifest import League, Season
from sportmonks.config.settings import DEFAULT_INCLUDES
from sportmonks.warehouse.connection import open_connection
from tests.chaos.ground import Ground
from tests.chaos.runner import GivenUp, Runner
from tests.chaos.scenario import Phase, Scenario
from tests.harness.compare import Differences, compare, repeated_changes, stamps, touched

PLENTY = 1_000_000
# Answers that are wrong and look right: only reading again can tell.
LYING = frozenset({"huge", "unknown_keys", "null_fields", "empty_strings", "degraded"})
# Which sections a correction must show up in, by the sandbox's name for it.
SECTIONS = {
    "goal_added": {"events", "scores"},
    "goal_removed": {"events", "scores"},
    "detail_changed": {"lineups.details"},
    "statistic_changed": {"statistics"},
    "state_extended": {"fixture"},
}


@dataclass
class Figures:
    """The outcome of one scenario; everything but the counts of what was done to it should be 0."""

    seed: int
    seconds: float = 0.0
    fixtures: int = 0
    kills: int = 0
    crashes: int = 0
    corrections: int = 0
    deletions: int = 0
    lost: int = 0
    duplicates: int = 0
    wrong: int = 0
    unrecorded: int = 0
    touched: int = 0
    over_quota: int = 0
    refused: int = 0
    refetched: int = 0
    most_refetched: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.problems


def play(scenario: Scenario, ground: Ground, *, keep: Path | None = None) -> Figures:
    """Run a scenario and compare. ``keep``: folder for the log of a failed one."""
    started = time.monotonic()
    figures = Figures(scenario.seed)
    options: dict[str, Any] = {"limit": scenario.limit or PLENTY, "window": scenario.window}
    with (
        ground.database() as dsn,
        _folder(keep, scenario.seed, figures) as folder,
        running_sandbox(
            leagues=1,
            seasons=scenario.seasons,
            teams=scenario.teams,
            seed=scenario.seed,
            now=scenario.now,
            frozen=True,
            latency=scenario.latency,
            **options,
        ) as box,
    ):
        _Play(scenario, ground, box, dsn, folder, figures).run()
    figures.seconds = time.monotonic() - started
    return figures


@contextlib.contextmanager
def _folder(keep: Path | None, seed: int, figures: Figures) -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="chaos-"))
    try:
        yield folder
    finally:
        if keep is not None and not figures.good:
            shutil.copytree(folder, keep / f"seed-{seed}", dirs_exist_ok=True)
        shutil.rmtree(folder, ignore_errors=True)


class _Play:
    def __init__(
        self, scenario: Scenario, ground: Ground, box: RunningSandbox, dsn: str, folder: Path, figures: Figures
    ) -> None:
        self.scenario, self.ground, self.box, self.figures = scenario, ground, box, figures
        self.dsn, self.folder = dsn, folder
        self.clock = get_context("forkserver").Value("d", 0.0)
        self.rng = Random(f"play {scenario.seed}")
        self.corrected: dict[int, list[tuple[int, str]]] = defaultdict(list)
        self.uncertain: set[int] = set()
        self.tombstones: dict[int, str] = {}
        self.deleted: set[int] = set()
        self.move(0)
        self.runner = Runner(
            league_of(box),
            TaskSettings(
                collect=CollectSettings(batch_size=scenario.batch_size),
                budget=BudgetSettings(
                    default_limit=scenario.limit or 1000, window_seconds=max(1, int(scenario.window))
                ),
            ),
            {"dsn": dsn, "base_url": box.base_url, "key": box.key, "folder": str(folder)},
            self.clock,
            scenario.seed,
            scenario.workers,
        )

    def run(self) -> None:
        """The phases, then quiet, then the comparison."""
        try:
            self._run()
        except Exception as error:
            self.figures.problems.append(f"the suite itself failed: {type(error).__name__}: {error}")
            raise
        finally:
            stats = self.runner.stats
            text = "\n".join([str(self.scenario), *stats.failures, *stats.given_up, *self.figures.problems])
            (self.folder / "tally.txt").write_text(text)

    def _run(self) -> None:
        for phase in self.scenario.phases:
            self.phase(phase)
        self.quiet()
        self.settle()
        self.check("after the drain", skip=self.not_due_yet())
        self.read_everything_again()
        self.check("after all was read again", skip=frozenset())
        self.check_ledger()
        self.check_calls()
        self.check_refetched()

    # -- what happens -------------------------------------------------------------------------------------------

    def move(self, seconds: float) -> None:
        """The sandbox's clock and the code's, in this order: an answer must not be older than it says."""
        answer = self.box.admin("POST", "/clock", {"advance_seconds": seconds})
        self.clock.value = float(answer["epoch"])

    def phase(self, phase: Phase) -> None:
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
                list(pool.map(lambda name: self.one_run(phase.params, name), runs))
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

    def one_run(self, params: dict[str, Any], execution: str) -> int:
        """How many fixtures were due; -1 when the run failed."""
        try:
            return self.runner.whole_run(params, execution)[1]
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
        threads = [threading.Thread(target=_after, args=act) for act in acts]
        for thread in threads:
            thread.start()
        return threads

    def crash_postgres(self) -> None:
        self.runner.stats.crashes += 1
        self.ground.crash()

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
            self.figures.corrections += len(done)
            for row in done:
                if row["fixture_id"] in collected:
                    self.corrected[row["fixture_id"]].append((newest, row["kind"]))
                self.uncertain.add(row["fixture_id"])
        if phase.deletions:
            for row in self.box.admin("POST", "/deletions", {"n": phase.deletions})["deleted"]:
                self.deleted.add(row["fixture_id"])
                self.tombstones |= self.kept(row["fixture_id"])
                self.figures.deletions += 1

    def kept(self, fixture_id: int) -> dict[int, str]:
        """What the warehouse holds of a fixture that the provider has just deleted: it must stay so."""
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
        """Checkpoints lost, broken, old, of another chunk, or plainly wrong."""
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

    # -- quiet --------------------------------------------------------------------------------------------------

    def quiet(self) -> None:
        """No faults, no limits, nothing refused any more."""
        self.box.admin("DELETE", "/faults")
        calls = self.box.calls()
        windows = 1 + calls["total"] // (self.scenario.limit or PLENTY)
        own = sum(calls["answers_429"].values()) - calls["faults"].get("rate_limited", 0)
        misled = any(
            fault["kind"] in ("no_rate_limit", "wrong_rate_limit") for p in self.scenario.phases for fault in p.faults
        )
        self.figures.refused = 0 if misled else max(0, own)
        if self.figures.refused > windows:
            self.figures.problems.append(f"{own} answers 429 in {windows} windows")
        self.box.admin("POST", "/limits", {"limit": PLENTY, "window_seconds": 3600})
        self.runner.query("DELETE FROM etl.api_budget")
        self.runner.query("DELETE FROM etl.api_circuit")
        self.runner.query("DELETE FROM etl.forbidden_includes")

    def settle(self) -> None:
        """Runs until nothing is due and nothing is in trouble; the clock moves on to the next try of what is."""
        failed = len(self.runner.stats.given_up)
        self.move(120)  # the clock stands still within a phase: what is due a moment later is due from here on
        for turn in range(25):
            due = self.one_run(self.everything(), self.runner.new_execution())
            if len(self.runner.stats.given_up) > failed + 2:
                self.figures.problems.append(f"fails without any fault: {self.runner.stats.given_up[-1]}")
                return
            if due and turn % 4 == 3:
                self.move(3600)  # a clock that was turned back makes some reads come early
            if due == 0:
                moment = self.next_try()
                if moment is None:
                    return
                self.move(max(moment - self.clock.value, 0) + 1)
        self.figures.problems.append("does not come to rest: something is due in every run")

    def everything(self, **more: Any) -> dict[str, Any]:
        return {"seasons": [str(season.id) for season in self.runner.league.seasons], **more}

    def next_try(self) -> float | None:
        row = self.runner.query(
            """-- News of the index are stamped behind the last read, which may lie ahead of a clock that was set back.
               SELECT extract(epoch FROM min(greatest(next_due_at, index_changed_at, index_missing_at)))::float8
               FROM football.fixtures
               WHERE deleted_at IS NULL
                 AND (missing_reads + held_reads + failed_reads > 0
                      OR greatest(index_changed_at, index_missing_at) > last_requested_at)"""
        )[0]
        return None if row[0] is None else float(row[0])

    def read_everything_again(self) -> None:
        """A forced run: every correction must show up now, and nothing else may be touched."""
        with self.connect() as conn:
            before = stamps(conn)
        self.move(1)
        params = self.everything(force=True, continue_from_checkpoint=False)
        for _ in range(3 + 1):
            # An answer poorer by a correction (a goal taken back leaves few rows) may be held back first.
            self.one_run(params, self.runner.new_execution())
            moment = self.next_try()
            if moment is None:
                break
            self.move(max(moment - self.clock.value, 0) + 1)
            params = self.everything()
        with self.connect() as conn:
            moved = touched(before, stamps(conn))
        self.figures.touched = len(moved)
        self.figures.problems += moved[:5]

    # -- what must hold -----------------------------------------------------------------------------------------

    def connect(self) -> psycopg.Connection[Any]:
        return open_connection(self.dsn, autocommit=True)

    def truth(self, *, full: bool = True) -> list[dict[str, Any]]:
        """Fixtures of the league as it was followed from the beginning; later seasons are the catalog's business."""
        known = {season.id for season in self.runner.league.seasons}
        rows = self.box.admin("GET", f"/truth/fixtures?{'full=1' if full else 'brief=1'}")["fixtures"]
        return [row for row in rows if row["season_id"] in known]

    def not_due_yet(self) -> frozenset[int]:
        """Fixtures whose truth the ladder need not have come to: corrected ones, and all when answers lied without a
        trace."""
        lied = any(fault["kind"] in LYING for phase in self.scenario.phases for fault in phase.faults)
        return frozenset(row["id"] for row in self.truth(full=False)) if lied else frozenset(self.uncertain)

    def check(self, when: str, skip: frozenset[int]) -> None:
        with self.connect() as conn:
            # A clock that goes back takes a fixture back to before its deletion: it is read anew, then deleted again.
            kept = {} if self.went_back() else self.tombstones
            found: Differences = compare(conn, self.truth(), tombstones=kept, skip=skip)
            repeated = repeated_changes(conn)
            unfinished = conn.execute("SELECT count(*) FROM etl.etl_executions WHERE status = 'RUNNING'").fetchone()
        figures = self.figures
        figures.lost = max(figures.lost, len(found.lost))
        figures.duplicates = max(figures.duplicates, len(found.duplicates) + len(repeated))
        figures.wrong = max(figures.wrong, len(found.wrong))
        texts = [*found.all(), *repeated]
        if unfinished and unfinished[0]:
            texts.append(f"{unfinished[0]} executions are still RUNNING")
        figures.problems += [f"{when}: {text}" for text in texts[:8]]
        figures.fixtures = len(self.truth(full=False))

    def check_ledger(self) -> None:
        """Every correction made after the first reading is in the ledger, in the section it belongs to."""
        told: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for key, section, number in self.runner.query("SELECT fixture_id, section, change_id FROM etl.fixture_changes"):
            told[key].append((number, section))
        # A clock that goes back takes a match back to before its extra time: nothing to tell then.
        back = self.went_back()
        for key, changes in self.corrected.items():
            for newest, kind in changes:
                if kind == "state_extended" and back:
                    continue
                sections = {section for number, section in told[key] if number > newest}
                if key not in self.deleted and not sections & SECTIONS[kind]:
                    self.figures.unrecorded += 1
                    self.figures.problems.append(f"{kind} of fixture {key} is not in the ledger: {sorted(sections)}")

    def went_back(self) -> bool:
        return any((phase.clock_jump_after or (0, 0))[1] < 0 for phase in self.scenario.phases)

    def check_calls(self) -> None:
        calls = self.box.calls()
        self.figures.over_quota = calls["calls_after_remaining_zero"]
        if self.figures.over_quota and not self.misled():
            self.figures.problems.append(f"{self.figures.over_quota} calls though nothing was known to remain")
        if self.misled():
            self.figures.over_quota = 0

    def misled(self) -> bool:
        return any(f["kind"] in ("no_rate_limit", "wrong_rate_limit") for p in self.scenario.phases for f in p.faults)

    def check_refetched(self) -> None:
        """Batches that an execution asked for again although they had been asked for, by the process that lost them."""
        stats = self.runner.stats
        self.figures.kills, self.figures.crashes = stats.kills, stats.crashes
        latest: dict[str, dict[int, tuple[int, int]]] = defaultdict(dict)
        lost: set[tuple[int, int]] = set()
        file = self.folder / "asks.jsonl"
        for number, line in enumerate(file.read_text().splitlines() if file.exists() else ()):
            note = json.loads(line)
            asked = latest[note["execution"]]
            if note["what"] == "planned":
                asked.clear()
            for fixture_id in note["ids"]:
                if note["what"] == "ask":
                    if fixture_id in asked:
                        lost.add(asked[fixture_id])
                    asked[fixture_id] = (note["pid"], number)
                elif note["what"] in ("failed", "missing"):
                    asked.pop(fixture_id, None)
        by_process = Counter(pid for pid, _ in lost)
        self.figures.refetched = len(lost)
        self.figures.most_refetched = max(by_process.values(), default=0)
        if self.figures.most_refetched > 1:
            self.figures.problems.append(f"a process lost {self.figures.most_refetched} fetched batches")
        if len(by_process) > stats.kills + len(stats.failures):
            self.figures.problems.append(f"{len(by_process)} processes lost a batch, {stats.kills} were killed")


def _after(seconds: float, act: Any) -> None:
    time.sleep(seconds)
    act()


def league_of(box: RunningSandbox, league_id: int | None = None) -> League:
    """A league of the sandbox as the manifest would hold it; the first one, or the one asked for."""
    chunks = box.admin("GET", "/truth")["chunks"]
    chunks = [row for row in chunks if row["league_id"] == (league_id or chunks[0]["league_id"])]
    seasons = tuple(
        Season(
            id=row["season_id"],
            name=row["season_name"],
            group=f"season_{row['season_id']}",
            is_current=row["is_current"],
        )
        for row in reversed(chunks)
    )
    return League(
        id=chunks[0]["league_id"],
        name=chunks[0]["league_name"],
        slug="chaos",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=seasons,
    )
