"""What other people's APIs do beside their documentation, one case each; no listing ends early without a word."""

from __future__ import annotations

import gzip
from typing import Any
from urllib.parse import unquote

import psycopg
import pytest

from sportmonks.errors import ConfigurationError, FatalApiError, TransientApiError
from tests.harness.routes import a_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Server

GOOD = b'{"data": [{"id": 1}, {"id": 2}]}'
LAST = 2  # the page or cursor of the last page; each has two records


def rows(page: int) -> list[dict[str, int]]:
    return [{"id": page * 2 + 1}, {"id": page * 2 + 2}] if page <= LAST else []


ALL = [1, 2, 3, 4, 5, 6]


def ids(found: dict[str, Any]) -> list[Any]:
    return [row.get("id") for row in found["rows"]]


@pytest.mark.parametrize(
    ("key", "open_", "closed"),
    [
        ("more", "true", "false"), ("more", "Y", "N"), ("more", "on", "off"), ("more", 1, 0), ("more", "yes", "no"),
        ("more", "t", "null"), ("done", "N", "Y"), ("done", "F", "T"), ("done", "false", "true"), ("done", 0, 1),
    ],
)  # fmt: skip
def test_flags_as_text(play: Server, read_all: Collect, key: str, open_: Any, closed: Any) -> None:
    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer({"data": rows(page), "flag": open_ if page < LAST else closed})

    found = read_all(a_route(f"paging: {{style: page, first: 0, {key}: flag}}"), play(answers))
    assert (ids(found), found["end"], found["unproven"]) == (ALL, "flag", 0)


@pytest.mark.parametrize(
    "nothing", [None, "", 0, "0", -1, False, "null", "None", "false", "undefined", [], {}], ids=repr
)
@pytest.mark.parametrize("paging", ["{style: cursor, parameter: c, next: next}", "{style: next, next: next}"])
def test_how_an_api_says_that_there_is_no_next_page(play: Server, read_all: Collect, paging: str, nothing: Any) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query.get("c", 0))
        link = f"/orders?c={at + 1}" if "style: next" in paging else at + 1
        return Answer({"data": rows(at), "next": link if at < LAST else nothing})

    found = read_all(a_route(f"paging: {paging}"), play(answers))
    assert (ids(found), found["end"], found["unproven"]) == (ALL, "no_next", 0)


def test_the_id_of_a_last_record_may_be_0(play: Server, read_all: Collect) -> None:
    answers = {None: [{"id": -1}, {"id": 0}], "0": [{"id": 1}], "1": []}
    server = play(lambda request: Answer({"data": answers[request.query.get("since")]}))
    assert ids(read_all(a_route("paging: {style: cursor, parameter: since, next: last.id}"), server)) == [-1, 0, 1]


@pytest.mark.parametrize(
    "link",
    [
        "?c={}", "orders?c={}", "c={}", "/v1/orders?c={}", "/orders?c={}", "{base}/v1/orders?c={}",
        "https://127.0.0.1/v1/orders?c={}", "//127.0.0.1/v1/orders?c={}", "/v1/orders?q=a b ü&amp;c={}",
    ],
)  # fmt: skip
def test_how_links_are_written(play: Server, read_all: Collect, link: str) -> None:
    """Relative, with another scheme or port, without the path that the API stands behind, escaped as in HTML."""

    def answers(request: Request) -> Answer:
        if request.path != "/v1/orders":
            return Answer({"message": "not found"}, 404)
        at = int(request.query.get("c", 0))
        following = link.replace("{base}", request.base).format(at + 1)
        return Answer({"data": rows(at), "next": following if at < LAST else None})

    found = read_all(a_route("paging: {style: next, next: next}"), play(answers), prefix="/v1")
    assert (ids(found), found["end"]) == (ALL, "no_next")


def test_a_link_to_another_host_is_not_followed(play: Server, read_all: Collect) -> None:
    """Behind a gateway, an API may name its own host; the parameter alone is sent to ours."""

    def answers(request: Request) -> Answer:
        at = int(request.query.get("c", 0))
        return Answer({"data": rows(at), "next": f"http://internal:8080/o?c={at + 1}" if at < LAST else None})

    server = play(answers)
    with pytest.raises(FatalApiError, match=r"another host \(internal\).*style: cursor, with parameter"):
        read_all(a_route("paging: {style: next, next: next}"), server)
    assert ids(read_all(a_route("paging: {style: cursor, parameter: c, next: next}"), server)) == ALL


