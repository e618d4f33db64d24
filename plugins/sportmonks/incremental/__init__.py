"""Incremental collecting: what still needs fetching, and a record of every collector's run."""

from typing import TYPE_CHECKING, Any

from sportmonks.planning.freshness import (
    SWEEPS,
    SeasonLike,
    SeasonSpan,
    Sweep,
    get_seasons_to_fetch,
    get_years_to_fetch,
    rank_newest_first,
    season_ranks,
    should_fetch_year,
)

if TYPE_CHECKING:
    from sportmonks.incremental.collector import IncrementalCollector, masked

__all__ = [
    "SWEEPS",
    "IncrementalCollector",
    "SeasonLike",
    "SeasonSpan",
    "Sweep",
    "get_seasons_to_fetch",
    "get_years_to_fetch",
    "masked",
    "rank_newest_first",
    "season_ranks",
    "should_fetch_year",
]


def __getattr__(name: str) -> Any:
    # Loaded at first use: those who need only the planning functions do not load the database driver.
    if name in ("IncrementalCollector", "masked"):
        from sportmonks.incremental import collector

        return getattr(collector, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
