"""dbt itself: freshness of the sources, all models and all their tests.

The account only reads the warehouse, and owns a schema for the models. `make dbt-trial` does the same by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys

import psycopg
import pytest
from psycopg import conninfo, sql

from tests.analysis.trial import PROGRAMS, fill
from tests.harness.accounts import role_logins
from tests.harness.paths import REPO

pytestmark = pytest.mark.slow

INSTALLED = REPO / "build" / "dbt" / "venv" / "installed.txt"


def test_dbt_builds_and_tests_all_models(empty_dsn: str) -> None:
    variable, script, chosen, teams = PROGRAMS["dbt"]
    fill(empty_dsn, chosen, teams)
    with role_logins(empty_dsn) as login:
        reader = login("reader")
        account = sql.Identifier(str(conninfo.conninfo_to_dict(reader)["user"]))
        with psycopg.connect(empty_dsn, autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE SCHEMA analytics AUTHORIZATION {}").format(account))
        done = subprocess.run(
            ["sh", str(script)],
            env={**os.environ, variable: reader, "PYTHON": sys.executable},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
        if not INSTALLED.exists():
            pytest.skip(f"dbt cannot be installed: {done.stderr.strip().splitlines()[-1:]}")
        output = done.stdout + done.stderr
        assert done.returncode == 0, output[-4000:]
        assert "WARN=0 ERROR=0 SKIP=0" in output, output[-4000:]
        with psycopg.connect(reader) as conn:
            counts = "SELECT (SELECT count(*) FROM analytics.{}), (SELECT count(*) FROM football.{})"
            for model, source in (
                ("stg_matches", "fixture_results WHERE winner IS NOT NULL"),
                ("stg_player_matches", "player_match WHERE played"),
            ):
                row = conn.execute(counts.format(model, source).encode()).fetchone()
                assert row is not None
                assert row[0] == row[1] > 50, model
