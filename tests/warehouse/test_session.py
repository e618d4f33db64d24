"""Work on the warehouse outlives what passes: a silent proxy, a read-only primary, time-outs of locks."""

from __future__ import annotations

import signal
import threading
from typing import Any

import psycopg
import pytest
from psycopg import errors, sql

from sportmonks.errors import WarehouseDownError
from sportmonks.warehouse.connection import NoAnswerError, connector, open_connection
from sportmonks.warehouse.queries import Query
from sportmonks.warehouse.session import Session
from sportmonks.warehouse.sqlstate import as_configuration_error, is_away, is_transient
from tests.harness.tcp_proxy import tcp_proxy

INSERT = "INSERT INTO football.states (id, name, developer_name) VALUES (%s, 'x', 'x') ON CONFLICT DO NOTHING"


def test_a_silent_warehouse_ends_the_wait_and_the_connection(warehouse_dsn: str) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        conn = open_connection(dsn, autocommit=True, answer_timeout=0.3)
        proxy.stall()
        with pytest.raises(NoAnswerError, match=r"no answer for 0\.3 s"):
            conn.execute("SELECT 1")
        assert conn.closed


def test_within_a_transaction_the_same_error_comes_out(warehouse_dsn: str) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        conn = open_connection(dsn, answer_timeout=0.3)
        with pytest.raises(NoAnswerError), conn, conn.transaction():  # noqa: PT012
            conn.execute(INSERT, (1,))
            proxy.stall()
            conn.execute(INSERT, (2,))
        with pytest.raises(NoAnswerError), tcp_proxy(warehouse_dsn) as (other, way):  # noqa: PT012
            conn = open_connection(way, autocommit=True, answer_timeout=0.3)
            with conn.cursor() as cursor, cursor.copy("COPY football.states (id) FROM STDIN") as copy:
                other.stall()
                while True:
                    copy.write("1\n" * 100_000)


def test_a_slow_statement_of_a_live_server_is_waited_for(warehouse_dsn: str) -> None:
    with open_connection(warehouse_dsn, autocommit=True, answer_timeout=0.3) as conn:
        rows = conn.execute("SELECT pg_sleep(0.1), repeat('x', 20000) FROM generate_series(1, 5)").fetchall()
        assert len(rows) == 5  # half a second, with a sign at least every 0.3 s


def test_a_connection_that_does_not_come_about_is_given_up(warehouse_dsn: str) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        proxy.stall()
        with pytest.raises(WarehouseDownError, match="does not answer"):
            open_connection(psycopg.conninfo.make_conninfo(dsn, connect_timeout=2))


def test_a_session_goes_on_when_a_silent_warehouse_is_back(warehouse_dsn: str) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn), Session(connector(dsn, answer_timeout=0.3)) as session:
        session.execute(INSERT, (1,))
        proxy.stall()
        threading.Timer(0.8, proxy.resume).start()
        session.execute(INSERT, (2,))
        assert session.execute("SELECT count(*) FROM football.states") == [(2,)]


def test_a_session_gives_up_a_warehouse_that_stays_silent(warehouse_dsn: str) -> None:
    with tcp_proxy(warehouse_dsn) as (proxy, dsn):
        session = Session(connector(dsn, answer_timeout=0.2), retry_timeout=0.1)
        session.execute("SELECT 1")
        proxy.stall()
        with pytest.raises(WarehouseDownError, match="no answer"):
            session.execute("SELECT 1")


def test_a_statement_that_its_caller_gave_up_does_not_meet_the_next_one(warehouse_dsn: str) -> None:
    """As Airflow's time-out of a task, which comes as a signal, and is no error of the database."""

    class TaskTimeoutError(BaseException):
        pass

    def give_up(*_: object) -> None:
        raise TaskTimeoutError

    with Session(connector(warehouse_dsn)) as session:
        session.execute("SELECT 1")
        before = signal.signal(signal.SIGALRM, give_up)
        try:
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            with pytest.raises(TaskTimeoutError):
                session.execute("SELECT pg_sleep(20)")
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        assert session.execute("SELECT 2") == [(2,)]


def test_a_read_only_primary_is_waited_for(warehouse_dsn: str) -> None:
    """As after a failover to a standby, which is promoted a little later."""
    with psycopg.connect(warehouse_dsn, autocommit=True) as admin:
        name = sql.Identifier(str(admin.info.dbname))
        read_only = sql.SQL("ALTER DATABASE {} SET default_transaction_read_only TO {}")
        admin.execute(read_only.format(name, sql.SQL("on")))
        waits: list[float] = []

        def promote(seconds: float) -> None:
            waits.append(seconds)
            admin.execute(read_only.format(name, sql.SQL("off")))

        session = Session(connector(warehouse_dsn), sleep=promote)
        session.execute(INSERT, (1,))
        assert len(waits) == 1
        session.close()


def test_a_lock_is_waited_for_longer_than_the_roles_time_out(warehouse_dsn: str) -> None:
    with psycopg.connect(warehouse_dsn) as other:
        name = sql.Identifier(str(other.info.dbname))
        for setting in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            change = sql.SQL("ALTER DATABASE {} SET {} TO '100ms'").format(name, sql.Identifier(setting))
            with psycopg.connect(warehouse_dsn, autocommit=True) as admin:
                admin.execute(change)
        other.execute("LOCK TABLE football.states")
        threading.Timer(0.4, other.commit).start()
        with Session(connector(warehouse_dsn)) as session:
            session.execute(INSERT, (1,))


