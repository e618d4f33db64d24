"""What the operators of a league run share: identity, hook, warehouse, errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator

from sportmonks.catalog import Dials, League
from sportmonks.errors import BudgetWait, SportmonksError
from sportmonks.execution import execution_id
from sportmonks.params import RunParams, read_params
from sportmonks.settings import API_CONN_ID, WAREHOUSE_CONN_ID

if TYPE_CHECKING:
    import psycopg
    from airflow.sdk import Context

    from sportmonks.hooks.sportmonks import SportmonksHook


def execution_of(context: Context) -> str:
    """The execution id of the task's DAG run."""
    run = context["dag_run"]
    return execution_id(run.dag_id, run.run_id, run.run_after)


class LeagueOperator(BaseOperator):
    """Base of the tasks of a league run. ``league`` and ``dials`` are the manifest's, as plain structures."""

    def __init__(
        self,
        *,
        league: Mapping[str, Any],
        dials: Mapping[str, Any],
        api_conn_id: str = API_CONN_ID,
        warehouse_conn_id: str = WAREHOUSE_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.league = league
        self.dials = dials
        self.api_conn_id = api_conn_id
        self.warehouse_conn_id = warehouse_conn_id

    @cached_property
    def _league(self) -> League:
        return msgspec.convert(dict(self.league), League)

    @cached_property
    def _dials(self) -> Dials:
        return msgspec.convert(dict(self.dials), Dials)

    def _params(self, context: Context) -> RunParams:
        return read_params(context["params"], self._league, self._dials)

    def _hook(self, **dials: Any) -> SportmonksHook:
        from sportmonks.hooks.sportmonks import SportmonksHook

        budget = self._dials.budget
        return SportmonksHook(
            self.api_conn_id,
            warehouse_conn_id=self.warehouse_conn_id,
            budget_dials={
                "reserve": budget.reserve,
                "max_inline_wait": budget.max_inline_wait_seconds,
                "default_limit": budget.default_limit,
                "window": budget.window_seconds,
            },
            max_batch=self._dials.collect.max_batch_size,
            **dials,
        )

    def _connector(self) -> Callable[[], psycopg.Connection[Any]]:
        """Opens warehouse connections from any thread; Airflow is asked once, on this one."""
        from sportmonks.db import open_connection, warehouse_conninfo

        info = warehouse_conninfo(self.warehouse_conn_id)
        return lambda: open_connection(info, autocommit=True)

    def _wait_for_budget(self, wait: BudgetWait) -> None:
        """Free the worker slot until the budget allows calls again; goes on in ``resume``."""
        from sportmonks.triggers.budget import BudgetTrigger

        self.log.info("%s The worker slot is free until %s.", wait, wait.until.isoformat(timespec="seconds"))
        self.defer(trigger=BudgetTrigger(wait.until, wait.entity, wait.message), method_name="resume")

    def resume(self, context: Context, event: Mapping[str, Any] | None = None) -> Any:
        """After a wait in the triggerer: the warehouse knows where to go on."""
        return self.execute(context)


@contextmanager
def airflow_errors() -> Iterator[None]:
    """The package's errors become Airflow's; all others pass."""
    from sportmonks.hooks.faults import as_airflow

    try:
        yield
    except SportmonksError as error:
        raise as_airflow(error) from error
