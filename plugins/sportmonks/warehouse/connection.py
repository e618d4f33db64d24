"""Connections to the warehouse: the one place that opens a session, pins its settings and bounds every wait.

Works through a transaction-mode pooler (Supabase, PgBouncer): no prepared statements, no session state,
only transaction-level advisory locks.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import time
from collections.abc import Callable, Generator, Iterator
from typing import Any, TypeVar

import psycopg
from psycopg import conninfo

from sportmonks.config.settings import WAREHOUSE_CONN_ID
from sportmonks.errors import ConfigurationError, WarehouseDownError
from sportmonks.redaction import add_secret
from sportmonks.warehouse.conninfo import connection_string, describe, parse
from sportmonks.warehouse.queries import sql
from sportmonks.warehouse.texts import clean_texts

log = logging.getLogger(__name__)

T = TypeVar("T")

CONNECT_TIMEOUT_S = 10
# Longer than the longest statement may run (statement_timeout in queries/session.sql), so that the server's own error
# comes first wherever the server still works.
ANSWER_TIMEOUT_S = 330.0
# For statements that may take long: migrations.
LONG_ANSWER_TIMEOUT_S = 7500.0
# What the connection string does not say. Keepalives notice a machine that is gone, TCP's user timeout data that nobody
# acknowledges; a proxy that acknowledges and stays silent is noticed by the answer timeout alone.
_DEFAULTS = {
    "connect_timeout": CONNECT_TIMEOUT_S,
    "application_name": "sportmonks_etl",
    "keepalives": 1,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
}
# Time-outs that the connection string may set itself, in its option ``options``.
_TIME_OUTS = frozenset({"statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"})
# Messages about settings that no waiting changes; libpq gives no code for a connection that failed.
_REFUSAL = re.compile(
    r"authentication failed|does not exist|not found|no such (?:database|user)|no pg_hba.conf entry"
    r"|no password supplied|permission denied|not permitted to log in|could not translate|could not match"
    r"|does not support SSL|certificate|channel binding|auth(?:entication)? method|invalid \w+ (?:value|number)"
)
# The name server itself is away, as it may be while a network restarts.
_PASSING = "Temporary failure in name resolution"

_warned_of: set[str] = set()


class NoAnswerError(psycopg.OperationalError):
    """The warehouse keeps the connection and has answered nothing for the connection's answer timeout."""


class WarehouseConnection(psycopg.Connection[Any]):
    """A session whose waits end.

    ``answer_timeout``: seconds without any sign from the server after which a wait raises NoAnswerError and the
    connection is closed. It is checked here, because neither keepalives nor TCP notice a pooler or proxy that accepts
    everything and answers nothing. ``pooled``: a pooler stands between, which may give the server's session to another
    client after each transaction; ``transaction`` then pins what the session cannot.
    """

    answer_timeout: float = ANSWER_TIMEOUT_S
    pooled: bool = False

    def wait(self, gen: Generator[Any, Any, T], *args: Any, **kwargs: Any) -> T:
        try:
            return super().wait(self._watched(gen), *args, **kwargs)
        except NoAnswerError:
            # Nothing can be sent over it any more: what comes later would be taken for another statement's answer.
            self.close()
            raise

    def _watched(self, gen: Generator[Any, Any, T]) -> Generator[Any, Any, T]:
        last_sign = time.monotonic()
        try:
            wanted = next(gen)
            while True:
                # psycopg resumes a generator every tenth of a second, with a false value when nothing has happened.
                ready = yield wanted
                if ready:
                    last_sign = time.monotonic()
                elif time.monotonic() - last_sign > self.answer_timeout:
                    raise NoAnswerError(f"no answer for {self.answer_timeout:g} s")
                wanted = gen.send(ready)
        except StopIteration as done:
            result: T = done.value
            return result

    @contextlib.contextmanager
    def transaction(self, *args: Any, **kwargs: Any) -> Iterator[psycopg.Transaction]:
        outermost = self.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        with super().transaction(*args, **kwargs) as block:
            if self.pooled and outermost:
                self.execute(sql("session/pin_transaction"))
            yield block


