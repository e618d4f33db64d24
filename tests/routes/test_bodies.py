"""What routes read: charsets, gzip, lines, CSV; and bodies that are refused because they are errors or cut off."""

from __future__ import annotations

import codecs
import gzip

import pytest

from sportmonks.errors import FatalApiError, TransientApiError
from tests.harness.routes import a_route
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Server

TEXT = '{"data": [{"id": 1, "name": "Münster"}]}'
LINES = b'{"id": 1, "name": "M\xc3\xbcnster"}\r\n\r\n{"id": 2}\n'
BODIES: list[tuple[str, bytes, dict[str, str], str]] = [
    ("latin-1", TEXT.encode("latin-1"), {"Content-Type": "application/json; charset=ISO-8859-1"}, ""),
    ("utf-16", TEXT.encode("utf-16"), {"Content-Type": "application/json"}, ""),
    ("byte order mark", codecs.BOM_UTF8 + TEXT.encode(), {}, ""),
    ("gzip without a header", gzip.compress(TEXT.encode(), mtime=0), {}, ""),
    (
        "gzip of two members",
        gzip.compress(TEXT[:9].encode(), mtime=0) + gzip.compress(TEXT[9:].encode(), mtime=0),
        {},
        "",
    ),
    ("lines, declared by the answer", LINES, {"Content-Type": "application/x-ndjson"}, ""),
    ("lines, declared by the route", LINES, {"Content-Type": "text/plain"}, "format: ndjson"),
    ("lines that call themselves JSON", LINES, {}, ""),
    ("CSV", "id;name\r\n1;Münster\r\n".encode(), {"Content-Type": "text/csv"}, ""),
    (
        "CSV in a charset of the route",
        "id;name\n1;Münster\n".encode("cp1252"),
        {},
        "format: csv\ncharset: windows-1252",
    ),
    ("CSV, declared by the route", "id\tname\n1\tMünster".encode(), {}, "format: csv"),
]


@pytest.mark.parametrize(("body", "headers", "keys"), [one[1:] for one in BODIES], ids=[one[0] for one in BODIES])
def test_bodies(
    play: Server,
    read_all: Collect,
    body: bytes,
    headers: dict[str, str],
    keys: str,
) -> None:
    server = play(lambda _: Answer(body, headers=headers))
    found = read_all(a_route(f"paging: none\n{keys}"), server)
    assert found["rows"][0]["name"] == "Münster"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "headers", "error", "words", "calls"),
    [
        (b"<!DOCTYPE html><html>", {}, FatalApiError, r"a web page \(HTML\), which routes do not read", 1),
        (b"PK\x03\x04x", {}, FatalApiError, "is a ZIP archive or a spreadsheet, which routes do not read", 1),
        (b"<?xml version='1.0'?><a/>", {}, FatalApiError, "is XML, which routes do not read", 1),
        (b"{}", {"Content-Type": "application/json; charset=klingon"}, FatalApiError, "'klingon', which is unknown", 1),
        (b"a,a\n1,2", {"Content-Type": "text/csv"}, FatalApiError, "has the column a twice", 1),
        (b"", {}, TransientApiError, "the answer is empty. If this API answers so", 2),
        (b"", {"Content-Type": "text/csv"}, TransientApiError, "the answer is empty. If this API answers so", 2),
        (b'{"error": "quota exceeded"}', {"Content-Type": "text/csv"}, TransientApiError, "error: quota exceeded", 2),
        (b'{"data": []}', {"Content-Type": "text/csv"}, TransientApiError, "is JSON and not CSV", 2),
        ("id\nMünster\n".encode("cp1252"), {"Content-Type": "text/csv"}, FatalApiError, "is not in UTF-8", 1),
        (b"id,name\n1,a\n2", {"Content-Type": "text/csv"}, TransientApiError, "last line of the CSV is cut off", 2),
        (b'{"id": 1}\n{"id": 2, "na', {"Content-Type": "application/x-ndjson"}, TransientApiError, "no valid JSON", 2),
        (b'{"error": "quota"}\n', {"Content-Type": "application/x-ndjson"}, TransientApiError, "error: quota", 2),
        (gzip.compress(b"{}" * 99, mtime=0)[:-9], {}, TransientApiError, "gzip of the answer is", 2),
    ],
)
def test_bodies_that_are_refused(
    play: Server,
    read_all: Collect,
    body: bytes,
    headers: dict[str, str],
    error: type[Exception],
    words: str,
    calls: int,
) -> None:
    """What cannot change is not requested again."""
    server = play(lambda _: Answer(body, headers=headers))
    with pytest.raises(error, match=words):
        read_all(a_route("paging: none"), server)
    assert len(server.requests) == calls


