"""Plain values (from YAML, JSON or a form) into typed structures.

A structure is a msgspec Struct. Its types are the only description of what is allowed: ``Annotated[int, Meta(ge=1,
le=8)]`` has bounds, and ``hint(...)`` replaces the remedy that is otherwise derived from the type. Unlike
``msgspec.convert``, the functions here find every mistake in one pass and describe each one for the user.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from sportmonks.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)


class Mistake(NamedTuple):
    """A wrong value. ``key``: dotted, such as ``leagues[1].schedule``; ``message`` and ``hint`` are sentences."""

    key: str
    message: str
    hint: str


def convert(kind: type[T], data: Mapping[str, Any], name: str = "") -> T:
    """A ``kind`` from plain values. Raises ConfigurationError that names every wrong key below ``name``."""
    mistakes: list[Mistake] = []
    found = read_struct(kind, data, name, mistakes)
    if found is None:
        raise as_error((mistake.message, mistake.hint) for mistake in mistakes)
    return found


def as_error(mistakes: Iterable[tuple[str, str]]) -> ConfigurationError:
    """One error for at least one mistake (message, hint), a line for each."""
    *others, (message, hint) = mistakes
    lines = [f"{other} {remedy}".rstrip() for other, remedy in others]
    return ConfigurationError("\n".join([*lines, message]), hint=hint)


def read_struct(
    kind: type[T], data: Mapping[str, Any], name: str, mistakes: list[Mistake], remedy: str = ""
) -> T | None:
    """A ``kind`` from plain values; None after adding to ``mistakes``. ``remedy``: the hint for a missing key."""
    before = len(mistakes)
    fields = fields_of(kind)
    mistakes.extend(unknown_keys(map(str, data), tuple(fields), name))
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in data:
            values[key] = read_value(field.type, data[key], full_key(name, key), mistakes)
        elif field.required:
            mistakes.append(Mistake(full_key(name, key), f"{full_key(name, key)} is missing.", remedy or "Add it."))
    return kind(**values) if len(mistakes) == before else None


def read_value(kind: Any, value: Any, key: str, mistakes: list[Mistake], remedy: str = "") -> Any:
    """``value`` as ``kind`` (any type that msgspec knows); None after adding to ``mistakes``. ``remedy``: the hint
    where the type has none of its own."""
    remedy = _own_hint(kind) or remedy
    options = options_of(kind)
    if isinstance(value, Mapping):
        for option in options:
            if isinstance(option, type) and issubclass(option, msgspec.Struct):
                return read_struct(option, value, key, mistakes, remedy)
    if isinstance(value, list):
        for option in options:
            if get_origin(option) is tuple:
                item = get_args(option)[0]
                return tuple(read_value(item, each, f"{key}[{n}]", mistakes, remedy) for n, each in enumerate(value))
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError:
        mistakes.append(Mistake(key, f"{key} is {shown(value)}.", remedy or remedy_of(kind, value)))
        return None


def remedy_of(kind: Any, value: Any = None) -> str:
    """What to write for a value of that type instead of ``value``, as a sentence."""
    if own := _own_hint(kind):
        return own
    options = options_of(kind)
    if bool in options:
        return "Write true or false."
    if int in options or float in options:
        number = "a number" if float in options else "a whole number"
        low, high = bounds(kind)
        if low is None:
            return f"Write {number}."
        return (
            f"Write {number} of {low:.10g} or more."
            if high is None
            else f"Write {number} from {low:.10g} to {high:.10g}."
        )
    for option in options:
        if get_origin(option) is Literal:
            return near_hint(str(value), get_args(option), "Choose one of")
        if get_origin(option) is tuple:
            return "Write a list."
        if isinstance(option, type) and issubclass(option, msgspec.Struct):
            return f"Write keys and values below it. Known keys: {', '.join(sorted(fields_of(option)))}."
        if option is date:
            return "Write a date as YYYY-MM-DD."
    return "Write a text."


def hint(text: str) -> msgspec.Meta:
    """An annotation of a type: what to write instead of a wrong value, as a sentence."""
    return msgspec.Meta(extra={"hint": text})


def described(kind: Any) -> dict[str, str]:
    """Title and description of an annotated type, where it has them."""
    found: dict[str, str] = {}
    for meta in _metas(kind):
        found |= {name: text for name in ("title", "description") if (text := getattr(meta, name)) is not None}
    return found


def bounds(kind: Any) -> tuple[float | None, float | None]:
    """The least and the greatest value that a type allows; None where it has no such bound."""
    low = high = None
    for meta in _metas(kind):
        low = meta.ge if meta.ge is not None else low
        high = meta.le if meta.le is not None else high
    return low, high


def unknown_keys(data: Iterable[str], known: tuple[str, ...], name: str) -> list[Mistake]:
    """A mistake for each key that is not known, with the nearest known one."""
    found = []
    for key in data:
        if key not in known:
            full = full_key(name, key)
            found.append(Mistake(full, f"there is no key {full}.", near_hint(key, sorted(known), "Known here")))
    return found


def near_hint(text: str, known: Iterable[str], otherwise: str) -> str:
    """``Did you mean ...?`` for a misspelt name, else all known ones behind ``otherwise``."""
    known = tuple(known)
    near = difflib.get_close_matches(text, known, n=1)
    return f"Did you mean {near[0]}?" if near else f"{otherwise}: {', '.join(known)}."


def full_key(name: str, key: str) -> str:
    """``key`` below the section ``name``, which is empty at the top."""
    return f"{name}.{key}" if name else key


def shown(value: Any) -> str:
    """A value for a message, cut after 60 characters."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Field(NamedTuple):
    """A field of a structure; ``default`` is None where the field is required."""

    type: Any
    default: Any
    required: bool


@cache  # resolving the types of a class costs as much as reading a small file
def fields_of(kind: type[Any]) -> dict[str, Field]:
    """The fields of a Struct or dataclass by name."""
    if dataclasses.is_dataclass(kind):
        types = get_type_hints(kind, include_extras=True)
        return {
            field.name: Field(
                types[field.name],
                None if field.default is dataclasses.MISSING else field.default,
                field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            )
            for field in dataclasses.fields(kind)
        }
    return {
        field.name: Field(field.type, None if field.default is msgspec.NODEFAULT else field.default, field.required)
        for field in msgspec.structs.fields(kind)
    }


def options_of(kind: Any) -> list[Any]:
    """The types that a (possibly annotated) union allows."""
    origin = get_origin(kind)
    if origin is Annotated:
        return options_of(get_args(kind)[0])
    if origin in (Union, UnionType):
        return [option for part in get_args(kind) for option in options_of(part)]
    return [kind]


def _metas(kind: Any) -> list[msgspec.Meta]:
    """The annotations of a type and of the parts of its union."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return [part for part in parts[1:] if isinstance(part, msgspec.Meta)] + _metas(parts[0])
    if origin in (Union, UnionType):
        return [meta for part in parts for meta in _metas(part)]
    return []


def _own_hint(kind: Any) -> str:
    return next((str(meta.extra["hint"]) for meta in _metas(kind) if meta.extra and "hint" in meta.extra), "")
