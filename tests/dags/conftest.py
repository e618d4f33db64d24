"""An Airflow with a metadata database of its own, a warehouse and a sandbox, in which complete DAGs run."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql
from psycopg.rows import dict_row

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from tests.harness.paths import REPO

RUN_SECONDS = 120
CATALOG = """\
retries: 0
collect: {batch_size: 10}
"""


@dataclass
class Live:
    """``run(dag_id, conf)`` runs a DAG to its end; ``rows`` queries the warehouse; ``log`` is the log of the tasks."""

    box: RunningSandbox
    warehouse: str
    process: subprocess.Popen[str]
    log_file: Path
    env: Mapping[str, str]
    seen: int = field(default=0)

    def run(self, dag_id: str, conf: dict[str, Any] | None = None, env: Mapping[str, str | None] | None = None) -> Any:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.seen = self.log_file.stat().st_size
        self.process.stdin.write(json.dumps({"dag_id": dag_id, "conf": conf, "env": env}) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], RUN_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        assert line, f"no end of {dag_id} after {RUN_SECONDS} s:\n{self.log[-5000:]}"
        return json.loads(line)

    def airflow(self, *arguments: str, **env: str) -> str:
        """What a command of Airflow's command line prints; it has to succeed."""
        command = [sys.executable, "-m", "airflow", *arguments]
        done = subprocess.run(
            command, env={**self.env, **env}, cwd=REPO, capture_output=True, text=True, timeout=RUN_SECONDS, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
        return done.stdout + done.stderr

    @property
    def log(self) -> str:
        """The log of the last run."""
        return self.log_file.read_bytes()[self.seen :].decode(errors="replace")

    @property
    def metadata(self) -> str:
        """Conninfo of Airflow's own database."""
        return self.env["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"].replace("postgresql+psycopg2", "postgresql")

    def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.warehouse, row_factory=dict_row) as conn:
            return conn.execute(query, values or None).fetchall()

    def one(self, query: str, *values: Any) -> Any:
        (row,) = self.rows(query, *values)
        return next(iter(row.values())) if len(row) == 1 else row

    def multi_calls(self) -> int:
        return sum("/multi/" in call["path"] for call in self.box.admin("GET", "/calls?last=10000")["log"])


def api_connection(url: str, key: str) -> str:
    return json.dumps({"conn_type": "http", "host": url, "password": key})


@pytest.fixture(scope="module")
def databases(postgres_server: str) -> Iterator[tuple[str, str]]:
    """Conninfo of an empty database for Airflow and of one for the warehouse."""
    names = [f"{kind}_{uuid.uuid4().hex[:8]}" for kind in ("airflow", "warehouse")]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    first, second = (conninfo.make_conninfo(postgres_server, dbname=name) for name in names)
    yield first, second
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        for name in names:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture(scope="module")
def live(databases: tuple[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """One Airflow for a module: two leagues with two small seasons each."""
    home = tmp_path_factory.mktemp("airflow")
    (home / "include").mkdir()
    (home / "include" / "sql").symlink_to(REPO / "include" / "sql")
    (home / "include" / "catalog.yaml").write_text(CATALOG, encoding="utf-8")
    own = {
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPO / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(REPO / "plugins"),
        "ETL_INCLUDE_DIR": str(home / "include"),
        "PYTHONPATH": str(REPO / "plugins"),
    }
    with live_airflow(home, databases, own) as found:
        yield found


@contextmanager
def live_airflow(home: Path, databases: tuple[str, str], own: Mapping[str, str]) -> Iterator[Live]:
    """An Airflow in ``home``. ``own``: variables of its environment, above all where DAGs and package are."""
    metadata, warehouse = databases
    parts = conninfo.conninfo_to_dict(metadata)
    with running_sandbox(leagues=2, seasons=2, teams=4, limit=100_000, now="2026-03-01T12:00:00Z") as box:
        env = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AIRFLOW", "ETL_", "PYTHON"))},
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": (
                f"postgresql+psycopg2://{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
            ),
            "AIRFLOW_CONN_SPORTMONKS_API": api_connection(box.base_url, box.key),
            "AIRFLOW_CONN_SPORTMONKS_WAREHOUSE": warehouse_connection(warehouse),
            "NO_COLOR": "1",
            **own,
        }
        airflow = [sys.executable, "-m", "airflow"]
        subprocess.run([*airflow, "db", "migrate"], env=env, cwd=REPO, check=True, capture_output=True)
        log_file = home / "runner.log"
        with log_file.open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.dags.runner"],
                env=env,
                cwd=REPO,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            yield Live(box, warehouse, process, log_file, env)
        finally:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.close()
            process.stdout.close()
            process.kill()
            process.wait()
