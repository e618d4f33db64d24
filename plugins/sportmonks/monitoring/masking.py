"""Secrets out of whatever is written down: by name, by shape and by known value."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

MASK = "***"
MAX_TEXT = 4_000
MAX_DEPTH = 8
MAX_ITEMS = 200

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|authori[sz]ation|api[_-]?key|credential|cookie|dsn$", re.I
)
# key=value and "key": "value" in free text, a Bearer header, and the password of a URL.
_IN_TEXT = re.compile(
    r"(?i)\b(api[_-]?token|api[_-]?key|access[_-]?token|password|passwd|secret|token)([\"']?\s*[=:]\s*[\"']?)([^\s\"'&,;}]{3,})"
)
_BEARER = re.compile(
    r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?)(?:bearer\s+|basic\s+)?[^\s\"',;}]{3,}|\b(bearer\s+)[\w.~+/=-]{8,}"
)
_URL_PASSWORD = re.compile(r"(\w[\w+.-]*://[^\s:/@]*:)([^\s@/]+)(@)")
_known: set[str] = set()


def add_secret(value: str | None) -> None:
    """Mask this very text from now on, in this process. Shorter than five characters would mask half the log."""
    if value and len(value) >= 5:
        _known.add(value)


def mask_text(text: str) -> str:
    """``text`` without secrets, cut to MAX_TEXT characters."""
    for value in _known:
        if value in text:
            text = text.replace(value, MASK)
    text = _URL_PASSWORD.sub(rf"\1{MASK}\3", text)
    text = _BEARER.sub(lambda m: (m.group(1) or m.group(2)) + MASK, text)
    text = _IN_TEXT.sub(rf"\1\2{MASK}", text)
    # What PostgreSQL refuses: NUL and lone surrogates.
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def mask_value(value: Any, depth: int = 0) -> Any:
    """A copy that json can write: secrets masked, long lists cut, unknown objects as text. Never raises."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        # NaN and Infinity are no JSON.
        return value if value == value and value not in (float("inf"), float("-inf")) else str(value)
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        return {
            mask_text(str(key)): MASK
            if _SECRET_NAME.search(str(key)) and item not in (None, "")
            else mask_value(item, depth + 1)
            for key, item in list(value.items())[:MAX_ITEMS]
        }
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        shown = [mask_value(item, depth + 1) for item in items[:MAX_ITEMS]]
        return shown if len(items) <= MAX_ITEMS else [*shown, f"… {len(items) - MAX_ITEMS} more"]
    try:
        return mask_text(str(value))
    except Exception:  # an object whose __str__ fails must not cost the log line
        return f"<{type(value).__name__}>"


def to_json(value: Mapping[str, Any] | None) -> str | None:
    """JSON text of masked details; None for nothing."""
    return json.dumps(mask_value(value), ensure_ascii=False) if value else None
