"""Reads the listings of ``listings.txt``, which says how they are written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields
from pathlib import Path
from typing import Any

import msgspec

from sportmonks.api.page_spec import PageSpec, Step
from tests.harness.pagination import TRANSIENT, Line, raw

FILE = Path(__file__).with_name("listings.txt")
# How the API pages, lines, and whether the listing has ended or how, with what speaks against it.
Listing = tuple[PageSpec, list[Line], bool | str]

_PATHS = frozenset(each.name for each in fields(PageSpec) if str(each.type).startswith("JsonPath"))
_ENDED = {"ended": True, "open": False}


def read_listings() -> dict[str, Listing]:
    """The listings by name."""
    found: dict[str, Listing] = {}
    for block in FILE.read_text(encoding="utf-8").split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if lines:
            name, spec, *pages, ended = lines
            assert name not in found, name
            found[name] = (_spec(spec), [_line(page.strip()) for page in pages], _ENDED.get(ended, ended))
    return found


def _spec(text: str) -> PageSpec:
    style, *settings = text.split()
    given = {
        name: value.split(".") if name in _PATHS else value.split(",") if name == "drop_with_cursor" else value
        for name, value in _settings(settings).items()
    }
    return msgspec.convert({"style": style, **given}, PageSpec, strict=False)


def _line(text: str) -> Line:
    request, *rest = (part.strip() for part in text.split(" | "))
    if not rest:
        return _outcome(request), raw(0, ""), None
    answer, decision = rest
    query = {"q": "x", **_settings(word for word in request.split() if word != "-")}
    rows, *words = answer.split()
    paging = {
        name: value == "yes" if name == "more" else int(value) if value.isdecimal() else value
        for name, value in _settings(word for word in words if "=" in word).items()
    }
    mark = " ".join(word for word in words if "=" not in word)
    return request if request.startswith("/") else query, raw(int(rows), mark, **paging), _outcome(decision)


def _outcome(text: str) -> Any:
    kind, _, words = text.partition(": ")
    return (TRANSIENT, words) if kind == "transient" else Step(text)


def _settings(words: Iterable[str]) -> dict[str, str]:
    """``name=value`` as a dictionary."""
    return {name: value for name, _, value in (word.partition("=") for word in words)}
