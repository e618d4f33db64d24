"""Where the command line finds an Airflow connection, in which order, and what it does not repeat."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from cryptography.fernet import Fernet

from local.errors import LocalError
from local.stack.connections import find_connection, parse_connection

KEY = "A-key-that-nobody-shows"
# As Airflow's database has it.
TABLE = """
CREATE TABLE connection (conn_id text, conn_type text, host text, schema text, login text, port integer, password text,
                         extra text, is_encrypted boolean, is_extra_encrypted boolean)
"""
ROW = "INSERT INTO connection VALUES (%s, 'http', 'https://api.example.com', NULL, 'me', 8443, %s, %s, %s, %s)"


def a_stack(folder: Path, dsn: str, **passed_on: str) -> Any:
    return SimpleNamespace(
        settings=SimpleNamespace(passed_on=passed_on, sandbox=True),
        postgres=SimpleNamespace(running=lambda: bool(dsn)),
        airflow=SimpleNamespace(folder=folder),
        endpoints=lambda: SimpleNamespace(metadata=dsn),
        sandbox_url="http://127.0.0.1:1",
    )


def test_a_connection_that_was_made_in_airflow(tmp_path: Path, warehouse_dsn: str) -> None:
    key = Fernet.generate_key()
    (tmp_path / "fernet.key").write_bytes(key + b"\n")
    secret, extra = (Fernet(key).encrypt(text).decode() for text in (KEY.encode(), b'{"verify": false}'))
    with psycopg.connect(warehouse_dsn, autocommit=True) as conn:
        conn.execute(TABLE)
        conn.execute(ROW, ("shop_api", secret, extra, True, True))
        conn.execute(ROW, ("plain", "pw", "no JSON", False, False))
    stack = a_stack(tmp_path, warehouse_dsn)
    fields = {"conn_type": "http", "host": "https://api.example.com", "schema": None, "login": "me", "port": 8443}
    assert find_connection("shop_api", stack) == {**fields, "password": KEY, "extra": {"verify": False}}
    assert find_connection("plain", stack) == {**fields, "password": "pw", "extra": {}}
    assert find_connection("other", stack) is None
    assert find_connection("shop_api", a_stack(tmp_path, "")) is None
    (tmp_path / "fernet.key").write_bytes(Fernet.generate_key())
    with pytest.raises(LocalError, match="was stored under another Fernet key"):
        find_connection("shop_api", stack)
    of_file = a_stack(
        tmp_path, warehouse_dsn, AIRFLOW__CORE__FERNET_KEY=f"{Fernet.generate_key().decode()},{key.decode()}"
    )
    found = find_connection("shop_api", of_file)
    assert found is not None
    assert found["password"] == KEY


def test_the_environment_comes_before_the_file_and_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = a_stack(tmp_path, "", AIRFLOW_CONN_SHOP_API='{"host": "https://of.the.file"}')
    found = find_connection("shop_api", stack)
    assert found == {"host": "https://of.the.file"}
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", '{"type": "http", "host": "https://of.the.shell", "port": "81"}')
    assert find_connection("shop_api", stack) == {"conn_type": "http", "host": "https://of.the.shell", "port": 81}
    sandbox = find_connection("sportmonks_api", stack)
    assert sandbox is not None
    assert sandbox["host"] == "http://127.0.0.1:1/v3"


def test_a_uri_is_read_as_airflow_reads_it(tmp_path: Path) -> None:
    text = f"http://me:{KEY}%40@https%3A%2F%2Fapi.example.com%2Fv1/?verify=false"
    found = parse_connection(text, "AIRFLOW_CONN_X", tmp_path)
    assert (found["host"], found["login"], found["password"]) == ("https://api.example.com/v1", "me", f"{KEY}@")
    assert found["extra"] == {"verify": "false"}


@pytest.mark.parametrize("text", [f'{{"password": "{KEY}', f'{{"password": "{KEY}", "port": "x"}}', f'["{KEY}"]'])
def test_what_cannot_be_read_is_not_repeated(tmp_path: Path, text: str) -> None:
    with pytest.raises(LocalError, match="AIRFLOW_CONN_X cannot be read") as caught:
        parse_connection(text, "AIRFLOW_CONN_X", tmp_path)
    assert KEY not in str(caught.value)
