"""The paginator of Sportmonks listings as tables, without a network, and what it shares with raw routes."""

from __future__ import annotations

import msgspec
import pytest

from sportmonks.api.page_spec import (
    ROUTE_RULES,
    V3_PAGES,
    V3_RULES,
    PageRules,
    PageSpec,
    page_info,
    sportmonks_pages,
)
from sportmonks.api.pagination import Paginator
from sportmonks.api.response import ApiResponse
from sportmonks.errors import FatalApiError
from tests.harness.pagination import (
    AGAIN,
    CURSOR,
    END,
    KEEP,
    NOTHING,
    TRANSIENT,
    Line,
    page,
    play,
    raw,
    without_id,
)

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
    "behind a full page without pagination there may be more": (
        P2,
        False,
        [
            (P2, page_info(ApiResponse([msgspec.Raw(b'{"id":1}'), msgspec.Raw(b'{"id":2}')])), KEEP),
            ({**P2, "page": "2"}, page_info(ApiResponse([msgspec.Raw(b'{"id":3}')])), KEEP),
        ],
        True,
    ),
    "a full page without pagination may be the last one": (
        P2,
        False,
        [
            (P2, page_info(ApiResponse([msgspec.Raw(b'{"id":1}'), msgspec.Raw(b'{"id":2}')])), KEEP),
            ({**P2, "page": "2"}, NOTHING, END),
        ],
        True,
    ),
    "a list that is not paged ends with its first page, also when it has as many rows as a page": (
        P2,
        False,
        [
            (P2, page_info(ApiResponse([msgspec.Raw(b'{"id":%d}' % n) for n in (1, 2, 3)])), KEEP),
            (
                {**P2, "page": "2"},
                page_info(ApiResponse([msgspec.Raw(b'{"id":%d}' % n) for n in (1, 2, 3)])),
                END,
            ),
        ],
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
    for step in (AGAIN, END):
        assert paginator.request({}) == (None, {"page": "4"})
        assert paginator.take(raw(0, "")) is step
    assert paginator.ended()
