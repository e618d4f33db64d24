"""What a route sends: authentication, templates, periods; and how it reads limits and bodies of other APIs."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import psycopg
import pytest
from requests.structures import CaseInsensitiveDict

from sportmonks.api.budget import PostgresBudget
from sportmonks.api.pagination import Paginator
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    RateLimitError,
    TransientApiError,
)
from sportmonks.routes.extract import RouteRequest, estimate, make_plan
from sportmonks.routes.json_path import next_link
from sportmonks.routes.limits import read_limits, wait_named
from sportmonks.routes.parse import parse_route
from sportmonks.routes.period import Window, local_today, request_parameters
from sportmonks.routes.request import Slice, page_request
from sportmonks.routes.spec import PeriodSpec, Route
from sportmonks.warehouse.connection import open_connection
from tests.harness.canary import KEY, found_in, rows_with
from tests.harness.shape_server import Answer, Play, Request, ShapeServer
from tests.routes.conftest import Collect

Server = Callable[[Play], ShapeServer]
NOW = datetime(2025, 12, 5, 12, tzinfo=UTC)


def a_route(keys: str = "") -> Route:
    head = "client: shop\nroute: orders\nconnection: shop_api\npath: /orders\nretry_max: 1\n"
    return parse_route(head + keys)


def one_record(_: Request) -> Answer:
    return Answer({"data": [{"id": 1}]})


@pytest.mark.parametrize(
    ("auth", "login", "name", "value"),
    [
        ("bearer", "", "Authorization", f"Bearer {KEY}"),
        ("X-Api-Key", "", "X-Api-Key", KEY),
        ("{type: header, name: Authorization, prefix: 'Token '}", "", "Authorization", f"Token {KEY}"),
        ("auto", "me", "Authorization", "Basic"),
        ("none", "", "Authorization", None),
    ],
)
def test_headers_that_authenticate(
    play: Server, read_all: Collect, auth: str, login: str, name: str, value: str | None
) -> None:
    server = play(one_record)
    read_all(a_route(f"auth: {auth}\npaging: none"), server, login=login, password=KEY)
    sent = server.requests[0].headers.get(name)
    assert (sent or "").partition(" ")[0] == "Basic" if value == "Basic" else sent == value


def test_a_key_in_the_query_is_nowhere_else(
    play: Server, collect: Collect, warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the log, not even urllib3's, nor in a stored page state, though the API's own links repeat it."""
    caplog.set_level(logging.DEBUG)

    def answers(request: Request) -> Answer:
        assert request.query["app_id"] == KEY
        page = int(request.query.get("at", 1))
        if page == 3:
            return Answer({"message": f"no access for {KEY}"}, 418)
        return Answer({"data": [{"id": page}], "next": f"/orders?at={page + 1}&app_id={KEY}"})

    server = play(answers)
    keys = "auth: {type: query, name: app_id}\npaging: {style: next, next: next}"
    with pytest.raises(FatalApiError) as caught:
        collect(a_route(keys), server, password=KEY)
    assert [request.query.get("at") for request in server.requests] == [None, "2", "3"]
    assert not found_in(caplog.text + str(caught.value))
    assert rows_with(warehouse) == []


def test_a_short_key_in_the_query_is_no_part_of_a_link(play: Server, read_all: Collect) -> None:
    """Too short to be masked wherever it occurs."""

    def answers(request: Request) -> Answer:
        page = int(request.query.get("at", 1))
        following = f"/orders?k=abc&at={page + 1}" if page < 3 else None
        return Answer({"data": [{"id": page}], "next": following})

    server = play(answers)
    keys = "auth: {type: query, name: k}\npaging: {style: next, next: next}"
    assert read_all(a_route(keys), server, password="abc")["inserted"] == 3
    assert [sorted(request.query.items()) for request in server.requests][1] == [("at", "2"), ("k", "abc")]
    assert all(request.target.count("k=abc") == 1 for request in server.requests)


def test_client_credentials_that_are_wrong(play: Server, read_all: Collect) -> None:
    route = a_route("auth: {type: oauth2, token_url: /token}\npaging: none")
    with pytest.raises(ConfigurationError, match=r"HTTP 401 \(no such client\).*login \(client id\)"):
        read_all(route, play(lambda _: Answer({"error_description": "no such client"}, 401)))
    # A token that the API does not take is fetched once more only if it has worked before.
    tokens = play(lambda request: Answer({"access_token": "t" * 20} if request.path == "/token" else {}, 401))
    tokens.play = lambda request: Answer({"access_token": "t" * 20}) if request.path == "/token" else Answer({}, 401)
    with pytest.raises(ConfigurationError, match="Check login and password"):
        read_all(route, tokens)
    assert len(tokens.requests) == 2


