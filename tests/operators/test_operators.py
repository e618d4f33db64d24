"""Operators with a context made by hand: what the tasks of the catalog and of a league run do."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest

from sandbox.testing import RunningSandbox
from sportmonks.airflow_compat import AirflowFailException, secrets_source
from sportmonks.config.manifest import Manifest, decode_manifest
from sportmonks.config.settings import SQL_DIR
from sportmonks.dashboard.queries import coverage
from sportmonks.operators.catalog import MigrateOperator, PublishCatalogOperator, ReferenceOperator, StructureOperator
from sportmonks.operators.league import CollectOperator, StartOperator
from sportmonks.warehouse.connection import WarehouseConnection
from tests.operators.conftest import DAG_RUN, Variables, context, plain

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
    # The page shows them before any of them was read.
    assert {(row["season_name"], row["state"]) for row in coverage(warehouse)} == {
        (season.name, "UNREAD") for league in manifest.leagues for season in league.seasons
    }
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


def test_the_tasks_of_the_catalog_record_how_and_by_whom_their_run_was_started(
    box: RunningSandbox, variables: Variables, warehouse: psycopg.Connection[Any]
) -> None:
    run = SimpleNamespace(**{**vars(DAG_RUN), "run_id": "manual__2", "triggering_user_name": "anna"})
    for run_of, user in ((DAG_RUN, None), (run, "anna")):
        ReferenceOperator(task_id="reference").execute(context() | {"dag_run": run_of})
        PublishCatalogOperator(task_id="publish").execute(context() | {"dag_run": run_of})
        found = "SELECT run_type, triggered_by FROM etl.run_origins WHERE run_id = %s"
        assert warehouse.execute(found, (run_of.run_id,)).fetchall() == [("manual", user)]
    # A database of an older version, in which a task goes on after an upgrade of the package.
    warehouse.execute("DROP TABLE etl.run_origins")
    ReferenceOperator(task_id="reference").execute(context())


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


def test_start_and_collect(
    box: RunningSandbox, manifest: Manifest, variables: Variables, warehouse: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    league = manifest.leagues[0]
    season = league.seasons[1]
    branches: list[Any] = []
    monkeypatch.setattr(StartOperator, "do_branch", lambda self, context, found: branches.append(found))

    started = StartOperator(task_id="start", **plain(league)).execute(context(seasons=[season.name]))
    assert branches == [[f"{season.group}.collect", f"{season.group}.close", "finish_execution"]]
    assert (started["fixtures"], started["calls"]) == (12, {"Fixture": 1})
    assert started["index_failed"] == []
    assert list(started["indexes"]) == [str(season.id)]
    (run,) = warehouse.execute("SELECT status, config, dag_id, run_id, total_chunks FROM etl.etl_executions").fetchall()
    assert run == ("RUNNING", {"seasons": [season.name]}, DAG_RUN.dag_id, DAG_RUN.run_id, 1)

    collect = CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))
    result = collect.execute(context(task_id=f"{season.group}.collect"))
    assert (result["planned"], result["outcomes"]) == (12, {"saved": 12})
    assert json.loads(variables[f"sportmonks_ckpt__{league.id}__{season.id}"])["finished"]
    stored = warehouse.execute("SELECT count(*) FROM raw.fixtures").fetchone()
    assert stored == (12,)
    chunk = "SELECT status, processed, started_at IS NOT NULL FROM etl.execution_chunks"
    assert warehouse.execute(chunk).fetchall() == [("COMPLETED", 12, True)]
    checks = warehouse.execute("SELECT name, success FROM etl.check_results ORDER BY name").fetchall()
    assert checks == [
        ("finished_have_goals", True),
        ("plan_done", True),
        ("quality", True),
        ("rows_per_match", True),
        ("stored", True),
    ]
    names = {row[0] for row in warehouse.execute("SELECT DISTINCT metric_name FROM etl.etl_metrics")}
    assert any(name.startswith("api_call") for name in names)
    share = "SELECT avg(metric_value) FROM etl.etl_metrics WHERE metric_name = 'monitoring.share' AND metric_unit = '%'"
    (percent,) = warehouse.execute(share).fetchone() or (None,)
    assert 0 < percent < 10  # 0.1 is usual; a busy machine may be interrupted just there
    assert warehouse.execute("SELECT count(*) > 0 FROM etl.etl_logs WHERE component = 'COLLECT'").fetchone() == (True,)
    # Again, as after a clear: nothing is left to do.
    assert collect.execute(context(task_id=f"{season.group}.collect"))["planned"] == 0
    assert warehouse.execute(chunk).fetchall() == [("COMPLETED", 12, True)]


def test_a_task_opens_few_connections(box: RunningSandbox, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    """One for all its steps, one each for the hook, the budget, fetching, writing and monitoring."""
    league, opened = manifest.leagues[0], 0
    season = league.seasons[1]
    connect = WarehouseConnection.connect

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal opened
        opened += 1
        return connect(*args, **kwargs)

    monkeypatch.setattr(WarehouseConnection, "connect", counted)
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    start = StartOperator(task_id="start", **plain(league))
    start.execute(context(seasons=[season.name]))  # reads the lists that are missing yet
    opened = 0
    start.execute(context(seasons=[season.name]))
    assert opened <= 4, "start"
    opened = 0
    collect = CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))
    assert collect.execute(context(task_id=f"{season.group}.collect"))["outcomes"] == {"saved": 12}
    assert opened <= 6, "collect"


def test_a_run_that_an_older_version_planned_keeps_its_plan(
    box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its tasks had other names, so that ``start`` is new in it, when it is cleared or goes on after the upgrade."""
    league = manifest.leagues[0]
    branches: list[Any] = []
    monkeypatch.setattr(StartOperator, "do_branch", lambda self, context, found: branches.append(found))
    start = StartOperator(task_id="start", **plain(league))
    start.execute(context(force=True, seasons=[league.seasons[1].name]))
    ended = "UPDATE etl.etl_executions SET status = 'FAILED', finished_at = now(), first_finished_at = now()"
    warehouse.execute(ended)
    calls = box.calls()["total"]
    status = "SELECT status FROM etl.etl_executions"
    old = context(xcom={"followed": []}, seasons=[league.seasons[1].name])  # what its task ``plan`` chose
    assert start.execute(old) == {"seasons": [league.seasons[1].id]}
    assert branches[0] == branches[1]
    assert box.calls()["total"] == calls
    assert warehouse.execute(status).fetchall() == [("FAILED",)]
    # Once its plan is done, it plans anew like any other run that is cleared.
    warehouse.execute("UPDATE etl.execution_fixtures SET status = 'SAVED', done_at = now()")
    assert start.execute(old)["fixtures"] == 12
    assert len(branches) == 3


