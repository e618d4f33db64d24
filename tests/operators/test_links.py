"""The links between Airflow's tasks, DAGs and runs and the page."""

from __future__ import annotations

from collections import Counter
from urllib.parse import parse_qs

from airflow.models.taskinstancekey import TaskInstanceKey

from sportmonks.config.catalog import TaskSettings
from sportmonks.operators.links import PageLink
from sportmonks.plugin import SportmonksPlugin
from sportmonks.provider import get_provider_info
from sportmonks.render.league import build_league_dag
from tests.harness.manifests import manifest


def test_the_tasks_of_a_league_have_the_link() -> None:
    dag = build_league_dag(manifest().leagues[0], TaskSettings())
    (link,) = SportmonksPlugin().operator_extra_links
    linked = {task.task_id.rpartition(".")[2] for task in dag.tasks if type(task) in link.operators}
    assert linked == {"start", "collect", "close", "finish_execution"}
    assert get_provider_info()["extra-links"] == [f"{PageLink.__module__}.{PageLink.__name__}"]


def test_a_link_names_the_task_and_is_relative() -> None:
    key = TaskInstanceKey("sportmonks_x", "season_a.collect", "manual__2026-11-26T04:16:18+00:00", 1, -1)
    page, _, query = PageLink().get_link(None, ti_key=key).partition("?")
    assert page == "sportmonks-etl/"
    assert parse_qs(query) == {"dag_id": [key.dag_id], "run_id": [key.run_id], "task_id": [key.task_id]}


def test_the_tabs_lead_to_the_page_and_have_addresses_of_their_own() -> None:
    views = SportmonksPlugin.external_views
    assert Counter(view["destination"] for view in views) == Counter(["nav", "dag", "dag_run", "task", "task_instance"])
    assert len({view["url_route"] for view in views}) == len(views)
    assert all(view["href"].startswith("sportmonks-etl/") for view in views)
