"""dbt or the notebook on a small warehouse that is filled from the sandbox and gone afterwards.

python -m tests.analysis.trial dbt [arguments of `dbt build`]
python -m tests.analysis.trial notebook                        the exit code is that of the program
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from local.stack.postgres import EmbeddedPostgres
from sandbox.reference import STATES, TYPES
from sandbox.resources import league_row, season_row
from sandbox.truth import payload
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.analysis.conftest import make_sandbox
from tests.harness.load import ChunkHarness
from tests.harness.paths import REPO

# Variable with the connection string, script, which leagues of the sandbox, teams of each: dbt gets a league with
# play-offs and a cup, the notebook a plain league with more teams for its pictures.
PROGRAMS = {
    "dbt": ("ETL_DBT_DSN", REPO / "analytics" / "dbt" / "build.sh", slice(4, 6), 6),
    "notebook": ("ETL_NOTEBOOK_DSN", REPO / "analytics" / "notebook" / "run.sh", slice(0, 1), 14),
}


def fill(dsn: str, chosen: slice, teams: int) -> None:
    """A season of each of the leagues, stored by the loader; with the lists that they refer to."""
    sandbox = make_sandbox(leagues=6, teams=teams)
    with open_connection(dsn, autocommit=True) as conn:
        migrate(conn)
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO football.types (id, name, developer_name) VALUES (%s, %s, %s)",
                [(row["id"], row["name"], row["developer_name"]) for row in TYPES.values()],
            )
            cursor.executemany(
                "INSERT INTO football.states (id, name, developer_name) VALUES (%s, %s, %s)",
                [(row["id"], row["name"], row["developer_name"]) for row in STATES.values()],
            )
        for league in sandbox.leagues()[chosen]:
            season = league.seasons[0]
            rows = league_row(sandbox, league), season_row(sandbox, season)
            conn.execute("INSERT INTO football.leagues (id, name) VALUES (%s, %s)", (league.id, rows[0]["name"]))
            conn.execute(
                "INSERT INTO football.seasons (id, league_id, name, starting_at, ending_at, is_current)"
                " VALUES (%(id)s, %(league_id)s, %(name)s, %(starting_at)s, %(ending_at)s, %(is_current)s)",
                rows[1],
            )
            payloads = [payload(sandbox, view) for view in sandbox.season_views(season.id)]
            chunk = ChunkHarness(conn, league.id, season.id, now=datetime.now(UTC))
            chunk.index(*payloads)
            chunk.store(*payloads, hours=0)
        conn.execute("SELECT etl.record_collector_run('league:trial')")


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] not in PROGRAMS:
        sys.exit(f"usage: python -m tests.analysis.trial {'|'.join(PROGRAMS)} [arguments]")
    variable, script, chosen, teams = PROGRAMS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.conninfo("postgres")
            fill(dsn, chosen, teams)
            command = ["sh", str(script), *sys.argv[2:]]
            return subprocess.run(command, env={**os.environ, variable: dsn}, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
