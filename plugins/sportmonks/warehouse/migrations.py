"""Migrations, and the current definitions of functions, views and comments.

``include/sql/migrations/<number>_<name>.sql`` change tables. They are append-only: the SHA-256 of each is recorded in
``etl.schema_migrations``, and a database that has seen another content, or a migration that is not there, is refused.
A new database gets ``0100_baseline``, which contains all migrations with a smaller number; a database of version 0.1
gets those that it lacks, and then counts as having the baseline.

``include/sql/functions`` and ``include/sql/views`` hold definitions (``CREATE OR REPLACE``). A file is applied whenever
its content changes, and all of them are applied after a migration, which may have dropped some, and where a view or
function is not there any more.

``include/sql/comments`` holds what every table, column, view and function is (``COMMENT ON``). All of its files are
applied as well when another file has left something without a comment: what is created anew has lost its own. They lock
tables against VACUUM, so that they are not applied for nothing.
"""

from __future__ import annotations

import hashlib
import logging
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.sql import Identifier

from sportmonks.config.settings import SQL_DIR
from sportmonks.errors import ConfigurationError
from sportmonks.warehouse.connection import long_statements
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

# One number for all of the package: tasks that migrate at the same time wait for each other.
MIGRATION_LOCK = 7_305_112_026
BASELINE = "0100_baseline"
SCHEMAS = ("etl", "raw", "football")
COMMENTS = "comments"

_CREATE_SCHEMA = re.compile(r"^CREATE SCHEMA IF NOT EXISTS \w+;\n", re.MULTILINE)
_CREATED = re.compile(
    r"^CREATE (?:OR REPLACE )?(?:UNLOGGED )?(?:TABLE|VIEW|MATERIALIZED VIEW) (?:IF NOT EXISTS )?(\w+\.\w+)",
    re.MULTILINE,
)
_DEFINED = re.compile(r"^CREATE OR REPLACE (?:VIEW|FUNCTION|PROCEDURE) (\w+\.\w+)", re.MULTILINE)
# Another object has the name, or an object of that name has another shape.
_TAKEN = (
    psycopg.errors.DuplicateTable,
    psycopg.errors.DuplicateObject,
    psycopg.errors.DuplicateFunction,
    psycopg.errors.InvalidTableDefinition,
    psycopg.errors.InvalidFunctionDefinition,
    psycopg.errors.WrongObjectType,
)


class NewerWarehouseError(ConfigurationError):
    """The warehouse has been migrated by a newer version."""


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
    """Functions, then the views that may call them, then comments on all, each folder in the order of its names."""
    folders = ("functions", "views", COMMENTS)
    files = [file for folder in folders for file in sorted((root / folder).glob("*.sql"))]
    return [SchemaFile(f"{file.parent.name}/{file.stem}", file.read_bytes().decode()) for file in files]


def migrate(conn: psycopg.Connection[Any]) -> list[str]:
    """Bring the schema up to date. Returns the names of the migrations and definitions applied, in order.

    One transaction under one advisory lock: several tasks may start at the same time, and a failure leaves the database
    as it was. ``conn`` must not be in a transaction. Raises ConfigurationError for a database that belongs to a newer
    version, whose migrations have another content than ours, that holds others' tables of our names, or in which the
    account lacks a right; it is not changed then. An account that may only write needs no more when nothing is to be
    done.
    """
    migrations, definitions = read_migrations(SQL_DIR), read_definitions(SQL_DIR)
    if _is_up_to_date(conn, migrations, definitions):
        return []
    with conn.transaction(), long_statements(conn):
        conn.execute(sql("schema/lock"), {"key": MIGRATION_LOCK})
        conn.execute(sql("schema/search_path"))
        conn.execute(sql("schema/become_owner"))
        _refuse_another_owner(conn)
        _create_schemas(conn)
        conn.execute(sql("schema/prepare"))
        known = dict(conn.execute(sql("schema/migrations")).fetchall())
        _refuse_what_is_not_ours(known, migrations)
        applied = []
        pending = _pending(conn, known, migrations)
        if not known and pending and pending[0].name == BASELINE:
            _refuse_foreign_tables(conn, [*pending, *definitions])
        for migration in pending:
            _apply(conn, migration)
            applied.append(migration.name)
        for migration in migrations:
            if known.get(migration.name) is None:
                conn.execute(sql("schema/record_migration"), {"name": migration.name, "sha256": migration.sha256})
        latest = dict(conn.execute(sql("schema/definitions")).fetchall())
        if applied or (lost := _lost(conn, definitions, latest)):
            if not applied:
                log.warning("Somebody has dropped %s: all definitions are applied again", ", ".join(lost[:5]))
            latest = {}
        for definition in definitions:
            if definition.name.startswith(f"{COMMENTS}/") and applied and _lacks_comments(conn):
                latest = {}
            if latest.get(definition.name) != definition.sha256:
                _apply(conn, definition)
                conn.execute(sql("schema/record_definition"), {"name": definition.name, "sha256": definition.sha256})
                applied.append(definition.name)
    return applied