def test_the_columns_that_a_route_needs(play: Server, read_all: Collect) -> None:
    """The text of an error looks like the header of a CSV without rows."""
    server = play(lambda _: Answer(b"Error: quota exceeded", headers={"Content-Type": "text/csv"}))
    with pytest.raises(TransientApiError, match="the CSV has no column 'id', but Error: quota exceeded"):
        read_all(a_route("paging: none\nkey: [id]"), server)
    lines = play(lambda _: Answer(b'{"message": "busy"}', headers={"Content-Type": "application/x-ndjson"}))
    with pytest.raises(TransientApiError, match="message: busy"):
        read_all(a_route("paging: none\nkey: [id]"), lines)
    one = play(lambda _: Answer(b'{"id": 1, "message": "hello"}', headers={"Content-Type": "application/x-ndjson"}))
    assert read_all(a_route("paging: none\nkey: [id]"), one)["inserted"] == 1


@pytest.mark.parametrize(
    ("body", "kind", "records"),
    [
        (b'{"id": 1, "at": "2025-12-31", "message": "sent"}\n', "", 1),
        (b'{"id": 1, "at": "2025-12-31"}', "text/plain", 1),
        (b'{"message": "quota exceeded"}\n', "", None),
        (b'{"id": 1, "message": "no such export"}', "text/plain", None),
        (b'{"id": 1, "at": "2025-12-31"}', "application/json", None),
        (b'{"id": 1, "at": "2025-12-31", "data": [{"id": 2, "at": "2025-12-31"}]}', "", 1),
    ],
)
def test_a_day_of_ndjson_with_one_line(
    play: Server, read_all: Collect, body: bytes, kind: str, records: int | None
) -> None:
    """Where nothing says what it is, an object that has what the route names of a record is one."""
    route = a_route("paging: none\nkey: [id]\ndate_field: at")
    server = play(lambda _: Answer(body, headers={"Content-Type": kind}))
    if records is None:
        with pytest.raises((FatalApiError, TransientApiError)):
            read_all(route, server)
        return
    assert read_all(route, server)["inserted"] == records


def test_records_in_a_list_behind_the_paging(play: Server, read_all: Collect) -> None:
    """As the World Bank's API does it."""

    def answers(request: Request) -> Answer:
        number = int(request.query["page"])
        return Answer([{"page": number, "pages": 2}, [{"id": number}] if number < 3 else None])

    keys = "paging: {style: page, total_pages: '[0].pages'}\nrecords: "
    assert [row["id"] for row in read_all(a_route(f"{keys}'[1]'"), play(answers))["rows"]] == [1, 2]
    with pytest.raises(FatalApiError, match="are lists of records among the records"):
        read_all(a_route(f"{keys}."), play(answers))


def test_an_empty_answer_that_the_route_allows(play: Server, read_all: Collect) -> None:
    assert read_all(a_route("paging: none\nmissing_records: empty"), play(lambda _: Answer(b"")))["records"] == 0


def test_records_within_the_elements_of_a_list(play: Server, read_all: Collect) -> None:
    """The lines of all orders; a page of orders without lines is no end."""
    orders = [[{"lines": [{"id": 1}, {"id": 2}]}, {"lines": []}], [{"lines": []}], [{"lines": [{"id": 3}]}]]

    def answers(request: Request) -> Answer:
        page = int(request.query["page"])
        return Answer({"orders": orders[page - 1], "more": page < 3})

    route = a_route("records: orders.lines\npaging: {style: page, more: more}")
    server = play(answers)
    assert [row["id"] for row in read_all(route, server)["rows"]] == [1, 2, 3]
    assert len(server.requests) == 3
    with pytest.raises(FatalApiError, match=r"there is no list at 'orders\.lines'.*The answer has: id"):
        read_all(route, play(lambda _: Answer({"orders": [{"id": 1}], "more": False})))
