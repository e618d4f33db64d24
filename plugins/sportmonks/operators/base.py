"""What the operators of a league run share: identity, run, errors, waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import msgspec
from airflow.sdk import BaseOperator

from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League
from sportmonks.config.settings import API_CONN_ID, WAREHOUSE_CONN_ID
from sportmonks.errors import BudgetWait, CircuitOpen, TransientApiError
from sportmonks.planning.execution_id import execution_id
from sportmonks.planning.run_params import read_params

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.api.calls import CallRecord
    from sportmonks.collect.context import RunContext
    from sportmonks.hooks.sportmonks import SportmonksHook


# Waits in a row for an API that keeps failing, before a try of the task counts as failed. A wait for quota has no such
# limit: it always ends.
MAX_OUTAGES = 2


class LeagueOperator(BaseOperator):
    """Base of the tasks of a league run. ``league`` and ``settings`` are the manifest's, as plain structures."""

    def __init__(
        self,
        *,
        league: Mapping[str, Any],
        settings: Mapping[str, Any],
        api_conn_id: str = API_CONN_ID,
        warehouse_conn_id: str = WAREHOUSE_CONN_ID,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.league = league
        self.settings = settings
        self.api_conn_id = api_conn_id
        self.warehouse_conn_id = warehouse_conn_id
        self._outages = 0
        self._hook: SportmonksHook | None = None

    def _make_run(self, context: Context, on_call: Callable[[CallRecord], None] | None = None) -> RunContext:
        """The run this task belongs to. Airflow is asked for its connections here, on the task's main thread."""
        from sportmonks.collect.checkpoints import VariableStore
        from sportmonks.collect.context import RunContext
        from sportmonks.hooks.sportmonks import SportmonksHook
        from sportmonks.warehouse.connection import open_connection, warehouse_conninfo

        league = msgspec.convert(dict(self.league), League)
        settings = msgspec.convert(dict(self.settings), TaskSettings)
        info = warehouse_conninfo(self.warehouse_conn_id)
        hook = self._hook = SportmonksHook(
            self.api_conn_id,
            warehouse_conn_id=self.warehouse_conn_id,
            budget_dials=settings.budget.for_client(),
            max_batch=settings.collect.max_batch_size,
            on_call=on_call,
        )
        dag_run = context["dag_run"]
        return RunContext(
            execution_id=execution_id(dag_run.dag_id, dag_run.run_id, dag_run.run_after),
            league=league,
            settings=settings,
            params=read_params(context["params"], league, settings),
            connect=lambda: open_connection(info, autocommit=True),
            client=lambda: hook.client,
            checkpoints=VariableStore(),
            connection_name=self.api_conn_id,
            log=self.log,
        )

    def resume(self, context: Context, event: Mapping[str, Any] | None = None, outages: int = 0) -> Any:
        """After a wait in the triggerer: the warehouse knows where to go on. ``outages``: waits in a row because the
        API was failing."""
        self._outages = outages
        return self.execute(context)

    @contextmanager
    def _airflow_terms(self) -> Iterator[None]:
        """The package's errors become Airflow's; a wait for the budget frees the worker slot and ends in ``resume``.
        Connections are given back whatever happens."""
        from sportmonks.hooks.errors import airflow_errors
        from sportmonks.triggers.budget import BudgetTrigger

        with airflow_errors():
            try:
                yield
            except BudgetWait as wait:
                outages = self._outages + 1 if isinstance(wait, CircuitOpen) else 0
                if outages > MAX_OUTAGES:
                    raise TransientApiError(f"The API has kept failing over {MAX_OUTAGES} waits. {wait}") from wait
                self.log.info("%s The worker slot is free until %s.", wait, wait.until.isoformat(timespec="seconds"))
                self.defer(
                    trigger=BudgetTrigger(wait.until, wait.entity, wait.message),
                    method_name="resume",
                    kwargs={"outages": outages},
                )
            finally:
                if self._hook is not None:
                    self._hook.close()
