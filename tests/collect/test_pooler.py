"""A season is collected through a real PgBouncer, beside another client that uses the same sessions its own way."""

from __future__ import annotations

import threading
from contextlib import suppress

import psycopg
from psycopg import sql

from sportmonks.warehouse.connection import open_connection
from tests.collect.conftest import DAY, RunHarness
from tests.harness.compare import compare
from tests.harness.pgbouncer import pgbouncer

LEFT_BEHIND = {
    "DateStyle": "German, DMY",
    "TimeZone": "America/St_Johns",
    "IntervalStyle": "sql_standard",
    "extra_float_digits": "-10",
    "search_path": "public",
    "statement_timeout": "20ms",
    "default_transaction_isolation": "serializable",
}


def test_a_season_equals_the_truth_behind_a_pooler(harness: RunHarness) -> None:
    with psycopg.connect(harness.dsn, autocommit=True) as admin:
        name = sql.Identifier(str(admin.info.dbname))
        for setting, value in (("client_encoding", "LATIN1"), ("DateStyle", "SQL, DMY")):
            admin.execute(sql.SQL("ALTER DATABASE {} SET {} TO {}").format(name, sql.Identifier(setting), value))
    ended = threading.Event()

    def disturb(dsn: str) -> None:
        with psycopg.connect(dsn, autocommit=True, client_encoding="LATIN1", prepare_threshold=None) as conn:
            while not ended.is_set():
                for setting, value in LEFT_BEHIND.items():
                    # The names are set again and again, in whichever session the pooler gives.
                    with suppress(psycopg.errors.QueryCanceled):
                        conn.execute(sql.SQL("SET {} TO {}").format(sql.Identifier(setting), value))

    with pgbouncer(harness.dsn, pool_size=2) as dsn, open_connection(dsn, autocommit=True) as conn:
        other = threading.Thread(target=disturb, args=(dsn,))
        other.start()
        try:
            harness.dsn, harness.conn = dsn, conn
            harness.run_all(harness.run(counted=True))
            harness.move(2 * DAY)
            harness.run_all(harness.run(counted=True, force=True))
            truth = harness.box.admin("GET", f"/truth/fixtures?full=1&season={harness.season.id}")["fixtures"]
            found = compare(conn, truth, tombstones={})
        finally:
            ended.set()
            other.join()
        assert found.all() == []
        assert harness.value("SELECT count(*) FROM football.fixtures WHERE collection_status = 'COLLECTED'") == 12
