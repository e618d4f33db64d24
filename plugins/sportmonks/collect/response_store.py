"""Fetched answers kept in the warehouse until they are stored, so that the next call may begin meanwhile.

A batch is about 4 MB of JSON and 0.4 MB packed; keeping it costs some milliseconds beside a call of half a second.
"""

from __future__ import annotations

import logging
import struct
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from sportmonks.load.batch import FetchedBatch
from sportmonks.warehouse.connection import sql

log = logging.getLogger(__name__)

# Level 1 packs JSON ten to one at over 100 MB/s, outside of Python's lock.
_LEVEL = 1


_ROW = struct.Struct(">qI")


class _Head(msgspec.Struct):
    """An answer without its payloads. ``requested`` has its older name in what is stored."""

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
    """An answer as few bytes; payload by payload, so that it never stands in memory a second time."""
    packer = zlib.compressobj(_LEVEL)
    head = msgspec.json.encode(_Head(**{name: getattr(fetched, name) for name in _Head.__struct_fields__}))
    pieces = [packer.compress(_ROW.pack(0, len(head)) + head)]
    for key, row in fetched.rows.items():
        payload = bytes(row)
        pieces.append(packer.compress(_ROW.pack(key, len(payload))))
        pieces.append(packer.compress(payload))
    pieces.append(packer.flush())
    return b"".join(pieces)


def unpack(packed: bytes, answer_id: str) -> FetchedBatch:
    """What ``pack`` was given. Raises zlib.error, struct.error or msgspec.MsgspecError when it is not that."""
    raw = zlib.decompress(packed)
    rows: dict[int, bytes] = {}
    place = 0
    while place < len(raw):
        key, size = _ROW.unpack_from(raw, place)
        place += _ROW.size + size
        rows[key] = raw[place - size : place]
    head = msgspec.json.decode(rows.pop(0), type=_Head)
    return FetchedBatch(**msgspec.structs.asdict(head), rows=rows, answer_id=answer_id)


def keep(conn: psycopg.Connection[Any], fetched: FetchedBatch, names: dict[str, Any]) -> bool:
    """Keep an answer, for good and once, under its ``answer_id``. ``names``: execution, league, season, fence.

    False when another owner has the chunk: it asks for these fixtures itself.
    """
    parameters = {**names, "answer_id": fetched.answer_id, "fetched_at": fetched.at, "packed": pack(fetched)}
    return conn.execute(sql("load/keep_answer"), parameters).fetchone() is not None


def left_behind(conn: psycopg.Connection[Any], league_id: int, season_id: int) -> Iterator[tuple[str, FetchedBatch]]:
    """(execution_id, answer) of what was fetched and not stored, oldest first, one at a time."""
    names = {"league_id": league_id, "season_id": season_id}
    ids = [row[0] for row in conn.execute(sql("load/left_answers"), names).fetchall()]
    for answer_id in ids:
        row = conn.execute(
            "SELECT execution_id, packed FROM etl.fetched_answers WHERE answer_id = %s", (answer_id,)
        ).fetchone()
        if row is None:
            continue
        try:
            yield row[0], unpack(row[1], answer_id)
        except (zlib.error, struct.error, msgspec.MsgspecError, KeyError, TypeError) as error:
            log.warning("A kept answer cannot be read (%s); its fixtures are asked for again", error)
            conn.execute(sql("load/take_answer"), {"answer_id": answer_id})
