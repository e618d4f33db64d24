"""The lists of Airflow's REST API, which come in pages of 100 at most."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from local.stack.airflow_api import AirflowApi, run_page
from tests.harness.shape_server import Answer, Play, Request, playing

# What is listed -> the call, and the key of the response that has the items.
LISTS: dict[str, tuple[Callable[[AirflowApi], Any], str]] = {
    "dags": (lambda api: api.dag_ids(), "dags"),
    "runs": (lambda api: api.runs(["d"], "2026-01-01T00:00:00Z"), "dag_runs"),
    "tasks": (lambda api: api.tasks("d", "r", state="failed"), "task_instances"),
}


def airflow(key: str, count: int, reported: int) -> Play:
    """So many items; every tenth DAG is stale. ``reported``: the total that the responses name."""

    def play(request: Request) -> Answer:
        if request.path == "/auth/token":
            return Answer({"access_token": "token"}, 201)
        sent = request.query if request.method == "GET" else request.json
        prefix = "page_" if request.method == "POST" else ""
        size, offset = int(sent[f"{prefix}limit"]), int(sent[f"{prefix}offset"])
        assert key != "task_instances" or request.query["state"] == "failed"
        items = [
            {"dag_id": f"d{n}", "dag_run_id": "r", "task_id": f"t{n}", "is_stale": n % 10 == 0}
            for n in range(offset, min(offset + min(size, 100), count))
        ]
        return Answer({key: items, "total_entries": reported})

    return play


@pytest.mark.parametrize(("count", "reported", "requests"), [(0, 0, 1), (100, 100, 1), (101, 101, 2), (150, 250, 3)])
@pytest.mark.parametrize("name", LISTS)
def test_a_list_of_several_pages(name: str, count: int, reported: int, requests: int) -> None:
    """The last row: items that have gone since the first page are not waited for."""
    call, key = LISTS[name]
    with playing(airflow(key, count, reported)) as server, closing(AirflowApi(server.url, lambda: "password")) as api:
        found = call(api)
    numbers = [n for n in range(count) if name != "dags" or n % 10]
    if name == "tasks":
        assert [task["task_id"] for task in found] == [f"t{n}" for n in numbers]
    else:
        assert set(found) == {f"d{n}" if name == "dags" else (f"d{n}", "r") for n in numbers}
    assert len(server.requests) == 1 + requests


def test_a_file_whose_dags_have_any_name_is_waited_for() -> None:
    """A folder of routes without one of Sportmonks has none of that name."""
    parsed = "2026-01-01T00:00:00Z"

    def play(request: Request) -> Answer:
        nonlocal parsed
        if request.path == "/auth/token":
            return Answer({"access_token": "token"}, 201)
        if request.method == "PUT":
            assert request.path.endswith("/parseDagFile/of-routes")
            parsed = "2026-01-01T00:01:00Z"
            return Answer({}, 201)
        pattern = request.query.get("dag_id_pattern", "%").strip("%")
        files = {"etl_watch": "etl_watch", "sportmonks_catalog": "sportmonks_catalog", "raw_routes_tables": "routes"}
        dags = [
            {"dag_id": name, "fileloc": f"/dags/{file}.py", "file_token": f"of-{file}", "last_parsed_time": parsed}
            for name, file in files.items()
            if pattern in name
        ]
        return Answer({"dags": dags, "total_entries": len(dags)})

    with playing(play) as server, closing(AirflowApi(server.url, lambda: "password")) as api:
        assert api.parse("routes.py", timeout=2)


def test_the_page_of_a_run() -> None:
    page = run_page("http://127.0.0.1:8080", "a dag", "manual__2026-01-01T00:00:00+00:00/b?")
    assert page == "http://127.0.0.1:8080/dags/a%20dag/runs/manual__2026-01-01T00:00:00+00:00%2Fb%3F"
