"""Typed rows in the binary form of COPY (https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4).

A batch has about 32,000 rows of ten values. Encoding them takes 1 us each this way, and PostgreSQL reads them without
parsing: what it costs to take the same rows out of JSON in the server is four times as much.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from operator import getitem
from struct import Struct
from typing import Any, TypeVar

import psycopg
from psycopg.adapt import PyFormat

from sportmonks.load.fields import FixtureFields
from sportmonks.load.payloads import Payload
from sportmonks.load.rows import Detail, Row, TypedRows, read_rows

T = TypeVar("T")

SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"
DETAILS = "lineups.details"
# The types of statistics that are columns of football.fixture_player_figures, in the order of its COPY.
FIGURES = (
    119, 118, 40, 52, 79, 324, 84, 85, 83, 42, 86, 5304, 5305, 80, 116, 117, 98, 108, 109, 120, 106, 78, 100, 101,
    56, 96, 51, 57, 88,
)  # fmt: skip

_NULL = b"\xff\xff\xff\xff"
_size = Struct(">i").pack
_int8 = Struct(">iq").pack
_int4 = Struct(">ii").pack
# Number of columns, fixture id, the size of the id; with the id itself.
_row_of = Struct(">hiqi").pack
_key = Struct(">hiqiq").pack
_bytes_of_bigint = Struct(">q").pack
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_to_numeric = psycopg.adapters.get_dumper(Decimal, PyFormat.BINARY)(Decimal).dump


class _Made(dict[Any, T]):
    """What ``make`` gives for a value, made once for each; most values of a batch are the same few."""

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __missing__(self, value: Any) -> T:
        found = self[value] = self._make(value)
        return found


def _sized(data: bytes) -> bytes:
    return _size(len(data)) + data


def _or_null(encode: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    return lambda value: _NULL if value is None else encode(value)


def _bigint(value: int) -> bytes:
    return _int8(8, value)


def _integer(value: int) -> bytes:
    return _int4(4, value)


def _boolean(value: bool) -> bytes:
    return b"\0\0\0\x01\x01" if value else b"\0\0\0\x01\0"


def _text(value: str) -> bytes:
    return _sized(value.encode())


def timestamp(value: datetime) -> bytes:
    """A time with its zone: microseconds since 2000."""
    return _int8(8, (value - _EPOCH) // timedelta(microseconds=1))


def _seconds(value: int) -> bytes:
    """Seconds since 1970 as a timestamp."""
    return _int8(8, (value - 946_684_800) * 1_000_000)


def _number_or_text(value: Any) -> bytes:
    """The columns ``value`` and ``value_text``: the one for numbers and booleans, the other for texts."""
    if value is None:
        return _NULL * 2
    if isinstance(value, str):
        return _NULL + _text(value)
    return _numeric(value) + _NULL


def _is_number(value: Any) -> bool:
    return not (value is None or isinstance(value, str))


def _number(value: Any) -> Decimal:
    return Decimal(value.decode() if isinstance(value, bytes) else int(value))


def _numeric(value: Any) -> bytes:
    return _sized(bytes(_to_numeric(_number(value)) or b""))


class RowEncoder:
    """Encodes the rows of one batch, whose rows are ``collected_at`` one time."""

    def __init__(self, collected_at: datetime) -> None:
        self._times = timestamp(collected_at) * 2  # created_at and updated_at
        kinds = (_bigint, _integer, _boolean, _text, _seconds)
        bigint, integer, boolean, text, seconds = (_Made(_or_null(each)) for each in kinds)
        both = _Made(_number_or_text)
        # The columns after the key, by section.
        self._columns = {
            "participants": (text, boolean, integer, text),
            "scores": (bigint, bigint, integer, text, text),
            "events": (*(bigint,) * 7, *(text,) * 5, integer, integer, boolean, boolean, boolean, integer, text),
            "lineups": (bigint, bigint, bigint, bigint, text, integer, text, integer),
            "statistics": (bigint, bigint, text, both),
            "periods": (bigint, text, seconds, seconds, integer, boolean, integer, integer, integer),
        }
        # Besides the key and the two times; one kind is of two columns.
        self._counts = {
            name: 4 + len(kinds) + sum(kind is both for kind in kinds) for name, kinds in self._columns.items()
        }
        self._bigint = bigint
        self._figure = _Made(lambda value: _numeric(value) if _is_number(value) else _NULL)
        # What follows on whose statistic it is, by type and value: few are different.
        self._tails = _Made(lambda type_id: _Made(lambda value: bigint[type_id] + both[value] + self._times))

    def encode(self, section: str, fixture_id: int, rows: Iterable[Row]) -> bytes:
        """The rows of a section of one fixture."""
        columns, count, times = self._columns[section], self._counts[section], self._times
        parts: list[bytes] = []
        for row in rows:
            parts.append(_key(count, 8, fixture_id, 8, row[0]))
            parts.extend(map(getitem, columns, row[1:]))
            parts.append(times)
        return b"".join(parts)

    def encode_details(self, fixture_id: int, details: Iterable[tuple[Row, Iterable[Detail]]]) -> bytes:
        """The statistics of the players of one fixture."""
        tails, bigint, id_of = self._tails, self._bigint, _bytes_of_bigint
        # Eight columns with the key, and the two times.
        head = _row_of(10, 8, fixture_id, 8)
        parts: list[bytes] = []
        for ids, rows in details:
            whose = b"".join(map(bigint.__getitem__, ids))
            for row in rows:
                data = row.data
                parts += (head, id_of(row.id), whose, tails[row.type_id][None if data is None else data.value])
        return b"".join(parts)

    def encode_figures(self, fixture_id: int, details: Iterable[tuple[Row, Sequence[Detail]]]) -> bytes:
        """Those of the same statistics that have a column of their own, a row per lineup (a player of the match).

        Of a type that comes twice for a player it is the larger number, as in ``etl.player_figures``.
        """
        players: dict[int, dict[int | None, Any]] = {}
        for (lineup_id, *_), rows in details:
            values = {row.type_id: row.data.value for row in rows if row.data is not None}
            if lineup_id in players or len(values) < len(rows):
                values = _larger(players.get(lineup_id, {}), rows)
            if rows:
                players[lineup_id] = values
        figure, parts = self._figure, []
        for lineup_id, values in players.items():
            parts.append(_key(len(FIGURES) + 4, 8, fixture_id, 8, lineup_id))
            parts.extend([figure[value] for value in map(values.get, FIGURES)])
            parts.append(self._times)
        return b"".join(parts)


def _larger(known: Mapping[int | None, Any], rows: Iterable[Detail]) -> dict[int | None, Any]:
    """The larger number of each type: of those that are known and of the rows."""
    found = dict(known)
    for row in rows:
        value, other = None if row.data is None else row.data.value, found.get(row.type_id)
        if _is_number(value) and (not _is_number(other) or _number(other) <= _number(value)):
            found[row.type_id] = value
    return found


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """The rows of one payload by section, the day of its kick-off and its own fields. ``raw``: the payload's JSON that
    they are of; ``figures``: of the players' statistics, those with a column of their own."""

    raw: bytes
    fields: FixtureFields
    reference_date: date | None
    sections: Mapping[str, bytes]
    figures: bytes = b""


