"""What the tests of kills share: the processes of a running stack, its runs, and what was requested and stored."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import psycopg

from tests.e2e.monitoring import wait_for
from tests.harness.compare import compare

if TYPE_CHECKING:
    from tests.e2e.stack import Etl


@dataclass(frozen=True)
class Season:
    """One of a league's seasons, which is a group of its DAG."""

    id: int
    name: str
    fixtures: int

    @property
    def group(self) -> str:
        return f"season_{self.name.replace('/', '_')}"

    @property
    def collect(self) -> str:
        return f"{self.group}.collect"


def seasons_of(etl: Etl, league_id: int) -> list[Season]:
    chunks = etl.sandbox("GET", "/_admin/truth")["chunks"]
    return [
        Season(chunk["season_id"], chunk["season_name"], chunk["fixtures"])
        for chunk in chunks
        if chunk["league_id"] == league_id
    ]


# -- processes ----------------------------------------------------------------------------------------------------


def component(etl: Etl, name: str) -> psutil.Process:
    """The first process of a part of Airflow."""
    return psutil.Process(json.loads((etl.home / "processes.json").read_text())[name]["pid"])


def postmaster(etl: Etl) -> psutil.Process:
    data = json.loads((etl.home / "postgres.json").read_text())["data"]
    with open(f"{data}/postmaster.pid") as file:
        return psutil.Process(int(file.readline()))


def kill(*processes: psutil.Process) -> None:
    """Send SIGKILL and wait until the processes have ended."""
    for process in processes:
        process.kill()
    for process in processes:
        wait_for(lambda process=process: not lives(process), f"the end of {process}")  # type: ignore[misc]


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def up_again(etl: Etl) -> None:
    """Start what has died, as a user would with `./etl up`."""
    done = etl("up")
    assert done.returncode == 0, done.stdout + done.stderr


# -- runs ---------------------------------------------------------------------------------------------------------


def tasks(etl: Etl, dag_id: str, run_id: str) -> dict[str, dict[str, Any]]:
    """The newest try of each task of a run."""
    rows = etl.airflow("GET", f"/dags/{dag_id}/dagRuns/{run_id}/taskInstances?limit=100")["task_instances"]
    return {row["task_id"]: row for row in rows}


def stored(etl: Etl, dag_id: str, run_id: str, season: Season) -> int:
    """Number of fixtures of the season that this run has processed."""
    (row,) = etl.rows(
        "SELECT count(*) AS n FROM etl.execution_fixtures f JOIN etl.etl_executions e USING (execution_id)"
        " WHERE e.dag_id = %s AND e.run_id = %s AND f.season_id = %s AND f.status <> 'PENDING'",
        dag_id,
        run_id,
        season.id,
    )
    return int(row["n"])


def at_work(etl: Etl, dag_id: str, run_id: str, season: Season, try_number: int = 1) -> psutil.Process:
    """The task process of this try, once it has stored a batch of its own and fetches the next."""
    before: list[int] = []

    def look() -> psutil.Process | None:
        now = tasks(etl, dag_id, run_id).get(season.collect, {})
        if now.get("state") != "running" or now["try_number"] != try_number or not now["pid"]:
            return None
        done = stored(etl, dag_id, run_id, season)
        before.append(done)
        return psutil.Process(now["pid"]) if done > before[0] else None

    return wait_for(look, f"try {try_number} of {dag_id} {season.collect} at work")


def must_succeed(etl: Etl, dag_id: str, run_id: str) -> None:
    state = etl.wait_for_run(dag_id, run_id, seconds=480)
    assert state == "success", etl.failures(dag_id, run_id)


def execution(etl: Etl, dag_id: str, run_id: str) -> dict[str, Any]:
    """The run as recorded in the warehouse: summary and estimate."""
    (row,) = etl.rows(
        "SELECT s.*, e.estimate FROM etl.etl_executions e, etl.get_etl_execution_summary(e.execution_id) s"
        " WHERE e.dag_id = %s AND e.run_id = %s",
        dag_id,
        run_id,
    )
    return row


def must_have_done(etl: Etl, dag_id: str, run_id: str, fixtures: int) -> dict[str, Any]:
    """The run is completed with exactly this number of fixtures: none is missing, none counts twice."""
    found = execution(etl, dag_id, run_id)
    assert (found["status"], found["error_message"]) == ("COMPLETED", None), found
    assert found["total_fixtures"] == found["processed_fixtures"] == found["successful_fixtures"] == fixtures, found
    assert found["processed_chunks"] == found["total_chunks"], found
    return found


def clear(etl: Etl, dag_id: str, run_id: str, task_ids: list[str], **how: bool) -> None:
    body = {"dag_run_id": run_id, "task_ids": task_ids, "dry_run": False, "only_failed": False, "reset_dag_runs": True}
    etl.airflow("POST", f"/dags/{dag_id}/clearTaskInstances", body | how)


# -- what was requested, what is stored ---------------------------------------------------------------------------


def slow(etl: Etl, seconds: float, **match: Any) -> None:
    """Every batch call takes so long, until the faults are cleared."""
    match = {"path": "/multi/", **match}
    etl.sandbox("POST", "/_admin/faults", {"kind": "slow", "seconds": seconds, "rate": 1.0, "match": match})


def reads(etl: Etl) -> Counter[int]:
    """Number of requests of each fixture since the start of the sandbox."""
    found = etl.sandbox("GET", "/_admin/calls?last=0&fixtures=1")["fixture_reads"]
    return Counter({int(key): count for key, count in found.items()})


def fixtures_of(etl: Etl, season: Season) -> set[int]:
    rows = etl.sandbox("GET", f"/_admin/truth/fixtures?brief=1&season={season.id}")["fixtures"]
    return {row["id"] for row in rows}


def read_again(etl: Etl, season: Season, since: Counter[int]) -> int:
    """Number of fixtures of the season that were requested more than once."""
    ids = fixtures_of(etl, season)
    return sum(count > 1 for key, count in (reads(etl) - since).items() if key in ids)


def differences(etl: Etl, *league_ids: int) -> list[str]:
    """Where the warehouse differs from the provider's truth, row by row, in these leagues."""
    truth = etl.sandbox("GET", "/_admin/truth/fixtures?full=1")["fixtures"]
    chosen = [row for row in truth if row["league_id"] in league_ids]
    # The comparison takes the fixtures that it is given as all there are.
    others = [row["id"] for row in truth if row["league_id"] not in league_ids]
    elsewhere = {f"fixture {key} does not exist at the provider" for key in others}
    with psycopg.connect(etl.dsn) as conn:
        # Other leagues may be stored meanwhile: all queries read one snapshot.
        conn.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        found = compare(conn, chosen, tombstones={})
    return [text for text in found.all() if text not in elsewhere]
