"""Connections to the warehouse: the one place that opens a session, pins its settings and bounds every wait.

Works through a transaction-mode pooler (Supabase, PgBouncer): no prepared statements, no session state, settings made
in every transaction (``warehouse/driver.py``), only transaction-level advisory locks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
from psycopg import conninfo

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.errors import ConfigurationError, WarehouseDownError
from sportmonks.redaction import add_secret
from sportmonks.warehouse.conninfo import connection_string, describe, parse, refuse_unusable, settled_options
from sportmonks.warehouse.driver import ANSWER_TIMEOUT_S, NoAnswerError, WarehouseConnection, own_time_outs
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.texts import clean_texts

__all__ = [
    "ANSWER_TIMEOUT_S",
    "NoAnswerError",
    "WarehouseConnection",
    "connect",
    "connector",
    "is_local",
    "long_statements",
    "open_connection",
    "warehouse_conninfo",
]

log = logging.getLogger(__name__)

HOW_TO_CONNECT = (
    "Create it (type Postgres, schema = database), or set {variable}; with ./etl, set SUPABASE_CONNECTION_STRING."
)
CONNECT_TIMEOUT_S = 10
# For statements that may take long: migrations.
LONG_ANSWER_TIMEOUT_S = 7500.0
# What neither the connection string nor its service file nor the environment says. Keepalives notice a machine that is
# gone, TCP's user timeout data that nobody acknowledges; a proxy that acknowledges and stays silent is noticed by the
# answer timeout alone.
_DEFAULTS = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "sportmonks_etl",
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# The oldest release whose SQL this package speaks, as libpq numbers it.
OLDEST_SERVER = 140000
# In PgBouncer's answer to BEGIN.
_STATEMENT_POOLING = "statement pooling"
# Messages about settings that no waiting changes; libpq gives no code for a connection that failed.
_REFUSAL = re.compile(
    r"authentication failed|does not exist|not found|no such (?:database|user)|no pg_hba.conf entry"
    r"|no password supplied|permission denied|not permitted to log in|could not translate|could not match"
    r"|does not support SSL|certificate|channel binding|auth(?:entication)? method|invalid \w+ (?:value|number)"
)
# The name server itself is away, as it may be while a network restarts.
_PASSING = "Temporary failure in name resolution"

_warned_of: set[str] = set()


def warehouse_conninfo(conn_id: str = WAREHOUSE_CONN_ID) -> str:
    """libpq's connection string of an Airflow connection. Call it on the task's main thread, then share it.

    Raises ConfigurationError when there is no such connection, and for an option that cannot be used.
    """
    from sportmonks.airflow_compat import connection

    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    given = os.environ.get(variable, "")
    is_uri = given.startswith(("postgres://", "postgresql://"))
    # Airflow reads a URI as that of one host, libpq takes several: postgresql://user@h1:5433,h2:5434/etl.
    if is_uri and "," in re.split("[/?#]", given.partition("://")[2])[0].rpartition("@")[2]:
        return _read_uri(given)
    try:
        conn = connection(conn_id, HOW_TO_CONNECT)
    except ConfigurationError:
        if is_uri:
            return _read_uri(given)
        raise
    return connection_string(
        host=conn.host,
        port=conn.port,
        user=conn.login,
        password=conn.password,
        dbname=conn.schema,
        extra=conn.extra_dejson,
    )


def _read_uri(given: str) -> str:
    """The URI itself, checked, its password known as a secret: Airflow, which has not read it, knows none."""
    from airflow.sdk.log import mask_secret

    password = parse(given).get("password")
    if password:
        mask_secret(password)
        add_secret(password)
    return given


def open_connection(
    info: str, *, autocommit: bool = False, answer_timeout: float | None = None
) -> psycopg.Connection[Any]:
    """A connection with this package's settings, whatever server, role or environment say otherwise.

    Pinned are encoding (UTF-8), dates and times (ISO, UTC), isolation (READ COMMITTED), search path, time-outs of the
    server, and other settings that change values or their meaning; see ``session/pin``. Names in statements have to be
    qualified with their schema. No statement is prepared. ``answer_timeout``: see ``WarehouseConnection``; by default
    a little more than the server's limit for a statement. Everything else is as the connection string says, then its
    service file, then libpq's variables of the environment, then this package; but with a host in the connection
    string no variable decides where the data go.

    Raises WarehouseDownError while nothing answers there, ConfigurationError when the server refuses user or database
    or is too old or has another encoding than UTF-8; both name the server, never the password.
    """
    given, settled = parse(info), settled_options(info)
    refuse_unusable({"replication": settled.get("replication")})
    options: dict[str, Any] = {name: settled.get(name, value) for name, value in _DEFAULTS.items()} | given
    options["client_encoding"] = "UTF8"
    if given.get("host") and "service" not in given:
        # Where the data go, no variable decides (PGHOSTADDR).
        options.setdefault("hostaddr", "")
    try:
        conn = WarehouseConnection.connect(
            conninfo.make_conninfo("", **options), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise _cannot_connect(info, error) from None
    try:
        # Until the session is ready, silence is that of a connection that does not come about.
        seconds = float(options["connect_timeout"])  # 0 and less: for ever
        conn.answer_timeout = min(seconds if seconds > 0 else CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
        longest = _pin(conn, info, settled.get("options", ""))
        clean_texts(conn)
        conn.answer_timeout = max(ANSWER_TIMEOUT_S, longest) if answer_timeout is None else answer_timeout
        conn.autocommit = autocommit
    except psycopg.Error as error:
        conn.close()
        raise _cannot_connect(info, error) from None
    except BaseException:
        conn.close()
        raise
    _warn_of_plain_text(conn, info, settled.get("sslmode", ""))
    return conn


def connect(
    conn_id: str = WAREHOUSE_CONN_ID, *, autocommit: bool = False, answer_timeout: float | None = None
) -> psycopg.Connection[Any]:
    """A connection to the warehouse behind an Airflow connection id."""
    return open_connection(warehouse_conninfo(conn_id), autocommit=autocommit, answer_timeout=answer_timeout)


def connector(
    info: str, *, autocommit: bool = True, answer_timeout: float | None = None
) -> Callable[[], psycopg.Connection[Any]]:
    """A function that opens such connections, for any thread."""
    return lambda: open_connection(info, autocommit=autocommit, answer_timeout=answer_timeout)


@contextlib.contextmanager
def long_statements(conn: psycopg.Connection[Any]) -> Iterator[None]:
    """Within the block statements may take up to two hours, and so may waits for locks. Needs an open transaction."""
    conn.execute(sql("session/long_statements"))
    before = getattr(conn, "answer_timeout", None)
    if isinstance(conn, WarehouseConnection):
        conn.answer_timeout = LONG_ANSWER_TIMEOUT_S
    try:
        yield
    finally:
        if isinstance(conn, WarehouseConnection) and before is not None:
            conn.answer_timeout = before


def _pin(conn: WarehouseConnection, info: str, options: str) -> float:
    """Set what must be the same in every session; the seconds that a statement may take, 0 for the package's limit.

    The settings of a session would reach other clients of a pooler in transaction mode. So they are set only where the
    server's process is the one that libpq learned of at the start; a pooler names one of its own. Behind it they are
    set in every transaction. Raises ConfigurationError for a server, or a mode of a pooler, that cannot be used.
    """
    if conn.info.server_version < OLDEST_SERVER:
        raise ConfigurationError(
            f"The warehouse {describe(info)} is PostgreSQL {conn.info.server_version // 10000}, which is too old.",
            hint=f"Use PostgreSQL {OLDEST_SERVER // 10000} or newer.",
        )
    conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    conn.time_outs = own_time_outs(options)
    parameters = {"pid": conn.info.backend_pid, "kept": list(conn.time_outs)}
    row = conn.execute(sql("session/pin"), parameters).fetchone()
    assert row is not None
    conn.pooled = not row[0]
    if conn.pooled:
        try:
            row = conn.execute(sql("session/pin"), parameters).fetchone()
        except psycopg.Error as error:
            if _STATEMENT_POOLING not in str(error):
                raise
            raise ConfigurationError(
                f"The pooler at {describe(info)} gives each statement another session (statement pooling), in which"
                " there are no transactions.",
                hint="Set its pool_mode to transaction or session, or connect to the server itself.",
            ) from None
        assert row is not None
    _, encoding, statement_seconds = row
    if encoding != "UTF8":
        raise ConfigurationError(
            f"The warehouse {describe(info)} has the encoding {encoding}, which cannot hold every name.",
            hint="Use a database with UTF-8: CREATE DATABASE etl ENCODING 'UTF8' TEMPLATE template0.",
        )
    if "statement_timeout" not in conn.time_outs:
        return 0.0
    return float(statement_seconds) + 30 if statement_seconds else LONG_ANSWER_TIMEOUT_S


def _cannot_connect(info: str, error: psycopg.Error) -> ConfigurationError | WarehouseDownError:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    reason = lines[-1] if lines else type(error).__name__
    refused = _REFUSAL.search(reason) and _PASSING not in reason
    kind = ConfigurationError if refused else WarehouseDownError
    return kind(
        f"The warehouse at {describe(info)} does not answer: {reason}",
        hint="Check SUPABASE_CONNECTION_STRING (or the Airflow connection sportmonks_warehouse).",
    )


def _warn_of_plain_text(conn: psycopg.Connection[Any], info: str, sslmode: str) -> None:
    """Say once per process that data and password's proof travel unencrypted to another machine.

    ``sslmode=disable`` is a decision, not an oversight: then nothing is logged.
    """
    if conn.pgconn.ssl_in_use or sslmode == "disable" or is_local(conn):
        return
    place = describe(info)
    if place not in _warned_of:
        _warned_of.add(place)
        log.warning(
            "The connection to the warehouse at %s is not encrypted. Add sslmode=require (better verify-full) to the"
            " connection; sslmode=disable says that this is meant so.",
            place,
        )


def is_local(conn: psycopg.Connection[Any]) -> bool:
    """Whether the server is on this machine: a Unix socket or a loopback address."""
    address = conn.info.hostaddr or conn.info.host or ""
    return not address or address.startswith(("/", "@", "127.")) or address in ("::1", "localhost")
