"""The end of a listing is proven, or the summary says that it may be short; the watermark stays before such days."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest

from sportmonks.errors import ConfigurationError, FatalApiError, SportmonksError, TransientApiError
from sportmonks.routes.extract import summary_text
from sportmonks.routes.parse import parse_route
from sportmonks.routes.source import REFUSED_WAIT_S
from sportmonks.routes.spec import Route
from tests.harness.shape_server import Answer, Play, Request, ShapeServer
from tests.routes.conftest import Collect

Conn = psycopg.Connection[Any]
Server = Callable[[Play], ShapeServer]


def a_route(keys: str) -> Route:
    return parse_route(f"client: shop\nroute: orders\nconnection: shop_api\npath: /orders\nretry_max: 1\n{keys}")


def ids(conn: Conn, table: str = "client_shop_orders") -> list[int]:
    return [row[0] for row in conn.execute(f"SELECT (payload ->> 'id')::int FROM raw.{table} ORDER BY 1").fetchall()]


def pages(rows: list[list[int]], **more: Any) -> Play:
    """Page N of ``rows``; what lies behind them is empty. ``more`` stands in each answer."""

    def play(request: Request) -> Answer:
        number = int(request.query.get("page", 1))
        found = rows[number - 1] if number <= len(rows) else []
        return Answer({"data": [{"id": one} for one in found], **more})

    return play


BY_PAGE = "paging: {style: page, size_parameter: size, size: 2"


@pytest.mark.parametrize(
    ("paging", "answers", "records", "end"),
    [
        (f"{BY_PAGE}}}", pages([[1, 2], [3], [4, 5], [6]]), 6, "empty_page"),
        (f"{BY_PAGE}, until: short}}", pages([[1, 2], [3], [4, 5]]), 3, "short_page"),
        (f"{BY_PAGE}, total: total}}", pages([[1, 2], [3, 4], [5]], total=2), 5, "empty_page"),
        (f"{BY_PAGE}, total: total}}", pages([[1, 2], [3, 4], [5]], total=0), 5, "empty_page"),
        (f"{BY_PAGE}, total: total}}", pages([[1, 2], [3, 4], [5]], total=5), 5, "total"),
        (f"{BY_PAGE}, total: total}}", pages([[1, 2], [3, 4]], total=4), 4, "total"),
        (f"{BY_PAGE}, total: total}}", pages([], total=0), 0, "empty_page"),
    ],
)
def test_what_counts_as_an_end(
    play: Server, read_all: Collect, paging: str, answers: Play, records: int, end: str
) -> None:
    summary = read_all(a_route(paging), play(answers))
    assert (summary["records"], summary["inserted"], summary["end"]) == (records, records, end)
    assert summary["unproven"] == 0


@pytest.mark.parametrize("status", [400, 404])
def test_an_error_behind_the_last_page_is_the_end(play: Server, read_all: Collect, status: int) -> None:
    """As WordPress does it: page 3 of 2 does not exist."""

    def answers(request: Request) -> Answer:
        number = int(request.query["page"])
        if number > 2:
            return Answer({"code": "rest_post_invalid_page_number", "message": "larger than the number"}, status)
        return Answer({"data": [{"id": number * 10 + place} for place in range(2)]})

    server = play(answers)
    sleeps: list[float] = []
    summary = read_all(a_route(f"{BY_PAGE}}}"), server, sleeps=sleeps)
    # A short fault of the API would be over.
    # Only "not found" says that there is no such page; another refusal may be a limit of what is shown.
    assert (summary["inserted"], summary["end"]) == (4, "error_behind_end")
    assert summary["unproven"] == (1 if status == 400 else 0)
    assert len(sleeps) == sleeps.count(REFUSED_WAIT_S) == 1
    requested = [request.query["page"] for request in server.requests]
    assert requested == ["1", "2", "3", "3", *(["4"] if status == 404 else [])]


def test_a_page_that_is_not_found_in_the_middle_is_no_silent_end(play: Server, read_all: Collect) -> None:
    """Page 3 of 4 is refused as often as it is requested: what is behind it is read, and the listing may be short."""

    def answers(request: Request) -> Answer:
        number = int(request.query["page"])
        if number in (3, 5, 6):
            return Answer({"message": "not found"}, 404)
        return Answer({"data": [{"id": number * 10 + place} for place in range(2)]})

    summary = read_all(a_route(f"{BY_PAGE}}}"), play(answers))
    assert (summary["inserted"], summary["end"], summary["unproven"]) == (6, "error_behind_end", 1)


def test_an_empty_page_in_the_middle_is_no_silent_gap(play: Server, read_all: Collect) -> None:
    summary = read_all(a_route(f"{BY_PAGE}}}"), play(pages([[1, 2], [], [4, 5], [6]])))
    assert (summary["inserted"], summary["end"], summary["unproven"]) == (5, "empty_page", 1)
    # Where the total says that nothing is missing, a page may be empty.
    summary = read_all(a_route(f"{BY_PAGE}, total: total}}"), play(pages([[1, 2], [], [4, 5], [6]], total=5)))
    assert (summary["end"], summary["unproven"]) == ("total", 0)


def test_a_page_that_is_not_found_twice_is_found_behind_an_interruption(play: Server, collect: Collect) -> None:
    """That the page was refused belongs to the stored position."""

    def answers(request: Request) -> Answer:
        number = int(request.query["page"])
        if number == 3:
            return Answer({"message": "not found"}, 404)
        return Answer({"data": [{"id": number * 10 + place} for place in range(2 if number < 5 else 1)]})

    def interrupted(request: Request) -> Answer:
        return Answer(status=500) if request.query["page"] == "4" else answers(request)

    with pytest.raises(TransientApiError):
        collect(a_route(f"{BY_PAGE}}}"), play(interrupted))
    summary = collect(
        a_route(f"{BY_PAGE}}}"), play(lambda one: Answer({"data": []}) if one.query["page"] == "6" else answers(one))
    )
    assert (summary["inserted"], summary["unproven"]) == (7, 1)


def test_an_error_on_the_first_page_is_no_end(play: Server, read_all: Collect) -> None:
    with pytest.raises(FatalApiError, match="HTTP 400"):
        read_all(a_route(f"{BY_PAGE}}}"), play(lambda _: Answer({"message": "no"}, 400)))


PERIOD = "date_field: day\nperiod: {date_from: from, date_to: to, max_days: 10, first_days: 29}\n"


def test_the_watermark_stays_before_days_that_may_be_short(
    play: Server, collect: Collect, warehouse: Conn, caplog: pytest.LogCaptureFixture
) -> None:
    """Three windows; in the second one the API counts more than it shows."""

    def answers(request: Request) -> Answer:
        day, number = request.query["from"], int(request.query.get("page", 1))
        rows = [{"id": f"{day} {n}", "day": day} for n in range(2)] if number == 1 else []
        return Answer({"data": rows, "total": 65 if day == "2025-12-12" else 2})

    caplog.set_level(logging.WARNING)
    route = a_route(f"{PERIOD}{BY_PAGE}, total: total}}")
    summary = collect(route, play(answers))
    assert (summary["inserted"], summary["end"], summary["unproven"]) == (6, "total (2), empty_page (1)", 1)
    assert "the API counts 65 records, and 2 came" in caplog.text
    assert summary["doubts"] == ["2025-12-12 to 2025-12-21: the API counts 65 records, and 2 came"]
    assert f"Doubt: {summary['doubts'][0]}" in summary_text(summary)
    stored = "SELECT ended_by, unproven, doubts FROM etl.raw_route_status"
    assert warehouse.execute(stored).fetchone() == ("total (2), empty_page (1)", 1, summary["doubts"])
    mark = "SELECT etl.collector_watermark('raw_shop_orders') ->> 'date_to'"
    assert warehouse.execute(mark).fetchone() == ("2025-12-11",)
    # The next run begins there; once the window is complete, the watermark moves on.
    complete = play(lambda request: Answer({"data": [{"id": 1, "day": request.query["from"]}], "total": 1}))
    assert collect(route, complete, execution_id="etl_2")["period"] == "2025-12-09 to 2025-12-31"
    assert warehouse.execute(mark).fetchone() == ("2025-12-31",)
    assert warehouse.execute(stored).fetchone() == ("total (3)", 0, None)
    # It stays where it is as long as the first window of a run is short.
    short = play(lambda request: Answer({"data": [], "total": 9}))
    collect(route, short, execution_id="etl_3", today=date(2026, 1, 5))
    assert warehouse.execute(mark).fetchone() == ("2025-12-31",)
    # And an answer with an error in it is no empty day.
    failing = play(lambda request: Answer({"data": [], "errors": {"field": "unknown"}}))
    with pytest.raises(TransientApiError, match="the answer holds an error"):
        collect(route, failing, execution_id="etl_4", today=date(2026, 1, 6))
    assert warehouse.execute(mark).fetchone() == ("2025-12-31",)


ERRORS = [
    {"data": [], "errors": {"field": "unknown"}},
    {"data": [], "errors": [{"message": "no access"}]},
    {"data": [], "error": "maintenance"},
    {"data": [], "success": False},
    {"data": [], "status": "error", "message": "no database"},
    {"data": [], "status": 503},
    {"message": "Internal error"},
    {"data": [], "error": {"code": 17}},
    {"code": 500, "msg": "busy", "data": []},
    {"errcode": 40001, "errmsg": "invalid credential", "data": []},
    {"data": [], "timed_out": True},
    {"data": [{"id": 1}], "_shards": {"total": 5, "failed": 1}},
]


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_an_error_within_an_answer_is_no_empty_day(play: Server, read_all: Collect, body: dict[str, Any]) -> None:
    server = play(lambda _: Answer(body))
    with pytest.raises(TransientApiError, match="the answer holds an error"):
        read_all(a_route(f"{PERIOD}missing_records: empty\npaging: none"), server)
    assert len(server.requests) == 2  # requested again: it may pass


NO_ERRORS = [
    {"data": [{"id": 1}], "errors": [], "error": None, "message": "OK"},
    {"data": [{"id": 1}], "errors": 0, "error": False, "success": True, "status": "ok"},
    {"data": [{"id": 1}], "error": "none", "status": 200, "ok": True},
]


@pytest.mark.parametrize("body", NO_ERRORS, ids=str)
def test_what_only_looks_like_an_error(play: Server, read_all: Collect, body: dict[str, Any]) -> None:
    assert read_all(a_route("paging: none"), play(lambda _: Answer(body)))["inserted"] == 1


@pytest.mark.parametrize("code", [0, 200, 20000, "00000", "SUCCESS"])
def test_a_code_of_success_beside_no_records(play: Server, read_all: Collect, code: int | str) -> None:
    server = play(lambda _: Answer({"code": code, "msg": "done", "data": []}))
    assert read_all(a_route("paging: none"), server)["records"] == 0


def test_an_error_on_the_way_to_the_records(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"chart": {"result": None, "error": {"code": "Not Found"}}}))
    with pytest.raises(TransientApiError, match=r"chart\.error: Not Found"):
        read_all(a_route("paging: none\nrecords: chart.result"), server)


def test_an_answer_that_is_not_ready_is_no_empty_day(play: Server, read_all: Collect) -> None:
    answers = iter([Answer({"data": []}, 202), Answer({"data": [{"id": 1}]})])
    assert read_all(a_route("paging: none"), play(lambda _: next(answers)))["inserted"] == 1


def test_a_record_that_is_the_answer_itself_may_have_failed(play: Server, read_all: Collect) -> None:
    payment = {"id": 1, "status": "failed", "success": False, "message": "card refused"}
    assert read_all(a_route("paging: none\nrecords: ."), play(lambda _: Answer(payment)))["inserted"] == 1
    with pytest.raises(TransientApiError, match="error: gone"):
        read_all(a_route("paging: none\nrecords: ."), play(lambda _: Answer({"error": "gone"})))


def test_error_fields_of_the_route(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"data": [{"id": 1}], "errors": "a column", "meta": {"problem": "quota"}}))
    assert read_all(a_route("paging: none\nerror_fields: []"), server)["inserted"] == 1
    with pytest.raises(TransientApiError, match=r"meta.problem: quota"):
        read_all(a_route("paging: none\nerror_fields: meta.problem"), server)


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


def test_a_total_in_content_range(play: Server, read_all: Collect) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query["offset"])
        rows = [{"id": n} for n in range(at, min(at + 2, 5))]
        return Answer({"data": rows}, headers={"Content-Range": f"items {at}-{at + len(rows) - 1}/5"})

    keys = "paging: {style: offset, total: header.Content-Range, size_parameter: limit, size: 2}"
    assert read_all(a_route(keys), play(answers))["end"] == "total"


def test_the_last_page_that_repeats_its_cursor_is_stored(play: Server, collect: Collect, warehouse: Conn) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query.get("after", 0))
        return Answer({"data": [{"id": at * 2 + n} for n in (1, 2)], "next": min(at + 1, 2)})

    summary = collect(a_route("paging: {style: cursor, parameter: after, next: next}"), play(answers))
    assert (ids(warehouse), summary["end"]) == ([1, 2, 3, 4, 5, 6], "repeated_cursor")


def test_every_listing_refused_is_no_green_run(play: Server, collect: Collect) -> None:
    route = a_route("paging: none\nfor_each: {shop: [a, b]}\nquery: {shop: '{shop}'}")
    refusing = play(lambda _: Answer({"message": "no"}, 403))
    for calls in (2, 4):  # the next try requests each of them again
        with pytest.raises(ConfigurationError, match="refused each of the 2 listings"):
            collect(route, refusing)
        assert len(refusing.requests) == calls
    one = play(lambda request: Answer({"data": []}) if request.query["shop"] == "b" else Answer(status=404))
    assert collect(route, one, execution_id="etl_2")["skipped"] == 1


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
    assert ids(warehouse) == [1, 2, 3]


@pytest.mark.parametrize("status", [403, 404])
def test_a_listing_that_is_refused_in_its_middle_is_not_skipped(play: Server, read_all: Collect, status: int) -> None:
    def answers(request: Request) -> Answer:
        return Answer({"data": [{"id": 1}], "next": "b"}) if "after" not in request.query else Answer({}, status)

    route = a_route(
        "paging: {style: cursor, parameter: after, next: next}\nquery: {shop: '{shop}'}\nfor_each: {shop: [a, b]}"
    )
    with pytest.raises(FatalApiError, match="page 2 was refused: /orders: HTTP"):
        read_all(route, play(answers))


def test_the_watermark_stays_where_there_is_nothing_to_list(play: Server, collect: Collect, warehouse: Conn) -> None:
    """The other route has stored nothing so far."""
    collect(parse_route("client: shop\nroute: shops\nconnection: a\npath: /shops\npaging: none\n"), play(pages([[]])))
    route = a_route(
        f"{PERIOD}paging: none\nfor_each: {{route: shops, take: {{shop: id}}}}\nquery: {{shop: '{{shop}}'}}"
    )
    assert collect(route, play(pages([[1]])), execution_id="etl_2")["listings"] == 0
    assert warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders')").fetchone() == (None,)


def test_listings_for_the_records_of_another_route(play: Server, collect: Collect, warehouse: Conn) -> None:
    """Of the newest version of each record, once for each value; what has no value gives no listing."""
    keys = "paging: none\nfor_each: {route: shops, take: {shop: code}}\nquery: {shop: '{shop}'}"
    with pytest.raises(ConfigurationError, match=r"for_each reads raw.client_shop_shops, which does not exist"):
        collect(a_route(keys), play(lambda _: Answer({"data": []})))
    shops = parse_route("client: shop\nroute: shops\nconnection: shop_api\npath: /shops\npaging: none\n")
    found = [{"id": 1, "code": "n"}, {"id": 2, "code": "s"}, {"id": 3, "code": "n"}, {"id": 4, "code": None}, {"id": 5}]
    collect(shops, play(lambda _: Answer({"data": found})))
    server = play(lambda request: Answer({"data": [{"of": request.query["shop"]}]}))
    assert collect(a_route(keys), server, execution_id="etl_2")["listings"] == 2
    assert [request.query["shop"] for request in server.requests] == ["n", "s"]
    row = warehouse.execute("SELECT request, payload FROM raw.client_shop_orders ORDER BY id").fetchone()
    assert row == ({"shop": "n"}, {"of": "n"})


def test_listings_for_an_element_of_a_list(play: Server, collect: Collect) -> None:
    shops = parse_route("client: shop\nroute: shops\nconnection: shop_api\npath: /shops\npaging: none\n")
    collect(shops, play(lambda _: Answer({"data": [{"lines": [{"sku": "a"}, {"sku": "b"}]}, {"lines": []}]})))
    server = play(lambda _: Answer({"data": []}))
    keys = "paging: none\nfor_each: {route: shops, take: {sku: 'lines[0].sku'}}\nquery: {sku: '{sku}'}"
    assert collect(a_route(keys), server, execution_id="etl_2")["listings"] == 1
    assert server.requests[0].query == {"sku": "a"}


@pytest.mark.parametrize(
    ("days", "unproven"),
    [
        (["2019-01-01", "2020-01-01"], 1),
        (["2019-01-01", "2025-12-15"], 0),
        (["2025-12-01", "2026-01-01"], 0),  # by the days of another time zone
        ([], 0),
    ],
)
def test_a_listing_of_which_no_record_is_of_its_days(
    play: Server, read_all: Collect, days: list[str], unproven: int
) -> None:
    """The API does not know the period's names, or the date is another one."""
    rows = [{"id": n, "day": day} for n, day in enumerate(days)]
    route = a_route("paging: none\ndate_field: day\nperiod: {date_from: from, date_to: to, first_days: 29}")
    summary = read_all(route, play(lambda _: Answer({"data": rows})), today=date(2025, 12, 31))
    assert summary["unproven"] == unproven


