"""Rows as other encoders, databases and proxies write them: JSON that no JSON library would write."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import msgspec

# A name in bytes that are not UTF-8, with half a surrogate pair, with NUL, with a control character.
_TEXTS = (b'"M\xfcnchen"', b'"1\\ud83d"', b'"a\\u0000b"', b'"a\tb"')
_NUMBERS = (b"NaN", b"-Infinity", b"1e400", b"7" * 5_000)
_DATES = ("0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-12:00", "9999-12-31 23:59:59", "2026-02-30 25:61:00")
_DEEP = b"[" * 7_000 + b"]" * 7_000
_MARK = "the value that is written otherwise"


class OddRows:
    """Writes rows of the faults of TEXT_FAULTS; each kind takes its odd values in turn."""

    def __init__(self) -> None:
        self._texts, self._numbers, self._dates = cycle(_TEXTS), cycle(_NUMBERS), cycle(_DATES)

    def write(self, kind: str, row: dict[str, Any]) -> bytes:
        """The row as JSON, or nearly so."""
        if kind == "bad_text":
            return _with(row, "name", next(self._texts))
        if kind == "odd_numbers":
            return _with(row, "length", next(self._numbers))
        if kind == "deep_nesting":
            return _with(row, "nested", _DEEP)
        if kind == "odd_dates":
            ended = {"periods": [{**period, "ended": 253_402_300_799} for period in row.get("periods", ())]}
            row = {**row, "starting_at": next(self._dates), **(ended if "periods" in row else {})}
        return msgspec.json.encode(row)


def _with(row: dict[str, Any], key: str, text: bytes) -> bytes:
    """The row with one value as ``text``; values of nested rows stay as they are."""
    return msgspec.json.encode({**row, key: _MARK}).replace(msgspec.json.encode(_MARK), text)


def as_object(rows: list[Any]) -> dict[str, Any]:
    """A list from which PHP's array_filter has taken rows: an object, whose keys are the places of those left."""
    return {str(2 * place): row for place, row in enumerate(rows)}


def with_objects(value: Any) -> Any:
    """The same with an object in the place of every list of rows."""
    if isinstance(value, dict):
        return {key: with_objects(inner) for key, inner in value.items()}
    if isinstance(value, list):
        inner = [with_objects(item) for item in value]
        return as_object(inner) if inner and all(isinstance(item, dict) for item in inner) else inner
    return value
