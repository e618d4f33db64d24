"""The newest periods of a route that its API has not published yet: it answers 404 for them, and has them later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta

from sportmonks.errors import FatalApiError, OutsidePlanError
from sportmonks.routes.counters import ABSENT
from sportmonks.routes.period import Window, read_again_from
from sportmonks.routes.request import Slice
from sportmonks.routes.spec import Route

NOT_FOUND = 404
# How the listing of such a period ends.
NOT_PUBLISHED = "not_published"
# A period that ended longer ago than this, and than it is long itself, should be there: a doubt says so.
LATE_AFTER = timedelta(days=31)
# So many of the newest windows of a route with for_each may be waited for.
NEWEST = 12


def not_found(error: Exception) -> bool:
    """Whether a refusal means that there is no such page."""
    return isinstance(error, FatalApiError | OutsidePlanError) and error.status == NOT_FOUND


def days_of(windows: Sequence[Window]) -> str:
    """The days from the first to the last of windows."""
    return f"{windows[0].first} to {windows[-1].last}"


def late_doubt(oldest: Window, today: date) -> str:
    """What speaks against waiting for windows of which this is the first; empty where nothing does."""
    over = today - oldest.last
    if over <= max(LATE_AFTER, oldest.last - oldest.first):
        return ""
    return f"{oldest}: it is not found (HTTP {NOT_FOUND}), although it ended {over.days} days ago"


def newest_days(slices: Sequence[Slice]) -> set[date]:
    """The first days of the newest windows of a plan."""
    return set(sorted({part.window.first for part in slices if part.window is not None})[-NEWEST:])


def not_there(slices: Sequence[Slice], counters: Mapping[str, float]) -> list[Window]:
    """The windows at the end of a run in which the API has none of the items of for_each, oldest first; those of one
    item alone are an item that it does not have. ``counters``: those of the run, with its ``ABSENT``."""
    planned = Counter(part.window.first for part in slices if part.window is not None)
    windows = {part.window.first: part.window for part in slices if part.window is not None}
    found: list[Window] = []
    for first in sorted(windows, reverse=True):
        if counters.get(f"{ABSENT}{first.toordinal()}", 0) < planned[first]:
            break
        found.insert(0, windows[first])
    return found


class NewestPeriods:
    """The periods at the end of a run that are not there. Only those count that follow a published one, and that no
    published one follows, and that the next run requests again: a 404 for the first period, in the middle, or for one
    that the watermark has passed is an error. ``watermark``: the last day collected before the run, if any;
    ``waiting``: those that an earlier try of the run did not find."""

    def __init__(self, route: Route, today: date, watermark: date | None, waiting: Sequence[Slice] = ()) -> None:
        self._route = route
        self._today = today
        self._again_from: date | None = None
        if watermark is not None and route.period is not None:
            self._again_from = read_again_from(route.period, min(watermark, today))
        self._parts = [part for part in waiting if route.for_each is None]
        self._error: FatalApiError | None = None

    def takes(self, part: Slice, error: Exception) -> bool:
        """Whether the refusal of the first page of ``part`` may mean that its period is not published yet. The run then
        goes on to the periods behind it."""
        if self._route.for_each is not None or part.window is None or not part.index:
            return False
        if self._again_from is not None and part.window.first < self._again_from:
            return False
        if not isinstance(error, FatalApiError) or not not_found(error):
            return False
        self._error = self._error or error
        self._parts.append(part)
        return True

    @property
    def begins_at(self) -> int:
        """The number of the first of them, at which the next try begins when one behind it is there."""
        return self._parts[0].index

    @property
    def forgotten(self) -> dict[str, float]:
        """What takes them out of the counters of those that are not there."""
        notes = Counter(f"{ABSENT}{window.first.toordinal()}" for window in self._waiting)
        return {name: -float(count) for name, count in notes.items()}

    @property
    def _waiting(self) -> list[Window]:
        return [part.window for part in self._parts if part.window is not None]

    def check(self, part: Slice) -> None:
        """``part`` is there: raises the error of a period before it that is not."""
        if self._parts:
            why = self._error.message if self._error is not None else f"HTTP {NOT_FOUND}"
            raise FatalApiError(
                f"{self._waiting[0]} is not there, although {part} behind it is: {why}",
                hint=self._error.hint if self._error is not None else "",
                status=NOT_FOUND,
            ) from self._error

    @property
    def periods(self) -> int:
        """How many there are."""
        return len(self._waiting)

    @property
    def first(self) -> date | None:
        """Their first day: the watermark stays before it."""
        return self._waiting[0].first if self._waiting else None

    @property
    def text(self) -> str:
        """The days that they cover."""
        return days_of(self._waiting) if self._waiting else ""

    @property
    def doubt(self) -> str:
        """What speaks against waiting for them; empty where nothing does."""
        return late_doubt(self._waiting[0], self._today) if self._waiting else ""