def test_client_credentials_in_a_header(play: Server, read_all: Collect) -> None:
    """The token is fetched once for all pages, and again only shortly before it ends."""
    lives = [3600, 0]  # of the tokens of the two runs

    def answers(request: Request) -> Answer:
        if request.path == "/token":
            basic = base64.b64encode(f"me:{KEY}".encode()).decode()
            good = request.headers["Authorization"] == f"Basic {basic}" and KEY not in request.body.decode()
            return Answer({"access_token": "token-of-the-run", "expires_in": lives[0]}, 200 if good else 400)
        page = int(request.query["page"])
        allowed = request.headers["Authorization"] == "Bearer token-of-the-run"
        return Answer({"data": [{"id": page}], "more": page < 3}, 200 if allowed else 401)

    route = a_route("auth: {type: oauth2, token_url: /token, credentials: basic}\npaging: {style: page, more: more}")
    for tokens in (1, 3):
        server = play(answers)
        assert read_all(route, server, login="me", password=KEY)["inserted"] == 3
        assert [request.path for request in server.requests].count("/token") == tokens
        lives.pop(0)


def test_a_token_whose_address_says_what_is_granted(play: Server, read_all: Collect) -> None:
    """As Zoom does it; some APIs answer with 201."""
    url = "/token?grant_type=account_credentials&account_id=a1"
    route = a_route(f"auth: {{type: oauth2, token_url: '{url}', credentials: basic}}\npaging: none")
    server = play(
        lambda request: Answer({"access_token": "t" * 20}, 201) if request.path == "/token" else one_record(request)
    )
    assert read_all(route, server, login="me", password=KEY)["inserted"] == 1
    token = server.requests[0]
    assert (token.query, token.body) == ({"grant_type": "account_credentials", "account_id": "a1"}, b"")


def test_a_template_in_the_body_keeps_types(play: Server, collect: Collect) -> None:
    bodies: list[Any] = []

    def answers(request: Request) -> Answer:
        bodies.append(request.json)
        more = len(bodies) < 2
        return Answer({"data": [{"id": len(bodies)}], "next": [1, "x"] if more else None})

    keys = """
body: {from: "{since}", text: "{since!s}", page: {size: "{size}", after: "{cursor}"}, note: "days of {shop}", list: [1]}
period: {date_from: since, format: epoch, first_days: 1}
paging: {style: cursor, next: next, size: 5}
for_each: {shop: [north]}
"""
    collect(a_route(keys), play(answers))
    begin = int(datetime(2025, 12, 30, tzinfo=UTC).timestamp())
    first = {"from": begin, "text": str(begin), "page": {"size": 5}, "note": "days of north", "list": [1]}
    assert bodies == [first, {**first, "page": {"size": 5, "after": [1, "x"]}}]


def test_graphql(play: Server, read_all: Collect) -> None:
    """A list that is null when there is nothing, errors beside null, and braces that are no placeholders."""
    keys = """
path: /graphql
body:
  query: "query($after: String) { orders(first: 2, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } } }"
  variables: {after: "{cursor}"}
paging: {style: cursor, next: data.orders.pageInfo.endCursor, more: data.orders.pageInfo.hasNextPage}
records: data.orders.nodes
"""
    route = parse_route("client: shop\nroute: orders\nconnection: shop_api\nretry_max: 0\n" + keys)

    def answers(request: Request) -> Answer:
        at = int(request.json["variables"].get("after", "c0")[1:])
        info = {"hasNextPage": at < 2, "endCursor": f"c{at + 1}"}
        return Answer({"data": {"orders": {"nodes": [{"id": at}], "pageInfo": info}}})

    assert read_all(route, play(answers))["inserted"] == 3
    nothing = play(lambda _: Answer({"data": {"orders": None}}))
    assert read_all(route, nothing)["records"] == 0
    failing = play(lambda _: Answer({"data": None, "errors": [{"message": "no such field"}]}))
    with pytest.raises(TransientApiError, match="errors: no such field"):
        read_all(route, failing)


