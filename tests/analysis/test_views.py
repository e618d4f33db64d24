"""The views for analysts say what the payloads say, with names."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import psycopg

from sandbox.reference import TYPES
from tests.analysis.conftest import Ask, asker, prepare
from tests.harness.load import FixtureJson

PLAYED = (5, 7, 8, 17)
# Column of football.player_match -> type of the provider's detail.
FIGURES = {
    "minutes": 119,
    "rating": 118,
    "shots": 42,
    "shots_on_target": 86,
    "passes": 80,
    "accurate_passes": 116,
    "key_passes": 117,
    "tackles": 78,
    "interceptions": 100,
    "saves": 57,
    "duels_won": 106,
}
COUNTS = {
    "goals": (14, 16),
    "own_goals": (15,),
    "yellow_cards": (19,),
    "red_cards": (20,),
    "second_yellow_cards": (21,),
}


def pair(payload: FixtureJson, description: str) -> tuple[int | None, int | None]:
    found = {
        row["score"]["participant"]: row["score"]["goals"]
        for row in payload["scores"]
        if row["description"] == description
    }
    return found.get("home"), found.get("away")


def winner(payload: FixtureJson) -> str | None:
    if payload["state_id"] not in PLAYED:
        return None
    return next((team["meta"]["location"] for team in payload["participants"] if team["meta"]["winner"]), "draw")


def test_results(payloads: list[FixtureJson], ask: Ask) -> None:
    rows = {row["fixture_id"]: row for row in ask("SELECT * FROM football.fixture_results")}
    assert rows.keys() == {payload["id"] for payload in payloads}
    assert {payload["state_id"] for payload in payloads} >= {5, 7, 8}, "choose a season with extra time and penalties"
    for payload in payloads:
        row = rows[payload["id"]]
        assert (row["home_goals"], row["away_goals"]) == pair(payload, "CURRENT")
        assert (row["half_time_home_goals"], row["half_time_away_goals"]) == pair(payload, "1ST_HALF")
        assert (row["extra_time_home_goals"], row["extra_time_away_goals"]) == pair(payload, "ET")
        assert (row["penalties_home"], row["penalties_away"]) == pair(payload, "PENALTY_SHOOTOUT")
        assert row["winner"] == winner(payload)
        won = {team["meta"]["location"]: team["id"] for team in payload["participants"]}.get(row["winner"] or "")
        assert row["winner_team_id"] == won


def test_a_match_awarded_without_a_score_has_the_winner_that_the_provider_names(
    payloads: list[FixtureJson], shared: psycopg.Connection[Any], ask: Ask
) -> None:
    key = next(payload["id"] for payload in payloads if winner(payload) == "away")
    shared.execute(
        "UPDATE football.fixtures SET state_id = 14, home_goals = NULL, away_goals = NULL WHERE id = %s", (key,)
    )
    shared.execute("DELETE FROM football.fixture_scores WHERE fixture_id = %s", (key,))
    assert ask("SELECT winner FROM football.fixture_results WHERE fixture_id = %s", key) == [{"winner": "away"}]


def test_statistics_of_teams_have_names(payloads: list[FixtureJson], ask: Ask) -> None:
    rows = ask("SELECT * FROM football.team_match_statistics ORDER BY fixture_id, team_id, type_id")
    expected = []
    for payload in sorted(payloads, key=lambda found: found["id"]):
        teams = {team["id"]: team["name"] for team in payload["participants"]}
        for row in sorted(payload["statistics"], key=lambda found: (found["participant_id"], found["type_id"])):
            (opponent,) = teams.keys() - {row["participant_id"]}
            names = (teams[row["participant_id"]], teams[opponent], TYPES[row["type_id"]]["developer_name"])
            expected.append((payload["id"], *names, row["location"], Decimal(str(row["data"]["value"]))))
    names = ("fixture_id", "team", "opponent", "statistic", "location", "value")
    assert [tuple(row[name] for name in names) for row in rows] == expected


def test_events_have_names(payloads: list[FixtureJson], ask: Ask) -> None:
    payload = max(payloads, key=lambda found: len(found["events"]))
    rows = ask("SELECT * FROM football.events_named WHERE fixture_id = %s ORDER BY event_id", payload["id"])
    teams = {team["id"]: team["name"] for team in payload["participants"]}
    assert [(row["event"], row["detail"], row["team"], row["player_name"], row["minute"]) for row in rows] == [
        (
            TYPES[event["type_id"]]["developer_name"],
            TYPES[event["sub_type_id"]]["name"] if event["sub_type_id"] else None,
            teams[event["participant_id"]],
            event["player_name"],
            event["minute"],
        )
        for event in sorted(payload["events"], key=lambda found: found["id"])
    ]
    periods = {period["id"]: (period["description"], period["counts_from"]) for period in payload["periods"]}
    assert {(row["period"], row["period_from"]) for row in rows} <= set(periods.values())


def test_events_in_the_order_of_play(payloads: list[FixtureJson], ask: Ask) -> None:
    """The score only grows."""
    key = next(payload["id"] for payload in payloads if payload["state_id"] == 8)
    rows = ask(
        "SELECT event, result FROM football.events_named WHERE fixture_id = %s AND result IS NOT NULL"
        " ORDER BY period_from, minute, extra_minute NULLS FIRST, sort_order",
        key,
    )
    for shootout in (False, True):
        scores = [
            [int(side) for side in row["result"].split("-")]
            for row in rows
            if row["event"].startswith("PENALTY_SHOOTOUT") is shootout
        ]
        assert [sum(score) for score in scores] == sorted(sum(score) for score in scores)
        assert scores


def test_an_unknown_kind_keeps_its_row(payloads: list[FixtureJson], shared: psycopg.Connection[Any], ask: Ask) -> None:
    count = "SELECT count(*) FROM football.events_named"
    before = ask(count)
    shared.execute("DELETE FROM football.types WHERE id = 18")
    assert ask(count) == before
    assert ask("SELECT DISTINCT event, event_name FROM football.events_named WHERE type_id = 18") == [
        {"event": "18", "event_name": None}
    ]


def test_a_players_match_is_what_the_payload_says(payloads: list[FixtureJson], ask: Ask) -> None:
    rows = {(row["fixture_id"], row["player_id"]): row for row in ask("SELECT * FROM football.player_match")}
    assert len(rows) == sum(len(payload["lineups"]) for payload in payloads)
    for payload in payloads:
        events = Counter((event["player_id"], event["type_id"]) for event in payload["events"])
        assists = Counter(event["related_player_id"] for event in payload["events"] if event["type_id"] == 14)
        for entry in payload["lineups"]:
            row = rows[payload["id"], entry["player_id"]]
            details = {detail["type_id"]: detail["data"]["value"] for detail in entry["details"]}
            for column, type_id in FIGURES.items():
                value = details.get(type_id)
                assert row[column] == (None if value is None else Decimal(str(value))), column
            for column, kinds in COUNTS.items():
                assert row[column] == sum(events[entry["player_id"], kind] for kind in kinds), column
            assert row["assists"] == assists[entry["player_id"]]
            assert row["started"] == (entry["type_id"] == 11)
            assert row["played"] == bool(entry["type_id"] == 11 or details.get(119))
            assert row["captain"] == bool(details.get(40))
            assert row["position"] == TYPES[entry["position_id"]]["name"]


def without_details(payload: FixtureJson) -> FixtureJson:
    return {**payload, "lineups": [{k: v for k, v in row.items() if k != "details"} for row in payload["lineups"]]}


def test_without_details_goals_and_cards_come_from_the_events(
    warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]
) -> None:
    chunk, ask = prepare(warehouse, payloads), asker(warehouse)
    chunk.includes = ("participants", "scores", "events", "lineups")
    chunk.store(*(without_details(payload) for payload in payloads))
    (found,) = ask(
        "SELECT sum(goals) AS goals, sum(yellow_cards) AS cards, count(minutes) AS minutes,"
        " bool_or(played AND NOT started) AS substitutes FROM football.player_match"
    )
    kinds = Counter(event["type_id"] for payload in payloads for event in payload["events"] if event["player_id"])
    assert found == {"goals": kinds[14] + kinds[16], "cards": kinds[19], "minutes": 0, "substitutes": True}


def test_what_nobody_sent_is_not_zero(warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]) -> None:
    chunk, ask = prepare(warehouse, payloads), asker(warehouse)
    chunk.includes = ("participants", "lineups")
    some = payloads[0]
    chunk.store({key: value for key, value in without_details(some).items() if key not in ("events", "statistics")})
    assert ask("SELECT DISTINCT goals, assists, yellow_cards, minutes FROM football.player_match") == [
        {"goals": None, "assists": None, "yellow_cards": None, "minutes": None}
    ]


def test_a_players_season_adds_up(payloads: list[FixtureJson], ask: Ask) -> None:
    rows = ask("SELECT * FROM football.player_season")
    matches = ask("SELECT * FROM football.player_match")
    assert {(row["player_id"], row["team_id"]) for row in rows} == {(m["player_id"], m["team_id"]) for m in matches}
    for row in rows:
        mine = [match for match in matches if match["player_id"] == row["player_id"]]
        assert row["appearances"] == sum(match["played"] for match in mine)
        for column in ("goals", "assists", "minutes", "passes", "yellow_cards"):
            values = [match[column] for match in mine if match[column] is not None]
            assert row[column] == (sum(values) if values else None), column


def test_deleted_and_replaced_matches_are_left_out(
    payloads: list[FixtureJson], shared: psycopg.Connection[Any], ask: Ask
) -> None:
    def fixtures() -> dict[str, set[int]]:
        views = ("fixture_results", "team_match_statistics", "events_named", "player_match")
        return {view: {row["fixture_id"] for row in ask(f"SELECT fixture_id FROM football.{view}")} for view in views}

    gone, replaced = (payload["id"] for payload in [found for found in payloads if found["state_id"] == 5][:2])
    before = fixtures()
    assert all({gone, replaced} < found for found in before.values())
    shared.execute(
        "UPDATE football.fixtures SET collection_status = 'DELETED', deleted_at = now() WHERE id = %s", (gone,)
    )
    shared.execute("UPDATE football.fixtures SET replaced_by = 1 WHERE id = %s", (replaced,))
    assert fixtures() == {view: found - {gone, replaced} for view, found in before.items()}
