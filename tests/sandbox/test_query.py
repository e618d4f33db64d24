"""Includes with nesting, field selection and select, over HTTP and in the parser."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.query import ApiError, parse_includes, parse_query, read_cursor, write_cursor
from sandbox.testing import RunningSandbox

ALL = (
    "participants;scores;events.type;events.player;events.subType;statistics.type;periods;lineups.details.type;lineups.player;"
    "timeline;comments;formations;referees.referee;coaches;sidelined;weatherReport;metadata;state;venue;league.country;"
    "season;stage;round"
)


def test_tree_of_includes() -> None:
    tree = parse_includes("participants; lineups.details:type_id,data;lineups.player;events:minute")
    assert list(tree) == ["participants", "lineups", "events"]
    assert tree["lineups"].children["details"].fields == ("data", "type_id")
    assert set(tree["lineups"].children) == {"details", "player"}
    assert tree["events"].fields == ("minute",)
    with pytest.raises(ApiError):
        parse_includes("a..b")


def test_cursor_goes_there_and_back() -> None:
    token = write_cursor(50, 19_683_241, 25, True)
    assert read_cursor(token) == (50, 19_683_241, 25, True)
    assert read_cursor(f"https://host/v3/football/fixtures?cursor={token}") == (50, 19_683_241, 25, True)


@pytest.mark.parametrize("params", [{"per_page": "-1"}, {"page": "x"}, {"filters": "a:1,b"}, {"order": "up"}])
def test_bad_parameters_are_400(params: dict[str, str]) -> None:
    with pytest.raises(ApiError) as caught:
        parse_query(params)
    assert caught.value.status == 400


def test_all_includes_at_once(box: RunningSandbox, seasons: Any) -> None:
    ids = seasons.ids(seasons.finished())[:3]
    _, _, body = box.get(f"football/fixtures/multi/{','.join(map(str, ids))}?include={ALL}")
    for row in body["data"]:
        for key in ("weatherreport", "state", "venue", "league", "season", "stage", "round"):
            assert isinstance(row[key], dict), key
        assert row["round"]["name"].isdigit()
        assert row["league"]["country"]["name"] == "England"
        assert isinstance(row["venue"]["latitude"], str)
        assert len(row["referees"]) == 4
        assert len(row["formations"]) == len(row["coaches"]) == 2
        assert all(event["type"]["id"] == event["type_id"] for event in row["events"])
        assert all(d["type"]["id"] == d["type_id"] for e in row["lineups"] for d in e["details"])
        assert sum(comment["is_goal"] for comment in row["comments"]) == sum(
            event["type_id"] in (14, 15, 16) for event in row["events"]
        )
    assert "weatherReport" not in body["data"][0]


def test_rows_hold_base_fields_only_without_includes(box: RunningSandbox) -> None:
    row = box.get("football/fixtures?per_page=1")[2]["data"][0]
    assert len(row) == 20
    assert not any(isinstance(value, (list, dict)) for value in row.values())


def test_field_selection(box: RunningSandbox, seasons: Any) -> None:
    fixture_id = seasons.ids(seasons.finished())[0]
    picked = "lineups.details:type_id,data;participants:name;events:minute"
    path = f"football/fixtures/{fixture_id}?select=name,state_id&include={picked}"
    row = box.get(path)[2]["data"]
    assert set(row) == {"id", "name", "state_id", "lineups", "participants", "events"}
    assert {key for entry in row["lineups"] for d in entry["details"] for key in d} == {"id", "type_id", "data"}
    assert set(row["participants"][0]) == {"id", "name", "meta"}
    assert set(row["events"][0]) == {"id", "minute"}
    assert "player_name" in row["lineups"][0]
    box.admin("POST", "/variants", {"select_keeps_keys": "yes"})
    row = box.get(path)[2]["data"]
    assert "fixture_id" in row["events"][0]
    assert row["league_id"] == 8


def test_schedule_holds_the_complete_season(box: RunningSandbox, seasons: Any) -> None:
    for league in (8, 271):
        season = seasons.finished(league)
        _, _, body = box.get(f"football/schedules/seasons/{season}")
        found = [f["id"] for stage in body["data"] for r in stage["rounds"] for f in r["fixtures"]]
        found += [f["id"] for stage in body["data"] for f in stage["fixtures"]]
        assert sorted(found) == seasons.ids(season)
    assert len(body["data"]) == 2
    assert body["data"][0]["rounds"][0]["fixtures"][0]["scores"]


def test_seasons_leagues_and_their_relations(box: RunningSandbox, seasons: Any) -> None:
    rows = box.get("football/seasons?filters=seasonLeagues:8,564&include=league;stages")[2]["data"]
    assert {row["league_id"] for row in rows} == {8, 564}
    assert all(row["stages"] and row["league"]["id"] == row["league_id"] for row in rows)
    box.admin("POST", "/variants", {"season_filter": "no"})
    assert box.get("football/seasons?filters=seasonLeagues:8")[2]["code"] == 5010
    season = seasons.current()
    row = box.get(f"football/seasons/{season}?include=fixtures")[2]["data"]
    assert [f["id"] for f in row["fixtures"]] == seasons.ids(season)
    teams = box.get(f"football/teams/seasons/{season}?include=venue")[2]["data"]
    assert len(teams) == 10
    assert {t["venue"]["id"] for t in teams} == {
        v["id"] for v in box.get(f"football/venues/seasons/{season}")[2]["data"]
    }


def test_transfers_lie_in_their_period(box: RunningSandbox) -> None:
    _, _, body = box.get(
        "football/transfers/between/2026-07-01/2026-07-31?per_page=50&include=player;fromTeam;toTeam;type"
    )
    assert body["data"]
    for row in body["data"]:
        assert "2026-07-01" <= row["date"] <= "2026-07-31"
        assert row["from_team_id"] != row["to_team_id"] == row["toteam"]["id"]
        assert row["player"]["id"] == row["player_id"]
