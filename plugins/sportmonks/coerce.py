"""Plain values in any of the forms in which the provider has sent them: integers, seconds, times, text.

Each function returns None for a value that is not what it reads, and never raises.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

# What PostgreSQL's bigint takes; nothing of the provider's is beyond it.
SMALLEST, LARGEST = -(2**63), 2**63 - 1
# The bound on the length keeps int() from refusing thousands of digits with an error.
_INTEGER = re.compile(r"-?[0-9]{1,40}")
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


def as_seconds(value: Any) -> float | None:
    """A duration in seconds (1.5, "1.5"), at least 0 and below 1e9; None otherwise."""
    if isinstance(value, bool) or value is None:
        return None
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return seconds if 0 <= seconds < 1e9 else None


def as_epoch(value: Any) -> int | None:
    """Seconds since 1970 up to the year 9999; None for anything else, milliseconds included."""
    number = as_int(value)
    return number if number is not None and 0 <= number <= LAST_EPOCH else None


def as_utc(value: Any) -> datetime | None:
    """``YYYY-MM-DD HH:MM:SS``, which is UTC, or ISO 8601 as a timezone-aware UTC time; None for anything else."""
    if not isinstance(value, str) or len(value) < 10:
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        return parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def without_nul(value: Any) -> Any:
    """Text without NUL characters, which PostgreSQL's text and jsonb do not take; any other value as it is."""
    return value.replace("\x00", "") if isinstance(value, str) else value
