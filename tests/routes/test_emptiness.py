"""What makes an empty window unusual, as a table, and what runs remember of those that were."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from sportmonks.routes.emptiness import (
    BELIEVED_AFTER,
    FORGOTTEN_AFTER,
    MOST_KEPT,
    Surroundings,
    Suspected,
    carried_over,
    first_found,
    horizon,
    is_believed,
    read_suspected,
    stored_suspected,
)
from sportmonks.routes.period import Unit, Window, shifted

DAY = timedelta(days=1)
FIRST = date(2025, 1, 1)
WEDNESDAY = date(2025, 12, 10)
NOW = datetime(2025, 12, 11, 5, 30, tzinfo=UTC)


def days(kept: Callable[[date], bool], first: date = FIRST, last: date = WEDNESDAY) -> list[date]:
    return [day for n in range((last - first).days + 1) if (day := first + n * DAY) != WEDNESDAY and kept(day)]


def window(first: date, length: int = 1) -> Window:
    return Window(first, first + (length - 1) * DAY)


TABLE: list[tuple[list[date], Window, str]] = [
    (days(lambda _: True), window(WEDNESDAY), "20 of 20 windows like it have records"),
    (days(lambda day: day.weekday() < 5), window(WEDNESDAY), "20 of 20 windows like it have records"),
    (days(lambda day: day.weekday() < 5), window(WEDNESDAY + 3 * DAY), ""),
    (days(lambda day: day.weekday() == 2), window(WEDNESDAY), "20 of 20 windows like it have records"),
    (days(lambda day: day.day % 2 == 0), window(WEDNESDAY), ""),
    (days(lambda day: day.toordinal() % 3 > 0), window(WEDNESDAY), ""),
    # One holiday among the same days of other weeks.
    (days(lambda day: day != WEDNESDAY - 14 * DAY and day.weekday() < 5), window(WEDNESDAY), "19 of 20 windows"),
    (days(lambda day: (WEDNESDAY - day).days not in (14, 28) and day.weekday() < 5), window(WEDNESDAY), ""),
    # A young route: of twelve days, and of one less.
    (days(lambda _: True, WEDNESDAY - 12 * DAY), window(WEDNESDAY), "12 of 12 windows like it have records"),
    (days(lambda _: True, WEDNESDAY - 11 * DAY), window(WEDNESDAY), ""),
    # Nothing stands before it; nothing stands anywhere.
    (days(lambda _: True, WEDNESDAY), window(WEDNESDAY), ""),
    ([], window(WEDNESDAY), ""),
    # Windows of ten days: those of seven windows before it.
    (days(lambda day: day.day == 5, date(2025, 1, 1)), window(WEDNESDAY, 10), ""),
    (days(lambda day: day.weekday() == 5, WEDNESDAY - 98 * DAY), window(WEDNESDAY, 10), ""),
    (days(lambda day: day.weekday() < 6, WEDNESDAY - 98 * DAY), window(WEDNESDAY, 10), "7 of 7 windows"),
]


@pytest.mark.parametrize(("found", "empty", "words"), TABLE)
def test_what_is_unusual(found: list[date], empty: Window, words: str) -> None:
    unusual = Surroundings(found, WEDNESDAY, None).unusual(empty)
    assert unusual.startswith(words)
    assert bool(unusual) == bool(words)


def test_windows_that_are_suspected_say_nothing_about_others() -> None:
    """The fifth day of an outage is as unusual as the first one."""
    outage = [WEDNESDAY - n * DAY for n in range(4, -1, -1)]
    around = Surroundings(days(lambda day: day < outage[0]), WEDNESDAY, None)
    for day in outage:
        assert around.unusual(window(day))
        around.doubt(window(day))


@pytest.mark.parametrize(("share", "most"), [(0.1, 0), (0.5, 2), (0.7, 8)])
def test_days_that_are_often_empty_are_hardly_ever_unusual(share: float, most: int) -> None:
    """Of 300 days, that have records by chance."""
    rng = Random(7)
    found = days(lambda _: rng.random() < share)
    until = FIRST + 343 * DAY
    around = Surroundings(found, until, None)
    empty = {until - n * DAY for n in range(300)} - set(found)
    assert sum(bool(around.unusual(window(day))) for day in empty) <= most


@pytest.mark.parametrize(
    ("first", "last", "unit", "steps", "expected"),
    [
        ("2025-12-10", "2025-12-10", None, -1, ("2025-12-03", "2025-12-03")),
        ("2025-12-10", "2025-12-19", None, -2, ("2025-11-12", "2025-11-21")),
        ("2025-12-01", "2025-12-31", "month", -10, ("2025-02-01", "2025-02-28")),
        ("2025-11-01", "2025-12-31", "month", 1, ("2026-01-01", "2026-02-28")),
        ("2025-01-01", "2025-12-31", "year", -1, ("2024-01-01", "2024-12-31")),
        ("2025-12-08", "2025-12-14", "week", 1, ("2025-12-15", "2025-12-21")),
        ("2025-12-08", "2025-12-14", "week", -300_000, None),
        ("2025-01-01", "2025-12-31", "year", -3000, None),
    ],
)
def test_windows_a_step_away(first: str, last: str, unit: Unit | None, steps: int, expected: Any) -> None:
    found = shifted(Window(date.fromisoformat(first), date.fromisoformat(last)), steps, unit)
    assert (found and (str(found.first), str(found.last))) == expected


def test_the_days_that_are_looked_at() -> None:
    """Twenty weeks around days, twelve months around months."""
    assert horizon([window(WEDNESDAY)], None) == Window(WEDNESDAY - 140 * DAY, WEDNESDAY + 140 * DAY)
    month = Window(date(2025, 12, 1), date(2025, 12, 31))
    assert horizon([month], "month") == Window(date(2024, 12, 1), date(2026, 12, 31))


def test_a_doubt_is_that_of_the_first_run_that_had_it() -> None:
    earlier = [Suspected({"shop": "north"}, window(WEDNESDAY, 4), NOW)]
    later = NOW + BELIEVED_AFTER
    cases = [
        ({"shop": "north"}, window(WEDNESDAY + DAY, 4), NOW),  # three of its four days
        ({"shop": "north"}, window(WEDNESDAY + 2 * DAY, 4), later),  # half of them
        ({"shop": "south"}, window(WEDNESDAY, 4), later),
        ({"shop": "north"}, None, later),
    ]
    for item, empty, since in cases:
        doubt = first_found(earlier, item, empty, later)
        assert (doubt.since, is_believed(doubt, later)) == (since, since == NOW)
        assert not is_believed(doubt, later - DAY / 86_400)
    # A clock that was set back makes no doubt of the future.
    assert first_found(earlier, {"shop": "north"}, window(WEDNESDAY, 4), NOW - DAY).since == NOW - DAY


def test_what_a_run_leaves_to_the_next_one() -> None:
    suspected = [Suspected({}, window(WEDNESDAY), NOW), Suspected({"shop": 7}, None, NOW)]
    assert read_suspected(stored_suspected(suspected)) == suspected
    assert len(stored_suspected(suspected * MOST_KEPT)) == MOST_KEPT
    for unreadable in (None, {}, "x", [{}], [None], [{"item": {}, "days": ["2025-12-10"], "since": NOW.isoformat()}]):
        assert read_suspected(unreadable) == []
    # Days that a run has not read stay suspected; of those that it has read, it knows better.
    assert carried_over(suspected, window(FIRST, 30), NOW) == suspected[:1]
    assert carried_over(suspected, window(WEDNESDAY - DAY, 5), NOW) == []
    assert carried_over(suspected, window(FIRST, 30), NOW + FORGOTTEN_AFTER) == []
