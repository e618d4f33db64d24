"""Reads the values of arguments. A wrong one is a UsageError that names the option, the value and what fits."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterable, Sequence
from datetime import date

from local.errors import UsageError

LARGEST_ID = 2**63 - 1
MOST_NAMES = 12  # in a hint
_SHOWN = 60
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)(e[+-]?[0-9]{1,3})?", re.I)
_EMPTY_OPTION = re.compile(r"(--?[A-Za-z][\w-]*)=")


def check_words(words: Sequence[str]) -> None:
    """UsageError for words that no command can use: empty ones, and those that are not text.

    What stands behind `--` belongs to another program.
    """
    own = words[: words.index("--")] if "--" in words else words
    for place, word in enumerate(own):
        if "\0" in word or any("\ud800" <= sign <= "\udfff" for sign in word):
            raise UsageError(
                f"{shown(word)} holds a character that is no text", hint="write arguments in UTF-8, without NUL"
            )
        empty = _EMPTY_OPTION.fullmatch(word)
        if empty or not word:
            before = own[place - 1] if place and own[place - 1].startswith("-") else "an argument"
            name = empty[1] if empty else before
            raise UsageError(f"{name} is empty", hint=f"give a value, or leave {name} out" if name != before else "")


def shown(text: object) -> str:
    """A value as messages repeat it: without line breaks, and not longer than a line."""
    found = " ".join(str(text).encode("utf-8", "backslashreplace").decode().replace("\0", "\\0").split())
    return found if len(found) <= _SHOWN else f"{found[: _SHOWN - 3]}..."


def integer(option: str, text: str, low: int, high: int) -> int:
    if _INTEGER.fullmatch(text) and low <= int(text) <= high:
        return int(text)
    raise UsageError(f"{option} {shown(text)} is not an integer from {low} to {high}", hint=_such(option))


def number(option: str, text: str, low: float, high: float) -> float:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if low <= value <= high:
        return value
    raise UsageError(f"{option} {shown(text)} is not a number from {low:g} to {high:g}", hint=_such(option))


def _such(option: str) -> str:
    return f"give {option} such a number"


def identifier(option: str, text: str) -> int:
    """An id of the provider."""
    return integer(option, text, 1, LARGEST_ID)


def day(option: str, text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(f"{option} {shown(text)!r} is no day of the calendar", hint=f"write it as {option} 2026-08-15")


def choice(option: str, text: str, known: Sequence[str]) -> str:
    """One of `known`, in any case."""
    found = {name.casefold(): name for name in known}.get(text.casefold())
    if found is None:
        raise UsageError(f"{option} {shown(text)} is not known", hint=near_hint(text, known))
    return found


def near_hint(text: str, known: Iterable[str]) -> str:
    """The names that resemble `text`, else those that there are."""
    names = list(dict.fromkeys(known))
    folded = {name.casefold(): name for name in names}
    # Comparing is slow for long texts, which resemble no name anyway.
    near = difflib.get_close_matches(text.casefold()[:100], folded, n=3, cutoff=0.6)
    if near:
        return f"did you mean {' or '.join(folded[name] for name in near)}?"
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return f"choose one of {', '.join(names[:MOST_NAMES])}{more}" if names else "there is none yet"


def requires(option: str, given: object, others: Sequence[str], met: bool) -> None:
    """UsageError when an option is given but none of the options that it belongs to."""
    if given and not met:
        raise UsageError(f"{option} has no effect without {' or '.join(others)}", hint=f"add it, or leave {option} out")
