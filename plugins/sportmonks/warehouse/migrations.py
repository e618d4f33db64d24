"""Migrations, and the current definitions of functions and views.

``include/sql/migrations/<number>_<name>.sql`` change tables. They are append-only: the SHA-256 of each is recorded in
``etl.schema_migrations``, and a database that has seen another content, or a migration that is not there, is refused.
A new database gets ``0100_baseline``, which contains all migrations with a smaller number; a database of version 0.1
gets those that it lacks, and then counts as having the baseline.

``include/sql/functions`` and ``include/sql/views`` hold definitions (``CREATE OR REPLACE``). A file is applied whenever
its content changes, and all of them are applied after a migration, which may have dropped some.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from sportmonks.config.settings import SQL_DIR
from sportmonks.errors import ConfigurationError
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

# One number for all of the package: tasks that migrate at the same time wait for each other.
MIGRATION_LOCK = 7_305_112_026
BASELINE = "0100_baseline"


@dataclass(frozen=True)
class SchemaFile:
    """One file of the schema. ``name``: of a migration its stem, of a definition ``functions/<stem>``."""

    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Hex digest of the content as it is in the file."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_migrations(root: Path) -> list[SchemaFile]:
    """The migrations of ``root``, in order."""
    files = sorted((root / "migrations").glob("[0-9]*.sql"))
    return [SchemaFile(file.stem, file.read_bytes().decode()) for file in files]


def read_definitions(root: Path) -> list[SchemaFile]:
    """Functions, then the views that may call them, each folder in the order of its names."""
    files = [file for folder in ("functions", "views") for file in sorted((root / folder).glob("*.sql"))]
    return [SchemaFile(f"{file.parent.name}/{file.stem}", file.read_bytes().decode()) for file in files]


def migrate(conn: psycopg.Connection[Any]) -> list[str]:
    """Bring the schema up to date. Returns the names of the migrations and definitions applied, in order.

    One transaction under one advisory lock: several tasks may start at the same time, and a failure leaves the database
    as it was. ``conn`` must not be in a transaction. Raises ConfigurationError for a database that belongs to a newer
    version, or whose migrations have another content than ours; it is not changed then.
    """
    migrations = read_migrations(SQL_DIR)
    with conn.transaction():
        conn.execute(sql("schema/lock"), {"key": MIGRATION_LOCK})
        conn.execute(sql("schema/search_path"))
        conn.execute(sql("schema/prepare"))
        known = dict(conn.execute(sql("schema/migrations")).fetchall())
        _refuse_what_is_not_ours(known, migrations)
        applied = []
        for migration in _pending(conn, known, migrations):
            _apply(conn, migration)
            applied.append(migration.name)
        for migration in migrations:
            if known.get(migration.name) is None:
                conn.execute(sql("schema/record_migration"), {"name": migration.name, "sha256": migration.sha256})
        latest = {} if applied else dict(conn.execute(sql("schema/definitions")).fetchall())
        for definition in read_definitions(SQL_DIR):
            if latest.get(definition.name) != definition.sha256:
                _apply(conn, definition)
                conn.execute(sql("schema/record_definition"), {"name": definition.name, "sha256": definition.sha256})
                applied.append(definition.name)
    return applied


def _refuse_what_is_not_ours(known: Mapping[str, str | None], migrations: list[SchemaFile]) -> None:
    ours = {migration.name: migration.sha256 for migration in migrations}
    newer = sorted(known.keys() - ours.keys())
    if newer:
        raise ConfigurationError(
            f"The warehouse has the migration {newer[-1]}, which this version does not know.",
            hint="It belongs to a newer version: install that one, or connect this one to another database.",
        )
    changed = sorted(name for name, sha256 in known.items() if sha256 is not None and sha256 != ours[name])
    if changed:
        raise ConfigurationError(
            f"The migration {changed[0]} has been changed since it was applied to the warehouse.",
            hint="Restore include/sql/migrations from the release; a change of the schema is a new migration.",
        )


def _pending(
    conn: psycopg.Connection[Any], known: Mapping[str, str | None], migrations: list[SchemaFile]
) -> list[SchemaFile]:
    """What has to run: never both the baseline and the migrations that it contains."""
    pending = [migration for migration in migrations if migration.name not in known]
    if BASELINE in known:
        return pending
    row = conn.execute(sql("schema/has_old_tables")).fetchone()
    if known or (row and row[0]):
        return [migration for migration in pending if migration.name != BASELINE]
    return [migration for migration in pending if migration.name >= BASELINE]


def _apply(conn: psycopg.Connection[Any], file: SchemaFile) -> None:
    started = time.monotonic()
    # Sent without parameters, so one file may hold many statements.
    conn.execute(file.text.encode())
    log.info("Applied %s in %.2f s", file.name, time.monotonic() - started)
