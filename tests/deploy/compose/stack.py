"""A stack of docker-compose.yaml for `make compose-check`: a clone of HEAD, a `.env`, a project of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import requests

from local.stack.airflow_api import AirflowApi
from local.stack.files import free_port
from tests.harness.compare import compare
from tests.harness.paths import REPO

PROJECT = "sportmonks-compose-check"
IMAGE = "sportmonks-compose-check"
BATCH_PATH = "/multi/"
LEAGUES = {
    "sportmonks_premier_league": 8,
    "sportmonks_la_liga": 564,
    "sportmonks_serie_a": 384,
    "sportmonks_bundesliga": 82,
}
LIMIT, WINDOW_S = 60, 60
WORLD = f"--leagues {len(LEAGUES)} --seasons 3 --teams 12 --limit {LIMIT} --window {WINDOW_S} --latency 0.3 --frozen"
SANDBOX_KEY = "check$key"  # compose expands a single $
# A developer's own settings must not decide.
KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "XDG_RUNTIME_DIR")

Found = TypeVar("Found")


class CheckError(Exception):
    """Something does not hold; the message says what."""


def world_now() -> list[str]:
    """Options of a sandbox whose clock stands at the present time."""
    return ["--now", datetime.now(UTC).isoformat(timespec="seconds"), *WORLD.split()]


def environment() -> dict[str, str]:
    return {name: os.environ[name] for name in KEPT if name in os.environ}


def command(
    *words: str, cwd: Path | None = None, seconds: float = 900, umask: int = -1
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            words, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=seconds, check=False, umask=umask
        )
    except OSError as error:
        return subprocess.CompletedProcess(words, 127, "", str(error))
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(words, 124, "", f"no end within {seconds:.0f} s")


def wait_for(look: Callable[[], Found], what: str, seconds: float) -> Found:
    """The first true value of ``look``; CheckError after ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(1)
    raise CheckError(f"{what}: not seen within {seconds:.0f} s")