def test_values_are_quoted_in_paths_and_braces_are_kept() -> None:
    keys = """query: {q: '{"a": 1}', shop: "{shop}"}\nfor_each: {shop: [a/b c]}\n"""
    route = replace(a_route(keys), path="/shops/{shop}/orders")
    sent = page_request(route, Slice(0, None, {"shop": "a/b c"}), Paginator.start(route.paging))
    assert sent.path == "/shops/a%2Fb%20c/orders"
    assert sent.query == {"q": '{"a": 1}', "shop": "a/b c"}


def test_an_item_that_no_path_can_name_is_skipped(play: Server, collect: Collect) -> None:
    """A client makes ``/shops/orders`` of ``/shops/./orders``: another listing, under the name of this one."""
    keys = "paging: none\nfor_each: {shop: ['.', '..', a.b]}\nquery: {s: '{shop}'}"
    server = play(lambda request: Answer({"data": [{"id": request.path}]}))
    summary = collect(replace(a_route(keys), path="/shops/{shop}"), server)
    assert (summary["inserted"], summary["skipped"]) == (1, 2)
    assert [request.path for request in server.requests] == ["/shops/a.b"]


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        ({"format": "%Y-%m-%d"}, ("2025-03-29", "2025-03-30")),
        ({"format": "%Y-%m-%d", "from_exclusive": True}, ("2025-03-28", "2025-03-30")),
        ({"format": "iso", "timezone": "Europe/Berlin"}, ("2025-03-28T23:00:00Z", "2025-03-30T21:59:59Z")),
        ({"format": "iso", "from_exclusive": True}, ("2025-03-28T23:59:59Z", "2025-03-30T23:59:59Z")),
        ({"format": "epoch", "timezone": "America/New_York"}, ("1743220800", "1743393599")),
        ({"format": "epoch_ms"}, ("1743206400000", "1743379199999")),
        ({"format": "%Y-%m-%dT%H:%M:%S.%f"}, ("2025-03-29T00:00:00.000000", "2025-03-30T23:59:59.999999")),
        ({"format": "%d/%m/%Y"}, ("29/03/2025", "30/03/2025")),
        ({"format": "week"}, ("2025-W13", "2025-W13")),
        ({"format": "%Y-%m-%dT%H:%M:%S%z", "timezone": "Europe/Berlin"},
         ("2025-03-29T00:00:00+0100", "2025-03-30T23:59:59+0200")),
    ],
)  # fmt: skip
def test_forms_of_a_period(period: dict[str, Any], expected: tuple[str, str]) -> None:
    """Over the night in which summer time begins."""
    window = Window(date(2025, 3, 29), date(2025, 3, 30))
    assert tuple(request_parameters(PeriodSpec("a", "b", **period), window).values()) == expected
    assert request_parameters(PeriodSpec("a", **period), window) == {"a": expected[0]}


@pytest.mark.parametrize(
    ("form", "period", "sent", "first"),
    [
        ("%Y-%m", "max_days: 31", ["2025-11 2025-11", "2025-12 2025-12"], "2025-11-01"),
        ("%Y-%m", "to_exclusive: true", ["2025-11 2026-01"], "2025-11-01"),
        ("week", "max_days: 25", ["2025-W46 2025-W48", "2025-W49 2025-W51"], "2025-11-10"),
    ],
)
def test_a_report_of_months_or_weeks_is_stored_with_its_corrections(
    play: Server,
    collect: Collect,
    warehouse: psycopg.Connection[Any],
    form: str,
    period: str,
    sent: list[str],
    first: str,
) -> None:
    """Its records have the day on which their month begins, which may lie before the days of the run."""
    written = "%G-W%V" if form == "week" else form
    totals: dict[str, int] = {}

    def report(request: Request) -> Answer:
        begin, end = (request.query[name] for name in ("from", "to"))
        days = [date(2025, 11, 1) + timedelta(days=n) for n in range(61)]
        units = sorted({day.strftime(written) for day in days})
        inside = [one for one in units if begin <= one and (one < end if "exclusive" in period else one <= end)]
        return Answer({"data": [{"unit": one, "total": totals.get(one, 0)} for one in inside]})

    server = play(report)
    route = a_route(
        f"key: [unit]\ndate_field: unit\ndate_format: '{form}'\npaging: none\n"
        f"period: {{date_from: from, date_to: to, format: '{form}', first_days: 38, {period}}}\n"
    )
    summary = collect(route, server, today=date(2025, 12, 20))
    assert [" ".join(request.query[name] for name in ("from", "to")) for request in server.requests] == sent
    assert (summary["out_of_range"], summary["failed"]) == (0, 0)
    days = "SELECT min(reference_date), count(*) FROM raw.client_shop_orders"
    assert warehouse.execute(days).fetchone() == (date.fromisoformat(first), summary["records"])
    last = date(2025, 12, 20).strftime(written)
    totals[last] = 7
    corrected = collect(route, server, today=date(2025, 12, 20), execution_id="etl_2")
    assert (corrected["out_of_range"], corrected["inserted"]) == (0, 1)
    newest = "SELECT payload ->> 'total' FROM raw.client_shop_orders_latest WHERE record_key = %s"
    assert warehouse.execute(newest, (last,)).fetchone() == ("7",)


