"""What is done with a fetched batch before its transaction, on another thread than the one that writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from sportmonks.load.content_hash import StoredHashes
from sportmonks.load.copy import EncodedRows, RowEncoder, encode_rows
from sportmonks.load.payloads import Payload, read_payloads
from sportmonks.warehouse.queries import sql


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """The payloads of a batch, the reasons for those that cannot be read, and the rows of those that seem to be new;
    each by fixture id."""

    payloads: Mapping[int, Payload]
    unreadable: Mapping[int, str]
    rows: Mapping[int, EncodedRows]


def stored_hashes(conn: psycopg.Connection[Any], ids: Iterable[int]) -> dict[int, StoredHashes]:
    """Hashes by fixture id, of those with a stored payload.

    They stay true while others write: which content an answer had does not change, only whether it is the stored one.
    """
    rows = conn.execute(sql("load/stored_hashes"), {"ids": list(ids)}).fetchall()
    return {row[0]: StoredHashes(*row[1:]) for row in rows}


def read_batch(
    rows: Mapping[int, bytes | msgspec.Raw], stored: Mapping[int, StoredHashes], at: datetime, *, typed: bool = True
) -> ReadBatch:
    """The batch, read. ``at``: when its call began; ``typed``: False leaves all rows to PostgreSQL."""
    payloads, unreadable = read_payloads(rows, stored)
    encoder = RowEncoder(at)
    found = {
        key: encode_rows(encoder, key, payload) for key, payload in payloads.items() if typed and key not in stored
    }
    return ReadBatch(payloads, unreadable, {key: rows for key, rows in found.items() if rows is not None})
