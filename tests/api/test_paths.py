"""Paths of the API: their full form, their bucket, their shape in logs."""

from __future__ import annotations

import pytest

from sportmonks.api.paths import entity_of, full_path, shape


@pytest.mark.parametrize(
    ("path", "full", "entity"),
    [
        ("fixtures", "football/fixtures", "Fixture"),
        ("/football/fixtures/multi/1,2", "football/fixtures/multi/1,2", "Fixture"),
        ("livescores/inplay", "football/livescores/inplay", "Fixture"),
        ("schedules/seasons/1", "football/schedules/seasons/1", "Stage"),
        ("leagues", "football/leagues", "League"),
        ("teams/seasons/1", "football/teams/seasons/1", "Team"),
        ("my/leagues", "my/leagues", "League"),
        ("my/usage", "my/usage", "Resource"),
        ("core/types", "core/types", "Type"),
        ("core/countries", "core/countries", "Country"),
        ("standings/seasons/1", "football/standings/seasons/1", "Standing"),
        ("top-scorers", "football/top-scorers", "TopScorer"),
        ("", "football/", "Resource"),
    ],
)
def test_paths_and_their_buckets(path: str, full: str, entity: str) -> None:
    assert full_path(path) == full
    assert entity_of(path) == entity


def test_ids_are_folded_in_shapes() -> None:
    assert shape("football/fixtures/multi/1,22,333") == "football/fixtures/multi/{3 ids}"
    assert shape("football/squads/seasons/7/teams/8") == "football/squads/seasons/{id}/teams/{id}"
    assert shape("football/fixtures/between/2026-01-01/2026-02-01") == (
        "football/fixtures/between/2026-01-01/2026-02-01"
    )
