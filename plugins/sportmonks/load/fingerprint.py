"""What a payload says, as a short hash: equal for the same content, whatever the order of its lists.

Works on the raw bytes and builds Python objects for the outer levels only (a fixture has about 1,100 inner rows).
Fields that change for no reason of the fixture's own are left out.
"""

from __future__ import annotations

from hashlib import blake2b

import msgspec

VOLATILE = frozenset({"last_processed_at", "last_played_at", "standings_recalculated_at"})

_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_array = msgspec.json.Decoder(list[msgspec.Raw])


def fingerprint(payload: bytes | msgspec.Raw) -> bytes:
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
        return b"[" + b",".join(sorted(_element(bytes(item)) for item in _array.decode(raw)))
    return _element(raw)


def _element(raw: bytes) -> bytes:
    """Objects that hold lists or volatile fields are opened, all others taken as they are."""
    if not raw.startswith(b"{") or (b"[" not in raw and not any(key.encode() in raw for key in VOLATILE)):
        return raw
    fields = _object.decode(raw)
    return b"{" + b",".join(
        key.encode() + b":" + _canonical(bytes(fields[key])) for key in sorted(fields) if key not in VOLATILE
    )