def _lacks_comments(conn: psycopg.Connection[Any]) -> bool:
    row = conn.execute(sql("schema/lacks_comments"), {"schemas": list(SCHEMAS)}).fetchone()
    return row is not None and bool(row[0])


def require_schema(conn: psycopg.Connection[Any]) -> None:
    """Bring the schema up to date, and raise ConfigurationError, which names every missing grant, when the account may
    not write into it. Called before a run starts; a few short queries when everything is right."""
    migrate(conn)
    _refuse_lacking_grants(conn)


def _refuse_lacking_grants(conn: psycopg.Connection[Any]) -> None:
    lacking = [row[0] for row in conn.execute(sql("schema/lacking"), {"schemas": list(SCHEMAS)})]
    if lacking:
        raise ConfigurationError(
            f"The warehouse's account lacks {len(lacking)} of the privileges that a run needs.",
            hint=f"Let the owner execute: {'; '.join(lacking[:20])}.",
        )


def _is_up_to_date(conn: psycopg.Connection[Any], migrations: list[SchemaFile], definitions: list[SchemaFile]) -> bool:
    """Whether nothing is left to apply, found without a lock and without a right to change anything."""
    with conn.transaction():
        row = conn.execute(sql("schema/has_records")).fetchone()
        if row is None or not row[0]:
            return False
        try:
            with conn.transaction():
                known = dict(conn.execute(sql("schema/migrations")).fetchall())
                latest = dict(conn.execute(sql("schema/definitions")).fetchall())
                lost = _lost(conn, definitions, latest)
        except psycopg.errors.InsufficientPrivilege as error:
            raise _lacks_a_right(f"etl.schema_migrations cannot be read: {error.diag.message_primary}.") from None
    _refuse_what_is_not_ours(known, migrations)
    ours = ((migrations, known), (definitions, latest))
    return not lost and all(recorded.get(file.name) == file.sha256 for files, recorded in ours for file in files)


def _lost(conn: psycopg.Connection[Any], definitions: list[SchemaFile], applied: Mapping[str, str | None]) -> list[str]:
    """Views and functions of the applied definitions that are not there: somebody has dropped them, or something that
    they depend on."""
    files = [file for file in definitions if applied.get(file.name) == file.sha256]
    names = sorted({name for file in files for name in _DEFINED.findall(file.text)})
    return [row[0] for row in conn.execute(sql("schema/lost"), {"names": names})]


def is_current(conn: psycopg.Connection[Any]) -> bool:
    """Whether ``migrate`` would have nothing to do. Raises ConfigurationError as it does."""
    return _is_up_to_date(conn, read_migrations(SQL_DIR), read_definitions(SQL_DIR))


def describe_schema(conn: psycopg.Connection[Any]) -> str:
    """Server and schema in a sentence, for people who test a connection; nothing is changed.

    Raises ConfigurationError for a database that ``require_schema`` would refuse, with its hint.
    """
    place = f"PostgreSQL {conn.info.server_version // 10000}, UTF-8, database {conn.info.dbname!r}"
    with conn.transaction():
        row = conn.execute(sql("schema/may_write")).fetchone()
        if row is None or not row[0]:
            raise ConfigurationError(
                f"{place} only reads: it is a standby, or default_transaction_read_only is set.",
                hint="Connect to the primary server, with an account that may write.",
            )
    if is_current(conn):
        _refuse_lacking_grants(conn)
        return f"{place}: the schema is that of this version, and the account may do what a run needs."
    with conn.transaction():
        conn.execute(sql("schema/become_owner"))
        row = conn.execute(sql("schema/has_records")).fetchone()
        _refuse_another_owner(conn)
        _refuse_missing_rights(conn)
    is_older = row is not None and row[0]
    found = "the schema is older than this version" if is_older else "there is no schema yet"
    return f"{place}: {found}; the DAG sportmonks_catalog brings it up to date, and the account may do that."


