"""What the container `init` does to databases and accounts, and the health checks of the others."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from local.deploy import container as deploy
from tests.harness.paths import REPO


@pytest.mark.slow
def test_init_builds_both_databases_and_again(
    services: dict[str, Any], files: deploy.Files, settings: dict[str, str], postgres_server: str, tmp_path: Path
) -> None:
    """The init container's command, run outside of a container against a real server."""
    metadata, warehouse = f"meta_{os.getpid()}", f"warehouse_{os.getpid()}"
    passwords = tmp_path / "passwords.json"
    server = conninfo.conninfo_to_dict(postgres_server)

    def url(name: str, account: str = f"{server['user']}:{server.get('password', '')}") -> str:
        return f"postgresql://{account}@{server['host']}:{server['port']}/{name}"

    (files.folder / "secrets" / "postgres_password").write_text(str(server.get("password", "")))
    address = url(metadata, f"{metadata}:secret1").replace(":", "+psycopg2:", 1)
    (files.folder / "settings" / "metadata").write_text(address)
    connections = json.loads(files.connections) | {"sportmonks_warehouse": url(warehouse, f"{warehouse}:secret2")}
    (files.folder / "settings" / "connections.json").write_text(json.dumps(connections))
    run = shlex.quote(f"{files.folder}/")  # where the container has /run/
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        **{name: value.replace("/run/", run) for name, value in services["init"]["environment"].items()},
        "DEPLOY_FILES": str(files.folder),
        "AIRFLOW_HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{REPO}:{REPO / 'plugins'}",
        "POSTGRES_ADMIN": url("postgres", str(server["user"])),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(passwords),
    }
    command = [sys.executable, "-m", "local.deploy.container", "init"]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(metadata)))
        try:
            for word in ("files of the schema applied", "up to date"):
                done = subprocess.run(
                    command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path
                )
                assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
                assert f"warehouse: {word}" in done.stdout or word in done.stdout
            with psycopg.connect(url(warehouse, f"{warehouse}:secret2")) as conn:
                conn.execute("INSERT INTO etl.schema_migrations (name) VALUES ('9999_of_a_newer_version')")
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path)
            assert (done.returncode, done.stdout) == (1, "")
            assert "error: The warehouse has the migration 9999_of_a_newer_version, which this version" in done.stderr
            assert "It belongs to a newer version" in done.stderr
            rights = "SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = current_user"
            for name, password in ((metadata, "secret1"), (warehouse, "secret2")):
                with psycopg.connect(url(name, f"{name}:{password}")) as conn:
                    assert conn.execute(rights).fetchone() == (False,)
            with psycopg.connect(url(warehouse, f"sportmonks_read:{settings['WAREHOUSE_READER_PASSWORD']}")) as conn:
                assert conn.execute("SELECT count(*) FROM football.fixtures").fetchone() == (0,)
        finally:
            for name in (metadata, warehouse):
                drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                admin.execute(drop.format(sql.Identifier(name)))
                admin.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(name)))
    assert json.loads(passwords.read_text()) == {"admin": settings["AIRFLOW_ADMIN_PASSWORD"]}
    assert passwords.stat().st_mode & 0o077 == 0


def test_a_warehouse_of_the_users_own_is_left_alone(files: deploy.Files, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a password in it, or elsewhere; a host without a port is the one with the usual port."""
    prepared: list[str] = []
    connections: list[str] = []

    class Connection:
        def __init__(self, place: str, **_: object) -> None:
            connections.append(place)

        def __enter__(self) -> Connection:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(psycopg, "connect", Connection)
    monkeypatch.setattr("local.accounts.ensure_database", lambda _, name: prepared.append(name))
    monkeypatch.setattr("local.accounts.prepare_metadata", lambda *_: None)
    monkeypatch.setattr("local.accounts.prepare_warehouse", lambda _, *words: prepared.extend(words))
    environment = {"POSTGRES_ADMIN": "postgresql://postgres@postgres:5432/postgres"}
    (files.folder / "settings" / "metadata").write_text("postgresql+psycopg2://airflow:a@elsewhere:5432/airflow")
    (files.folder / "secrets" / "warehouse_reader_password").write_text("r")

    def prepare(own: str) -> None:
        text = json.dumps({"sportmonks_warehouse": own})
        (files.folder / "settings" / "connections.json").write_text(text)
        deploy._prepare_databases(environment, files)

    prepare("postgresql://alice@postgres:5432/data")
    prepare("postgresql://alice:a@db.example.org/data")
    assert connections == []
    prepare("postgresql://sportmonks:w@postgres/data")
    assert prepared == ["data", "w", "r", "sportmonks"]


def test_another_password_of_the_superuser_ends_init_with_a_hint(
    files: deploy.Files, postgres_server: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = conninfo.conninfo_to_dict(postgres_server)
    place = f"{parts['host']}:{parts['port']}"
    (files.folder / "settings" / "metadata").write_text(f"postgresql+psycopg2://airflow:a@{place}/airflow")
    environment = {
        "DEPLOY_FILES": str(files.folder),
        "POSTGRES_ADMIN": f"postgresql://{parts['user']}@{place}/postgres",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(tmp_path / "passwords.json"),
    }
    assert deploy.init(environment) == 1
    errors = capsys.readouterr().err
    assert "password authentication failed" in errors
    assert "Set that one as POSTGRES_PASSWORD in .env" in errors
    assert files.secret("POSTGRES_PASSWORD") not in errors


class _Health(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        state = {"metadatabase": {"status": "healthy"}, "triggerer": {"status": "unhealthy"}, "scheduler": {}}
        body = json.dumps(state).encode()
        self.send_response(200 if self.path == "/api/v2/monitor/health" else 404)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Keeps the test's output clean."""


def test_healthy_reads_the_answer() -> None:
    assert deploy.healthy("http://127.0.0.1:1") == 1
    with HTTPServer(("127.0.0.1", 0), _Health) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        words = [["healthy", url], ["healthy", url, "triggerer"], ["healthy", url, "scheduler"], ["healthy", url, "x"]]
        assert [deploy.main(line) for line in words] == [0, 1, 1, 1]
        server.shutdown()
    assert deploy.main(["nonsense"]) == 2
