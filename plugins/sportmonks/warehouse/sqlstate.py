"""Which errors of PostgreSQL mean what: the sets that code branches on, in one place.

Appendix A of the PostgreSQL manual lists the codes behind the classes.
"""

from __future__ import annotations

from psycopg import DataError, IntegrityError, errors

# Limits of the server that no waiting changes, although psycopg counts them among the operational errors.
LIMITS = (errors.ProgramLimitExceeded, errors.StatementTooComplex)
# The value itself cannot be stored: repeating the statement fails the same way.
VALUE_ERRORS = (DataError, *LIMITS)
# The same for rows of tables with constraints.
ROW_ERRORS = (*VALUE_ERRORS, IntegrityError)
# The schema of this package is missing, or is that of an older version.
NO_SCHEMA = (errors.InvalidSchemaName, errors.UndefinedTable, errors.UndefinedFunction)


def is_transient(error: BaseException) -> bool:
    """Whether the same work may succeed later: a restart, a lost connection, a deadlock, a time-out of a lock or a
    statement. A limit of the server (a value too large) stays."""
    return not isinstance(error, LIMITS)