def _refuse_another_owner(conn: psycopg.Connection[Any]) -> None:
    """Raise ConfigurationError when the tables belong to a role whose rights we do not have: no grant replaces that."""
    row = conn.execute(sql("schema/another_owner")).fetchone()
    if row is not None:
        raise _lacks_a_right(
            f"The schema of the warehouse is not that of this version, and it belongs to {row[0]!r}: the account"
            f" {row[1]!r} may not change it."
        )


def _create_schemas(conn: psycopg.Connection[Any]) -> None:
    """Create the schemas that are missing. Raises ConfigurationError, which names every missing grant."""
    for name in _refuse_missing_rights(conn):
        conn.execute(sql("schema/create_schema").with_identifiers(schema=Identifier(name)))


def _refuse_missing_rights(conn: psycopg.Connection[Any]) -> list[str]:
    """The schemas that are missing, when the account may create them and what is in them."""
    rows = conn.execute(sql("schema/rights"), {"schemas": list(SCHEMAS)}).fetchall()
    grants = [grant for _, _, needed, _, _ in rows for grant in needed]
    if grants:
        raise ConfigurationError(
            f"The account {rows[0][3]!r} may not create the schema of the warehouse in {rows[0][4]!r}.",
            hint=f"Let the owner execute: {'; '.join(dict.fromkeys(grants))}. Or run the migration with an account that"
            " has these rights.",
        )
    return [name for name, missing, *_ in rows if missing]


def _refuse_foreign_tables(conn: psycopg.Connection[Any], files: list[SchemaFile]) -> None:
    """Raise ConfigurationError when a database without our schema has tables or views of our names.

    One that has all of them is ours, restored without its list of migrations.
    """
    names = sorted({name for file in files for name in _CREATED.findall(file.text)})
    # The two lists of what has been applied were created just before.
    names = [name for name in names if name not in ("etl.schema_migrations", "etl.applied_definitions")]
    found = [row[0] for row in conn.execute(sql("schema/existing"), {"names": names})]
    if found and len(found) < len(names):
        raise ConfigurationError(
            f"The database has {', '.join(found[:5])}, which this package did not create.",
            hint="Connect the package to a database of its own, or rename what is there.",
        )


def _refuse_what_is_not_ours(known: Mapping[str, str | None], migrations: list[SchemaFile]) -> None:
    ours = {migration.name: migration.sha256 for migration in migrations}
    newer = sorted(known.keys() - ours.keys())
    if newer:
        raise NewerWarehouseError(
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
    # The schemas exist by now, and PostgreSQL would ask for the right to create them all the same.
    text = _CREATE_SCHEMA.sub("", file.text)
    try:
        # Sent without parameters, so one file may hold many statements.
        conn.execute(text.encode())
    except psycopg.errors.InsufficientPrivilege as error:
        raise _lacks_a_right(f"{file.name} cannot be applied: {error.diag.message_primary}.") from None
    except psycopg.errors.DependentObjectsStillExist as error:
        raise ConfigurationError(
            f"{file.name} cannot be applied: {error.diag.message_primary}.",
            hint=f"{error.diag.message_detail or 'Something of your own depends on it'}. Drop that, start the run"
            " again, and create it anew.",
        ) from None
    except _TAKEN as error:
        raise ConfigurationError(
            f"{file.name} cannot be applied: {error.diag.message_primary}.",
            hint="Something of that name is there that this package did not create: rename it, or connect the package"
            " to a database of its own.",
        ) from None
    log.info("Applied %s in %.2f s", file.name, time.monotonic() - started)


def _lacks_a_right(message: str) -> ConfigurationError:
    return ConfigurationError(
        message,
        hint="Run it with the account that owns the schemas etl, raw and football, or let that one grant the right.",
    )