@pytest.mark.parametrize(
    ("keys", "left_out", "unproven", "mark"),
    [
        ("", "last", 1, "2025-12-04"),
        ("", "first", 1, "2025-11-30"),
        ("", "", 0, "2025-12-31"),
        ("to_exclusive: true, ", "last", 0, "2025-12-31"),
        ("from_exclusive: true, ", "first", 0, "2025-12-31"),
    ],
)
def test_an_end_that_the_api_excludes(
    play: Server, collect: Collect, warehouse: Conn, keys: str, left_out: str, unproven: int, mark: str
) -> None:
    """Windows of five days, each without its last or first day: the route does not say so, and the days do."""

    def answers(request: Request) -> Answer:
        first, last = (date.fromisoformat(request.query[name]) for name in ("from", "to"))
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        shown = {"last": days[:-1], "first": days[1:], "": days}[left_out]
        return Answer({"data": [{"id": str(day), "day": str(day)} for day in shown]})

    keys = f"{keys}date_from: from, date_to: to, max_days: 5, first_days: 30"
    route = a_route(f"paging: none\ndate_field: day\nperiod: {{{keys}}}")
    summary = collect(route, play(answers), today=date(2025, 12, 31))
    assert summary["unproven"] == unproven
    found = warehouse.execute("SELECT etl.collector_watermark('raw_shop_orders') ->> 'date_to'").fetchone()
    assert found == (mark if mark > "2025-12" else None,)


