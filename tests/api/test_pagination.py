"""The paginator as tables, without a network: each line is a request, its answer and the decision on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from sportmonks.api.pagination import (
    ROUTE_RULES,
    V3_PAGES,
    V3_RULES,
    PageInfo,
    PageRules,
    PageSpec,
    Paginator,
    Step,
    page_info,
    sportmonks_pages,
)
from sportmonks.api.response import ApiResponse, Pagination
from sportmonks.errors import FatalApiError, TransientApiError

# The next request (query, or link), the answer to it, and the decision or error.
Line = tuple[Any, PageInfo, Any]
KEEP, AGAIN, REPEATED, END = Step.KEEP, Step.AGAIN, Step.REPEATED, Step.END


def page(*ids: int, more: bool = False, **pagination: Any) -> PageInfo:
    """A page of a Sportmonks listing."""
    rows = [msgspec.Raw(msgspec.json.encode({"id": each})) for each in ids]
    return page_info(ApiResponse(rows, pagination=Pagination(has_more=more, **pagination), no_result=not rows))


def without_id(number: int, more: bool) -> PageInfo:
    rows = [msgspec.Raw(msgspec.json.encode({"player_id": number, "position": each})) for each in (1, 2)]
    return page_info(ApiResponse(rows, pagination=Pagination(has_more=more)))


def raw(rows: int, mark: str, **paging: Any) -> PageInfo:
    """A page of a raw route; ``mark`` stands for its content."""
    return PageInfo(rows, mark if rows else "", **paging)


NOTHING = page_info(ApiResponse(None, no_result=True))


def play(paginator: Paginator, query: Mapping[str, str], lines: Sequence[Line]) -> None:
    """Follow the lines; every one but the last leaves the listing open."""
    for position, (expected, info, outcome) in enumerate(lines):
        assert not paginator.ended(), f"line {position}"
        link, sent = paginator.request(query)
        assert (sent if link is None else link) == expected, f"line {position}"
        if isinstance(outcome, Step):
            assert paginator.take(info) is outcome, f"line {position}"
        else:
            kind, words = outcome
            with pytest.raises(kind, match=words):
                paginator.take(info)


TRANSIENT, FATAL = TransientApiError, FatalApiError
P2 = {"per_page": "2"}
SPORTMONKS: dict[str, tuple[dict[str, str], bool, list[Line], bool]] = {
    # name: (parameters of the listing, with cursor, lines, whether the listing has ended)
    "pages until there is no more": (
        P2,
        False,
        [
            (P2, page(1, 2, more=True, current_page=1), KEEP),
            ({**P2, "page": "2"}, page(3, more=False, current_page=2), KEEP),
        ],
        True,
    ),
    "an answer without pagination is the only page": (
        {},
        False,
        [({}, page_info(ApiResponse([msgspec.Raw(b'{"id":1}')])), KEEP)],
        True,
    ),
    "nothing there": ({}, False, [({}, NOTHING, END)], True),
    "an empty page that was promised is requested again and is never the end": (
        {},
        False,
        [
            ({}, page(1, 2, more=True), KEEP),
            ({"page": "2"}, NOTHING, AGAIN),
            ({"page": "2"}, page(3, more=True), KEEP),
            ({"page": "3"}, NOTHING, AGAIN),
            ({"page": "3"}, NOTHING, AGAIN),
            ({"page": "3"}, NOTHING, (TRANSIENT, "page 3 is empty although page 2 promised more")),
        ],
        False,
    ),
    # Some servers promise more whenever a page is full.
    "nothing again and again after a full page is the end": (
        P2,
        False,
        [
            (P2, page(1, 2, more=True), KEEP),
            ({**P2, "page": "2"}, NOTHING, AGAIN),
            ({**P2, "page": "2"}, NOTHING, AGAIN),
            ({**P2, "page": "2"}, NOTHING, END),
        ],
        True,
    ),
    "the same after a full page by cursor": (
        P2,
        True,
        [
            (P2, page(1, 2, more=True, next_cursor="a"), KEEP),
            ({"cursor": "a"}, page(3, 4, more=True, next_cursor="b"), KEEP),
            ({"cursor": "b"}, NOTHING, AGAIN),
            ({"cursor": "b"}, NOTHING, AGAIN),
            ({"cursor": "b"}, NOTHING, END),
        ],
        True,
    ),
    "an empty page by cursor does not end a listing that promised more": (
        P2,
        True,
        [
            (P2, page(1, 2, more=True, next_cursor="a"), KEEP),
            ({"cursor": "a"}, page(3, more=True, next_cursor="b"), KEEP),
            ({"cursor": "b"}, NOTHING, AGAIN),
            ({"cursor": "b"}, NOTHING, AGAIN),
            ({"cursor": "b"}, NOTHING, (TRANSIENT, "page 3 is empty although page 2 promised more")),
        ],
        False,
    ),
    "a repeated page is requested again, then given up": (
        {},
        False,
        [
            ({}, page(1, 2, more=True), KEEP),
            ({"page": "2"}, page(1, 2, more=True), AGAIN),
            ({"page": "2"}, page(1, 2, more=True), AGAIN),
            ({"page": "2"}, page(1, 2, more=True), (TRANSIENT, "page 2 repeats")),
        ],
        False,
    ),
    "a page with another number is not the requested one": (
        {},
        False,
        [
            ({}, page(1, 2, more=True, current_page=1), KEEP),
            ({"page": "2"}, page(8, 9, more=True, current_page=1), AGAIN),
        ],
        False,
    ),
    "a page with another number again and again is an error": (
        {},
        False,
        [
            ({}, page(1, 2, more=True, current_page=1), KEEP),
            ({"page": "2"}, page(8, 9, more=True, current_page=1), AGAIN),
            ({"page": "2"}, page(8, 9, more=True, current_page=1), AGAIN),
            ({"page": "2"}, page(8, 9, more=True, current_page=1), (TRANSIENT, "page 1 came instead of page 2")),
        ],
        False,
    ),
    "a cursor is sent without per_page, page and order": (
        {"per_page": "50", "order": "asc", "filters": "populate"},
        True,
        [
            (
                {"per_page": "50", "order": "asc", "filters": "populate"},
                page(1, more=True, next_cursor="aa"),
                KEEP,
            ),
            ({"filters": "populate", "cursor": "aa"}, page(2, more=True, next_cursor="bb"), KEEP),
            ({"filters": "populate", "cursor": "bb"}, page(3, more=False), KEEP),
        ],
        True,
    ),
    "a cursor that does not move is an error": (
        {},
        True,
        [
            ({}, page(1, more=True, next_cursor="aa"), KEEP),
            ({"cursor": "aa"}, page(2, more=True, next_cursor="aa"), (TRANSIENT, "cursor does not move")),
        ],
        False,
    ),
    "a cursor that leads back further is an error": (
        {},
        True,
        [
            ({}, page(1, more=True, next_cursor="aa"), KEEP),
            ({"cursor": "aa"}, page(2, more=True, next_cursor="bb"), KEEP),
            ({"cursor": "bb"}, page(3, more=True, next_cursor="aa"), (TRANSIENT, "cursor does not move")),
        ],
        False,
    ),
    "a cursor that is missing although more is promised is an error": (
        {},
        True,
        [
            ({}, page(1, more=True, next_cursor="aa"), KEEP),
            ({"cursor": "aa"}, page(2, more=True), (TRANSIENT, "promised more after page 2 but names no cursor")),
        ],
        False,
    ),
    "no more by cursor is the end, also with a cursor": (
        {},
        True,
        [
            ({}, page(1, more=True, next_cursor="aa"), KEEP),
            ({"cursor": "aa"}, page(2, more=False, next_cursor="bb"), KEEP),
        ],
        True,
    ),
    "a listing by cursor goes on by page number where no cursor is given": (
        {},
        True,
        [({}, page(1, more=True), KEEP), ({"page": "2"}, page(2, more=False), KEEP)],
        True,
    ),
    # Rows that were added meanwhile push others onto the next page, and that stays so.
    "a page that begins too early is requested once more": (
        {},
        False,
        [
            ({}, page(1, 2, 3, more=True), KEEP),
            ({"page": "2"}, page(3, 4, 5, more=True), AGAIN),
            ({"page": "2"}, page(4, 5, 6, more=True), KEEP),
            ({"page": "3"}, page(6, 7, 8, more=True), AGAIN),
            ({"page": "3"}, page(6, 7, 8, more=False), KEEP),
        ],
        True,
    ),
    "rows without an id are distinguished by their content": (
        {},
        False,
        [
            ({}, without_id(1, True), KEEP),
            ({"page": "2"}, without_id(1, True), AGAIN),
            ({"page": "2"}, without_id(2, False), KEEP),
        ],
        True,
    ),
}


@pytest.mark.parametrize("name", SPORTMONKS)
def test_a_sportmonks_listing(name: str) -> None:
    params, cursor, lines, ended = SPORTMONKS[name]
    paginator = Paginator.start(sportmonks_pages(params, cursor=cursor), rules=V3_RULES)
    play(paginator, params, lines)
    assert paginator.ended() is ended


FLAG = PageSpec("page", "page", size_parameter="size", size=2, more=("more",))
TOTAL = PageSpec("page", "page", total=("total",))
SHORT = PageSpec("page", "page", size_parameter="size", size=2)
OFFSET = PageSpec("offset", "offset", first=0, size_parameter="limit", size=2, total=("total",))
CURSOR = PageSpec("cursor", "after", next=("next",))
LINK = PageSpec("next", next=("links", "next"))
STOP = {"stop_on_repeat": True}
ROUTES: dict[str, tuple[PageSpec, list[Line], bool]] = {
    # name: (how the API pages, lines, whether the listing has ended)
    "page, by the flag": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "b", more=False), KEEP),
        ],
        True,
    ),
    "page, the flag is gone on the last page": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "b"), KEEP),
        ],
        True,
    ),
    "page, by the total": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=3), KEEP),
            ({"q": "x", "page": "2"}, raw(1, "b", total=3), KEEP),
        ],
        True,
    ),
    "page, rows were deleted meanwhile": (
        TOTAL,
        [({"q": "x", "page": "1"}, raw(2, "a", total=3), KEEP), ({"q": "x", "page": "2"}, raw(0, "", total=2), END)],
        True,
    ),
    "page, by the short page": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(1, "b"), KEEP),
        ],
        True,
    ),
    "page, by the empty page": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, ""), END),
        ],
        True,
    ),
    # APIs cap the size, so a page shorter than requested is not yet the last one.
    "page, the size is capped": (
        PageSpec("page", "page", size_parameter="size", size=500),
        [
            ({"q": "x", "size": "500", "page": "1"}, raw(100, "a"), KEEP),
            ({"q": "x", "size": "500", "page": "2"}, raw(100, "b"), KEEP),
            ({"q": "x", "size": "500", "page": "3"}, raw(7, "c"), KEEP),
        ],
        True,
    ),
    "page, counted from 0": (
        PageSpec("page", "p", first=0, more=("more",)),
        [({"q": "x", "p": "0"}, raw(2, "a", more=True), KEEP), ({"q": "x", "p": "1"}, raw(1, "b", more=False), KEEP)],
        True,
    ),
    "offset, by the total": (
        OFFSET,
        [
            ({"q": "x", "limit": "2", "offset": "0"}, raw(2, "a", total=3), KEEP),
            ({"q": "x", "limit": "2", "offset": "2"}, raw(1, "b", total=3), KEEP),
        ],
        True,
    ),
    "offset, counted from 1": (
        PageSpec("offset", "start", first=1, total=("total",)),
        [
            ({"q": "x", "start": "1"}, raw(2, "a", total=3), KEEP),
            ({"q": "x", "start": "3"}, raw(1, "b", total=3), KEEP),
        ],
        True,
    ),
    "cursor": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="/list?after=c3"), KEEP),
            ({"q": "x", "after": "c3"}, raw(1, "c"), KEEP),
        ],
        True,
    ),
    # A filtered page may be empty and still lead on; the end is the missing cursor.
    "cursor, an empty page leads on": (
        CURSOR,
        [
            ({"q": "x"}, raw(0, "", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(0, "", next="c3"), KEEP),
            ({"q": "x", "after": "c3"}, raw(0, ""), KEEP),
        ],
        True,
    ),
    "cursor, it does not move": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c2"), (TRANSIENT, "cursor does not move on after page 2")),
        ],
        False,
    ),
    "cursor, it leads back": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c3"), KEEP),
            ({"q": "x", "after": "c3"}, raw(2, "c", next="c2"), (TRANSIENT, "leads back to a page that was read")),
        ],
        False,
    ),
    "cursor, the last one stays and ends the listing": (
        PageSpec("cursor", "after", next=("next",), **STOP),  # type: ignore[arg-type]
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c2"), KEEP),
        ],
        True,
    ),
    "next link": (
        LINK,
        [({"q": "x"}, raw(2, "a", next="/list?page=2&q=x"), KEEP), ("/list?page=2&q=x", raw(1, "b"), KEEP)],
        True,
    ),
    "next link, it leads back": (
        LINK,
        [
            ({"q": "x"}, raw(2, "a", next="/2"), KEEP),
            ("/2", raw(1, "b", next="/2"), (TRANSIENT, "its link does not move on after page 2")),
        ],
        False,
    ),
    "none": (PageSpec(), [({"q": "x"}, raw(2, "a", more=True, total=9), KEEP)], True),
    "nothing there": (SHORT, [({"q": "x", "size": "2", "page": "1"}, raw(0, ""), END)], True),
    "an empty page where more was promised": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=9), KEEP),
            ({"q": "x", "page": "2"}, raw(0, "", total=9), AGAIN),
            ({"q": "x", "page": "2"}, raw(2, "b", total=9), KEEP),
            ({"q": "x", "page": "3"}, raw(0, "", total=9), AGAIN),
            ({"q": "x", "page": "3"}, raw(0, "", total=9), AGAIN),
            (
                {"q": "x", "page": "3"},
                raw(0, "", total=9),
                (TRANSIENT, "page 3 is empty although page 2 promised more"),
            ),
        ],
        False,
    ),
    # A full page before it is no excuse: nothing is known of this API.
    "an empty first page that promises more": (
        FLAG,
        [({"q": "x", "size": "2", "page": "1"}, raw(0, "", more=True), AGAIN)] * 2
        + [
            (
                {"q": "x", "size": "2", "page": "1"},
                raw(0, "", more=True),
                (TRANSIENT, "page 1 is empty although it promised more"),
            )
        ],
        False,
    ),
    "a page that comes twice once": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "a", more=True), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "b", more=False), KEEP),
        ],
        True,
    ),
    "a page that stays repeated is passed": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "a", more=True), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "a", more=True), REPEATED),
            ({"q": "x", "size": "2", "page": "3"}, raw(2, "c", more=False), KEEP),
        ],
        True,
    ),
    "pages that repeat without end": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "a", more=True), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "a", more=True), REPEATED),
            ({"q": "x", "size": "2", "page": "3"}, raw(2, "a", more=True), AGAIN),
            ({"q": "x", "size": "2", "page": "3"}, raw(2, "a", more=True), REPEATED),
            ({"q": "x", "size": "2", "page": "4"}, raw(2, "a", more=True), AGAIN),
            (
                {"q": "x", "size": "2", "page": "4"},
                raw(2, "a", more=True),
                (TRANSIENT, "repeats itself.*3 times in a row"),
            ),
        ],
        False,
    ),
    # Some APIs answer page numbers beyond the end with the last page.
    "the last page repeated beyond the end": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "b"), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(2, "b"), AGAIN),
            ({"q": "x", "size": "2", "page": "3"}, raw(2, "b"), REPEATED),
            ({"q": "x", "size": "2", "page": "4"}, raw(2, "b"), AGAIN),
            ({"q": "x", "size": "2", "page": "4"}, raw(2, "b"), REPEATED),
            ({"q": "x", "size": "2", "page": "5"}, raw(2, "b"), AGAIN),
            ({"q": "x", "size": "2", "page": "5"}, raw(2, "b"), REPEATED),
        ],
        True,
    ),
    "the first page repeated: the API ignores the page number": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            *(
                ({"q": "x", "size": "2", "page": str(number)}, raw(2, "a"), step)
                for number in (2, 3)
                for step in (AGAIN, REPEATED)
            ),
            ({"q": "x", "size": "2", "page": "4"}, raw(2, "a"), AGAIN),
            ({"q": "x", "size": "2", "page": "4"}, raw(2, "a"), (TRANSIENT, "repeats itself")),
        ],
        False,
    ),
    "a repeated page ends a listing that declares it": (
        PageSpec("page", "page", more=("more",), **STOP),  # type: ignore[arg-type]
        [
            ({"q": "x", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "page": "2"}, raw(2, "a", more=True), REPEATED),
        ],
        True,
    ),
    "page numbers change over to the cursor": (
        PageSpec(
            "page",
            "page",
            size_parameter="size",
            size=2,
            more=("more",),
            next=("next",),
            cursor_after=4,
            drop_with_cursor=("size", "page"),
        ),
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True, next="c2"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "b", more=True, next="c3"), KEEP),
            ({"q": "x", "cursor": "c3"}, raw(2, "c", more=True, next="https://x/list?cursor=c4"), KEEP),
            ({"q": "x", "cursor": "c4"}, raw(1, "d", more=False), KEEP),
        ],
        True,
    ),
    "page numbers go on where no cursor is given": (
        PageSpec("page", "page", more=("more",), next=("next",), cursor_after=2),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", more=True), KEEP),
            ({"q": "x", "page": "2"}, raw(2, "b", more=False), KEEP),
        ],
        True,
    ),
}


@pytest.mark.parametrize("name", ROUTES)
def test_a_listing_of_a_raw_route(name: str) -> None:
    spec, lines, ended = ROUTES[name]
    paginator = Paginator.start(spec)
    play(paginator, {"q": "x"}, lines)
    assert paginator.ended() is ended


# Only the last page's mark is stored, and not how often pages were repeated or which cursors came before.
RESUMABLE = [name for name in ROUTES if "repeat" not in name and "leads back" not in name]


@pytest.mark.parametrize("name", RESUMABLE)
def test_a_listing_resumes_at_each_of_its_pages(name: str) -> None:
    """Interrupted after any stored page, the rest of the listing is read with the same requests and decisions."""
    spec, lines, ended = ROUTES[name]
    for stored in range(1, len(lines)):
        if lines[stored - 1][2] is AGAIN:
            continue  # nothing is stored of a page that is requested again
        interrupted = Paginator.start(spec)
        play(interrupted, {"q": "x"}, lines[:stored])
        resumed = Paginator.start(spec, msgspec.json.decode(msgspec.json.encode(interrupted.state())))
        play(resumed, {"q": "x"}, lines[stored:])
        assert resumed.ended() is ended


@pytest.mark.parametrize(
    ("next_cursor", "cursor"),
    [
        ("eyJpZCI6MX0", "eyJpZCI6MX0"),
        ("https://api.example/v3/football/fixtures?cursor=abc%3D&x=1", "abc="),
        ("?cursor=abc", "abc"),
        ("cursor=abc", "abc"),
    ],
)
def test_a_cursor_is_a_string_or_a_url_that_holds_it(next_cursor: str, cursor: str) -> None:
    assert V3_PAGES.cursor_of(next_cursor) == cursor
    assert CURSOR.cursor_of(next_cursor.replace("cursor=", "after=")) == cursor


def test_pages_change_over_to_the_cursor_where_offsets_end() -> None:
    paginator = Paginator.start(sportmonks_pages({"per_page": "1000"}), rules=V3_RULES)
    for number in range(1, 21):
        assert "cursor" not in paginator.request({"per_page": "1000"})[1]
        assert paginator.take(page(number, more=True, per_page=1000, next_cursor=f"c{number}")) is KEEP
    assert paginator.request({"per_page": "1000"}) == (None, {"cursor": "c20"})


def test_without_a_cursor_the_end_of_offsets_is_an_error_with_a_hint() -> None:
    paginator = Paginator.start(sportmonks_pages({"per_page": "1000"}), rules=V3_RULES)
    for number in range(1, 20):
        paginator.take(page(number, more=True, per_page=1000))
    with pytest.raises(FatalApiError, match="Narrow the request"):
        paginator.take(page(20, more=True, per_page=1000))


@pytest.mark.parametrize(
    ("spec", "rules"),
    [(sportmonks_pages({}, max_pages=3), V3_RULES), (PageSpec("page", "page", max_pages=3), ROUTE_RULES)],
)
def test_a_listing_that_never_ends_is_ended(spec: PageSpec, rules: PageRules) -> None:
    paginator = Paginator.start(spec, rules=rules)
    for number in (1, 2, 3):
        paginator.request({})
        assert paginator.take(page(number, more=True) if rules.strict else raw(2, str(number))) is KEEP
    # Where more is promised the next page is not requested at all; elsewhere it might have been the empty last one.
    with pytest.raises(FatalApiError, match="after 3 pages"):
        paginator.request({}) if rules.strict else paginator.take(raw(2, "4"))


def test_a_listing_of_exactly_the_maximum_of_pages_is_no_error() -> None:
    paginator = Paginator.start(PageSpec("page", "page", max_pages=3))
    for number in (1, 2, 3):
        paginator.take(raw(2, str(number)))
    assert paginator.request({}) == (None, {"page": "4"})
    assert paginator.take(raw(0, "")) is END
    assert paginator.ended()


# What version 0.1 stored after two pages of 100 rows: (how the API pages, changed fields of the state, next request).
STORED = {
    "page": (FLAG, {"page": 3, "offset": 200}, (None, {"size": "2", "page": "3"})),
    "page, by total": (TOTAL, {"page": 3, "offset": 200}, (None, {"page": "3"})),
    "offset": (OFFSET, {"page": 2, "offset": 200}, (None, {"limit": "2", "offset": "200"})),
    "cursor": (CURSOR, {"cursor": "c3"}, (None, {"after": "c3"})),
    "next": (LINK, {"link": "/api/next?cursor=c3"}, ("/api/next?cursor=c3", {})),
    "cursor after page numbers": (V3_PAGES, {"page": 401, "cursor": "c401"}, (None, {"cursor": "c401"})),
}


@pytest.mark.parametrize("name", STORED)
def test_a_state_that_an_older_version_stored_is_resumed(name: str) -> None:
    spec, changed, request = STORED[name]
    common = {"page": 0, "cursor": None, "link": None, "offset": 0, "rows": 200, "pages": 2, "largest": 100}
    state = {**common, "last_mark": "m2", "promised": True, **changed}
    paginator = Paginator.start(spec, state)
    assert paginator.state() == state
    assert paginator.request({}) == request
    # The page before the interruption is still recognised.
    assert paginator.take(raw(100, "m2", more=True, next="x")) is AGAIN
    assert paginator.take(raw(100, "m3", more=True, total=900, next="x")) is KEEP
    assert (paginator.rows, paginator.pages) == (300, 3)
