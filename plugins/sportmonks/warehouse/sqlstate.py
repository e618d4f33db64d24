"""Which errors of PostgreSQL mean what: the sets that code branches on, in one place.

Appendix A of the PostgreSQL manual lists the codes behind the classes.
"""

from __future__ import annotations

from psycopg import DataError, Error, IntegrityError, InterfaceError, OperationalError, errors

from sportmonks.errors import ConfigurationError, WarehouseDownError

# Limits of the server that no waiting changes, although psycopg counts them among the operational errors.
LIMITS = (errors.ProgramLimitExceeded, errors.StatementTooComplex)
# The value itself cannot be stored: repeating the statement fails the same way.
VALUE_ERRORS = (DataError, *LIMITS)
# The same for rows of tables with constraints.
ROW_ERRORS = (*VALUE_ERRORS, IntegrityError)
# The schema of this package is missing, or is that of an older version.
NO_SCHEMA = (errors.InvalidSchemaName, errors.UndefinedTable, errors.UndefinedFunction)

# States of the server that pass, which psycopg does not count among the operational errors.
_PASSING = frozenset(
    {
        "25006",  # read only: a standby, or a primary that failed over to one
        "25P03",  # the session was ended because its transaction was idle
        "25P04",  # the same because its transaction took too long
        "XX000",  # what poolers answer when they have lost their server; two sessions that alter one object
    }
)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later, over another connection.

    A restart, a lost or silent connection, a failover, a deadlock, a time-out of a lock or a statement pass. A limit of
    the server (a value too large) stays, and so does every error of a statement.
    """
    if not isinstance(error, Error) or isinstance(error, LIMITS):
        return False
    return isinstance(error, (OperationalError, InterfaceError)) or error.sqlstate in _PASSING


def is_away(error: BaseException) -> bool:
    """Whether the warehouse is away for now: the work goes on later and has not failed."""
    return isinstance(error, WarehouseDownError) or is_transient(error)


def as_configuration_error(error: Error) -> ConfigurationError | None:
    """The sentence for an error that a person has to correct in the database; None for every other error."""
    reason = (error.diag.message_primary or type(error).__name__).rstrip(".")
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigurationError(
            f"The warehouse's account lacks a privilege: {reason}.",
            hint="Let the owner of the schemas etl, raw and football grant it, or use the account that ran"
            " sportmonks_catalog.",
        )
    if isinstance(error, NO_SCHEMA):
        return ConfigurationError(
            f"The warehouse has no ETL tables yet, or those of an older version: {reason}.",
            hint="Run the DAG sportmonks_catalog once; its first task brings the schema up to date.",
        )
    return None
