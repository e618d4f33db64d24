"""A payload as typed rows, for payloads whose every value has the type of its column.

Nothing is converted or repaired here: a number that came as text, an id that is missing or comes twice, a value that is
an object make ``read_rows`` return None, and PostgreSQL takes the rows out of the JSON itself (``load/json/*.sql``).
Both ways give the same rows; ``tests/load/test_two_ways.py`` compares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, structs

from sportmonks.load.summary import SECTIONS, BaseFields

Row: TypeAlias = "tuple[Any, ...]"

_Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
_BigInt = _Id | None
_Integer = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)] | None
# etl.to_int reads up to nine digits.
_NineDigits = Annotated[int, Meta(ge=-999_999_999, le=999_999_999)] | None
# etl.from_epoch reads seconds up to the end of the year 9999.
_Epoch = Annotated[int, Meta(ge=0, le=253_402_300_799)] | None
_Text = str | None

# The number of a decimal fraction is kept as its text, in bytes: its last zeros count in PostgreSQL's numeric.
_FRACTION = re.compile(r"-?[0-9]{1,30}\.[0-9]{1,30}")
_TIME = "%Y-%m-%d %H:%M:%S"


class _UnusualError(ValueError):
    """A value that is left to PostgreSQL."""


# The fields of a section's structs are the columns of its table after ``fixture_id``, in the order of its COPY.


class _Event(Struct, gc=False):
    id: _Id
    period_id: _BigInt = None
    participant_id: _BigInt = None
    type_id: _BigInt = None
    sub_type_id: _BigInt = None
    player_id: _BigInt = None
    related_player_id: _BigInt = None
    coach_id: _BigInt = None
    player_name: _Text = None
    related_player_name: _Text = None
    result: _Text = None
    info: _Text = None
    addition: _Text = None
    minute: _Integer = None
    extra_minute: _Integer = None
    injured: bool | None = None
    on_bench: bool | None = None
    rescinded: bool | None = None
    sort_order: _Integer = None
    section: _Text = None


class _Data(Struct, gc=False):
    value: Any = None


class _Statistic(Struct, gc=False):
    id: _Id
    type_id: _BigInt = None
    participant_id: _BigInt = None
    location: _Text = None
    data: _Data | None = None


class Period(Struct, gc=False):
    """A half, extra time or a shoot-out."""

    id: _Id
    type_id: _BigInt = None
    description: _Text = None
    started: _Epoch = None
    ended: _Epoch = None
    counts_from: _Integer = None
    ticking: bool | None = None
    sort_order: _Integer = None
    time_added: _Integer = None
    minutes: _Integer = None


class _Goals(Struct, gc=False):
    goals: _Integer = None
    participant: _Text = None


class _Score(Struct, gc=False):
    id: _Id
    type_id: _BigInt = None
    participant_id: _BigInt = None
    score: _Goals | None = None
    description: _Text = None


class _Meta(Struct, gc=False):
    location: _Text = None
    winner: bool | None = None
    position: _NineDigits = None


class _Participant(Struct, gc=False):
    id: _Id
    name: _Text = None
    meta: _Meta | None = None


class Detail(Struct, gc=False):
    """A statistic of a player."""

    id: _Id
    lineup_id: _BigInt = None
    player_id: _BigInt = None
    team_id: _BigInt = None
    type_id: _BigInt = None
    data: _Data | None = None


class _Lineup(Struct, gc=False):
    id: _Id
    player_id: _BigInt = None
    team_id: _BigInt = None
    position_id: _BigInt = None
    type_id: _BigInt = None
    formation_field: _Text = None
    formation_position: _Integer = None
    player_name: _Text = None
    jersey_number: _Integer = None
    details: list[Detail] | UnsetType | None = UNSET


class TypedFixture(BaseFields, gc=False):
    """A payload's sections as typed rows; of its own fields only the time is typed."""

    starting_at: _Text = None
    participants: list[_Participant] | None = None
    scores: list[_Score] | None = None
    events: list[_Event] | None = None
    lineups: list[_Lineup] | None = None
    statistics: list[_Statistic] | None = None
    periods: list[Period] | None = None


