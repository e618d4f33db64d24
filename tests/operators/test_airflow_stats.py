"""The package's figures among Airflow's own metrics: its clients send them to a server of the test, that of StatsD to a
socket, that of OpenTelemetry over HTTP."""

from __future__ import annotations

import atexit
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec
import psycopg
import pytest

from sandbox.testing import RunningSandbox
from sportmonks import airflow_compat
from sportmonks.config.manifest import Manifest
from sportmonks.monitoring import airflow_stats
from sportmonks.operators.league import CollectOperator, StartOperator
from sportmonks.operators.routes import RouteExtractOperator
from sportmonks.routes.parse import parse_route
from tests.harness.rest_server import RestServer
from tests.harness.routes import BASE
from tests.operators.conftest import context, plain


class Listener:
    """A StatsD server: what has arrived, with the values of a counter added up and the last value of a gauge."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(0.2)
        self.port = self.socket.getsockname()[1]

    def read(self) -> dict[str, float]:
        found: dict[str, float] = {}
        while True:
            try:
                packet = self.socket.recv(65536).decode()
            except TimeoutError:
                return found
            for line in packet.splitlines():
                name, _, rest = line.partition(":")
                value, kind, *_ = rest.split("|")
                name = name.removeprefix("airflow.")
                found[name] = found.get(name, 0) + float(value) if kind == "c" else float(value)


@pytest.fixture
def statsd(monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    """Airflow's metrics as its configuration sets them up, in the way a task does it at its start."""
    pytest.importorskip("statsd", reason="make install-dev installs the client")
    if airflow_compat.RELEASE < (3, 3):
        pytest.skip("set up here as Airflow 3.3 does it")
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils

    listener = Listener()
    for name, value in (("ON", "True"), ("HOST", "127.0.0.1"), ("PORT", str(listener.port)), ("PREFIX", "airflow")):
        monkeypatch.setenv(f"AIRFLOW__METRICS__STATSD_{name}", value)
    clients: list[Any] = []

    def made() -> Any:
        logger = stats_utils.get_stats_factory()()
        clients.append(logger.statsd)
        return logger

    stats.initialize(factory=made, export_legacy_names=True)
    yield listener
    for opened in (listener.socket, *clients):
        opened.close()
    for name in ("ON", "HOST", "PORT", "PREFIX"):
        monkeypatch.delenv(f"AIRFLOW__METRICS__STATSD_{name}")
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)


def test_a_season_sends_its_fixtures_calls_retries_and_times(
    statsd: Listener, box: RunningSandbox, manifest: Manifest, monkeypatch: pytest.MonkeyPatch
) -> None:
    league = manifest.leagues[0]
    season = league.seasons[1]
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    StartOperator(task_id="start", **plain(league)).execute(context(seasons=[season.name], batch_size=5))
    statsd.read()
    monkeypatch.setattr("sportmonks.api.retry.wait_before_retry", lambda *_: 0.01)
    box.fault("status", status=502, match={"path": "/multi/"}, count=1)
    before = box.calls()["total"]
    collect = CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))
    collect.execute(context(task_id="collect", batch_size=5))
    found = statsd.read()
    assert found["sportmonks.fixtures_saved"] == 12
    assert found["sportmonks.calls"] == box.calls()["total"] - before == 4
    assert (found["sportmonks.retries"], found["sportmonks.failed_calls"]) == (1, 1)
    assert found["sportmonks.batch"] > 0
    assert found["sportmonks.call"] > 0


