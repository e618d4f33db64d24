"""What a request sends: templates of path, query and body."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

import pytest

from sportmonks.api.pagination import Paginator
from sportmonks.errors import TransientApiError
from sportmonks.routes.extract import RouteRequest, estimate, make_plan
from sportmonks.routes.parse import parse_route
from sportmonks.routes.request import Slice, page_request
from tests.harness.routes import a_route, read_ids
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Server


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


def test_json_of_the_body_is_what_is_sent() -> None:
    assert json.loads(a_route("body: {a: [1, {b: null}], c: 1.5}\npaging: none").body or "") == {
        "a": [1, {"b": None}],
        "c": 1.5,
    }


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


def test_the_estimate_shows_what_would_be_sent() -> None:
    keys = "body: {since: '{since}', after: '{cursor}'}\nperiod: {date_from: since}\n"
    route = a_route(f"{keys}paging: {{style: cursor, next: next}}")
    plan = make_plan(route, RouteRequest(date_from=date(2025, 12, 1)), [{}], None, date(2025, 12, 31))
    assert estimate(route, plan)["first_request"].startswith('POST /orders {} {"since": "2025-12-01", "after":')


@pytest.mark.parametrize("item", ["a/b", "ü ß", "a?b#c&d=e%20", "a+b", "{x}", "日本"])
def test_items_arrive_as_they_are(play: Server, read_all: Collect, item: str) -> None:
    """In a path, in the query and in a header."""

    def answers(request: Request) -> Answer:
        header = request.headers["X-Shop"].encode("latin-1").decode()
        return Answer({"data": [{"id": [unquote(request.path.split("/")[2]), request.query["q"], header]}]})

    places = "path: /shops/{shop}/orders\nquery: {q: '{shop}'}\nheaders: {X-Shop: '{shop}'}\n"
    keys = f"{places}paging: none\nfor_each: {{shop: [x]}}"
    assert read_ids(read_all(a_route(keys), play(answers), items=[{"shop": item}])) == [[item] * 3]
