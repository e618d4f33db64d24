"""Every call is in the books of whoever makes it: counted when it is granted, its outcome when it ends."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from sportmonks.api.budget import CallAccount, PostgresBudget
from sportmonks.api.client import SportmonksClient
from sportmonks.errors import BudgetWait, SportmonksError
from sportmonks.warehouse.connection import open_connection
from tests.api.conftest import Talk
from tests.harness.api_server import Handler, Seen, always, answer, http, in_turn

RUN = "etl_books"
GOOD = answer([{"id": 1}], rate_limit={"remaining": 90, "resets_in_seconds": 3600, "requested_entity": "Fixture"})
TOO_MANY = answer(status=429, message="You have reached your rate limit", retry_after=2)


def cut(_: Seen, sock: socket.socket) -> None:
    """A response that breaks off."""
    sock.sendall(GOOD[:-5])
    sock.shutdown(socket.SHUT_RDWR)


Counted = Callable[..., SportmonksClient]


@pytest.fixture
def counted(talk: Talk, warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> Counted:
    """A client whose calls are counted for an execution, one of its chunks or a collector's run in it."""
    warehouse.execute("SELECT etl.start_etl_execution(%s)", (RUN,))
    warehouse.execute("SELECT etl.open_chunk(%s, 8, 2)", (RUN,))
    warehouse.execute("SELECT etl.record_collector_run('states', %s, 'running')", (RUN,))

    def make(handler: Handler, *, season: int | None = None, collector: str | None = None) -> SportmonksClient:
        budget = PostgresBudget(
            lambda: open_connection(warehouse_dsn, autocommit=True), "c", reserve=0, circuit_failures=99
        )
        client, make.server = talk(handler, budget=budget)  # type: ignore[attr-defined]
        client.count_calls_for(CallAccount(RUN, 8, season, collector))
        return client

    return make


def books(conn: psycopg.Connection[Any], table: str = "etl.etl_executions") -> tuple[int, int, int]:
    """Calls, failed calls and bytes."""
    row = conn.execute(f"SELECT api_calls, failed_calls, bytes FROM {table}".encode()).fetchone()
    assert row is not None
    return int(row[0]), int(row[1]), int(row[2])


@pytest.mark.parametrize(
    ("failure", "size"),
    [
        (always(http("Bad gateway", 502)), 11),
        (always(http("<html>")), 6),
        (cut, 0),
        (always(answer(status=400, message="bad filter")), 25),
        (always(answer(status=401, message="Unauthenticated.")), 31),
        (always(answer("text", message="x")), 32),
    ],
    ids=["status", "no JSON", "cut", "bad request", "key", "malformed"],
)
def test_failed_calls_are_counted_with_their_retries(
    counted: Counted, warehouse: psycopg.Connection[Any], failure: Handler, size: int
) -> None:
    client = counted(failure, season=2)
    with pytest.raises(SportmonksError):
        client.get("fixtures/1")
    calls, failed, read = books(warehouse)
    assert calls == failed == len(counted.server.seen)  # type: ignore[attr-defined]
    assert read == size * calls
    assert books(warehouse, "etl.execution_chunks") == (calls, failed, read)


@pytest.mark.slow  # the pause of the entity that answered 429 is a real one
def test_a_rate_limit_and_the_call_after_it_are_counted(counted: Counted, warehouse: psycopg.Connection[Any]) -> None:
    client = counted(in_turn(GOOD, http("", 500), GOOD))
    client.get("fixtures/1")
    client.get("fixtures/1")
    body = GOOD.partition(b"\r\n\r\n")[2]
    assert books(warehouse) == (3, 1, 2 * len(body))
    assert books(warehouse, "etl.execution_chunks") == (0, 0, 0)
    limited = counted(always(TOO_MANY))
    with pytest.raises(BudgetWait):
        limited.get("fixtures/1")
    assert books(warehouse)[:2] == (3 + len(counted.server.seen), 1 + len(counted.server.seen))  # type: ignore[attr-defined]


def test_the_calls_of_a_collector_are_in_its_own_run(counted: Counted, warehouse: psycopg.Connection[Any]) -> None:
    client = counted(in_turn(http("", 503), GOOD), collector="states")
    client.get("core/types")
    assert books(warehouse, "etl.collector_runs")[:2] == (2, 1)
    assert books(warehouse) == (0, 0, 0)


def test_a_call_without_an_execution_is_in_the_budget_only(
    counted: Counted, warehouse: psycopg.Connection[Any]
) -> None:
    client = counted(always(GOOD))
    client.count_calls_for(CallAccount())
    client.check_access()
    assert books(warehouse) == (0, 0, 0)
    assert warehouse.execute("SELECT sum(taken_total) FROM etl.api_budget").fetchone() == (1,)


def test_a_call_whose_process_dies_is_in_the_books_already(
    counted: Counted, warehouse: psycopg.Connection[Any]
) -> None:
    client = counted(always(GOOD), season=2)
    client.budget.acquire("Fixture", account=CallAccount(RUN, 8, 2))
    assert books(warehouse) == (1, 0, 0)
    assert books(warehouse, "etl.execution_chunks") == (1, 0, 0)
