"""Routes as DAGs: what is rendered, what a broken file becomes, and real task runs."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from local.stack.airflow import warehouse_connection
from sportmonks.routes.parse import load_routes, parse_route
from tests.dags.bag import serialization
from tests.harness.rest_server import RestServer
from tests.harness.routes import BASE, instance_of

CONVENTIONS = ("doc_md", "description", "tags")
PERIOD = "date_field: created\nperiod: {date_from: from, date_to: to, max_days: 31}\n"


@pytest.fixture(scope="module", autouse=True)
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Airflow writes into its home at the first import; it is none of the user's business here."""
    home = tmp_path_factory.mktemp("airflow")
    before = os.environ.get("AIRFLOW_HOME")
    os.environ.setdefault("AIRFLOW_HOME", str(home))
    yield home
    if before is None:
        del os.environ["AIRFLOW_HOME"]


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch, server: RestServer, warehouse_dsn: str) -> dict[str, str]:
    """The Airflow connections, as environment variables."""
    found = {
        "AIRFLOW_CONN_SHOP_API": json.dumps(
            {"conn_type": "http", "host": f"{server.url}/api", "password": "S3cr3tKey"}
        ),
        "AIRFLOW_CONN_SPORTMONKS_WAREHOUSE": warehouse_connection(warehouse_dsn),
    }
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def backfill(day: int, **params: Any) -> Any:
    """The context of a run that Airflow's Backfill made for a day of January 2025."""
    at = datetime(2025, 1, day, 5, 30, tzinfo=UTC)
    run = SimpleNamespace(
        dag_id="raw_shop_orders", run_id=f"backfill__{day}", run_after=at, run_type="backfill", logical_date=at
    )
    return {
        "params": params,
        "dag_run": run,
        "ti": instance_of(run),
        "data_interval_start": at,
        "data_interval_end": at,
    }


def context(**params: Any) -> Any:
    run = SimpleNamespace(
        dag_id="raw_shop_orders",
        run_id="manual__1",
        run_after=datetime(2025, 12, 31, tzinfo=UTC),
        run_type="manual",
        logical_date=None,
    )
    return {"params": params, "dag_run": run, "ti": instance_of(run)}


def test_a_dag_per_file_and_one_for_the_tables() -> None:
    from sportmonks.render.routes import TABLES_DAG, route_dags

    routes, _ = load_routes()
    dags = route_dags()
    assert set(dags) == {route.name for route in routes} | {TABLES_DAG}
    for route in routes:
        dag = dags[route.name]
        assert list(dag.task_dict) == ["ensure_table", "extract", "summary"]
        assert dag.task_dict["summary"].is_teardown
        assert dag.task_dict["ensure_table"].is_setup
        assert dag.task_dict["extract"].downstream_task_ids == {"summary"}
        assert {"dry_run", "force"} <= set(dag.params)
        assert ("date_from" in dag.params) == (route.period is not None)
        assert dag.max_active_runs == 1
        assert bool(dag.deadline) == (route.deadline_minutes is not None)
    for dag in dags.values():
        assert all(getattr(dag, name) for name in CONVENTIONS), dag.dag_id
        assert "Triage" in str(dag.doc_md)
        assert dag.default_args["owner"] == "sportmonks"
        assert serialization().to_dict(dag) == serialization().to_dict(dag)


def test_the_same_files_give_the_same_dags() -> None:
    """A DAG that changes by itself would be a new version with every parse."""
    from sportmonks.render.routes import route_dags

    first, second = ({name: serialization().to_dict(dag) for name, dag in route_dags().items()} for _ in range(2))
    assert first == second


def test_a_broken_file_becomes_a_dag_that_says_so(tmp_path: Path) -> None:
    from sportmonks.render.routes import route_dags

    (tmp_path / "good.yaml").write_text(BASE)
    (tmp_path / "my file.yaml").write_text("client: shop\nrout: x\n")
    (tmp_path / "my-file.yaml").write_text("{")
    dags = route_dags(tmp_path)
    assert set(dags) == {"raw_shop_orders", "raw_problem_my_file", "raw_problem_my_file_2", "raw_routes_tables"}
    problem = dags["raw_problem_my_file"]
    assert "line 2: there is no key rout. Did you mean route?" in str(problem.description)
    assert "Did you mean route?" in str(problem.doc_md)
    with pytest.raises(Exception, match="there is no key rout"):
        problem.task_dict["explain"].python_callable()  # type: ignore[attr-defined]


