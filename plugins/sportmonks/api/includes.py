"""Includes: how they are written, and what is learnt when the plan does not cover one.

One include outside the plan makes the whole request fail. The client learns its name from the message, leaves it out
from then on and says so; callers may load and store what was learnt (``etl.forbidden_includes``).
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator

# ('Fixture', 'odds'): what is forbidden on one entity may be fine on another.
Forbidden = tuple[str, str]
# Called once for each include learnt: entity, include, code, message.
OnForbidden = Callable[[str, str, int | None, str], None]

_QUOTED_BEFORE = re.compile(r"['\"`]([A-Za-z][\w.]*)['\"`]\s+include", re.I)
_QUOTED_AFTER = re.compile(r"include[s]?:?\s+['\"`]([A-Za-z][\w.]*)['\"`]", re.I)


def name_of(include: str) -> str:
    """``lineups.details`` of ``lineups.details:type_id,data``, in lower case."""
    return include.partition(":")[0].strip().lower()


def named_in(message: str, asked: Iterable[str]) -> str | None:
    """The include that an error message is about, as the path of one that was asked; None when unclear."""
    names = [name_of(include) for include in asked]
    for pattern in (_QUOTED_BEFORE, _QUOTED_AFTER):
        found = pattern.search(message)
        if found:
            word = found.group(1).lower()
            paths = {_through(word, name) for name in names if covers(word, name)}
            if paths:
                # One word that fits several includes (details of lineups, details of benches) means all of them.
                return paths.pop() if len(paths) == 1 else word
    words = set(re.findall(r"[a-z][\w.]*\w", message.lower())) - {"include", "includes"}
    plausible = [name for name in names if name in words]
    return plausible[0] if len(plausible) == 1 else None


def covers(forbidden: str, name: str) -> bool:
    """Whether leaving out ``forbidden`` touches the include ``name`` (both in lower case).

    The API names either the whole path or one part of it: ``lineups``, ``lineups.details`` or just ``details``.
    """
    return f".{forbidden}." in f".{name}."


def _through(forbidden: str, name: str) -> str:
    """``name`` up to and with ``forbidden``: ``lineups.details`` of (details, lineups.details.type)."""
    return name[: f".{name}.".find(f".{forbidden}.") + len(forbidden)]


def without(asked: Iterable[str], forbidden: str) -> tuple[str, ...]:
    """``asked`` without the forbidden one; the allowed head of a nested include stays (``lineups`` of
    ``lineups.details``)."""
    asked = tuple(asked)
    present = {name_of(include) for include in asked}
    kept: dict[str, None] = {}
    for include in asked:
        name = name_of(include)
        if not covers(forbidden, name):
            kept[include] = None
            continue
        head = _through(forbidden, name).rpartition(".")[0]
        if head and not any(other == head or other.startswith(f"{head}.") for other in present - {name}):
            kept[include.strip()[: len(head)]] = None
    return tuple(kept)


class ForbiddenIncludes:
    """Thread-safe memory of what the plan refuses, per entity."""

    def __init__(self, known: Iterable[Forbidden] = (), on_forbidden: OnForbidden | None = None) -> None:
        self._known: dict[Forbidden, None] = {(entity, name_of(include)): None for entity, include in known}
        self._on_forbidden = on_forbidden
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Forbidden]:
        with self._lock:
            return iter(tuple(self._known))

    def allowed(self, entity: str, asked: Iterable[str]) -> tuple[str, ...]:
        """``asked`` without what is known to be refused for ``entity``, without repeats."""
        kept = tuple(dict.fromkeys(asked))
        for known_entity, include in tuple(self._known):
            if known_entity == entity:
                kept = without(kept, include)
        return kept

    def learn(self, entity: str, include: str, code: int | None, message: str) -> bool:
        """Remember; False when it was known already (another thread was faster)."""
        with self._lock:
            if (entity, include) in self._known:
                return False
            self._known[(entity, include)] = None
        if self._on_forbidden is not None:
            self._on_forbidden(entity, include, code, message)
        return True
