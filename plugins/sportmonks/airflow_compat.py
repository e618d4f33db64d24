"""The differences between the Airflow releases that the package runs on: 3.1, 3.2 and 3.3.

No other module asks for Airflow's version. What has the same place in all three releases is imported from there. The
Variables and connections that the package reads are looked up here as well.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from airflow import __version__
from airflow.sdk import BaseHook, Connection, Variable

try:
    from airflow.sdk import CronTriggerTimetable
    from airflow.sdk.exceptions import (
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSkipException,
    )
except ImportError:  # Airflow 3.1
    from airflow.exceptions import (  # type: ignore[no-redef,attr-defined]
        AirflowException,
        AirflowFailException,
        AirflowNotFoundException,
        AirflowSkipException,
    )
    from airflow.timetables.trigger import CronTriggerTimetable  # type: ignore[assignment]

from sportmonks.errors import ConfigurationError

if TYPE_CHECKING:
    from airflow.sdk.definitions.deadline import BaseDeadlineReference, DeadlineAlert

__all__ = [
    "AirflowException",
    "AirflowFailException",
    "AirflowNotFoundException",
    "AirflowSkipException",
    "CronTriggerTimetable",
    "configuration",
    "connection",
    "deadline_alert",
    "deadline_reference_base",
    "find_connection",
    "openlineage",
    "read_variable",
    "secrets_source",
    "sends_stats",
    "stats",
]

RELEASE = tuple(int(part) for part in __version__.split(".")[:2])
# Whether a task may give the events of its assets a partition key.
HAS_PARTITIONS = RELEASE >= (3, 3)


def read_variable(name: str) -> str | None:
    """The text of an Airflow Variable, None when there is none, wherever Airflow runs this code.

    Under a supervisor (tasks, the DAG processor, the triggerer) ``airflow.sdk.Variable`` asks the API server. In
    ``airflow dags test``, ``tasks test`` and ``dags reserialize``, and in a script that fills a DagBag, it knows the
    environment and the configured secrets backend only; these processes reach the metadata database themselves.
    """
    try:
        found = Variable.get(name, default=None)
    except ImportError as error:
        _let_pass_outside_a_supervisor(error)
        found = None
    if found is None and not _is_supervised():
        from airflow.models.variable import Variable as StoredVariable

        found = StoredVariable.get_variable_from_secrets(key=name)
    return None if found is None else str(found)


def secrets_source(name: str) -> str:
    """Where the value of a Variable comes from that Airflow's database does not decide, in words."""
    variable = f"AIRFLOW_VAR_{name.upper()}"
    if variable in os.environ:
        return f"the environment variable {variable}"
    options = (("workers", "secrets_backend"), ("secrets", "backend"))
    backends = (str(configuration().get(section, option, fallback="") or "") for section, option in options)
    return f"the secrets backend {next(filter(None, backends), 'of Airflow')}"


def _let_pass_outside_a_supervisor(error: ImportError) -> None:
    """The first releases of Airflow 3.1 raise this error outside supervised processes for whatever neither the
    environment nor a secrets backend has. Raises every other ImportError again."""
    if "SUPERVISOR_COMMS" not in str(error):
        raise error


def _is_supervised() -> bool:
    runner = sys.modules.get("airflow.sdk.execution_time.task_runner")
    return getattr(runner, "SUPERVISOR_COMMS", None) is not None


def connection(conn_id: str, how_to_make: str) -> Connection:
    """An Airflow connection. Raises ConfigurationError when there is none that can be read: a retry
    would not find it either.

    ``how_to_make``: type and fields of the connection, and another place where it can be set, for the hint.
    """
    try:
        found = _look_up(conn_id)
    except ValueError:
        found = None
    if found is None:
        raise ConfigurationError(
            f"There is no Airflow connection {conn_id}, or it cannot be read.",
            hint=how_to_make.format(variable=f"AIRFLOW_CONN_{conn_id.upper()}"),
        )
    return found


