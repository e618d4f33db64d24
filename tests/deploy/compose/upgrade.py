"""`make compose-check ARGS="--upgrade-from REF"`: a stack of an older commit is upgraded in the middle of runs.

REF is any commit whose compose file starts; the steps are those of docs/operations/upgrade.md. The sandbox is a process
of the check, so that it counts requests on both sides of the upgrade. With `--no-celery` the tasks are children of the
scheduler, else those of two workers.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import requests

from sandbox.testing import ROOT
from tests.deploy.compose import steps
from tests.deploy.compose.report import Step
from tests.deploy.compose.stack import (
    LEAGUES,
    LIMIT,
    SANDBOX_KEY,
    CheckError,
    ComposeStack,
    command,
    wait_for,
    world_now,
)

BEFORE = 30  # batches of the old version, of about 320


@dataclass
class UpgradedStack(ComposeStack):
    """``old``: the commit that it starts with; ``new``: that of the checkout. ``runs``: run ids by DAG id."""

    old: str = ""
    new: str = ""
    celery: bool = False
    umask: int = 0o022
    runs: dict[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> None:
        self.commit, self.new = self.old, self.git("rev-parse", "HEAD", cwd=ROOT)
        answer = command("docker", "network", "inspect", "bridge", "--format", "{{(index .IPAM.Config 0).Gateway}}")
        if answer.returncode or not answer.stdout.strip():
            raise CheckError(f"the engine has no network `bridge` of this machine: {answer.stderr.strip()}")
        self.sandbox_host = answer.stdout.strip()
        super().prepare()
        words = ["--host", self.sandbox_host, "--port", str(self.sandbox_port), *world_now()]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *words],
            cwd=ROOT,
            env={**os.environ, "SANDBOX_KEY": SANDBOX_KEY},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_for(self._plays, "the sandbox", 60)

    def _plays(self) -> bool:
        try:
            return bool(self.sandbox("GET", "/health"))
        except requests.RequestException:
            return False

    def choices(self) -> dict[str, str]:
        found = {"SPORTMONKS_BASE_URL": f"http://sandbox:{self.sandbox_port}/v3"}
        if self.celery:
            found |= {"COMPOSE_PROFILES": "celery", "AIRFLOW_EXECUTOR": "CeleryExecutor", "CELERY_WORKERS": "2"}
        return found

    def overrides(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {
            name: {"extra_hosts": [f"sandbox:{self.sandbox_host}"]} for name in self.services() if name != "sandbox"
        }
        found["postgres"]["ports"] = [f"127.0.0.1:{self.postgres_port}:5432"]
        return found

    def tear_down(self) -> None:
        super().tear_down()
        if self._process:
            self._process.terminate()
            self._process.wait(30)

    def to(self, commit: str) -> None:
        """Another version's files, and the lines of `.env` that it wants besides."""
        self.git("checkout", "--quiet", "--detach", commit)
        self.add_secrets()
        self.write_override()

    @property
    def applied(self) -> set[str]:
        """Migrations that the warehouse has."""
        with self.warehouse() as connection:
            return {str(row[0]) for row in connection.execute("SELECT name FROM etl.schema_migrations")}

    def requested(self) -> tuple[int, int]:
        """Fixtures since the sandbox's start, and how many of them more than once."""
        calls = self.sandbox("GET", "/calls?last=0&fixtures=1")
        return calls["fixtures_requested"], calls["fixtures_requested_again"]


def runs_begin(stack: UpgradedStack) -> str:
    stack.runs = {dag_id: stack.trigger(dag_id, batch_size=5) for dag_id in LEAGUES}
    wait_for(lambda: stack.batches() >= BEFORE, f"{BEFORE} batches", 300)
    return f"{stack.requested()[0]} fixtures requested"


def upgraded(stack: UpgradedStack) -> str:
    """While tasks are under way; the page answers and no container was restarted."""
    before, begin = stack.applied, time.monotonic()
    stack.must("down")
    stopped = time.monotonic() - begin
    seen = stack.requested()
    stack.to(stack.new)
    steps.up(stack)
    steps.page(stack)
    added = sorted(stack.applied - before)
    return (
        f"down after {stopped:.0f} s with {seen[0]} fixtures requested, {seen[1]} twice; up after"
        f" {time.monotonic() - begin:.0f} s; {len(added)} migrations ({', '.join(added) or 'none'})"
    )


def runs_end(stack: UpgradedStack) -> str:
    """All green without a hand, each row that of the sandbox, no call refused."""
    stack.finish(stack.runs)
    calls = stack.sandbox("GET", "/calls?last=0&fixtures=1")
    if calls["total_429"] or calls["calls_after_remaining_zero"]:
        raise CheckError(f"{calls['total_429']} calls were refused: more than {LIMIT} in a window")
    tasks = [task for dag_id, run_id in stack.runs.items() for task in stack.airflow.tasks(dag_id, run_id)]
    again = [task for task in tasks if task["try_number"] > 1]
    return (
        f"{steps.compared(stack, list(LEAGUES.values()))}; {calls['fixtures_requested']} requested,"
        f" {calls['fixtures_requested_again']} of them twice; {len(again)} of {len(tasks)} tasks began again"
    )


def nothing_is_left(stack: UpgradedStack) -> str:
    """The catalog and a run of every league with the new version: nothing is due, so nothing is requested."""
    before = stack.requested()
    stack.finish({"sportmonks_catalog": stack.trigger("sportmonks_catalog")})
    stack.finish({dag_id: stack.trigger(dag_id) for dag_id in LEAGUES})
    if (after := stack.requested()) != before:
        raise CheckError(f"{after[0] - before[0]} fixtures were requested again")
    return steps.compared(stack, list(LEAGUES.values()))


def downgrade_is_refused(stack: UpgradedStack) -> str:
    """In words, before anything is changed; with the new version's files again all is as it was."""
    before, rows = stack.applied, stack.count()
    stack.must("down")
    stack.to(stack.old)
    done = stack.compose("up", "--build", "--detach")
    logs = stack.must("logs", "--no-log-prefix", "init")
    refusal = [line for line in logs.splitlines() if "which this version does not know" in line]
    if done.returncode == 0 or not refusal or "newer version" not in refusal[-1]:
        raise CheckError(f"code {done.returncode}; init wrote: {logs.strip()[-500:]}")
    running = [name for name, row in stack.containers().items() if row["State"]["Running"]]
    if others := [name for name in running if not any(part in name for part in ("postgres", "redis"))]:
        raise CheckError(f"{others} started all the same")
    if stack.applied != before:
        raise CheckError("the refused version has changed the warehouse")
    stack.must("down")
    stack.to(stack.new)
    steps.up(stack)
    if stack.count() != rows:
        raise CheckError(f"{rows} fixtures before, {stack.count()} after")
    return refusal[-1].rpartition("error: ")[2].strip()


def steps_of(stack: UpgradedStack) -> list[Step]:
    return [
        (f"up, all healthy: {stack.old}", steps.up),
        ("the catalog's run makes the league DAGs", steps.catalog),
        (f"{len(LEAGUES)} leagues at once", runs_begin),
        ("the upgrade in the middle of them, all healthy", upgraded),
        ("they end well", runs_end),
        ("nothing is left to collect", nothing_is_left),
        ("the way back is refused, and the present version goes on", downgrade_is_refused),
    ]
