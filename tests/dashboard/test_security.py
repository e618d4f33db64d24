"""No answer without login and permission, no change that another page could send, nothing that runs, no secret."""

from __future__ import annotations

import csv
import re
from typing import Any
from urllib.parse import parse_qs

import psycopg
import pytest
import requests
from fastapi import FastAPI
from fastapi.routing import APIRoute

from sportmonks import redaction as masking
from sportmonks.dashboard import queries
from sportmonks.dashboard.app import FILES, STATIC, airflow_warehouse, create_app
from sportmonks.dashboard.security import CSRF_SECONDS, Csrf
from sportmonks.errors import WarehouseDownError
from tests.dashboard.conftest import Client
from tests.harness.dashboard_server import serving, stand_in_access

EVIL = '<img src=x onerror="window.hacked=1">{{7*7}}'


def _routes() -> list[APIRoute]:
    app: FastAPI = create_app(lambda: None, stand_in_access())  # type: ignore[arg-type, return-value]
    return [route for route in app.routes if isinstance(route, APIRoute)]


def test_every_route_asks_for_the_user() -> None:
    access = stand_in_access()
    app = create_app(lambda: None, access)  # type: ignore[arg-type, return-value]
    routes = [route for route in app.routes if isinstance(route, APIRoute)]
    assert len(routes) == len(app.routes) > 12
    for route in routes:
        assert access.user in [dependency.call for dependency in route.dependant.dependencies], route.path


def test_no_route_without_login_or_permission(client: Client) -> None:
    for path in sorted(route.path for route in _routes()):
        _refused(client, path)


def _refused(client: Client, path: str) -> None:
    filled = path.strip("/").replace("{name:path}", "style.css").replace("{what}.{kind}", "all.json")
    filled = re.sub(r"\{[^}]+\}", "1", filled)
    call = requests.post if path.endswith(("acknowledge", "check")) else requests.get
    for headers, status in (({}, 401), ({"Cookie": "_token=nobody"}, 403), ({"Authorization": "Bearer nobody"}, 403)):
        assert call(f"{client.address}/{filled}", headers=headers, timeout=5).status_code == status, path


def test_somebody_who_opens_the_page_is_sent_to_the_login(client: Client) -> None:
    browser = {"Accept": "text/html,application/xhtml+xml"}
    for query in ("", "?dag_id=a&run_id=b"):
        answer = requests.get(f"{client.address}/{query}", headers=browser, timeout=5, allow_redirects=False)
        assert answer.status_code == 307
        where, _, parameters = answer.headers["location"].partition("?")
        assert where == "../api/v2/auth/login"
        assert parse_qs(parameters) == {"next": [f"/sportmonks-etl/{query}"]}
        assert answer.headers["x-content-type-options"] == "nosniff"
    # Only the page itself; and who may not see it is not sent there again and again.
    assert requests.get(f"{client.address}/api/session", headers=browser, timeout=5).status_code == 401
    nobody = browser | {"Cookie": "_token=nobody"}
    assert requests.get(f"{client.address}/", headers=nobody, timeout=5).status_code == 403


def test_only_the_files_that_are_there(client: Client) -> None:
    for name in FILES:
        answer = client.get(f"static/{name}")
        assert answer.headers["x-content-type-options"] == "nosniff"
    for name in ("../app.py", "..%2fapp.py", "%2e%2e/app.py", "/etc/passwd", "js/../../app.py", "nothing.js"):
        assert (
            requests.get(f"{client.address}/static/{name}", headers={"Cookie": "_token=admin"}, timeout=5).status_code
            == 404
        )


def test_the_page_takes_nothing_from_elsewhere_and_nothing_inline(client: Client) -> None:
    answer = client.get("")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    html = (STATIC / "index.html").read_text()
    assert not re.search(r"(src|href)=\"(https?:)?//", html)
    assert not re.search(r"\son\w+=|<style|<script>", html)
    for path in (STATIC / "js").glob("*.js"):
        text = path.read_text()
        assert not re.search(
            r"\.(inner|outer)HTML\s*=|insertAdjacentHTML|document\.write|\beval\(|new Function", text
        ), path
        assert "http://" not in text
        assert "https://" not in text


def test_a_viewer_reads_and_may_not_acknowledge(client: Client, seeded: psycopg.Connection[Any]) -> None:
    session = client.get("api/session", user="viewer")
    assert session["may_acknowledge"] is False
    answer = client.post("api/alerts/1/acknowledge", Cookie="_token=viewer", **{"X-CSRF-Token": session["csrf"]})
    assert answer.status_code == 403
    assert "etl_watch" in answer.json()["detail"]


