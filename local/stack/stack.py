"""The complete stack on one machine: starts its parts in order, finds running ones, and stops all processes."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import requests
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from local.accounts import METADATA_ACCOUNT, READER_ACCOUNT, WAREHOUSE_ACCOUNT
from local.errors import LocalError
from local.stack.airflow import (
    COMPONENTS,
    METADATA_DATABASE,
    AirflowHome,
    Endpoints,
    airflow_command,
    clean_environment,
)
from local.stack.airflow_api import AirflowApi
from local.stack.checks import check_all, check_leagues, require_known_options
from local.stack.databases import Databases
from local.stack.disk import full_disk
from local.stack.files import free_port, locked, port_is_free, read_json, write_json
from local.stack.postgres import DATABASE, EmbeddedPostgres
from local.stack.processes import ProcessTable
from local.stack.settings import REPO, Settings
from local.stack.started_with import StartedWith
from local.stack.warehouse import claim_warehouse, migrate_warehouse
from sportmonks.warehouse.source import SANDBOX, source_of

MIGRATION = "airflow-db-migrate"
SANDBOX_KEY = "demo-key"
HEALTHY = ("metadatabase", "scheduler", "dag_processor", "triggerer")
READ_ONLY = "-c default_transaction_read_only=on"

# A machine that is slow is waited for as long as every process lives; this much later something hangs.
READY_SECONDS = 1800
# Between two lines that say what is still waited for.
PROGRESS_SECONDS = 15

Say = Callable[[str], None]
# Called with the names of changed settings and of running processes: may these be restarted?
MayRestart = Callable[[list[str], list[str]], bool]


@dataclass(frozen=True)
class Part:
    """One line of `./etl status`."""

    name: str
    running: bool
    detail: str = ""


class Stack:
    """The stack of `settings.home`; `say` receives one line per step."""

    def __init__(
        self,
        settings: Settings,
        say: Say = lambda line: None,
        *,
        may_restart: MayRestart = lambda changed, running: True,
    ) -> None:
        self.settings = settings
        self.say = say
        self.may_restart = may_restart
        self.postgres = EmbeddedPostgres(settings.home)
        self.processes = ProcessTable(settings.home)
        self.airflow = AirflowHome(settings)
        self.api = AirflowApi(self.airflow.url, self.airflow.password)
        self.started_with = StartedWith(settings)
        self._ports_file = settings.home / "ports.json"
        self.databases = Databases(settings, self.started_with, say)

    # -- state ---------------------------------------------------------------------------------------

    def is_up(self) -> bool:
        """Whether every process runs and Airflow reports itself healthy."""
        names = [*COMPONENTS, *([SANDBOX] if self.settings.sandbox else [])]
        return (
            all(self.processes.running(name) for name in names)
            and self.postgres.running()
            and not self._unhealthy(datetime.min.replace(tzinfo=UTC))
        )

    def parts(self) -> list[Part]:
        health = self.api.health() if self.processes.running("api-server") else {}
        found = [Part("postgres", self.postgres.running(), self._postgres_place())]
        if self.settings.sandbox or self.processes.running(SANDBOX):
            running = self.processes.running(SANDBOX)
            found.append(Part(SANDBOX, running, self.sandbox_url if running else ""))
        for name in COMPONENTS:
            running = self.processes.running(name)
            detail = self.airflow.url if name == "api-server" else _state(health, name.replace("-", "_"))
            found.append(Part(name, running, detail if running else ""))
        return found

    def _postgres_place(self) -> str:
        data = self.postgres.data_dir
        return f"127.0.0.1:{self.postgres.port}, data in {data}" if data and self.postgres.running() else ""

    @property
    def warehouse(self) -> str:
        """Connection string of the warehouse, password included."""
        return self.settings.warehouse or self.postgres.conninfo(self.database, WAREHOUSE_ACCOUNT)

    @property
    def warehouse_reader(self) -> str:
        """The same for reading only. An external warehouse has no account for it that is known here: there, every
        transaction of the session is read-only unless it asks for more."""
        if not self.settings.warehouse:
            return self.postgres.conninfo(self.database, READER_ACCOUNT)
        options = conninfo_to_dict(self.settings.warehouse).get("options") or ""
        return make_conninfo(self.settings.warehouse, options=f"{options} {READ_ONLY}".strip())

    @property
    def database(self) -> str:
        """The embedded server's database for what the settings lead to: the sandbox or the API, each has its own."""
        return self.databases.known()[SANDBOX if self.settings.sandbox else "api"]

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{read_json(self._ports_file).get(SANDBOX, 0)}"

    def full_disk(self) -> str:
        """A hint when a disk that this stack writes to is full, else ""."""
        data = self.postgres.data_dir
        return full_disk([self.settings.home, *([data] if data else [])])

    def endpoints(self) -> Endpoints:
        sandbox = self.settings.sandbox
        return Endpoints(
            metadata=self.postgres.conninfo(METADATA_DATABASE, METADATA_ACCOUNT),
            warehouse=self.warehouse,
            api_url=f"{self.sandbox_url}/v3" if sandbox else self.settings.base_url,
            api_key=SANDBOX_KEY if sandbox else self.settings.api_key,
            sandbox=sandbox,
        )

    # -- up ----------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Everything that can be known before anything starts. Raises SettingsError."""
        require_known_options(self.settings.sandbox_args)
        check_all(self.settings, port_is_ours=self.processes.running("api-server"))
        # The leagues of a sandbox are known once it runs; one that goes on with other options has others.
        goes_on = self.settings.sandbox and self.processes.running(SANDBOX)
        if goes_on and "ETL_SANDBOX_ARGS" not in self.started_with.changed():
            self._check_leagues_of_sandbox()

    def up(self) -> bool:
        """Start what does not run; True when anything had to be started.

        When that fails or is interrupted, what this call has started is stopped again.
        """
        self.check()
        with self._lock():
            same = self.started_with.same()
            if same and self.is_up():
                return False
            if not same:
                self._require_restart()
            started: list[str] = []
            postgres_ran = self.postgres.running()
            try:
                self._start(started)
            except BaseException:
                self.say("stopping what was started")
                with _uninterrupted():
                    self._end(started)
                    if not postgres_ran:
                        self.postgres.stop()
                raise
            return True

    def _require_restart(self) -> None:
        """LocalError when processes run with other settings and may not be restarted; nothing was touched then."""
        running = [name for name in [*COMPONENTS, SANDBOX] if self.processes.running(name)]
        changed = self.started_with.changed()
        if running and not self.may_restart(changed, running):
            what = ", ".join(changed) or "settings"
            raise LocalError(
                f"{what} changed since {', '.join(running)} started, and nothing was restarted",
                hint="add --yes to restart them (tasks under way go on afterwards), or undo the change",
            )

    def _lock(self) -> contextlib.AbstractContextManager[None]:
        self.settings.home.mkdir(mode=0o711, parents=True, exist_ok=True)
        return locked(self.settings.home / "stack.lock", timeout=300, what="starting or stopping the stack")

    def _start(self, started: list[str]) -> None:
        begun = time.monotonic()
        revived = not self.postgres.running()
        if revived:
            self.say("PostgreSQL starts")
        self.postgres.start()
        # Before the sandbox gets its port, by which an older version's database is known.
        self.databases.decide(self.postgres.conninfo(DATABASE))
        self.airflow.prepare()
        # Running processes keep the settings of their start: new settings need new processes.
        if not self.started_with.same():
            self._end([name for name in [*COMPONENTS, SANDBOX] if self.processes.running(name)])
        # Airflow does not survive a restart of its database: its processes are about to end and are replaced.
        elif revived:
            self._end(list(COMPONENTS))
        # Now nothing holds a lock on tables that change their owner.
        metadata = self.postgres.ensure_metadata(METADATA_DATABASE)
        if not self.settings.warehouse:
            self.postgres.ensure_warehouse(self.database)
        if self.settings.sandbox and not self.processes.running(SANDBOX):
            self._start_sandbox(started)
        elif not self.settings.sandbox:
            self._end([SANDBOX])
        env = self.airflow.environment(self.endpoints())
        self.say("databases are brought up to date")
        self._migrate(started, env, metadata)
        missing = [name for name in COMPONENTS if not self.processes.running(name)]
        since = datetime.now(UTC) if missing else datetime.min.replace(tzinfo=UTC)
        if missing:
            self.say("Airflow starts (" + ", ".join(missing) + ")")
        for name in missing:
            if name == "scheduler":
                # It may find queued work at once, and tasks that reach no API server fail within seconds.
                self._wait(lambda: [] if self.api.health() else ["api_server"], ["api-server"])
            # What an earlier process has left behind (after a kill, say) must not run beside the new one.
            self.processes.stop([name])
            started.append(name)
            self.processes.spawn(name, airflow_command(*COMPONENTS[name]), env, cwd=self.airflow.folder)
        self.started_with.remember()
        self._wait(lambda: self._unhealthy(since), list(COMPONENTS))
        self.say(f"everything runs after {time.monotonic() - begun:.0f} s")

    def _start_sandbox(self, started: list[str]) -> None:
        ports = read_json(self._ports_file)
        if not ports.get(SANDBOX) or not port_is_free(ports[SANDBOX]):
            ports[SANDBOX] = free_port()
            write_json(self._ports_file, ports)
        self.say(f"the API sandbox starts on port {ports[SANDBOX]} (no SPORTMONKS_API_KEY is set)")
        self.processes.stop([SANDBOX])
        started.append(SANDBOX)
        env = clean_environment({}) | {"PYTHONPATH": str(REPO), "PYTHONUNBUFFERED": "1", "SANDBOX_KEY": SANDBOX_KEY}
        command = [sys.executable, "-m", "sandbox", "--port", str(ports[SANDBOX])]
        self.processes.spawn(SANDBOX, [*command, *self.settings.sandbox_args], env, cwd=REPO)
        self._wait_for_sandbox()
        self._check_leagues_of_sandbox()

    def _check_leagues_of_sandbox(self) -> None:
        """LocalError for a league that the running sandbox does not have."""
        problem = check_leagues(self.settings, f"{self.sandbox_url}/v3", SANDBOX_KEY)
        if problem:
            raise LocalError(problem[0], hint=problem[1])

    def _wait_for_sandbox(self) -> None:
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException), requests.Session() as session:
                session.trust_env = False
                if session.get(f"{self.sandbox_url}/_admin/health", timeout=5).ok:
                    return
            self._require_running([SANDBOX])
            time.sleep(0.2)
        raise self._dead(SANDBOX, "does not answer")

    def _migrate(self, started: list[str], env: dict[str, str], metadata: str) -> None:
        """Migrate both databases at the same time: Airflow's takes ten seconds the first time."""
        needed = not self.airflow.is_migrated(metadata)
        if needed:
            started.append(MIGRATION)
            command = airflow_command("db", "migrate")
            self.processes.spawn(MIGRATION, command, env, cwd=self.airflow.folder)
        migrate_warehouse(self.warehouse)
        claim_warehouse(self.warehouse, SANDBOX if self.settings.sandbox else source_of(self.settings.base_url))
        if not needed:
            return
        while self.processes.running(MIGRATION):
            time.sleep(0.1)
        if self.processes.exit_code(MIGRATION) != 0 or not self.airflow.remember_migration(metadata):
            raise self._dead(MIGRATION, "has failed")
        self.processes.stop([MIGRATION])

    def _wait(self, unhealthy: Callable[[], list[str]], needed: list[str]) -> None:
        """Wait until all components are healthy; LocalError when one of the `needed` processes ends before."""
        begun = reported = time.monotonic()
        deadline = begun + READY_SECONDS
        while unwell := unhealthy():
            self._require_running(needed)
            now = time.monotonic()
            if now - reported >= PROGRESS_SECONDS:
                reported = now
                names = ", ".join(name.replace("_", "-") for name in unwell)
                self.say(f"still waiting for {names} ({now - begun:.0f} s)")
            if time.monotonic() > deadline:
                log = self.processes.log_file(unwell[0].replace("_", "-"))
                raise LocalError(
                    f"Airflow is not healthy after {READY_SECONDS} s: {', '.join(unwell)}",
                    hint=f"read {log}",
                )
            time.sleep(0.5)

    def _unhealthy(self, since: datetime) -> list[str]:
        """Components that are not healthy; a heartbeat from before `since` is that of an earlier process."""
        health = self.api.health()
        if not health:
            return ["api_server"]
        unwell = []
        for name in HEALTHY:
            part = health.get(name) or {}
            beat = part.get(f"latest_{name}_heartbeat")
            fresh = beat is None or datetime.fromisoformat(beat) >= since
            if part.get("status") != "healthy" or not fresh:
                unwell.append(name)
        return unwell

    def _require_running(self, names: list[str]) -> None:
        for name in names:
            if not self.processes.running(name):
                raise self._dead(name, "has ended")

    def _dead(self, name: str, what: str) -> LocalError:
        lines = self.processes.last_lines(name)
        return LocalError(f"{name} {what}. Its last lines:\n{lines}", hint=f"read {self.processes.log_file(name)}")

    # -- down --------------------------------------------------------------------------------------------

    def down(self) -> list[str]:
        """Stop everything; names of what was running."""
        if not self.settings.home.exists():
            return []
        with self._lock(), _uninterrupted():
            ended = self._end([*COMPONENTS, SANDBOX, MIGRATION])
            if self.postgres.stop():
                ended.append("postgres")
            return ended

    def _end(self, names: list[str]) -> list[str]:
        """Stop tasks first, while the API server still listens, so that they can report that they were stopped."""
        rest = [name for name in names if name != "api-server"]
        ended = self.processes.stop(rest, timeout=4)
        if "api-server" in names:
            ended += self.processes.stop(["api-server"], timeout=2)
        return ended


def _state(health: dict[str, Any], name: str) -> str:
    return str((health.get(name) or {}).get("status", "unknown"))


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C does not leave half of the processes running."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
