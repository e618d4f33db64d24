"""A page on its way: what its answer says to the paginator, and what is written of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sportmonks.api.page_spec import PageInfo
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.routes.answer import FetchedPage
from sportmonks.routes.records import Prepared, Rejected, page_mark


@dataclass(slots=True)
class Page:
    """A page ready to be written, and the position of the run after it: slice and state of its paginator.

    ``unproven``: the first day of a listing that ended with this page and may be short; ``doubt``: why.
    """

    rows: list[Prepared]
    rejected: list[Rejected]
    counted: dict[str, float]
    slice_index: int
    state: dict[str, Any] | None
    place: str
    unproven: date | None = None
    doubt: str = ""


def page_info(fetched: FetchedPage, without: Sequence[JsonPath] = ()) -> PageInfo:
    """What an answer says about its page, for the paginator. ``without``: fields that change for no reason."""
    listed = fetched.rows if fetched.outer is None else fetched.outer
    return PageInfo(
        len(listed),
        page_mark(listed, without),
        fetched.more,
        fetched.total,
        fetched.next,
        total_pages=fetched.total_pages,
        refused=fetched.refused,
        doubtful=bool(fetched.doubtful),
    )
