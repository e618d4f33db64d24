"""What the provider changed in a fixture that had been collected before: a pure comparison of two payloads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sportmonks.config.catalog import GuardSettings
from sportmonks.load.content_hash import VOLATILE

# A section with more changed rows than this is told by its counts instead of row by row.
MAX_ROWS_TOLD = 20


@dataclass(frozen=True, slots=True)
class Change:
    """``before``/``after``: values of a field, rows of a section, or ``{"rows": n}`` where there are too many."""

    section: str
    field: str | None
    before: Any
    after: Any


def changes(
    old: Mapping[str, Any], new: Mapping[str, Any], asked: Collection[str] = (), left_out: Collection[str] = ()
) -> list[Change]:
    """Every real difference in what both payloads hold; the order of lists does not count.

    ``asked``: sections that the old one was asked for; without such a one, it held no row of it. ``left_out``:
    sections that cannot be compared, because they were not asked for alike.
    """
    found: list[Change] = []
    for key in new.keys() & {*old, *asked}:
        if key in VOLATILE or key in left_out:
            continue
        before, after = old.get(key), new[key]
        if isinstance(before, list) or isinstance(after, list):
            found.extend(_section(key, before or [], after or []))
        elif _plain(before) != _plain(after):
            found.append(Change("fixture", key, before, after))
    return sorted(found, key=lambda change: (change.section, change.field or ""))


def differences(old: bytes, new: bytes, asked: Collection[str], left_out: Collection[str]) -> list[Change] | None:
    """The ``changes`` between two payloads as JSON, None when they say the same to the last key."""
    before, after = (msgspec.json.decode(payload, type=dict[str, Any]) for payload in (old, new))
    found = changes(before, after, asked, left_out)
    alike = before.keys() - VOLATILE == after.keys() - VOLATILE
    if alike and not found and all(_sorted(before.get(name)) == _sorted(after.get(name)) for name in left_out):
        return None
    return found


def _sorted(section: Any) -> Any:
    return sorted(map(repr, map(_plain, section))) if isinstance(section, list) else _plain(section)


def sections_asked_differently(old: Iterable[str], new: Iterable[str]) -> frozenset[str]:
    """Sections that two lists of includes ask for in different depth or with different fields: what differs in them
    is our own choice and no correction of the provider."""
    before, after = by_section(old), by_section(new)
    return frozenset(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def by_section(includes: Iterable[str]) -> dict[str, set[str]]:
    """Includes by the section (the key in the payload) that they ask for."""
    found: dict[str, set[str]] = {}
    for include in includes:
        found.setdefault(re.split(r"[.:]", include.strip().lower(), maxsplit=1)[0], set()).add(include.strip().lower())
    return found


def _section(name: str, before: Any, after: Any) -> Iterator[Change]:
    """Lineups are compared without their details, and the details on their own."""
    if not isinstance(before, list) or not isinstance(after, list):
        yield Change(name, None, {"kind": type(before).__name__}, {"kind": type(after).__name__})
        return
    old, new = _by_id(before), _by_id(after)
    if any(isinstance(row, dict) and "details" in row for row in (*before, *after)):
        yield from _section(f"{name}.details", _details(before), _details(after))
        old = {key: _without(row, "details") for key, row in old.items()}
        new = {key: _without(row, "details") for key, row in new.items()}
    touched = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if len(touched) > MAX_ROWS_TOLD:
        yield Change(name, None, {"rows": len(old)}, {"rows": len(new), "changed": len(touched)})
        return
    for key in touched:
        yield Change(name, key, old.get(key), new.get(key))


def _by_id(rows: list[Any]) -> dict[str, Any]:
    keyed: dict[str, Any] = {}
    for place, row in enumerate(rows):
        known = isinstance(row, dict) and row.get("id") is not None
        keyed[str(row["id"]) if known else f"#{place}"] = _plain(row)
    return keyed


def _details(rows: list[Any]) -> list[Any]:
    return [detail for row in rows if isinstance(row, dict) for detail in row.get("details") or ()]


def _without(row: Any, key: str) -> Any:
    return {name: value for name, value in row.items() if name != key} if isinstance(row, dict) else row


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items() if key not in VOLATILE}
    return value


def poorer_sections(before: Mapping[str, int], after: Mapping[str, int], guard: GuardSettings) -> list[str]:
    """Sections that lost all, or too many, of their rows; a section that is not there has none."""
    suspicious = []
    for name, had in before.items():
        has = after.get(name, 0)
        emptied = had > 0 and has == 0
        shrunk = had >= guard.min_rows and has < had * guard.keep_share
        if emptied or shrunk:
            suspicious.append(name)
    return sorted(suspicious)
