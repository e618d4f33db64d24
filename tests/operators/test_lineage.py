"""Lineage for OpenLineage, through Airflow's own provider: its extractor, its adapter, its file transport."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
import pytest

from sandbox.testing import RunningSandbox
from sportmonks.airflow_compat import AirflowFailException
from sportmonks.config.manifest import Manifest
from sportmonks.operators.league import CollectOperator, StartOperator
from sportmonks.operators.lineage import endpoint
from sportmonks.operators.routes import RouteExtractOperator
from sportmonks.routes.parse import parse_route
from tests.harness.canary import KEY
from tests.harness.rest_server import RestServer
from tests.harness.routes import BASE
from tests.operators.conftest import context, plain


@pytest.mark.parametrize(
    ("base_url", "path", "expected"),
    [
        ("https://api.example.com/v3", "/football/fixtures", ("https://api.example.com", "v3/football/fixtures")),
        ("http://me:s3cret@127.0.0.1:8080", "/orders?api_key=s3cret", ("http://127.0.0.1:8080", "orders")),
        ("https://api.example.com/", "https://other.example.com/x?token=s3cret", ("https://api.example.com", "x")),
        ("https://api.example.com", "/shops/{shop}/orders", ("https://api.example.com", "shops/{shop}/orders")),
    ],
)
def test_an_endpoint_has_a_name_without_query_and_user(base_url: str, path: str, expected: tuple[str, str]) -> None:
    assert endpoint(base_url, path) == expected


def event_of(operator: Any, state: str, file: Path) -> dict[str, Any]:
    """The event that OpenLineage's file transport has written for a task that ended as ``state``."""
    pytest.importorskip("airflow.providers.openlineage", reason="make install-dev installs the provider")
    from airflow.providers.openlineage.extractors.manager import ExtractorManager
    from airflow.providers.openlineage.plugins.adapter import OpenLineageAdapter
    from airflow.utils.state import TaskInstanceState
    from openlineage.client import OpenLineageClient
    from openlineage.client.transport.file import FileConfig, FileTransport

    found = ExtractorManager().extract_metadata(
        SimpleNamespace(run_id="manual__1", conf={}),
        operator,
        TaskInstanceState(state),
        SimpleNamespace(task=operator),
    )
    transport = FileTransport(FileConfig(log_file_path=str(file), append=True))
    OpenLineageAdapter(client=OpenLineageClient(transport=transport)).complete_task(
        run_id="01939c1e-0000-7000-8000-000000000000",
        job_name=f"sportmonks.{operator.task_id}",
        end_time="2026-03-01T12:00:00+00:00",
        task=found,
        nominal_start_time=None,
        nominal_end_time=None,
        owners=None,
        tags=None,
        job_description=None,
    )
    (line,) = file.read_text(encoding="utf-8").splitlines()
    return dict(json.loads(line))


def statistics(event: dict[str, Any]) -> dict[str, tuple[int, int]]:
    """Rows and bytes by table, without the database's name."""
    found = {each["name"].partition(".")[2]: each["outputFacets"]["outputStatistics"] for each in event["outputs"]}
    return {name: (each["rowCount"], each["size"]) for name, each in found.items()}


@pytest.fixture
def collected(box: RunningSandbox, manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> CollectOperator:
    """A season whose plan stands, and the task that will collect it."""
    league = manifest.leagues[0]
    season = league.seasons[1]
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    StartOperator(task_id="start", **plain(league)).execute(context(seasons=[season.name]))
    return CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))


def test_a_season_names_its_endpoint_and_its_tables(
    box: RunningSandbox, collected: CollectOperator, warehouse: psycopg.Connection[Any], tmp_path: Path
) -> None:
    collected.execute(context(task_id="collect"))
    event = event_of(collected, "success", tmp_path / "events.json")
    assert [(each["namespace"], each["name"]) for each in event["inputs"]] == [
        endpoint(box.base_url, "football/fixtures/multi")
    ]
    found = statistics(event)
    for table in ("raw.fixtures", "football.fixtures", "football.fixture_events", "football.fixture_lineups"):
        key = "id" if table == "football.fixtures" else "fixture_id"
        saved = f"SELECT count(*) FROM {table} WHERE {key} IN (SELECT fixture_id FROM etl.execution_fixtures)"
        assert (found[table][0],) == warehouse.execute(saved.encode()).fetchone()
    assert found["raw.fixtures"][0] == 12
    assert all(size > rows for rows, size in found.values() if rows)
    (raw,) = (each for each in event["outputs"] if each["name"].endswith(".raw.fixtures"))
    assert raw["namespace"] == f"postgres://{warehouse.info.host}:{warehouse.info.port}"
    columns = {each["name"]: each for each in raw["facets"]["schema"]["fields"]}
    assert columns["payload"]["type"] == "jsonb"
    assert columns["payload"]["description"]
    assert box.key not in json.dumps(event)


def test_without_the_provider_there_is_none(collected: CollectOperator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "airflow.providers.openlineage.extractors", None)
    collected.execute(context(task_id="collect"))
    assert collected.get_openlineage_facets_on_complete(None) is None


def test_a_season_that_failed_tells_what_it_has_stored(
    collected: CollectOperator, warehouse: psycopg.Connection[Any], tmp_path: Path
) -> None:
    collected.execute(context(task_id="collect"))
    warehouse.execute("DELETE FROM raw.fixtures WHERE fixture_id = (SELECT min(fixture_id) FROM raw.fixtures)")
    with pytest.raises(AirflowFailException):
        collected.execute(context(task_id="collect"))
    found = statistics(event_of(collected, "failed", tmp_path / "events.json"))
    assert (found["raw.fixtures"][0], found["football.fixtures"][0]) == (11, 12)


def test_a_task_that_did_nothing_tells_nothing(collected: CollectOperator, tmp_path: Path) -> None:
    event = event_of(collected, "failed", tmp_path / "events.json")
    assert (event["inputs"], event["outputs"]) == ([], [])


def test_a_route_names_its_endpoint_and_its_table(
    box: RunningSandbox, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with RestServer(total=250, size=100) as server:
        api = {"conn_type": "http", "host": f"{server.url}/api", "password": KEY}
        monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", json.dumps(api))
        extract = RouteExtractOperator(task_id="extract", route=parse_route(BASE.replace("/api/page", "/page")))
        extract.execute(context())
        event = event_of(extract, "success", tmp_path / "events.json")
        assert [(each["namespace"], each["name"]) for each in event["inputs"]] == [(server.url, "api/page")]
    (rows, size) = statistics(event)["raw.client_shop_orders"]
    assert rows == 250
    assert size > 250
    (table,) = event["outputs"]
    assert {"payload", "content_hash"} <= {each["name"] for each in table["facets"]["schema"]["fields"]}
    assert KEY not in json.dumps(event)
