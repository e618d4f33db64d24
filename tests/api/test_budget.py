"""The budget through real connections, threads and processes."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from sportmonks.api.budget import Grant, PostgresBudget, UnlimitedBudget
from sportmonks.api.response import RateLimit
from sportmonks.errors import BudgetWait, CircuitOpenError, ConfigurationError, SportmonksError
from sportmonks.warehouse.connection import open_connection

Make = Callable[..., PostgresBudget]


@pytest.fixture
def make(warehouse_dsn: str) -> Iterator[Make]:
    made: list[PostgresBudget] = []

    def budget(**settings: Any) -> PostgresBudget:
        made.append(PostgresBudget(lambda: open_connection(warehouse_dsn), "c", **settings))
        return made[-1]

    yield budget
    for each in made:
        each.close()


class PlayedApi:
    """Counts calls per window the way the provider does: a window opens with its first request."""

    def __init__(self, limit: int, window: float) -> None:
        self.limit = limit
        self.window = window
        self.opened = -1e9
        self.used = 0
        self.windows: list[int] = []
        self.refused = 0
        self.lock = threading.Lock()

    def call(self) -> RateLimit | None:
        """Figures of the answer, None for a 429."""
        with self.lock:
            now = time.monotonic()
            if now >= self.opened + self.window:
                self.opened, self.used = now, 0
                self.windows.append(0)
            if self.used >= self.limit:
                self.refused += 1
                return None
            self.used += 1
            self.windows[-1] += 1
            return RateLimit(self.limit - self.used, float(int(self.opened + self.window - now)), "Fixture", self.limit)


def work(budget: PostgresBudget, api: PlayedApi, calls: int) -> int:
    """Make up to ``calls`` calls; returns how many the budget granted before it raised a wait."""
    done = 0
    while done < calls:
        try:
            grant = budget.acquire("Fixture")
        except BudgetWait:
            return done
        figures = api.call()
        time.sleep(0.002)
        done += 1
        if figures is None:
            budget.penalise(grant, None, exhausted=True)
        else:
            budget.settle(grant, figures, seconds=0.002)
    return done


def test_eight_workers_never_pass_the_limit(make: Make) -> None:
    api = PlayedApi(60, 3600)
    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(lambda _: work(make(reserve=0, max_inline_wait=3), api, 30), range(8)))
    assert (granted, api.windows, api.refused) == (60, [60], 0)


def test_workers_that_wait_for_the_next_window_do_not_pass_its_limit_either(make: Make) -> None:
    api = PlayedApi(20, 2)
    with ThreadPoolExecutor(6) as pool:
        granted = sum(pool.map(lambda _: work(make(reserve=0), api, 8), range(6)))
    assert granted == 48
    assert api.refused == 0
    assert max(api.windows) <= 20
    assert len(api.windows) >= 3


def test_threads_may_share_one_budget(make: Make) -> None:
    api = PlayedApi(60, 3600)
    shared = make(reserve=0, max_inline_wait=3)
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(lambda _: work(shared, api, 30), range(8))) == 60
    assert api.refused == 0


def _take_until_empty(dsn: str, ready: Any, granted: Any) -> None:
    budget = PostgresBudget(lambda: open_connection(dsn), "c", reserve=0, max_inline_wait=3)
    ready.wait()
    for _ in range(30):
        try:
            budget.acquire("Fixture")
        except BudgetWait:
            return
        with granted.get_lock():
            granted.value += 1


def test_eight_processes_share_one_budget(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    warehouse.execute("SELECT etl.take_api_call('c', 'Fixture')")
    warehouse.execute("SELECT etl.settle_api_call('c', 'Fixture', 'Fixture', 0, 60, 3600, 61)")
    spawn = multiprocessing.get_context("spawn")
    ready, granted = spawn.Event(), spawn.Value("i", 0)
    workers = [spawn.Process(target=_take_until_empty, args=(warehouse_dsn, ready, granted)) for _ in range(8)]
    for worker in workers:
        worker.start()
    ready.set()
    for worker in workers:
        worker.join(60)
    assert [worker.exitcode for worker in workers] == [0] * 8
    assert granted.value == 60
    row = warehouse.execute("SELECT remaining, taken_total FROM etl.api_budget").fetchone()
    assert row == (0, 61)


def _take_and_hang(dsn: str, taken: Any) -> None:
    budget = PostgresBudget(lambda: open_connection(dsn), "c", reserve=0)
    budget.acquire("Fixture")
    taken.set()
    time.sleep(60)


def test_a_killed_holder_costs_one_call_and_no_more(
    warehouse: psycopg.Connection[Any], warehouse_dsn: str, make: Make
) -> None:
    warehouse.execute("SELECT etl.take_api_call('c', 'Fixture')")
    warehouse.execute("SELECT etl.settle_api_call('c', 'Fixture', 'Fixture', 0, 10, 3600, 60)")
    spawn = multiprocessing.get_context("spawn")
    taken = spawn.Event()
    holder = spawn.Process(target=_take_and_hang, args=(warehouse_dsn, taken))
    holder.start()
    assert taken.wait(30)
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    budget = make(reserve=0, max_inline_wait=0)
    for _ in range(9):
        budget.acquire("Fixture")
    with pytest.raises(BudgetWait):
        budget.acquire("Fixture")


def sessions(conn: psycopg.Connection[Any]) -> int:
    row = conn.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ).fetchone()
    assert row is not None
    return int(row[0])


def test_no_connection_is_held_while_waiting(warehouse: psycopg.Connection[Any], make: Make) -> None:
    seen: list[int] = []

    def sleep(seconds: float) -> None:
        time.sleep(0.05)
        seen.append(sessions(warehouse))
        warehouse.execute("UPDATE etl.api_budget SET blocked_until = NULL")

    budget = make(reserve=0, sleep=sleep)
    grant = budget.acquire("Fixture")
    assert sessions(warehouse) == 1
    budget.penalise(grant, 20)
    assert budget.acquire("Fixture").bucket == "Fixture"
    assert seen == [0]


def test_a_long_wait_is_raised_with_its_end(make: Make) -> None:
    budget = make(reserve=0)
    grant = budget.acquire("Fixture")
    budget.settle(grant, RateLimit(0, 1800, "Fixture", 60))
    with pytest.raises(BudgetWait) as caught:
        budget.acquire("Fixture")
    wait = caught.value
    assert (wait.entity, round(wait.seconds, -1)) == ("Fixture", 1800)
    assert 1790 < (wait.until - datetime.now(UTC)).total_seconds() < 1802
    assert "no call is left in this window" in str(wait)


def test_an_open_circuit_says_so(make: Make) -> None:
    budget = make(circuit_failures=3, circuit_open=100)
    for _ in range(3):
        budget.failure(budget.acquire("Fixture"))
    with pytest.raises(CircuitOpenError, match="calls rest everywhere after repeated failures of the API"):
        make().acquire("League")


def test_the_circuit_lets_one_probe_through_and_closes(make: Make) -> None:
    budget = make(circuit_failures=2, circuit_open=0.2)
    for _ in range(2):
        budget.failure(budget.acquire("Fixture"))
    probe = budget.acquire("Fixture")
    with pytest.raises(CircuitOpenError):
        make(max_inline_wait=0).acquire("League")
    budget.settle(probe, RateLimit(10, 60, "Fixture", 60))
    assert make(max_inline_wait=0).acquire("League").bucket == "League"


def test_a_dropped_connection_is_replaced(warehouse: psycopg.Connection[Any], make: Make) -> None:
    budget = make(reserve=0, sleep=lambda _: None)
    grant = budget.acquire("Fixture")
    drop = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    warehouse.execute(drop)
    budget.settle(grant, RateLimit(10, 60, "Fixture", 60))
    warehouse.execute(drop)
    budget.acquire("Fixture")
    assert warehouse.execute("SELECT remaining FROM etl.api_budget").fetchone() == (9,)


def test_without_the_warehouse_no_call_is_made_but_an_answer_in_hand_is_kept(
    warehouse_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse() -> psycopg.Connection[Any]:
        raise ConfigurationError("The warehouse does not answer.")

    budget = PostgresBudget(refuse, "c", sleep=lambda _: None)
    with pytest.raises(ConfigurationError, match="warehouse"):
        budget.acquire("Fixture")
    budget.settle(Grant("Fixture", "Fixture"), RateLimit(1, 1, "Fixture", 1))
    assert "The budget could not be updated" in caplog.text


def test_a_warehouse_without_the_tables_gives_the_hint(postgres_server: str) -> None:
    budget = PostgresBudget(lambda: open_connection(postgres_server), "c")
    with pytest.raises(ConfigurationError, match="Run the migrations"):
        budget.acquire("Fixture")
    budget.close()


def test_a_reserve_of_everything_is_refused(make: Make) -> None:
    with pytest.raises(ConfigurationError, match="reserve"):
        make(reserve=1)


def test_the_unlimited_budget_keeps_books_and_honours_a_429() -> None:
    sleeps: list[float] = []
    clock = UnlimitedBudget(sleep=sleeps.append)
    grant = clock.acquire("Fixture")
    clock.settle(grant, RateLimit(5, 60, "Fixture", 60))
    assert (clock.taken, clock.figures["Fixture"].remaining) == ({"Fixture": 1}, 5)
    clock.penalise(grant, 5)
    clock.acquire("Fixture")
    assert sleeps == [pytest.approx(5, abs=1)]
    clock.penalise(grant, 3600)
    with pytest.raises(BudgetWait):
        clock.acquire("Fixture")
    assert clock.acquire("League").bucket == "League"


def test_a_warehouse_that_goes_away_is_no_matter_of_settings(warehouse_dsn: str) -> None:
    lost = False

    def connect() -> psycopg.Connection[Any]:
        if lost:
            raise ConfigurationError("The warehouse does not answer.")
        return open_connection(warehouse_dsn)

    budget = PostgresBudget(connect, "c", retry_timeout=0.1, sleep=lambda _: None)
    budget.acquire("Fixture")
    lost = True
    budget.close()
    with pytest.raises(SportmonksError, match="has stopped answering") as caught:
        budget.acquire("Fixture")
    assert not isinstance(caught.value, ConfigurationError)
