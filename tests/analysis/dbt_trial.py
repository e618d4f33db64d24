"""dbt on a small warehouse that is filled from the sandbox and gone afterwards.

python -m tests.analysis.dbt_trial [arguments of `dbt build`]   the exit code is dbt's
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


def fill(dsn: str) -> None:
    """A league with play-offs and a cup, a season of each, stored by the loader; with the lists that they refer to."""
    sandbox = make_sandbox(leagues=6, teams=6)
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
        for league in sandbox.leagues()[4:]:
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
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        server = EmbeddedPostgres(Path(folder) / "postgres")
        server.start()
        try:
            dsn = server.conninfo("postgres")
            fill(dsn)
            command = ["sh", str(REPO / "analytics" / "dbt" / "build.sh"), *sys.argv[1:]]
            return subprocess.run(command, env={**os.environ, "ETL_DBT_DSN": dsn}, check=False).returncode
        finally:
            server.stop()


if __name__ == "__main__":
    sys.exit(main())
