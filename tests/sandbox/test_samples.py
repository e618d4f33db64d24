"""The shape of recorded responses: the sandbox has each of their keys with its types, and no other key."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from sandbox.testing import RunningSandbox

Shape = dict[str, set[str]]
SAMPLE_INCLUDES = "scores;state.type;lineups.details;events.player;timeline;statistics;periods;participants;comments"
# Early v3 had these on base rows; section 6 of the facts says they are gone.
GONE = {".data[].home_score", ".data[].away_score", ".data[].last_processed_at"}
# Ours say more than the samples do: the newer cursor, and keys of later payloads.
NEWER = {
    ".pagination.next_cursor",
    ".data[].has_odds",
    ".data[].has_premium_odds",
    ".data[].games_in_current_week",
    ".data.games_in_current_week",
    ".data[].tie_breaker_rule_id",
    ".data[].id",
    ".data[].participant_id",
    ".data[].stat_group",
}


def shape(value: Any, path: str = "", found: Shape | None = None) -> Shape:
    """Type names of every path of a JSON value."""
    found = defaultdict(set) if found is None else found
    if isinstance(value, dict):
        for key, inner in value.items():
            shape(inner, f"{path}.{key}", found)
    elif isinstance(value, list):
        for inner in value:
            shape(inner, f"{path}[]", found)
    else:
        found[path].add(type(value).__name__)
    return found


def read(samples: Path, name: str) -> Any:
    return json.loads((samples / name).read_text(encoding="utf-8"))


def test_the_complete_fixture(box: RunningSandbox, seasons: Any, samples: Path) -> None:
    box.admin("POST", "/variants", {"subscription_meta": "object"})
    theirs = shape(read(samples, "2026_fixture_with_includes.json"))
    ours: Shape = defaultdict(set)
    ids = seasons.ids(seasons.finished(24)) + seasons.ids(seasons.finished(271)) + seasons.ids(seasons.current())[-3:]
    for fixture_id in ids:
        shape(box.get(f"football/fixtures/{fixture_id}?include={SAMPLE_INCLUDES}")[2], "", ours)
    missing = {path: kinds - ours[path] for path, kinds in theirs.items() if kinds - ours[path]}
    assert missing == {}
    assert {path for path in ours if ours[path] - {"NoneType"}} - theirs.keys() == set()


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("2023_football__leagues__all", "football/leagues"),
        ("2023_football__leagues__by_id", "football/leagues/271"),
        ("2023_football__seasons__all", "football/seasons"),
        ("2023_football__seasons__by_id", "football/seasons/{season}"),
        ("2023_football__stages__by_season_id", "football/stages/seasons/{season}"),
        ("2023_football__rounds__season_id", "football/rounds/seasons/{season}"),
        ("2023_football__teams__by_season_id", "football/teams/seasons/{season}"),
        ("2023_football__venues__by_season_id", "football/venues/seasons/{season}"),
        ("2023_football__standings__by_season_id", "football/standings/seasons/{season}"),
        ("2023_football__topscorers__by_season_id", "football/topscorers/seasons/{season}"),
        ("2023_football__states__by_sport", "football/states"),
        ("2023_core__types__all", "core/types"),
        ("2023_my__leagues__all", "my/leagues"),
        ("2023_football__fixtures__all", "football/fixtures"),
        ("2023_football__fixtures__by_date_range", "football/fixtures/between/2025-08-01/2025-10-01"),
        ("2023_football__fixtures__by_ids", "football/fixtures/multi/{ids}"),
    ],
)
def test_lists(box: RunningSandbox, seasons: Any, samples: Path, name: str, path: str) -> None:
    season = seasons.finished(271)
    ids = ",".join(map(str, seasons.ids(season)[:2]))
    theirs = shape(read(samples, f"{name}.json"))
    body = box.get(path.format(season=season, ids=ids))[2]
    ours = shape(body)
    assert set(theirs) - GONE <= set(ours)
    for key, kinds in theirs.items():
        if key not in GONE and "_at" not in key:
            assert ours[key] & kinds or ours[key] == {"NoneType"} or kinds == {"NoneType"}, (key, kinds, ours[key])
    assert set(ours) - set(theirs) <= NEWER
    assert ("pagination" in read(samples, f"{name}.json")) is ("pagination" in body)


@pytest.mark.parametrize(("name", "path"), [("error_401", ""), ("error_403_include", "football/fixtures?include=odds")])
def test_errors_are_word_for_word(box: RunningSandbox, samples: Path, name: str, path: str) -> None:
    body = box.get(path or "football/leagues", key=None if path else "wrong")[2]
    assert body == read(samples, f"{name}.json")


def test_the_429_has_the_keys_of_the_seen_one(box: RunningSandbox, samples: Path) -> None:
    box.admin("POST", "/limits", {"limit": 1})
    box.admin("POST", "/variants", {"retry_after": "none"})
    box.get("football/leagues")
    body = box.get("football/leagues")[2]
    theirs = read(samples, "error_429.json")
    assert body.keys() == theirs.keys()
    assert body["message"] == theirs["message"]


def test_the_400_has_the_shape_of_the_documented_one(box: RunningSandbox, samples: Path) -> None:
    body = box.get("football/fixtures?filters=fixtureSeasons")[2]
    theirs = read(samples, "error_400_documented.json")
    assert body["message"] == theirs["message"]
    assert body["errors"] == theirs["errors"]
