"""Plain values in any of the forms that the provider has sent them in."""

from __future__ import annotations

import re
from typing import Any

# What PostgreSQL's bigint takes; nothing of the provider's is beyond it.
SMALLEST, LARGEST = -(2**63), 2**63 - 1
# Python refuses to read thousands of digits, with an error.
_WHOLE = re.compile(r"-?[0-9]{1,40}")


def as_int(value: Any) -> int | None:
    """An integer (7, "7", " 7 ", 7.0) that a bigint holds; None for "", null, booleans, fractions and the rest."""
    match value:
        case bool():
            return None
        case int():
            number = value
        case float() if value.is_integer():
            number = int(value)
        case str() if _WHOLE.fullmatch(value.strip()):
            number = int(value)
        case _:
            return None
    return number if SMALLEST <= number <= LARGEST else None
