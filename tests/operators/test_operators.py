"""Operators with a context made by hand: what they do, what they wait for, which errors Airflow sees."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import msgspec
import psycopg
import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException, TaskDeferred

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox, running_sandbox
from sportmonks.airflow_compat import secrets_source
from sportmonks.config.catalog import TaskSettings
from sportmonks.config.manifest import League, Manifest, decode_manifest
from sportmonks.config.settings import SQL_DIR
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    DataError,
    FatalApiError,
    LostLeaseError,
    OutsidePlanError,
    RateLimitError,
    SportmonksError,
    TransientApiError,
    WarehouseDownError,
)
from sportmonks.hooks.sportmonks import SportmonksHook
from sportmonks.operators.base import MAX_ABSENCES, WarehouseOperator
from sportmonks.operators.catalog import MigrateOperator, PublishCatalogOperator, ReferenceOperator, StructureOperator
from sportmonks.operators.league import CollectOperator, DiscoverOperator, PlanOperator
from sportmonks.operators.routes import RouteExtractOperator
from sportmonks.operators.sql import WarehouseSqlOperator
from sportmonks.planning.execution_id import execution_id
from sportmonks.routes.parse import parse_route
from sportmonks.triggers.budget import BudgetTrigger
from tests.harness.tcp_proxy import tcp_proxy

WHEN = datetime(2026, 3, 1, 5, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
DAG_RUN = SimpleNamespace(
    dag_id="sportmonks_premier_league", run_id="manual__1", run_after=WHEN, run_type="manual", logical_date=None
)
RUN = execution_id(DAG_RUN.dag_id, DAG_RUN.run_id, WHEN)


class Variables(dict[str, str]):
    """Airflow's Variables for a test."""

    def fetch(self, key: str, default: Any = None, **_: Any) -> Any:
        return self.get(key, default)

    def store(self, key: str, value: str, description: str | None = None, **_: Any) -> None:
        self[key] = value

    def drop(self, key: str, **_: Any) -> None:
        self.pop(key, None)


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    from airflow.sdk import Variable

    found = Variables()
    for name, method in (("get", found.fetch), ("set", found.store), ("delete", found.drop)):
        monkeypatch.setattr(Variable, name, method)
    return found


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with running_sandbox(leagues=2, seasons=2, teams=4, limit=100_000, now="2026-03-01T12:00:00Z") as box:
        yield box


@pytest.fixture
def box(
    sandbox: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch, variables: Variables
) -> RunningSandbox:
    """The sandbox and the warehouse behind the two connections."""
    sandbox.reset()
    api = {"conn_type": "http", "host": sandbox.base_url, "password": sandbox.key}
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(warehouse_dsn))
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", json.dumps(api))
    for name in ("ETL_LEAGUES", "ETL_INCLUDES"):
        monkeypatch.delenv(name, raising=False)
    return sandbox


def context(task_id: str = "t", xcom: Any = None, **params: Any) -> Any:
    ti = MagicMock(dag_id=DAG_RUN.dag_id, run_id=DAG_RUN.run_id, task_id=task_id)
    ti.xcom_pull.return_value = xcom
    return {"dag_run": DAG_RUN, "params": params, "ti": ti}


@pytest.fixture
def manifest(box: RunningSandbox, variables: Variables) -> Manifest:
    PublishCatalogOperator(task_id="publish").execute(context())
    return decode_manifest(variables["sportmonks_manifest"])


def plain(league: League) -> dict[str, Any]:
    return {"league": msgspec.to_builtins(league), "settings": msgspec.to_builtins(TaskSettings())}


# ---- the warehouse


def test_a_task_waits_for_a_silent_warehouse_without_its_slot(
    box: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        way = psycopg.conninfo.make_conninfo(dsn, connect_timeout=2)
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(way))
        proxy.stall()
        operator = MigrateOperator(task_id="migrate")
        with pytest.raises(TaskDeferred) as wait:
            operator.execute(context())
        assert wait.value.method_name == "resume"
        assert wait.value.kwargs == {"outages": 0, "waiting_since": None, "absences": 1}
        with pytest.raises(AirflowException, match="does not answer"):
            operator.resume(context(), absences=MAX_ABSENCES)
        proxy.resume()
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(dsn))
        assert operator.resume(context(), absences=1) == []


