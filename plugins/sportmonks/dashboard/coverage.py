"""Which seasons the list of coverage shows, and its download has: those of leagues that match a filter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from sportmonks.dashboard.queries import Row

Only = Literal["failed", "stale", "suspected", "unread", "open"]

# What a season of the league has to be, at least one of them.
_IS: Mapping[Only, Callable[[Row], bool]] = {
    "failed": lambda season: season["status"] == "FAILED",
    "stale": lambda season: bool(season["stale"]),
    "suspected": lambda season: bool(season["suspected_fixtures"] or season["index_suspected_at"]),
    "unread": lambda season: season["state"] == "UNREAD",
    "open": lambda season: season["state"] == "UNREAD" or season["collected_fixtures"] < season["total_fixtures"],
}


def matching(seasons: list[Row], *, league: str | None = None, only: Only | None = None) -> list[Row]:
    """All seasons of the leagues whose name has ``league`` in it, in any case, and of which one is ``only``."""
    if league:
        seasons = [season for season in seasons if league.casefold() in season["league_name"].casefold()]
    if only:
        leagues = {season["league_id"] for season in seasons if _IS[only](season)}
        seasons = [season for season in seasons if season["league_id"] in leagues]
    return seasons
