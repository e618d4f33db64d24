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
# The schema of this package is missing, is that of an older version, or has lost a part.
NO_SCHEMA = (
    errors.InvalidSchemaName,
    errors.UndefinedTable,
    errors.UndefinedFunction,
    errors.UndefinedColumn,
    errors.InvalidColumnReference,  # no unique index for ON CONFLICT
)

# States of the server that pass, which psycopg does not count among the operational errors.
_PASSING = frozenset(
    {
        "25006",  # read only: a standby, or a primary that failed over to one
        "25P03",  # the session was ended because its transaction was idle
        "25P04",  # the same because its transaction took too long
        "XX000",  # what poolers answer when they have lost their server; two sessions that alter one object
    }
)


# What a resource or a time-out has ended: the server works, so waiting as for one that is away would hide the reason.
# The work is tried once more; then the error itself is raised, with what to do.
_HINTS = {
    "57014": "Look what slows the warehouse down (locks, load, a missing index), or raise statement_timeout: in the"
    " connection string (options=-c statement_timeout=600s), of the role or of the database, whichever sets it.",
    "53100": "Free space on the disk of the warehouse, or enlarge it; what has been stored stays. Then clear the task.",
    "53200": "The server of the warehouse is out of memory: give it more, lower work_mem or max_connections, or raise"
    " max_locks_per_transaction when it names shared memory. Then clear the task.",
    "53400": "A limit of the warehouse's configuration is reached (such as temp_file_limit of the role): raise it.",
}


def is_exhausted(error: BaseException) -> bool:
    """Whether the server has ended the work for want of time, disk or memory (57014, 53100, 53200, 53400)."""
    return isinstance(error, Error) and error.sqlstate in _HINTS


def with_hint(error: Error) -> Error:
    """The error of ``is_exhausted`` itself; its text now holds the server's sentence, the statement and what to do."""
    hint = _HINTS.get(error.sqlstate or "", "")
    if hint and hint not in str(error):
        sentence = (error.diag.message_primary or str(error).strip().partition("\n")[0]).rstrip(".")
        statement = getattr(error, "statement", None)
        where = f"{error.sqlstate}, in {statement}" if statement else error.sqlstate
        error.args = (f"{sentence} ({where}). {hint}",)
    return error


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later, over another connection.

    A restart, a lost or silent connection, a failover, a deadlock, a time-out of a lock or a statement pass. A limit of
    the server (a value too large) stays, and so does every error of a statement.
    """
    if not isinstance(error, Error) or isinstance(error, LIMITS):
        return False
    return isinstance(error, (OperationalError, InterfaceError)) or error.sqlstate in _PASSING


def is_away(error: BaseException) -> bool:
    """Whether the warehouse is away for now (a restart, a failover, no connection left): the work goes on later and has
    not failed."""
    return isinstance(error, WarehouseDownError) or (is_transient(error) and not is_exhausted(error))


def as_configuration_error(error: Error) -> ConfigurationError | None:
    """The sentence for an error that a person has to correct in the database; None for every other error."""
    reason = (error.diag.message_primary or type(error).__name__).rstrip(".")
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigurationError(
            f"The warehouse's account lacks a privilege: {reason}.",
            hint=error.diag.message_hint
            or "Let the owner of the schema or table grant it (for etl, raw and football: ./etl roles), or use the"
            " account that ran sportmonks_catalog.",
        )
    if isinstance(error, NO_SCHEMA):
        return ConfigurationError(
            f"The warehouse has no ETL tables yet, or those of an older version: {reason}.",
            hint="Run the DAG sportmonks_catalog once; its first task brings the schema up to date, and creates dropped"
            " views and functions anew. A table, column or index that was changed by hand has to be restored by hand.",
        )
    return None
