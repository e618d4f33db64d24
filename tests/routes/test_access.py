"""Credentials of a route beyond one password: several of them, keys as login, OAuth 2 with its parameters."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import psycopg
import pytest

from sportmonks.errors import ConfigurationError, FatalApiError
from sportmonks.routes.access import RouteAccess
from sportmonks.routes.spec import Route
from tests.harness.canary import KEY, found_in, rows_with
from tests.harness.routes import ORDERS, make_route, one_record
from tests.harness.shape_server import Answer, Play, Request
from tests.routes.conftest import Collect, Server

SECOND = "second-" + KEY[::-1]


def a_route(keys: str) -> Route:
    return make_route(f"retry_max: 0\n{keys}", f"{ORDERS}paging: none\n")


def basic(login: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{login}:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("keys", "login", "extra", "sent"),
    [
        ("auth: basic", KEY, {}, {"Authorization": basic(KEY, "")}),
        ("", KEY, {}, {"Authorization": basic(KEY, "")}),
        ("headers: {X-App-Id: '{login}'}", KEY, {}, {"X-App-Id": KEY, "Authorization": None}),
        ("headers: {X-App-Id: 'id {extra.app}'}", "", {"app": KEY}, {"X-App-Id": f"id {KEY}", "Authorization": None}),
    ],
)
def test_a_connection_without_a_password(
    play: Server, read_all: Collect, keys: str, login: str, extra: dict[str, str], sent: Mapping[str, str | None]
) -> None:
    server = play(one_record)
    assert read_all(a_route(keys), server, login=login, password="", extra=extra)["inserted"] == 1
    assert {name: server.requests[0].headers.get(name) for name in sent} == sent


def test_two_credentials_each_in_its_place(
    play: Server, collect: Collect, warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    """In the query also with the API's own links, which repeat them; in no log, table or error."""
    caplog.set_level(logging.DEBUG)

    def answers(request: Request) -> Answer:
        page = int(request.query.get("at", 1))
        if page == 3:
            return Answer({"message": f"no access for {SECOND}"}, 418)
        return Answer({"data": [{"id": page}], "next": f"/shops/north/orders?at={page + 1}&app={SECOND}&of=me+{KEY}"})

    keys = """
path: "/shops/{extra.shop}/orders"
auth: X-Api-Key
query: {app: "{extra.app}", of: "{shop} {login}", sort: id}
headers: {X-Two: "{extra.app}"}
paging: {style: next, next: next}
for_each: {shop: [me]}
"""
    server = play(answers)
    with pytest.raises(FatalApiError) as caught:
        collect(a_route(keys), server, login=KEY, password="the-password", extra={"app": SECOND, "shop": "north"})
    assert [request.path for request in server.requests] == ["/shops/north/orders"] * 3
    for request in server.requests:
        assert (request.query["app"], request.query["of"]) == (SECOND, f"me {KEY}")
        assert request.target.count("app=") == request.target.count("of=") == 1
        assert (request.headers["X-Api-Key"], request.headers["X-Two"]) == ("the-password", SECOND)
    assert [request.query.get("sort") for request in server.requests] == ["id", None, None]
    shown = f"{caplog.text} {caught.value}"
    assert not found_in(shown)
    assert SECOND not in shown
    assert rows_with(warehouse) == []


def test_credentials_in_a_body(play: Server, read_all: Collect) -> None:
    server = play(one_record)
    keys = 'auth: none\nbody: {client: "{login}", secret: "{password}", limit: 5, note: "{ a }"}'
    read_all(a_route(keys), server, login="007", password=KEY)
    assert server.requests[0].json == {"client": "007", "secret": KEY, "limit": 5, "note": "{ a }"}


def test_what_a_connection_lacks_is_named(play: Server, read_all: Collect) -> None:
    server = play(one_record)
    for keys, lack in (
        ("headers: {X-Id: '{extra.app}'}", r"shop_api has no app in its extra.*\{extra.app\}"),
        ("query: {user: '{login}'}", r"shop_api has no login.*\{login\}"),
        ("auth: {type: oauth2, token_url: /t, grant: refresh_token}", "shop_api has no refresh_token in its extra"),
    ):
        with pytest.raises(ConfigurationError, match=lack):
            read_all(a_route(keys), server)
    assert server.requests == []


def test_the_extra_of_a_connection() -> None:
    extra = {"app": "a", "number": 7, "flag": True, "nested": {"a": 1}, "verify": False}
    access = RouteAccess.of_connection(host="https://shop.example.com", extra=extra)
    assert access.credentials(["extra.app", "extra.number"], "x") == {"extra.app": "a", "extra.number": "7"}
    assert access.verify is False
    assert "number" not in repr(access)


