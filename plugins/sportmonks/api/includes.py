"""Includes: how they are written, and what happens when the subscription does not cover one.

One refused include makes its request fail. Its name is read from the message or found by trying, and the call is
repeated without it. A refusal may be an accident: the next call requests the include again, and only when it is refused
``BELIEVED_AFTER`` times is it left out from then on. Callers may load and store what was learned
(``etl.forbidden_includes``), where a refusal counts once a later run has confirmed it. An include that does not
exist is different: no plan covers it, so that it is an error of whoever configured it, and nothing is left out.
"""

from __future__ import annotations

import logging
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from sportmonks.api.response import ApiResponse
from sportmonks.config.known_includes import FIXTURE_INCLUDES, near_name
from sportmonks.errors import FatalApiError, UnknownIncludeError

log = logging.getLogger(__name__)

# ('Fixture', 'odds'): an include that is forbidden on one entity may be allowed on another.
Forbidden = tuple[str, str]
# Called when an include was refused for the first time: entity, include, code, message.
OnForbidden = Callable[[str, str, int | None, str], None]
# Called when the API takes an include that it had refused: entity, include.
OnAllowed = Callable[[str, str], None]
# Makes a request with the given includes.
Call = Callable[[Sequence[str]], ApiResponse]

# The provider's codes for an include that is wrong under every plan.
NOT_FOUND, NOT_OFFERED = 5001, frozenset({5000, 5013})
# Calls in which an include must have been refused until it is requested no more.
BELIEVED_AFTER = 2

_QUOTED_BEFORE = re.compile(r"['\"`]([A-Za-z][\w.]*)['\"`]\s+include", re.I)
_QUOTED_AFTER = re.compile(r"include[s]?:?\s+['\"`]([A-Za-z][\w.]*)['\"`]", re.I)


