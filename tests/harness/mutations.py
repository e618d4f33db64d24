"""Mutations of real payloads: what providers, proxies and encoders have done to JSON, drawn by hypothesis.

A mutated payload is bytes, because much of it no JSON library would write: NaN, numbers beyond every type, lone
surrogates, bytes that are not UTF-8, brackets without end.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

# In place of a value, as the text of the JSON document.
VALUES: dict[str, bytes] = {
    "null": b"null",
    "empty text": b'""',
    "blank": b'" "',
    "text": b'"n/a"',
    "number as text": b'"17"',
    "true": b"true",
    "fraction": b"12.5",
    "negative": b"-1",
    "zero": b"0",
    "beyond int4": b"3000000000",
    "beyond int8": b"9223372036854775808",
    "exponent": b"1e400",
    "tiny": b"1e-400",
    "5,000 digits": b"7" * 5000,
    "NaN": b"NaN",
    "Infinity": b"-Infinity",
    "object": b'{"id": 1}',
    "empty object": b"{}",
    "list": b"[1, null, []]",
    "empty list": b"[]",
    "list as object": b'{"0": {"id": 7, "type_id": 14}, "2": {"id": 8}}',
    "NUL": b'"a\\u0000b"',
    "lone surrogate": b'"1\\ud83d"',
    "not UTF-8": b'"M\xfcnchen"',
    "control character": b'"\\u001f\\u007f"',
    "long text": b'"' + "ü".encode() * 20_000 + b'"',
    "year 1": b'"0001-01-01T00:00:00+01:00"',
    "year 9999": b'"9999-12-31T23:59:59-12:00"',
    "offset": b'"2026-03-28T20:45:00+01:00"',
    "end of day": b'"2026-03-28T24:00:00"',
    "leap second": b'"2016-12-31T23:59:60Z"',
    "no date": b'"2026-02-30 25:61:00"',
    "epoch of year 9999": b"253402300799",
    "milliseconds": b"1700000000000",
    "deep": b"[" * 7000 + b"]" * 7000,
    "deep objects": b'{"a":' * 600 + b"1" + b"}" * 600,
}
STRUCTURES = ("delete", "repeat", "rename", "append text", "append null", "reverse", "truncate")


@dataclass(frozen=True)
class Mutation:
    """One change: ``where`` picks a place among all of a payload, ``what`` is a key of VALUES or one of STRUCTURES."""

    where: int
    what: str


mutations = st.lists(
    st.builds(Mutation, st.integers(0, 10**6), st.sampled_from([*VALUES, *STRUCTURES])), min_size=1, max_size=4
)


class _Text(str):
    """Stands in the tree for the text of a JSON value."""


def mutate(payload: dict[str, Any], changes: list[Mutation]) -> bytes:
    """The payload's JSON with these changes; its own ``id`` stays, or the answer could not be assigned to it."""
    tree = copy.deepcopy(payload)
    texts: list[bytes] = []
    cut = False
    for change in changes:
        places = list(_places(tree))
        holder, key = places[change.where % len(places)]
        if change.what in VALUES:
            texts.append(VALUES[change.what])
            holder[key] = _Text(f"\x02{len(texts) - 1}\x03")
        else:
            cut = cut or change.what == "truncate"
            _STRUCTURES.get(change.what, _unchanged)(holder, key)
    found = json.dumps(tree, ensure_ascii=False).encode("utf-8", "surrogatepass")
    for number, text in enumerate(texts):
        found = found.replace(json.dumps(f"\x02{number}\x03").encode(), text)
    return found[: -max(2, len(found) // 3)] if cut else found


def _places(tree: Any, top: bool = True) -> Iterator[tuple[Any, Any]]:
    """Every (holder, key or index) of the tree but the payload's own id."""
    pairs: Any = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    for key, value in pairs:
        if not (top and key == "id"):
            yield tree, key
        if isinstance(value, dict | list) and value:
            yield from _places(value, False)


def _unchanged(holder: Any, key: Any) -> None:
    """For changes of the complete text."""


def _delete(holder: Any, key: Any) -> None:
    del holder[key]


def _repeat(holder: Any, key: Any) -> None:
    if isinstance(holder, list):
        holder.append(copy.deepcopy(holder[key]))
    else:
        holder[f"{key}_2"] = copy.deepcopy(holder[key])


def _rename(holder: Any, key: Any) -> None:
    if isinstance(holder, dict):
        holder[f"{key}\x00"] = holder.pop(key)


def _append(value: Any) -> Callable[[Any, Any], None]:
    def change(holder: Any, key: Any) -> None:
        target = holder[key] if isinstance(holder[key], list) else holder
        if isinstance(target, list):
            target.append(value)

    return change


def _reverse(holder: Any, key: Any) -> None:
    if isinstance(holder[key], list):
        holder[key].reverse()


_STRUCTURES: dict[str, Callable[[Any, Any], None]] = {
    "delete": _delete,
    "repeat": _repeat,
    "rename": _rename,
    "append text": _append("a row that is text"),
    "append null": _append(None),
    "reverse": _reverse,
}