def test_several_values_of_a_parameter(play: Server, read_all: Collect) -> None:
    server = play(
        lambda request: Answer({"data": [{"id": request.query["page"]}], "more": request.query["page"] < "2"})
    )
    keys = 'query: {"status[]": [open, closed], geo: [DE, "{land}"], one: [1], flag: true}\nfor_each: {land: [AT]}\n'
    route = a_route(keys + "paging: {style: page, more: more}")
    source = [{"land": "AT"}]
    assert route.query[0] == ("status[]", ("open", "closed"))
    from sportmonks.api.pagination import Paginator
    from sportmonks.routes.request import Slice, page_request

    sent = page_request(route, Slice(0, None, source[0]), Paginator.start(route.paging))
    assert sent.query == {
        "status[]": ["open", "closed"], "geo": ["DE", "AT"], "one": ["1"], "flag": "true", "page": "1",
    }  # fmt: skip
    read_all(a_route("query: {geo: [DE, AT]}\npaging: {style: page, more: more}"), server)
    pairs = [parse_qsl(request.target.partition("?")[2]) for request in server.requests]
    assert pairs == [[("geo", "DE"), ("geo", "AT"), ("page", page)] for page in "12"]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        ("query: {a: []}", r"query is \{'a': \[\]\}"),
        ("query: {api_key: abc}", r"holds api_key.*\{login\} or \{extra.NAME\}"),
        ("query: {api_key: [abc]}", "holds api_key"),
        ("headers: {X-User: '{username}'}", r"uses \{username\}.*\{login\}"),
        ("auth: {type: header, name: X, grant: refresh_token}", "grant does not apply to type header"),
        ("auth: {type: oauth2, token_url: /t, parameters: {shop: '{shop}'}}", r"uses \{shop\}"),
        ("auth: {type: oauth2, token_url: /t, grant: code}", "grant"),
        ("connection: sportmonks_api\nquery: {a: [1, 2]}", "several values of a"),
        ("connection: sportmonks_api\nquery: {a: '{login}'}", r"uses \{login\}"),
    ],
)
def test_what_cannot_be_meant(keys: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=problem):
        a_route(keys)


def test_for_each_may_give_a_login(play: Server, read_all: Collect) -> None:
    """A placeholder that the route gives itself is not the connection's."""
    server = play(one_record)
    from sportmonks.api.pagination import Paginator
    from sportmonks.routes.request import Slice, page_request

    route = a_route('path: "/users/{login}"\nfor_each: {login: [octocat]}')
    assert (
        page_request(route, Slice(0, None, {"login": "octocat"}), Paginator.start(route.paging)).path
        == "/users/octocat"
    )
    assert server.requests == []


def granting(tokens: list[dict[str, Any]]) -> Play:
    """Answers of a token's address, in order; the API takes the newest of these tokens once."""
    given: list[str] = []

    def play(request: Request) -> Answer:
        if request.path == "/token":
            token = tokens[len(given)]
            given.append(token["access_token"])
            return Answer(token)
        if request.headers["Authorization"] != f"Bearer {given[-1]}":
            return Answer({}, 401)
        page = int(request.query["page"])
        return Answer({"data": [{"id": page}], "more": page < 2})

    return play


@pytest.mark.parametrize("credentials", ["body", "json"])
def test_what_is_sent_with_the_request_of_a_token(play: Server, read_all: Collect, credentials: str) -> None:
    keys = f"""
auth:
  type: oauth2
  token_url: /token
  credentials: {credentials}
  parameters: {{audience: "https://api.example.com", account: "{{extra.account}}"}}
paging: {{style: page, more: more}}
"""
    server = play(granting([{"access_token": "t" * 20}]))
    assert read_all(a_route(keys), server, login="me", password=KEY, extra={"account": "a1"})["inserted"] == 2
    body = server.requests[0].body.decode()
    assert (dict(parse_qsl(body)) if credentials == "body" else json.loads(body)) == {
        "client_id": "me", "client_secret": KEY, "grant_type": "client_credentials",
        "audience": "https://api.example.com", "account": "a1",
    }  # fmt: skip


def test_parameters_may_name_another_grant(play: Server, read_all: Collect) -> None:
    keys = """
auth:
  type: oauth2
  token_url: /token
  credentials: basic
  parameters: {grant_type: password, username: "{extra.user}", password: "{extra.pass}"}
paging: {style: page, more: more}
"""
    server = play(granting([{"access_token": "t" * 20}]))
    read_all(a_route(keys), server, login="me", password=KEY, extra={"user": "u", "pass": "p"})
    sent = dict(parse_qsl(server.requests[0].body.decode()))
    assert sent == {"grant_type": "password", "username": "u", "password": "p"}


def test_a_refresh_token(play: Server, read_all: Collect, caplog: pytest.LogCaptureFixture) -> None:
    """Also of a client without a secret. The API renews it with each token: the newest one is sent."""
    tokens = [
        {"access_token": f"access-{n}-{KEY}", "expires_in": 0, "refresh_token": f"refresh-{n}-{KEY}"} for n in (1, 2)
    ]
    server = play(granting(tokens))
    keys = "auth: {type: oauth2, token_url: /token, grant: refresh_token}\npaging: {style: page, more: more}"
    assert read_all(a_route(keys), server, login="me", password="", extra={"refresh_token": SECOND})["inserted"] == 2
    sent = [dict(parse_qsl(request.body.decode())) for request in server.requests if request.path == "/token"]
    assert sent == [
        {"client_id": "me", "grant_type": "refresh_token", "refresh_token": text}
        for text in (SECOND, f"refresh-1-{KEY}")
    ]
    assert caplog.text.count("has renewed the refresh token of shop_api") == 2
    assert not found_in(caplog.text)
