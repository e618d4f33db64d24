"""What is done with a fetched batch before its transaction, on another thread than the one that writes."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg

from sportmonks.coerce import clean_text
from sportmonks.load.content_hash import StoredHashes
from sportmonks.load.copy import EncodedRows, RowEncoder, encode_typed
from sportmonks.load.payloads import UNEXPECTED, UNREADABLE, Payload, read_payload
from sportmonks.load.rows import read_rows
from sportmonks.warehouse.queries import sql

log = logging.getLogger(__name__)


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
    payloads: dict[int, Payload] = {}
    unreadable: dict[int, str] = {}
    encoded: dict[int, EncodedRows] = {}
    encoder = RowEncoder(at)
    for key in sorted(rows):
        raw, known = bytes(rows[key]), stored.get(key)
        try:
            # Rows of known fixtures are needed only if they turn out to have changed.
            found = read_rows(raw) if typed and known is None else None
            payload = payloads[key] = read_payload(raw, known, found)
        except UNEXPECTED as error:
            # Whatever form its rows have: the others of the batch are not affected.
            unreadable[key] = clean_text(f"not a fixture: {error}")
            if not isinstance(error, UNREADABLE):
                log.exception("Fixture %s has a form that the package does not know", key)
            continue
        if found is not None and payload.raw is raw and payload.cleaned is None:
            encoded[key] = encode_typed(encoder, key, payload, found)
    return ReadBatch(payloads, unreadable, encoded)
