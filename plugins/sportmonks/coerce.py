"""Plain values in any of the forms in which the provider has sent them: integers, seconds, times, text.

Each function returns None for a value that is not what it reads, and never raises.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from math import isfinite
from typing import Any

# What PostgreSQL's bigint takes; nothing of the provider's is beyond it.
SMALLEST, LARGEST = -(2**63), 2**63 - 1
# The bound on the length keeps int() from refusing thousands of digits with an error.
_INTEGER = re.compile(r"-?[0-9]{1,40}")
# A date, perhaps with a time of day, perhaps with its offset from UTC (PostgreSQL takes less than 16 hours). 24:00 is
# the midnight at the end of the day, second 60 a leap second: the next minute begins with it, as in PostgreSQL.
_TIME = re.compile(
    r"\s*([0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[ Tt]([01][0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]|60)(?:[.,][0-9]+)?)?"
    r"\s?(?:[Zz]|([-+])(0[0-9]|1[0-5])(?::?([0-5][0-9]))?)?)?\s*"
)
# The same two in any other way to write a time: what they are read as, and how much later they are.
_ROLLED = (
    (re.compile(r"(?<=[Tt\s])24(:?)00(?:(:?)00(?:([.,])0+)?)?(?![0-9:])"), timedelta(days=1)),
    (re.compile(r"(?<=[0-9]:)60(?![0-9:])|(?<=[Tt][0-9]{4})60(?![0-9:])"), timedelta(seconds=1)),
)
_NUMBER_TEXT = re.compile(r"-?[0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
LAST_EPOCH = 253_402_300_799  # the end of the year 9999, the last that datetime can hold


def as_int(value: Any) -> int | None:
    """An integer (7, "7", " 7 ", 7.0) that a bigint holds; None for "", null, booleans, fractions and the rest."""
    match value:
        case bool():
            return None
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str() if _INTEGER.fullmatch(value.strip()):
            number = int(value)
        case _:
            return None
    return number if SMALLEST <= number <= LARGEST else None


def as_bool(value: Any) -> bool | None:
    """A flag (true, "true", 1, "1", and their opposites); None for anything else."""
    return {"true": True, "1": True, "false": False, "0": False}.get(str(value).lower())


def as_seconds(value: Any) -> float | None:
    """A duration in seconds (1.5, "1.5"), at least 0 and below 1e9; None otherwise."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < 1e9 else None


def as_delay(value: Any) -> float | None:
    """Seconds to wait, as ``as_seconds``; a negative number is 0, because that time is past."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        past = float(value) < 0
    except (TypeError, ValueError, OverflowError):
        return None
    return 0.0 if past else as_seconds(value)


def as_epoch(value: Any) -> int | None:
    """Seconds since 1970 up to the year 9999; None for anything else, milliseconds included."""
    number = as_int(value)
    return number if number is not None and 0 <= number <= LAST_EPOCH else None


def as_utc(value: Any) -> datetime | None:
    """``YYYY-MM-DD HH:MM:SS``, which is UTC, or ISO 8601 with or without an offset, as a timezone-aware UTC time.

    To the second; None for anything else and for times outside the years 1 to 9999. ``etl.to_utc`` is the same in SQL.
    """
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    day, hour, minute, second, sign, hours, minutes = found.groups("0")
    try:
        if hour == "24" and (int(minute) or int(second)):
            return None
        time = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second))
        offset = timedelta(hours=int(hours), minutes=int(minutes)) if sign != "0" else timedelta()
        # As one number: a part of the sum may lie outside the years 1 to 9999.
        return datetime.fromisoformat(f"{day}T00:00:00+00:00") + (time + offset if sign == "-" else time - offset)
    except (ValueError, OverflowError):
        return None


def read_time(text: str, read: Callable[[str], datetime]) -> datetime:
    """``read(text)``, also of a text with the time 24:00 (the next midnight) or a second 60 (the next minute).

    ``read``: such as ``datetime.fromisoformat``, which refuses both. Raises what it raises, and OverflowError for the
    end of the year 9999.
    """
    try:
        return read(text)
    except ValueError:
        for pattern, later in _ROLLED:
            found = pattern.search(text)
            if found:
                place = found.start()
                earlier = {"24": "00", "60": "59"}[text[place : place + 2]]
                return read(text[:place] + earlier + text[place + 2 :]) + later
        raise


def as_rows(value: Any) -> list[Any] | None:
    """A list, also one that is written as an object whose keys are all whole numbers (PHP does so for a list with
    gaps); None for anything else."""
    if isinstance(value, list):
        return value
    if isinstance(value, dict) and all(isinstance(key, str) and _NUMBER_TEXT.fullmatch(key) for key in value):
        return list(value.values())
    return None


def clean_text(text: str) -> str:
    """The text as PostgreSQL can hold it: without NUL characters, and with U+FFFD for each half of a surrogate pair."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def clean_value(value: Any) -> Any:
    """A JSON value as PostgreSQL's jsonb can hold it: its texts and keys cleaned, NaN and infinity null."""
    match value:
        case str():
            return clean_text(value)
        case float():
            return value if isfinite(value) else None
        case dict():
            return {clean_text(str(key)): clean_value(item) for key, item in value.items()}
        case list() | tuple():
            return [clean_value(item) for item in value]
    return value
