"""The queries of docs/guides/analysis.md run, also for an account that can only read."""

from __future__ import annotations

import re
from typing import Any

import psycopg

from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate
from tests.harness.accounts import role_logins
from tests.harness.paths import REPO

GUIDE = (REPO / "docs" / "guides" / "analysis.md").read_text(encoding="utf-8")


def test_the_queries_run(warehouse: psycopg.Connection[Any]) -> None:
    queries = [query for block in re.findall(r"```sql\n(.*?)```", GUIDE, re.DOTALL) for query in block.split(";")]
    assert len(queries) > 3
    for query in filter(str.strip, queries):
        warehouse.execute(query.encode())


def test_what_the_guide_names_exists_and_can_be_read(warehouse: psycopg.Connection[Any]) -> None:
    named = re.findall(r"`((?:football|etl)\.\w+)(\()?", GUIDE)
    for name, call in named:
        kind = "to_regproc" if call or name in ("football.season_complete", "football.standings_at") else "to_regclass"
        row = warehouse.execute(f"SELECT {kind}(%s)".encode(), (name,)).fetchone()
        assert row is not None
        assert row[0] is not None, f"The guide names {name}: there is none."


def test_an_account_that_can_only_read_may_ask(empty_dsn: str) -> None:
    with role_logins(empty_dsn) as login:
        owner, reader = login("owner"), login("reader")
        with open_connection(owner, autocommit=True) as conn:
            migrate(conn)
        with open_connection(reader, autocommit=True) as conn:
            for call in ("standings_at(1)", "season_complete(1)", "rows_per_match(1)", "standings", "player_season"):
                conn.execute(f"SELECT * FROM football.{call}".encode())
