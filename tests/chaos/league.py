"""A league of the sandbox, and where its corrections must show up."""

from __future__ import annotations

from sandbox.testing import RunningSandbox
from sportmonks.config.manifest import League, Season
from sportmonks.config.settings import DEFAULT_INCLUDES

# Sections in which a correction must show up, by the sandbox's name of its kind.
SECTIONS = {
    "goal_added": {"events", "scores"},
    "goal_removed": {"events", "scores"},
    "detail_changed": {"lineups.details"},
    "statistic_changed": {"statistics"},
    "state_extended": {"fixture"},
}


def league_of(box: RunningSandbox, league_id: int | None = None) -> League:
    """A league of the sandbox as the manifest would hold it: that of ``league_id``, else the first."""
    chunks = box.admin("GET", "/truth")["chunks"]
    chunks = [row for row in chunks if row["league_id"] == (league_id or chunks[0]["league_id"])]
    seasons = tuple(
        Season(
            id=row["season_id"],
            name=row["season_name"],
            group=f"season_{row['season_id']}",
            is_current=row["is_current"],
        )
        for row in reversed(chunks)
    )
    return League(
        id=chunks[0]["league_id"],
        name=chunks[0]["league_name"],
        slug="chaos",
        schedule=None,
        deadline_minutes=60,
        includes=DEFAULT_INCLUDES,
        seasons=seasons,
    )
