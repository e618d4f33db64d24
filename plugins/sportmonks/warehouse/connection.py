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
from sportmonks.errors import ConfigurationError, WarehouseDownError
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.texts import clean_texts

log = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 10
# Messages of the server about settings that no waiting changes; libpq gives no code for a connection that failed.
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
    """A connection with this package's settings, whatever server, role or environment say otherwise: UTF-8, ISO dates
    in UTC, READ COMMITTED transactions, no prepared statements.

    Raises WarehouseDownError while nothing answers there, ConfigurationError when the server refuses user or database;
    both name the server, never the password.
    """
    try:
        conn = psycopg.connect(
            info,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=CONNECT_TIMEOUT_S,
            application_name="sportmonks_etl",
            client_encoding="UTF8",
            keepalives_idle=30,
        )
        _pin(conn)
        clean_texts(conn)
        conn.autocommit = autocommit
        return conn
    except psycopg.OperationalError as error:
        parts = conninfo.conninfo_to_dict(info)
        place = f"{parts.get('host')}:{parts.get('port')}/{parts.get('dbname')}"
        reason = str(error).strip().splitlines()[-1]
        kind = ConfigurationError if any(word in reason for word in _REFUSALS) else WarehouseDownError
        raise kind(
            f"The warehouse at {place} does not answer: {reason}",
            hint="Check SUPABASE_CONNECTION_STRING (or the Airflow connection sportmonks_warehouse).",
        ) from None


def _pin(conn: psycopg.Connection[Any]) -> None:
    """What the server reports differently is set; usually everything is right, and no statement is sent.

    PgBouncer keeps both settings per client, so they hold in transaction mode, too.
    """
    conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    if not (conn.info.parameter_status("DateStyle") or "").startswith("ISO"):
        conn.execute(sql("session/iso_dates"))
    if conn.info.parameter_status("TimeZone") not in ("UTC", "Etc/UTC"):
        conn.execute(sql("session/utc"))


def connect(conn_id: str = WAREHOUSE_CONN_ID, *, autocommit: bool = False) -> psycopg.Connection[Any]:
    """A connection to the warehouse behind an Airflow connection id."""
    return open_connection(warehouse_conninfo(conn_id), autocommit=autocommit)
