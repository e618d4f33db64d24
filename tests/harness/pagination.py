"""Listings as tables: each line is a request, its answer and the decision of the paginator on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from sportmonks.api.page_spec import PageInfo, PageSpec, Step, page_info
from sportmonks.api.pagination import Paginator
from sportmonks.api.response import ApiResponse, Pagination
from sportmonks.errors import FatalApiError, TransientApiError

# The next request (query, or link), the answer to it, and the decision or error; or the error in place of a request.
Line = tuple[Any, PageInfo, Any]
KEEP, AGAIN, END = Step.KEEP, Step.AGAIN, Step.END


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
        if isinstance(expected, tuple):
            with pytest.raises(expected[0], match=expected[1]):
                paginator.request(query)
            continue
        link, sent = paginator.request(query)
        assert (sent if link is None else link) == expected, f"line {position}"
        if isinstance(outcome, Step):
            assert paginator.take(info) is outcome, f"line {position}"
        else:
            kind, words = outcome
            with pytest.raises(kind, match=words):
                paginator.take(info)


TRANSIENT, FATAL = TransientApiError, FatalApiError
FLAG = PageSpec("page", "page", size_parameter="size", size=2, more=("more",))
TOTAL = PageSpec("page", "page", total=("total",))
OFFSET = PageSpec("offset", "offset", first=0, size_parameter="limit", size=2, total=("total",))
CURSOR = PageSpec("cursor", "after", next=("next",))
LINK = PageSpec("next", next=("links", "next"))
