"""The environment of the scenarios: a PostgreSQL server that can be killed, a migrated database for each scenario."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from psycopg import conninfo, sql

from local.stack.postgres import EmbeddedPostgres
from sportmonks.warehouse.connection import open_connection
from sportmonks.warehouse.migrations import migrate

_SETTINGS = {"fsync": "off", "shared_buffers": "64MB", "max_wal_size": "256MB", "autovacuum": "off"}


class ChaosEnvironment:
    """One server for many scenarios; each gets a fresh clone of a migrated database."""

    def __init__(self, home: Path) -> None:
        # Without fsync nothing is lost here: the server is killed, not the machine.
        self.server = EmbeddedPostgres(home / "postgres", settings=_SETTINGS)
        self.home = home
        self._lock = threading.Lock()
        self._template = f"template_{uuid.uuid4().hex[:8]}"

    def __enter__(self) -> ChaosEnvironment:
        self.server.start()
        self._admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(self._template)))
        with open_connection(self._dsn(self._template)) as conn:
            migrate(conn)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.destroy()

    def _dsn(self, name: str) -> str:
        return conninfo.make_conninfo(self.server.conninfo("postgres"), dbname=name)

    def _admin(self, statement: Any) -> None:
        with psycopg.connect(self.server.conninfo("postgres"), autocommit=True) as conn:
            conn.execute(statement)

    @contextlib.contextmanager
    def database(self) -> Iterator[str]:
        """Conninfo of a fresh migrated database."""
        name = f"chaos_{uuid.uuid4().hex[:10]}"
        self._admin(
            sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
                sql.Identifier(name), sql.Identifier(self._template)
            )
        )
        try:
            yield self._dsn(name)
        finally:
            self._admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def set_read_only(self, on: bool) -> None:
        """Let every transaction that begins from here on only read, or write again."""
        value = sql.SQL("on" if on else "off")
        with self._lock:
            self._admin(sql.SQL("ALTER SYSTEM SET default_transaction_read_only TO {}").format(value))
            self._admin(sql.SQL("SELECT pg_reload_conf()"))

    def crash(self) -> None:
        """SIGKILL to the server's main process: no shutdown, no checkpoint; then started again, which recovers."""
        with self._lock:
            data = self.server.data_dir
            assert data is not None
            number = int((data / "postmaster.pid").read_text().splitlines()[0])
            os.kill(number, signal.SIGKILL)
            time.sleep(0.1)
            self.server.start()