PASSING = [
    errors.ReadOnlySqlTransaction("x"),
    errors.IdleInTransactionSessionTimeout("x"),
    errors.QueryCanceled("x"),
    errors.LockNotAvailable("x"),
    errors.SerializationFailure("x"),
    errors.ProtocolViolation("x"),
    errors.InternalError_("x"),
    psycopg.InterfaceError("the connection is closed"),
    NoAnswerError("x"),
]
STAYING = [errors.ProgramLimitExceeded("x"), errors.UniqueViolation("x"), errors.UndefinedTable("x"), ValueError("x")]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_passes(error: Exception) -> None:
    assert is_transient(error)


@pytest.mark.parametrize("error", STAYING, ids=lambda error: type(error).__name__)
def test_stays(error: Exception) -> None:
    assert not is_transient(error)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "BEGIN; SET LOCAL ROLE stranger; SELECT * FROM football.states; COMMIT",
            "lacks a privilege: permission denied for schema football",
        ),
        ("SELECT * FROM etl.not_there", "no ETL tables yet, or those of an older version"),
        ("SELECT not_there FROM etl.chunks", "no ETL tables yet, or those of an older version"),
    ],
)
def test_what_a_person_has_to_correct_is_a_sentence(warehouse_dsn: str, statement: str, sentence: str) -> None:
    with open_connection(warehouse_dsn, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS stranger")
        conn.execute("CREATE ROLE stranger")
        with pytest.raises(psycopg.ProgrammingError) as refused:
            conn.execute(statement)
        found = as_configuration_error(refused.value)
        assert found is not None
        assert sentence in found.message
        assert found.hint
        conn.rollback()
        conn.execute("DROP ROLE stranger")


EXHAUSTED = [errors.QueryCanceled, errors.DiskFull, errors.OutOfMemory, errors.ConfigurationLimitExceeded]


@pytest.mark.parametrize("kind", EXHAUSTED, ids=lambda kind: kind.__name__)
def test_a_server_without_time_disk_or_memory_is_tried_once_more_and_reported(
    warehouse_dsn: str, kind: type[psycopg.Error]
) -> None:
    """Waited for as one that is away, it would be reported so, and nobody would learn the reason."""
    tries: list[int] = []

    def work(conn: psycopg.Connection[Any]) -> None:
        tries.append(1)
        raise kind("the server's own words")

    pauses: list[float] = []
    # Even where one that is away is waited for no longer than 0.1 seconds.
    with (
        Session(connector(warehouse_dsn), retry_timeout=0.1, sleep=pauses.append) as session,
        pytest.raises(kind) as raised,
    ):
        session.run(work)
    assert len(tries) == 2
    (pause,) = pauses
    assert 30 <= pause <= 60, "it had time to recover"
    code = kind.sqlstate
    assert str(raised.value).startswith(f"the server's own words ({code}). ")
    assert len(str(raised.value)) > 60
    assert not is_away(raised.value)


@pytest.mark.parametrize(
    "kind",
    [errors.TooManyConnections, errors.CannotConnectNow, errors.ReadOnlySqlTransaction, errors.AdminShutdown,
     errors.DeadlockDetected, errors.LockNotAvailable],
    ids=lambda kind: kind.__name__,
)  # fmt: skip
def test_a_server_that_is_away_is_waited_for(warehouse_dsn: str, kind: type[psycopg.Error]) -> None:
    left = [kind("away")] * 3
    with Session(connector(warehouse_dsn), sleep=lambda _: None) as session:

        def work(conn: psycopg.Connection[Any]) -> str:
            if left:
                raise left.pop()
            return "done"

        assert session.run(work) == "done"
        assert is_away(kind("away"))
        left = [kind("away")] * 1000
        session._retry_timeout = 0.3
        with pytest.raises(WarehouseDownError, match=f"has not come back .*{kind.sqlstate}: away"):
            session.run(work)


def test_a_statement_that_was_cancelled_is_named(warehouse_dsn: str) -> None:
    dsn = psycopg.conninfo.make_conninfo(warehouse_dsn, options="-c statement_timeout=50ms")
    sleep = Query("plan/long", "SELECT pg_sleep(5)")
    with Session(connector(dsn), sleep=lambda _: None) as session, pytest.raises(errors.QueryCanceled) as raised:
        session.execute(sleep)
    assert "canceling statement due to statement timeout (57014, in plan/long). " in str(raised.value)
    assert "options=-c statement_timeout" in str(raised.value)
    with Session(connector(dsn), sleep=lambda _: None) as session, pytest.raises(errors.QueryCanceled) as raised:  # noqa: PT012

        def copy(conn: psycopg.Connection[Any]) -> None:
            with (
                conn.cursor() as cursor,
                cursor.copy(Query("plan/copy", "COPY (SELECT pg_sleep(5)) TO STDOUT")) as rows,
            ):
                list(rows)

        session.run(copy)
    assert "in plan/copy" in str(raised.value)