def test_only_the_requested_dag_is_built_when_a_task_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    from sportmonks.render import routes as render

    requested = SimpleNamespace(dag_id="raw_sportmonks_squads", task_id="extract")
    monkeypatch.setattr(render, "get_parsing_context", lambda: requested)
    assert set(render.route_dags()) == {"raw_sportmonks_squads"}


def test_the_tables_dag_runs_once_after_each_change(tmp_path: Path) -> None:
    import pendulum
    from airflow.timetables.base import DataInterval, TimeRestriction

    from sportmonks.render.routes import START, TABLES_DAG, route_dags

    (tmp_path / "good.yaml").write_text(BASE)
    restriction = TimeRestriction(earliest=pendulum.instance(START), latest=None, catchup=True)

    def following(last: Any) -> Any:
        timetable: Any = route_dags(tmp_path)[TABLES_DAG].timetable
        return timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)

    info = following(None)
    assert abs((info.run_after - pendulum.now("UTC")).total_seconds()) < 60
    assert following(info.data_interval) is None
    earlier = info.data_interval.end.subtract(seconds=10)
    (tmp_path / "new.yaml").write_text(BASE.replace("orders", "new"))
    os.utime(tmp_path / "new.yaml", (1e9, 1e9))  # copied with its old date
    assert following(DataInterval.exact(earlier)) is not None


