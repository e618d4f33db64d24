"""One listing for each item: from the records of another route, refused ones, and none at all."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sportmonks.errors import ConfigurationError
from sportmonks.routes.parse import parse_route
from tests.harness.routes import SHOPS, TEN_DAYS, a_route, numbered_pages
from tests.harness.shape_server import Answer
from tests.routes.conftest import Collect, Conn, Server


def test_listings_for_the_records_of_another_route(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Of the newest version of each record, once for each value; what has no value gives no listing."""
    keys = "paging: none\nfor_each: {route: shops, take: {shop: code}}\nquery: {shop: '{shop}'}"
    with pytest.raises(ConfigurationError, match=r"for_each reads raw.client_shop_shops, which does not exist"):
        collect(a_route(keys), play(lambda _: Answer({"data": []})))
    shops = parse_route(SHOPS)
    found = [{"id": 1, "code": "n"}, {"id": 2, "code": "s"}, {"id": 3, "code": "n"}, {"id": 4, "code": None}, {"id": 5}]
    collect(shops, play(lambda _: Answer({"data": found})))
    server = play(lambda request: Answer({"data": [{"of": request.query["shop"]}]}))
    assert collect(a_route(keys), server, execution_id="etl_2")["listings"] == 2
    assert [request.query["shop"] for request in server.requests] == ["n", "s"]
    row = warehouse.execute("SELECT request, payload FROM raw.client_shop_orders ORDER BY id").fetchone()
    assert row == ({"shop": "n"}, {"of": "n"})


def test_listings_for_an_element_of_a_list(play: Server, collect: Collect) -> None:
    shops = parse_route(SHOPS)
    collect(shops, play(lambda _: Answer({"data": [{"lines": [{"sku": "a"}, {"sku": "b"}]}, {"lines": []}]})))
    server = play(lambda _: Answer({"data": []}))
    keys = "paging: none\nfor_each: {route: shops, take: {sku: 'lines[0].sku'}}\nquery: {sku: '{sku}'}"
    assert collect(a_route(keys), server, execution_id="etl_2")["listings"] == 1
    assert server.requests[0].query == {"sku": "a"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("'links[rel=self].id'", ["s1"]),
        ("'lines[-1].sku'", ["b"]),
        ("'\"a.b\"'", ["dotted"]),
        ("'lines.sku'", None),
        ("'links[rel=none].id'", None),
    ],
)
def test_items_at_paths_through_lists(play: Server, collect: Collect, path: str, expected: list[str] | None) -> None:
    record = {
        "links": [{"rel": "next", "id": "n1"}, {"id": "x"}, {"rel": "self", "id": "s1"}],
        "lines": [{"sku": "a"}, {"sku": "b"}],
        "a.b": "dotted",
    }
    collect(parse_route(SHOPS), play(lambda _: Answer({"data": [record, {"links": None}, {"lines": []}]})))
    server = play(lambda _: Answer({"data": []}))
    route = a_route(f"paging: none\nfor_each: {{route: shops, take: {{x: {path}}}}}\nquery: {{x: '{{x}}'}}")
    assert collect(route, server, execution_id="etl_2")["listings"] == len(expected or [])
    assert [request.query["x"] for request in server.requests] == (expected or [])


def test_the_watermark_stays_where_there_is_nothing_to_list(play: Server, collect: Collect, warehouse: Conn) -> None:
    """The other route has stored nothing so far."""
    collect(
        parse_route(SHOPS),
        play(numbered_pages([[]])),
    )
    route = a_route(
        f"{TEN_DAYS}paging: none\nfor_each: {{route: shops, take: {{shop: id}}}}\nquery: {{shop: '{{shop}}'}}"
    )
    assert collect(route, play(numbered_pages([[1]])), execution_id="etl_2")["listings"] == 0
    assert warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders')").fetchone() == (None,)


def test_every_listing_refused_is_no_green_run(play: Server, collect: Collect) -> None:
    route = a_route("paging: none\nfor_each: {shop: [a, b]}\nquery: {shop: '{shop}'}")
    refusing = play(lambda _: Answer({"message": "no"}, 403))
    for calls in (2, 4):  # the next try requests each of them again
        with pytest.raises(ConfigurationError, match="refused each of the 2 listings"):
            collect(route, refusing)
        assert len(refusing.requests) == calls
    one = play(lambda request: Answer({"data": []}) if request.query["shop"] == "b" else Answer(status=404))
    assert collect(route, one, execution_id="etl_2")["skipped"] == 1


def test_an_item_that_no_path_can_name_is_skipped(play: Server, collect: Collect) -> None:
    """A client makes ``/shops/orders`` of ``/shops/./orders``: another listing, under the name of this one."""
    keys = "paging: none\nfor_each: {shop: ['.', '..', a.b]}\nquery: {s: '{shop}'}"
    server = play(lambda request: Answer({"data": [{"id": request.path}]}))
    summary = collect(replace(a_route(keys), path="/shops/{shop}"), server)
    assert (summary["inserted"], summary["skipped"]) == (1, 2)
    assert [request.path for request in server.requests] == ["/shops/a.b"]