class IncludeRefusedError(Exception):
    """The subscription or the endpoint refuses an include of this request; ``code`` is the provider's."""

    def __init__(self, code: int | None, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def by_plan(self) -> bool:
        """Whether another plan may allow it."""
        return self.code != NOT_FOUND and self.code not in NOT_OFFERED


def unknown_include(name: str, refused: IncludeRefusedError) -> UnknownIncludeError:
    """The error for an include that no plan covers, with the name that may be meant."""
    near = near_name(name)
    known = ", ".join(sorted(FIXTURE_INCLUDES, key=str.lower))
    if refused.code == NOT_FOUND:
        what = f"There is no include '{name}'"
        hint = f"Did you mean {near}?" if near else f"Includes of a fixture: {known}."
    else:
        what = f"The include '{name}' is not offered there"
        hint = f"Did you mean {near}?" if near else "Take it out."
    where = "Includes stand in include/catalog.yaml, ETL_INCLUDES, a run's parameters or a route's file."
    return UnknownIncludeError(f"{what} (code {refused.code}: {refused.message}).", hint=f"{hint} {where}")


def name_of(include: str) -> str:
    """``lineups.details`` of ``lineups.details:type_id,data``, in lower case."""
    return include.partition(":")[0].strip().lower()


def named_in(message: str, requested: Iterable[str]) -> str | None:
    """The include that an error message is about, as the path of a requested one; None when that is unclear."""
    names = [name_of(include) for include in requested]
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
    """Whether leaving out ``forbidden`` affects the include ``name`` (both in lower case).

    The API names either the full path or one part of it: ``lineups``, ``lineups.details`` or just ``details``.
    """
    return f".{forbidden}." in f".{name}."


def _through(forbidden: str, name: str) -> str:
    """``name`` up to and including ``forbidden``: ``lineups.details`` of (details, lineups.details.type)."""
    return name[: f".{name}.".find(f".{forbidden}.") + len(forbidden)]


def without(requested: Iterable[str], forbidden: str) -> tuple[str, ...]:
    """``requested`` without the forbidden include; of a nested one the allowed head stays (``lineups`` of
    ``lineups.details``)."""
    requested = tuple(requested)
    present = {name_of(include) for include in requested}
    kept: dict[str, None] = {}
    for include in requested:
        name = name_of(include)
        if not covers(forbidden, name):
            kept[include] = None
            continue
        head = _through(forbidden, name).rpartition(".")[0]
        if head and not any(other == head or other.startswith(f"{head}.") for other in present - {name}):
            kept[include.strip()[: len(head)]] = None
    return tuple(kept)


def _none_requested(where: str, refused: IncludeRefusedError) -> FatalApiError:
    return FatalApiError(f"{where}: the API refuses an include although none was requested: {refused.message}")


class ForbiddenIncludes:
    """What the subscription refuses, per entity. Threads may share it.

    ``known``: left out. ``suspected``: refused before, but not confirmed or long ago; requested.
    """

    def __init__(
        self,
        known: Iterable[Forbidden] = (),
        on_forbidden: OnForbidden | None = None,
        *,
        suspected: Iterable[Forbidden] = (),
        on_allowed: OnAllowed | None = None,
    ) -> None:
        self._known: dict[Forbidden, None] = {(entity, name_of(include)): None for entity, include in known}
        self._suspected: dict[Forbidden, None] = {(entity, name_of(include)): None for entity, include in suspected}
        self._refusals: Counter[Forbidden] = Counter()
        self._on_forbidden, self._on_allowed = on_forbidden, on_allowed
        self._lock = threading.Lock()

    def __iter__(self) -> Iterator[Forbidden]:
        with self._lock:
            return iter(tuple(self._known))

    def allowed(self, entity: str, requested: Iterable[str]) -> tuple[str, ...]:
        """``requested`` without duplicates and without what is known to be refused for ``entity``."""
        kept = tuple(dict.fromkeys(requested))
        for known_entity, include in tuple(self._known):
            if known_entity == entity:
                kept = without(kept, include)
        return kept

    def suspected(self, entity: str) -> tuple[str, ...]:
        """Includes that were refused before and are to be requested again."""
        with self._lock:
            return tuple(include for known_entity, include in self._suspected if known_entity == entity)

    def learn(self, entity: str, include: str, code: int | None, message: str) -> bool:
        """Count a refusal; whether the include is left out from now on. A known one counts no more."""
        key = (entity, include)
        with self._lock:
            if key in self._known:
                return False
            self._refusals[key] += 1
            first, believed = self._refusals[key] == 1, self._refusals[key] >= BELIEVED_AFTER
            self._suspected[key] = None
            if believed:
                self._known[key] = None
        if first and self._on_forbidden is not None:
            self._on_forbidden(entity, include, code, message)
        return believed

    def _unlearn(self, entity: str, includes: Iterable[str]) -> None:
        """The API has taken these includes: what was refused of them before was so by an accident, or no longer is."""
        names = [name_of(include) for include in includes]
        with self._lock:
            taken = [
                key
                for key in self._suspected
                if key[0] == entity and key not in self._known and any(covers(key[1], name) for name in names)
            ]
            for key in taken:
                del self._suspected[key]
                self._refusals.pop(key, None)
        for _, include in taken:
            log.info("Include '%s' is taken for %s, which was refused before", include, entity)
            if self._on_allowed is not None:
                self._on_allowed(entity, include)

    def call(self, call: Call, entity: str, requested: Iterable[str], where: str) -> ApiResponse:
        """The result of ``call(includes)`` with all of ``requested`` that are allowed; refused ones are left out.

        Raises what ``call`` raises, UnknownIncludeError for an include that no plan covers, which the API has to say
        twice. ``where``: the path for logs and errors.
        """
        includes = self.allowed(entity, requested)
        doubtful = ""
        while True:
            try:
                response = replace(call(includes), includes=includes)
                self._unlearn(entity, includes)
                return response
            except IncludeRefusedError as refused:
                if not includes:
                    raise _none_requested(where, refused) from None
                name = named_in(refused.message, includes)
                if name is None:
                    return self._call_one_by_one(call, entity, includes, where)
                if not refused.by_plan:
                    if name == doubtful:
                        raise unknown_include(name, refused) from None
                    doubtful = name
                    continue
                self._learn_refused(entity, name, refused)
                includes = without(includes, name)

    def retest(self, call: Callable[[], ApiResponse], entity: str, include: str) -> None:
        """Find out by one ``call``, which requests a suspected ``include``, whether it is still refused."""
        try:
            call()
        except IncludeRefusedError as refused:
            if refused.by_plan:
                self._learn_refused(entity, include, refused)
        else:
            self._unlearn(entity, [include])

    def _call_one_by_one(self, call: Call, entity: str, includes: Sequence[str], where: str) -> ApiResponse:
        """The message names no include: the request is built up again, one include at a time."""
        log.warning("%s: an include is refused but not named, trying them one by one", where)
        response: ApiResponse | None = None
        kept: tuple[str, ...] = ()
        for include in includes:
            try:
                response = replace(call((*kept, include)), includes=(*kept, include))
                kept = (*kept, include)
            except IncludeRefusedError as refused:
                if not refused.by_plan:
                    raise unknown_include(name_of(include), refused) from None
                self._learn_refused(entity, name_of(include), refused)
        self._unlearn(entity, kept)
        try:
            return response if response is not None else call(())
        except IncludeRefusedError as refused:
            raise _none_requested(where, refused) from None

    def _learn_refused(self, entity: str, include: str, refused: IncludeRefusedError) -> None:
        believed = self.learn(entity, include, refused.code, refused.message)
        text = "Include '%s' is left out for %s: the API refuses it (code %s)" + ("" if believed else ", for this call")
        log.warning(text, include, entity, refused.code)
