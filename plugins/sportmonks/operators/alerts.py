"""Alerts of a league right after its run; the DAG etl_watch looks after everything else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.planning.execution_id import execution_id

if TYPE_CHECKING:
    from airflow.sdk import Context


class ExecutionAlertsOperator(BaseOperator):
    """Opens and resolves the alerts of this DAG and tells people of new ones. ``thresholds``: the catalog's."""

    def __init__(
        self, *, thresholds: Mapping[str, float], warehouse_conn_id: str = WAREHOUSE_CONN_ID, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.thresholds = thresholds
        self.warehouse_conn_id = warehouse_conn_id

    def execute(self, context: Context) -> dict[str, int]:
        """Alerts now open for this DAG, and how many people were told of."""
        from sportmonks.alerts import dispatch
        from sportmonks.alerts.rules import ETLAlertManager
        from sportmonks.config.catalog import Thresholds
        from sportmonks.warehouse.connection import connect

        run = context["dag_run"]
        with connect(self.warehouse_conn_id, autocommit=True) as conn:
            manager = ETLAlertManager(conn, Thresholds.from_mapping(self.thresholds))
            found = manager.check_execution_alerts(execution_id(run.dag_id, run.run_id, run.run_after))
            told = dispatch.notify_new(conn)
        for alert in found:
            self.log.warning("%s: %s %s", alert.kind, alert.message, alert.hint)
        return {"open": len(found), "notified": told}
