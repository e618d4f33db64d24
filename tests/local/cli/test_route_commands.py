"""`./etl routes new`, `try` and `run`: what they print, their exit codes, and that no credential is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local.cli import route_run
from local.errors import LocalError, UsageError
from tests.harness.shape_server import Answer, Play, Request, ShapeServer, playing

KEY = "The-key-nobody-may-see"
ROUTE = """
client: shop
route: orders
connection: shop_api
path: /orders
paging: {style: cursor, parameter: at, next: next}
records: rows
date_field: day
key: [id]
period: {date_from: from, date_to: to}
"""
PAGE = {"rows": [{"id": n, "day": "2025-12-05", "note": "\x1b[31mred\u202e"} for n in range(3)], "next": "c2"}


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Play], ShapeServer]]:
    """``play(function)`` -> a running server, to which the connection shop_api leads."""
    with ExitStack() as stack:

        def start(function: Play) -> ShapeServer:
            server = stack.enter_context(playing(function))
            fields = {"conn_type": "http", "host": server.url, "password": KEY}
            monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", json.dumps(fields))
            return server

        yield start


def test_a_good_page_is_shown(
    routes_etl: Callable[..., int], play: Callable[..., ShapeServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server = play(lambda _: Answer(PAGE, headers={"X-Total-Count": "9"}))
    (tmp_path / "orders.yaml").write_text(ROUTE)
    assert routes_etl("try", "shop.orders", "--from", "2025-12-01", "--to", "2025-12-31") == 0
    shown = capsys.readouterr().out
    assert f"GET {server.url}/orders?from=2025-12-01&to=2025-12-31\n" in shown
    assert "HTTP 200, application/json" in shown
    assert "3 of 2025-12-05" in shown
    assert '"id": 0,' in shown
    assert "day (iso)" in shown
    assert "cursor next = c2" in shown
    assert "not yet; it will be known when next is missing" in shown
    assert f"next           GET {server.url}/orders?from=2025-12-01&to=2025-12-31&at=c2" in shown
    assert KEY not in shown
    assert "\x1b[31m" not in shown
    assert "\u202e" not in shown
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "message", "hint"),
    [
        (
            Answer({"message": f"bad key {KEY}"}, 401, {"WWW-Authenticate": "Basic realm=x"}),
            "HTTP 401 (bad key ***): the API does not accept the login",
            "the connection shop_api, and auth in the route; the API asks for basic",
        ),
        (Answer({}, 403), "HTTP 403: this login may not read it", "check the rights of the key"),
        (
            Answer({"error": "no such path"}, 404),
            "HTTP 404 (no such path): there is nothing at this address",
            "check path",
        ),
        (
            Answer({}, 302, {"Location": "https://www.example.org/login?a=b"}),
            "the host redirects to https://www.example.org/login",
            "set the host",
        ),
        (Answer({}, 429, {"Retry-After": "7"}), "HTTP 429: too many calls", "try again in 7 s"),
        (Answer({}, 503), "HTTP 503: the API has a fault just now", "try again later"),
        (
            Answer({"detail": "from is no day"}, 422),
            "HTTP 422 (from is no day): the API refuses the request",
            "names and format of the period",
        ),
        (
            Answer({"row": [{"id": 1}], "tags": [{"x": 1}, {"x": 2}]}),
            "there is no list at 'rows'",
            "write records: row, where 1 record of this answer lies (others: tags)",
        ),
        (Answer({"id": 1}), "there is no list at 'rows'", "records: . with records_as: object"),
        (
            Answer(b"<!doctype html><html>"),
            "the answer is a web page (HTML), which routes do not read",
            "Check host and path",
        ),
        (Answer(b"<?xml version='1.0'?><a/>"), "the answer is XML", "request JSON"),
        (Answer(b"{broken"), "the answer is no valid JSON", "curl"),
        (
            Answer({"rows": [], "errors": ["no rights"]}),
            "the answer holds an error (errors: no rights)",
            "error_fields",
        ),
    ],
)
def test_what_is_wrong_has_a_sentence_and_a_hint(
    routes_etl: Callable[..., int],
    play: Callable[..., ShapeServer],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    answer: Answer,
    message: str,
    hint: str,
) -> None:
    play(lambda _: answer)
    file = tmp_path / "orders.yaml"
    file.write_text(ROUTE)
    assert routes_etl("try", str(file)) == 1
    shown = capsys.readouterr()
    assert message in shown.err
    assert hint in shown.err
    assert KEY not in shown.out + shown.err


def test_a_further_page_that_is_not_followed(
    routes_etl: Callable[..., int], play: Callable[..., ShapeServer], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(lambda _: Answer({"rows": [{"id": 1}], "links": {"next": "/orders?p=2"}}))
    (tmp_path / "orders.yaml").write_text(
        "client: shop\nroute: orders\nconnection: shop_api\npath: /orders\nrecords: rows\n"
    )
    assert routes_etl("try", "orders") == 1
    shown = capsys.readouterr().err
    assert "it names a further page at links.next, and the route does not follow it" in shown
    assert "write paging: {style: next, next: links.next}, or paging: none" in shown


def test_credentials_come_from_the_environment_or_not_at_all(
    routes_etl: Callable[..., int], play: Callable[..., ShapeServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = play(lambda _: Answer(PAGE))
    (tmp_path / "orders.yaml").write_text(ROUTE)
    monkeypatch.setenv("OTHER", "Another-token-of-mine")
    assert routes_etl("try", "orders", "--token-env", "OTHER") == 0
    assert routes_etl("try", "orders") == 0
    assert [request.headers["Authorization"] for request in server.requests] == [
        "Bearer Another-token-of-mine",
        f"Bearer {KEY}",
    ]
    with pytest.raises(UsageError, match="--token-env does not name an environment variable that is set"):
        routes_etl("try", "orders", "--token-env", "Another-token-of-mine")
    monkeypatch.delenv("AIRFLOW_CONN_SHOP_API")
    with pytest.raises(LocalError, match="there is no connection shop_api") as caught:
        routes_etl("try", "orders")
    assert "AIRFLOW_CONN_SHOP_API='{" in caught.value.hint
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", '{"password": "half')
    with pytest.raises(LocalError, match="AIRFLOW_CONN_SHOP_API cannot be read") as caught:
        routes_etl("try", "orders")
    assert "half" not in str(caught.value)


def test_nothing_answers(routes_etl: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_SHOP_API", '{"conn_type": "http", "host": "http://127.0.0.1:9"}')
    (tmp_path / "orders.yaml").write_text(ROUTE)
    with pytest.raises(LocalError, match="/orders") as caught:
        routes_etl("try", "orders")
    assert "check the host of the connection shop_api" in caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("try", "order"), "order is no route"),
        (("try", "orders", "--from", "5.12.2025"), "--from is '5.12.2025'"),
        (("try", "orders", "--from", "2025-12-31", "--to", "2025-12-01"), "is after"),
        (("try", "orders", "--item", "a=b"), "has no for_each"),
        (("run", "orders", "--from", "2025-12-31", "--to", "2025-12-01"), "--from 2025-12-31 is after"),
        (("run", "orders", "--timeout", "0"), "--timeout 0"),
        (("run", "other"), "other is no route"),
        (("new",), "the address is not given"),
        (("new", "api.example.com/orders", "--name", "a.b"), "does not begin with http"),
        (("new", "https://api.example.com/orders"), "--name CLIENT.ROUTE is not given"),
        (("new", "https://api.example.com/orders", "--name", "orders"), "is not CLIENT.ROUTE"),
        (("new", "https://api.example.com/o?api_key=S3cret99", "--name", "a.b"), "holds a key (api_key)"),
        (("new", "https://me:S3cret99@api.example.com/o", "--name", "a.b"), "holds a login"),
        (("new", "https://api.example.com/o", "--name", "a.b", "--auth", "a b"), "--auth a b is unknown"),
        (("new", "https://api.example.com/o", "--name", "a.b", "--header", "x"), "--header x has no colon"),
        (("new", "https://api.example.com/o", "--name", "a.b", "--body", "{"), "--body is no JSON"),
        (("new", "https://api.example.com/o", "--name", "shop.orders"), "orders.yaml exists"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_starts(
    routes_etl: Callable[..., int], tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    (tmp_path / "orders.yaml").write_text(ROUTE)
    (tmp_path / "shop_orders.yaml").write_text(ROUTE.replace("route: orders", "route: others"))
    with pytest.raises(UsageError) as caught:
        routes_etl(*arguments)
    assert message in caught.value.message
    assert caught.value.hint
    assert "S3cret99" not in str(caught.value)


def test_new_says_how_to_authenticate(
    routes_etl: Callable[..., int], play: Callable[..., ShapeServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answers(request: Request) -> Answer:
        return Answer([{"id": 1}]) if request.query.get("apikey") == KEY else Answer({"message": "who?"}, 401)

    server = play(answers)
    address = (f"{server.url}/orders", "--name", "other.orders")
    with pytest.raises(LocalError, match=r"HTTP 401 \(who\?\): the API does not accept the login") as caught:
        routes_etl("new", *address)
    assert "--token-env VARIABLE, and --auth" in caught.value.hint
    monkeypatch.setenv("TOKEN", KEY)
    assert routes_etl("new", *address, "--token-env", "TOKEN", "--auth", "query:apikey") == 0
    text = (tmp_path / "other_orders.yaml").read_text()
    assert "auth: {type: query, name: apikey}" in text
    assert KEY not in text
    assert routes_etl("check") == 0


@pytest.mark.parametrize(
    "answer",
    [Answer(b"<html>"), Answer(b"<a/>"), Answer(b"nothing"), Answer({"error": {"code": "maxlag", "info": "busy"}})],
)
def test_new_writes_nothing_for_what_is_no_list(
    routes_etl: Callable[..., int], play: Callable[..., ShapeServer], tmp_path: Path, answer: Answer
) -> None:
    server = play(lambda _: answer)
    with pytest.raises(LocalError):
        routes_etl("new", f"{server.url}/orders", "--name", "shop.orders", "--connection", "shop_api")
    assert not list(tmp_path.glob("*.yaml"))
    with pytest.raises(UsageError, match=r"the connection leads to .*, and the address to https://other"):
        routes_etl("new", "https://other.example.com/orders", "--name", "shop.orders", "--connection", "shop_api")


def test_progress_and_result_of_a_run() -> None:
    from tests.harness.routes import make_route

    counters = {"pages": 3, "records": 1200, "seconds": 2.0, "inserted": 1000, "duplicates": 200, "end_total": 2}
    counters |= {"unproven": 1, "failed": 4}
    row = {"slices": 4, "slice_index": 1, "counters": counters, "date_from": "2025-12-01", "date_to": "2025-12-31"}
    assert route_run.progress_text("queued", {}) == "queued"
    assert route_run.progress_text("running", row) == "running, 3 pages, 1,200 records, 600 records/s, listing 2 of 4"
    assert list(route_run.result_lines(row, make_route())) == [
        "records    1,200 of 2025-12-01 to 2025-12-31 in 3 pages, 2.0 s, 600 records/s",
        "stored     1,000 new, 200 known, into raw.client_shop_orders",
        "of these   4 rejected",
        "the end    total",
        "warning    1 listing may be short; the next run reads its days again",
    ]
