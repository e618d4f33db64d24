"""The change ledger: what the provider changed in a fixture that was collected before. Pure comparison of payloads."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sportmonks.coerce import as_rows
from sportmonks.lenient_json import UNREADABLE, repair
from sportmonks.load.content_hash import VOLATILE

# A section with more changed rows than this is one entry with the number of rows, not an entry per row.
MAX_ROWS = 20


@dataclass(frozen=True, slots=True)
class Change:
    """One entry: a field of the fixture, or a row of a section (``field`` is the row's id).

    ``before`` and ``after``: values of a field, rows of a section, or ``{"rows": n}`` for too many changed rows.
    """

    section: str
    field: str | None
    before: Any
    after: Any


def compare_payloads(
    before: bytes, after: bytes, requested_before: Collection[str], incomparable: Collection[str]
) -> list[Change] | None:
    """The changes between two payloads (JSON objects), None when their content is the same.

    When one of them holds what no decoder takes, both are repaired first, so that the same value is the same in both.

    An empty list means that they differ only in ``incomparable`` sections or in what only one of them holds.
    """
    try:
        old, new = (msgspec.json.decode(payload, type=dict[str, Any]) for payload in (before, after))
    except UNREADABLE:
        old, new = (msgspec.json.decode(repair(payload).json, type=dict[str, Any]) for payload in (before, after))
    found = find_changes(old, new, requested_before, incomparable)
    same_keys = old.keys() - VOLATILE == new.keys() - VOLATILE
    if same_keys and not found and all(_sorted(old.get(name)) == _sorted(new.get(name)) for name in incomparable):
        return None
    # Rows without an id are compared by their place, and so are values within rows.
    return None if found and _in_order(old) == _in_order(new) else found


def _in_order(value: Any) -> Any:
    """The same without volatile fields, each list in an order of its own: what ``content_hash.hash_sorted`` hashes."""
    if isinstance(value, dict):
        return {key: _in_order(inner) for key, inner in sorted(value.items()) if key not in VOLATILE}
    if isinstance(value, list):
        return sorted(map(_in_order, value), key=repr)
    return value


def find_changes(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    requested_before: Collection[str] = (),
    incomparable: Collection[str] = (),
) -> list[Change]:
    """Every difference in what both payloads hold, by section; the order of lists does not count.

    ``requested_before``: sections that were requested for ``before``; one that it lacks had no rows then.
    ``incomparable``: sections that are left out, because the two were requested in different depth.
    """
    found: list[Change] = []
    for key in after.keys() & {*before, *requested_before}:
        if key in VOLATILE or key in incomparable:
            continue
        old, new = before.get(key), after[key]
        if isinstance(old, list) or isinstance(new, list):
            found.extend(_section_changes(key, old or [], new or []))
        elif _without_volatile(old) != _without_volatile(new):
            found.append(Change("fixture", key, old, new))
    return sorted(found, key=lambda change: (change.section, change.field or ""))


def _sorted(section: Any) -> Any:
    if isinstance(section, list):
        return sorted(repr(_without_volatile(row)) for row in section)
    return _without_volatile(section)


def _section_changes(name: str, before: Any, after: Any) -> Iterator[Change]:
    """Rows of lineups are compared without their details, and the details as a section of their own."""
    if not isinstance(before, list) or not isinstance(after, list):
        yield Change(name, None, {"kind": type(before).__name__}, {"kind": type(after).__name__})
        return
    old, new = _by_id(before), _by_id(after)
    if any(isinstance(row, dict) and "details" in row for row in (*before, *after)):
        yield from _section_changes(f"{name}.details", _details(before), _details(after))
        old = {key: _without(row, "details") for key, row in old.items()}
        new = {key: _without(row, "details") for key, row in new.items()}
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    if len(changed) > MAX_ROWS:
        yield Change(name, None, {"rows": len(old)}, {"rows": len(new), "changed": len(changed)})
        return
    for key in changed:
        yield Change(name, key, old.get(key), new.get(key))


def _by_id(rows: list[Any]) -> dict[str, Any]:
    """Rows by id; one without an id by its position in the list."""
    keyed: dict[str, Any] = {}
    for position, row in enumerate(rows):
        has_id = isinstance(row, dict) and row.get("id") is not None
        keyed[str(row["id"]) if has_id else f"#{position}"] = _without_volatile(row)
    return keyed


def _details(rows: list[Any]) -> list[Any]:
    return [detail for row in rows if isinstance(row, dict) for detail in as_rows(row.get("details")) or ()]


def _without(row: Any, key: str) -> Any:
    return {name: value for name, value in row.items() if name != key} if isinstance(row, dict) else row


def _without_volatile(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_volatile(inner) for key, inner in value.items() if key not in VOLATILE}
    return value
