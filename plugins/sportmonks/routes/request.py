"""The requests of a route: placeholders filled in path, query, headers and body. Pure functions.

A placeholder is ``{name}``: a column of ``for_each``, a name of ``period``, or ``page``, ``offset``, ``size`` and
``cursor`` of the paging. What a template names is not sent as a query parameter as well. A parameter, a header or a
value of the body that is nothing but a placeholder is left out where it has no value, as the cursor of the first page;
in the body it takes the type of its value (a number stays a number, ``{name!s}`` makes it text).

``{login}``, ``{password}`` and ``{extra.NAME}`` are those of the connection. They stay as they are here, so that no
plan, page state or log holds a credential: they are filled in when a request leaves (:mod:`sportmonks.routes.source`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from sportmonks.api.pagination import Paginator
from sportmonks.errors import OutsidePlanError
from sportmonks.routes.period import Window, request_parameters
from sportmonks.routes.spec import Route

PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.\[\]-]*)(!s)?\}")
PAGING = ("page", "offset", "size", "cursor")
_CREDENTIAL = re.compile(r"login|password|extra\.[A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Slice:
    """One listing of the plan: a window of days (None for routes without a period) for one item of ``for_each``."""

    index: int
    window: Window | None
    item: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = [f"{name} {value}" for name, value in self.item.items()]
        return ", ".join([*parts, *([str(self.window)] if self.window else [])]) or "the listing"


@dataclass(frozen=True, slots=True)
class PageRequest:
    """The request of one page. ``link``: followed instead of ``path`` and ``query``, of which it then needs only what
    holds a field of the connection. ``beyond``: the page may lie
    behind the end of its listing, so that an error such as "not found" may mean that there is none."""

    path: str
    query: Mapping[str, str | list[str]]
    link: str | None = None
    method: str = "GET"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    beyond: bool = False


def names_in(templates: Iterable[str]) -> set[str]:
    """The placeholders of texts."""
    return {found[1] for text in templates for found in PLACEHOLDER.finditer(text)}


def named_in_route(route: Route) -> set[str]:
    """The placeholders that path, query, headers and body of a route name."""
    return names_in(templates_of(route))


def templates_of(route: Route) -> list[str]:
    """The texts of a route in which placeholders are filled: path, query, headers and body."""
    query = [text for _, value in route.query for text in values_of(value)]
    return [route.path, *query, *(value for _, value in route.headers), route.body or ""]


def values_of(value: str | Sequence[str]) -> tuple[str, ...]:
    """The values of one parameter."""
    return (value,) if isinstance(value, str) else tuple(value)


def is_credential(name: str) -> bool:
    """Whether a placeholder is a field of the connection, unless the route gives one of that name itself."""
    return _CREDENTIAL.fullmatch(name) is not None


def credential_parameters(route: Route) -> set[str]:
    """The names of query parameters that carry a field of the connection."""
    return {name for name, value in route.query if credentials_in(values_of(value), route)}


def credentials_in(templates: Iterable[str], route: Route) -> set[str]:
    """The placeholders of texts that are fields of the connection."""
    period, each = route.period, route.for_each
    given = {*(each.columns if each else ()), *((period.date_from, period.date_to) if period else ())}
    return {name for name in names_in(templates) - given if is_credential(name)}


def shown_request(route: Route, part: Slice) -> str:
    """The first request of a slice as text, without its paging: method unless it is GET, path, query, body."""
    request = _request(route, part, None)
    method = () if request.method == "GET" else (request.method,)
    body = () if request.body is None else (request.body.decode(),)
    return " ".join([*method, request.path, json.dumps(dict(request.query)), *body])


def page_request(route: Route, part: Slice, paginator: Paginator) -> PageRequest:
    """The request of the page that comes next. Raises what ``Paginator.request`` raises, and OutsidePlanError for an
    item that no path can name, so that its listing is skipped."""
    return _request(route, part, paginator)


def _request(route: Route, part: Slice, paginator: Paginator | None) -> PageRequest:
    named = named_in_route(route)
    values: dict[str, Any] = dict(part.item)
    query: dict[str, Any] = {}
    if route.period is not None and part.window is not None:
        number = route.period.format in ("epoch", "epoch_ms")
        for name, text in request_parameters(route.period, part.window).items():
            if name in named:
                values[name] = int(text) if number else text
            else:
                query[name] = text
    if paginator is not None:
        values |= {name: None for name in PAGING} | paginator.placeholders()
    query = {name: _parameter(value, values) for name, value in route.query if not _is_absent(value, values)} | query
    link = None
    if paginator is not None:
        first = query
        link, query = paginator.request(first)
        if link is not None:
            # Links are kept without credentials.
            query = {name: first[name] for name in credential_parameters(route)}
        spec = route.paging
        carriers = {"page": spec.parameter, "offset": spec.parameter, "cursor": spec.cursor_name}
        for name, parameter in {**carriers, "size": spec.size_parameter}.items():
            if name in named and values.get(name) is not None and parameter:
                query.pop(parameter, None)
    return PageRequest(
        _path(route.path, values, part.item),
        query,
        link=link,
        method=route.method,
        body=_body(route.body, values),
        headers={name: filled(value, values) for name, value in route.headers if not _is_absent(value, values)},
        beyond=paginator is not None and paginator.may_be_behind_the_end,
    )


def _path(template: str, values: Mapping[str, Any], item: Mapping[str, Any]) -> str:
    """The path with its placeholders. Every HTTP client takes the parts ``.`` and ``..`` away, and without a part the
    path is that of another listing: neither may pass for the listing of an item."""
    path = filled(template, {name: quote(_text(value), safe=":,@+") for name, value in values.items()})
    for before, after in zip(template.split("/"), path.split("/"), strict=True):
        if after in ("", ".", "..") and any(found[1] in item for found in PLACEHOLDER.finditer(before)):
            raise OutsidePlanError(f"{template}: {before} is {after!r} here, which no path can name.")
    return path


def _is_absent(value: str | tuple[str, ...], values: Mapping[str, Any]) -> bool:
    """Whether a parameter or header is nothing but a placeholder that has no value, as the cursor of a first page."""
    alone = PLACEHOLDER.fullmatch(value) if isinstance(value, str) else None
    return alone is not None and alone[1] in PAGING and values.get(alone[1]) is None


def _parameter(value: str | tuple[str, ...], values: Mapping[str, Any]) -> str | list[str]:
    return filled(value, values) if isinstance(value, str) else [filled(one, values) for one in value]


def filled(template: str, values: Mapping[str, Any]) -> str:
    """The text with its placeholders replaced; a missing value is empty."""
    if "{" not in template:
        return template
    return PLACEHOLDER.sub(lambda found: _text(values[found[1]]) if found[1] in values else found[0], template)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _body(template: str | None, values: Mapping[str, Any]) -> bytes | None:
    if template is None:
        return None
    return json.dumps(_filled_value(json.loads(template), values), ensure_ascii=False).encode()


def _filled_value(value: Any, values: Mapping[str, Any]) -> Any:
    """The value of a body; ``_ABSENT`` where it is a placeholder without a value."""
    if isinstance(value, dict):
        found = {filled(key, values): _filled_value(item, values) for key, item in value.items()}
        return {key: item for key, item in found.items() if item is not _ABSENT}
    if isinstance(value, list):
        return [item for item in (_filled_value(each, values) for each in value) if item is not _ABSENT]
    if not isinstance(value, str):
        return value
    alone = PLACEHOLDER.fullmatch(value)
    if alone is None or alone[1] not in values:
        return filled(value, values)
    given = values[alone[1]]
    if given is None:
        return _ABSENT
    if alone[2]:
        return str(given)
    # A cursor that was a list or an object in the answer, such as the sort values of a search.
    return json.loads(given) if alone[1] == "cursor" and isinstance(given, str) and given[:1] in "[{" else given


def filled_body(body: bytes, values: Mapping[str, str]) -> bytes:
    """The body of a request with fields of the connection in place of their placeholders; their values stay text."""
    if not values:
        return body
    return json.dumps(_filled_value(json.loads(body), values), ensure_ascii=False).encode()


_ABSENT = object()
