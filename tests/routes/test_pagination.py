"""The paginator of raw routes as tables, without a network; interrupted listings are resumed."""

from __future__ import annotations

import msgspec
import pytest

from sportmonks.api.page_spec import V3_PAGES, PageSpec
from sportmonks.api.pagination import Paginator
from sportmonks.routes.records import page_mark
from tests.harness.pagination import (
    AGAIN,
    CURSOR,
    FLAG,
    KEEP,
    LINK,
    OFFSET,
    TOTAL,
    play,
    raw,
)
from tests.routes.listings import read_listings

ROUTES = read_listings()


@pytest.mark.parametrize("name", ROUTES)
def test_a_listing_of_a_raw_route(name: str) -> None:
    spec, lines, ended = ROUTES[name]
    paginator = Paginator.start(spec)
    play(paginator, {"q": "x"}, lines)
    has_ended(paginator, ended)


def has_ended(paginator: Paginator, expected: bool | str) -> None:
    assert paginator.ended() is bool(expected)
    if isinstance(expected, str):
        assert ", ".join(filter(None, (paginator.end, paginator.doubt))) == expected


def test_a_field_that_always_changes_does_not_hide_a_page_that_was_read() -> None:
    """The mark leaves out what the hash leaves out."""
    first, second = ([msgspec.Raw(b'{"id":1,"at":{"now":%d}}' % now)] for now in (1, 2))
    assert page_mark(first) != page_mark(second)
    assert page_mark(first, [("at", "now")]) == page_mark(second, [("at", "now")])


def test_rows_that_come_twice_do_not_count() -> None:
    """A page with more rows than it can have: the next offset is that of its size, and pages behind are not short."""
    offsets = Paginator.start(OFFSET)
    offsets.take(raw(3, "a", total=5))
    assert offsets.request({})[1] == {"limit": "2", "offset": "2"}
    spec = PageSpec("page", "page", size_parameter="size", size=2, total=("total",))
    pages = Paginator.start(spec)
    for mark in "abc":
        assert pages.take(raw(3 if mark == "a" else 2, mark, total=7)) is KEEP
        assert not pages.ended()
    pages.take(raw(1, "d", total=7))
    assert pages.request({})[1]["page"] == "5"  # eight rows of seven: the total proves nothing any more


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
        has_ended(resumed, ended)


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