@pytest.mark.parametrize(
    ("error", "raised", "sentence"),
    [
        (psycopg.errors.ReadOnlySqlTransaction("read only"), TaskDeferred, ""),
        (psycopg.errors.AdminShutdown("restart"), TaskDeferred, ""),
        (psycopg.errors.UndefinedTable("x"), AirflowFailException, "no ETL tables yet"),
        (psycopg.errors.InsufficientPrivilege("x"), AirflowFailException, "lacks a privilege"),
        (psycopg.errors.UniqueViolation("x"), psycopg.errors.UniqueViolation, "x"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or type(value).__name__,
)
def test_errors_of_the_warehouse(error: Exception, raised: type[BaseException], sentence: str) -> None:
    class Failing(WarehouseOperator):
        def perform(self, context: Any) -> None:
            raise error

    with pytest.raises(raised) as seen:
        Failing(task_id="failing").execute(context())
    assert sentence in str(seen.value)


def sql_task(**settings: Any) -> WarehouseSqlOperator:
    names = "SELECT current_setting('DateStyle'), current_setting('search_path')"
    return WarehouseSqlOperator(task_id="settings", sql=names, split_statements=False, **settings)


def test_sql_tasks_have_the_sessions_of_the_package(box: RunningSandbox) -> None:
    assert sql_task().execute(context()) == [("ISO, MDY", "pg_catalog, pg_temp")]


def test_sql_tasks_wait_for_a_silent_warehouse_without_their_slot(
    box: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        way = psycopg.conninfo.make_conninfo(dsn, connect_timeout=2)
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(way))
        proxy.stall()
        task = sql_task(checks_schema=True)
        with pytest.raises(TaskDeferred) as wait:
            task.execute(context())
        assert (wait.value.method_name, wait.value.kwargs) == ("resume", {"absences": 1})
        proxy.resume()
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(dsn))
        assert task.resume(context(), absences=1)


def test_a_run_does_not_start_in_a_database_of_a_newer_version(
    box: RunningSandbox, warehouse: psycopg.Connection[Any]
) -> None:
    warehouse.execute("INSERT INTO etl.schema_migrations (name, sha256) VALUES ('9999_future', 'x')")
    with pytest.raises(AirflowFailException, match="9999_future, which this version does not know"):
        sql_task(checks_schema=True).execute(context())


# ---- the catalog


def test_migrate_brings_the_schema_up_to_date_once(box: RunningSandbox, warehouse: psycopg.Connection[Any]) -> None:
    from sportmonks.warehouse.migrations import BASELINE, read_definitions, read_migrations

    assert MigrateOperator(task_id="migrate").execute(context()) == []
    warehouse.execute("DROP SCHEMA etl CASCADE; DROP SCHEMA raw CASCADE; DROP SCHEMA football CASCADE")
    applied = MigrateOperator(task_id="migrate").execute(context())
    fresh = [file.name for file in read_migrations(SQL_DIR) if file.name >= BASELINE]
    assert applied == [*fresh, *(file.name for file in read_definitions(SQL_DIR))]
    recorded = warehouse.execute("SELECT name FROM etl.schema_migrations ORDER BY name").fetchall()
    assert [name for (name,) in recorded] == [file.name for file in read_migrations(SQL_DIR)]
    assert MigrateOperator(task_id="migrate").execute(context()) == []


def test_reference_lists(box: RunningSandbox, warehouse: psycopg.Connection[Any]) -> None:
    first = ReferenceOperator(task_id="reference").execute(context())
    assert set(first) == {"states", "types"}
    before = warehouse.execute("SELECT max(updated_at) FROM football.types").fetchone()
    ReferenceOperator(task_id="reference").execute(context())
    assert warehouse.execute("SELECT max(updated_at) FROM football.types").fetchone() == before


def test_the_manifest_is_published_and_kept_when_nothing_changed(
    box: RunningSandbox, manifest: Manifest, variables: Variables, warehouse: psycopg.Connection[Any]
) -> None:
    assert [len(league.seasons) for league in manifest.leagues] == [2, 2]
    assert warehouse.execute("SELECT count(*) FROM football.seasons").fetchone() == (4,)
    written: list[str] = []
    variables.store = lambda key, *_: written.append(key)  # type: ignore[method-assign]
    PublishCatalogOperator(task_id="publish").execute(context())
    assert written == []


def test_the_calls_of_the_catalog_are_in_the_books_of_its_lists(
    box: RunningSandbox, variables: Variables, warehouse: psycopg.Connection[Any]
) -> None:
    before = box.calls()["total"]
    ReferenceOperator(task_id="reference").execute(context())
    PublishCatalogOperator(task_id="publish").execute(context())
    StructureOperator(task_id="structure").execute(context())
    booked = dict(
        warehouse.execute("SELECT collector_name, api_calls FROM etl.collector_runs WHERE api_calls > 0").fetchall()
    )
    lists = {f"structure:{name}" for name in ("stages", "rounds", "teams", "venues")}
    assert booked.keys() == {"reference:states", "reference:types", "leagues", *lists}
    assert sum(booked.values()) == box.calls()["total"] - before


def test_the_environment_chooses_leagues(
    box: RunningSandbox, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETL_LEAGUES", str(box.admin("GET", "/truth")["chunks"][0]["league_id"]))
    monkeypatch.setenv("ETL_INCLUDES", "scores;events")
    PublishCatalogOperator(task_id="publish").execute(context())
    (league,) = decode_manifest(variables["sportmonks_manifest"]).leagues
    assert league.includes == ("scores", "events")


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ETL_LEAGUES", "999999", "999999"),
        ("ETL_LEAGUES", "premier", "ETL_LEAGUES: 'premier' is not a league id"),
        ("ETL_INCLUDES", "a b", "ETL_INCLUDES: 'a b' is not an include"),
    ],
)
def test_a_wrong_setting_fails_at_once_and_publishes_nothing(
    box: RunningSandbox, variables: Variables, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(AirflowFailException, match=message):
        PublishCatalogOperator(task_id="publish").execute(context())
    assert "sportmonks_manifest" not in variables


def test_a_manifest_that_cannot_be_read_is_replaced(box: RunningSandbox, variables: Variables) -> None:
    variables["sportmonks_manifest"] = "{ broken"
    PublishCatalogOperator(task_id="publish").execute(context())
    assert decode_manifest(variables["sportmonks_manifest"]).leagues


def test_a_manifest_that_a_secrets_backend_hides_is_reported(
    box: RunningSandbox, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writing goes to the metadata database, reading asks the environment and the configured backend first."""
    from airflow.sdk import Variable

    monkeypatch.setattr(Variable, "get", lambda key, default=None, **_: "an older manifest")
    with pytest.raises(AirflowFailException, match="still has another text") as caught:
        PublishCatalogOperator(task_id="publish").execute(context())
    assert decode_manifest(variables["sportmonks_manifest"]).leagues
    assert "the secrets backend of Airflow holds an entry of this name" in str(caught.value)
    assert "Delete the entry there, then clear this task." in str(caught.value)
    monkeypatch.setenv("AIRFLOW__SECRETS__BACKEND", "acme.Vault")
    assert secrets_source("x") == "the secrets backend acme.Vault"
    monkeypatch.setenv("AIRFLOW__WORKERS__SECRETS_BACKEND", "acme.VaultOfWorkers")
    assert secrets_source("x") == "the secrets backend acme.VaultOfWorkers"
    monkeypatch.setenv("AIRFLOW_VAR_X", "y")
    assert secrets_source("x") == "the environment variable AIRFLOW_VAR_X"


# ---- a league run


def test_discover_plan_collect(
    box: RunningSandbox, manifest: Manifest, variables: Variables, warehouse: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    league = manifest.leagues[0]
    season = league.seasons[1]
    branches: list[Any] = []
    monkeypatch.setattr(PlanOperator, "do_branch", lambda self, context, found: branches.append(found))
    warehouse.execute("SELECT etl.start_etl_execution(%s)", (RUN,))

    found = DiscoverOperator(task_id="discover", **plain(league)).execute(context())
    assert found["failed"] == []
    assert len(found["seasons"]) == 2
    estimate = PlanOperator(task_id="plan", **plain(league)).execute(context(xcom=found, seasons=[season.name]))
    assert branches == [[f"{season.group}.open"]]
    assert (estimate["fixtures"], estimate["calls"]) == (12, {"Fixture": 1})

    collect = CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))
    warehouse.execute("SELECT etl.open_chunk(%s, %s, %s)", (RUN, league.id, season.id))
    result = collect.execute(context(task_id=f"{season.group}.collect"))
    assert (result["planned"], result["outcomes"]) == (12, {"saved": 12})
    assert json.loads(variables[f"sportmonks_ckpt__{league.id}__{season.id}"])["finished"]
    stored = warehouse.execute("SELECT count(*) FROM raw.fixtures").fetchone()
    assert stored == (12,)
    names = {row[0] for row in warehouse.execute("SELECT DISTINCT metric_name FROM etl.etl_metrics")}
    assert any(name.startswith("api_call") for name in names)
    share = "SELECT avg(metric_value) FROM etl.etl_metrics WHERE metric_name = 'monitoring.share' AND metric_unit = '%'"
    (percent,) = warehouse.execute(share).fetchone() or (None,)
    assert 0 < percent < 10  # 0.1 is usual; a busy machine may be interrupted just there
    assert warehouse.execute("SELECT count(*) > 0 FROM etl.etl_logs WHERE component = 'COLLECT'").fetchone() == (True,)
    # Again, as after a clear: nothing is left to do.
    assert collect.execute(context(task_id=f"{season.group}.collect"))["planned"] == 0


def test_a_run_refuses_nonsense_before_any_call(box: RunningSandbox, manifest: Manifest) -> None:
    box.admin("DELETE", "/calls")
    task = DiscoverOperator(task_id="discover", **plain(manifest.leagues[0]))
    with pytest.raises(AirflowFailException, match=r"batch_size is 1000\. Write a whole number from 1 to 50"):
        task.execute(context(batch_size=1000))
    with pytest.raises(AirflowFailException, match="has no season"):
        task.execute(context(seasons=["1900"]))
    assert box.calls()["total"] == 0


# ---- waits and errors

LEAGUE = League(id=8, name="L", slug="l", schedule=None, deadline_minutes=60, includes=("scores",))
SEASON = {"id": 1, "name": "S", "group": "g"}
ROUTE = parse_route("client: shop\nroute: orders\nconnection: sportmonks_api\npath: /page\npaging: {style: page}\n")
# Operator, the function that does its work, its arguments.
OPERATORS: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "discover": (DiscoverOperator, "sportmonks.collect.discover.discover", plain(LEAGUE)),
    "plan": (PlanOperator, "sportmonks.collect.plan.plan", plain(LEAGUE)),
    "collect": (CollectOperator, "sportmonks.collect.collect.collect", {"season": SEASON, **plain(LEAGUE)}),
    "reference": (ReferenceOperator, "sportmonks.reference.lists.collect_list", {}),
    "publish": (PublishCatalogOperator, "sportmonks.hooks.sportmonks.SportmonksHook.get_leagues", {}),
    "extract": (RouteExtractOperator, "sportmonks.routes.extract.run_route", {"route": ROUTE}),
}


def failing(name: str, error: BaseException, monkeypatch: pytest.MonkeyPatch) -> Any:
    """An operator whose work ends in this error."""
    kind, work, arguments = OPERATORS[name]

    def fails(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(work, fails)
    return kind(task_id=name, **arguments)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("kind", [BudgetWait, CircuitOpenError])
def test_a_wait_frees_the_slot_and_comes_back(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, name: str, kind: type[BudgetWait]
) -> None:
    wait = kind("no calls left", entity="Fixture", seconds=3600, until=LATER)
    task = failing(name, wait, monkeypatch)
    with pytest.raises(TaskDeferred) as deferred:
        task.execute(context())
    found = deferred.value
    assert found.method_name == "resume"
    assert isinstance(found.trigger, BudgetTrigger)
    assert (found.trigger.until, found.trigger.entity) == (LATER, "Fixture")
    path, arguments = found.trigger.serialize()
    assert path == "sportmonks.triggers.budget.BudgetTrigger"
    assert BudgetTrigger(**json.loads(json.dumps(arguments))).until == LATER
    # What Airflow calls afterwards: resume(context, event=..., **kwargs).
    with pytest.raises(TaskDeferred):
        task.resume(context(), event={"waited_for": "Fixture"}, **(found.kwargs or {}))


@pytest.mark.parametrize("stored", [{}, {"outages": 0}, {"outages": 2}], ids=str)
def test_a_task_deferred_by_the_version_before_goes_on(
    box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any], stored: dict[str, int]
) -> None:
    """Airflow stores a method's name and its arguments with a deferred task; the class comes from the DAG file."""
    task = DiscoverOperator(task_id="discover", **plain(manifest.leagues[0]))
    warehouse.execute("SELECT etl.start_etl_execution(%s)", (RUN,))
    found = task.resume_execution("resume", {"event": {"waited_for": "Fixture"}, **stored}, context())
    assert (len(found["seasons"]), found["failed"]) == (2, [])


def test_what_a_task_opened_is_closed_when_it_waits(box: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[SportmonksHook] = []
    close = SportmonksHook.close

    def recorded(hook: SportmonksHook) -> None:
        closed.append(hook)
        close(hook)

    monkeypatch.setattr(SportmonksHook, "close", recorded)
    wait = BudgetWait("no calls left", entity="Fixture", seconds=3600, until=LATER)
    with pytest.raises(TaskDeferred):
        failing("discover", wait, monkeypatch).execute(context())
    assert len(closed) == 1


def test_the_lists_of_a_season_are_left_to_the_next_run_instead(
    box: RunningSandbox, manifest: Manifest, variables: Variables, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait = BudgetWait("no calls left", entity="Team", seconds=3600, until=LATER)

    def fails(*_: Any) -> None:
        raise wait

    monkeypatch.setattr("sportmonks.api.client.SportmonksClient.teams", fails)
    result = StructureOperator(task_id="structure").execute(context())
    assert {name: found["seasons"] for name, found in result.items()} == {
        "stages": 4, "rounds": 4, "teams": 0, "venues": 4}  # fmt: skip
    assert result["teams"]["stopped"] == "goes on in the next run: no calls left"


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ConfigurationError("wrong key.", hint="Check it."), AirflowFailException),
        (FatalApiError("bad filter."), AirflowFailException),
        (OutsidePlanError("not covered."), AirflowSkipException),
        (TransientApiError("503."), AirflowException),
        (RateLimitError("429.", entity="Fixture"), AirflowException),
        (DataError("odd.", ids=[1]), AirflowException),
        (LostLeaseError("taken over."), AirflowException),
        (SportmonksError("something."), AirflowException),
        (KeyError("a bug"), KeyError),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_errors_in_airflows_terms(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, name: str, error: BaseException, expected: type[BaseException]
) -> None:
    with pytest.raises(expected) as caught:
        failing(name, error, monkeypatch).execute(context())
    if expected is AirflowException:
        assert not isinstance(caught.value, AirflowFailException), "a passing fault is worth a retry"
    assert str(error) in str(caught.value)


@pytest.mark.parametrize(
    ("error", "raised", "status"),
    [
        (TransientApiError("503."), AirflowException, "FAILED"),
        (LostLeaseError("taken over."), AirflowException, "RUNNING"),
        (WarehouseDownError("restart."), TaskDeferred, "RUNNING"),
        (psycopg.errors.AdminShutdown("restart."), TaskDeferred, "RUNNING"),
    ],
)
def test_a_collector_stops_its_chunk_unless_that_is_somebody_elses(
    box: RunningSandbox,
    warehouse: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    raised: type[BaseException],
    status: str,
) -> None:
    """In a run that had ended and was cleared: no task that closes the chunk may follow."""
    for work in ("start_etl_execution(%s)", "open_chunk(%s, 8, 1)", "finish_etl_execution(%s)", "open_chunk(%s, 8, 1)"):
        warehouse.execute(f"SELECT etl.{work}".encode(), (RUN,))
    with pytest.raises(raised):
        failing("collect", error, monkeypatch).execute(context())
    assert warehouse.execute("SELECT status FROM etl.execution_chunks").fetchone() == (status,)


def waits(task: Any) -> Iterator[dict[str, Any]]:
    """The arguments of each deferral in a row, until the task fails: its error is raised."""
    kwargs: dict[str, Any] = {}
    while True:
        try:
            task.resume(context(), event={}, **kwargs)
        except TaskDeferred as deferred:
            kwargs = dict(deferred.kwargs or {})
            yield kwargs


@pytest.mark.parametrize("name", OPERATORS)
def test_an_api_that_keeps_failing_is_not_waited_for_for_ever(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    task = failing(name, CircuitOpenError("calls rest", entity="State", seconds=30, until=LATER), monkeypatch)
    found = waits(task)
    assert [next(found)["outages"], next(found)["outages"]] == [1, 2]
    with pytest.raises(AirflowException, match=r"kept failing over 2 waits\. calls rest") as caught:
        next(found)
    assert not isinstance(caught.value, AirflowFailException), "Airflow's retries apply"


class Waiting(WarehouseOperator):
    """Ends in this error each time; with ``answered``, after a call that succeeded."""

    error: Exception = BudgetWait("429.", entity="State", seconds=30, until=LATER)
    answered = False

    def perform(self, context: Any) -> None:
        if self.answered:
            self.call_succeeded()
        raise self.error


def test_waits_for_calls_end_when_no_call_has_succeeded_for_a_day() -> None:
    task = Waiting(task_id="waiting")
    found = waits(task)
    first = next(found)
    assert [next(found) for _ in range(10)] == [first] * 10, "the time of the first wait is kept"
    assert (first["outages"], first["absences"]) == (0, 0)

    def stored(hours: float) -> dict[str, Any]:
        return {"waiting_since": (datetime.now(UTC) - timedelta(hours=hours)).isoformat()}

    with pytest.raises(TaskDeferred):
        task.resume(context(), **stored(23.9))
    with pytest.raises(
        AirflowException, match=r"No call has succeeded since .* over waits of 24 hours\. 429\."
    ) as ended:
        task.resume(context(), **stored(24))
    assert not isinstance(ended.value, AirflowFailException), "Airflow's retries apply"
    with pytest.raises(TaskDeferred) as wait:
        task.resume(context(), **stored(-48))  # the clock has been set back
    assert datetime.fromisoformat((wait.value.kwargs or {})["waiting_since"]) <= datetime.now(UTC)
    task.answered = True
    with pytest.raises(TaskDeferred) as wait:
        task.resume(context(), **stored(30))
    assert datetime.fromisoformat((wait.value.kwargs or {})["waiting_since"]) > datetime.now(UTC) - timedelta(hours=1)


def test_outages_and_absences_in_turn_are_both_counted() -> None:
    task = Waiting(task_id="waiting")
    kwargs: dict[str, Any] = {}
    errors = [CircuitOpenError("calls rest", entity="State", seconds=30, until=LATER), WarehouseDownError("restart.")]
    counted = []
    for number in range(4):
        task.error = errors[number % 2]
        with pytest.raises(TaskDeferred) as wait:
            task.resume(context(), event={}, **kwargs)
        kwargs = dict(wait.value.kwargs or {})
        counted.append((kwargs["outages"], kwargs["absences"]))
    assert counted == [(1, 0), (1, 1), (2, 1), (2, 2)]
    task.error = errors[0]
    with pytest.raises(AirflowException, match="kept failing over 2 waits"):
        task.resume(context(), event={}, **kwargs)
    task.error, task.answered = errors[1], True
    with pytest.raises(TaskDeferred) as wait:
        task.resume(context(), event={}, **kwargs)
    assert wait.value.kwargs == {"outages": 0, "absences": 3}


def test_a_call_that_succeeds_is_noticed(box: RunningSandbox) -> None:
    task = ReferenceOperator(task_id="reference")
    task.execute(context())
    assert task._called


def test_an_unreachable_warehouse_is_named_without_its_password(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = "pa55word-of-the-warehouse"
    nowhere = {"conn_type": "postgres", "host": "127.0.0.1", "port": 1, "login": "u", "password": secret, "schema": "d"}
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", json.dumps(nowhere))
    migrate = MigrateOperator(task_id="migrate")
    with pytest.raises(TaskDeferred) as wait:
        migrate.execute(context())
    assert secret not in repr(wait.value.kwargs) + repr(wait.value.trigger.serialize())
    with pytest.raises(AirflowException, match=r"warehouse at 127.0.0.1:1/d does not answer") as caught:
        migrate.resume(context(), absences=MAX_ABSENCES)
    assert "SUPABASE_CONNECTION_STRING" in str(caught.value)
    assert secret not in repr(caught.value) + repr(caught.value.__cause__)


@pytest.mark.parametrize(
    "task",
    [
        MigrateOperator(task_id="migrate"),
        ReferenceOperator(task_id="reference"),
        WarehouseSqlOperator(task_id="start_execution"),
    ],
    ids=lambda task: type(task).__name__,
)
def test_a_missing_warehouse_connection_fails_at_once_with_its_hint(
    box: RunningSandbox, monkeypatch: pytest.MonkeyPatch, task: Any
) -> None:
    monkeypatch.delenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE")
    with pytest.raises(AirflowFailException, match="There is no Airflow connection sportmonks_warehouse") as caught:
        task.execute(context())
    assert "or set AIRFLOW_CONN_SPORTMONKS_WAREHOUSE; with ./etl, set SUPABASE_CONNECTION_STRING." in str(caught.value)


def test_the_deadline_of_a_wait_is_in_the_future_of_the_clock_that_set_it() -> None:
    wait = BudgetWait("x", entity="Fixture", seconds=60, until=WHEN + timedelta(seconds=60))
    assert BudgetTrigger(wait.until, wait.entity).until - WHEN == timedelta(seconds=60)