def test_more_pages_than_allowed_is_an_error(play: Server, read_all: Collect) -> None:
    endless = play(lambda request: Answer({"data": [{"id": int(request.query["page"])}], "more": True}))
    with pytest.raises(SportmonksError, match="did not end after 3 pages"):
        read_all(a_route("paging: {style: page, more: more, max_pages: 3}"), endless)


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
    assert (summary["unproven"], ids(warehouse)) == ((0, [1, 2, 3]) if times == 1 else (1, [1, 2]))
    left.clear()
    collect(a_route(GRAPHQL), server, execution_id="etl_2")
    assert ids(warehouse) == [1, 2, 3]


LATER = {"data": {"orders": [], "n": 0}, "message": "Please try again later."}
NOTES: list[tuple[Any, int]] = [
    # an empty first page, how often it is requested before it is believed
    ({"data": None}, 2),
    ({"data": {"orders": None}}, 1),
    ({"data": {"orders": []}}, 1),
    (LATER, 2),
    (LATER | {"message": "No orders found."}, 1),
    (LATER | {"message": "Success"}, 1),
]


@pytest.mark.parametrize(("empty", "requests"), NOTES)
@pytest.mark.parametrize("paging", ["none", "{style: cursor, next: next}"])
def test_an_empty_first_page_that_may_be_a_failure_is_requested_again(
    play: Server, collect: Collect, warehouse: Conn, empty: Any, requests: int, paging: str
) -> None:
    """Once in a run, not once for each of its listings."""
    route = a_route(
        f"paging: {paging}\nrecords: data.orders\nfor_each: {{shop: [a, b, c]}}\nquery: {{shop: '{{shop}}'}}"
    )
    server = play(lambda _: Answer(empty))
    assert collect(route, server)["records"] == 0
    assert len(server.requests) == requests + 2
    failed = [empty]
    good = {"data": {"orders": [{"id": 1}]}}
    collect(route, play(lambda _: Answer(failed.pop() if failed else good)), execution_id="etl_2")
    assert len(ids(warehouse)) == (3 if requests > 1 else 2)
