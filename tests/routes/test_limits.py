"""Limits of calls: what headers and bodies say of them, and who waits."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from sportmonks.api.budget import PostgresBudget
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    RateLimitError,
)
from sportmonks.routes.limits import read_limits, wait_named
from sportmonks.warehouse.connection import open_connection
from tests.harness.routes import a_route, read_ids
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server

NOW = datetime(2025, 12, 5, 12, tzinfo=UTC)
RESET = str(int(NOW.timestamp()) + 90)
LIMITS: list[tuple[Mapping[str, str], tuple[Any, Any], float | None]] = [
    # headers, (remaining, seconds until the reset), the wait that a refusal with them names
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}, (0, 90), 90),
    ({"x-ratelimit-remaining": "7", "x-ratelimit-reset": "60"}, (7, 60), None),
    ({"X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": f"{RESET}000"}, (0, 90), 90),
    ({"RateLimit-Remaining": "0", "RateLimit-Reset": "30", "RateLimit-Limit": "100, 100;w=60"}, (0, 30), 30),
    ({"RateLimit": "limit=100, remaining=0, reset=50"}, (0, 50), 50),
    ({"RateLimit": '"default";r=0;t=20'}, (0, 20), 20),
    ({"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "2025-12-05T12:01:00Z"}, (0, 61), 61),
    ({"X-RateLimit-Remaining": "0"}, (None, None), None),
    ({"Retry-After": "17"}, (None, None), 17),
    ({"Retry-After": format_datetime(datetime(2025, 12, 5, 12, 0, 30, tzinfo=UTC), usegmt=True)}, (None, None), 31),
    ({"Retry-After": "1.5", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}, (0, 90), 1.5),
    ({"X-RateLimit-Reset": "soon", "X-RateLimit-Remaining": "many"}, (None, None), None),
    ({"RateLimit": f"r={'9' * 5000};t=10"}, (10**15 - 1, 10), None),
    ({"Retry-After": "Fri, 05 Dec 2025 11:59:60 GMT"}, (None, None), 1),
    ({"Retry-After": "Fri, 05 Dec 2025 24:00:00 GMT"}, (None, None), 12 * 3600 + 1),
]


@pytest.mark.parametrize(("headers", "limit", "wait"), LIMITS)
def test_limits_in_headers(headers: Mapping[str, str], limit: tuple[Any, Any], wait: float | None) -> None:
    found = read_limits(CaseInsensitiveDict(headers), NOW)
    assert (found.remaining, found.resets_in_seconds) == limit
    assert wait_named(CaseInsensitiveDict(headers), NOW) == wait


@pytest.mark.parametrize(
    ("status", "headers", "error"),
    [
        (403, {"Retry-After": "3600"}, BudgetWait),
        (429, {"Retry-After": "3600"}, BudgetWait),
        (503, {"Retry-After": "3600"}, CircuitOpenError),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1800"}, BudgetWait),
        (429, {}, BudgetWait),  # in the body
    ],
)
def test_long_waits_give_the_worker_back(
    play: Server, read_all: Collect, status: int, headers: dict[str, str], error: type[Exception]
) -> None:
    sleeps: list[float] = []
    with pytest.raises(error):
        read_all(a_route("paging: none"), play(lambda _: Answer({"retry_after": 900}, status, headers)), sleeps=sleeps)
    assert sleeps == []


def test_a_limit_holds_for_all_routes_of_a_connection(play: Server, collect: Collect, warehouse_dsn: str) -> None:
    """One task is refused; another one, with a budget of its own process, does not call at all."""
    refusing = play(lambda _: Answer({"message": "slow down"}, 403, {"Retry-After": "3600"}))

    def budget() -> PostgresBudget:
        return PostgresBudget(lambda: open_connection(warehouse_dsn, autocommit=True), "shop_api", reserve=0.0)

    for execution in ("etl_1", "etl_2"):
        with pytest.raises(BudgetWait):
            collect(a_route("paging: none"), refusing, budget=budget(), execution_id=execution)
    assert len(refusing.requests) == 1


def test_figures_in_headers_tighten_the_shared_budget(
    play: Server, collect: Collect, warehouse: Conn, warehouse_dsn: str
) -> None:
    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        figures = {"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": str(2 - page), "X-RateLimit-Reset": "1800"}
        return Answer({"data": [{"id": page}], "more": True}, headers=figures)

    server = play(answers)
    budget = PostgresBudget(lambda: open_connection(warehouse_dsn, autocommit=True), "shop_api", reserve=0.0)
    with pytest.raises(BudgetWait, match="no call is left in this window"):
        collect(a_route("paging: {style: page, more: more}"), server, budget=budget)
    assert len(server.requests) == 2
    row = warehouse.execute("SELECT call_limit, remaining FROM etl.api_budget WHERE connection = 'shop_api'").fetchone()
    assert row == (60, 0)
    stored = warehouse.execute("SELECT count(*) FROM raw.client_shop_orders").fetchone()
    assert stored == (2,)


def test_a_window_that_is_used_up_is_waited_for_before_the_next_call(play: Server, read_all: Collect) -> None:
    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        left = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "20"} if page == 1 else {}
        return Answer({"data": [{"id": page}], "more": page < 2}, headers=left)

    sleeps: list[float] = []
    read_all(a_route("paging: {style: page, more: more}"), play(answers), sleeps=sleeps)
    assert len(sleeps) == 1
    assert 15 < sleeps[0] <= 20


@pytest.mark.parametrize(
    ("body", "limited"),
    [
        ({"error": {"errors": [{"reason": "userRateLimitExceeded"}], "message": "User Rate Limit Exceeded"}}, True),
        ([{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": "TotalRequests Limit exceeded."}], True),
        ({"message": "You have exceeded a secondary rate limit."}, True),
        ({"error": "quotaExceeded"}, True),
        ({"message": "This key has no access to limited editions"}, False),
        ({}, False),
    ],
)
def test_a_403_that_is_a_limit_skips_no_listing(play: Server, read_all: Collect, body: Any, limited: bool) -> None:
    server = play(lambda _: Answer(body, 403))
    with pytest.raises(RateLimitError if limited else ConfigurationError):
        read_all(a_route("paging: none\nquery: {shop: '{shop}'}\nfor_each: {shop: [a]}"), server)
    assert len(server.requests) == (2 if limited else 1)


def test_a_wait_that_a_good_answer_names(play: Server, read_all: Collect) -> None:
    """As Stack Exchange does it: whoever does not wait is refused."""

    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer({"data": [{"id": page}], "more": page < 3} | ({"backoff": 7} if page == 1 else {}))

    sleeps: list[float] = []
    keys = "paging: {style: page, more: more}"
    assert read_ids(read_all(a_route(keys), play(answers), sleeps=sleeps)) == [1, 2, 3]
    assert [round(one) for one in sleeps] == [7]


@pytest.mark.parametrize(
    ("status", "body", "wait"),
    [
        (400, {"error_name": "throttle_violation", "error_message": "too many requests, available in 9 seconds"}, 9.0),
        (403, {"message": "Rate limit reached. Please try again in 20s."}, 20.0),
        (420, {"error": "Enhance Your Calm"}, None),
        (429, {"message": "Retry after 3 seconds"}, 3.0),
    ],
)
def test_refusals_that_are_limits(play: Server, read_all: Collect, status: int, body: Any, wait: float | None) -> None:
    answers = iter([Answer(body, status), Answer({"data": [{"id": 1}, {"id": 2}]})])
    sleeps: list[float] = []
    found = read_all(a_route("paging: none"), play(lambda _: next(answers)), sleeps=sleeps)
    assert read_ids(found) == [1, 2]
    assert len(sleeps) == 1
    assert wait is None or sleeps == [wait]


def test_a_limit_of_a_parameter_is_no_rate_limit(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"message": "limit exceeded: at most 100 a page"}, 400))
    with pytest.raises(FatalApiError, match="HTTP 400"):
        read_all(a_route("paging: none"), server)
