"""Listings of raw routes whose pages name their successor, as tables: see test_pagination."""

from __future__ import annotations

from sportmonks.api.page_spec import PageSpec
from tests.harness.pagination import AGAIN, CURSOR, END, KEEP, LINK, REPEATED, TRANSIENT, Line, raw

STOP = {"stop_on_repeat": True}
# name: (how the API pages, lines, whether the listing has ended or how, with what speaks against it)
BY_LINK: dict[str, tuple[PageSpec, list[Line], bool | str]] = {
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
    # The last page is stored before anything else is decided.
    "cursor, the last page repeats its own": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c2"), END),
        ],
        "repeated_cursor",
    ),
    "cursor, an empty last page repeats its own": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(0, "", next="c2"), KEEP),
        ],
        "repeated_cursor",
    ),
    # The same with a cursor that the API does not take: the first page comes again and again.
    "cursor, the API repeats its first page": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "a", next="c2"), AGAIN),
            ({"q": "x", "after": "c2"}, raw(2, "a", next="c2"), REPEATED),
            ((TRANSIENT, "its cursor does not move on after page 2. Is paging.parameter its name"), None, None),
        ],
        False,
    ),
    "cursor, it leads back": (
        CURSOR,
        [
            ({"q": "x"}, raw(2, "a", next="c2"), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c3"), KEEP),
            ({"q": "x", "after": "c3"}, raw(2, "c", next="c2"), KEEP),
            ((TRANSIENT, "leads back to a page that was read"), None, None),
        ],
        False,
    ),
    "cursor, a flag says that it is the last": (
        PageSpec("cursor", "after", next=("next",), done=("done",)),
        [
            ({"q": "x"}, raw(2, "a", next="c2", more=True), KEEP),
            ({"q": "x", "after": "c2"}, raw(2, "b", next="c2", more=False), KEEP),
        ],
        "flag",
    ),
    "cursor, a flag promises more and none is named": (
        PageSpec("cursor", "after", next=("next",), more=("more",)),
        [({"q": "x"}, raw(2, "a", more=True), (TRANSIENT, "promised more after page 1 but names no cursor"))],
        False,
    ),
    "cursor, it is the last record's": (
        PageSpec("cursor", "after", next=("last", "id")),
        [
            ({"q": "x"}, raw(2, "a", next=2), KEEP),
            ({"q": "x", "after": "2"}, raw(2, "b", next=4), KEEP),
            ({"q": "x", "after": "4"}, raw(0, ""), END),
        ],
        "empty_page",
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
            ("/2", raw(1, "b", next="/3"), KEEP),
            ("/3", raw(1, "c", next="/2"), KEEP),
            ((TRANSIENT, "its link does not move on after page 3"), None, None),
        ],
        False,
    ),
    "next link, the last page repeats its own": (
        LINK,
        [
            ({"q": "x"}, raw(2, "a", next="/2"), KEEP),
            ("/2", raw(1, "b", next="/2"), KEEP),
            ("/2", raw(1, "b", next="/2"), END),
        ],
        "repeated_cursor",
    ),
    "next link, the last page repeats its own with rows that differ each time": (
        LINK,
        [
            ({"q": "x"}, raw(2, "a", next="/2"), KEEP),
            ("/2", raw(1, "b", next="/2"), KEEP),
            ("/2", raw(1, "b, changed", next="/2"), KEEP),
        ],
        "repeated_cursor, page 3 names itself as the next one, and brought other rows again"
        " (if this API keeps one cursor: until: empty)",
    ),
    # As searches of code hosts do it: no link behind the thousandth result.
    "next link, none is named at a usual limit": (
        LINK,
        [({"q": "x"}, raw(500, "a", next="/2"), KEEP), ("/2", raw(500, "b"), KEEP)],
        "no_next, exactly 1000 records is what many APIs count and show at most (if it is none: until: empty)",
    ),
    "next link, as many as the total, which is a usual limit": (
        PageSpec("next", next=("next",), total=("total",)),
        [({"q": "x"}, raw(500, "a", next="/2", total=1000), KEEP), ("/2", raw(500, "b", total=1000), KEEP)],
        "no_next",
    ),
    "cursor, until an empty page": (
        PageSpec("cursor", "after", next=("next",), until="empty"),
        [
            ({"q": "x"}, raw(2, "a", next="c"), KEEP),
            ({"q": "x", "after": "c"}, raw(2, "b", next="c"), KEEP),
            ({"q": "x", "after": "c"}, raw(0, "", next="c"), AGAIN),
            ({"q": "x", "after": "c"}, raw(0, "", next="c"), END),
        ],
        "empty_page",
    ),
    "next link, an empty page behind the total": (
        PageSpec("next", next=("next",), total=("total",)),
        [({"q": "x"}, raw(2, "a", next="/2", total=2), KEEP), ("/2", raw(0, "", next="/3", total=2), END)],
        "total",
    ),
    "next link, fewer records than the total": (
        PageSpec("next", next=("next",), total=("total",)),
        [
            ({"q": "x"}, raw(2, "a", next="/2", total=5), KEEP),
            ("/2", raw(2, "b", total=5), KEEP),
        ],
        "no_next, the API counts 5 records, and 4 came",
    ),
    "none": (PageSpec(), [({"q": "x"}, raw(2, "a", more=True, total=9), KEEP)], True),
}
