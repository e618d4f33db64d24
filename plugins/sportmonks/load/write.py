"""Writes the saved payloads of a batch. Two ways lead into the tables of their sections:

- **typed**: the client reads the rows (``load.rows``) and sends them in the binary form of COPY (``load.copy``).
- **JSON**: PostgreSQL takes the rows out of the payload (``load/json/*.sql``). It knows every odd value, and costs four
  times as much.

A payload goes the typed way when each of its values has the type of its column. A fixture of which nothing is stored
is copied straight into its tables; of any other the rows go into temporary tables first, the typed ones and the others,
and from there, where they differ, into the tables (``load/merge/*.sql``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from psycopg.sql import Identifier
from psycopg.types.json import Jsonb

from sportmonks.load.copy import END, SIGNATURE, EncodedRows, RowEncoder, encode_raw, encode_rows
from sportmonks.load.fields import FixtureFields
from sportmonks.load.payloads import Payload
from sportmonks.warehouse.queries import script, sql

_TABLES = {
    "participants": "participants",
    "scores": "scores",
    "events": "events",
    "lineups": "lineups",
    "lineups.details": "player_statistics",
    "statistics": "statistics",
    "periods": "periods",
}
# Rows are sent in messages of this size or more.
MESSAGE_BYTES = 64 * 1024
_FILES = [name.replace(".", "_") for name in _TABLES]
_OUT_OF_JSON = tuple(f"load/json/{name}" for name in ("sections", *_FILES))
_MERGE = tuple(f"load/merge/{name}" for name in (*_FILES, "player_figures"))


@dataclass(frozen=True, slots=True)
class SavedFixture:
    """A payload that is to be stored. ``known``: one is stored already; ``includes``: those that the payload holds."""

    fixture_id: int
    payload: Payload
    known: bool
    includes: tuple[str, ...]


def write_payloads(
    conn: psycopg.Connection[Any],
    saved: Sequence[SavedFixture],
    at: datetime,
    *,
    encoded: Mapping[int, EncodedRows],
    typed: bool = True,
) -> dict[int, FixtureFields]:
    """Payloads into the raw table, their sections and teams into the typed tables. ``at``: when their call began.

    Returns the fixtures' own fields by fixture id, which are still to be stored.

    The rows of the fixtures in ``football.fixtures`` have to be locked, so that nobody else writes their sections.
    ``encoded``: rows that have been read already, by fixture id. ``typed``: False takes the JSON way for all.
    """
    rows = _readable(saved, at, encoded) if typed else {}
    new = _nothing_stored(conn, [each.fixture_id for each in saved if each.fixture_id in rows and not each.known])
    fields = {
        each.fixture_id: rows[each.fixture_id].fields if each.fixture_id in rows else each.payload.fields()
        for each in saved
    }
    straight = [each for each in saved if each.fixture_id in new]
    others = [each for each in saved if each.fixture_id not in new]
    if straight:
        _copy_raw(conn, straight, rows, at)
        _copy_rows(conn, [rows[each.fixture_id] for each in straight], "football", "fixture_")
    if others:
        conn.execute(sql("load/incoming"))
        _copy_incoming(conn, others, rows, at)
        _copy_rows(conn, [rows[each.fixture_id] for each in others if each.fixture_id in rows], "incoming_")
        if any(each.fixture_id not in rows for each in others):
            conn.execute(script(*_OUT_OF_JSON))
        conn.execute(sql("load/raw"))
        conn.execute(script(*_MERGE))
    _write_teams(conn, fields, at)
    return fields


def _readable(
    saved: Iterable[SavedFixture], at: datetime, encoded: Mapping[int, EncodedRows]
) -> dict[int, EncodedRows]:
    """The rows of those payloads that go the typed way."""
    found: dict[int, EncodedRows] = {}
    encoder = RowEncoder(at)
    for each in saved:
        rows = encoded.get(each.fixture_id)
        if rows is None or rows.raw is not each.payload.raw or each.payload.cleaned is not None:
            # Read before it was known, or before the payload was completed with what is stored, or cleaned.
            rows = encode_rows(encoder, each.fixture_id, each.payload)
        if rows is not None:
            found[each.fixture_id] = rows
    return found


def _write_teams(conn: psycopg.Connection[Any], fields: Mapping[int, FixtureFields], at: datetime) -> None:
    """For all fixtures in one statement, whichever way they go: two would lock teams in another order than another
    batch does. After the rows of the sections: of a season's first batches, which bring the same new teams, each waits
    here for the one before it to be committed."""
    rows = [{"fixture_id": key, "participants": each.participants} for key, each in fields.items()]
    conn.execute(sql("load/teams"), {"participants": JsonBytes(msgspec.json.encode(rows)), "now": at})


def _nothing_stored(conn: psycopg.Connection[Any], ids: Sequence[int]) -> set[int]:
    """Those fixtures that have a row in no table but ``football.fixtures``."""
    if not ids:
        return set()
    return {row[0] for row in conn.execute(sql("load/nothing_stored"), {"ids": ids}).fetchall()}


def _copy_raw(
    conn: psycopg.Connection[Any], saved: Iterable[SavedFixture], rows: Mapping[int, EncodedRows], at: datetime
) -> None:
    copy_binary(
        conn,
        sql("load/copy_raw"),
        (
            part
            for each in saved
            for part in encode_raw(
                each.fixture_id,
                each.payload.raw,
                each.payload.content_hash,
                each.includes,
                rows[each.fixture_id].reference_date,
                at,
            )
        ),
    )


def _copy_rows(conn: psycopg.Connection[Any], rows: Sequence[EncodedRows], *place: str) -> None:
    """The rows of each section into its table, and the players' figures into theirs. ``place``: the schema, if any, and
    how the table's name begins."""
    *schema, prefix = place
    for section, table in _TABLES.items():
        if any(each.sections.get(section) for each in rows):
            query = sql(f"load/copy_{table}").with_identifiers(table=Identifier(*schema, prefix + table))
            copy_binary(conn, query, (each.sections.get(section, b"") for each in rows))
    if any(each.figures for each in rows):
        query = sql("load/copy_player_figures").with_identifiers(table=Identifier(*schema, prefix + "player_figures"))
        copy_binary(conn, query, (each.figures for each in rows))