@dataclass(frozen=True, slots=True)
class TypedRows:
    """The rows of a payload, and the day of its kick-off (UTC).

    ``sections``: rows by section for each section that the payload says something of. A row has the values of its
    table's columns after ``fixture_id``, in the order of the table's COPY; ``value`` and ``value_text`` are one value.
    ``details``: the same for ``lineups.details``, as (lineup, player, team) with the statistics of that player; they
    are nineteen of twenty rows, and to make a tuple of each costs as much as to decode it.
    """

    fixture: TypedFixture
    reference_date: date | None
    sections: dict[str, list[Row]]
    details: list[tuple[Row, list[Detail]]] | None


def read_rows(payload: bytes) -> TypedRows | None:
    """The typed rows of a payload (JSON), None when one of its values is not of its column's type."""
    try:
        fixture = _decoder.decode(payload)
        reference_date = _day(fixture.starting_at)
        sections = {name: _ROWS[name](rows) for name in SECTIONS if (rows := getattr(fixture, name)) is not None}
        for name, rows in sections.items():
            _check_ids([row[0] for row in rows])
            if name == "statistics":
                _check_values([row[-1] for row in rows])
        details = None
        if fixture.lineups is not None and _says_details(fixture.lineups):
            details = _details(fixture.lineups)
            every = [row for _, rows in details for row in rows]
            _check_ids([row.id for row in every])
            _check_values([row.data.value for row in every if row.data is not None])
    except (msgspec.MsgspecError, _UnusualError, ValueError, RecursionError):
        return None
    return TypedRows(fixture, reference_date, sections, details)


def _fraction(text: str) -> bytes:
    if not _FRACTION.fullmatch(text):
        raise _UnusualError(text)
    return text.encode()


_decoder = msgspec.json.Decoder(TypedFixture, float_hook=_fraction)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    if len(text) != 19:
        raise _UnusualError(text)
    return datetime.strptime(text, _TIME).replace(tzinfo=UTC).date()


def _says_details(lineups: Iterable[_Lineup]) -> bool:
    """Lineups requested without details say nothing of them; an empty list of lineups has none."""
    return not lineups or any(row.details is not UNSET for row in lineups)


def _details(lineups: Iterable[_Lineup]) -> list[tuple[Row, list[Detail]]]:
    """What a statistic does not say of its player, the lineup does."""
    found: list[tuple[Row, list[Detail]]] = []
    for lineup in lineups:
        rows = lineup.details or []
        whose = lineup_id, player_id, team_id = lineup.id, lineup.player_id, lineup.team_id
        if all([row.player_id == player_id and row.lineup_id == lineup_id and row.team_id == team_id for row in rows]):
            found.append((whose, rows))
        else:
            found += [(_whose(row, lineup), [row]) for row in rows]
    return found


def _whose(row: Detail, lineup: _Lineup) -> Row:
    return (
        lineup.id if row.lineup_id is None else row.lineup_id,
        lineup.player_id if row.player_id is None else row.player_id,
        lineup.team_id if row.team_id is None else row.team_id,
    )


_NO_GOALS, _NO_META = _Goals(), _Meta()

_ROWS: dict[str, Callable[[list[Any]], list[Row]]] = {
    "participants": lambda rows: [(row.id, *structs.astuple(row.meta or _NO_META), row.name) for row in rows],
    "scores": lambda rows: [
        (row.id, row.type_id, row.participant_id, *structs.astuple(row.score or _NO_GOALS), row.description)
        for row in rows
    ],
    "events": lambda rows: [structs.astuple(row) for row in rows],
    "lineups": lambda rows: [structs.astuple(row)[:-1] for row in rows],
    "statistics": lambda rows: [
        (row.id, row.type_id, row.participant_id, row.location, row.data.value if row.data is not None else None)
        for row in rows
    ],
    "periods": lambda rows: [structs.astuple(row) for row in rows],
}
_SCALARS = {int, bool, str, bytes, type(None)}


def _check_ids(ids: list[int]) -> None:
    if len(set(ids)) < len(ids):
        raise _UnusualError("an id comes twice")


def _check_values(values: list[Any]) -> None:
    if not set(map(type, values)) <= _SCALARS:
        raise _UnusualError("a value is an object or a list")
