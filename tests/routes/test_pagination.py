"""The paginator of raw routes as tables, without a network; interrupted listings are resumed."""

from __future__ import annotations

import msgspec
import pytest

from sportmonks.api.pagination import (
    V3_PAGES,
    PageSpec,
    Paginator,
)
from tests.harness.pagination import (
    AGAIN,
    CURSOR,
    END,
    FLAG,
    KEEP,
    LINK,
    OFFSET,
    REPEATED,
    SHORT,
    TOTAL,
    TRANSIENT,
    Line,
    play,
    raw,
)

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
