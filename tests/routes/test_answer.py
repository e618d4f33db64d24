"""What an answer holds: lists that are missing, bodies that are cut off, forms that are read, odd values."""

from __future__ import annotations

import gzip
from typing import Any

import pytest

from sportmonks.errors import ConfigurationError, FatalApiError, TransientApiError
from tests.harness.routes import a_route, read_ids
from tests.harness.shape_server import Answer
from tests.routes.conftest import Collect, Conn, Server

GOOD = b'{"data": [{"id": 1}, {"id": 2}]}'


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
    first = Answer({"data": [{"id": 1}], "next": "b"})
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
    assert read_ids(read_all(a_route("paging: none"), server)) == [1, 2]
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
    assert (read_ids(found), found["failed"]) == (expected, 0)


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


def test_odd_values_in_the_warehouse(play: Server, collect: Collect, warehouse: Conn) -> None:
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