def test_a_run_that_is_started_again_and_has_nothing_to_do_ends_at_once(
    box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only this task was cleared, nothing that would finish the run comes behind it."""
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    start = StartOperator(task_id="start", **plain(manifest.leagues[0]))
    narrow = context(date_from="1999-01-01", date_to="1999-01-02")
    status = "SELECT status FROM etl.etl_executions"
    start.execute(narrow)
    assert warehouse.execute(status).fetchall() == [("RUNNING",)]
    warehouse.execute("SELECT etl.finish_etl_execution(execution_id) FROM etl.etl_executions")
    start.execute(narrow)
    assert warehouse.execute(status).fetchall() == [("COMPLETED",)]
    assert warehouse.execute("SELECT attempts FROM etl.etl_executions").fetchall() == [(2,)]


def test_a_failed_check_fails_the_task_and_closes_its_chunk(
    box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    league = manifest.leagues[0]
    season = league.seasons[1]
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    StartOperator(task_id="start", **plain(league)).execute(context(seasons=[season.name]))
    collect = CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))
    collect.execute(context(task_id=f"{season.group}.collect"))
    warehouse.execute("DELETE FROM raw.fixtures WHERE fixture_id = (SELECT min(fixture_id) FROM raw.fixtures)")
    with pytest.raises(AirflowFailException, match="1 fixtures marked as saved that are not in "):
        collect.execute(context(task_id=f"{season.group}.collect"))
    (chunk,) = warehouse.execute("SELECT status, error_message FROM etl.execution_chunks").fetchall()
    assert chunk[0] == "FAILED"
    assert "stored: 1 fixtures marked as saved" in chunk[1]


def test_a_run_of_a_backfill_stores_its_day_as_its_period(
    box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    league = msgspec.structs.replace(manifest.leagues[0], schedule="20 5 * * *")
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    at = datetime(2024, 2, 28, 5, 20, tzinfo=UTC)
    for kind, day in (("backfill", "2024-02-28"), ("manual", None)):
        run = SimpleNamespace(dag_id=league.dag_id, run_id=f"{kind}__1", run_after=at, run_type=kind, logical_date=at)
        run.triggering_user_name = "anna" if kind == "manual" else None
        dates = {"date_from": None, "date_to": None}
        StartOperator(task_id="start", **plain(league)).execute(context(**dates) | {"dag_run": run})
        origin = "league_id, run_type, triggered_by FROM etl.etl_executions WHERE run_id = %s"
        stored = warehouse.execute(f"SELECT config, {origin}", (run.run_id,)).fetchone()
        assert stored == ({"date_from": day, "date_to": day}, league.id, kind, run.triggering_user_name)


def test_a_run_refuses_nonsense_before_any_call(box: RunningSandbox, manifest: Manifest) -> None:
    box.admin("DELETE", "/calls")
    task = StartOperator(task_id="start", **plain(manifest.leagues[0]))
    with pytest.raises(AirflowFailException, match=r"batch_size is 1000\. Write a whole number from 1 to 50"):
        task.execute(context(batch_size=1000))
    with pytest.raises(AirflowFailException, match="has no season"):
        task.execute(context(seasons=["1900"]))
    assert box.calls()["total"] == 0
