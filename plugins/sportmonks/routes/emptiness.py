"""Whether a listing without a record may be an accident: pure functions over days that have records, and over what
earlier runs suspected.

An API whose database is being restored gives well-formed answers without records. Such an answer is unusual where
records of these very days are stored, or where the windows around these days nearly all have records. What is unusual
and stays empty is a doubt, and the next run reads it again; it is believed when a run finds it empty some hours after
the first one did.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from sportmonks.routes.period import Unit, Window, shifted

WEEK_DAYS = 7


@dataclass(frozen=True)
class Comparison:
    """Windows before or behind an empty one: as many as ``most``, and ``enough`` at least, of which the share
    ``nearly_all`` has records where emptiness is unusual."""

    enough: int
    most: int
    nearly_all: float

    def holds(self, filled: int, found: int) -> bool:
        """Whether emptiness is unusual beside so many windows, ``filled`` of which have records."""
        return found >= self.enough and filled >= self.nearly_all * found


# Windows of days, among which some are empty now and then: those around it, and, since many kinds of records pause at
# weekends, those on the same days of other weeks.
NEIGHBOURS = Comparison(enough=12, most=20, nearly_all=0.95)
SAME_DAYS = Comparison(enough=8, most=20, nearly_all=0.95)
# Windows of a week and more, and days with runs.
LIKE_IT = Comparison(enough=7, most=12, nearly_all=0.9)
# An empty listing is believed by a run so long after the first one that found it empty: longer than most restores take,
# and shorter than a day, so that a route that runs daily believes it in its next run.
BELIEVED_AFTER = timedelta(hours=12)
# A doubt that no run has looked at for so long is forgotten, and so many are kept.
FORGOTTEN_AFTER = timedelta(days=60)
MOST_KEPT = 100


@dataclass(frozen=True)
class Suspected:
    """An unusual empty listing. ``window``: its days, None where it has none; ``since``: when a run first found it
    empty."""

    item: Mapping[str, Any]
    window: Window | None
    since: datetime

    def covers(self, item: Mapping[str, Any], window: Window | None) -> bool:
        """Whether this doubt was about such a listing: windows of two runs need not begin on the same day, so more than
        half of its days have to be those of the doubt."""
        if self.item != item or (self.window is None) != (window is None):
            return False
        if self.window is None or window is None:
            return True
        return 2 * _common_days(self.window, window) > (window.last - window.first).days + 1


def _common_days(one: Window, other: Window) -> int:
    return max(0, (min(one.last, other.last) - max(one.first, other.first)).days + 1)


def plain_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item of ``for_each`` as the column ``request`` of its records has it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(dict(item)))
    return found


def read_suspected(value: Any) -> list[Suspected]:
    """What the run before left; empty where it left nothing, or nothing that can be read."""
    found = []
    for one in value if isinstance(value, list) else []:
        try:
            days = [date.fromisoformat(day) for day in one["days"]]
            window = Window(days[0], days[1]) if days else None
            found.append(Suspected(one["item"], window, datetime.fromisoformat(one["since"])))
        except (IndexError, KeyError, TypeError, ValueError):
            continue
    return found


def stored_suspected(suspected: Sequence[Suspected]) -> list[dict[str, Any]]:
    """The same as JSON values, for the next run."""
    return [
        {
            "item": dict(one.item),
            "days": [one.window.first.isoformat(), one.window.last.isoformat()] if one.window else [],
            "since": one.since.isoformat(),
        }
        for one in suspected[:MOST_KEPT]
    ]


def first_found(
    suspected: Iterable[Suspected], item: Mapping[str, Any], window: Window | None, now: datetime
) -> Suspected:
    """The doubt about an empty listing, since the first run that had it."""
    known = [one for one in suspected if one.covers(item, window)]
    since = min((one.since for one in known), default=now)
    return Suspected(item, window, min(since, now))


def is_believed(doubt: Suspected, now: datetime) -> bool:
    """Whether it has persisted for so long that it is no accident."""
    return now - doubt.since >= BELIEVED_AFTER


def carried_over(suspected: Iterable[Suspected], period: Window | None, now: datetime) -> list[Suspected]:
    """The doubts of earlier runs about days that this run has not read; about the others it knows better."""
    return [
        one
        for one in suspected
        if one.window is not None
        and (period is None or not _common_days(one.window, period))
        and now - one.since < FORGOTTEN_AFTER
    ]


class Surroundings:
    """The days of an item that have records, and the windows of the run that are suspected already: what the windows
    around an empty one are like. ``until``: the last day that has been read; ``unit``: that of the period's format."""

    def __init__(self, days: Iterable[date], until: date, unit: Unit | None) -> None:
        self._days = sorted(days)
        self._until = until
        self._unit = unit
        self._suspected: list[Window] = []

    def doubt(self, window: Window) -> None:
        """``window`` is suspected: it says nothing about others."""
        self._suspected.append(window)

    def within(self, window: Window) -> Window:
        """The days of a window that no time zone makes those of another one: without its first and last day, where it
        has others and its records are not counted with the day on which a unit begins."""
        if self._unit is not None or (window.last - window.first).days < 2:
            return window
        return Window(window.first + timedelta(days=1), window.last - timedelta(days=1))

    def has_records(self, window: Window) -> bool:
        """Whether a day of a window has records."""
        place = bisect_left(self._days, window.first)
        return place < len(self._days) and self._days[place] <= window.last

    def unusual(self, window: Window) -> str:
        """What makes a window without records unusual, empty where nothing does: nearly all windows before it, or
        behind it, have records. Not before the first record of all: there, nothing was collected or existed."""
        if not self._days or window.first <= self._days[0]:
            return ""
        rules = [(SAME_DAYS, True), (NEIGHBOURS, False)] if _is_short(window, self._unit) else [(LIKE_IT, True)]
        for rule, weeks in rules:
            before, behind = (list(self._around(window, step, rule.most, weeks)) for step in (-1, 1))
            for found in (before, behind, before + behind):
                if rule.holds(sum(found), len(found)):
                    return f"{sum(found)} of {len(found)} windows like it have records"
        return ""

    def _around(self, window: Window, step: int, most: int, weeks: bool) -> Iterator[bool]:
        for number in range(1, most + 1):
            other = shifted(window, step * number, self._unit, weeks=weeks)
            if other is None or other.first < self._days[0] or other.last > self._until:
                return
            if not any(_common_days(other, suspected) for suspected in self._suspected):
                yield self.has_records(other)


def _is_short(window: Window, unit: Unit | None) -> bool:
    return unit is None and (window.last - window.first).days + 1 < WEEK_DAYS


def horizon(windows: Iterable[Window], unit: Unit | None) -> Window:
    """The days that the windows around ``windows`` have; at least one is needed."""
    ends = []
    for window in windows:
        most = (SAME_DAYS if _is_short(window, unit) else LIKE_IT).most
        ends += [shifted(window, step * most, unit) or window for step in (-1, 1)]
    return Window(min(one.first for one in ends), max(one.last for one in ends))
