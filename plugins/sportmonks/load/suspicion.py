"""Which sections of a payload are suspected to be missing by an accident: pure functions, no stored data is compared.

A loss against what is stored is the guard's matter (``load.decision``). Here a payload may be the first one, or the
first one of a played match: rows that every fixture of its kind has, or sections that were requested, are not there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sportmonks.load.sections import by_section
from sportmonks.load.summary import SECTIONS, PayloadSummary
from sportmonks.planning.states import DELETED, PLAYED

# A played match that has no row in any of these is without detail.
DETAIL_SECTIONS = ("events", "lineups", "statistics")
DETAILS = "lineups.details"


def lacking(summary: PayloadSummary, includes: Iterable[str]) -> tuple[str, ...]:
    """The requested sections that a payload must have rows in and has none, then those that it lacks altogether.

    Every fixture has participants, every played one scores. Other sections may be empty, but the API sends an empty
    list then. A deleted fixture lacks nothing.
    """
    if summary.state_id == DELETED:
        return ()
    names = [name.partition(":")[0].strip().lower() for name in includes]
    requested = by_section(names).keys()
    found = [name for name in essential(summary.state_id) if name in requested and not summary.counts.get(name)]
    found += [name for name in SECTIONS if name in requested and name not in summary.counts and name not in found]
    nested = any(f"{name}.".startswith(f"{DETAILS}.") for name in names)
    if nested and summary.counts.get("lineups") and DETAILS not in summary.counts:
        found.append(DETAILS)
    return tuple(found)


def essential(state_id: int | None) -> tuple[str, ...]:
    """Sections in which a fixture of this state always has rows."""
    return ("participants", "scores") if state_id in PLAYED else ("participants",)


def without_detail(summaries: Mapping[int, PayloadSummary], *, others_have: bool = False) -> frozenset[int]:
    """Played fixtures of a batch without any event, lineup or statistic, if others have some: in the batch, or among
    what is stored of their season (``others_have``).

    The provider may have nothing more of them, so they are saved; but their payloads are suspected to be incomplete.
    """
    detailed = {
        key: any(summary.counts.get(name) for name in DETAIL_SECTIONS)
        for key, summary in summaries.items()
        if summary.state_id in PLAYED
    }
    if not others_have and not any(detailed.values()):
        return frozenset()
    return frozenset(key for key, any_row in detailed.items() if not any_row)