def copy_binary(conn: psycopg.Connection[Any], query: str, rows: Iterable[bytes]) -> None:
    """Rows in the binary form of COPY, in parts of any size: each message costs as much as copying 64 kB."""
    with conn.cursor() as cursor, cursor.copy(query) as copy:
        parts, size = [SIGNATURE], 0
        for part in rows:
            parts.append(part)
            size += len(part)
            if size >= MESSAGE_BYTES:
                copy.write(b"".join(parts))
                parts, size = [], 0
        copy.write(b"".join((*parts, END)))


def _copy_incoming(
    conn: psycopg.Connection[Any], saved: Iterable[SavedFixture], rows: Mapping[int, EncodedRows], at: datetime
) -> None:
    with conn.cursor() as cursor, cursor.copy(sql("load/copy_incoming")) as copy:
        copy.set_types(["int8", "jsonb", "jsonb", "bytea", "text[]", "timestamptz", "text[]"])
        for each in saved:
            payload, found = each.payload, rows.get(each.fixture_id)
            cleaned = JsonBytes(payload.cleaned) if payload.cleaned is not None else None
            sections = None if found is None else list(found.sections)
            raw, includes = JsonBytes(payload.raw), list(each.includes)
            copy.write_row((each.fixture_id, raw, cleaned, payload.content_hash, includes, at, sections))


class JsonBytes(Jsonb):
    """JSON that is bytes already: handed to PostgreSQL as it is."""

    def __init__(self, raw: bytes) -> None:
        super().__init__(raw, dumps=_unchanged)


def _unchanged(raw: bytes) -> bytes:
    return raw
