"""The records of an answer, undecoded: lists, objects of objects, lists of values, lists within lists."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from sportmonks import lenient_json
from sportmonks.coerce import as_rows
from sportmonks.config.strict_yaml import JsonPath
from sportmonks.errors import FatalApiError
from sportmonks.redaction import mask_text
from sportmonks.routes.json_path import dig, is_null, keys, shown_path, value_at
from sportmonks.routes.spec import Route

_LIST_OF_OBJECTS = re.compile(rb"\[\s*\{")


def nested_at(body: bytes, path: JsonPath) -> tuple[list[msgspec.Raw], JsonPath] | None:
    """The list that a path to the records leads through, and the rest of the path: ``orders.lines`` are the lines of
    all orders. None where it leads through no list."""
    for depth in range(1, len(path)):
        raw = dig(body, path[:depth])
        if raw is not None and bytes(memoryview(raw)[:1]) == b"[":
            return lenient_json.elements(raw), path[depth:]
    return None


def rows_at(raw: msgspec.Raw | None, route: Route, label: str, body: bytes = b"") -> list[msgspec.Raw]:
    """The records that were found at ``records``, in the form that ``records_as`` says.

    Raises FatalApiError when there are none, unless the route declares that as empty: a wrong path must not look like
    an empty answer. ``body`` serves that error and a null at the path; ``label`` is the path of the request.
    """
    first = b"" if raw is None else bytes(memoryview(raw)[:1])
    if raw is not None and first == b"[":
        rows = lenient_json.elements(raw)
        if route.fields:
            return _named(rows, route, label, body)
        if any(_LIST_OF_OBJECTS.match(memoryview(row)) for row in rows):
            raise FatalApiError(
                f"{label}: at '{shown_path(route.records)}' are lists of records among the records.",
                hint="Write which one it is, such as records: '[1]'.",
            )
        return rows
    if raw is not None and first == b"{":
        return _of_object(raw, route, label)
    path = shown_path(route.records)
    if raw is None and (route.missing_records == "empty" or is_null(body, route.records)):
        return []
    there = mask_text(f" The answer has: {', '.join(sorted(keys(body))[:12])}.") if body else ""
    raise FatalApiError(
        f"{label}: there is no list at '{path}'.{there}",
        hint="Correct records in the route; if the API leaves it out on no result: missing_records: empty.",
    )


def _of_object(raw: msgspec.Raw, route: Route, label: str) -> list[msgspec.Raw]:
    if route.records_as == "object":
        return [raw]
    if route.records_as == "values":
        return _values(lenient_json.members(raw))
    listed = lenient_json.listed(raw)
    if listed is not None and route.records:
        return listed
    members = lenient_json.members(raw)
    objects = sum(bytes(memoryview(value)[:1]) == b"{" for value in members.values())
    lists = sum(_LIST_OF_OBJECTS.match(memoryview(value)) is not None for value in members.values())
    if route.records_as == "auto" and len(members) in (objects, lists) and len(members) > 1:
        kind = "objects" if objects else "lists of objects"
        raise FatalApiError(
            f"{label}: at '{shown_path(route.records)}' is an object of {len(members)} {kind}, and not a list.",
            hint="Say what it is: records_as: values (each is a record) or records_as: object (it is one record).",
        )
    return [raw]


def _values(members: Mapping[str, msgspec.Raw]) -> list[msgspec.Raw]:
    """Each value as a record; of lists of objects (by day, say), each of their elements."""
    if not any(_LIST_OF_OBJECTS.match(memoryview(value)) for value in members.values()):
        return [_with_key(key, value) for key, value in members.items()]
    lists = ((key, bytes(memoryview(value)[:1]) == b"[", value) for key, value in members.items())
    return [
        _with_key(key, one) for key, many, value in lists for one in (lenient_json.elements(value) if many else [value])
    ]


def _with_key(key: str, value: msgspec.Raw) -> msgspec.Raw:
    """A value of an object as a record that knows its key, as ``_key``; what is no object, as ``_value``."""
    text, name = bytes(value).strip(), msgspec.json.encode(key)
    if text[:1] != b"{":
        return msgspec.Raw(b'{"_key":%s,"_value":%s}' % (name, text))
    rest = text[1:].lstrip()
    return msgspec.Raw(b'{"_key":%s%s%s' % (name, b"" if rest == b"}" else b",", rest))


def _named(rows: list[msgspec.Raw], route: Route, label: str, body: bytes) -> list[msgspec.Raw]:
    """Lists of values as objects under the route's ``fields``: names, ``header`` (the first list) or a path."""
    names: list[str] = list(route.fields)
    if names == ["header"]:
        names, rows = ([str(name) for name in lenient_json.decode(rows[0])[0]], rows[1:]) if rows else ([], [])
    elif len(names) == 1 and names[0].startswith("."):
        given = as_rows(value_at(body, tuple(names[0][1:].split(".")))) or []
        names = [str(one.get("name", "") if isinstance(one, Mapping) else one) for one in given]
        if not names:
            raise FatalApiError(f"{label}: there are no names at '{route.fields[0]}'.", hint="Correct fields.")
    keyed = [msgspec.json.encode(name) for name in names]
    found = []
    for row in rows:
        values = lenient_json.elements(row) if bytes(memoryview(row)[:1]) == b"[" else []
        pairs = b",".join(b"%s:%s" % (name, bytes(value)) for name, value in zip(keyed, values, strict=False))
        # Another number of values stays a list, which is no record and is rejected as it came.
        found.append(msgspec.Raw(b"{%s}" % pairs) if len(values) == len(keyed) else row)
    return found
