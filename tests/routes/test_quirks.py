"""How other people's APIs page beside their documentation, one case each; no listing ends early without a word."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.errors import ConfigurationError, FatalApiError
from tests.harness.routes import a_route, read_ids
from tests.harness.shape_server import Answer, Request
from tests.routes.conftest import Collect, Server

LAST = 2  # the page or cursor of the last page; each has two records


def rows(page: int) -> list[dict[str, int]]:
    return [{"id": page * 2 + 1}, {"id": page * 2 + 2}] if page <= LAST else []


ALL = [1, 2, 3, 4, 5, 6]


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
    assert (read_ids(found), found["end"], found["unproven"]) == (ALL, "flag", 0)


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
    assert (read_ids(found), found["end"], found["unproven"]) == (ALL, "no_next", 0)


def test_the_id_of_a_last_record_may_be_0(play: Server, read_all: Collect) -> None:
    answers = {None: [{"id": -1}, {"id": 0}], "0": [{"id": 1}], "1": []}
    server = play(lambda request: Answer({"data": answers[request.query.get("since")]}))
    assert read_ids(read_all(a_route("paging: {style: cursor, parameter: since, next: last.id}"), server)) == [-1, 0, 1]


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
    assert (read_ids(found), found["end"]) == (ALL, "no_next")


def test_a_link_to_another_host_is_not_followed(play: Server, read_all: Collect) -> None:
    """Behind a gateway, an API may name its own host; the parameter alone is sent to ours."""

    def answers(request: Request) -> Answer:
        at = int(request.query.get("c", 0))
        return Answer({"data": rows(at), "next": f"http://internal:8080/o?c={at + 1}" if at < LAST else None})

    server = play(answers)
    with pytest.raises(FatalApiError, match=r"another host \(internal\).*style: cursor, with parameter"):
        read_all(a_route("paging: {style: next, next: next}"), server)
    assert read_ids(read_all(a_route("paging: {style: cursor, parameter: c, next: next}"), server)) == ALL


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
    assert (read_ids(found), found["end"], found["unproven"]) == (ALL, end, 0)
    assert [request.query["c"] for request in server.requests][:2] == ["*", "constant"]


def test_a_link_that_is_named_for_ever(play: Server, read_all: Collect, monkeypatch: pytest.MonkeyPatch) -> None:
    """As CKAN's datastore does it: each page names a next one, also those behind the end."""

    def answers(request: Request) -> Answer:
        at = int(request.query.get("offset", 0))
        return Answer({"data": rows(at // 2), "total": 6, "next": f"/orders?offset={at + 2}"})

    server = play(answers)
    for paging, end in (("total: total", "total"), ("until: empty", "empty_page")):
        found = read_all(a_route(f"paging: {{style: next, next: next, {paging}}}"), server)
        assert (read_ids(found), found["end"], found["unproven"]) == (ALL, end, 0)
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
    assert (read_ids(found), found["end"]) == (ALL, "no_next")
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
        assert read_ids(found) == ALL


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
    assert (sorted(set(read_ids(found))), found["end"]) == ([1, 2, 3, 4], "no_next")
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
    assert (read_ids(found), found["unproven"]) == (ALL, unproven)


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
