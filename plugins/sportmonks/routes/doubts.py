"""What the days of records say against a listing or a run whose pages look complete."""

from __future__ import annotations

from datetime import date, timedelta

from sportmonks.routes.period import Window, has_time
from sportmonks.routes.records import PreparedPage
from sportmonks.routes.spec import Route

# So many windows without a record of their first or last day, and none with one, are no chance.
ENOUGH_WINDOWS = 3


class DatedListing:
    """How many records of a listing came, and how many lie far outside the days that were requested. Of later runs it
    says little: some APIs ignore the days, and where nothing is new, all that they send is old."""

    def __init__(self, route: Route) -> None:
        self._bounded = route.period is not None and bool(route.period.date_to)
        self._records = 0
        self._far_out = 0

    def add(self, page: PreparedPage) -> None:
        self._records += page.records
        self._far_out += page.far_out

    @property
    def doubt(self) -> str:
        """What speaks against the listing: an API that does not know the period's names, or a wrong date field."""
        if not self._bounded or not self._far_out or self._far_out < self._records:
            return ""
        return f"each of its {self._records} records lies outside the days that were requested (period, date_field)"


class EndsOfWindows:
    """Whether an API leaves out the first or the last day of each window, because it excludes an end of a period.

    Only windows of past, full days count that have records of each of their other days. ``lost``: the first day that
    may be missing.
    """

    def __init__(self, route: Route, today: date) -> None:
        spec = route.period
        days = spec is not None and bool(spec.date_to) and not has_time(spec.format) and spec.max_hours is None
        self._applies = days and route.date_field is not None
        self._today = today
        self._days: set[date] = set()
        self._without: dict[str, list[date]] = {"date_from": [], "date_to": []}
        self._with: set[str] = set()

    def add(self, page: PreparedPage) -> None:
        if self._applies:
            self._days.update(row.day for row in page.kept if row.day is not None)

    def close(self, window: Window | None) -> None:
        """The listing of this window has ended."""
        found, self._days = self._days, set()
        if (
            not self._applies
            or window is None
            or window.last >= self._today
            or window.last - window.first < timedelta(3)
        ):
            return
        inner = {window.first + timedelta(days=n) for n in range(1, (window.last - window.first).days)}
        if not inner <= found:
            return
        for name, day in (("date_from", window.first), ("date_to", window.last)):
            if day in found:
                self._with.add(name)
            else:
                self._without[name].append(day)

    @property
    def _left_out(self) -> str:
        return next((n for n, d in self._without.items() if len(d) >= ENOUGH_WINDOWS and n not in self._with), "")

    @property
    def lost(self) -> date | None:
        return min(self._without[self._left_out]) if self._left_out else None

    @property
    def doubt(self) -> str:
        """What speaks against the run; empty where nothing does."""
        name = self._left_out
        if not name:
            return ""
        which, key = ("first", "from_exclusive") if name == "date_from" else ("last", "to_exclusive")
        return (
            f"none of {len(self._without[name])} windows with records of each other day has one of its {which} day,"
            f" so the API may exclude it ({key}: true)"
        )
