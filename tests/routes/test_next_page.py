"""How an answer names its next page: links and cursors, one that has expired, one that the route does not follow."""

from __future__ import annotations

from typing import Any

import pytest
from requests.structures import CaseInsensitiveDict

from sportmonks.errors import (
    ConfigurationError,
    FatalApiError,
    TransientApiError,
)
from sportmonks.routes.json_path import next_link
from tests.harness.routes import a_route, stored_ids
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Conn, Server


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


@pytest.mark.parametrize(
    ("paging", "headers", "body", "words"),
    [
        ("", {}, {"@odata.nextLink": "/orders?skip=2"}, "@odata.nextLink"),
        ("", {"Link": '</orders?page=2>; REL="Next"'}, {}, "header.link"),
        ("", {}, {"meta": {"has_more": True}}, "meta.has_more"),
        (
            "paging: {style: next, next: links.nxt}",
            {},
            {"links": {"next": "/orders?page=2"}},
            "Correct it: next: links.next",
        ),
    ],
)
def test_a_further_page_that_the_route_does_not_follow(
    play: Server, read_all: Collect, paging: str, headers: dict[str, str], body: Any, words: str
) -> None:
    server = play(lambda _: Answer({"data": [{"id": 1}], **body}, headers=headers))
    with pytest.raises(ConfigurationError) as caught:
        read_all(a_route(paging), server)
    assert words in str(caught.value)
    if not paging:
        assert read_all(a_route("paging: none"), server)["end"] == "one_page"


@pytest.mark.parametrize(
    ("style", "following", "words"),
    [
        ("next", 2, "by its number .2., which is no link. Write style: cursor"),
        ("next", "2", "by its number .2., which is no link. Write style: cursor"),
        ("cursor", "https://shop/orders?page=2", "by a link without cursor. Write style: next"),
    ],
)
def test_a_next_page_that_is_named_in_another_way(
    play: Server, read_all: Collect, style: str, following: Any, words: str
) -> None:
    server = play(lambda _: Answer({"data": [{"id": 1}], "following": following}))
    with pytest.raises(ConfigurationError, match=words):
        read_all(a_route(f"paging: {{style: {style}, next: following}}"), server)


def test_the_last_page_that_repeats_its_cursor_is_stored(play: Server, collect: Collect, warehouse: Conn) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query.get("after", 0))
        return Answer({"data": [{"id": at * 2 + n} for n in (1, 2)], "next": min(at + 1, 2)})

    summary = collect(a_route("paging: {style: cursor, parameter: after, next: next}"), play(answers))
    assert (stored_ids(warehouse), summary["end"]) == ([1, 2, 3, 4, 5, 6], "repeated_cursor")


@pytest.mark.parametrize("status", [400, 410])
def test_a_stored_cursor_that_has_expired(play: Server, collect: Collect, warehouse: Conn, status: int) -> None:
    """The listing is read from its beginning, once."""
    route = a_route("paging: {style: cursor, parameter: after, next: next}")
    first = Answer({"data": [{"id": 1}], "next": "old"})
    with pytest.raises(TransientApiError):
        collect(route, play(lambda request: Answer(status=500) if request.query else first))
    answers = {None: Answer({"data": [{"id": 2}], "next": "new"}), "new": Answer({"data": [{"id": 3}]})}
    expired = play(lambda request: answers.get(request.query.get("after"), Answer(status=status)))
    assert collect(route, expired)["inserted"] == 3
    assert [request.query.get("after") for request in expired.requests] == ["old", None, "new"]
    assert stored_ids(warehouse) == [1, 2, 3]


@pytest.mark.parametrize("status", [403, 404])
def test_a_listing_that_is_refused_in_its_middle_is_not_skipped(play: Server, read_all: Collect, status: int) -> None:
    def answers(request: Request) -> Answer:
        return Answer({"data": [{"id": 1}], "next": "b"}) if "after" not in request.query else Answer({}, status)

    route = a_route(
        "paging: {style: cursor, parameter: after, next: next}\nquery: {shop: '{shop}'}\nfor_each: {shop: [a, b]}"
    )
    with pytest.raises(FatalApiError, match="page 2 was refused: /orders: HTTP"):
        read_all(route, play(answers))


PAGED = {"pageInfo": {"hasNextPage": True, "endCursor": "2"}, "edges": [{"id": 1}, {"id": 2}]}
LAST = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "edges": [{"id": 3}]}
GRAPHQL = (
    "records: data.orders.edges\n"
    "paging: {style: cursor, next: data.orders.pageInfo.endCursor, more: data.orders.pageInfo.hasNextPage}\n"
)


@pytest.mark.parametrize("failed", [{"data": None}, {"data": {"orders": None}}])
@pytest.mark.parametrize("times", [1, 9])
def test_null_in_the_place_of_a_promised_page_is_no_end(
    play: Server, collect: Collect, warehouse: Conn, failed: Any, times: int
) -> None:
    """As GraphQL answers where a field failed: neither records nor the flag that the route names."""
    left = [failed] * times

    def answer(request: Request) -> Answer:
        if "cursor" not in request.query:
            return Answer({"data": {"orders": PAGED}})
        return Answer(left.pop() if left else {"data": {"orders": LAST}})

    server = play(answer)
    summary = collect(a_route(GRAPHQL), server)
    assert (summary["unproven"], stored_ids(warehouse)) == ((0, [1, 2, 3]) if times == 1 else (1, [1, 2]))
    left.clear()
    collect(a_route(GRAPHQL), server, execution_id="etl_2")
    assert stored_ids(warehouse) == [1, 2, 3]
