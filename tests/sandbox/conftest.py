"""One sandbox for all tests of this folder, reset before each; its clock stands still."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testing import RunningSandbox, running_sandbox

NOW = "2026-11-21T12:00:00"
ALL = "participants;scores;events;statistics;periods;lineups.details"


@pytest.fixture(scope="session")
def _shared() -> Iterator[RunningSandbox]:
    with running_sandbox(now=NOW, frozen=True, leagues=6) as sandbox:
        yield sandbox


@pytest.fixture
def box(_shared: RunningSandbox) -> RunningSandbox:
    _shared.reset()
    return _shared


class Seasons:
    """Seasons and fixtures of the shared sandbox."""

    def __init__(self, box: RunningSandbox) -> None:
        self.box = box
        self.chunks: list[dict[str, Any]] = box.admin("GET", "/truth")["chunks"]

    def finished(self, league_id: int = 8) -> int:
        """A season of last year, in which every match was played."""
        return next(
            c["season_id"] for c in self.chunks if c["league_id"] == league_id and c["season_name"] == "2025/2026"
        )

    def current(self, league_id: int = 8) -> int:
        return next(c["season_id"] for c in self.chunks if c["league_id"] == league_id and c["is_current"])

    def ids(self, season_id: int) -> list[int]:
        _, _, body = self.box.get(f"football/fixtures?filters=populate;fixtureSeasons:{season_id}&per_page=1000")
        return [row["id"] for row in body["data"]]


@pytest.fixture
def seasons(box: RunningSandbox) -> Seasons:
    found = Seasons(box)
    box.admin("DELETE", "/calls")
    return found
