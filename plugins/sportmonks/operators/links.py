"""The link from a task in Airflow's UI to what the page shows of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from airflow.sdk import BaseOperatorLink

from sportmonks.config.settings import PAGE

if TYPE_CHECKING:
    from airflow.sdk import BaseOperator


def page_address(**place: str) -> str:
    """The page at a DAG, a run or a task: ``dag_id``, ``run_id``, ``task_id``. Relative to Airflow's own address, which
    may have a path: Airflow's pages have it as their base."""
    return f"{PAGE}/?{urlencode(place)}"


class PageLink(BaseOperatorLink):
    """*ETL dashboard* on the tasks of a league run, to the season of the task, else to its run; on the last task of a
    route's run, to the routes.

    The api-server makes the link when somebody looks, so it is there before the task has ended and costs no XCom.
    """

    name = "ETL dashboard"

    @property
    def operators(self) -> list[type[BaseOperator]]:  # type: ignore[override]
        """The operators that have the link. Imported when the api-server asks."""
        from sportmonks.operators.league import CollectOperator, StartOperator
        from sportmonks.operators.sql import WarehouseSqlOperator

        return [StartOperator, CollectOperator, WarehouseSqlOperator]

    def get_link(self, operator: Any, *, ti_key: Any) -> str:
        """``ti_key``: Airflow's TaskInstanceKey, which names everything; ``operator`` is not used."""
        return page_address(dag_id=ti_key.dag_id, run_id=ti_key.run_id, task_id=ti_key.task_id)
