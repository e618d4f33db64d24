"""A short hash of a payload's content: equal for equal content, whatever the order of keys and lists.

It works on the raw bytes and builds Python objects for the outer levels only (a fixture has about 1,100 inner rows).
Fields that change without a change of the fixture are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import msgspec

VOLATILE = frozenset({"last_processed_at", "last_played_at", "standings_recalculated_at"})

# All volatile fields end so; a row without it need not be decoded.
_MARK = b'_at"'

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


def content_hash(payload: bytes | msgspec.Raw) -> bytes:
    """The hash, 16 bytes. Raises msgspec.DecodeError when the payload is not a JSON object."""
    return hash_of_fields(_object.decode(payload))


def hash_of_fields(fields: Mapping[str, msgspec.Raw]) -> bytes:
    """The same for a payload whose outermost level is decoded."""
    digest = blake2b(digest_size=16)
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
