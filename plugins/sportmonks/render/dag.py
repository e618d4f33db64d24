"""What the DAGs of leagues and of raw routes share: deadlines that do not stop a test run, the parameters of a run, and
a DAG for a problem."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NoReturn

from airflow.sdk import DAG, Param, get_parsing_context, task
from airflow.sdk.definitions.param import ParamsDict

from sportmonks.errors import ConfigurationError


class DeadlineDag(DAG):
    """A DAG that may have deadlines and that ``airflow dags test`` can run.

    At the end of a test run Airflow looks for the stored deadlines of the DAG by their definitions and stops with
    ``can't adapt type 'dict'`` (seen with 3.3.2). A test run is not queued and is watched by a person, so it has no
    deadline.
    """

    def test(self, *args: Any, **kwargs: Any) -> Any:
        self.deadline = None
        return super().test(*args, **kwargs)


_ABSENT = object()


class GivenParam(Param):
    """A parameter as a task gets it: Airflow has checked its value when the run was triggered, or its default when the
    DAG was parsed. Checking all of them again costs a task as much as building its DAG; what the package makes of a
    value it checks by itself."""

    def resolve(self, value: Any = _ABSENT, suppress_exception: bool = False) -> Any:
        if value is not _ABSENT:
            self.value = value
        return self.value


def run_params(params: Mapping[str, Param]) -> ParamsDict:
    """The parameters of a DAG: with the schemas of its form, or, where a task starts, the values alone."""
    if get_parsing_context().task_id is None:
        return ParamsDict(params)
    return ParamsDict({name: GivenParam(param.value) for name, param in params.items()})


def problem_dag(dag_id: str, message: str, *, title: str, doc: str, tag: str, hint: str = "") -> DAG:
    """A DAG in place of those that cannot be built: it shows the message in its description, in its documentation
    (``doc``: Markdown) and as the error of its only task."""
    with DAG(
        dag_id=dag_id,
        dag_display_name=title,
        description=message,
        doc_md=doc,
        schedule=None,
        tags=[tag, "problem"],
        default_args={"owner": "sportmonks", "retries": 0, "execution_timeout": timedelta(minutes=10)},
    ) as dag:

        @task(task_id="explain")
        def explain() -> NoReturn:
            raise ConfigurationError(message, hint=hint)

        explain()
    return dag
