"""The operator for the SQL tasks of a run: a file of include/sql/tasks, executed in the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.hooks.errors import airflow_errors
from sportmonks.operators.base import waiting_for_the_warehouse
from sportmonks.operators.first_wait import FirstWaits

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.hooks.warehouse import WarehouseHook


class WarehouseSqlOperator(SQLExecuteQueryOperator):
    """Executes ``include/sql/tasks/<file>.sql``; values are bound, never written into the statement.

    A missing connection fails the task at once and says how to make it. Everything else is retried soon: the files are
    short and idempotent, so a few quick retries bridge a restart of the database; one that stays away is waited for
    without a worker slot.
    """

    def __init__(
        self,
        *,
        file: str | None = None,
        conn_id: str = WAREHOUSE_CONN_ID,
        task_id: str,
        **kwargs: Any,
    ) -> None:
        defaults: dict[str, Any] = {
            "sql": f"tasks/{file or task_id}.sql",
            "split_statements": True,
            "return_last": True,
            "autocommit": True,
            "show_return_value_in_logs": True,
            "retries": 5,
            "retry_delay": timedelta(seconds=10),
        }
        super().__init__(task_id=task_id, conn_id=conn_id, **{**defaults, **kwargs})

    def get_db_hook(self) -> WarehouseHook:
        """The hook whose sessions are those of the package."""
        from sportmonks.hooks.warehouse import WarehouseHook

        return WarehouseHook(postgres_conn_id=str(self.conn_id))

    def execute(self, context: Context) -> Any:
        """The last row of the last statement. Raises AirflowFailException when there is no such connection,
        TaskDeferred while the warehouse is away."""
        return self._attempt(context, absences=0, waits=FirstWaits(context, resumed=False))

    def resume(self, context: Context, event: Mapping[str, Any] | None = None, absences: int = 0) -> Any:
        """The same after a wait. Airflow stores this method's name and ``absences`` with deferred tasks: keep both.

        ``absences``: deferrals in a row because the warehouse was away.
        """
        return self._attempt(context, absences, FirstWaits(context, resumed=True))

    def _attempt(self, context: Context, absences: int, waits: FirstWaits) -> Any:
        from sportmonks.warehouse.connection import warehouse_conninfo

        with airflow_errors(), waiting_for_the_warehouse(self, waits, absences):
            warehouse_conninfo(str(self.conn_id))  # a missing connection fails at once, with its hint
            result = super().execute(context)  # type: ignore[no-untyped-call]
            waits.forget()
            return result