def test_a_route_sends_what_each_page_adds(
    statsd: Listener, box: RunningSandbox, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    with RestServer(total=450, size=100) as server:
        monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", json.dumps({"conn_type": "http", "host": f"{server.url}/api"}))
        text = BASE.replace("/api/page", "/page") + "batch_export: 200\n"
        extract = RouteExtractOperator(task_id="extract", route=parse_route(text))
        extract.execute(context())
        found = statsd.read()
        assert (found["sportmonks.route_records"], found["sportmonks.route_inserted"]) == (450, 450)
        assert found["sportmonks.route_pages"] >= 5
        assert found["sportmonks.route_bytes"] > 450
        extract.execute(context(force=True))
        again = statsd.read()
        assert again["sportmonks.route_records"] == 450
        assert "sportmonks.route_inserted" not in again


def test_the_gauges_of_leagues_budgets_and_alerts(
    statsd: Listener, box: RunningSandbox, manifest: Manifest, warehouse: psycopg.Connection[Any]
) -> None:
    warehouse.execute("UPDATE etl.chunks SET total_fixtures = 8, collected_fixtures = 3, failed_fixtures = 2")
    assert airflow_stats.report(warehouse) > 0
    found = statsd.read()
    (left,) = warehouse.execute("SELECT remaining FROM etl.api_budget_now WHERE entity = 'League'").fetchone() or ()
    assert found["sportmonks.calls_left.sportmonks_api.League"] == left
    for league in manifest.leagues:
        assert found[f"sportmonks.coverage.{league.id}"] == 37.5
        assert found[f"sportmonks.failed_fixtures.{league.id}"] == 4
        assert found[f"sportmonks.due_fixtures.{league.id}"] == 0
    assert found["sportmonks.open_alerts"] == 0


def test_nothing_is_queried_for_metrics_that_airflow_does_not_send(
    warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even of a connection that is closed, which is warned of where metrics are sent."""
    warehouse.close()
    assert (airflow_stats.report(warehouse), caplog.messages) == (0, [])
    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
    assert airflow_stats.report(warehouse) == 0
    assert "were not sent: the connection is closed" in caplog.text


class Collector:
    """An OTLP receiver over HTTP: the newest point of each name and attributes."""

    def __init__(self) -> None:
        from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as service

        self.points: dict[tuple[str, frozenset[tuple[str, str]]], float] = {}
        self.resources: set[tuple[str, str]] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.read(service.ExportMetricsServiceRequest.FromString(body))
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def read(self, request: Any) -> None:
        for resource in request.resource_metrics:
            self.resources |= {(one.key, one.value.string_value) for one in resource.resource.attributes}
            for metric in (one for scope in resource.scope_metrics for one in scope.metrics):
                kind = metric.WhichOneof("data")
                for point in getattr(metric, kind).data_points:
                    key = metric.name, frozenset((one.key, one.value.string_value) for one in point.attributes)
                    histogram = kind == "exponential_histogram"
                    self.points[key] = point.sum if histogram else point.as_int or point.as_double

    def total(self, name: str, **tags: str) -> float:
        """The sum over all attributes that include ``tags``."""
        found = [value for (one, has), value in self.points.items() if one == f"airflow.{name}" and tags.items() <= has]
        assert found, f"no {name} {tags} among {sorted({one for one, _ in self.points})}"
        return sum(found)


@pytest.fixture
def otel(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    """Airflow's metrics over OpenTelemetry, set up by its standard variables."""
    if airflow_compat.RELEASE < (3, 3):
        pytest.skip("set up here as Airflow 3.3 does it")
    from airflow.sdk._shared.observability.metrics import otel_logger
    from airflow.sdk.observability import stats
    from airflow.sdk.observability.metrics import stats_utils
    from opentelemetry import metrics

    collector = Collector()
    monkeypatch.setenv("AIRFLOW__METRICS__OTEL_ON", "True")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)
    yield collector
    metrics.get_meter_provider().shutdown()  # type: ignore[attr-defined]
    atexit.unregister(otel_logger.flush_otel_metrics)
    collector.server.shutdown()
    collector.server.server_close()
    monkeypatch.delenv("AIRFLOW__METRICS__OTEL_ON")
    stats.initialize(factory=stats_utils.get_stats_factory(), export_legacy_names=True)


def test_opentelemetry_gets_the_same_figures_with_their_tags(
    otel: Collector,
    box: RunningSandbox,
    manifest: Manifest,
    warehouse: psycopg.Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from opentelemetry import metrics

    league = manifest.leagues[0]
    season = league.seasons[1]
    monkeypatch.setattr(StartOperator, "do_branch", lambda *_: None)
    StartOperator(task_id="start", **plain(league)).execute(context(seasons=[season.name], batch_size=5))
    collect = CollectOperator(task_id="collect", season=msgspec.to_builtins(season), **plain(league))
    collect.execute(context(task_id="collect", batch_size=5))
    warehouse.execute("UPDATE etl.chunks SET total_fixtures = 8, collected_fixtures = 3")
    assert airflow_stats.report(warehouse) > 0
    assert metrics.get_meter_provider().force_flush()  # type: ignore[attr-defined]
    assert ("service.name", "airflow") in otel.resources
    assert otel.total("sportmonks.fixtures_saved", league_id=str(league.id), season_id=str(season.id)) == 12
    assert otel.total("sportmonks.calls") == box.calls()["total"]
    assert otel.total("sportmonks.calls", entity="Fixture", status="200") >= 3
    assert otel.total("sportmonks.batch") > 0
    assert otel.total(f"sportmonks.coverage.{league.id}", league=league.name) == 37.5
    # OpenTelemetry's names are in lower case; the tags are not.
    assert otel.total("sportmonks.calls_left.sportmonks_api.league", entity="League") > 0


def test_metrics_never_fail_and_never_wait_for_anything(
    box: RunningSandbox, warehouse: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__METRICS__STATSD_ON", "True")

    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise OSError("no route to host")

    monkeypatch.setattr(airflow_compat, "stats", Broken)
    airflow_stats.count("calls")
    airflow_stats.timing("call", 0.5)
    assert airflow_stats.report(warehouse) > 0
    warehouse.execute("ALTER TABLE etl.chunks RENAME COLUMN failed_fixtures TO gone")
    assert airflow_stats.report(warehouse) == 0
