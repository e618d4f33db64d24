"""The stack's warehouse: a connection for commands that read it themselves, its schema, and whose data it holds."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from local.errors import LocalError

if TYPE_CHECKING:
    import psycopg

    from local.stack.stack import Stack


def require_postgres(stack: Stack) -> None:
    """Raises LocalError where the warehouse is in the embedded server, which is not running."""
    if not stack.settings.warehouse and not stack.postgres.running():
        raise LocalError("the embedded PostgreSQL is not running", hint="run `./etl up`")


@contextlib.contextmanager
def warehouse(stack: Stack) -> Iterator[psycopg.Connection[Any]]:
    """An autocommit connection. LocalError with a hint when it cannot be reached or has no current schema."""
    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.sqlstate import NO_SCHEMA

    require_postgres(stack)
    try:
        with open_connection(stack.warehouse, autocommit=True) as conn:
            yield conn
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None
    except NO_SCHEMA as error:
        raise LocalError(
            f"the warehouse has no schema yet, or an older one: {error.diag.message_primary}",
            hint="run ./etl up or ./etl routes create once; both bring it up to date",
        ) from None


def migrate_warehouse(conninfo: str) -> list[str]:
    """Bring the warehouse's schema up to date; names of the migrations that ran."""
    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    try:
        with open_connection(conninfo) as connection:
            return migrate(connection)
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None


def claim_warehouse(conninfo: str, source: str) -> None:
    """Raises LocalError when the warehouse holds data of another API than `source`."""
    from sportmonks.errors import SportmonksError
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.source import claim_source

    try:
        with open_connection(conninfo) as connection:
            claim_source(connection, source)
    except SportmonksError as error:
        raise LocalError(error.message, hint=error.hint) from None
