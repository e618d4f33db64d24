"""Every option of a connection arrives in the connection string, or is refused by its name."""

from __future__ import annotations

import json
import logging
import re
from typing import Any
from unittest.mock import Mock

import psycopg
import pytest
from psycopg import conninfo

from local.stack.airflow import masked, warehouse_connection
from sportmonks.errors import ConfigurationError
from sportmonks.redaction import mask_text
from sportmonks.warehouse import connection
from sportmonks.warehouse.connection import warehouse_conninfo
from sportmonks.warehouse.conninfo import connection_string, describe, libpq_options

ENV = "AIRFLOW_CONN_SPORTMONKS_WAREHOUSE"
# Each with a value that libpq takes; the five parts that Airflow has fields for are not among them.
OPTIONS = {
    name: {"client_encoding": "UTF8", "replication": "false"}.get(name, "1")
    for name in libpq_options() - {"host", "port", "user", "password", "dbname"}
}


def made(**parts: Any) -> dict[str, Any]:
    fields = {"host": "h", "port": None, "user": "u", "password": "p", "dbname": "d", "extra": {}}
    return dict(conninfo.conninfo_to_dict(connection_string(**{**fields, **parts})))


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_option_of_libpq_arrives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = conninfo.make_conninfo("host=h port=5433 user=u password=p dbname=d", **{name: OPTIONS[name]})
    monkeypatch.setenv(ENV, warehouse_connection(given))
    assert conninfo.conninfo_to_dict(warehouse_conninfo()) == conninfo.conninfo_to_dict(given)


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("h1:5433,h2:5434", None, ("h1,h2", "5433,5434")),
        ("h1:5433,h2", 6000, ("h1,h2", "5433,6000")),
        ("h1,h2", 6000, ("h1,h2", "6000")),
        ("[::1]:5433,h2:5434", None, ("::1,h2", "5433,5434")),
        ("fe80::1", None, ("fe80::1", "5432")),
        ("/var/run/postgresql", None, ("/var/run/postgresql", "5432")),
        ("", None, ("localhost", "5432")),
    ],
)
def test_hosts_and_their_ports(host: str, port: int | None, expected: tuple[str, str]) -> None:
    parts = made(host=host, port=port)
    assert (parts["host"], parts["port"]) == expected


def test_several_hosts_go_through_airflows_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, warehouse_connection("postgresql://u:p@h1:5433,h2:5434/d?target_session_attrs=read-write"))
    parts = conninfo.conninfo_to_dict(warehouse_conninfo())
    assert (parts["host"], parts["port"]) == ("h1,h2", "5433,5434")
    assert describe(warehouse_conninfo()) == "h1:5433,h2:5434/d"


def test_a_service_or_an_address_needs_no_host() -> None:
    service = made(host="", user=None, password=None, dbname=None, extra={"service": "etl"})
    assert service == {"service": "etl"}
    address = made(host="", extra={"hostaddr": "10.0.0.1"})
    assert "host" not in address
    assert describe("service=etl") == "service etl"