@pytest.mark.parametrize(
    ("paging", "end"),
    [
        ("until: empty", "empty_page"),
        ("total: total", "total"),
        ("total: total, until: total", "total"),
    ],
)
def test_one_cursor_for_all_pages(play: Server, read_all: Collect, paging: str, end: str) -> None:
    """As Crossref and searches with a scroll do it: the cursor stays, the rows move on."""
    pages = iter([0, 1, 2, 9, 9])
    server = play(lambda _: Answer({"data": rows(next(pages)), "next": "constant", "total": 6}))
    found = read_all(
        a_route(f"query: {{c: '*'}}\npaging: {{style: cursor, parameter: c, next: next, {paging}}}"), server
    )
    assert (ids(found), found["end"], found["unproven"]) == (ALL, end, 0)
    assert [request.query["c"] for request in server.requests][:2] == ["*", "constant"]


def test_a_link_that_is_named_for_ever(play: Server, read_all: Collect, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CKAN's datastore does it: each page names a next one, also those behind the end."""

    def answers(request: Request) -> Answer:
        at = int(request.query.get("offset", 0))
        return Answer({"data": rows(at // 2), "total": 6, "next": f"/orders?offset={at + 2}"})

    server = play(answers)
    for paging, end in (("total: total", "total"), ("until: empty", "empty_page")):
        found = read_all(a_route(f"paging: {{style: next, next: next, {paging}}}"), server)
        assert (ids(found), found["end"], found["unproven"]) == (ALL, end, 0)
    monkeypatch.setattr("sportmonks.api.pagination.MAX_EMPTY_PAGES", 9)
    with pytest.raises(FatalApiError, match=r"9 pages in a row had no records.*until: empty"):
        read_all(a_route("paging: {style: next, next: next}"), server)


def test_parameters_of_the_next_page_as_an_object(play: Server, read_all: Collect) -> None:
    """As MediaWiki does it."""

    def answers(request: Request) -> Answer:
        at = int(request.query.get("apcontinue", 0))
        if at and (request.query.get("continue") != "-||" or request.query.get("limit") != "2"):
            return Answer({"error": {"code": "badcontinue"}})
        more = {"continue": {"apcontinue": at + 1, "continue": "-||", "strict": True, "gone": None}}
        return Answer({"query": {"pages": rows(at)}} | (more if at < LAST else {}))

    keys = "query: {limit: 2}\nrecords: query.pages\npaging: {style: cursor, parameter: '*', next: continue%s}"
    server = play(answers)
    found = read_all(a_route(keys % ""), server)
    assert (ids(found), found["end"]) == (ALL, "no_next")
    assert server.requests[1].query == {"limit": "2", "apcontinue": "1", "continue": "-||", "strict": "true"}
    with pytest.raises(FatalApiError, match="no object of plain values"):
        read_all(a_route(keys % ".continue"), server)
    with pytest.raises(ConfigurationError, match=r"names a further page .continue."):
        read_all(a_route("query: {limit: 2}\nrecords: query.pages"), server)


def test_a_cursor_that_travels_in_a_header(play: Server, read_all: Collect) -> None:
    """As Heroku does it; neither an empty header nor an empty parameter is sent with the first request."""

    def answers(request: Request) -> Answer:
        at = request.headers.get("Range", request.query.get("at"))
        if at == "":
            return Answer({"message": "empty"}, 400)
        page = int(at or 0)
        return Answer({"data": rows(page)}, 206, {"Next-Range": str(page + 1)} if page < LAST else {})

    for place in ("headers: {Range: '{cursor}'}", "query: {at: '{cursor}'}"):
        found = read_all(a_route(f"{place}\npaging: {{style: cursor, next: header.Next-Range}}"), play(answers))
        assert ids(found) == ALL


@pytest.mark.parametrize("status", [400, 404, 410, 422])
def test_a_cursor_that_expires_while_it_reads(play: Server, read_all: Collect, status: int) -> None:
    """The listing is read from its beginning, once in a run."""
    made = iter(["a1", "b1", "c1"])

    def answers(request: Request) -> Answer:
        at = request.query.get("c")
        if at is None:
            return Answer({"data": rows(0), "next": next(made)})
        return Answer({"message": "expired"}, status) if at == "a1" else Answer({"data": rows(1)})

    server = play(answers)
    found = read_all(a_route("paging: {style: cursor, parameter: c, next: next}"), server)
    assert (sorted(set(ids(found))), found["end"]) == ([1, 2, 3, 4], "no_next")
    always = play(
        lambda request: Answer({"message": "gone"}, status) if request.query else Answer({"data": rows(0), "next": "a"})
    )
    with pytest.raises(FatalApiError, match=f"HTTP {status} .gone."):
        read_all(a_route("paging: {style: cursor, parameter: c, next: next}"), always)
    assert len(always.requests) == 4


@pytest.mark.parametrize(("total", "unproven"), [("6", 0), ("1,006", 1), ("6.0", 0), (None, 0), ("about 6", 0)])
def test_totals_as_text(play: Server, read_all: Collect, total: Any, unproven: int) -> None:
    server = play(lambda request: Answer({"data": rows(int(request.query["page"])), "total": total}))
    keys = "paging: {style: page, first: 0, size_parameter: size, size: 2, total: total}"
    found = read_all(a_route(keys), server)
    assert (ids(found), found["unproven"]) == (ALL, unproven)


def test_records_that_are_deleted_while_it_reads(play: Server, read_all: Collect) -> None:
    """The third of five moves onto the first page after that was read; the total shows that something like it may
    have happened."""
    pages = {1: ([1, 2], 5), 2: ([4, 5], 4), 3: ([], 4)}

    def answers(request: Request) -> Answer:
        found, total = pages.get(int(request.query["page"]), ([], 4))
        return Answer({"data": [{"id": one} for one in found], "total": total})

    keys = "paging: {style: page, size_parameter: size, size: 2, total: total%s}"
    assert read_all(a_route(keys % ""), play(answers))["unproven"] == 1
    assert read_all(a_route(keys % ", until: total"), play(answers))["unproven"] == 1
    assert read_all(a_route(keys % ", until: empty"), play(answers))["unproven"] == 0  # it estimates its total


def test_the_count_of_a_page_is_no_total_that_shrinks(play: Server, read_all: Collect) -> None:
    pages = {1: [1, 2], 2: [3, 4], 3: [5]}

    def answers(request: Request) -> Answer:
        found = pages.get(int(request.query["page"]), [])
        return Answer({"data": [{"id": one} for one in found], "count": len(found)})

    found = read_all(a_route("paging: {style: page, size_parameter: size, size: 2, total: count}"), play(answers))
    assert (found["inserted"], found["unproven"]) == (5, 0)


def test_a_wait_that_a_good_answer_names(play: Server, read_all: Collect) -> None:
    """As Stack Exchange does it: whoever does not wait is refused."""

    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer({"data": rows(page), "more": page < LAST} | ({"backoff": 7} if page == 1 else {}))

    sleeps: list[float] = []
    keys = "paging: {style: page, first: 0, more: more}"
    assert ids(read_all(a_route(keys), play(answers), sleeps=sleeps)) == ALL
    assert [round(one) for one in sleeps] == [7]


@pytest.mark.parametrize(
    ("status", "body", "wait"),
    [
        (400, {"error_name": "throttle_violation", "error_message": "too many requests, available in 9 seconds"}, 9.0),
        (403, {"message": "Rate limit reached. Please try again in 20s."}, 20.0),
        (420, {"error": "Enhance Your Calm"}, None),
        (429, {"message": "Retry after 3 seconds"}, 3.0),
    ],
)
def test_refusals_that_are_limits(play: Server, read_all: Collect, status: int, body: Any, wait: float | None) -> None:
    answers = iter([Answer(body, status), Answer(GOOD)])
    sleeps: list[float] = []
    found = read_all(a_route("paging: none"), play(lambda _: next(answers)), sleeps=sleeps)
    assert ids(found) == [1, 2]
    assert len(sleeps) == 1
    assert wait is None or sleeps == [wait]


def test_a_limit_of_a_parameter_is_no_rate_limit(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"message": "limit exceeded: at most 100 a page"}, 400))
    with pytest.raises(FatalApiError, match="HTTP 400"):
        read_all(a_route("paging: none"), server)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"Service is being restarted", "is no JSON, it begins with 'Service is being restarted'"),
        (b'{"Note": "Our standard API call frequency is 5 calls per minute"}', "the answer holds an error"),
        (b'{"Information": "The demo key is for demo only."}', "no records, but a text .Information: The demo key"),
        (b'"no data"', "there is no object with 'data'"),
        (b'[{"id": 1}]', "there is no object with 'data'"),
    ],
)
@pytest.mark.parametrize("later", [False, True])
def test_a_missing_list_may_be_none_but_not_anything(
    play: Server, read_all: Collect, body: bytes, words: str, later: bool
) -> None:
    """Also where the route takes an answer without its list as empty, and behind pages with records."""
    first = Answer({"data": rows(0), "next": "b"})
    server = play(lambda request: Answer(body) if request.query or not later else first)
    with pytest.raises(TransientApiError, match=words):
        read_all(a_route("missing_records: empty\npaging: {style: cursor, parameter: c, next: next}"), server)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"null",
        b'{"resultSizeEstimate": 0, "quota_remaining": 9, "throttleStatus": {"limit": 9}}',
        b'{"symbol": "IBM", "as_of": "Thu, 26 Nov 2026 10:47:12 GMT", "exchange": "New York Stock"}',
        b'{"count": 0, "about": "Data from the exchanges of two countries"}',
    ],
)
def test_a_missing_list_that_is_none(play: Server, read_all: Collect, body: bytes) -> None:
    server = play(lambda _: Answer(body))
    assert read_all(a_route("missing_records: empty\npaging: none"), server)["records"] == 0


