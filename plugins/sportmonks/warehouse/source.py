"""Whose data a warehouse holds: one API each, so that rows of a sandbox and of the provider never mix."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import psycopg

from sportmonks.errors import ConfigurationError
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.sqlstate import NO_SCHEMA

# The sandbox of this project, whatever port it listens on.
SANDBOX = "sandbox"


def source_of(base_url: str) -> str:
    """The address of an API as the warehouse remembers it: ``api.sportmonks.com/v3``.

    Host in lower case, the port unless it is the scheme's own, and the path without ``/football``, which the client
    adds itself. No scheme, no account, no query: nothing in it is secret.
    """
    parts = urlsplit(base_url)
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    port = f":{parts.port}" if parts.port and parts.port != usual else ""
    path = parts.path.rstrip("/").removesuffix("/football").rstrip("/")
    return f"{(parts.hostname or '').rstrip('.')}{port}{path}"


def claim_source(conn: psycopg.Connection[Any], source: str) -> None:
    """Make sure that the warehouse holds data of ``source`` and of no other API; an empty one takes it.

    Raises ConfigurationError when it belongs to another API, or when its schema is older than this version.
    """
    try:
        row = conn.execute(sql("source/claim"), {"source": source}).fetchone()
    except NO_SCHEMA:
        raise ConfigurationError(
            "The warehouse has no schema yet, or that of an older version.",
            hint="Run the DAG sportmonks_catalog, whose first task brings it up to date (locally: ./etl up).",
        ) from None
    held = row[0] if row else source
    if held != source:
        raise ConfigurationError(
            f"The warehouse holds data of {_named(held)}, and this connection leads to {_named(source)}.",
            hint="Connect each API to a database of its own. If both addresses serve the same data, run "
            f"SELECT etl.set_api_source('{source.replace(chr(39), chr(39) * 2)}') in the warehouse.",
        )


def _named(source: str) -> str:
    return "the sandbox" if source == SANDBOX else source