def find_connection(conn_id: str) -> Connection | None:
    """The same for a connection that need not be there: None then. Raises ConfigurationError for one that cannot be
    read."""
    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    try:
        found = _look_up(conn_id)
    except ValueError:
        found = None
    else:
        # Airflow passes over a variable that it cannot read.
        if found is not None or not os.environ.get(variable):
            return found
    # Airflow's message, if there is one, repeats a part of what it cannot read, which may be the token.
    raise ConfigurationError(
        f"The Airflow connection {conn_id} cannot be read.",
        hint=f"Write it as JSON, or as a URI with special signs as %40 for @ ({variable}).",
    )


def _look_up(conn_id: str) -> Connection | None:
    try:
        return BaseHook.get_connection(conn_id)
    except AirflowNotFoundException:
        return None
    except ImportError as error:
        _let_pass_outside_a_supervisor(error)
        return None


def configuration() -> Any:
    """Airflow's configuration as tasks may read it."""
    if RELEASE < (3, 2):
        from airflow import configuration as module
    else:
        from airflow.sdk import configuration as module  # type: ignore[no-redef]
    return module.conf


def openlineage() -> SimpleNamespace | None:
    """The classes of OpenLineage that the operators need; None where Airflow's provider for it is not installed."""
    try:
        from airflow.providers.openlineage.extractors import OperatorLineage
        from openlineage.client.event_v2 import InputDataset, OutputDataset
        from openlineage.client.facet_v2 import output_statistics_output_dataset, schema_dataset
    except ImportError:
        return None
    return SimpleNamespace(
        OperatorLineage=OperatorLineage,
        InputDataset=InputDataset,
        OutputDataset=OutputDataset,
        OutputStatisticsOutputDatasetFacet=output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
        SchemaDatasetFacet=schema_dataset.SchemaDatasetFacet,
        SchemaDatasetFacetFields=schema_dataset.SchemaDatasetFacetFields,
    )


@cache
def stats() -> Any:
    """Airflow's own metrics: ``incr``, ``gauge`` and ``timing``, each with a name, a value and ``tags``. In processes
    of the scheduler, the triggerer and of tasks they go where Airflow's configuration says."""
    # In this order, as every release has the last name too, but some warn of it.
    for module in ("airflow.sdk.observability.stats", "airflow.observability.stats"):
        try:
            return import_module(module).Stats
        except ImportError:
            continue
    from airflow.stats import Stats  # Airflow 3.1

    return Stats


def sends_stats() -> bool:
    """Whether Airflow's configuration sends its own metrics anywhere."""
    from airflow.configuration import conf

    switches = ("statsd_on", "statsd_datadog_enabled", "otel_on")
    return any(conf.getboolean("metrics", name, fallback=False) for name in switches)


def deadline_reference_base() -> type[BaseDeadlineReference]:
    """The class from which a deadline reference of one's own is derived."""
    if RELEASE < (3, 2):
        from airflow.models.deadline import ReferenceModels

        return ReferenceModels.BaseDeadlineReference  # type: ignore[return-value]
    from airflow.sdk.definitions.deadline import BaseDeadlineReference

    return BaseDeadlineReference


def deadline_alert(
    name: str,
    reference: BaseDeadlineReference,
    interval: timedelta,
    callback: Callable[..., Any],
    kwargs: Mapping[str, Any],
) -> DeadlineAlert:
    """A deadline ``interval`` after ``reference``; the coroutine function ``callback`` runs in the triggerer.

    Airflow 3.1 has no references of one's own: there the deadline counts from Airflow's DAGRUN_QUEUED_AT, which is the
    same time. Only 3.3 has names of deadlines.
    """
    # At run time DeadlineAlert is in airflow.sdk as well, but not in its type stub.
    from airflow.sdk.definitions.deadline import DeadlineAlert

    if RELEASE < (3, 2):
        from airflow.sdk.definitions.deadline import AsyncCallback, DeadlineReference  # type: ignore[attr-defined]

        reference = DeadlineReference.DAGRUN_QUEUED_AT
    else:
        from airflow.sdk.definitions.callback import AsyncCallback
    options: dict[str, Any] = {"name": name} if RELEASE >= (3, 3) else {}
    return DeadlineAlert(
        reference=reference, interval=interval, callback=AsyncCallback(callback, kwargs=dict(kwargs)), **options
    )
