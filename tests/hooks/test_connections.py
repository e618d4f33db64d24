"""The connection types: their forms, and what the Test button answers, green and red."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
from airflow.sdk import BaseHook, Variable
from psycopg import conninfo, sql

from local.stack.airflow import warehouse_connection
from sportmonks import airflow_compat
from sportmonks.hooks.forms import API_FORM, API_TYPE, WAREHOUSE_FORM, WAREHOUSE_TYPE
from sportmonks.hooks.sportmonks import SportmonksHook
from sportmonks.hooks.warehouse import WarehouseHook
from sportmonks.provider import get_provider_info
from sportmonks.warehouse.conninfo import libpq_options
from tests.harness.accounts import PASSWORD, Login, role_logins
from tests.harness.api_server import always, answer, serving

KEY = "0123456789abcdef-the-key"
ConnectionTest = Callable[..., tuple[bool, str]]


@pytest.fixture
def press(monkeypatch: pytest.MonkeyPatch) -> ConnectionTest:
    """Presses the Test button as Airflow's API server does: the connection is in the environment, as a URI, under a
    name that nobody knows."""
    from airflow.models.connection import Connection

    def press(hook: type[SportmonksHook | WarehouseHook], **fields: Any) -> tuple[bool, str]:
        connection = Connection(conn_id="q7rk2w", **{"conn_type": hook.conn_type, **fields})
        monkeypatch.setenv("AIRFLOW_CONN_Q7RK2W", connection.get_uri())
        return hook("q7rk2w").test_connection()

    return press


@pytest.fixture
def login(warehouse_dsn: str) -> Iterator[Login]:
    with role_logins(warehouse_dsn) as login:
        yield login


def fields_of(dsn: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(warehouse_connection(dsn))
    return {name: value for name, value in found.items() if name not in ("conn_type", "extra")}


@pytest.mark.parametrize("conn_type", ["sportmonks", "http"])
def test_the_right_key_is_accepted(press: ConnectionTest, conn_type: str) -> None:
    with serving(always(answer([{"id": 1}]))) as server:
        good, message = press(SportmonksHook, conn_type=conn_type, host=server.url, password=KEY)
    assert (good, message) == (True, f"The Sportmonks API at {server.url} accepts the key.")
    assert server.seen[0].headers["authorization"] == KEY
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("raw", "good", "sentence"),
    [
        (answer(status=401, message="Unauthenticated."), False, "refuses the key"),
        (answer(status=403, message="No access to this", code=5007), True, "Its plan does not cover football leagues."),
        (answer(status=429, message="You have reached your rate limit", retry_after=1847), True, "hour are used up."),
        (answer(status=404, message="This route could not be found"), False, "is not the Sportmonks API"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 6\r\n\r\n<html>", False, "is not the Sportmonks API"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>", False, "SPORTMONKS_BASE_URL"),
    ],
)
def test_what_the_answer_of_the_api_means(press: ConnectionTest, raw: bytes, good: bool, sentence: str) -> None:
    with serving(always(raw)) as server:
        found, message = press(SportmonksHook, host=server.url, password=KEY)
    assert (found, sentence in message) == (good, True), message
    assert KEY not in message


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"host": "http://127.0.0.1:1/v3", "password": KEY}, "http://127.0.0.1:1/v3 does not answer"),
        ({"host": "ftp://example.org", "password": KEY}, "has no http(s):// or no host"),
        (
            {"host": f"https://api.sportmonks.com/v3?api_token={KEY}", "password": KEY},
            "holds a user, query or fragment",
        ),
        ({"host": "https://api.sportmonks.com/v3"}, "SPORTMONKS_API_KEY"),
    ],
)
def test_an_api_that_cannot_be_there_is_red_and_shows_no_key(
    press: ConnectionTest, fields: dict[str, str], sentence: str
) -> None:
    good, message = press(SportmonksHook, **fields)
    assert not good
    assert sentence in message
    assert KEY not in message


@pytest.mark.parametrize("conn_type", ["sportmonks_warehouse", "postgres"])
def test_a_warehouse_of_this_version_is_green(press: ConnectionTest, warehouse_dsn: str, conn_type: str) -> None:
    good, message = press(WarehouseHook, conn_type=conn_type, **fields_of(warehouse_dsn))
    assert good, message
    assert "UTF-8" in message
    assert "the schema is that of this version, and the account may do what a run needs" in message


def test_an_empty_warehouse_is_green_and_stays_empty(press: ConnectionTest, empty_dsn: str) -> None:
    good, message = press(WarehouseHook, **fields_of(empty_dsn))
    assert good, message
    assert "there is no schema yet; the DAG sportmonks_catalog brings it up to date" in message
    with psycopg.connect(empty_dsn) as conn:
        assert conn.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'etl'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("statement", "good", "sentence"),
    [
        ("DELETE FROM etl.applied_definitions WHERE name LIKE 'views/%'", True, "the schema is older than this"),
        ("INSERT INTO etl.schema_migrations (name) VALUES ('9999_future')", False, "install that one, or connect"),
        ("UPDATE etl.schema_migrations SET sha256 = 'x' WHERE name = '0100_baseline'", False, "has been changed"),
    ],
)
def test_the_version_of_the_schema(
    press: ConnectionTest, warehouse_dsn: str, statement: str, good: bool, sentence: str
) -> None:
    with psycopg.connect(warehouse_dsn) as conn:
        conn.execute(statement.encode())
    found, message = press(WarehouseHook, **fields_of(warehouse_dsn))
    assert (found, sentence in message) == (good, True), message


def test_what_an_account_lacks_is_named(press: ConnectionTest, warehouse_dsn: str, login: Login) -> None:
    good, message = press(WarehouseHook, **fields_of(login("writer")))
    assert good, message
    good, message = press(WarehouseHook, **fields_of(login("reader")))
    assert not good
    assert "GRANT SELECT, INSERT, UPDATE, DELETE ON" in message
    with psycopg.connect(warehouse_dsn) as conn:
        conn.execute("DELETE FROM etl.applied_definitions")
    good, message = press(WarehouseHook, **fields_of(login("writer")))
    assert not good
    assert "may not change it" in message


def test_a_database_that_only_reads_is_red(press: ConnectionTest, warehouse_dsn: str) -> None:
    with psycopg.connect(warehouse_dsn, autocommit=True) as conn:
        name = sql.Identifier(conn.info.dbname)
        conn.execute(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(name))
    good, message = press(WarehouseHook, **fields_of(warehouse_dsn))
    assert not good
    assert "only reads" in message


def test_another_encoding_is_red(press: ConnectionTest, postgres_server: str) -> None:
    name = sql.Identifier("latin_for_test")
    create = sql.SQL("CREATE DATABASE {} ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(create.format(name))
        try:
            dsn = conninfo.make_conninfo(postgres_server, dbname="latin_for_test")
            good, message = press(WarehouseHook, **fields_of(dsn))
        finally:
            admin.execute(sql.SQL("DROP DATABASE {}").format(name))
    assert not good
    assert "has the encoding LATIN1" in message


def test_a_warehouse_that_refuses_or_is_away_is_red_and_shows_no_password(
    press: ConnectionTest, warehouse_dsn: str
) -> None:
    fields = fields_of(warehouse_dsn)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for change, sentence in (
        ({"password": PASSWORD}, "authentication failed"),
        ({"schema": "no_such_database"}, "does not exist"),
        ({"port": port}, "does not answer"),
        ({"extra": json.dumps({"sslmod": "require"})}, "Did you mean sslmode?"),
    ):
        good, message = press(WarehouseHook, **{**fields, **change})
        assert (good, sentence in message) == (False, True), message
        assert PASSWORD not in message
        assert fields["password"] not in message


def test_fields_of_the_warehouses_form_are_options_of_libpq() -> None:
    assert set(WAREHOUSE_FORM.extra) <= libpq_options()


@pytest.mark.parametrize(("hook", "form"), [(SportmonksHook, API_FORM), (WarehouseHook, WAREHOUSE_FORM)])
def test_airflow_3_1_gets_the_same_form_from_the_hook(hook: Any, form: Any) -> None:
    """Where Flask AppBuilder is not installed, the API server puts stand-ins in its place."""
    stand_ins: dict[str, Any] = {
        "flask_appbuilder.fieldwidgets": ["BS3TextFieldWidget"],
        "flask_babel": ["lazy_gettext"],
    }
    stand_ins |= {"wtforms": ["BooleanField", "StringField"], "wtforms.validators": ["Optional", "any_of"]}
    calls: list[tuple[str, Any]] = []

    def recorder(name: str) -> Any:
        return lambda *args, **_: calls.append((name, args)) or name

    with pytest.MonkeyPatch.context() as patch:
        for module, names in stand_ins.items():
            made = type(os)(module)
            for name in names:
                setattr(made, name, recorder(name))
            patch.setitem(__import__("sys").modules, module, made)
        widgets = hook.get_connection_form_widgets()
    assert list(widgets) == list(form.described()["conn-fields"])
    kinds = {"boolean": "BooleanField", "string": "StringField"}
    assert widgets == {name: kinds[field.kind] for name, field in form.extra.items()}
    choices = [args[0] for name, args in calls if name == "any_of"]
    assert choices == [list(field.choices) for field in form.extra.values() if field.choices]
    behaviour = hook.get_ui_field_behaviour()
    described = form.described()["ui-field-behaviour"]
    assert behaviour == {name.replace("-", "_"): value for name, value in described.items()}


def test_the_provider_names_what_exists() -> None:
    import importlib

    info = get_provider_info()
    types = {each["connection-type"]: each["hook-class-name"] for each in info["connection-types"]}
    assert set(types) == {API_TYPE, WAREHOUSE_TYPE}
    for conn_type, path in types.items():
        module, _, name = path.rpartition(".")
        assert getattr(importlib.import_module(module), name).conn_type == conn_type
    for path in info["notifications"]:
        module, _, name = path.rpartition(".")
        assert hasattr(importlib.import_module(module), name)
    for section in ("hooks", "operators", "triggers"):
        for entry in info[section]:
            assert all(importlib.import_module(module) for module in entry["python-modules"])


def test_the_provider_is_valid_for_airflow() -> None:
    import airflow
    from jsonschema import validate

    folder = os.path.dirname(airflow.__file__)
    with open(os.path.join(folder, "provider_info.schema.json"), encoding="utf-8") as file:
        validate(get_provider_info(), json.load(file))


@pytest.mark.parametrize("name", ["SUPERVISOR_COMMS", "anything_else"])
def test_the_import_error_of_airflow_3_1_0_means_nothing_is_there(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """It comes where neither environment nor secrets backend has the connection; another one is an error."""

    def missing(*_: Any, **__: Any) -> None:
        raise ImportError(f"cannot import name '{name}' from 'airflow.sdk.execution_time.task_runner'")

    monkeypatch.setattr(BaseHook, "get_connection", staticmethod(missing))
    monkeypatch.setattr(Variable, "get", staticmethod(missing))
    monkeypatch.setattr(
        "airflow.models.variable.Variable.get_variable_from_secrets", staticmethod(lambda key: "stored")
    )
    if name == "SUPERVISOR_COMMS":
        assert airflow_compat.find_connection("nowhere") is None
        assert airflow_compat.read_variable("some") == "stored"
    else:
        for look_up in (airflow_compat.find_connection, airflow_compat.read_variable):
            with pytest.raises(ImportError, match=name):
                look_up("nowhere")
