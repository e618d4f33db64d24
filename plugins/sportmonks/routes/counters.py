"""The counters of a run: numbers by name, stored as JSON with its position, which the next try goes on with. Pure
functions over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

Counters = dict[str, float]

COUNTERS = (
    "records", "inserted", "duplicates", "revived", "out_of_range", "undated", "failed", "pages", "repeated_pages",
    "asked_again", "skipped", "bytes", "seconds", "unproven", "deleted", "restored",
)  # fmt: skip
# Counters of how listings ended are added as they occur.
END = "end_"
# With the number of a listing: it ended without a row (1), which is unusual (SUSPECTED), also when it was requested
# again (EMPTY_AGAIN). 0 where it is settled.
EMPTY = "empty_"
SUSPECTED = 2
EMPTY_AGAIN = 3
# So many of them at most, the first of the run. The watermark stays before a suspected one, so that those behind it
# are read again.
MOST_EMPTY = 500
# With the first day of a window: how many items of for_each the API does not have in it.
ABSENT = "absent_"
# What the end of a run looks at, and does not leave in its counters.
NOTES = (EMPTY, ABSENT)
# The first day of a listing that may be short, as date.toordinal(): the watermark stays before it.
UNPROVEN_FROM = "unproven_from"


def begun_with(stored: Mapping[str, float]) -> Counters:
    """The counters of a try: those that an earlier one has left, and 0 for the others."""
    return {**dict.fromkeys(COUNTERS, 0), **stored}


def added(before: Mapping[str, float], counted: Mapping[str, float], unproven: date | None = None) -> Counters:
    """``before`` with what pages have ``counted``. ``unproven``: the first day of a listing that may be short. Of empty
    listings beyond ``MOST_EMPTY`` none is noted, and what is noted of earlier ones goes on."""
    noted = {name for name in counted if name.startswith(EMPTY)}
    if len(noted) + len(noted_as_empty(before)) > MOST_EMPTY:
        noted &= before.keys()
    names = {*COUNTERS, *noted, *(name for name in counted if name.startswith((END, ABSENT)))}
    found = {**before, **{name: before.get(name, 0) + counted.get(name, 0) for name in names}}
    if unproven is not None:
        first = unproven.toordinal()
        found[UNPROVEN_FROM] = min(first, found.get(UNPROVEN_FROM, first))
    return found


def left_by(counters: Mapping[str, float], *, done: bool) -> Counters:
    """The counters as a try leaves them: a failed one goes on with its notes, a complete one has none."""
    return {name: count for name, count in counters.items() if not name.startswith(NOTES) or (count > 0 and not done)}


def unproven_from(counters: Mapping[str, float]) -> date | None:
    """The first day of a listing of the run that may be short."""
    found = counters.get(UNPROVEN_FROM)
    return None if found is None else date.fromordinal(int(found))


def noted_as_empty(counters: Mapping[str, float]) -> list[int]:
    """The numbers of the listings of the run that ended without a row, as far as they are still to be looked at."""
    return sorted(
        int(name.removeprefix(EMPTY)) for name, count in counters.items() if name.startswith(EMPTY) and count > 0
    )


def empty_state(counters: Mapping[str, float], number: int) -> int:
    """What is known of an empty listing: 1, SUSPECTED, EMPTY_AGAIN; 0 of any other."""
    return int(counters.get(f"{EMPTY}{number}", 0))
