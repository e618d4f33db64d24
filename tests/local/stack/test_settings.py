"""Settings as a table: each wrong value has a message with the variable and a hint."""

from __future__ import annotations

import os
import shlex
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import conninfo, sql

from local.stack import checks
from local.stack.settings import REAL_API, REPO, Settings, SettingsError
from tests.harness.accounts import role_logins

KEY = "k3y-that-must-not-be-shown"
SECRET = "pa55word-that-must-not-be-shown"


def load(**env: str) -> Settings:
    return Settings.load(env, None)


def problems(**env: str) -> list[tuple[str, str]]:
    with pytest.raises(SettingsError) as caught:
        load(**env)
    return caught.value.problems


def test_nothing_set_is_the_demo() -> None:
    settings = load()
    assert settings.sandbox
    assert (settings.home, settings.port, settings.log_level) == (REPO / ".etl", 8080, "INFO")
    assert settings.warehouse == settings.base_url == settings.leagues == ""


@pytest.mark.parametrize(
    ("mode", "words"),
    [(0o600, None), (0o400, None), (0o640, "can be read"), (0o644, "can be read"), (0o620, "can be read")],
)
def test_a_file_that_others_may_read_is_warned_of(tmp_path: Path, mode: int, words: str | None) -> None:
    file = tmp_path / ".env"
    file.write_text(f"SPORTMONKS_API_KEY={KEY}\n", encoding="utf-8")
    file.chmod(mode)
    warnings = Settings.load({}, file).warnings
    assert len(warnings) == (words is not None)
    for message, hint in warnings:
        assert (words or "") in message
        assert hint == f"run: chmod 600 {shlex.quote(str(file))}"
        assert KEY not in message


