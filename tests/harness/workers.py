"""Celery workers for a running local stack: Redis as their broker, a scheduler with the CeleryExecutor in the place of
the stack's own, and each worker a process with a session of its own.

Celery is not among the locked requirements, so scheduler and workers run in an environment that lies on top of this
interpreter's.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from local.stack.airflow import COMPONENTS
from local.stack.files import free_port

if TYPE_CHECKING:
    from tests.e2e.stack import Etl

PROVIDER = "apache-airflow-providers-celery[redis]"
START_SECONDS = 120


class NotToBeHadError(Exception):
    """Redis or the provider of an executor is missing; the message says which."""


def provider_environment(folder: Path, provider: str) -> Path:
    """The interpreter of a new environment in ``folder``: this one's packages, and those that ``provider`` needs beside
    them.

    None of this interpreter's packages may change. NotToBeHadError where pip cannot install the others.
    """
    venv.create(folder, with_pip=False, clear=True)
    python = folder / "bin" / "python"
    here = Path(sysconfig.get_path("purelib"))
    site = folder / here.relative_to(sys.prefix)
    (site / "beside.pth").write_text(f"{here}\n", encoding="utf-8")
    constraints = folder / "constraints.txt"
    pins = {f"{each.name}=={each.version}" for each in distributions(path=[str(here)])}
    constraints.write_text("\n".join(sorted(pins)) + "\n", encoding="utf-8")
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    done = subprocess.run(
        [*command, "--constraint", str(constraints), provider], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotToBeHadError(f"pip cannot install {provider}: {done.stderr.strip()[-300:]}")
    return python


def end_scheduler(etl: Etl) -> dict[str, str]:
    """End the stack's own scheduler, so that another one can take its place; its environment."""
    scheduler = psutil.Process(json.loads((etl.home / "processes.json").read_text())["scheduler"]["pid"])
    env = scheduler.environ()
    for process in [scheduler, *scheduler.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    scheduler.wait(timeout=30)
    return env


@dataclass
class Workers:
    """The workers of ``etl``. ``python``: of :func:`provider_environment`; ``folder``: for logs and Redis."""

    etl: Etl
    python: Path
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, settings: Mapping[str, str]) -> None:
        """Redis, and a scheduler with the CeleryExecutor. ``settings``: further variables of scheduler and workers."""
        redis = shutil.which("redis-server")
        if redis is None:
            raise NotToBeHadError("there is no redis-server (Debian: apt-get install redis-server)")
        port = free_port()
        options = ["--bind", "127.0.0.1", "--port", str(port), "--save", "", "--dir", str(self.folder)]
        self._spawn("redis", [redis, *options])
        self.env = end_scheduler(self.etl)
        database = self.env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"]
        self.env |= {
            "PATH": f"{self.python.parent}{os.pathsep}{self.env['PATH']}",
            "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
            "AIRFLOW__CORE__PARALLELISM": "32",
            "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
            "AIRFLOW__CELERY__RESULT_BACKEND": f"db+{database}",
            **settings,
        }
        self._airflow("scheduler", *COMPONENTS["scheduler"])

    def add(self, name: str, concurrency: int) -> None:
        """Start a worker that runs so many tasks at once, and wait until it takes tasks."""
        options = ["--celery-hostname", name, "--concurrency", str(concurrency), "--skip-serve-logs"]
        self._airflow(name, "celery", "worker", *options)
        deadline = time.monotonic() + START_SECONDS
        while b" ready." not in self._log(name).read_bytes():
            code = self.processes[name].poll()
            if code is not None or time.monotonic() > deadline:
                text = self._log(name).read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"the worker {name} is not ready (code {code}): {text[-3000:]}")
            time.sleep(0.2)

    def kill(self, name: str) -> None:
        """As a machine is lost: SIGKILL to the worker and to every task that it runs."""
        process = psutil.Process(self.processes[name].pid)
        for each in [process, *process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                each.kill()
        self.processes.pop(name).wait(timeout=30)

    def tasks(self, name: str) -> list[psutil.Process]:
        """Processes of tasks that this worker runs now: below the children of its pool."""
        worker = psutil.Process(self.processes[name].pid)
        return [each for child in worker.children() for each in child.children()]

    def stop(self) -> None:
        """End all of them. Each has a session of its own, and so have tasks that a killed worker has left."""
        for process in self.processes.values():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
        deadline = time.monotonic() + 20
        for process in self.processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=max(deadline - time.monotonic(), 0.1))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(timeout=10)
        self.processes.clear()

    def _airflow(self, name: str, *words: str) -> None:
        self._spawn(name, [str(self.python), "-m", "airflow", *words])

    def _spawn(self, name: str, command: list[str]) -> None:
        with self._log(name).open("wb") as output:
            self.processes[name] = subprocess.Popen(
                command,
                env=self.env or None,
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _log(self, name: str) -> Path:
        return self.folder / f"{name}.log"


@contextmanager
def celery_workers(etl: Etl, folder: Path, settings: Mapping[str, str] | None = None) -> Iterator[Workers]:
    """Redis and a scheduler for Celery, without a worker yet; all is ended afterwards.

    NotToBeHadError where Redis or the provider is missing; nothing has changed then.
    """
    if shutil.which("redis-server") is None:
        raise NotToBeHadError("there is no redis-server (Debian: apt-get install redis-server)")
    workers = Workers(etl, provider_environment(folder / "environment", PROVIDER), folder)
    try:
        workers.start(settings or {})
        yield workers
    finally:
        workers.stop()
