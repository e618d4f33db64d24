"""Finds the days within a request that somebody has tried, and puts placeholders in their place. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

# How a day is written -> the period's format; None is the default.
_COMPLETE = (
    (re.compile(r"\d{4}-\d\d-\d\d"), "%Y-%m-%d"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?Z"), "iso"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00"), "%Y-%m-%dT%H:%M:%S+00:00"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"), "%Y-%m-%dT%H:%M:%S"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"), "%Y-%m-%d %H:%M:%S"),
    (re.compile(r"\d{4}-W\d\d"), "week"),
    (re.compile(r"(19|20)\d\d(0[1-9]|1[0-2])([0-2]\d|3[01])"), "%Y%m%d"),
    (re.compile(r"\d{1,2}\.\d{1,2}\.(19|20)\d\d"), "%d.%m.%Y"),
    (re.compile(r"\d{1,2}/\d{1,2}/(19|20)\d\d"), "%d/%m/%Y"),
    (re.compile(r"1\d{9}"), "epoch"),
    (re.compile(r"1\d{12}"), "epoch_ms"),
)
_WITHIN = re.compile(
    r"(?<![\d-])(?:\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|\+00:00)?)?|\d{4}-W\d\d|1\d{12}|1\d{9})(?![\d-])"
)
_END = re.compile(
    r"(^|[^a-z])(to|until|till|before|end|max|lte?|stop|last|high|through|upper)([^a-z]|$)|(To|End|Before|Until|Max)([A-Z]|$)|^high|_?(to|end)$"
)
_BELOW = re.compile(r"(<|\blt\b|\bbefore:?)\s*['\"]?$|\[lt\]$|^lt$")
_ABOVE = re.compile(r"(>|\bgt\b)\s*['\"]?$|\[gt\]$|^gt$")
FROM, TO = "date_from", "date_to"


@dataclass(frozen=True)
class Day:
    """A day that was found. ``place``: what stands before it (the parameter's name, or the text up to it)."""

    text: str
    place: str
    form: str


@dataclass(frozen=True)
class Found:
    """A request without its days. ``period``: as a route file has it; empty where there are no days. ``clues``: the
    text of the request, in which the field of the date is likely to be named."""

    path: str
    query: dict[str, str]
    body: Any
    period: dict[str, Any] = field(default_factory=dict)
    clues: str = ""


def format_of(text: str) -> str | None:
    """The format of a text that is a day or a time; None where it is none."""
    return next((form for pattern, form in _COMPLETE if pattern.fullmatch(text)), None)


def take_days(path: str, query: Mapping[str, str], body: Any) -> Found:
    """The request with placeholders, or without the parameters, that hold the days of its period."""
    clues = " ".join([path, *(f"{name} {value}" for name, value in query.items()), str(body or "")]).lower()
    untouched = Found(path, dict(query), body, clues=clues)
    days = [*_days_within(path, ""), *(day for name, value in query.items() for day in _days_of(name, value))]
    days += _days_in_body(body, "")
    chosen = _ends(days)
    if chosen is None:
        return untouched
    first, last = chosen
    forms = {day.form for day in (first, last) if day}
    if len(forms) > 1:
        return untouched
    names = {FROM: first, TO: last}
    kept: dict[str, str] = {}
    period: dict[str, Any] = {}
    for name, value in query.items():
        end = next((key for key, day in names.items() if day and day.place == name and day.text == value), None)
        if end:
            period[end] = name
        else:
            kept[name] = _filled(value, names)
    for end, day in names.items():
        if day and end not in period:
            period[end] = end
    form = forms.pop()
    if form != "%Y-%m-%d":
        period["format"] = form
    if _ABOVE.search(first.place):
        period["from_exclusive"] = True
    if last and _BELOW.search(last.place):
        period["to_exclusive"] = True
    order = ("date_from", "date_to", "format", "from_exclusive", "to_exclusive")
    found = replace(untouched, path=_filled(path, names), query=kept, body=_filled_body(body, names))
    return replace(found, period={name: period[name] for name in order if name in period})


def _days_of(name: str, value: str) -> list[Day]:
    form = format_of(value)
    return [Day(value, name, form)] if form else _days_within(value, name)


def _days_within(text: str, name: str) -> list[Day]:
    found = []
    for match in _WITHIN.finditer(text):
        form = format_of(match[0])
        if form:
            found.append(Day(match[0], f"{name} {text[: match.start()]}", form))
    return found


def _days_in_body(value: Any, name: str) -> list[Day]:
    if isinstance(value, Mapping):
        return [day for key, item in value.items() for day in _days_in_body(item, str(key))]
    if isinstance(value, list):
        return [day for item in value for day in _days_in_body(item, name)]
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return _days_of(name, str(value))
    return []


def _ends(days: list[Day]) -> tuple[Day, Day | None] | None:
    """(first, last) of the days of a period; None where they are no period."""
    if len(days) == 1 and not _END.search(days[0].place.rstrip(" '\"")):
        return days[0], None
    if len(days) != 2 or days[0].text == days[1].text:
        return None
    first, last = days
    swapped = _END.search(first.place) and not _END.search(last.place)
    return (last, first) if swapped or (first.text > last.text and not _END.search(last.place)) else (first, last)


def _filled(text: str, names: Mapping[str, Day | None]) -> str:
    for name, day in names.items():
        if day:
            text = text.replace(day.text, f"{{{name}}}")
    return text


def _filled_body(value: Any, names: Mapping[str, Day | None]) -> Any:
    if isinstance(value, Mapping):
        return {key: _filled_body(item, names) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_body(item, names) for item in value]
    if isinstance(value, str):
        filled = _filled(value, names)
        # A number that was text stays text.
        return f"{filled[:-1]}!s}}" if filled in ("{date_from}", "{date_to}") and value.isdecimal() else filled
    if isinstance(value, int) and not isinstance(value, bool):
        filled = _filled(str(value), names)
        return filled if filled.startswith("{") else value
    return value
