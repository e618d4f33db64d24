"""A warehouse that answers nothing for minutes, in a real Airflow: `python -m tests.chaos.stalled_warehouse`.

Starts a local stack whose warehouse is another PostgreSQL server behind a proxy, lets a league be collected, and has
the proxy keep every connection and pass nothing on. Writes what becomes of tasks and notifications, and ends with 1
unless the run ends complete and equal to the truth and a notification arrived during the stall. It takes twenty minutes
and is no part of `make test`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from tests.harness.paths import REPO

sys.path.insert(0, str(REPO / "plugins"))

from local.stack.postgres import EmbeddedPostgres
from tests.e2e.kills import at_work, seasons_of, tasks
from tests.e2e.monitoring import is_known, wait_for
from tests.e2e.stack import Etl, running_stack
from tests.harness.compare import compare
from tests.harness.receivers import HookServer, serving
from tests.harness.tcp_proxy import tcp_proxy

LEAGUE, DAG = 8, "sportmonks_premier_league"
DEADLINE_MINUTES = 4
LOOK_SECONDS = 5.0


class Timeline:
    """Writes each change once, with the minutes since the stall began."""

    def __init__(self, etl: Etl, receiver: HookServer) -> None:
        self.etl, self.receiver = etl, receiver
        self.begun = time.monotonic()
        self.seen: dict[str, str] = {}

    def say(self, text: str) -> None:
        sys.stdout.write(f"{(time.monotonic() - self.begun) / 60:6.1f} min  {text}\n")
        sys.stdout.flush()

    def look(self, run_id: str) -> str:
        """The state of the run; what has changed since the last look is written."""
        found = {f"{DAG} {name}": row for name, row in tasks(self.etl, DAG, run_id).items()}
        for watch in self.etl.airflow("GET", "/dags/etl_watch/dagRuns?order_by=-run_after&limit=2")["dag_runs"]:
            rows = tasks(self.etl, "etl_watch", watch["dag_run_id"])
            found |= {f"etl_watch {watch['run_after'][11:16]} {name}": row for name, row in rows.items()}
        states = {name: f"{row['state']}, try {row['try_number']}" for name, row in found.items()}
        alerts = [alert for post in self.receiver.posts for alert in post.body["alerts"]]
        states |= {f"notification {n}": f"{row['kind']} {row['subject']}" for n, row in enumerate(alerts, 1)}
        for name, state in states.items():
            if self.seen.get(name) != state:
                self.say(f"{name}: {state}")
        self.seen = states
        return str(self.etl.airflow("GET", f"/dags/{DAG}/dagRuns/{run_id}")["state"])


def play(home: Path, server: EmbeddedPostgres, minutes: float) -> bool:
    server.start()
    place = server.ensure_database("warehouse")
    catalog = {"leagues: all": f"leagues:\n  - {{id: {LEAGUE}, deadline_minutes: {DEADLINE_MINUTES}}}"}
    try:
        with (
            tcp_proxy(place) as (proxy, dsn),
            serving(HookServer()) as receiver,
            running_stack(
                home, "--leagues 1 --seasons 2 --teams 8", catalog, {"SUPABASE_CONNECTION_STRING": dsn}
            ) as etl,
        ):
            fields = receiver.connection()
            body = {"connection_id": "sportmonks_webhook", **fields, "extra": json.dumps(fields["extra"])}
            etl.airflow("POST", "/connections", body)
            season = seasons_of(etl, LEAGUE)[0]
            fault = {"kind": "slow", "seconds": 3, "rate": 1.0, "match": {"path": "/multi/"}}
            etl.sandbox("POST", "/_admin/faults", fault)
            wait_for(lambda: is_known(etl, "sportmonks_catalog"), "the DAG of the catalog")
            etl.trigger("sportmonks_catalog")
            wait_for(lambda: is_known(etl, DAG), "the DAG of the league")
            run_id = etl.trigger(DAG, batch_size=5)
            at_work(etl, DAG, run_id, season)
            line = Timeline(etl, receiver)
            before = len(receiver.posts)
            proxy.stall()
            line.say("the warehouse keeps its connections and answers nothing from here on")
            while time.monotonic() - line.begun < minutes * 60:
                line.look(run_id)
                time.sleep(LOOK_SECONDS)
            meanwhile = len(receiver.posts) - before
            proxy.resume()
            line.say(f"the warehouse answers again; notifications meanwhile: {meanwhile}")
            etl.sandbox("DELETE", "/_admin/faults")
            state = wait_for(
                lambda: line.look(run_id) if line.look(run_id) in ("success", "failed") else "",
                "the end of the run",
                1200,
            )
            line.say(f"the run is over: {state}")
            truth = etl.sandbox("GET", "/_admin/truth/fixtures?full=1")["fixtures"]
            with psycopg.connect(place) as conn:
                found = compare(conn, truth, tombstones={}).all()
                row = conn.execute(
                    "SELECT status, total_fixtures, successful_fixtures, api_calls FROM etl.etl_executions"
                    " WHERE run_id = %s",
                    (run_id,),
                ).fetchone()
            calls = etl.sandbox("GET", "/_admin/calls?last=0")
            line.say(f"execution: {row}; fixtures requested {calls['fixtures_requested']} of {len(truth)}")
            line.say(f"differences to the truth: {found[:5] or 'none'}")
            return state == "success" and not found and meanwhile > 0
    finally:
        server.destroy()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long the warehouse stays silent")
    minutes = parser.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="stalled-") as stack, tempfile.TemporaryDirectory() as warehouse:
        for folder in (stack, warehouse):
            Path(folder).chmod(0o711)
        return 0 if play(Path(stack), EmbeddedPostgres(Path(warehouse)), minutes) else 1


if __name__ == "__main__":
    sys.exit(main())