def test_a_file_that_others_may_change_is_refused(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("ETL_PORT=8081\n", encoding="utf-8")
    file.chmod(0o646)
    with pytest.raises(SettingsError, match="can be changed by every user") as caught:
        Settings.load({}, file)
    assert caught.value.problems[0][1] == f"run: chmod 600 {shlex.quote(str(file))}"


def test_a_key_alone_means_the_real_api() -> None:
    settings = load(SPORTMONKS_API_KEY=KEY)
    assert not settings.sandbox
    assert settings.base_url == REAL_API


@pytest.mark.parametrize(
    ("env", "message", "hint"),
    [
        ({"ETL_PORT": "http"}, "ETL_PORT='http' is not an integer from 1 to 65535", "set ETL_PORT to 8080"),
        ({"ETL_PORT": "0"}, "ETL_PORT='0'", "set ETL_PORT"),
        ({"ETL_PORT": "65536"}, "ETL_PORT='65536'", "set ETL_PORT"),
        ({"ETL_PORT": "-1"}, "ETL_PORT='-1'", "set ETL_PORT"),
        ({"ETL_PORT": "８０８０"}, "ETL_PORT=", "set ETL_PORT"),
        ({"ETL_LOG_LEVEL": "loud"}, "ETL_LOG_LEVEL='loud' is no log level", "DEBUG, INFO"),
        ({"ETL_LEAGUES": "8,La Liga"}, "ETL_LEAGUES='8,La Liga': 'La Liga' is no league id", "8,564 or to all"),
        ({"ETL_LEAGUES": "8,,564"}, "'' is no league id", "8,564"),
        ({"ETL_LEAGUES": "0"}, "'0' is no league id", "8,564"),
        ({"ETL_LEAGUES": "8;564"}, "'8;564' is no league id", "8,564"),
        ({"ETL_INCLUDES": "scores;every thing"}, "ETL_INCLUDES='scores;every thing'", "participants"),
        ({"ETL_INCLUDES": ";;"}, "ETL_INCLUDES=';;' names no include", "participants"),
        ({"SPORTMONKS_BASE_URL": "http://127.0.0.1:1/v3"}, "SPORTMONKS_API_KEY is not", "set both"),
        (
            {"SPORTMONKS_API_KEY": KEY, "SPORTMONKS_BASE_URL": "ftp://x/v3"},
            "SPORTMONKS_BASE_URL='ftp://x/v3'",
            REAL_API,
        ),
        ({"SPORTMONKS_API_KEY": KEY, "SPORTMONKS_BASE_URL": "api.x.com"}, "SPORTMONKS_BASE_URL='api.x.com'", REAL_API),
        ({"SPORTMONKS_API_KEY": KEY, "SPORTMONKS_BASE_URL": "http://x:port/v3"}, "SPORTMONKS_BASE_URL=", REAL_API),
        (
            {"SPORTMONKS_API_KEY": KEY, "SPORTMONKS_BASE_URL": f"http://x/v3?api_token={SECRET}"},
            "SPORTMONKS_BASE_URL holds",
            "SPORTMONKS_API_KEY",
        ),
        ({"SPORTMONKS_API_KEY": f"{KEY} {SECRET}"}, "SPORTMONKS_API_KEY (", "copy the key again"),
        ({"SUPABASE_CONNECTION_STRING": f"mysql://u:{SECRET}@h/d"}, "begins with mysql://", "postgresql://user"),
        (
            {"SUPABASE_CONNECTION_STRING": f"postgresql://u:{SECRET}@[h/d"},
            "SUPABASE_CONNECTION_STRING cannot be parsed",
            "%40 for @",
        ),
        *(
            (
                {"SUPABASE_CONNECTION_STRING": f"postgresql://u:{password}@h/d"},
                "SUPABASE_CONNECTION_STRING: The connection string of the warehouse cannot be read.",
                "%2F for /",
            )
            for password in (f"a/{SECRET}", f"a@{SECRET}", f"{SECRET}/12", f"12/{SECRET}")
        ),
        ({"SUPABASE_CONNECTION_STRING": f"dbname=x password={SECRET}"}, "names no host", "postgresql://user"),
        ({"ETL_HOME": "/dev/null/x"}, "ETL_HOME='/dev/null/x': /dev/null is a file", "set ETL_HOME"),
        ({"ETL_SANDBOX_ARGS": "--leagues '5"}, "ETL_SANDBOX_ARGS=", "quotation marks"),
    ],
)
def test_a_wrong_value_is_named_with_its_hint(env: dict[str, str], message: str, hint: str) -> None:
    found = problems(**env)
    assert len(found) == 1
    assert message in found[0][0]
    assert hint in found[0][1]
    assert KEY not in str(found)
    assert SECRET not in str(found)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_without_rights_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "is not writable for you" in problems(ETL_HOME=str(tmp_path / "x"))[0][0]


def test_all_problems_come_at_once() -> None:
    found = problems(ETL_PORT="x", ETL_LEAGUES="y", ETL_LOG_LEVEL="z")
    assert [message.split("=")[0] for message, _ in found] == ["ETL_PORT", "ETL_LOG_LEVEL", "ETL_LEAGUES"]


def test_the_environment_wins_over_the_file_and_blank_is_unset(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(
        'ETL_PORT=9000\nETL_LEAGUES="8, 564"\nETL_HOME=\nexport ETL_LOG_LEVEL=debug\n'
        'SPORTMONKS_API_KEY=a$b#c\nAIRFLOW_CONN_SMTP_DEFAULT={"conn_type":"smtp"}\n# a comment\n'
        "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:4318\n"
    )
    env = {"ETL_PORT": "9001", "ETL_LEAGUES": " ", "AIRFLOW_CONN_OTHER": "x", "UNRELATED": "y"}
    settings = Settings.load(env, file)
    assert settings.port == 9001
    assert settings.leagues == "", "a blank variable switches the file's value off"
    assert settings.home == REPO / ".etl"
    assert settings.log_level == "DEBUG"
    assert settings.api_key == "a$b#c"
    assert {"AIRFLOW_CONN_SMTP_DEFAULT", "OTEL_EXPORTER_OTLP_ENDPOINT"} <= settings.passed_on.keys()
    assert "AIRFLOW_CONN_OTHER" not in settings.passed_on, "the shell may belong to another Airflow"


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes(b"ETL_PORT=\xff\xfe")
    with pytest.raises(SettingsError, match=r"\.env cannot be read"):
        Settings.load({}, file)


def test_the_way_sqlalchemy_writes_it_is_understood() -> None:
    settings = load(SUPABASE_CONNECTION_STRING="postgresql+psycopg2://u:p@h:6543/d?sslmode=require")
    assert settings.warehouse == "postgresql://u:p@h:6543/d?sslmode=require"


def test_secrets_are_not_in_the_representation() -> None:
    settings = load(SPORTMONKS_API_KEY=KEY, SUPABASE_CONNECTION_STRING=f"postgresql://u:{SECRET}@h/d")
    assert KEY not in repr(settings)
    assert SECRET not in repr(settings)


# -- questions to the outside world ----------------------------------------------------------------------------


def test_a_port_in_use() -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        settings = load(ETL_PORT=str(port))
        found = checks.check_port(settings, port_is_ours=False)
        assert found
        assert f"ETL_PORT={port}: another program listens" in found[0]
        assert checks.check_port(settings, port_is_ours=True) is None


@pytest.mark.parametrize("value", ["http://:::", "socks9://x", "socks5://user:hidden@127.0.0.1:1080"])
def test_a_proxy_that_airflow_cannot_use_is_refused_without_its_password(value: str) -> None:
    """Every task would fail before its first line."""
    found = checks.check_proxies({"ALL_PROXY": value, "HTTP_PROXY": "http://proxy.example.org:3128"})
    assert found is not None
    assert found[0].startswith("ALL_PROXY is not the address of a proxy that Airflow can use")
    assert "env -u ALL_PROXY ./etl up" in found[1]
    assert "hidden" not in found[0] + found[1]


@pytest.mark.parametrize("value", ["", "proxy:3128", "http://user:pw@proxy.example.org:3128", "https://[::1]:8"])
def test_a_proxy_that_can_be_used_is_no_problem(value: str) -> None:
    assert checks.check_proxies({"https_proxy": value, "no_proxy": "*"}) is None


def test_a_database_nobody_serves() -> None:
    found = checks.check_warehouse(f"postgresql://u:{SECRET}@127.0.0.1:1/d")
    assert found
    assert "SUPABASE_CONNECTION_STRING: 127.0.0.1:1/d cannot be used" in found[0]
    assert "refused" in found[0]
    assert SECRET not in str(found)


def test_a_database_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LIMIT_SECONDS", 2)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        found = checks.check_warehouse(f"postgresql://u:{SECRET}@127.0.0.1:{mute.getsockname()[1]}/d")
    assert found
    assert "cannot be used" in found[0]
    assert SECRET not in str(found)


def test_databases_with_and_without_rights(postgres_server: str) -> None:
    assert checks.check_warehouse(postgres_server) is None
    wrong = checks.check_warehouse(conninfo.make_conninfo(postgres_server, password=SECRET))
    assert wrong
    assert "password authentication failed" in wrong[0]
    assert SECRET not in str(wrong)
    missing = checks.check_warehouse(conninfo.make_conninfo(postgres_server, dbname="nowhere"))
    assert missing
    assert 'database "nowhere" does not exist' in missing[0]
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE etl_reader LOGIN PASSWORD {}").format(sql.Literal(SECRET)))
        try:
            reader = conninfo.make_conninfo(postgres_server, user="etl_reader", password=SECRET)
            poor = checks.check_warehouse(reader)
        finally:
            admin.execute("DROP ROLE etl_reader")
    assert poor
    assert "'etl_reader' may not create the schemas etl, raw, football" in poor[0]
    assert "GRANT CREATE ON DATABASE" in poor[1]


def test_an_account_that_only_writes_is_enough_for_a_current_schema(warehouse_dsn: str) -> None:
    with role_logins(warehouse_dsn) as login:
        writer = login("writer")
        assert checks.check_warehouse(writer) is None
        with psycopg.connect(warehouse_dsn) as admin:
            admin.execute("UPDATE etl.applied_definitions SET sha256 = '' WHERE name = 'functions/routes'")
        found = checks.check_warehouse(writer)
    assert found
    assert "may not create" in found[0]


def test_a_server_that_is_too_old(postgres_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "OLDEST_POSTGRES", 99)
    found = checks.check_warehouse(postgres_server)
    assert found
    assert "older than 99" in found[0]


class _Answers(BaseHTTPRequestHandler):
    status, body = 200, b"{}"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def api() -> Iterator[tuple[str, type[_Answers]]]:
    handler = type("Answers", (_Answers,), {})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v3", handler
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "variable"),
    [
        (401, b'{"message": "Unauthenticated."}', "SPORTMONKS_API_KEY:"),
        (404, b"not here", "SPORTMONKS_BASE_URL="),
        (500, b"", "SPORTMONKS_BASE_URL="),
        (200, b"<html>hello</html>", "SPORTMONKS_BASE_URL="),
    ],
)
def test_an_api_that_refuses_or_is_none(
    api: tuple[str, type[_Answers]], status: int, body: bytes, variable: str
) -> None:
    url, handler = api
    handler.status, handler.body = status, body
    found = checks.check_api(load(SPORTMONKS_API_KEY=KEY, SPORTMONKS_BASE_URL=url))
    assert found
    assert found[0].startswith(variable)
    assert found[1]
    assert KEY not in str(found)


def test_an_api_that_nobody_serves() -> None:
    found = checks.check_api(load(SPORTMONKS_API_KEY=KEY, SPORTMONKS_BASE_URL="http://127.0.0.1:1/v3"))
    assert found
    assert found[0].startswith("SPORTMONKS_BASE_URL='http://127.0.0.1:1/v3'")


def test_a_malformed_catalog_is_reported_with_its_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sportmonks.config.settings

    file = tmp_path / "catalog.yaml"
    file.write_text("leagues: [8, 564\n")
    monkeypatch.setattr(sportmonks.config.settings, "CATALOG_FILE", file)
    found = checks.check_catalog()
    assert found
    assert "catalog.yaml" in found[0]
    with pytest.raises(SettingsError, match=r"catalog\.yaml"):
        checks.check_all(load(ETL_PORT=str(_free())), port_is_ours=False)


def _free() -> int:
    from local.stack.files import free_port

    return free_port()


@pytest.mark.parametrize("word", ["--port", "--port=1", "--key", "--host"])
def test_sandbox_options_that_the_stack_sets_itself(word: str) -> None:
    from local.errors import LocalError

    with pytest.raises(LocalError, match="ETL_SANDBOX_ARGS"):
        checks.require_known_options((word, "1"))
