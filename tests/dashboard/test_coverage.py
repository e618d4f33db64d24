"""Which seasons the list of coverage and its download have."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.dashboard.coverage import Only, matching

SEASON: dict[str, Any] = {
    "status": "COMPLETED",
    "state": "COMPLETE",
    "stale": False,
    "suspected_fixtures": 0,
    "index_suspected_at": None,
    "collected_fixtures": 9,
    "total_fixtures": 9,
}
LEAGUES = {
    "La Liga": {"status": "FAILED"},
    "Bundesliga": {"stale": True},
    "Straßenliga": {"suspected_fixtures": 1},
    "Serie A": {"index_suspected_at": "2026-01-01T00:00:00Z"},
    "Eredivisie": {"state": "UNREAD", "collected_fixtures": 0, "total_fixtures": 0},
    "Superliga": {"state": "DUE", "collected_fixtures": 8},
    "Ligue 1": {},
}
# Each league has a season that is complete, and one more.
SEASONS = [
    SEASON | own | {"league_id": number, "league_name": name}
    for number, (name, changed) in enumerate(LEAGUES.items())
    for own in ({}, changed)
]


@pytest.mark.parametrize(
    ("league", "only", "expected"),
    [
        (None, None, set(LEAGUES)),
        ("", None, set(LEAGUES)),
        ("liga", None, {"La Liga", "Bundesliga", "Straßenliga", "Superliga"}),
        ("STRASSE", None, {"Straßenliga"}),
        (None, "failed", {"La Liga"}),
        (None, "stale", {"Bundesliga"}),
        (None, "suspected", {"Straßenliga", "Serie A"}),
        (None, "unread", {"Eredivisie"}),
        (None, "open", {"Eredivisie", "Superliga"}),
        ("super", "open", {"Superliga"}),
        ("super", "failed", set()),
    ],
)
def test_leagues_that_match(league: str | None, only: Only | None, expected: set[str]) -> None:
    """All seasons of a league, also those that are not so."""
    found = matching(SEASONS, league=league, only=only)
    assert {season["league_name"] for season in found} == expected
    assert len(found) == 2 * len(expected)
