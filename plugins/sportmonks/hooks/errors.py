"""The package's errors in Airflow's terms, mapped in this one place."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

from sportmonks.errors import ConfigurationError, FatalApiError, OutsidePlanError, SportmonksError

# Retrying changes nothing: a person has to correct a setting or the code.
_FINAL = (ConfigurationError, FatalApiError)


def as_airflow(error: BaseException) -> BaseException:
    """The exception to raise from a task: ``raise as_airflow(error) from error``.

    Fail at once for configuration and wrong requests, skip for what the plan does not cover, fail with retries for
    the rest of the package's errors (a BudgetWait that could not be deferred among them). Others pass unchanged.
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
    """The package's errors become Airflow's within the block; all others pass."""
    try:
        yield
    except SportmonksError as error:
        raise as_airflow(error) from error
