"""Which sections of a payload are suspected to be missing by an accident: pure functions, no stored data is compared.

A loss against what is stored is the guard's matter (``load.decision``). Here a payload may be the first one, or the
first one of a played match: rows that every fixture of its kind has, or sections that were requested, are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sportmonks.load.sections import by_section
from sportmonks.load.summary import SECTIONS, PayloadSummary
from sportmonks.planning.states import DELETED, PLAYED

# A played match that has no row in any of these is without detail.
DETAIL_SECTIONS = ("events", "lineups", "statistics")
DETAILS = "lineups.details"
# A match without any detail is unlike its season when so many of the others have some. Less than half, because an
# accident may meet most of a season; in a cup only the last rounds may have detail, a tenth of the matches.
SHARE_WITH_DETAIL = 0.2


def lacking(summary: PayloadSummary, includes: Iterable[str]) -> tuple[str, ...]:
    """The requested sections that a payload must have rows in and has none, then those that it lacks altogether.

    Every fixture has participants; every played one a home and an away team, the current score, and lineups of both
    teams if it has lineups. Other sections may be empty, but the API sends an empty list then. A deleted fixture lacks
    nothing.
    """
    if summary.state_id == DELETED:
        return ()
    names = [name.partition(":")[0].strip().lower() for name in includes]
    requested = by_section(names).keys()
    found = [name for name in essential(summary.state_id) if name in requested and not _suffices(name, summary)]
    found += [name for name in SECTIONS if name in requested and name not in summary.counts and name not in found]
    nested = any(f"{name}.".startswith(f"{DETAILS}.") for name in names)
    if nested and summary.counts.get("lineups") and DETAILS not in summary.counts:
        found.append(DETAILS)
    if _lineups_of_one_team(summary) and "lineups" in requested:
        found.append("lineups")
    return tuple(found)


def _suffices(section: str, summary: PayloadSummary) -> bool:
    """Whether an essential section has what a fixture of its state always has in it."""
    if not summary.counts.get(section):
        return False
    if summary.state_id not in PLAYED:
        return True
    return summary.current_score if section == "scores" else summary.both_sides


def _lineups_of_one_team(summary: PayloadSummary) -> bool:
    return summary.state_id in PLAYED and bool(summary.counts.get("lineups")) and not summary.both_lineups


def halved(stored: PayloadSummary, came: PayloadSummary) -> frozenset[str]:
    """Sections of a played match that tell of one side only, or of no side now, where the stored ones tell of both."""
    if came.state_id not in PLAYED:
        return frozenset()
    return frozenset(name for name in _of_both_sides(stored) - _of_both_sides(came) if came.counts.get(name))


def _of_both_sides(summary: PayloadSummary) -> frozenset[str]:
    complete = {"participants": summary.both_sides, "scores": summary.current_score, "lineups": summary.both_lineups}
    return frozenset(name for name, both in complete.items() if both and summary.counts.get(name))


def essential(state_id: int | None) -> tuple[str, ...]:
    """Sections in which a fixture of this state always has rows."""
    return ("participants", "scores") if state_id in PLAYED else ("participants",)


@dataclass(frozen=True, slots=True)
class Detail:
    """Which sections of ``DETAIL_SECTIONS`` a played match has rows in, of those that were ``requested`` for it.

    ``goals``: those of both sides, None when they are not known.
    """

    requested: frozenset[str]
    filled: frozenset[str]
    goals: int | None

    @classmethod
    def of(cls, summary: PayloadSummary, includes: Iterable[str]) -> Detail:
        """That of a payload which was requested with ``includes``."""
        requested = by_section(includes).keys() & {*DETAIL_SECTIONS}
        filled = (name for name in DETAIL_SECTIONS if summary.counts.get(name))
        return cls(frozenset(requested), frozenset(filled), summary.goals)

    @property
    def empty(self) -> frozenset[str]:
        """The requested sections without a row."""
        return self.requested - self.filled


def unlike_others(detail: Detail, played: Mapping[Detail, int]) -> tuple[str, ...]:
    """The sections that a played match lacks while the other played ones of its season have them.

    ``played``: how many of the season's played matches have which detail, the match itself among them. All sections of
    a match without any detail are missed when at least ``SHARE_WITH_DETAIL`` of the others have some. A section alone
    is missed when more than half of the others for which it was requested have rows in it; events only in a match with
    goals, because nothing need have happened in another.
    """
    if detail.requested and not detail.filled:
        others = sum(count for other, count in played.items() if other.requested & detail.requested) - 1
        filled = sum(count for other, count in played.items() if other.filled & detail.requested)
        if filled and filled >= others * SHARE_WITH_DETAIL:
            return tuple(name for name in DETAIL_SECTIONS if name in detail.requested)
    found = []
    for name in DETAIL_SECTIONS:
        if name in detail.empty and (name != "events" or detail.goals):
            others = sum(count for other, count in played.items() if name in other.requested) - 1
            filled = sum(count for other, count in played.items() if name in other.requested & other.filled)
            if filled * 2 > others:
                found.append(name)
    return tuple(found)


def details_of(summaries: Mapping[int, PayloadSummary], includes: Iterable[str]) -> dict[int, Detail]:
    """The detail of the played matches of a batch, by fixture id."""
    names = tuple(includes)
    return {key: Detail.of(summary, names) for key, summary in summaries.items() if summary.state_id in PLAYED}