def test_acknowledging_needs_more_than_a_cookie(client: Client, seeded: psycopg.Connection[Any]) -> None:
    token = client.get("api/session")["csrf"]
    path = "api/alerts/1/acknowledge"
    cookie = {"Cookie": "_token=admin"}
    assert client.post(path, **cookie).status_code == 403
    assert client.post(path, **cookie, **{"X-CSRF-Token": "1.abc"}).status_code == 403
    other = client.get("api/session", user="viewer")["csrf"]
    assert client.post(path, **cookie, **{"X-CSRF-Token": other}).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site", "X-CSRF-Token": token}
    assert client.post(path, **cookie, **foreign).status_code == 403
    assert seeded.execute("SELECT count(*) FROM etl.etl_alerts WHERE status = 'ACKNOWLEDGED'").fetchone() == (0,)
    done = client.post(path, **cookie, **{"X-CSRF-Token": token})
    assert done.json() == {"alert_id": 1, "status": "ACKNOWLEDGED"}
    assert client.post("api/alerts/2/acknowledge", Authorization="Bearer admin").status_code == 200
    assert client.post("api/alerts/999/acknowledge", Authorization="Bearer admin").status_code == 404
    found = seeded.execute(
        "SELECT alert_id, acknowledged_by FROM etl.etl_alerts WHERE status = 'ACKNOWLEDGED'"
    ).fetchall()
    assert sorted(found) == [(1, "admin"), (2, "admin")]


def test_csrf_tokens_run_out_and_belong_to_a_user_and_a_secret() -> None:
    csrf = Csrf(b"one")
    token = csrf.issue("ann", now=1000)
    assert csrf.valid(token, "ann", now=1000 + CSRF_SECONDS)
    assert not csrf.valid(token, "ann", now=1001 + CSRF_SECONDS)
    assert not csrf.valid(token, "bob", now=1000)
    assert not Csrf(b"two").valid(token, "ann", now=1000)
    assert not Csrf(b"").valid(Csrf(b"").issue("ann"), "ann")
    for odd in (None, "", ".", "x.y", "99999999999999999999.a", "-1.a", "²." + token.split(".")[1]):
        assert not csrf.valid(odd, "ann", now=0)


def test_bad_parameters_are_refused(client: Client) -> None:
    odd: list[tuple[str, dict[str, Any]]] = [
        ("api/executions", {"status": "RUNNING'; DROP TABLE x"}),
        ("api/executions", {"before": "2026-01-01T00:00:00~x' OR 1=1"}),
        ("api/executions", {"limit": 100000}),
        ("api/logs", {"level": "LOUD"}),
        ("api/logs", {"fixture_id": "1 OR 1=1"}),
        ("api/logs", {"fixture_id": 2**80}),
        ("api/logs", {"text": "x" * 201}),
        ("api/logs", {"text": "a\x00b"}),
        ("api/metrics", {"hours": 1e9}),
        ("api/metrics", {"hours": "nan"}),
        ("api/chunks/1/x", {}),
        ("api/chunks/1/99999999999999999999", {}),
        ("api/alerts", {"state": "none"}),
        ("api/metrics", {"name": "a\x00b"}),
        ("api/executions", {"before": "2026-99-99T00:00:00~etl_1"}),
    ]
    for path, params in odd:
        client.get(path, expect=422, **params)


def test_stored_text_comes_back_as_text(client: Client, seeded: psycopg.Connection[Any]) -> None:
    seeded.execute("UPDATE etl.chunks SET league_name = %s, error_message = %s WHERE league_id = 3", (EVIL, EVIL))
    seeded.execute("INSERT INTO etl.etl_logs (level, component, message) VALUES ('INFO', 'X', %s)", (EVIL,))
    answer = requests.get(
        f"{client.address}/api/logs", headers={"Cookie": "_token=admin"}, params={"text": "<img"}, timeout=5
    )
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["rows"][0]["message"] == EVIL


def test_text_filters_are_values(client: Client, seeded: psycopg.Connection[Any]) -> None:
    for odd in ("%", "'", "\\", "'; DROP TABLE etl.etl_logs; --", "%(x)s", "%s"):
        for name in ("text", "component", "execution_id", "chunk_id"):
            client.get("api/logs", **{name: odd})
    assert client.get("api/logs", text="'; DROP TABLE")["rows"] == []


def test_no_secret_in_any_answer(client: Client, seeded: psycopg.Connection[Any]) -> None:
    seeded.execute(
        "INSERT INTO etl.etl_logs (level, component, message, details) VALUES"
        " ('ERROR', 'API', 'GET https://x/?api_token=hidden-secret-1', '{\"password\": \"hidden-secret-2\"}')"
    )
    seeded.execute("UPDATE etl.etl_executions SET error_message = 'postgresql://u:hidden-secret-3@h/db refused'")
    seeded.execute("UPDATE etl.etl_alerts SET message = 'Authorization: hidden-secret-4'")
    execution = client.get("api/executions")["rows"][0]["execution_id"]
    paths = [
        "overview",
        "executions",
        f"executions/{execution}",
        "logs",
        "alerts?state=all",
        "export/all.json",
        "export/logs.csv",
    ]
    for path in paths:
        text = requests.get(f"{client.address}/api/{path}", headers={"Cookie": "_token=admin"}, timeout=10).text
        assert "hidden-secret" not in text, path
        assert "never-show-me" not in text, path