@dataclass
class ComposeStack:
    """``folder``: an empty folder for the clone. ``uid``: AIRFLOW_UID. ``cpu_shares``: of every container, or None."""

    folder: Path
    uid: int
    cpu_shares: int | None = None
    port: int = field(default_factory=free_port)
    postgres_port: int = field(default_factory=free_port)
    sandbox_port: int = field(default_factory=free_port)
    sandbox_host: str = "127.0.0.1"
    commit: str = "HEAD"
    umask: int = 0o077

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    def prepare(self) -> None:
        """Clone and `.env`, as the head of the compose file says; by default under the strictest usual umask."""
        self.git("clone", "--quiet", "--no-hardlinks", str(REPO), str(self.clone), cwd=self.folder)
        self.git("checkout", "--quiet", "--detach", self.commit)
        shutil.copy(self.clone / ".env.example", self.clone / ".env")
        (self.clone / ".env").chmod(0o600)
        own = {
            **self.choices(),
            "SPORTMONKS_API_KEY": SANDBOX_KEY.replace("$", "$$"),
            "AIRFLOW_UID": str(self.uid),
            "ETL_PORT": str(self.port),
            "AIRFLOW_BASE_URL": f"http://localhost:{self.port}",
            "ETL_IMAGE": IMAGE,
            "AIRFLOW_CONN_OF_MY_OWN": '{"conn_type":"smtp","host":"mail.example.org"}',
        }
        self.settle(own)
        self.add_secrets()
        self.write_override()

    def choices(self) -> dict[str, str]:
        """Lines of `.env` that a kind of check decides."""
        return {"COMPOSE_PROFILES": "sandbox", "SPORTMONKS_BASE_URL": "http://sandbox:8000/v3"}

    def git(self, *words: str, cwd: Path | None = None) -> str:
        done = command("git", "-c", "safe.directory=*", *words, cwd=cwd or self.clone, umask=self.umask)
        if done.returncode:
            raise CheckError(f"git {words[0]}: {done.stderr.strip()}")
        return done.stdout.strip()

    def add_secrets(self) -> None:
        """What `.env` lacks still."""
        made = command(sys.executable, "local/deploy/make_secrets.py", cwd=self.clone)
        if made.returncode or made.stderr:
            raise CheckError(f"make_secrets.py: {made.stderr.strip()}")
        self._append(made.stdout)

    def settle(self, settings: dict[str, str]) -> None:
        """Further lines of `.env`; the last one of a name counts."""
        self._append("".join(f"{name}={value}\n" for name, value in settings.items()))

    def _append(self, text: str) -> None:
        with (self.clone / ".env").open("a", encoding="utf-8") as file:
            file.write(text)

    def overrides(self) -> dict[str, dict[str, Any]]:
        """What the check itself needs beside the file: a larger and slower sandbox, and two ports to look in by."""
        world = ["--host", "0.0.0.0", "--port", "8000", *world_now()]
        return {
            "sandbox": {"command": world, "ports": [f"127.0.0.1:{self.sandbox_port}:8000"]},
            "postgres": {"ports": [f"127.0.0.1:{self.postgres_port}:5432"]},
        }

    def write_override(self) -> None:
        services = self.overrides()
        if self.cpu_shares:
            for name in self.services():
                services.setdefault(name, {})["cpu_shares"] = self.cpu_shares
        (self.folder / "override.json").write_text(json.dumps({"services": services}))

    # -- the engine -----------------------------------------------------------------------------------------------

    def compose(self, *words: str, override: bool = True, seconds: float = 900) -> subprocess.CompletedProcess[str]:
        files = ["--file", "docker-compose.yaml"]
        files += ["--file", str(self.folder / "override.json")] if override else []
        return command("docker", "compose", "--project-name", PROJECT, *files, *words, cwd=self.clone, seconds=seconds)

    def must(self, *words: str, seconds: float = 900) -> str:
        done = self.compose(*words, seconds=seconds)
        if done.returncode:
            last = "\n".join(done.stderr.strip().splitlines()[-6:])
            raise CheckError(f"docker compose {' '.join(words)} ended with code {done.returncode}:\n{last}")
        return done.stdout

    def services(self) -> list[str]:
        done = self.compose("--profile", "*", "config", "--services", override=False)
        return done.stdout.split()

    def containers(self, *services: str) -> dict[str, dict[str, Any]]:
        """`docker inspect` of the containers that exist, by name."""
        ids = self.must("ps", "--all", "--quiet", *services).split()
        rows = json.loads(command("docker", "inspect", *ids).stdout) if ids else []
        return {row["Name"].lstrip("/"): row for row in rows}

    def tear_down(self) -> None:
        self.compose("--profile", "*", "down", "--volumes", "--remove-orphans", "--timeout", "20")
        command("docker", "image", "rm", "--force", f"{IMAGE}:{self.version}", f"{IMAGE}-sandbox:{self.version}")

    @cached_property
    def version(self) -> str:
        done = self.compose("config", "--images", override=False)
        return next(line.split(":")[1] for line in done.stdout.split() if line.startswith(f"{IMAGE}:"))

    # -- what runs in it ------------------------------------------------------------------------------------------

    def setting(self, name: str) -> str:
        lines = (self.clone / ".env").read_text(encoding="utf-8").splitlines()
        return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")][-1]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @cached_property
    def airflow(self) -> AirflowApi:
        return AirflowApi(self.url, lambda: self.setting("AIRFLOW_ADMIN_PASSWORD"))

    def sandbox(self, method: str, path: str) -> Any:
        answer = requests.request(method, f"http://{self.sandbox_host}:{self.sandbox_port}/_admin{path}", timeout=60)
        answer.raise_for_status()
        return answer.json()

    def warehouse(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            host="127.0.0.1",
            port=self.postgres_port,
            dbname="sportmonks",
            user="sportmonks",
            password=self.setting("WAREHOUSE_PASSWORD"),
            connect_timeout=10,
        )

    def count(self) -> int:
        """Collected fixtures."""
        with self.warehouse() as connection:
            query = "SELECT count(*) FROM football.fixtures WHERE collection_status = 'COLLECTED'"
            row = connection.execute(query).fetchone()
        return int(row[0]) if row else 0

    def batches(self) -> int:
        """Batch calls since the sandbox's start."""
        paths: dict[str, int] = self.sandbox("GET", "/calls?last=0")["by_path"]
        return sum(count for path, count in paths.items() if BATCH_PATH in path)

    def trigger(self, dag_id: str, **conf: Any) -> str:
        wait_for(lambda: dag_id in self.airflow.dag_ids(), f"the DAG {dag_id}", 240)
        return str(self.airflow.trigger(dag_id, conf)["dag_run_id"])

    def state(self, dag_id: str, run_id: str) -> str:
        """Of a run; "" while Airflow does not answer."""
        try:
            return str(self.airflow.get(f"/dags/{dag_id}/dagRuns/{run_id}")["state"])
        except Exception:  # its server may be the one that was killed
            return ""

    def finish(self, runs: dict[str, str], seconds: float = 900) -> None:
        """Wait until the runs (run ids by DAG id) have ended well."""

        def states() -> dict[str, str] | None:
            now = {dag_id: self.state(dag_id, run_id) for dag_id, run_id in runs.items()}
            return now if all(state in ("success", "failed") for state in now.values()) else None

        ended = wait_for(states, f"the end of {', '.join(runs)}", seconds)
        if failed := [dag_id for dag_id, state in ended.items() if state == "failed"]:
            raise CheckError(f"these runs failed: {', '.join(failed)}")

    def differences(self, leagues: Iterable[int]) -> list[str]:
        """Where the warehouse differs from the sandbox's truth, row by row, in these leagues."""
        chosen = set(leagues)
        chunks = self.sandbox("GET", "/truth")["chunks"]
        truth = [
            row
            for chunk in chunks
            if chunk["league_id"] in chosen
            for row in self.sandbox("GET", f"/truth/fixtures?full=1&season={chunk['season_id']}")["fixtures"]
        ]
        with self.warehouse() as connection:
            return compare(connection, truth, tombstones={}).all()
