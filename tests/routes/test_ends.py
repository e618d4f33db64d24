"""The end of a listing of numbered pages is proven, or the summary says that it may be short."""

from __future__ import annotations

import pytest

from sportmonks.errors import (
    FatalApiError,
    SportmonksError,
    TransientApiError,
)
from sportmonks.routes.source import REFUSED_WAIT_S
from tests.harness.routes import a_route, numbered_pages
from tests.harness.shape_server import Answer, Play, Request
from tests.routes.conftest import Collect, Server

BY_PAGE = "paging: {style: page, size_parameter: size, size: 2"


@pytest.mark.parametrize(
    ("paging", "answers", "records", "end"),
    [
        (f"{BY_PAGE}}}", numbered_pages([[1, 2], [3], [4, 5], [6]]), 6, "empty_page"),
        (f"{BY_PAGE}, until: short}}", numbered_pages([[1, 2], [3], [4, 5]]), 3, "short_page"),
        (f"{BY_PAGE}, total: total}}", numbered_pages([[1, 2], [3, 4], [5]], total=2), 5, "empty_page"),
        (f"{BY_PAGE}, total: total}}", numbered_pages([[1, 2], [3, 4], [5]], total=0), 5, "empty_page"),
        (f"{BY_PAGE}, total: total}}", numbered_pages([[1, 2], [3, 4], [5]], total=5), 5, "total"),
        (f"{BY_PAGE}, total: total}}", numbered_pages([[1, 2], [3, 4]], total=4), 4, "total"),
        (f"{BY_PAGE}, total: total}}", numbered_pages([], total=0), 0, "empty_page"),
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
    summary = read_all(a_route(f"{BY_PAGE}}}"), play(numbered_pages([[1, 2], [], [4, 5], [6]])))
    assert (summary["inserted"], summary["end"], summary["unproven"]) == (5, "empty_page", 1)
    # Where the total says that nothing is missing, a page may be empty.
    summary = read_all(a_route(f"{BY_PAGE}, total: total}}"), play(numbered_pages([[1, 2], [], [4, 5], [6]], total=5)))
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


def test_a_total_in_content_range(play: Server, read_all: Collect) -> None:
    def answers(request: Request) -> Answer:
        at = int(request.query["offset"])
        rows = [{"id": n} for n in range(at, min(at + 2, 5))]
        return Answer({"data": rows}, headers={"Content-Range": f"items {at}-{at + len(rows) - 1}/5"})

    keys = "paging: {style: offset, total: header.Content-Range, size_parameter: limit, size: 2}"
    assert read_all(a_route(keys), play(answers))["end"] == "total"


def test_more_pages_than_allowed_is_an_error(play: Server, read_all: Collect) -> None:
    endless = play(lambda request: Answer({"data": [{"id": int(request.query["page"])}], "more": True}))
    with pytest.raises(SportmonksError, match="did not end after 3 pages"):
        read_all(a_route("paging: {style: page, more: more, max_pages: 3}"), endless)
