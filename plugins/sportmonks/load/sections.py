"""Sections of a payload (its keys that hold lists) and the includes that request them."""

from __future__ import annotations

import re
from collections.abc import Iterable


def by_section(includes: Iterable[str]) -> dict[str, set[str]]:
    """Includes by the section (the key in the payload) that they request."""
    found: dict[str, set[str]] = {}
    for include in includes:
        found.setdefault(re.split(r"[.:]", include.strip().lower(), maxsplit=1)[0], set()).add(include.strip().lower())
    return found
