"""How a request authenticates: header, query, token; and that a key in a query is nowhere else."""

from __future__ import annotations

import base64
import logging

import pytest

from sportmonks.errors import (
    ConfigurationError,
    FatalApiError,
)
from tests.harness.canary import KEY, found_in, rows_with
from tests.harness.routes import a_route, one_record
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server


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
    play: Server, collect: Collect, warehouse: Conn, caplog: pytest.LogCaptureFixture
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
