"""The few fields of a payload that decisions hang on, read without building the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from sportmonks.coerce import as_epoch, as_int, as_utc

SECTIONS = ("participants", "scores", "events", "lineups", "statistics", "periods")


class _Period(msgspec.Struct):
    ended: Any = None
    ticking: Any = None


class _Lineup(msgspec.Struct):
    details: list[msgspec.Raw] | None = None


class _Light(msgspec.Struct):
    state_id: Any = None
    starting_at: Any = None
    participants: list[msgspec.Raw] | None = None
    scores: list[msgspec.Raw] | None = None
    events: list[msgspec.Raw] | None = None
    statistics: list[msgspec.Raw] | None = None
    lineups: list[_Lineup] | None = None
    periods: list[_Period] | None = None


_decoder = msgspec.json.Decoder(_Light)


@dataclass(frozen=True, slots=True)
class PayloadSummary:
    """``counts``: rows per section that the payload holds, ``lineups.details`` in sum."""

    state_id: int | None
    starting_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int]


def summarize(payload: bytes | msgspec.Raw) -> PayloadSummary:
    """Raises msgspec.DecodeError (ValidationError) when a section is no list of objects."""
    light = _decoder.decode(payload)
    counts = {name: len(rows) for name in SECTIONS if (rows := getattr(light, name)) is not None}
    if light.lineups and any(row.details is not None for row in light.lineups):
        counts["lineups.details"] = sum(len(row.details or ()) for row in light.lineups)
    return PayloadSummary(
        state_id=as_int(light.state_id),
        starting_at=as_utc(light.starting_at),
        ended_at=_ended(light.periods or []),
        counts=counts,
    )


def _ended(periods: list[_Period]) -> datetime | None:
    """End of the last period, None while one is open or none is known."""
    ends = [as_epoch(period.ended) for period in periods]
    if not ends or any(end is None for end in ends) or any(period.ticking is True for period in periods):
        return None
    return datetime.fromtimestamp(max(end for end in ends if end is not None), UTC)
