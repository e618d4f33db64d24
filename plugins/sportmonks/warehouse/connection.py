"""The warehouse: connections, SQL by name, migrations.

Works through a transaction-mode pooler (Supabase, PgBouncer): no prepared statements, no session state,
only transaction-level advisory locks.
"""

from __future__ import annotations

import logging
from typing import Any

import psycopg
from psycopg import conninfo

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.errors import ConfigurationError, WarehouseDown

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10
# What the server says of settings that no waiting changes; the codes are not told for failed connections.
_REFUSALS = (
    "authentication failed",
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
    "could not translate",
)


def warehouse_conninfo(conn_id: str = WAREHOUSE_CONN_ID) -> str:
    """libpq's connection string of an Airflow connection. Call it on the task's main thread, then share it."""
    from airflow.sdk import BaseHook

    conn = BaseHook.get_connection(conn_id)
    # sslmode and the like live in the extra; Airflow's own keys there are none of libpq's business.
    known = {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "options",
        "application_name",
        "target_session_attrs",
    }
    extra = {key: value for key, value in conn.extra_dejson.items() if key in known}
    return conninfo.make_conninfo(
        "",
        host=conn.host or "localhost",
        port=conn.port or 5432,
        user=conn.login,
        password=conn.password,
        dbname=conn.schema or "postgres",
        **extra,
    )


def open_connection(info: str, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A connection with this package's settings.

    Raises WarehouseDown while nothing answers there, ConfigurationError when the server refuses user or database;
    both name the server, never the password.
    """
    try:
        return psycopg.connect(
            info,
            autocommit=autocommit,
            prepare_threshold=None,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="sportmonks_etl",
            keepalives_idle=30,
        )
    except psycopg.OperationalError as error:
        parts = conninfo.conninfo_to_dict(info)
        place = f"{parts.get('host')}:{parts.get('port')}/{parts.get('dbname')}"
        reason = str(error).strip().splitlines()[-1]
        kind = ConfigurationError if any(word in reason for word in _REFUSALS) else WarehouseDown
        raise kind(
            f"The warehouse at {place} does not answer: {reason}",
            hint="Check SUPABASE_CONNECTION_STRING (or the Airflow connection sportmonks_warehouse).",
        ) from None


def connect(conn_id: str = WAREHOUSE_CONN_ID, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A connection to the warehouse behind an Airflow connection id."""
    return open_connection(warehouse_conninfo(conn_id), autocommit=autocommit)