@pytest.mark.parametrize(
    ("extra", "sentence"),
    [
        ({"ssl_mode": "verify-full"}, "'ssl_mode'.*Did you mean sslmode"),
        ({"requireauth": "scram-sha-256"}, "'requireauth'.*Did you mean require_auth"),
        ({"iam": True}, "login with iam"),
        ({"azure_conn_id": "x"}, "login with azure_conn_id"),
        ({"client_encoding": "LATIN1"}, "client_encoding=LATIN1"),
        ({"replication": "database"}, "replication"),
        ({"sslmode": {"a": 1}}, "'sslmode' .* not a text"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(extra: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        made(extra=extra)


def test_settings_of_airflows_own_hook_change_nothing() -> None:
    assert made(extra={"cursor": "dictcursor", "iam": False, "keepalives": True})["keepalives"] == "1"
    assert "cursor" not in made(extra={"cursor": "dictcursor"})


def test_a_missing_or_unreadable_connection_is_a_sentence_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match=r"There is no Airflow connection nowhere.*AIRFLOW_CONN_NOWHERE"):
        warehouse_conninfo("nowhere")
    with pytest.raises(ConfigurationError) as unreadable:
        connection.open_connection("host=h password='not-shown")
    assert "not-shown" not in str(unreadable.value)


def test_several_hosts_in_a_uri_which_airflow_cannot_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, "postgresql://u:p@h1:5433,h2:5434/d")
    assert describe(warehouse_conninfo()) == "h1:5433,h2:5434/d"


def test_hosts_of_which_only_the_last_has_a_port(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, "postgresql://u:p@h1,h2:5434/d")
    assert describe(warehouse_conninfo()) == "h1:5432,h2:5434/d"


def test_the_password_of_a_uri_that_airflow_cannot_read_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENV, "postgresql://u:not-shown%2F1@h1:5433,h2:5434/d")
    assert warehouse_conninfo().startswith("postgresql://u:")
    assert mask_text("it is not-shown/1.") == "it is ***."


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://u:s3cr/w0rd@h/d",
        "postgresql://u:1234/w0rd@h:5432/d",
        "postgresql://u:s3cr@w0rd@h/d",
        "postgresql://u:s3cr@w0rd@h1:5432,h2:5433/d",
        "postgresql://u:s3cr@w0/rd@h/d",
    ],
)
def test_a_password_with_unescaped_signs_is_refused_and_not_shown(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert describe(uri) == "an unreadable address"
    assert masked(uri).endswith("@an unreadable address")
    with pytest.raises(ConfigurationError, match=r"cannot be read.*%2F for /") as caught:
        connection.open_connection(uri)
    assert not re.search("s3cr|1234|w0", str(caught.value))


def test_a_uri_with_a_slash_in_its_password_is_refused_in_airflows_variable_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for password in ("s3cr/w0rd", "1234/w0rd"):
        monkeypatch.setenv(ENV, f"postgresql://u:{password}@h:5432/d")
        with pytest.raises(ConfigurationError, match="cannot be read") as caught:
            warehouse_conninfo()
        assert not re.search("s3cr|1234|w0rd", str(caught.value))


def test_a_host_that_begins_with_an_at_sign_is_a_socket() -> None:
    assert describe(connection_string(host="@etl", port=None, user="u", password="p", dbname="d", extra={})) == (
        "@etl:5432/d"
    )


def test_own_options_take_the_place_of_the_packages(warehouse_dsn: str) -> None:
    own = conninfo.make_conninfo(
        warehouse_dsn, application_name="mine", connect_timeout="4", options="-c statement_timeout=1000000"
    )
    with connection.open_connection(own) as conn:
        parameters = conn.info.get_parameters()
        assert (parameters["application_name"], parameters["connect_timeout"]) == ("mine", "4")
        assert parameters["tcp_user_timeout"] == "60000"
        row = conn.execute("SELECT current_setting('statement_timeout'), current_setting('lock_timeout')").fetchone()
        assert row == ("1000s", "1min")
        assert getattr(conn, "answer_timeout", 0) > 1000


@pytest.mark.parametrize(("given", "expected"), [(-1, 10), (0, 10), (4, 4), (60, 10)])
def test_the_wait_for_a_new_session_has_an_end(
    warehouse_dsn: str, monkeypatch: pytest.MonkeyPatch, given: int, expected: float
) -> None:
    waits: list[float] = []

    def pin(conn: Any, info: str, options: str) -> float:
        waits.append(conn.answer_timeout)
        return 0.0

    monkeypatch.setattr(connection, "_pin", pin)
    connection.open_connection(conninfo.make_conninfo(warehouse_dsn, connect_timeout=given)).close()
    assert waits == [expected]


def test_unencrypted_sessions_with_another_machine_are_reported_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(connection, "_warned_of", set())

    def session(address: str, *, encrypted: bool = False) -> Any:
        return Mock(spec=psycopg.Connection, info=Mock(hostaddr=address), pgconn=Mock(ssl_in_use=encrypted))

    with caplog.at_level(logging.WARNING):
        for address, encrypted, sslmode in (
            ("10.0.0.7", True, ""),
            ("127.0.0.1", False, ""),
            ("", False, ""),
            ("10.0.0.7", False, "disable"),
        ):
            connection._warn_of_plain_text(session(address, encrypted=encrypted), "host=db password=x", sslmode)
        assert not caplog.records
        for _ in range(2):
            connection._warn_of_plain_text(session("10.0.0.7"), "host=db password=not-shown", "prefer")
    (record,) = caplog.records
    assert "db:5432/postgres is not encrypted" in record.getMessage()
    assert "not-shown" not in record.getMessage()


def test_the_connection_of_the_local_stack_is_json_that_airflow_reads() -> None:
    found = json.loads(warehouse_connection("host=h1,h2 port=1,2 user=u dbname=d connect_timeout=3"))
    assert found["extra"] == {"port": "1,2", "connect_timeout": "3"}
    assert found["host"] == "h1,h2"
