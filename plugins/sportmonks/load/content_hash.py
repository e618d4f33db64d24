"""Short hashes of a payload's content; fields that change without a change of the fixture are left out.

- ``hash_as_sent`` is of the bytes as they came: cheap, and another one when the provider sends lists in another order.
- ``hash_sorted`` is equal for equal content, whatever the order of keys and lists. It costs five times as much, and is
  made only when something is stored that the cheap one does not recognise. It builds Python objects for the outer
  levels only (a fixture has about 1,100 inner rows).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import blake2b

import msgspec

VOLATILE = frozenset({"last_processed_at", "last_played_at", "standings_recalculated_at"})

# All volatile fields end so; a row without it need not be decoded.
_MARK = b'_at"'
# Their values, if they are scalars, in JSON as it came. A quote within a text is escaped, so a name in quotes before a
# colon is always a key. The name is looked at after its end, so that the search is for a fixed text.
_NAMES = b"|".join(rb'(?<="%s")' % name.encode() for name in sorted(VOLATILE))
_VALUE = re.compile(rb'_at"(?:%s)\s*:\s*(?:"[^"\\]*"|[-+.0-9eE]+|null|true|false)' % _NAMES)

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class StoredHashes:
    """``content``: what the stored content is known by; ``as_sent``, ``in_order``: hashes of an answer found to
    have this content, None before there was one."""

    content: bytes
    as_sent: bytes | None = None
    in_order: bytes | None = None


@dataclass(frozen=True, slots=True)
class ContentHashes:
    """``content``: that of the stored content if the payload has it, else one of its own; ``as_sent``, ``in_order``:
    those of the payload, the latter None when it was not needed."""

    content: bytes
    as_sent: bytes
    in_order: bytes | None = None


def identify(payload: bytes, as_sent: bytes, stored: StoredHashes | None) -> ContentHashes:
    """The hashes of a payload (a JSON object), of which the one ``as_sent`` is known. ``stored``: those of what is
    stored, None when that is nothing."""
    if stored is None:
        return ContentHashes(as_sent, as_sent)
    if as_sent in (stored.as_sent, stored.content):
        return ContentHashes(stored.content, as_sent)
    in_order = hash_sorted(payload)
    # Version 0.1 knew the content by this hash.
    same = in_order in (stored.in_order, stored.content)
    return ContentHashes(stored.content if same else as_sent, as_sent, in_order)


def hash_as_sent(payload: bytes) -> bytes:
    """The hash of the bytes without the values of volatile fields; 16 bytes."""
    digest, view = blake2b(digest_size=16), memoryview(payload)
    hashed = 0
    place = payload.find(_MARK)
    # A search for fixed bytes is several times as fast as the pattern, which is applied where it may match.
    while place >= 0:
        value = _VALUE.match(payload, place)
        if value is None:
            place = payload.find(_MARK, place + len(_MARK))
            continue
        digest.update(view[hashed:place])
        hashed = value.end()
        place = payload.find(_MARK, hashed)
    digest.update(view[hashed:])
    return digest.digest()


def hash_sorted(payload: bytes) -> bytes:
    """The hash of the content in an order of its own; 16 bytes. Raises msgspec.DecodeError for other than an object."""
    digest = blake2b(digest_size=16)
    fields = _object.decode(payload)
    for key in sorted(fields):
        if key not in VOLATILE:
            digest.update(key.encode())
            digest.update(_canonical(bytes(fields[key])))
    return digest.digest()


def _canonical(raw: bytes) -> bytes:
    if raw.startswith(b"["):
        items = [bytes(item) for item in _array.decode(raw)]
        # Most lists hold rows without lists, about a thousand in a fixture: one search in all of it, not one in each.
        if raw.find(b"[", 1) >= 0 or _MARK in raw:
            items = [_element(item) if b"[" in item or _MARK in item else item for item in items]
        items.sort()
        return b"[" + b",".join(items) + b"]"
    return _element(raw) if b"[" in raw or _MARK in raw else raw


def _element(raw: bytes) -> bytes:
    """Decodes an object, which holds a list or perhaps a volatile field; other values stay as they are."""
    if not raw.startswith(b"{"):
        return raw
    fields = _object.decode(raw)
    parts = []
    for key in sorted(fields):
        if key not in VOLATILE:
            value = bytes(fields[key])
            parts.append(key.encode() + b":" + (_canonical(value) if b"[" in value or _MARK in value else value))
    return b"{" + b",".join(parts) + b"}"
