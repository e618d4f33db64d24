"""The few fields of a payload on which decisions depend, read without building Python objects for the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import msgspec

from sportmonks.coerce import as_epoch, as_int, as_utc, clean_text
from sportmonks.load.place import Place

if TYPE_CHECKING:
    from sportmonks.load.rows import Period, TypedFixture

SECTIONS = ("participants", "scores", "events", "lineups", "statistics", "periods")
# Fields of the fixture itself that say which match it is, and its result: what was known of one and does not come any
# more is a loss like that of a section.
_NUMBERS = ("league_id", "season_id", "stage_id", "round_id", "group_id", "aggregate_id", "venue_id", "state_id")
_TEXTS = ("name", "result_info", "leg", "details")
BASE_FIELDS = frozenset({*_NUMBERS, *_TEXTS, "starting_at"})
# The API may drop these for all fixtures at once, and no match is another one without them.
MINOR_FIELDS = frozenset({"length", "placeholder", "has_odds", "has_premium_odds", "sport_id", "starting_at_timestamp"})

IdT = TypeVar("IdT")


class _Row(msgspec.Struct, Generic[IdT]):
    id: IdT


class _Participant(msgspec.Struct, Generic[IdT]):
    id: IdT
    meta: Any = None


class _Period(msgspec.Struct, Generic[IdT]):
    id: IdT
    ended: Any = None
    ticking: Any = None


class _Lineup(msgspec.Struct, Generic[IdT]):
    id: IdT
    team_id: Any = None
    details: list[_Row[IdT]] | None = None


class _Score(msgspec.Struct, Generic[IdT]):
    id: IdT
    description: Any = None
    score: Any = None


class BaseFields(msgspec.Struct):
    """The fields of the fixture itself on which decisions depend."""

    league_id: Any = None
    season_id: Any = None
    stage_id: Any = None
    round_id: Any = None
    group_id: Any = None
    aggregate_id: Any = None
    venue_id: Any = None
    state_id: Any = None
    name: Any = None
    starting_at: Any = None
    result_info: Any = None
    leg: Any = None
    details: Any = None


class _Fixture(BaseFields, Generic[IdT]):
    participants: list[_Participant[IdT]] | None = None
    scores: list[_Score[IdT]] | None = None
    events: list[_Row[IdT]] | None = None
    statistics: list[_Row[IdT]] | None = None
    lineups: list[_Lineup[IdT]] | None = None
    periods: list[_Period[IdT]] | None = None


_decoder = msgspec.json.Decoder(_Fixture[int])
_cleaned_decoder = msgspec.json.Decoder(_Fixture[Any])


@dataclass(frozen=True, slots=True)
class PayloadSummary:
    """State and times of a fixture, and ``counts``: rows per section that the payload holds.

    ``lineups.details`` counts the details of all lineups together. A section that the payload lacks has no count. A
    field of ``BASE_FIELDS`` with a value counts as one row of its own.
    ``unreadable``: sections that came as something else than a list, or as a list without a single usable
    row, or with a negative score;
    ``flaws``: times that cannot be read. ``goals``: those of either side together, None when the scores do not tell
    how many either side has now. ``place``: the league and season that it names (None: none). ``both_sides``: there is
    a home and an away team; ``both_lineups``: the lineups are those of more than one team.
    """

    state_id: int | None
    starting_at: datetime | None
    ended_at: datetime | None
    counts: dict[str, int]
    unreadable: tuple[str, ...] = ()
    flaws: tuple[str, ...] = ()
    goals: int | None = None
    place: Place = (None, None)
    both_sides: bool = True
    both_lineups: bool = True

    @property
    def current_score(self) -> bool:
        """Whether the scores tell how many goals either side has now."""
        return self.goals is not None


def summarize(payload: bytes | msgspec.Raw) -> PayloadSummary:
    """The summary of a payload.

    Raises msgspec.ValidationError when a section is not a list of objects with whole numbers as ids, or a score is
    negative; msgspec.DecodeError when it is not JSON.
    """
    fixture = _decoder.decode(payload)
    if any(is_negative(row.score) for row in fixture.scores or ()):
        raise msgspec.ValidationError("a score is negative")
    return _summary(fixture, _goals(fixture), _sides(fixture))


def summarize_typed(fixture: TypedFixture) -> PayloadSummary:
    """The same of typed rows, without reading the payload once more; raises ValidationError for a negative score."""
    scores = [(row.description, row.score) for row in fixture.scores or () if row.score is not None]
    if any(score.goals is not None and score.goals < 0 for _, score in scores):
        raise msgspec.ValidationError("a score is negative")
    goals = {score.participant: score.goals for description, score in scores if description == "CURRENT"}
    return _summary(fixture, goals, {row.meta.location for row in fixture.participants or () if row.meta is not None})


def summarize_cleaned(payload: bytes) -> PayloadSummary:
    """The summary of a payload that was cleaned: its sections hold usable rows only, some perhaps without an id."""
    fixture = _cleaned_decoder.decode(payload)
    return _summary(fixture, _goals(fixture), _sides(fixture))


def is_negative(score: Any) -> bool:
    """Whether a score has less than no goals: then its section tells nothing."""
    goals = as_int(score.get("goals")) if isinstance(score, dict) else None
    return goals is not None and goals < 0


def _summary(
    fixture: _Fixture[Any] | TypedFixture, goals: Mapping[Any, int | None], sides: Collection[Any]
) -> PayloadSummary:
    """``goals``: of either side now; ``sides``: those of which there is a team."""
    home, away = goals.get("home"), goals.get("away")
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
        counts=_counts(fixture, starting_at),
        flaws=flaws,
        goals=None if home is None or away is None else home + away,
        place=(as_int(fixture.league_id), as_int(fixture.season_id)),
        both_sides="home" in sides and "away" in sides,
        both_lineups=len({as_int(row.team_id) for row in fixture.lineups or ()} - {None}) > 1,
    )


def _counts(fixture: _Fixture[Any] | TypedFixture, starting_at: datetime | None) -> dict[str, int]:
    counts = {name: len(rows) for name in SECTIONS if (rows := getattr(fixture, name)) is not None}
    details = [len(row.details) for row in fixture.lineups or () if isinstance(row.details, list)]
    if details:
        counts["lineups.details"] = sum(details)
    counts.update((name, 1) for name in _NUMBERS if as_int(getattr(fixture, name)) is not None)
    counts.update((name, 1) for name in _TEXTS if getattr(fixture, name) not in (None, ""))
    if starting_at is not None:
        counts["starting_at"] = 1
    return counts


def _goals(fixture: _Fixture[Any]) -> dict[str, int | None]:
    current = [
        row.score for row in fixture.scores or () if row.description == "CURRENT" and isinstance(row.score, dict)
    ]
    # What is no text, as a list, names no side and could be no key.
    return {side: as_int(score.get("goals")) for score in current if isinstance(side := score.get("participant"), str)}


def _sides(fixture: _Fixture[Any]) -> set[str]:
    found = (row.meta.get("location") for row in fixture.participants or () if isinstance(row.meta, dict))
    return {location for location in found if isinstance(location, str)}


def _ended(periods: Iterable[_Period[Any] | Period]) -> datetime | None:
    """The end of the last period; None when no period is known or one is still open."""
    rows = list(periods)
    ends = [as_epoch(period.ended) for period in rows]
    if not ends or any(end is None for end in ends) or any(period.ticking is True for period in rows):
        return None
    return datetime.fromtimestamp(max(end for end in ends if end is not None), UTC)