@pytest.mark.parametrize(
    ("form", "max_days", "units"),
    [
        ("%Y-%m", 31, ["2025-11", "2025-12"]),
        ("%Y-%m", 1, ["2025-11", "2025-12"]),
        ("week", 7, ["2025-W48", "2025-W49", "2025-W50", "2025-W51"]),
        ("date", 1, [f"2025-11-{day}" for day in range(28, 31)] + [f"2025-12-{day:02}" for day in range(1, 21)]),
    ],
)
def test_an_api_of_one_day_or_month_a_request(
    play: Server, collect: Collect, form: str, max_days: int, units: list[str]
) -> None:
    period = f"{{date_from: unit, format: '{form}', max_days: {max_days}, first_days: 22}}"
    server = play(lambda request: Answer({"data": [{"id": request.path}]}))
    route = replace(a_route(f"paging: none\nkey: [id]\nperiod: {period}"), path="/reports/{unit}")
    summary = collect(route, server, today=date(2025, 12, 20))
    assert summary["inserted"] == len(units)
    assert [request.target for request in server.requests] == [f"/reports/{unit}" for unit in units]


def test_today_is_that_of_the_zone() -> None:
    late = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert local_today(late, PeriodSpec("a", timezone="Europe/Berlin")) == date(2026, 1, 1)
    assert local_today(late, None) == date(2025, 12, 31)


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
    play: Server, collect: Collect, warehouse: psycopg.Connection[Any], warehouse_dsn: str
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


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://a/x?page=2>; rel="next"', "https://a/x?page=2"),
        ('</x?a=1,2;3>; title="a, b"; REL="last Next"', "/x?a=1,2;3"),
        ("<?p=1>; rel=prev, <?p=3>; rel=next", "?p=3"),
        ('<?p=1>; rel="nextish"', None),
        ("", None),
    ],
)
def test_the_link_header(header: str, expected: str | None) -> None:
    assert next_link(CaseInsensitiveDict({"link": header})) == expected


@pytest.mark.parametrize("path", ["next", "'\"paging.next\"'", "'links[rel=next].href'", "'@odata.nextLink'"])
def test_where_the_next_link_is(play: Server, read_all: Collect, path: str) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query.get("at", 1))
        link = f"?at={at + 1}" if at < 3 else None
        places = {"next": link, "paging.next": link, "@odata.nextLink": link}
        found = {name: value for name, value in places.items() if name in path}
        links = [{"rel": "self", "href": "?"}, {"rel": "next", "href": link}]
        return Answer({"data": [{"id": at}], "links": links, **found})

    assert read_all(a_route(f"paging: {{style: next, next: {path}}}"), play(answers))["inserted"] == 3


def test_the_estimate_shows_what_would_be_sent() -> None:
    keys = "body: {since: '{since}', after: '{cursor}'}\nperiod: {date_from: since}\n"
    route = a_route(f"{keys}paging: {{style: cursor, next: next}}")
    plan = make_plan(route, RouteRequest(date_from=date(2025, 12, 1)), [{}], None, date(2025, 12, 31))
    assert estimate(route, plan)["first_request"].startswith('POST /orders {} {"since": "2025-12-01", "after":')


def test_json_of_the_body_is_what_is_sent() -> None:
    assert json.loads(a_route("body: {a: [1, {b: null}], c: 1.5}\npaging: none").body or "") == {
        "a": [1, {"b": None}],
        "c": 1.5,
    }
