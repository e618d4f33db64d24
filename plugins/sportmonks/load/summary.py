"""The few fields of a payload on which decisions depend, read without building Python objects for the rest."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import msgspec

from sportmonks.coerce import as_epoch, as_int, as_utc, clean_text

SECTIONS = ("participants", "scores", "events", "lineups", "statistics", "periods")


class _Period(msgspec.Struct):
    ended: Any = None
    ticking: Any = None


class _Lineup(msgspec.Struct):
    details: list[msgspec.Raw] | None = None


class _Score(msgspec.Struct):
    description: Any = None
    score: Any = None


class _Fixture(msgspec.Struct):
    state_id: Any = None
    starting_at: Any = None
    participants: list[msgspec.Raw] | None = None
    scores: list[_Score] | None = None
    events: list[msgspec.Raw] | None = None
    statistics: list[msgspec.Raw] | None = None
    lineups: list[_Lineup] | None = None
    periods: list[_Period] | None = None


_decoder = msgspec.json.Decoder(_Fixture)


@dataclass(frozen=True, slots=True)
class PayloadSummary:
    """State and times of a fixture, and ``counts``: rows per section that the payload holds.

    ``lineups.details`` counts the details of all lineups together. A section that the payload lacks has no count.
    ``unreadable``: sections that came as something else than a list; ``flaws``: times that cannot be read;
    ``current_score``: the scores tell how many goals either side has now.
    """

    state_id: int | None
    starting_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int]
    unreadable: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    current_score: bool = False


def summarize(payload: bytes | msgspec.Raw) -> PayloadSummary:
    """The summary of a payload.

    Raises msgspec.ValidationError when a section is not a list of objects, msgspec.DecodeError when it is not JSON.
    """
    fixture = _decoder.decode(payload)
    counts = {name: len(rows) for name in SECTIONS if (rows := getattr(fixture, name)) is not None}
    if fixture.lineups and any(row.details is not None for row in fixture.lineups):
        counts["lineups.details"] = sum(len(row.details or ()) for row in fixture.lineups)
    starting_at = as_utc(fixture.starting_at)
    flaws: tuple[str, ...] = ()
    if starting_at is None and fixture.starting_at not in (None, ""):
        flaws = (f"'starting_at' is no time ({clean_text(str(fixture.starting_at)[:40])})",)
    if any(each.ended not in (None, "") and as_epoch(each.ended) is None for each in fixture.periods or ()):
        flaws += ("the end of a period is no time",)
    return PayloadSummary(
        state_id=as_int(fixture.state_id),
        starting_at=starting_at,
        ended_at=_ended(fixture.periods or []),
        counts=counts,
        flaws=flaws,
        current_score=_has_current_score(fixture.scores or []),
    )


def _has_current_score(rows: list[_Score]) -> bool:
    current = [row.score for row in rows if row.description == "CURRENT" and isinstance(row.score, dict)]
    return {score.get("participant") for score in current if as_int(score.get("goals")) is not None} >= {"home", "away"}


def _ended(periods: list[_Period]) -> datetime | None:
    """The end of the last period; None when no period is known or one is still open."""
    ends = [as_epoch(period.ended) for period in periods]
    if not ends or any(end is None for end in ends) or any(period.ticking is True for period in periods):
        return None
    return datetime.fromtimestamp(max(end for end in ends if end is not None), UTC)
