"""Values of an answer by their path: in the body, which stays undecoded, or in a header.

A path is a tuple of keys. A key that is not there is looked for together with those behind it, joined by dots, so that
``@odata.nextLink`` is found without quotes. ``name[2]`` is an element of a list, ``links[rel=next]`` the first element
whose field has that value, ``[1]`` an element where the value itself is a list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from sportmonks import lenient_json
from sportmonks.config.strict_yaml import JsonPath

# Targets may hold commas and semicolons, and a parameter may be without quotes.
_LINK = re.compile(r"<([^>]*)>((?:\s*;\s*[^\s=;,]+(?:\s*=\s*(?:\"[^\"]*\"|[^;,\"]*))?)*)")
_REL = re.compile(r";\s*rel\s*=\s*(?:\"([^\"]*)\"|([^;,\s]+))", re.I)
# How APIs write, as text, that something is not so or not there.
_NOTHING = ("", "false", "f", "no", "n", "off", "0", "null", "none", "nil", "undefined", "n/a")
# The same of a cursor, which may also be a word or a letter: that of a country, say.
_NO_CURSOR = ("false", "0", "-1", "null", "none", "nil", "undefined")
ELEMENT = re.compile(r"(?P<name>[^\[\]]*)\[(?:(?P<index>-?\d+)|(?P<field>[^=\]]+)=(?P<value>[^\]]*))\]")


def shown_path(path: JsonPath) -> str:
    """The path as a route file writes it; ``.`` is the top."""
    return ".".join(f'"{part}"' if "." in part else part for part in path) or "."


def dig(body: bytes | msgspec.Raw, path: JsonPath) -> msgspec.Raw | None:
    """The value at ``path``, undecoded and as it came; None where it is missing or null. Raises msgspec.DecodeError."""
    raw: msgspec.Raw | None = msgspec.Raw(memoryview(body))
    parts = list(path)
    while parts and raw is not None:
        raw, used = _step(raw, parts)
        del parts[:used]
    return None if raw is None or bytes(memoryview(raw)[:5]).strip() == b"null" else raw


def _step(raw: msgspec.Raw, parts: list[str]) -> tuple[msgspec.Raw | None, int]:
    """The value below ``raw`` at the first of the parts, and how many of them its key took."""
    if bytes(memoryview(raw)[:1]) != b"{":
        element = ELEMENT.fullmatch(parts[0])
        return (_element(raw, element) if element is not None and not element["name"] else None), 1
    members = lenient_json.members(raw)
    if parts[0] in members:
        return members[parts[0]], 1
    for used in range(len(parts), 1, -1):
        if (found := members.get(".".join(parts[:used]))) is not None:
            return found, used
    if (element := ELEMENT.fullmatch(parts[0])) is not None and element["name"] in members:
        return _element(members[element["name"]], element), 1
    return None, 1


def _element(raw: msgspec.Raw, wanted: re.Match[str]) -> msgspec.Raw | None:
    if bytes(memoryview(raw)[:1]) != b"[":
        return None
    elements = lenient_json.elements(raw)
    if wanted["index"] is not None:
        place = int(wanted["index"])
        return elements[place] if -len(elements) <= place < len(elements) else None
    return next((one for one in elements if text_at(one, (wanted["field"],)) == wanted["value"]), None)


def value_at(body: bytes | msgspec.Raw, path: JsonPath) -> Any:
    """The decoded value at ``path``; None where it is missing or null."""
    raw = dig(body, path) if body else None
    return None if raw is None else lenient_json.decode(raw)[0]


def decoded_at(value: Any, path: JsonPath) -> Any:
    """The same in a value that is decoded already."""
    parts = list(path)
    while parts:
        if not isinstance(value, Mapping):
            return None
        used = next((n for n in (1, *range(len(parts), 1, -1)) if ".".join(parts[:n]) in value), 0)
        if used:
            value = value[".".join(parts[:used])]
        elif (element := ELEMENT.fullmatch(parts[0])) is not None and isinstance(value.get(element["name"]), list):
            value, used = _decoded_element(value[element["name"]], element), 1
        else:
            return None
        del parts[:used]
    return value


def _decoded_element(elements: list[Any], wanted: re.Match[str]) -> Any:
    if wanted["index"] is not None:
        place = int(wanted["index"])
        return elements[place] if -len(elements) <= place < len(elements) else None
    fields = (one for one in elements if isinstance(one, Mapping))
    return next((one for one in fields if str(one.get(wanted["field"])) == wanted["value"]), None)


def text_at(body: bytes | msgspec.Raw, path: JsonPath) -> str | None:
    """The text or integer at ``path`` as text; None where it is missing, empty or something else."""
    value = value_at(body, path)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) and value != "" else None


def is_null(body: bytes, path: JsonPath) -> bool:
    """Whether the value at ``path``, or one that it lies within, is there and null: nothing was found."""
    raw: msgspec.Raw | None = msgspec.Raw(memoryview(body)) if body else None
    parts = list(path)
    while parts and raw is not None:
        raw, used = _step(raw, parts)
        del parts[:used]
        if raw is not None and bytes(memoryview(raw)[:5]).strip() == b"null":
            return True
    return False


def keys(body: bytes) -> list[str]:
    """The keys at the top of a body; none where it is no object."""
    return list(lenient_json.members(body)) if body[:1] == b"{" else []


class Answer:
    """Looks up what a route names: a path in the body, ``header.NAME``, or ``last.PATH`` in the last record."""

    def __init__(self, body: bytes, headers: Mapping[str, str], rows: list[msgspec.Raw]) -> None:
        self.body = body
        self.headers = headers
        self.rows = rows

    def value(self, path: JsonPath | None) -> Any:
        """The value at ``path``; None where there is none."""
        if not path:
            return None
        if path[0] == "header" and len(path) > 1:
            name = ".".join(path[1:])
            return next_link(self.headers) if name.lower() == "link" else self.headers.get(name) or None
        if path[0] == "last" and len(path) > 1:
            return value_at(bytes(self.rows[-1]), path[1:]) if self.rows else None
        return value_at(self.body, path)

    def number(self, path: JsonPath | None) -> int | None:
        """The non-negative integer at ``path``, also written as text; None where there is none."""
        value = self.value(path)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        # As Content-Range writes a total: items 0-24/65; and with separators: 1,005.
        found = re.fullmatch(r"(?:[a-z]+ )?(?:[0-9]+-[0-9]+/|\*/)?([0-9]{1,18}|[0-9]{1,3}(?:,[0-9]{3}){1,5})", text)
        return int(found[1].replace(",", "")) if found else None

    def flag(self, path: JsonPath | None) -> bool | None:
        """Whether the value at ``path`` is true, a number other than 0 or a text such as a next link; None without
        one."""
        if path is None:
            return None
        value = self.value(path)
        if value is None:
            return False if path[0] not in ("header", "last") and is_null(self.body, path) else None
        return value.strip().lower() not in _NOTHING if isinstance(value, str) else bool(value)

    def cursor(self, path: JsonPath | None) -> str | int | None:
        """The cursor or link at ``path``: text, a whole number, or a list or object as JSON text; None for nothing, in
        whichever way an API writes that. A field of the last record is taken as it is: its id may be 0."""
        value = self.value(path)
        if value in (None, "", [], {}) or isinstance(value, bool):
            return None
        if path and path[0] != "last" and str(value).strip().lower() in _NO_CURSOR:
            return None
        if isinstance(value, str | int):
            return value
        return msgspec.json.encode(value).decode()


def next_link(headers: Mapping[str, str]) -> str | None:
    """The target of ``rel=next`` in the Link header, whatever the case of its words and however many relations a link
    has; None without one."""
    for target, parameters in _LINK.findall(headers.get("Link") or ""):
        relations = _REL.search(parameters)
        if relations is not None and "next" in (relations[1] or relations[2]).lower().split():
            return str(target).strip()
    return None