def test_extract_and_dry_run(
    connections: dict[str, str],
    server: RestServer,
    warehouse: psycopg.Connection[Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    from sportmonks.operators.routes import EnsureRouteTablesOperator, RouteExtractOperator

    server.total = 280
    route = parse_route(BASE.replace("/api/page", "/page") + PERIOD, file="orders.yaml")
    assert EnsureRouteTablesOperator(task_id="e", route=route).execute(context()) == ["raw.client_shop_orders"]
    extract = RouteExtractOperator(task_id="extract", route=route)
    answer = extract.execute(context(date_from="2025-01-01", date_to="2025-02-15", dry_run=True))
    assert server.calls == []
    assert (answer["listings"], answer["calls_at_least"]) == (2, 2)
    assert answer["last_request"] == '/page {"from": "2025-02-01", "to": "2025-02-15"}'
    summary = extract.execute(context(date_from="2025-01-01", date_to="2025-01-28", dry_run=False, force=False))
    assert (summary["records"], summary["inserted"], summary["table"]) == (280, 280, "raw.client_shop_orders")
    json.dumps(summary)
    row = warehouse.execute("SELECT collector_name, status, execution_id FROM etl.collector_runs").fetchone()
    assert row is not None
    assert row[:2] == ("raw_shop_orders", "success")
    assert row[2].startswith("etl_20251231_000000_")
    # Each call is in the books of the run and of the connection, whose limit is unknown.
    calls = warehouse.execute("SELECT api_calls, failed_calls FROM etl.collector_runs").fetchone()
    assert calls == (len(server.calls), 0)
    budget = warehouse.execute("SELECT connection, entity, call_limit, remaining, taken_total FROM etl.api_budget_now")
    assert budget.fetchall() == [("shop_api", "calls", None, None, len(server.calls))]
    assert "S3cr3tKey" not in caplog.text


def test_a_run_without_its_connection_is_among_the_runs(
    connections: dict[str, str], warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sportmonks.airflow_compat import AirflowFailException
    from sportmonks.dashboard.runs import runs
    from sportmonks.operators.routes import RouteExtractOperator

    monkeypatch.delenv("AIRFLOW_CONN_SHOP_API")
    route = parse_route(BASE.replace("/api/page", "/page") + PERIOD, file="orders.yaml")
    extract = RouteExtractOperator(task_id="extract", route=route)
    with pytest.raises(AirflowFailException, match="shop_api"):
        extract.execute(context(date_from="2025-01-01", date_to="2025-01-28", dry_run=False, force=False))
    (run,) = runs(warehouse)["rows"]
    assert (run["status"], run["kind"]) == ("FAILED", "route")
    assert "shop_api" in json.dumps(run, default=str)


def test_every_run_of_a_backfill_reads_its_own_day(
    connections: dict[str, str], server: RestServer, warehouse: psycopg.Connection[Any]
) -> None:
    from sportmonks.airflow_compat import AirflowFailException
    from sportmonks.operators.routes import EnsureRouteTablesOperator, RouteExtractOperator

    server.total = 280
    base = BASE.replace("/api/page", "/page")

    def extract(changes: str) -> RouteExtractOperator:
        return RouteExtractOperator(task_id="extract", route=parse_route(base + changes, file="orders.yaml"))

    daily = extract(PERIOD + "schedule: 30 5 * * *\n")
    EnsureRouteTablesOperator(task_id="e", route=daily.route).execute(context())
    for day in (3, 4, 5):
        assert daily.execute(backfill(day, dry_run=True))["period"] == f"2025-01-0{day} to 2025-01-0{day}"
        daily.execute(backfill(day))
    periods = {(query["from"], query["to"]) for _, query, *_ in server.calls}
    assert periods == {(f"2025-01-0{day}", f"2025-01-0{day}") for day in (3, 4, 5)}
    weekly = extract(PERIOD + "schedule: 30 5 * * 5\n")
    assert weekly.execute(backfill(3, dry_run=True))["period"] == "2025-01-03 to 2025-01-09"
    given = {"date_from": "2024-12-01", "date_to": "2024-12-02", "dry_run": True}
    assert daily.execute(backfill(3, **given))["period"] == "2024-12-01 to 2024-12-02"
    endless = extract("schedule: 30 5 * * *\n")
    with pytest.raises(AirflowFailException, match=r"would read the same pages\. Trigger the DAG once"):
        endless.execute(backfill(3))


def test_errors_in_airflows_terms(connections: dict[str, str], server: RestServer) -> None:
    from sportmonks.airflow_compat import AirflowException, AirflowFailException
    from sportmonks.operators.routes import RouteExtractOperator

    route = parse_route(BASE.replace("/api/page", "/page") + PERIOD + "retry_max: 0\n")
    extract = RouteExtractOperator(task_id="extract", route=route)
    with pytest.raises(AirflowFailException, match="date_from 2025-02-01 is after date_to 2025-01-01"):
        extract.execute(context(date_from="2025-02-01", date_to="2025-01-01"))
    server.fail[1] = [500, 401]
    with pytest.raises(AirflowException, match="HTTP 500"):
        extract.execute(context())
    with pytest.raises(AirflowFailException, match="connection shop_api"):
        extract.execute(context())
    other = parse_route(BASE.replace("shop_api", "not_there"))
    with pytest.raises(AirflowFailException, match=r"no Airflow connection not_there.*AIRFLOW_CONN_NOT_THERE"):
        RouteExtractOperator(task_id="extract", route=other).execute(context())


def test_a_long_wait_frees_the_worker_slot(
    connections: dict[str, str], server: RestServer, warehouse: psycopg.Connection[Any]
) -> None:
    from sportmonks.operators.routes import RouteExtractOperator
    from tests.dags.bag import TaskDeferred

    server.fail[4] = [429]
    server.headers = {"Retry-After": "3600"}
    extract = RouteExtractOperator(task_id="extract", route=parse_route(BASE.replace("/api/page", "/page")))
    with pytest.raises(TaskDeferred) as deferred:
        extract.execute(context())
    assert deferred.value.method_name == "resume"
    assert (deferred.value.trigger.until - datetime.now(UTC)).total_seconds() > 3500  # type: ignore[attr-defined]
    server.calls.clear()
    # Before that time has passed, no task of this connection calls the API.
    with pytest.raises(TaskDeferred):
        extract.resume(context(), {"waited_for": "x"})
    assert server.calls == []
    warehouse.execute("UPDATE etl.api_budget SET blocked_until = clock_timestamp()")
    summary = extract.resume(context(), {"waited_for": "x"})
    assert (summary["inserted"], server.calls[0][1]["page"]) == (1000, "4")


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ({"conn_type": "http", "host": "https://a.b/v1/"}, "https://a.b/v1/"),
        ({"conn_type": "http", "host": "a.b", "schema": "https", "port": 8443}, "https://a.b:8443"),
        ({"conn_type": "https", "host": "a.b"}, "https://a.b"),
        ("http://user:pw@127.0.0.1:8000/base", "http://127.0.0.1:8000/base"),
    ],
)
def test_base_url_of_a_connection(monkeypatch: pytest.MonkeyPatch, parts: Any, expected: str) -> None:
    from sportmonks.operators.routes import read_access

    monkeypatch.setenv("AIRFLOW_CONN_ANY_API", parts if isinstance(parts, str) else json.dumps(parts))
    assert read_access("any_api").base_url == expected
