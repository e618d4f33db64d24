"""Operators and the warehouse: which sessions they have, what they wait for, which errors Airflow sees."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from local.stack.airflow import warehouse_connection
from sandbox.testing import RunningSandbox
from sportmonks.airflow_compat import AirflowException, AirflowFailException
from sportmonks.config.manifest import Manifest
from sportmonks.errors import BudgetWait
from sportmonks.operators.base import MAX_ABSENCES, WarehouseOperator
from sportmonks.operators.catalog import MigrateOperator, ReferenceOperator
from sportmonks.operators.league import StartOperator
from sportmonks.operators.sql import WarehouseSqlOperator
from tests.dags.bag import TaskDeferred
from tests.harness.tcp_proxy import tcp_proxy
from tests.operators.conftest import Variables, context, plain


@pytest.fixture
def end_silence(
    box: RunningSandbox, warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[], None]]:
    """The warehouse accepts connections and answers nothing until this function is called."""
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        way = psycopg.conninfo.make_conninfo(dsn, connect_timeout=2)
        monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(way))
        proxy.stall()

        def answer() -> None:
            proxy.resume()
            monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", warehouse_connection(dsn))

        yield answer


def test_a_task_waits_for_a_silent_warehouse_without_its_slot(end_silence: Callable[[], None]) -> None:
    operator = MigrateOperator(task_id="migrate")
    with pytest.raises(TaskDeferred) as wait:
        operator.execute(context())
    assert wait.value.method_name == "resume"
    assert wait.value.kwargs == {"outages": 0, "waiting_since": None, "absences": 1}
    with pytest.raises(AirflowException, match="does not answer"):
        operator.resume(context(), absences=MAX_ABSENCES)
    end_silence()
    assert operator.resume(context(), absences=1) == []


@pytest.mark.parametrize(
    ("error", "raised", "sentence"),
    [
        (psycopg.errors.ReadOnlySqlTransaction("read only"), TaskDeferred, ""),
        (psycopg.errors.AdminShutdown("restart"), TaskDeferred, ""),
        (psycopg.errors.UndefinedTable("x"), AirflowFailException, "no ETL tables yet"),
        (psycopg.errors.InsufficientPrivilege("x"), AirflowFailException, "lacks a privilege"),
        (psycopg.errors.UniqueViolation("x"), psycopg.errors.UniqueViolation, "x"),
        (psycopg.errors.DiskFull("No space left on device"), psycopg.errors.DiskFull, "device (53100). Free space"),
        (psycopg.errors.QueryCanceled("time-out"), psycopg.errors.QueryCanceled, "raise statement_timeout"),
        (psycopg.errors.OutOfMemory("out of memory"), psycopg.errors.OutOfMemory, "out of memory (53200)"),
        (psycopg.errors.TooManyConnections("x"), TaskDeferred, ""),
        (psycopg.errors.CannotConnectNow("starting up"), TaskDeferred, ""),
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


@pytest.mark.slow  # it is waited for with the slot for a minute
def test_sql_tasks_wait_for_a_silent_warehouse_without_their_slot(end_silence: Callable[[], None]) -> None:
    task = sql_task()
    with pytest.raises(TaskDeferred) as wait:
        task.execute(context())
    assert (wait.value.method_name, wait.value.kwargs) == ("resume", {"absences": 1})
    end_silence()
    assert task.resume(context(), absences=1)


def test_a_run_does_not_start_in_a_database_of_a_newer_version(
    box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any]
) -> None:
    warehouse.execute("INSERT INTO etl.schema_migrations (name, sha256) VALUES ('9999_future', 'x')")
    with pytest.raises(AirflowFailException, match="9999_future, which this version does not know"):
        StartOperator(task_id="start", **plain(manifest.leagues[0])).execute(context())


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
        WarehouseSqlOperator(task_id="finish_execution"),
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


def tried(number: int, max_tries: int = 2) -> Any:
    """The context of a try of one task."""
    found = context()
    found["ti"].try_number, found["ti"].max_tries, found["ti"].map_index = number, max_tries, -1
    return found


class Away(WarehouseOperator):
    def perform(self, context: Any) -> None:
        raise psycopg.errors.AdminShutdown("restart")


def away_sql(monkeypatch: pytest.MonkeyPatch) -> WarehouseSqlOperator:
    def fails(*_: Any) -> Any:
        raise psycopg.errors.AdminShutdown("restart")

    monkeypatch.setattr(WarehouseSqlOperator, "get_db_hook", fails)
    return sql_task()


@pytest.mark.parametrize("kind", ["work", "sql"])
def test_the_wait_for_a_warehouse_counts_from_the_first_one_over_all_tries(
    box: RunningSandbox, variables: Variables, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    task = Away(task_id="away") if kind == "work" else away_sql(monkeypatch)
    with pytest.raises(TaskDeferred):
        task.execute(tried(1))
    ((name, kept),) = [pair for pair in variables.items() if pair[0].startswith("sportmonks_waiting_")]
    yesterday = (datetime.now(UTC) - timedelta(hours=25)).isoformat()
    variables[name] = json.dumps({**json.loads(kept), "warehouse": yesterday})
    with pytest.raises(psycopg.errors.AdminShutdown):
        task.execute(tried(2))
    # A task that was cleared has more tries, and begins anew.
    with pytest.raises(TaskDeferred):
        task.execute(tried(3, max_tries=5))
    assert json.loads(variables[name])["warehouse"] > yesterday


@pytest.mark.parametrize("kind", ["work", "sql"])
def test_a_task_that_succeeds_leaves_nothing_of_its_waits(
    box: RunningSandbox, variables: Variables, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with monkeypatch.context() as patch, pytest.raises(TaskDeferred):
        (Away(task_id="away") if kind == "work" else away_sql(patch)).execute(tried(1))
    assert variables

    class Back(WarehouseOperator):
        def perform(self, context: Any) -> str:
            return "done"

    task = Back(task_id="away") if kind == "work" else sql_task()
    assert task.resume(tried(1), absences=1)
    assert not variables


class Working(WarehouseOperator):
    """Gets some work done in each attempt, and then ends in ``error``."""

    error: Exception = psycopg.errors.AdminShutdown("restart")
    answered = True

    def perform(self, context: Any) -> None:
        if self.answered:
            self.call_succeeded()
        raise self.error


def waiting_since(variables: Variables, hours: float | None = None) -> tuple[str, dict[str, Any]]:
    """The one Variable of waits and its content; ``hours``: for how long the warehouse is away by that record."""
    ((name, kept),) = [pair for pair in variables.items() if pair[0].startswith("sportmonks_waiting_")]
    found = json.loads(kept)
    if hours is not None:
        found["warehouse"] = (datetime.now(UTC) - timedelta(hours=hours)).isoformat()
        variables[name] = json.dumps(found)
    return name, found


def test_a_warehouse_that_was_back_in_between_is_waited_for_anew(variables: Variables) -> None:
    """A task may live longer than a day, and see more restarts than are waited for in a row."""
    task = Working(task_id="working")
    for _ in range(2):
        with pytest.raises(TaskDeferred) as wait:
            task.resume(tried(1), absences=MAX_ABSENCES)
        assert (wait.value.kwargs or {})["absences"] == 1
        _, found = waiting_since(variables)
        assert datetime.fromisoformat(found["warehouse"]) > datetime.now(UTC) - timedelta(hours=1)
        waiting_since(variables, hours=30)
    # A wait for calls follows from what the warehouse has answered.
    task.answered = False
    task.error = BudgetWait("no calls left", entity="Fixture", seconds=60, until=datetime.now(UTC))
    with pytest.raises(TaskDeferred) as wait:
        task.resume(tried(1), absences=MAX_ABSENCES)
    assert (wait.value.kwargs or {})["absences"] == 0
    _, found = waiting_since(variables)
    assert "warehouse" not in found
    # In a row, both counts go on.
    task.error = psycopg.errors.AdminShutdown("restart")
    with pytest.raises(psycopg.errors.AdminShutdown):
        task.resume(tried(1), absences=MAX_ABSENCES)
    waiting_since(variables, hours=25)
    with pytest.raises(psycopg.errors.AdminShutdown):
        task.resume(tried(1), absences=1)


def test_what_a_failed_run_left_of_its_waits_is_not_that_of_the_next_run(variables: Variables) -> None:
    task = Away(task_id="away")
    with pytest.raises(TaskDeferred):
        task.execute(tried(1))
    name, _ = waiting_since(variables, hours=25)
    later = tried(2)
    later["ti"].run_id = "manual__2"
    with pytest.raises(TaskDeferred):
        task.execute(later)
    # One Variable per task, however many of its runs fail.
    assert waiting_since(variables)[0] == name
