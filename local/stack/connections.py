"""Airflow connections as the tasks of the local stack see them: from the environment, `.env`, the stack's own ones, or
those that were made in Airflow. Their secrets are returned and never shown."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psycopg

from local.errors import LocalError
from local.stack.queries import query
from local.stack.stack import SANDBOX_KEY, Stack
from sportmonks.config.settings import API_CONN_ID

# Fields of a connection, as Airflow names them.
FIELDS = ("conn_type", "host", "schema", "login", "password", "port", "extra")


def find_connection(conn_id: str, stack: Stack) -> dict[str, Any] | None:
    """The fields of a connection (``FIELDS``); None when there is no such connection.

    AIRFLOW_CONN_<NAME> of the environment comes first, then that of `.env`, then what was made in Airflow. Raises
    LocalError for one that cannot be read.
    """
    variable = variable_of(conn_id)
    text = os.environ.get(variable) or stack.settings.passed_on.get(variable)
    if text:
        return parse_connection(text, variable, stack.airflow.folder)
    if conn_id == API_CONN_ID:
        sandbox = stack.settings.sandbox
        host = f"{stack.sandbox_url}/v3" if sandbox else stack.settings.base_url
        return {"conn_type": "http", "host": host, "password": SANDBOX_KEY if sandbox else stack.settings.api_key}
    return _stored(conn_id, stack)


def variable_of(conn_id: str) -> str:
    """The environment variable in which Airflow looks for a connection."""
    return f"AIRFLOW_CONN_{conn_id.upper()}"


def parse_connection(text: str, variable: str, airflow_home: Path) -> dict[str, Any]:
    """The fields of a connection written as JSON or as a URI. Raises LocalError, which repeats nothing of it."""
    unreadable = LocalError(
        f"{variable} cannot be read",
        hint=f'write it as JSON: {variable}=\'{{"conn_type": "http", "host": "https://...", "password": "..."}}\'',
    )
    try:
        if "://" in text and not text.lstrip().startswith("{"):
            return _of_uri(text, airflow_home)
        found = dict(json.loads(text))
    except Exception:
        raise unreadable from None
    known = {"type": "conn_type", "uri": "", **{name: name for name in FIELDS}}
    fields = {known[name]: value for name, value in found.items() if known.get(name)}
    if isinstance(fields.get("extra"), str):
        fields["extra"] = _extra(fields["extra"])
    if fields.get("port") is not None and not str(fields["port"]).isdigit():
        raise unreadable
    return fields | ({"port": int(fields["port"])} if fields.get("port") is not None else {})


def _of_uri(text: str, airflow_home: Path) -> dict[str, Any]:
    # Airflow's own rules for URIs; its import takes seconds, and makes a home where none is set.
    os.environ.setdefault("AIRFLOW_HOME", str(airflow_home))
    from airflow.sdk.definitions.connection import Connection

    found = Connection.from_uri(text, conn_id="route")
    return {name: getattr(found, name) for name in FIELDS if name != "extra"} | {"extra": found.extra_dejson}


def _stored(conn_id: str, stack: Stack) -> dict[str, Any] | None:
    """A connection of Airflow's own database; None where there is none, or where the stack has never run."""
    from psycopg.rows import dict_row

    if not stack.postgres.running():
        return None
    try:
        with psycopg.connect(stack.endpoints().metadata, row_factory=dict_row) as conn:
            row = conn.execute(query("server/airflow_connection"), {"conn_id": conn_id}).fetchone()
    except psycopg.Error:
        return None
    if row is None:
        return None
    key = stack.settings.passed_on.get("AIRFLOW__CORE__FERNET_KEY") or _kept_key(stack.airflow.folder / "fernet.key")
    password, extra = row["password"], row["extra"]
    return {
        **{name: row[name] for name in FIELDS},
        "password": _decrypted(password, key, conn_id) if password and row["is_encrypted"] else password,
        "extra": _extra(_decrypted(extra, key, conn_id) if extra and row["is_extra_encrypted"] else extra),
    }


def _kept_key(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _decrypted(text: str, keys: str, conn_id: str) -> str:
    from cryptography.fernet import Fernet, InvalidToken, MultiFernet

    try:
        return MultiFernet([Fernet(key.strip()) for key in keys.split(",")]).decrypt(text.encode()).decode()
    except (InvalidToken, ValueError):
        raise LocalError(
            f"the Airflow connection {conn_id} was stored under another Fernet key",
            hint="store it in Airflow once more, or set AIRFLOW__CORE__FERNET_KEY to the key of that time",
        ) from None


def _extra(text: str | None) -> Mapping[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
