"""Responses of endpoints, pages of lists, and one row with its includes as encoded bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sandbox import includes
from sandbox.faults import Fault
from sandbox.fixture_view import FixtureView
from sandbox.query import ApiError, Query, write_cursor
from sandbox.state import Encoded, Sandbox, encode

Row = dict[str, Any]
T = TypeVar("T")


@dataclass
class ApiResponse:
    """`rows` as encoded JSON; `single` for by-id endpoints; `pagination` where the endpoint has one; `as_object`: the
    rows are written as an object with whole numbers as keys."""

    rows: Sequence[Encoded]
    single: bool = False
    pagination: Row | None = None
    as_object: bool = False


def number_in(text: str) -> int:
    if not text.isdigit():
        raise ApiError(404, "The requested endpoint does not exist")
    return int(text)


def fixture_bytes(sandbox: Sandbox, view: FixtureView, query: Query) -> Encoded:
    """One fixture with the requested includes, from the cache when it cannot have changed since."""
    if not query.includes and not query.select:
        return Encoded(encode(view.base()))
    played = tuple(sandbox.world.last_played(team, view.now) for team in view.teams)
    revision = view.change.revision if view.change else 0
    key = (view.id, view.state_id, view.kickoff, revision, played, query.key, sandbox.variants["select_keeps_keys"])
    cacheable = not view.in_play and not ({"league", "season", "stage", "round"} & query.includes.keys())
    found = sandbox.cache.get(key) if cacheable else None
    if found is None:
        found = Encoded(encode(shaped(sandbox, "fixture", view.base(), query, view)))
        if cacheable:
            sandbox.cache.put(key, found)
    return found


def shaped(sandbox: Sandbox, entity: str, row: Row, query: Query, view: FixtureView | None = None) -> Row:
    """The row with the requested includes and only the selected fields."""
    includes.attach(sandbox, entity, row, query.includes, view)
    row.pop("_record", None)
    if query.select:
        fields = (*query.select, *query.includes)
        return includes.pick(row, fields, sandbox.variants["select_keeps_keys"] == "yes")
    return row


def page_of(
    items: Sequence[T], query: Query, id_of: Callable[[T], int], url: str, sandbox: Sandbox
) -> tuple[Sequence[T], Row]:
    """One page and its pagination object. A cursor continues after the last row sent, wherever that row is now."""
    if query.descending:
        items = items[::-1]
    begin = (query.page - 1) * query.per_page
    if query.cursor is not None:
        offset, last_id = query.cursor[0], query.cursor[1]
        begin = offset
        if not (0 < offset <= len(items) and id_of(items[offset - 1]) == last_id):
            begin = next((place + 1 for place, item in enumerate(items) if id_of(item) == last_id), offset)
    page = items[begin : begin + query.per_page]
    more = begin + len(page) < len(items)
    number = begin // query.per_page + 1
    token = write_cursor(begin + len(page), id_of(page[-1]), query.per_page, query.descending) if more else None
    if token is not None and sandbox.variants["cursor"] == "url":
        token = f"{url}?cursor={token}"
    following = f"{url}?page={number + 1}" if more else None
    if following and sandbox.variants["next_page"] == "query":
        rest = "&".join(f"{k}={v}" for k, v in query.params.items() if k not in ("page", "cursor", "api_token"))
        following += f"&{rest}" if rest else ""
    return page, {
        "count": len(page),
        "per_page": query.per_page,
        "current_page": number,
        "next_page": following,
        "has_more": more,
        "next_cursor": token,
        **({"total": len(items)} if sandbox.variants["total"] == "yes" else {}),
    }


def change_page(fault: Fault, response: ApiResponse, params: Mapping[str, str]) -> None:
    """A list after a fault of PAGE_FAULTS. ``params``: those of its request."""
    pagination = response.pagination
    assert pagination is not None
    if fault.kind == "empty_page":
        response.rows, pagination["count"], pagination["has_more"] = [], 0, True
    elif fault.kind == "short_page":
        response.rows = response.rows[: int(len(response.rows) * float(fault.get("share", 0.5)))]
    elif fault.kind == "cut_list":
        pagination.update({"has_more": False, "next_page": None, "next_cursor": None})
    elif fault.kind == "wrong_total" and "total" in pagination:
        pagination["total"] = max(0, pagination["total"] + int(fault.get("n", 7)))
    elif fault.kind == "stuck_cursor":
        if "cursor" in params:
            pagination["next_cursor"] = params["cursor"]
        if pagination["next_page"]:
            pagination["next_page"] = pagination["next_page"].replace(
                f"page={pagination['current_page'] + 1}", f"page={pagination['current_page']}"
            )