def test_a_text_in_place_of_the_list_may_be_declared_as_none(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"Information": "There were no orders on this day."}))
    assert read_all(a_route("missing_records: empty\nerror_fields: []\npaging: none"), server)["records"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        Answer(GOOD, headers={"Content-Length": str(len(GOOD) + 9)}),
        Answer(b"9\r\n" + GOOD[:9] + b"\r\n", headers={"Transfer-Encoding": "chunked"}),
        Answer(b'9\r\n{"id": 1}\r\n', headers={"Transfer-Encoding": "chunked", "Content-Type": "application/x-ndjson"}),
        Answer(gzip.compress(GOOD)[:-4], headers={"Content-Encoding": "gzip"}),
        Answer(GOOD[:-3], headers={"Connection": "close", "Content-Length": ""}),
    ],
    ids=["length", "chunks", "lines", "gzip", "closed"],
)
def test_an_answer_that_is_cut_off(play: Server, read_all: Collect, answer: Answer) -> None:
    answers = iter([answer, Answer(GOOD)])
    server = play(lambda _: next(answers))
    assert ids(read_all(a_route("paging: none"), server)) == [1, 2]
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("body", "headers", "keys", "expected"),
    [
        (b")]}'\n" + GOOD, {}, "", [1, 2]),
        (b"while(1);" + GOOD, {}, "", [1, 2]),
        (b'\x1e{"id": 1}\n\x1e{"id": 2}\n', {"Content-Type": "application/json-seq"}, "", [1, 2]),
        (b'id;text\n1;"a\nb;c"\n2;"d ""e"""\n', {}, "format: csv", ["1", "2"]),
        (b'"id";"a, b, c, d"\n1;x\n', {}, "format: csv", ["1"]),
        (b"sep=;\r\nid;a\r\n1;x\r\n", {}, "format: csv", ["1"]),
        (b"\xef\xbb\xbfid,a\n1,x\n", {}, "format: csv", ["1"]),
        (b"id;a\n", {}, "format: csv", []),
        (b'{"data": [{"id": 1, "id": 2}]}', {}, "", [2]),
        (b'{"data": [{"id": 123456789012345678901234567890}]}', {}, "", [123456789012345678901234567890]),
        (b'{"a.b": {"c.d": [{"id": 1}]}}', {}, "records: a.b.c.d", [1]),
        (b'{"data": {"2025-01-01": [{"id": 1}, {"id": 2}], "2025-01-02": []}}', {}, "records_as: values", [1, 2]),
    ],
)
def test_forms_of_an_answer(
    play: Server, read_all: Collect, body: bytes, headers: dict[str, str], keys: str, expected: list[Any]
) -> None:
    found = read_all(a_route(f"paging: none\n{keys}"), play(lambda _: Answer(body, headers=headers)))
    assert (ids(found), found["failed"]) == (expected, 0)


