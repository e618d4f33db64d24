"""Masks secrets in every text that is stored, logged or shown: by key name, by pattern and by known value."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

MASK = "***"
MAX_TEXT = 4_000
MAX_JSON = 64_000
MAX_DEPTH = 8
MAX_ITEMS = 200

_SECRET_NAME = re.compile(
    r"pass(word|wd|phrase)?$|secret|token|authori[sz]ation|api[_-]?key|credential|cookie|dsn$", re.I
)
# key=value and "key": "value" in free text, a Bearer header, and the password of a URL. Each begins with a literal, so
# that a long text costs one pass: a pattern that may begin anywhere in a word takes minutes for a blob of base64.
_IN_TEXT = re.compile(
    r"(?i)(api[_-]?token|api[_-]?key|password|passwd|secret|token)([\"']?\s*[=:]\s*[\"']?)([^\s\"'&,;}]{3,})"
)
_BEARER = re.compile(
    r"(?i)\b(authorization[\"']?\s*[:=]\s*[\"']?)(?:bearer\s+|basic\s+)?[^\s\"',;}]{3,}|\b(bearer\s+)[\w.~+/=-]{8,}"
)
_URL_PASSWORD = re.compile(r"(://[^\s:/@]*:)([^\s/]+)(@)")
_known: set[str] = set()


def add_secret(value: str | None) -> None:
    """Mask this exact text from now on, in this process. Texts shorter than five characters are not added: they would
    mask unrelated parts of the log."""
    if value and len(value) >= 5:
        _known.add(value)


def as_text(value: object) -> str:
    """``str(value)``, or the name of its type where ``str`` itself raises."""
    try:
        return str(value)
    except Exception:
        return f"<{type(value).__name__}>"


def mask_text(text: str) -> str:
    """``text`` with secrets masked, cut to MAX_TEXT characters."""
    cut = len(text) > 4 * MAX_TEXT
    if cut:
        # Text beyond the limit is never shown, so it is not searched; half a secret at the end is removed.
        text = text[: 4 * MAX_TEXT].rpartition(" ")[0] or text[: 3 * MAX_TEXT]
    for value in _known:
        if value in text:
            text = text.replace(value, MASK)
    text = _URL_PASSWORD.sub(rf"\1{MASK}\3", text)
    text = _BEARER.sub(lambda m: (m.group(1) or m.group(2)) + MASK, text)
    text = _IN_TEXT.sub(rf"\1\2{MASK}", text)
    # What PostgreSQL refuses: NUL and lone surrogates.
    text = text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
    return text if len(text) <= MAX_TEXT and not cut else text[: MAX_TEXT - 1] + "…"


def mask_value(value: Any, depth: int = 0, room: list[int] | None = None) -> Any:
    """A copy that json can serialise: secrets masked, long lists cut, unknown objects as text.

    ``room`` holds how many characters the result may have; the rest is left out.
    """
    if room is not None and room[0] <= 0:
        return "…"
    if value is None or isinstance(value, bool | int):
        return _taken(value, 8, room)
    if isinstance(value, float):
        # NaN and Infinity are no JSON.
        return _taken(value if math.isfinite(value) else str(value), 8, room)
    if isinstance(value, str):
        text = mask_text(value)
        return _taken(text, len(text), room)
    if isinstance(value, datetime | date):
        return _taken(value.isoformat(), 32, room)
    if depth >= MAX_DEPTH:
        return "…"
    if isinstance(value, Mapping):
        found: dict[str, Any] = {}
        for key, item in list(value.items())[:MAX_ITEMS]:
            if room is not None and room[0] <= 0:
                found["…"] = "…"
                break
            name = mask_text(as_text(key))
            secret = _SECRET_NAME.search(name) and item not in (None, "")
            found[name] = MASK if secret else mask_value(item, depth + 1, _taken(room, len(name), room))
        return found
    if isinstance(value, list | tuple | set | frozenset):
        items = list(value)
        shown = []
        for item in items[:MAX_ITEMS]:
            if room is not None and room[0] <= 0:
                break
            shown.append(mask_value(item, depth + 1, room))
        return shown if len(shown) == len(items) else [*shown, f"… {len(items) - len(shown)} more"]
    try:
        text = mask_text(as_text(value))
    except Exception:  # an object whose __str__ fails must not cost the log line
        text = f"<{type(value).__name__}>"
    return _taken(text, len(text), room)


def _taken(value: Any, size: int, room: list[int] | None) -> Any:
    if room is not None:
        room[0] -= size
    return value


def to_json(value: Mapping[str, Any] | None) -> str | None:
    """JSON text of masked details, about MAX_JSON characters at most; None for nothing."""
    return json.dumps(mask_value(value, room=[MAX_JSON]), ensure_ascii=False) if value else None