def encode_rows(encoder: RowEncoder, fixture_id: int, payload: Payload) -> EncodedRows | None:
    """The rows of a payload, None when PostgreSQL has to take them out of its JSON."""
    rows = read_rows(payload.raw) if payload.cleaned is None else None
    if rows is None:
        return None
    return encode_typed(encoder, fixture_id, payload, rows)


def encode_typed(encoder: RowEncoder, fixture_id: int, payload: Payload, rows: TypedRows) -> EncodedRows:
    """The ``rows`` of a payload, which are of its ``raw``."""
    sections = {name: encoder.encode(name, fixture_id, found) for name, found in rows.sections.items()}
    figures = b""
    if rows.details is not None:
        sections[DETAILS] = encoder.encode_details(fixture_id, rows.details)
        figures = encoder.encode_figures(fixture_id, rows.details)
    return EncodedRows(payload.raw, payload.fields(), rows.reference_date, sections, figures)


def encode_raw(
    fixture_id: int,
    payload: bytes,
    content_hash: bytes,
    includes: Iterable[str],
    reference_date: date | None,
    collected_at: datetime,
) -> Iterable[bytes]:
    """The row of ``raw.fixtures``, in parts, so that the payload is not copied."""
    day = _NULL if reference_date is None else _int4(4, (reference_date - _EPOCH.date()).days)
    time = timestamp(collected_at)
    yield Struct(">hiqi").pack(8, 8, fixture_id, len(payload) + 1) + b"\x01"
    yield payload
    yield _sized(content_hash) + _sized(_text_array(list(includes))) + day + time + time + time


def _text_array(values: list[str]) -> bytes:
    if not values:
        return Struct(">iii").pack(0, 0, _TEXT_OID)
    head = Struct(">iiiii").pack(1, 0, _TEXT_OID, len(values), 1)
    return head + b"".join(map(_text, values))


_TEXT_OID = 25