def warehouse_conninfo(conn_id: str = WAREHOUSE_CONN_ID) -> str:
    """libpq's connection string of an Airflow connection. Call it on the task's main thread, then share it.

    Raises ConfigurationError when there is no such connection, and for an option that cannot be used.
    """
    from airflow.sdk import BaseHook

    from sportmonks.airflow_compat import AirflowNotFoundException

    variable = f"AIRFLOW_CONN_{conn_id.upper()}"
    given = os.environ.get(variable, "")
    is_uri = given.startswith(("postgres://", "postgresql://"))
    # Airflow reads a URI as that of one host, libpq takes several: postgresql://user@h1:5433,h2:5434/etl.
    if is_uri and "," in re.split("[/?#]", given.partition("://")[2])[0].rpartition("@")[2]:
        return _read_uri(given)
    try:
        conn = BaseHook.get_connection(conn_id)
    except (AirflowNotFoundException, ValueError):
        if is_uri:
            return _read_uri(given)
        raise ConfigurationError(
            f"There is no Airflow connection {conn_id}, or it cannot be read.",
            hint=f"Create it (type Postgres, schema = database), or set {variable}; with ./etl, set"
            " SUPABASE_CONNECTION_STRING.",
        ) from None
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
    a little more than the server's limit for a statement.

    Raises WarehouseDownError while nothing answers there, ConfigurationError when the server refuses user or database
    or has another encoding than UTF-8; both name the server, never the password.
    """
    options = {**_DEFAULTS, **parse(info), "client_encoding": "UTF8"}
    try:
        conn = WarehouseConnection.connect(
            conninfo.make_conninfo("", **options), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise _cannot_connect(info, error) from None
    try:
        # Until the session is ready, silence is that of a connection that does not come about.
        given = float(options["connect_timeout"])  # 0 and less: for ever
        conn.answer_timeout = min(given if given > 0 else CONNECT_TIMEOUT_S, CONNECT_TIMEOUT_S)
        longest = _pin(conn, info, str(options.get("options") or ""))
        clean_texts(conn)
        conn.answer_timeout = max(ANSWER_TIMEOUT_S, longest) if answer_timeout is None else answer_timeout
        conn.autocommit = autocommit
    except psycopg.Error as error:
        conn.close()
        raise _cannot_connect(info, error) from None
    except BaseException:
        conn.close()
        raise
    _warn_of_plain_text(conn, info, str(options.get("sslmode") or ""))
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
    server's process is the one that libpq learned of at the start; a pooler names one of its own. Encoding,
    DateStyle and TimeZone are kept by poolers for each client.
    """
    conn.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
    own = [name.replace("-", "_") for name in re.findall(r"(?:-c\s*|--)([\w-]+)\s*=", options)]
    kept = [name for name in own if name in _TIME_OUTS]
    row = conn.execute(sql("session/pin"), {"pid": conn.info.backend_pid, "kept": kept}).fetchone()
    assert row is not None
    direct, encoding, statement_seconds = row
    if encoding != "UTF8":
        raise ConfigurationError(
            f"The warehouse {describe(info)} has the encoding {encoding}, which cannot hold every name.",
            hint="Use a database with UTF-8: CREATE DATABASE etl ENCODING 'UTF8' TEMPLATE template0.",
        )
    conn.pooled = not direct
    if conn.pooled:
        if not (conn.info.parameter_status("DateStyle") or "").startswith("ISO"):
            conn.execute(sql("session/iso_dates"))
        if conn.info.parameter_status("TimeZone") not in ("UTC", "Etc/UTC"):
            conn.execute(sql("session/utc"))
    if "statement_timeout" not in kept:
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
