"""Masks secrets in every text that is stored, logged or shown: by key name, by pattern and by known value.

Known values come from whoever opens a connection (``add_secret``). They are found in every form in which a server
repeats them: in another case, percent-encoded, escaped as in JSON or HTML, and within base64. Answers of an API are
masked where they arrive (``mask_body``, ``mask_text`` of an error's message), so that nothing behind that has to.
"""

from __future__ import annotations

import base64
import json
import math
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import quote

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
_USER = re.compile(r"(://)[^/?#@]*@")
# Names of parameters that carry credentials. ``token`` and ``key`` alone are not among them: some APIs call the
# position of the next page so.
_CREDENTIAL = re.compile(
    r"((x[_-])?(api|access|auth)[_-]?(token|key)|authorization|client[_-]?secret|password)\Z", re.I
)
# Shorter secrets may be parts of ordinary words, which data must keep.
_LEAST_IN_DATA = 16
_BASE64 = re.compile(r"[A-Za-z0-9+/=_-]+")
# Batches of fixtures are larger, in bytes; errors and lists are not.
_LARGE = 1024 * 1024
# Shorter parts of base64 occur by chance.
_LEAST_BASE64 = 8
# The longest form of one character: &#x0026; and the like.
_LONGEST_FORM = 10


@dataclass(frozen=True, slots=True)
class _Secret:
    """A known value. ``folded``: in lower case; ``escaped``: a pattern of it with any character in an escaped form;
    ``base64``: the parts that any base64 of a text with the value in it has, one per position; ``in_data``: its forms
    that are masked in the body of an answer."""

    folded: str
    escaped: re.Pattern[str]
    base64: tuple[str, ...]
    in_data: tuple[bytes, ...]


# Never changed, only replaced: other threads read it meanwhile.
_known: Mapping[str, _Secret] = {}
_adding = threading.Lock()


def add_secret(value: str | None) -> None:
    """Mask this value from now on, in this process. Texts shorter than five characters are not added: they would mask
    unrelated parts of the log."""
    global _known
    if not value or len(value) < 5:
        return
    with _adding:
        if value not in _known:
            # The longest first: masking a part of one would leave the rest of it.
            _known = dict(sorted([*_known.items(), (value, _secret(value))], key=lambda item: -len(item[0])))


def _secret(value: str) -> _Secret:
    encoded = _base64_parts(value.encode())
    forms: list[bytes] = []
    if len(value) >= _LEAST_IN_DATA and not value.isdigit():
        texts = (value, value.lower(), value.upper(), quote(value, safe=""), value.replace("/", "\\/"), *encoded)
        forms = [text.encode() for text in dict.fromkeys(texts)]
    escaped = re.compile("".join(map(_any_form, value)), re.I)
    return _Secret(value.lower(), escaped, encoded, tuple(forms))


def _any_form(character: str) -> str:
    """A pattern of one character as it is, percent-encoded (once or twice), or escaped as in JSON or HTML."""
    percent = "".join(f"%(?:25)?{byte:02x}" for byte in character.encode())
    code = ord(character)
    named = {"&": "|&amp;", "<": "|&lt;", ">": "|&gt;", '"': "|&quot;", " ": r"|\+"}.get(character, "")
    literal = re.escape(character)
    return rf"(?:\\?{literal}|{percent}|\\u{code:04x}|&#0*{code};|&#x0*{code:x};{named})"


def _base64_parts(value: bytes) -> tuple[str, ...]:
    """What the base64 of any text that contains ``value`` contains: one part for each of the three positions in which
    the value may begin, and the same in the alphabet of URLs and with ``/`` escaped."""
    found: dict[str, None] = {}
    for before in range(3):
        text = base64.b64encode(bytes(before) + value).decode()
        # Six bits make a character: those with bits of a neighbour are left out.
        part = text[-(-8 * before // 6) : 8 * (before + len(value)) // 6]
        if len(part) >= _LEAST_BASE64:
            forms = (part, part.replace("+", "-").replace("/", "_"), part.replace("/", "\\/"))
            found.update(dict.fromkeys(forms))
    return tuple(found)


def mask_known(text: str) -> str:
    """``text`` with the known secrets masked in every form, at its full length."""
    folded = text.lower()
    escapes = any(mark in text for mark in "%\\&+")
    for secret in tuple(_known.values()):
        if escapes or secret.folded in folded:
            text = secret.escaped.sub(MASK, text)
        for part in secret.base64:
            while (place := text.find(part)) >= 0:
                first, last = place, place + len(part)
                while first and _BASE64.match(text, first - 1):
                    first -= 1
                end = _BASE64.match(text, last)
                text = text[:first] + MASK + text[end.end() if end else last :]
    return text


def mask_body(body: bytes) -> bytes:
    """The body of an answer with the known secrets of 16 characters or more masked: of large bodies as they are
    written, because each further form costs a pass; of all others in every form that servers were seen to use."""
    for secret in tuple(_known.values()):
        for form in secret.in_data[: 1 if len(body) > _LARGE else None]:
            if form in body:
                body = body.replace(form, MASK.encode())
    return body


def without_credentials(link: str) -> str:
    """A link, or the query of one, without its user and the parameters that carry a credential or a known secret; such
    a secret anywhere else is masked. The rest stays as it is written."""
    head, mark, query = link.partition("?") if "?" in link else ("", "", link)
    head = mask_known(_USER.sub(r"\1", head))
    query, hash_mark, fragment = query.partition("#")
    kept = []
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if not _CREDENTIAL.match(name) and MASK not in value and mask_known(value) == value:
            kept.append(mask_known(pair))
    return head + (mark if kept else "") + "&".join(kept) + hash_mark + mask_known(fragment)


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
    text = mask_known(text)
    if cut:
        # Masking makes text shorter: the beginning of a secret that was cut must not move into what is shown.
        longest = max(map(len, _known), default=0)
        text = text[: max(0, len(text) - _LONGEST_FORM * longest)]
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
