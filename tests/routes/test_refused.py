"""Refusals and odd words in the middle of a run: what they leave out is named, and nothing else is taken for one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.api.pagination import Paginator
from sportmonks.errors import OutsidePlanError, TransientApiError
from sportmonks.redaction import add_secret
from sportmonks.routes.answer import FetchedPage
from sportmonks.routes.extract import RouteRequest, plan_run, run_route
from sportmonks.routes.request import PageRequest, Slice, page_request
from sportmonks.routes.spec import Route
from sportmonks.warehouse.connection import open_connection
from tests.harness.routes import ORDERS, TEN_DAYS, make_route, watermark_of
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import TODAY, Collect, Server


def a_route(keys: str) -> Route:
    return make_route(f"retry_max: 0\n{keys}", ORDERS)


class OneWindowRefused:
    """A source as that of the Sportmonks API, which says of one window that the subscription does not cover it."""

    base_url = "https://api.example.com"

    def fetch(self, request: PageRequest) -> FetchedPage:
        day = request.query["from"]
        if day == "2025-12-12":
            raise OutsidePlanError("no access")
        return FetchedPage([msgspec.Raw(msgspec.json.encode({"id": day, "day": day}))])

    def close(self) -> None:
        pass


def test_days_that_were_refused_are_read_again(warehouse: psycopg.Connection[Any], warehouse_dsn: str) -> None:
    """Three windows, of which the second is refused: the run names it, and the next one begins there."""
    route = a_route(f"{TEN_DAYS}paging: none")
    plan = plan_run(lambda: open_connection(warehouse_dsn), route, RouteRequest(), TODAY)
    summary = run_route(route, OneWindowRefused(), lambda: open_connection(warehouse_dsn), plan, today=TODAY)
    assert (summary["inserted"], summary["skipped"], summary["unproven"]) == (2, 1, 1)
    assert watermark_of(warehouse, "raw_shop_orders") == "2025-12-11"


@pytest.mark.parametrize("word", ["NO", "n", "f", "off"])
def test_a_cursor_may_be_a_word(play: Server, collect: Collect, word: str) -> None:
    """Such as the key of the last record: Norway."""
    first = Answer({"data": [{"id": 1}], "next": word})
    server = play(lambda request: first if "after" not in request.query else Answer({"data": [{"id": 2}]}))
    route = a_route("paging: {style: cursor, parameter: after, next: next}")
    assert collect(route, server)["inserted"] == 2
    assert [request.query.get("after") for request in server.requests] == [None, word]


def test_a_last_page_that_names_itself_ends_a_listing_whose_total_says_more(play: Server, collect: Collect) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query.get("after", 0))
        return Answer({"data": [{"id": at * 2 + n} for n in (1, 2)], "next": min(at + 1, 2), "total": 9})

    summary = collect(a_route("paging: {style: cursor, parameter: after, next: next, total: total}"), play(answers))
    assert (summary["inserted"], summary["records"], summary["end"]) == (6, 6, "repeated_cursor")
    assert "the API counts 9 records, and 6 came" in summary["doubts"][0]


def test_the_total_of_an_empty_page_in_the_middle_is_not_that_of_the_listing(play: Server, collect: Collect) -> None:
    listed: dict[str | None, Any] = {
        None: Answer({"data": [{"id": 1}, {"id": 2}], "next": "b", "total": 4}),
        "b": Answer({"data": [], "next": "c", "total": 0}),
        "c": Answer({"data": [{"id": 3}, {"id": 4}], "total": 4}),
    }
    route = a_route("paging: {style: cursor, parameter: after, next: next, total: total}")
    summary = collect(route, play(lambda request: listed[request.query.get("after")]))
    assert (summary["inserted"], summary["unproven"]) == (4, 0)


def test_a_cursor_in_the_path_is_empty_on_the_first_page() -> None:
    route = replace(a_route("paging: {style: cursor, next: next}"), path="/scroll/{cursor}")
    assert page_request(route, Slice(0, None), Paginator.start(route.paging)).path == "/scroll/"


def test_an_item_without_a_value_is_sent_as_empty() -> None:
    """Without its parameter the request would be that for all items."""
    route = a_route("query: {team: '{team}'}\nfor_each: {team: [a]}")
    assert page_request(route, Slice(0, None, {"team": None}), Paginator.start(route.paging)).query == {"team": ""}


def test_a_secret_in_a_text_is_masked_before_it_is_cut(play: Server, collect: Collect) -> None:
    add_secret("hunter2-s3cret")
    text = f"{'x' * 50} hunter2-s3cret here"
    with pytest.raises(TransientApiError, match="it begins with") as caught:
        collect(a_route("paging: none"), play(lambda _: Answer(text.encode(), headers={"Content-Type": "text/plain"})))
    assert "hunter2" not in str(caught.value)


def test_the_limit_of_a_plan_is_no_refusal(play: Server, collect: Collect) -> None:
    answer = Answer({"meta": {"plan": "free, 100 requests per day"}})
    assert collect(a_route("paging: none\nmissing_records: empty"), play(lambda _: answer))["records"] == 0


@pytest.mark.parametrize("body", [b"[]", b"null\n"])
def test_lines_without_a_record(play: Server, collect: Collect, body: bytes) -> None:
    assert collect(a_route("paging: none\nformat: ndjson"), play(lambda _: Answer(body)))["records"] == 0