def test_lists_by_day_have_to_be_declared(play: Server, read_all: Collect) -> None:
    body = {"data": {"2025-01-01": [{"id": 1}, {"id": 2}], "2025-01-02": [{"id": 3}]}}
    with pytest.raises(FatalApiError, match=r"an object of 2 lists of objects.*records_as: values"):
        read_all(a_route("paging: none"), play(lambda _: Answer(body)))
    found = read_all(a_route("paging: none\nrecords_as: values"), play(lambda _: Answer(body)))
    assert found["rows"][2] == {"_key": "2025-01-02", "id": 3}


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("/orders/", "redirects to the path /orders/. Write this path"),
        (
            "https://127.0.0.1/orders",
            "redirects to https://127.0.0.1. Set the host of the Airflow connection shop_api to",
        ),
        ("https://files.example/x?Signature=geheim", r"redirects to another host \(files.example\)"),
    ],
)
def test_where_a_redirect_leads(play: Server, read_all: Collect, target: str, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as caught:
        read_all(a_route("paging: none"), play(lambda _: Answer(status=302, headers={"Location": target})))
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("item", ["a/b", "ü ß", "a?b#c&d=e%20", "a+b", "{x}", "日本"])
def test_items_arrive_as_they_are(play: Server, read_all: Collect, item: str) -> None:
    """In a path, in the query and in a header."""

    def answers(request: Request) -> Answer:
        header = request.headers["X-Shop"].encode("latin-1").decode()
        return Answer({"data": [{"id": [unquote(request.path.split("/")[2]), request.query["q"], header]}]})

    places = "path: /shops/{shop}/orders\nquery: {q: '{shop}'}\nheaders: {X-Shop: '{shop}'}\n"
    keys = f"{places}paging: none\nfor_each: {{shop: [x]}}"
    assert ids(read_all(a_route(keys), play(answers), items=[{"shop": item}])) == [[item] * 3]


def test_odd_values_in_the_warehouse(play: Server, collect: Collect, warehouse: psycopg.Connection[Any]) -> None:
    """Numbers beyond 64 bits keep their digits, NUL characters become U+FFFD, and what is no JSON is kept aside."""
    records = [
        b'{"id": 1, "n": 123456789012345678901234567890, "f": 1e-400, "m": -9223372036854775809}',
        b'{"id": 2, "a\\u0000b": "x\\u0000y", "twice": 1, "twice": 2}',
        b'{"id": 3, "raw": "x\x00y"}',
        b'{"id": 4, "n": NaN}',
    ]
    body = b'{"data": [%s], "total": NaN}' % b",".join(records)
    found = collect(a_route("paging: none\nkey: [id]\ncolumns: {n: bigint}"), play(lambda _: Answer(body)))
    assert (found["inserted"], found["failed"]) == (2, 2)
    query = "SELECT payload ->> 'n', payload ->> 'm', payload::text, n FROM raw.client_shop_orders_latest ORDER BY id"
    first, second = warehouse.execute(query).fetchall()
    assert first[:2] == ("123456789012345678901234567890", "-9223372036854775809")
    assert first[3] is None  # no bigint
    assert '"a\ufffdb": "x\ufffdy"' in second[2]
    assert '"twice": 2' in second[2]
    kept = warehouse.execute("SELECT record::text FROM etl.route_rejects ORDER BY reject_id").fetchall()
    assert ["3" in kept[0][0], "NaN" in kept[1][0]] == [True, True]
    again = collect(a_route("paging: none\nkey: [id]"), play(lambda _: Answer(body)), execution_id="etl_2")
    assert (again["inserted"], again["duplicates"], again["failed"]) == (0, 2, 2)
