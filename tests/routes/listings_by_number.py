"""Listings of raw routes by page number and offset, as tables: see test_pagination."""

from __future__ import annotations

from sportmonks.api.page_spec import PageSpec
from tests.harness.pagination import (
    AGAIN,
    END,
    FLAG,
    KEEP,
    OFFSET,
    REPEATED,
    SHORT,
    TOTAL,
    TRANSIENT,
    Line,
    raw,
)

STOP = {"stop_on_repeat": True}
# name: (how the API pages, lines, whether the listing has ended or how, with what speaks against it)
BY_NUMBER: dict[str, tuple[PageSpec, list[Line], bool | str]] = {
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
    "page, the flag has another name than the route says": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(1, "b"), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(0, ""), END),
        ],
        "empty_page",
    ),
    "page, the API does not know the parameter": (
        PageSpec("page", "pge", size_parameter="size", size=9),
        [
            ({"q": "x", "size": "9", "pge": "1"}, raw(5, "a"), KEEP),
            ({"q": "x", "size": "9", "pge": "2"}, raw(5, "a"), END),
        ],
        "repeated_page, page 2 brought the rows of page 1 again, so the API may not know the parameter 'pge'"
        " (if it does: stop_on_repeat)",
    ),
    # As servers do that compare the number of rows with the size.
    "page, the flag promises more whenever a page is full": (
        FLAG,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a", more=True), KEEP),
            *[({"q": "x", "size": "2", "page": "2"}, raw(0, "", more=False), AGAIN)] * 2,
            ({"q": "x", "size": "2", "page": "2"}, raw(0, "", more=False), END),
        ],
        "empty_page",
    ),
    "page, the flag promises more, and whether the page was full is not known": (
        PageSpec("page", "page", more=("more",)),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", more=True), KEEP),
            *[({"q": "x", "page": "2"}, raw(0, "", more=False), AGAIN)] * 2,
            ({"q": "x", "page": "2"}, raw(0, "", more=False), END),
        ],
        "empty_page, page 1 promised more, and page 2 has no rows (how many has a full one? give size)",
    ),
    "page, the total is what the API shows at most": (
        PageSpec("page", "page", size_parameter="size", size=500, total=("total",)),
        [
            ({"q": "x", "size": "500", "page": "1"}, raw(500, "a", total=1000), KEEP),
            ({"q": "x", "size": "500", "page": "2"}, raw(500, "b", total=1000), KEEP),
            ({"q": "x", "size": "500", "page": "3"}, raw(0, "", refused=400), AGAIN),
            ({"q": "x", "size": "500", "page": "3"}, raw(0, "", refused=400), END),
        ],
        "error_behind_end, exactly 1000 records is what many APIs count and show at most",
    ),
    "page, what is shown ends at a usual limit": (
        PageSpec("page", "page", size_parameter="size", size=500),
        [
            ({"q": "x", "size": "500", "page": "1"}, raw(500, "a"), KEEP),
            ({"q": "x", "size": "500", "page": "2"}, raw(500, "b"), KEEP),
            ({"q": "x", "size": "500", "page": "3"}, raw(0, ""), AGAIN),
            ({"q": "x", "size": "500", "page": "3"}, raw(0, ""), KEEP),
            ({"q": "x", "size": "500", "page": "4"}, raw(0, ""), END),
        ],
        "empty_page, exactly 1000 records is what many APIs count and show at most (if it is none: until: empty)",
    ),
    "page, a usual limit, and the flag says that it is the last": (
        PageSpec("page", "page", size_parameter="size", size=1000, more=("more",)),
        [({"q": "x", "size": "1000", "page": "1"}, raw(1000, "a", more=False), KEEP)],
        "flag",
    ),
    "page, a usual limit, until an empty page": (
        PageSpec("page", "page", size_parameter="size", size=1000, until="empty"),
        [
            ({"q": "x", "size": "1000", "page": "1"}, raw(1000, "a"), KEEP),
            ({"q": "x", "size": "1000", "page": "2"}, raw(0, ""), AGAIN),
            ({"q": "x", "size": "1000", "page": "2"}, raw(0, ""), KEEP),
            ({"q": "x", "size": "1000", "page": "3"}, raw(0, ""), END),
        ],
        "empty_page",
    ),
    "page, until an empty page, and a page behind a full one is refused": (
        PageSpec("page", "page", size_parameter="size", size=2, until="empty"),
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, "", refused=400), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, "", refused=400), END),
        ],
        "error_behind_end, page 2 was refused (HTTP 400) behind a full one, so the API may show no more than 2 records",
    ),
    # As search APIs do that show no more than their first thousand results.
    "page, what is shown ends with a full page": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, "", refused=422), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, "", refused=422), END),
        ],
        "error_behind_end, page 2 was refused (HTTP 422) behind a full one, so the API may show no more than 2 records",
    ),
    "page, until the total, and a page is refused": (
        PageSpec("page", "page", total=("total",), until="total"),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=4), KEEP),
            *[({"q": "x", "page": "2"}, raw(0, "", refused=404), AGAIN)] * 2,
            ({"q": "x", "page": "2"}, raw(0, "", refused=404), (TRANSIENT, "page 2 was refused, 2 records of 4 came")),
        ],
        False,
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
        # The third may be the one that is gone, or have moved onto the first page.
        "total, the API counted 3 records, and 2 at page 2: where some were deleted, others may have moved onto a page"
        " that was read (if it estimates its total: until: empty)",
    ),
    "page, by the short page": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(1, "b"), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(0, ""), END),
        ],
        "empty_page",
    ),
    "page, by the short page, as the route declares it": (
        PageSpec("page", "page", size_parameter="size", size=2, until="short"),
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(1, "b"), KEEP),
        ],
        "short_page",
    ),
    # One row of a page is withheld: nothing is behind the end of the listing, but something behind this page.
    "page, a short page in the middle": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(1, "b"), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(2, "c"), KEEP),
            ({"q": "x", "size": "2", "page": "4"}, raw(1, "d"), KEEP),
            ({"q": "x", "size": "2", "page": "5"}, raw(0, ""), END),
        ],
        "empty_page",
    ),
    # Behind a full page, an empty one may be an accident, or hide what lies behind it.
    "page, by the empty page": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, ""), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, ""), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(0, ""), END),
        ],
        "empty_page",
    ),
    "page, an empty page in the middle": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, ""), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, ""), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(1, "c"), KEEP),
            ({"q": "x", "size": "2", "page": "4"}, raw(0, ""), END),
        ],
        "empty_page, page 2 stayed without rows, and there are rows behind it",
    ),
    "page, an error behind a short page": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(1, "b"), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(0, "", refused=400), END),
        ],
        "error_behind_end",
    ),
    "page, an error behind a full page is requested again": (
        SHORT,
        [
            ({"q": "x", "size": "2", "page": "1"}, raw(2, "a"), KEEP),
            ({"q": "x", "size": "2", "page": "2"}, raw(0, "", refused=404), AGAIN),
            ({"q": "x", "size": "2", "page": "2"}, raw(2, "b"), KEEP),
            ({"q": "x", "size": "2", "page": "3"}, raw(0, "", refused=404), AGAIN),
            ({"q": "x", "size": "2", "page": "3"}, raw(0, "", refused=404), KEEP),
            ({"q": "x", "size": "2", "page": "4"}, raw(0, "", refused=404), END),
        ],
        "error_behind_end",
    ),
    "page, an error before the total is reached": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=9), KEEP),
            ({"q": "x", "page": "2"}, raw(0, "", refused=400), AGAIN),
            ({"q": "x", "page": "2"}, raw(0, "", refused=400), END),
        ],
        "error_behind_end, the API counts 9 records, and 2 came",
    ),
    "page, the total is reached with a full page": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=4), KEEP),
            ({"q": "x", "page": "2"}, raw(2, "b", total=4), KEEP),
            ({"q": "x", "page": "3"}, raw(0, "", total=4), END),
        ],
        "total",
    ),
    "page, the total is capped": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=2), KEEP),
            ({"q": "x", "page": "2"}, raw(2, "b", total=2), KEEP),
            ({"q": "x", "page": "3"}, raw(1, "c", total=2), KEEP),
            ({"q": "x", "page": "4"}, raw(0, "", total=2), END),
        ],
        "empty_page",
    ),
    "page, the total is always 0": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=0), KEEP),
            ({"q": "x", "page": "2"}, raw(1, "b", total=0), KEEP),
            ({"q": "x", "page": "3"}, raw(0, "", total=0), END),
        ],
        "empty_page",
    ),
    "page, until the total": (
        PageSpec("page", "page", total=("total",), until="total"),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=4), KEEP),
            ({"q": "x", "page": "2"}, raw(0, "", total=4), AGAIN),
            ({"q": "x", "page": "2"}, raw(2, "b", total=4), KEEP),
        ],
        "total",
    ),
    "page, until the total, which is never reached": (
        PageSpec("page", "page", total=("total",), until="total"),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=4), KEEP),
            *[({"q": "x", "page": "2"}, raw(0, "", total=4), AGAIN)] * 2,
            ({"q": "x", "page": "2"}, raw(0, "", total=4), (TRANSIENT, "page 2 is empty, 2 records of 4 came")),
        ],
        False,
    ),
    "page, until an empty page, whatever flag and total say": (
        PageSpec("page", "page", total=("total",), more=("more",), until="empty"),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=1, more=False), KEEP),
            ({"q": "x", "page": "2"}, raw(1, "b", total=1, more=False), KEEP),
            ({"q": "x", "page": "3"}, raw(0, "", total=1, more=False), END),
        ],
        "empty_page",
    ),
    "page, by the number of pages": (
        PageSpec("page", "page", total_pages=("pages",)),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total_pages=2), KEEP),
            ({"q": "x", "page": "2"}, raw(1, "b", total_pages=2), KEEP),
        ],
        "total",
    ),
    "page, the flag and the total disagree": (
        PageSpec("page", "page", total=("total",), more=("more",)),
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=5, more=True), KEEP),
            ({"q": "x", "page": "2"}, raw(2, "b", total=5, more=False), KEEP),
        ],
        "flag, the API counts 5 records, and 4 came",
    ),
    "offset, an empty page in the middle": (
        PageSpec("offset", "offset", first=0, size_parameter="limit", size=2),
        [
            ({"q": "x", "limit": "2", "offset": "0"}, raw(2, "a"), KEEP),
            ({"q": "x", "limit": "2", "offset": "2"}, raw(0, ""), AGAIN),
            ({"q": "x", "limit": "2", "offset": "2"}, raw(0, ""), KEEP),
            ({"q": "x", "limit": "2", "offset": "4"}, raw(2, "c"), KEEP),
            ({"q": "x", "limit": "2", "offset": "6"}, raw(1, "d"), KEEP),
            ({"q": "x", "limit": "2", "offset": "7"}, raw(0, ""), END),
        ],
        "empty_page, page 2 stayed without rows, and there are rows behind it",
    ),
    # APIs cap the size, so a page shorter than requested is not yet the last one.
    "page, the size is capped": (
        PageSpec("page", "page", size_parameter="size", size=500),
        [
            ({"q": "x", "size": "500", "page": "1"}, raw(100, "a"), KEEP),
            ({"q": "x", "size": "500", "page": "2"}, raw(100, "b"), KEEP),
            ({"q": "x", "size": "500", "page": "3"}, raw(7, "c"), KEEP),
            ({"q": "x", "size": "500", "page": "4"}, raw(0, ""), END),
        ],
        "empty_page",
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
    "nothing there": (SHORT, [({"q": "x", "size": "2", "page": "1"}, raw(0, ""), END)], True),
    "an empty page where more was promised": (
        TOTAL,
        [
            ({"q": "x", "page": "1"}, raw(2, "a", total=9), KEEP),
            ({"q": "x", "page": "2"}, raw(0, "", total=9), AGAIN),
            ({"q": "x", "page": "2"}, raw(2, "b", total=9), KEEP),
            ({"q": "x", "page": "3"}, raw(0, "", total=9), AGAIN),
            ({"q": "x", "page": "3"}, raw(0, "", total=9), AGAIN),
            # The total may count what nobody may see; what came is complete as far as anybody can tell.
            ({"q": "x", "page": "3"}, raw(0, "", total=9), KEEP),
            ({"q": "x", "page": "4"}, raw(0, "", total=9), END),
        ],
        "empty_page, the API counts 9 records, and 4 came",
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
        "flag, page 2 brought rows of an earlier page, and its own may have been others",
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
        "repeated_page, page 5 repeats a full one, so the API may show no more",
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
