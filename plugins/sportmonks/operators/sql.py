"""The operator for the SQL tasks of a run: a file of include/sql/tasks, executed in the warehouse."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.providers.common.sql.operators.sql import SQLExecuteQueryOperator

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.hooks.errors import airflow_errors

if TYPE_CHECKING:
    from airflow.sdk import Context

    from sportmonks.hooks.warehouse import WarehouseHook


class WarehouseSqlOperator(SQLExecuteQueryOperator):
    """Executes ``include/sql/tasks/<file>.sql``; values are bound, never written into the statement.

    A missing connection fails the task at once and says how to make it. Everything else is retried soon: the files are
    short and idempotent, so a few quick retries bridge a restart of the database.
    """

    def __init__(
        self, *, file: str | None = None, conn_id: str = WAREHOUSE_CONN_ID, task_id: str, **kwargs: Any
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
        """The last row of the last statement. Raises AirflowFailException when there is no such connection."""
        from sportmonks.warehouse.connection import warehouse_conninfo

        with airflow_errors():
            warehouse_conninfo(str(self.conn_id))
            return super().execute(context)  # type: ignore[no-untyped-call]
