"""The documented includes of a fixture: they need no check before a run, and a misspelt one is near one of them.

The list may be older than the API. An include that it lacks is not refused: it costs one call that tries it.
"""

from __future__ import annotations

import difflib

# What can be requested with a fixture.
FIXTURE_INCLUDES = frozenset(
    (
        "aggregate AIOverviews ballCoordinates coaches comments events expectedLineups formations group inplayOdds"
        " league lineups matchFacts metadata odds participants periods postmatchNews predictions premiumOdds"
        " prematchNews pressure referees round scores season sidelined sport stage state statistics timeline trends"
        " tvStations venue weatherReport xGFixture"
    ).split()
)
# What can be requested below one of them, as in lineups.details.type.
NESTED_INCLUDES = frozenset(
    (
        "bookmaker city coach country detailedPosition details league market participant period player position referee"
        " relatedPlayer season sideline stage state statistics subType team type tvStation venue"
    ).split()
)

_FIRST = {name.lower() for name in FIXTURE_INCLUDES}
_NESTED = {name.lower() for name in NESTED_INCLUDES}


def is_known(include: str) -> bool:
    """Whether every part of ``include`` (``lineups.details:type_id``) is documented, in any case."""
    first, *nested = include.partition(":")[0].strip().lower().split(".")
    return first in _FIRST and all(name in _NESTED for name in nested)


def near_name(include: str) -> str:
    """The documented include that ``include`` may be meant as; empty when none is near."""
    first, *nested = include.partition(":")[0].strip().split(".")
    found = [_near(first, FIXTURE_INCLUDES), *(_near(name, NESTED_INCLUDES) for name in nested)]
    known = all(found) and is_known(".".join(found)) and ".".join(found).lower() != ".".join((first, *nested)).lower()
    return ".".join(found) if known else ""


def _near(name: str, names: frozenset[str]) -> str:
    by_folded = {each.lower(): each for each in sorted(names)}
    near = difflib.get_close_matches(name.lower(), by_folded, n=1)
    return by_folded[near[0]] if near else ""
