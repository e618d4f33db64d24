"""One request of a route, looked at without a database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

import pytest

from sportmonks.routes.access import RouteAccess
from sportmonks.routes.guess import dates_found, paging_found, records_found
from sportmonks.routes.parse import parse_route
from sportmonks.routes.period import Window
from sportmonks.routes.preview import Preview, preview
from sportmonks.routes.source import RestSource
from tests.harness.shape_server import Answer, Play, Request, ShapeServer
from tests.routes.conftest import TODAY

Server = Callable[[Play], ShapeServer]
KEY = "A-key-that-nobody-shows"
BODY = {
    "orders": [{"id": 1, "created": "2025-12-05T10:00:00Z", "paid": {"at": 1764892800}}, {"id": 2, "created": "x"}],
    "links": {"next": {"href": "/orders?at=2"}},
    "total": 9,
}


@contextmanager
def looking(server: ShapeServer, keys: str) -> Iterator[Callable[[], Preview]]:
    route = parse_route(f"client: shop\nroute: orders\nconnection: shop_api\npath: /orders\n{keys}")
    source = RestSource(route, RouteAccess(server.url, password=KEY))
    window = Window(date(2025, 12, 1), date(2025, 12, 31)) if route.period else None
    try:
        yield lambda: preview(route, source, window=window, today=TODAY)
    finally:
        source.close()


def test_a_page_that_leads_on(play: Server) -> None:
    server = play(lambda _: Answer(BODY, headers={"X-Total-Count": "9"}))
    keys = """
records: orders
date_field: created
period: {date_from: from, date_to: to}
paging: {style: next, next: links.next.href}
"""
    with looking(server, keys) as look:
        found = look()
    assert (found.status, found.problem, found.records, found.undated, found.end) == (200, "", 2, 1, "")
    assert found.request.query == {"from": "2025-12-01", "to": "2025-12-31"}
    assert found.next_request is not None
    assert found.next_request.link == "/orders?at=2"
    assert found.first_record == BODY["orders"][0]  # type: ignore[index]
    assert found.days == (date(2025, 12, 5), date(2025, 12, 5))
    assert found.dates == (("created", "iso"), ("paid.at", "epoch"))
    assert [(one.kind, one.path) for one in found.paging] == [
        ("link", "links.next.href"),
        ("total", "total"),
        ("total", "header.X-Total-Count"),
    ]
    assert found.lists == (("orders", 2),)
    assert KEY not in repr(found)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("answer", "keys", "problem"),
    [
        (Answer({"message": f"unknown key {KEY}"}, 401), "paging: none", "HTTP 401 (unknown key ***): stop:"),
        (Answer({"message": "busy"}, 503), "paging: none", "HTTP 503 (busy): retry"),
        (Answer(BODY), "paging: none", "there is no list at 'data'. The answer has: links, orders, total"),
        (Answer(b"<html>"), "paging: none", "a web page (HTML)"),
        (Answer(BODY), "records: orders", "it names a further page at links.next.href"),
        (Answer({"data": [], "errors": ["no"]}), "paging: none", "the answer holds an error"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_an_answer(play: Server, answer: Answer, keys: str, problem: str) -> None:
    with looking(play(lambda _: answer), keys) as look:
        assert problem in look().problem


def test_the_last_page(play: Server) -> None:
    def answers(request: Request) -> Answer:
        return Answer({"data": [{"id": 1}], "next": None})

    with looking(play(answers), "paging: {style: cursor, parameter: at, next: next}") as look:
        found = look()
    assert (found.end, found.next_request) == ("no_next", None)


def test_what_is_recognised() -> None:
    body = b'{"response_metadata": {"next_cursor": "c2"}, "has_more": true, "paging": {"next": {"after": "7"}}}'
    assert [(one.kind, one.path) for one in paging_found({}, body)] == [
        ("cursor", "paging.next.after"),
        ("cursor", "response_metadata.next_cursor"),
        ("flag", "has_more"),
    ]
    assert records_found(b'{"a": {"items": [{"id": 1}]}, "data": [{"id": 1}, {"id": 2}], "tags": ["x"]}') == [
        ("data", 2),
        ("a.items", 1),
    ]
    assert records_found(b"[[1, 2]]") == [(".", 1)]
    assert dates_found({"day": "2025-12-05", "ms": "1764892800000", "price": 1764, "name": "2025"}) == [
        ("day", "iso"),
        ("ms", "epoch_ms"),
    ]