def test_by_airflows_means(
    monkeypatch: pytest.MonkeyPatch, warehouse_dsn: str, seeded: psycopg.Connection[Any]
) -> None:
    """The connections of Airflow: the key is hidden by its value, and one that is missing has its answer."""
    seeded.execute("INSERT INTO etl.etl_logs (level, component, message) VALUES ('INFO', 'X', 'odd 7f3a-unlabelled')")
    parts = psycopg.conninfo.conninfo_to_dict(warehouse_dsn)
    place = f"{parts['user']}:{parts['password']}@{parts['host']}:{parts['port']}/{parts['dbname']}"
    monkeypatch.setattr(masking, "_known", {})
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", f"postgres://{place}")
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_API", '{"conn_type": "http", "password": "7f3a-unlabelled"}')
    with airflow_warehouse() as conn:
        assert queries.logs(conn)["rows"][0]["message"] == "odd ***"
    monkeypatch.setenv("AIRFLOW_CONN_SPORTMONKS_WAREHOUSE", "postgres://u:p@127.0.0.1:1/x")
    with pytest.raises(WarehouseDownError):
        airflow_warehouse()


def test_a_warehouse_that_is_away_says_what_to_do() -> None:
    nowhere = "host=127.0.0.1 port=1 dbname=x user=u password=hidden-secret"
    with serving(nowhere, stand_in_access()) as address:
        for path in ("api/overview", "api/logs", "api/export/all.json"):
            answer = requests.get(f"{address}/{path}", headers={"Cookie": "_token=admin"}, timeout=20)
            assert answer.status_code == 503
            assert answer.json()["detail"] == "The warehouse does not answer."
            assert "sportmonks_warehouse" in answer.json()["hint"]
            assert "hidden-secret" not in answer.text


def test_a_fault_of_ours_has_its_headers_too(
    client: Client, seeded: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "budgets", lambda conn: 1 / 0)
    answer = requests.get(f"{client.address}/api/budgets", headers={"Cookie": "_token=admin"}, timeout=10)
    assert (answer.status_code, answer.json()["detail"]) == (500, "Something went wrong on the server.")
    assert answer.headers["cache-control"] == "no-store"
    assert "division" not in answer.text


def test_an_empty_warehouse_says_what_to_do(client: Client, warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("DROP SCHEMA etl CASCADE")
    found = client.get("api/overview", expect=503)
    assert found == {"detail": "The warehouse has no ETL tables yet.", "hint": "Run the DAG sportmonks_catalog once."}


def test_a_connection_that_died_is_replaced(client: Client, warehouse: psycopg.Connection[Any]) -> None:
    client.get("api/overview")
    warehouse.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    client.get("api/overview")


def test_downloads(client: Client, seeded: psycopg.Connection[Any]) -> None:
    assert client.get("api/executions", run_id="r" * 250)["rows"] == []
    answer = client.get("api/export/coverage.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="sportmonks_etl_coverage.csv"'
    assert len(answer.text.splitlines()) == 49
    filters: tuple[tuple[dict[str, str], int], ...] = (
        ({}, 48),
        ({"league": "LIGA"}, 24),
        ({"league": "bundes", "only": "stale"}, 6),
        ({"league": "bundes", "only": "failed"}, 0),
    )
    for chosen, seasons in filters:
        assert client.get("api/export/coverage.json", **chosen) == client.get("api/coverage", **chosen)["rows"]
        assert len(client.get("api/export/coverage.json", **chosen)) == seasons
    assert len(client.get("api/export/all.json", only="failed")["coverage"]) == 6
    client.get("api/export/coverage.csv", only="broken", expect=422)
    assert len(client.get("api/export/logs.json", level="ERROR")) == 11
    assert {row["status"] for row in client.get("api/export/executions.json", status="FAILED")} == {"FAILED"}
    assert len(client.get("api/export/alerts.json", state="resolved")) == 1
    assert {row["league_id"] for row in client.get("api/export/changes.json", league_id=1)} == {1}
    assert {row["kind"] for row in client.get("api/export/executions.json", kind="route")} == {"route"}
    lines = csv.DictReader(client.get("api/export/executions.csv").text.splitlines())
    assert {"league", "catalog", "route"} <= {line["kind"] for line in lines}
    client.get("api/export/all.csv", expect=400)
    client.get("api/export/secrets.json", expect=422)
