"""The plugin: the page in Airflow's UI with its tabs and links, and the reference that deadlines count from.

Every process of Airflow loads plugins, each task's too, so nothing heavy is imported before the api-server asks.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

from sportmonks.config.settings import PAGE

PREFIX = f"/{PAGE}"


class SportmonksPlugin(AirflowPlugin):
    name = "sportmonks_etl"
    external_views = [  # noqa: RUF012 (Airflow reads it so)
        {
            "name": "ETL dashboard",
            # Without a slash in front: Airflow's own address may have a path, and only a relative one follows it.
            "href": f"{PAGE}/",
            "destination": "nav",
            "category": "browse",
            "url_route": "sportmonks-etl",
        },
        {
            "name": "ETL league",
            "href": f"{PAGE}/?dag_id={{DAG_ID}}",
            "destination": "dag",
            "url_route": "sportmonks-etl-league",
        },
        {
            "name": "ETL run",
            "href": f"{PAGE}/?dag_id={{DAG_ID}}&run_id={{RUN_ID}}",
            "destination": "dag_run",
            "url_route": "sportmonks-etl-run",
        },
        {
            "name": "ETL season",
            "href": f"{PAGE}/?dag_id={{DAG_ID}}&task_id={{TASK_ID}}",
            "destination": "task",
            "url_route": "sportmonks-etl-season",
        },
        {
            "name": "ETL season",
            "href": f"{PAGE}/?dag_id={{DAG_ID}}&run_id={{RUN_ID}}&task_id={{TASK_ID}}",
            "destination": "task_instance",
            "url_route": "sportmonks-etl-task",
        },
    ]

    @cached_property
    def operator_extra_links(self) -> list[Any]:  # type: ignore[override]
        from sportmonks.operators.links import PageLink

        return [PageLink()]

    @cached_property
    def deadline_references(self) -> list[Any]:  # type: ignore[override]
        from sportmonks.alerts.reference import RunQueuedAt
        from sportmonks.monitoring.reference import RunQueuedAt as OldRunQueuedAt  # goes with version 0.3

        return [RunQueuedAt, OldRunQueuedAt]

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        from sportmonks.dashboard.app import airflow_app

        return [{"app": airflow_app(), "url_prefix": PREFIX, "name": "Sportmonks ETL"}]
