"""Fetched batches saved in the warehouse until they are loaded, so that the next call can start in the meantime.

A batch of 50 fixtures is about 4 MB of JSON and 0.4 MB packed; saving it takes some milliseconds, a call half a second.
Answers that came compressed are saved as they came, others are compressed here.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from sportmonks.api.response import MalformedResponseError, read_envelope, read_response, row_id
from sportmonks.api.transport import DEFAULT_MAX_BYTES, unpack_gzip
from sportmonks.load.batch import FetchedBatch
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)

# Level 1 compresses JSON to a tenth at over 100 MB/s, without holding the interpreter lock.
_LEVEL = 1
# What bytes of another version, or damaged ones, raise.
UNPACKABLE = (
    zlib.error,
    struct.error,
    msgspec.MsgspecError,
    LookupError,
    TypeError,
    ValueError,
    MalformedResponseError,
)
# Before each payload: its fixture id and its length in bytes. The head comes first, under the id 0.
_ROW = struct.Struct(">qI")
# Begins what holds bodies as they came; no zlib stream begins so. Then parts, each after its length in bytes: the head,
# the ids of the rows, the bodies.
_AS_IT_CAME = b"BODY"
_SIZE = struct.Struct(">I")


class _PackedHead(msgspec.Struct):
    """A fetched batch without its payloads. The stored JSON has the older name ``asked`` for ``requested``."""

    number: int
    requested: tuple[int, ...] = msgspec.field(name="asked")
    missing: tuple[int, ...]
    poisoned: dict[int, str]
    calls: int
    bytes: int
    seconds: float
    includes: tuple[str, ...] | None
    at: datetime | None


def pack(fetched: FetchedBatch) -> bytes:
    """A fetched batch as compressed bytes: the bodies as they came, or packed payload by payload, so that no second
    copy of it is in memory."""
    head = msgspec.json.encode(_PackedHead(**{name: getattr(fetched, name) for name in _PackedHead.__struct_fields__}))
    if fetched.bodies:
        # Which rows of the bodies are the batch's: bodies may hold others.
        ids = msgspec.json.encode(list(fetched.rows))
        parts = (head, ids, *fetched.bodies)
        return _AS_IT_CAME + b"".join(_SIZE.pack(len(part)) + part for part in parts)
    packer = zlib.compressobj(_LEVEL)
    pieces = [packer.compress(_ROW.pack(0, len(head)) + head)]
    for key, row in fetched.rows.items():
        payload = bytes(row)
        pieces.append(packer.compress(_ROW.pack(key, len(payload))))
        pieces.append(packer.compress(payload))
    pieces.append(packer.flush())
    return b"".join(pieces)


def unpack(packed: bytes, answer_id: str) -> FetchedBatch:
    """The batch that ``pack`` was given.

    Raises zlib.error, struct.error, msgspec.MsgspecError, LookupError, TypeError or ValueError for other bytes.
    """
    if packed.startswith(_AS_IT_CAME):
        return _unpack_bodies(packed, answer_id)
    raw = zlib.decompress(packed)
    rows: dict[int, bytes] = {}
    place = 0
    while place < len(raw):
        key, size = _ROW.unpack_from(raw, place)
        place += _ROW.size + size
        rows[key] = raw[place - size : place]
    head = msgspec.json.decode(rows.pop(0), type=_PackedHead)
    return FetchedBatch(**msgspec.structs.asdict(head), rows=rows, answer_id=answer_id)


def _unpack_bodies(packed: bytes, answer_id: str) -> FetchedBatch:
    parts: list[bytes] = []
    place = len(_AS_IT_CAME)
    while place < len(packed):
        (size,) = _SIZE.unpack_from(packed, place)
        place += _SIZE.size + size
        parts.append(packed[place - size : place])
    head = msgspec.json.decode(parts[0], type=_PackedHead)
    ids = msgspec.json.decode(parts[1], type=set[int])
    rows: dict[int, bytes] = {}
    for body in parts[2:]:
        unpacked = unpack_gzip(body, DEFAULT_MAX_BYTES)
        if unpacked is None:
            raise ValueError("larger than an answer may be")
        response = read_response(read_envelope(unpacked, {}), status=200, size=len(unpacked))
        # Of a row that comes twice the later one counts, as when it came.
        rows |= {key: bytes(row) for row in response.rows() if (key := row_id(row)) in ids}
    if rows.keys() != ids:
        raise KeyError("the bodies lack rows of the batch")
    return FetchedBatch(**msgspec.structs.asdict(head), rows=rows, answer_id=answer_id)


def save(conn: psycopg.Connection[Any], fetched: FetchedBatch, params: Mapping[str, Any]) -> bool:
    """Save a fetched batch under its ``answer_id``; harmless to repeat. ``params``: execution, league, season, fence.

    False when another task has taken the chunk: it requests these fixtures itself.
    """
    parameters = {**params, "answer_id": fetched.answer_id, "fetched_at": fetched.at, "packed": pack(fetched)}
    return conn.execute(sql("load/keep_answer"), parameters).fetchone() is not None


def orphaned(conn: psycopg.Connection[Any], league_id: int, season_id: int) -> Iterator[tuple[str, FetchedBatch]]:
    """(execution_id, batch) of what was fetched for a chunk and not loaded, oldest first, unpacked one at a time.

    A batch that cannot be read is removed, so that its fixtures are requested again.
    """
    params = {"league_id": league_id, "season_id": season_id}
    ids = [row[0] for row in conn.execute(sql("load/left_answers"), params).fetchall()]
    for answer_id in ids:
        row = conn.execute(sql("load/saved_response"), {"answer_id": answer_id}).fetchone()
        if row is None:
            continue
        try:
            yield row[0], unpack(row[1], answer_id)
        except UNPACKABLE as error:
            log.warning("A saved batch cannot be read (%s); its fixtures are requested again", error)
            conn.execute(sql("load/take_answer"), {"answer_id": answer_id})
