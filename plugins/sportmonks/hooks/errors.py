"""The package's errors in Airflow's terms, mapped in this one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sportmonks.airflow_compat import AirflowException, AirflowFailException, AirflowSkipException
from sportmonks.errors import (
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    QualityCheckError,
    SportmonksError,
)

# Retrying changes nothing: a person has to correct a setting or the code.
_FINAL = (ConfigurationError, FatalApiError, QualityCheckError)


def as_airflow(error: BaseException) -> BaseException:
    """The exception to raise from a task: ``raise as_airflow(error) from error``.

    Wrong settings and wrong requests fail the task at once, what the plan does not cover skips it, and the package's
    other errors fail it with retries (a BudgetWait too, where the caller does not defer the task). Errors of other
    packages are returned unchanged.
    """
    if isinstance(error, _FINAL):
        return AirflowFailException(str(error))
    if isinstance(error, OutsidePlanError):
        return AirflowSkipException(str(error))
    if isinstance(error, SportmonksError):
        return AirflowException(str(error))
    return error


@contextmanager
def airflow_errors() -> Iterator[None]:
    """Within the block the package's errors are raised as Airflow's, and so is an error of PostgreSQL that a person has
    to correct in the database; all others pass unchanged."""
    import psycopg

    from sportmonks.warehouse.sqlstate import as_configuration_error

    try:
        yield
    except SportmonksError as error:
        raise as_airflow(error) from error
    except psycopg.Error as error:
        wrong = as_configuration_error(error)
        if wrong is None:
            raise
        raise as_airflow(wrong) from error
