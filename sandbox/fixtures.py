"""The fixture endpoints: lists, by id, multi, by day, live and latest."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from sandbox.clock import parse_time
from sandbox.fixture_view import FixtureView
from sandbox.paging import ApiResponse, fixture_bytes, number_in, page_of
from sandbox.query import ApiError, Query, invalid
from sandbox.state import Sandbox
from sandbox.world import DAY, Season

BETWEEN_DAYS = 100
LIVE_BEFORE, LIVE_AFTER, LONGEST_MATCH = 15 * 60, 15 * 60, 5 * 3600
LATEST_SECONDS = 10
FIXTURE_FILTERS = ("populate", "deleted", "fixtureSeasons", "fixtureLeagues", "idAfter")


def _deleted(sandbox: Sandbox) -> set[int]:
    now = sandbox.now()
    return {i for i, change in sandbox.changes.items() if change.deleted_at is not None and change.deleted_at <= now}


def _seasons_of_query(sandbox: Sandbox, query: Query) -> list[Season]:
    seasons, leagues = query.ids("fixtureSeasons"), query.ids("fixtureLeagues")
    return [
        s
        for s in sandbox.seasons()
        if (seasons is None or s.id in seasons) and (leagues is None or s.league.id in leagues)
    ]


def _fixture_page(sandbox: Sandbox, ids: Sequence[int], query: Query, url: str) -> ApiResponse:
    listed = [sandbox.listed_id(fixture_id) for fixture_id in ids]
    page, pagination = page_of(listed, query, lambda fixture_id: fixture_id, url, sandbox)
    views = (sandbox.view(fixture_id) for fixture_id in page)
    return ApiResponse(
        [fixture_bytes(sandbox, view, query) for view in views if view is not None], pagination=pagination
    )


def fixtures_list(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    after = query.filters.get("idAfter")
    least = int(after[0]) if after else 0
    gone = _deleted(sandbox)
    want_deleted = "deleted" in query.filters
    ids: list[int] = []
    for season in sorted(_seasons_of_query(sandbox, query), key=lambda s: s.base):
        if season.base + season.size * 3 + 3 <= least:
            continue
        ids += [i for i in season.ids if i > least and (i in gone) is want_deleted]
    return _fixture_page(sandbox, ids, query, url)


def fixture_one(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    view = sandbox.view(number_in(parts[0]))
    _refuse_outside(sandbox, number_in(parts[0]))
    return ApiResponse([] if view is None or view.deleted else [fixture_bytes(sandbox, view, query)], single=True)


def _refuse_outside(sandbox: Sandbox, fixture_id: int) -> None:
    found = sandbox.world.find(fixture_id)
    if found is not None and not sandbox.in_plan(found[0].league):
        refuse_outside_plan(sandbox)


def refuse_outside_plan(sandbox: Sandbox) -> None:
    """ApiError 403 where that variant is chosen; otherwise the caller responds as for an unknown id."""
    if sandbox.variants["outside_plan"] == "403":
        raise ApiError(403, "You do not have access to this resource with your current subscription", 5007)


def multi_ids(text: str) -> list[int]:
    listed = [item for item in text.split(",") if item]
    if not listed or not all(item.isdigit() for item in listed):
        raise invalid("ids", "The ids must be numbers separated by commas.", 5006)
    return list(dict.fromkeys(int(item) for item in listed))


def fixtures_multi(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    ids = multi_ids(parts[0])
    if len(ids) > sandbox.multi_maximum:
        if sandbox.variants["multi_over_maximum"] == "400":
            raise invalid("ids", f"You can request at most {sandbox.multi_maximum} fixtures at once.", 5006)
        ids = ids[: sandbox.multi_maximum]
    views = [view for fixture_id in ids if (view := sandbox.view(fixture_id)) is not None and not view.deleted]
    views.sort(key=lambda view: view.id)
    return ApiResponse([fixture_bytes(sandbox, view, query) for view in views])


def day_of(text: str) -> float:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        raise invalid("date", f"The date {text} does not match the format Y-m-d.", 5006)
    try:
        return parse_time(text)
    except ValueError:
        raise invalid("date", f"The date {text} is not a date.", 5006) from None


def _between(sandbox: Sandbox, first: float, last: float, query: Query, url: str) -> ApiResponse:
    """Fixtures with first <= kick-off < last, by kick-off; those that were moved are looked up one by one."""
    season_ids = {season.id for season in _seasons_of_query(sandbox, query)}
    found: dict[int, float] = {}
    for season, index in sandbox.world.scheduled_between(first, last - 1):
        if season.id in season_ids:
            found[season.fixture_id(index)] = season.plan(index).kickoff
    moved = {fixture_id for fixture_id, change in sandbox.changes.items() if change.moved_to is not None}
    for season in sandbox.seasons():
        if season.id in season_ids and season.start - 7 * DAY <= last and season.end + 120 * DAY >= first:
            moved |= {season.fixture_id(index) for index in sandbox.moved(season)}
    for fixture_id in moved:
        view = sandbox.view(fixture_id)
        found.pop(fixture_id, None)
        if view is not None and view.season.id in season_ids and first <= view.kickoff < last:
            found[fixture_id] = view.kickoff
    gone, want_deleted = _deleted(sandbox), "deleted" in query.filters
    ids = [i for i in sorted(found, key=lambda i: (found[i], i)) if (i in gone) is want_deleted]
    return _fixture_page(sandbox, ids, query, url)


def fixtures_between(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    first, last = day_of(parts[0]), day_of(parts[1])
    if last < first or last - first > BETWEEN_DAYS * DAY:
        raise invalid(
            "date", f"The period may span at most {BETWEEN_DAYS} days and must not end before it begins.", 5006
        )
    return _between(sandbox, first, last + DAY, query, url)


def fixtures_date(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    return _between(sandbox, day_of(parts[0]), day_of(parts[0]) + DAY, query, url)


def _around_now(sandbox: Sandbox) -> Iterable[FixtureView]:
    """Fixtures that may be near their kick-off, in play or just over, in order of id; not the deleted."""
    now = sandbox.now()
    ids = {s.fixture_id(i) for s, i in sandbox.world.scheduled_between(now - LONGEST_MATCH, now + 2 * DAY)}
    for season in sandbox.seasons():
        if season.start - 7 * DAY <= now <= season.end + 120 * DAY:
            ids |= {season.fixture_id(index) for index in sandbox.moved(season)}
    ids |= sandbox.changes.keys()
    return (v for v in map(sandbox.view, map(sandbox.listed_id, sorted(ids))) if v is not None and not v.deleted)


def livescores(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    now = sandbox.now()
    leagues, seasons = query.ids("fixtureLeagues"), query.ids("fixtureSeasons")
    rows = []
    for view in _around_now(sandbox):
        soon = 0 <= view.kickoff - now <= LIVE_BEFORE
        just_over = view.over and view.periods and 0 <= now - view.found.ended <= LIVE_AFTER
        live = view.in_play or (parts == () and (soon or just_over))
        if (
            live
            and (leagues is None or view.season.league.id in leagues)
            and (seasons is None or view.season.id in seasons)
        ):
            rows.append(fixture_bytes(sandbox, view, query))
    return ApiResponse(rows)


def fixtures_latest(sandbox: Sandbox, query: Query, parts: tuple[str, ...], url: str) -> ApiResponse:
    """Fixtures whose state (or another base field, by a correction) changed in the last ten seconds."""
    now = sandbox.now()
    rows = []
    for view in _around_now(sandbox):
        turned = any(now - LATEST_SECONDS < begins <= now for begins, _ in view.found.timetable)
        changed = view.change is not None and now - LATEST_SECONDS < view.change.changed_at <= now
        if turned or changed:
            rows.append(fixture_bytes(sandbox, view, query))
    return ApiResponse(rows)
