"""The listings of a run that ended without a record: which of them are unusual, read once more behind the others, and
what is left of the doubts for the next run."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from psycopg.sql import Identifier

from sportmonks.routes.counters import EMPTY, EMPTY_AGAIN, END, SUSPECTED, empty_state, noted_as_empty
from sportmonks.routes.emptiness import (
    LIKE_IT,
    Surroundings,
    Suspected,
    carried_over,
    first_found,
    horizon,
    is_believed,
    plain_item,
    read_suspected,
    stored_suspected,
)
from sportmonks.routes.page import Page
from sportmonks.routes.period import Window, moved_watermark, read_again_from, unit_of
from sportmonks.routes.request import Slice
from sportmonks.routes.spec import Route
from sportmonks.routes.store import RouteStore
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

# A listing of a full refresh that had so many records does not lose all of them by chance.
LONG = 10


class EmptyListings:
    """Looks at the empty listings of a run. ``period`` and ``watermark`` are those of the plan; ``position``: where an
    earlier try stopped among those that are requested again, if it did."""

    def __init__(
        self,
        store: RouteStore,
        route: Route,
        slices: tuple[Slice, ...],
        period: Window | None,
        watermark: date | None,
        today: date,
        now: datetime,
        position: Mapping[str, Any] | None,
    ) -> None:
        self._store = store
        self._position = dict(position or {})
        self._again: list[int] = []
        self._route = route
        self._slices = slices
        self._period = period
        self._now = now
        self._names = {"route": route.name}
        self._unit = unit_of(route.period.format) if route.period else None
        self._until = min(period.last, today) if period else today
        mark = moved_watermark(watermark, period, today) if period else None
        # From this day on, the next run reads the days again in any case.
        self._again_from = None
        if mark is not None and route.period is not None:
            self._again_from = read_again_from(route.period, mark)
        self._empty = [slices[number] for number in noted_as_empty(store.counters)]
        self._doubts: dict[int, tuple[Suspected, str]] = {}
        self._believed: list[Suspected] = []
        self._earlier: list[Suspected] = []

    def suspected(self) -> list[Slice]:
        """The empty listings that may be an accident and are to be requested again, in the order of the plan. Which
        ones these are is stored: what they bring changes what is unusual, and a try may be interrupted among them."""
        self._earlier = read_suspected(self._value("routes/suspected"))
        if not self._empty:
            return []
        looked_at: set[int] = set()
        dated = self._route.period is not None and self._route.date_field is not None
        for part, item, reason in self._of_days() if dated else self._of_runs():
            looked_at.add(part.index)
            self._weigh(part, item, part.window if dated else None, reason)
        for part in self._empty:
            if self._state(part.index) >= SUSPECTED and part.index not in looked_at:
                item = plain_item(part.item) if dated else {}
                self._weigh(part, item, part.window if dated else None, "that was unusual when the run first read it")
        new = {f"{EMPTY}{n}": SUSPECTED - 1.0 for n in self._doubts if self._state(n) < SUSPECTED}
        if new:
            self._store.write([], [], new, len(self._slices), self._position or None)
        self._again = [n for n in sorted(self._doubts) if self._state(n) < EMPTY_AGAIN]
        return [self._slices[number] for number in self._again]

    def _weigh(self, part: Slice, item: Mapping[str, Any], window: Window | None, reason: str) -> None:
        doubt = first_found(self._earlier, item, window, self._now)
        if is_believed(doubt, self._now) and self._position.get("again") != part.index:
            self._believed.append(doubt)
            log.info("%s has no records, as since %s: it is believed", part, f"{doubt.since:%Y-%m-%d %H:%M}")
        else:
            self._doubts[part.index] = doubt, reason

    def once_more(self, read: Callable[[Slice, Mapping[str, Any] | None], Iterator[Page]]) -> Iterator[Page]:
        """The pages of the suspected listings, which belong to the end of the run. Those that are no longer empty are
        no longer suspected. ``read`` gives the pages of one listing, from a state of its paginator on."""
        for number in self._again:
            state = self._position.get("state") if self._position.get("again") == number else None
            still_empty = False
            for place, page in enumerate(read(self._slices[number], state)):
                still_empty = f"{EMPTY}{number}" in page.counted
                # How the listing ends is counted already.
                counted = {name: count for name, count in page.counted.items() if not name.startswith((END, EMPTY))}
                if place == 0 and state is None:
                    counted["asked_again"] = counted.get("asked_again", 0) + 1
                position = None if page.state is None else {"again": number, "state": page.state}
                yield replace(page, counted=counted, slice_index=len(self._slices), state=position)
            settled = {f"{EMPTY}{number}": float((EMPTY_AGAIN if still_empty else 0) - SUSPECTED)}
            yield Page([], [], settled, len(self._slices), None, str(self._slices[number]))
            if not still_empty:
                del self._doubts[number]

    def settle(self) -> list[dict[str, Any]]:
        """Report what is still empty and unusual; returns what the next run has to know about it. In the transaction
        that ends the run: a try that is killed before would count it twice, or forget when a doubt began."""
        texts = [
            f"{self._slices[number]}: no record came, and none when it was requested again, although {reason}"
            for number, (_, reason) in sorted(self._doubts.items())
        ]
        for text in texts:
            log.warning("%s", text)
        if texts:
            days = [one.window.first for one, _ in self._doubts.values() if one.window is not None]
            if self._period is not None and not days:
                days = [self._period.first]
            counted = {"unproven": len(texts)}
            first = min(days, default=None)
            self._store.write([], [], counted, len(self._slices), None, unproven=first, doubts=texts)
        present = [*(one for one, _ in self._doubts.values()), *self._believed]
        return stored_suspected([*present, *carried_over(self._earlier, self._period, self._now)])

    @property
    def known_before(self) -> bool:
        """Whether an earlier run has left doubts, which the end of this run has to replace."""
        return bool(self._earlier)

    def _state(self, number: int) -> int:
        return empty_state(self._store.counters, number)

    def _value(self, query: str) -> Any:
        row = self._store.conn.execute(sql(query), self._names).fetchone()
        return row[0] if row else None

    def _rows(self, query: str, **values: Any) -> list[Any]:
        table = Identifier("raw", self._route.table)
        return self._store.conn.execute(sql(query).with_identifiers(table=table), values).fetchall()

    def _items(self) -> list[dict[str, Any]]:
        return list({_text(part): plain_item(part.item) for part in self._empty}.values())

    def _of_days(self) -> Iterator[tuple[Slice, Mapping[str, Any], str]]:
        """Listings of days that have records, or whose neighbours have some."""
        parts = self._complete()
        if not parts:
            return
        around = horizon((window for _, window in parts), self._unit)
        items = self._items()
        query = "routes/days" if len(items) > 1 else "routes/days_of_one"
        found = self._rows(query, first=around.first, last=around.last, items=json.dumps(items))
        days = {json.dumps(item, sort_keys=True): listed for item, listed in found}
        surroundings = {
            name: Surroundings(days.get(name, ()), self._until, self._unit) for name in map(_text, self._empty)
        }
        inner = {part.index: surroundings[_text(part)].within(window) for part, window in parts}
        stored = self._stored(
            {
                part.index: inner[part.index]
                for part, _ in parts
                if surroundings[_text(part)].has_records(inner[part.index])
            }
        )
        for part, window in parts:
            here = surroundings[_text(part)]
            reason = "records of these days are stored" if part.index in stored else ""
            if not reason and (self._again_from is None or window.first < self._again_from):
                reason = here.unusual(window)
            if reason:
                yield part, plain_item(part.item), reason
                if part.index in self._doubts:  # else it is believed, and counts as empty beside those behind it
                    here.doubt(window)

    def _complete(self) -> list[tuple[Slice, Window]]:
        """The empty listings with their windows; of those of hours, only where each of the day is empty."""
        found = [(part, part.window) for part in self._empty if part.window is not None]
        if self._route.period is None or self._route.period.max_hours is None:
            return found
        planned = Counter((_text(part), part.window.first) for part in self._slices if part.window is not None)
        empty = Counter((_text(part), window.first) for part, window in found)
        days = {day for day, count in empty.items() if count == planned[day]}
        return [(part, window) for part, window in found if (_text(part), window.first) in days]

    def _stored(self, windows: Mapping[int, Window]) -> set[int]:
        """Which of these listings, by number, have records of their days that no newer version has replaced."""
        if not windows or not self._route.key:
            return set(windows)
        listed = [
            {
                "place": number,
                "first": window.first.isoformat(),
                "last": window.last.isoformat(),
                "item": plain_item(self._slices[number].item),
            }
            for number, window in windows.items()
        ]
        return {row[0] for row in self._rows("routes/present", windows=json.dumps(listed))}

    def _of_runs(self) -> Iterator[tuple[Slice, Mapping[str, Any], str]]:
        """Listings without days: where a run has no record at all and those before it had some, each of them on nearly
        all days, or a full refresh would lose all records of an item."""
        if not self._store.counters["records"]:
            # Runs since the doubt began say nothing. Those of a doubt that is over do: it was empty for so long.
            before = min((one.since for one in self._earlier if one.covers({}, None)), default=None)
            values = {**self._names, "before": before, "days": LIKE_IT.most}
            row = self._store.conn.execute(sql("routes/filled_runs"), values).fetchone()
            filled, days = row or (0, 0)
            if LIKE_IT.holds(filled, days):
                reason = f"each run of {filled} of the last {days} days with runs had records"
                yield from ((part, {}, reason) for part in self._empty)
                return
        if self._route.mode == "replace":
            living = {
                json.dumps(item, sort_keys=True): count
                for item, count in self._rows("routes/living", items=json.dumps(self._items()))
            }
            for part in self._empty:
                if (count := living.get(_text(part), 0)) >= LONG:
                    yield part, plain_item(part.item), f"{count} records of it are stored"


def _text(part: Slice) -> str:
    """The item of a listing, as a key."""
    return json.dumps(plain_item(part.item), sort_keys=True)
