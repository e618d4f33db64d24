"""What a payload says, as a short hash: equal for the same content, whatever the order of its lists.

Works on the raw bytes and builds Python objects for the outer levels only (a fixture has about 1,100 inner rows).
Fields that change for no reason of the fixture's own are left out.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

VOLATILE = frozenset({"last_processed_at", "last_played_at", "standings_recalculated_at"})

# All volatile fields end so; rows without it need no opening.
_MARK = b'_at"'

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


def content_hash(payload: bytes | msgspec.Raw) -> bytes:
    """16 bytes over a fixture's content. Raises msgspec.DecodeError when it is not a JSON object."""
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
        # Most lists hold leaf rows only, about a thousand in a fixture: one look at the whole instead of one at each.
        if raw.find(b"[", 1) >= 0 or _MARK in raw:
            items = [_element(item) if b"[" in item or _MARK in item else item for item in items]
        items.sort()
        return b"[" + b",".join(items) + b"]"
    return _element(raw) if b"[" in raw or _MARK in raw else raw


def _element(raw: bytes) -> bytes:
    """Opens an object that holds lists or, by the look of it, a volatile field."""
    if not raw.startswith(b"{"):
        return raw
    fields = _object.decode(raw)
    parts = []
    for key in sorted(fields):
        if key not in VOLATILE:
            value = bytes(fields[key])
            parts.append(key.encode() + b":" + (_canonical(value) if b"[" in value or _MARK in value else value))
    return b"{" + b",".join(parts) + b"}"
