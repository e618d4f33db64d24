"""The data of a fixture are consistent: goals, scores, results, line-ups, statistics, standings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from sandbox.testing import RunningSandbox

Row = dict[str, Any]
GOALS = (14, 15, 16)
PLAYED = (5, 7, 8)
INCLUDES = "participants;scores;events;statistics;periods;lineups.details"


def read(box: RunningSandbox, filters: str, include: str) -> list[Row]:
    rows: list[Row] = []
    cursor = ""
    while True:
        page = f"&cursor={cursor}" if cursor else "&per_page=50"
        _, _, body = box.get(f"football/fixtures?filters={filters}&include={include}{page}")
        rows += body["data"]
        if not body["pagination"]["has_more"]:
            return rows
        cursor = body["pagination"]["next_cursor"]


@pytest.fixture(scope="module")
def fixtures(_shared: RunningSandbox) -> list[Row]:
    """Every fixture of the world without statistics of players: 18 seasons, one of the six leagues is a cup."""
    _shared.reset()
    return read(_shared, "fixtureLeagues:8,564,384,82,271,24", "participants;scores;events;statistics;periods")


@pytest.fixture(scope="module")
def detailed(_shared: RunningSandbox) -> list[Row]:
    """The fixtures of three seasons with all includes."""
    _shared.reset()
    chunks = _shared.admin("GET", "/truth")["chunks"]
    chosen = [c["season_id"] for c in chunks if c["league_id"] in (8, 271, 24) and c["season_name"] == "2025/2026"]
    return read(_shared, f"fixtureSeasons:{','.join(map(str, chosen))}", INCLUDES)


def played(fixtures: list[Row]) -> Iterator[tuple[Row, dict[str, dict[str, int]], dict[int, str]]]:
    """(fixture, scores by description and side, side of each participant) of those with a result from play."""
    for row in fixtures:
        if row["state_id"] in PLAYED:
            scores: dict[str, dict[str, int]] = defaultdict(dict)
            for score in row["scores"]:
                scores[score["description"]][score["score"]["participant"]] = score["score"]["goals"]
            yield row, scores, {p["id"]: p["meta"]["location"] for p in row["participants"]}


def test_every_kind_of_state_occurs(fixtures: list[Row]) -> None:
    states = Counter(row["state_id"] for row in fixtures)
    assert len(fixtures) == 6 * 3 * 90
    assert {1, 5, 7, 8, 10, 12, 13, 15, 17} <= states.keys()
    assert states[5] > 1_000
    cup = Counter(row["state_id"] for row in fixtures if row["league_id"] == 24)
    assert cup[7] >= 5
    assert cup[8] >= 5
    assert not any(row["state_id"] in (7, 8) for row in fixtures if row["league_id"] == 8)


def test_goals_in_events_are_the_scores(fixtures: list[Row]) -> None:
    checked = 0
    for row, scores, side_of in played(fixtures):
        period = {p["id"]: p["type_id"] for p in row["periods"]}
        goals = Counter(
            (period[e["period_id"]], side_of[e["participant_id"]]) for e in row["events"] if e["type_id"] in GOALS
        )
        for side in ("home", "away"):
            first, second, extra = (goals[number, side] for number in (1, 2, 3))
            assert scores["1ST_HALF"][side] == first
            assert scores["2ND_HALF_ONLY"][side] == second
            assert scores["2ND_HALF"][side] == first + second
            assert scores["CURRENT"][side] == first + second + extra
            assert scores.get("ET", {}).get(side, 0) == extra
            kicks = sum(1 for e in row["events"] if e["type_id"] == 23 and side_of[e["participant_id"]] == side)
            assert scores.get("PENALTY_SHOOTOUT", {}).get(side, 0) == kicks
        assert ("ET" in scores) is (row["state_id"] in (7, 8))
        assert ("PENALTY_SHOOTOUT" in scores) is (row["state_id"] == 8)
        checked += 1
    assert checked > 1_000


def test_the_result_of_the_last_goal_is_the_score(fixtures: list[Row]) -> None:
    for row, scores, _ in played(fixtures):
        goals = [event for event in row["events"] if event["type_id"] in GOALS]
        if goals:
            assert goals[-1]["result"] == f"{scores['CURRENT']['home']}-{scores['CURRENT']['away']}"


def test_winner_and_result_info_follow_from_the_scores(fixtures: list[Row]) -> None:
    for row, scores, _ in played(fixtures):
        decisive = scores["PENALTY_SHOOTOUT"] if row["state_id"] == 8 else scores["CURRENT"]
        winners = {p["meta"]["location"]: p["meta"]["winner"] for p in row["participants"]}
        assert winners == {"home": decisive["home"] > decisive["away"], "away": decisive["away"] > decisive["home"]}
        name = next((p["name"] for p in row["participants"] if p["meta"]["winner"]), None)
        after = {5: "full-time", 7: "extra-time", 8: "penalties"}[row["state_id"]]
        assert row["result_info"] == (f"{name} won after {after}." if name else "Game ended in draw.")
        if row["state_id"] in (7, 8):
            assert name


def test_team_sheets(detailed: list[Row]) -> None:
    for row, _, side_of in played(detailed):
        assert len(row["lineups"]) == 46
        assert len({entry["player_id"] for entry in row["lineups"]}) == 46
        for team in side_of:
            starters = [e for e in row["lineups"] if e["team_id"] == team and e["type_id"] == 11]
            assert sorted(e["formation_position"] for e in starters) == list(range(1, 12))
            assert sum(e["position_id"] == 24 for e in starters) == 1
        assert all(entry["id"] > 2**31 for entry in row["lineups"])


def test_who_acts_is_on_the_sheet_and_on_the_pitch(detailed: list[Row]) -> None:
    for row, _, _ in played(detailed):
        sheet = {entry["player_id"]: entry for entry in row["lineups"]}
        minutes = {
            entry["player_id"]: detail["data"]["value"]
            for entry in row["lineups"] for detail in entry["details"] if detail["type_id"] == 119
        }  # fmt: skip
        left: set[int] = set()
        for event in row["events"]:
            if event["coach_id"]:
                assert event["player_id"] is None
                continue
            player = sheet[event["player_id"]]
            assert player["player_name"] == event["player_name"]
            own_goal = event["type_id"] == 15
            assert (player["team_id"] == event["participant_id"]) is not own_goal
            if event["type_id"] == 18:
                assert player["type_id"] == 12
                assert event["related_player_id"] in minutes
                left.add(event["related_player_id"])
            assert event["player_id"] in minutes or event["type_id"] == 10
            if event["type_id"] in (*GOALS, 22, 23, 18):
                assert event["player_id"] not in left
            if event["type_id"] in (20, 21):
                left.add(event["player_id"])


def test_figures_agree_with_events_and_leave_out_zeros(detailed: list[Row]) -> None:
    details_total = used = 0
    for row, scores, side_of in played(detailed):
        figures = {(s["type_id"], side_of[s["participant_id"]]): s["data"]["value"] for s in row["statistics"]}
        assert all(figures.values())
        assert all(s["location"] == side_of[s["participant_id"]] for s in row["statistics"])
        assert figures[45, "home"] + figures[45, "away"] == 100
        for side in ("home", "away"):
            assert figures.get((52, side), 0) == scores["CURRENT"][side]
            yellow = sum(1 for e in row["events"] if e["type_id"] == 19 and side_of[e["participant_id"]] == side)
            assert figures.get((84, side), 0) == yellow
            assert figures.get((86, side), 0) <= figures[42, side]
        goals = sum(d["data"]["value"] for e in row["lineups"] for d in e["details"] if d["type_id"] == 52)
        assert goals == sum(1 for e in row["events"] if e["type_id"] in (14, 16))
        for entry in row["lineups"]:
            values = {d["type_id"]: d["data"]["value"] for d in entry["details"]}
            details_total += len(values)
            assert all(values.values())
            if values:
                used += 1
                assert 3 <= values[118] <= 10
                assert 1 <= values[119] <= 120
                assert values.get(116, 0) <= values.get(80, 0)
            assert all(d["lineup_id"] == entry["id"] and d["player_id"] == entry["player_id"] for d in entry["details"])
        assert sum(1 for e in row["lineups"] for d in e["details"] if d["type_id"] == 40) <= 2
    assert 14 < details_total / 46 / (used / 31) < 24


def test_ids_are_unique_over_all_fixtures(detailed: list[Row]) -> None:
    for part in ("scores", "events", "statistics", "periods", "lineups"):
        ids = [item["id"] for row in detailed for item in row[part]]
        assert len(ids) == len(set(ids)), part
    details = [d["id"] for row in detailed for e in row["lineups"] for d in e["details"]]
    assert len(details) == len(set(details))


def test_what_was_not_played_is_empty(fixtures: list[Row]) -> None:
    for row in fixtures:
        if row["state_id"] in (1, 10, 12, 13):
            assert not any(row[part] for part in ("scores", "events", "statistics", "periods"))
            assert row["result_info"] is None
            assert [p["meta"]["winner"] for p in row["participants"]] == [None, None]
        elif row["state_id"] == 17:
            assert {s["description"] for s in row["scores"]} == {"CURRENT"}
            assert not row["events"]
        elif row["state_id"] == 15:
            assert row["periods"]
            assert row["result_info"] is None


def test_a_match_weighs_what_a_real_one_does(box: RunningSandbox, seasons: Any) -> None:
    fixture_id = seasons.ids(seasons.finished())[0]
    path = f"/v3/football/fixtures/{fixture_id}?include={INCLUDES}"
    size = len(box.request("GET", path, headers={"Authorization": box.key})[2])
    assert 90_000 < size < 170_000


def test_squads_hold_the_players_of_the_line_ups(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    row = box.get(f"football/fixtures/{seasons.ids(season)[7]}?include=lineups.player")[2]["data"]
    for team in {entry["team_id"] for entry in row["lineups"]}:
        squad = {p["player_id"] for p in box.get(f"football/squads/seasons/{season}/teams/{team}")[2]["data"]}
        assert {entry["player_id"] for entry in row["lineups"] if entry["team_id"] == team} <= squad
    assert all(entry["player"]["display_name"] == entry["player_name"] for entry in row["lineups"])


def test_the_table_is_made_of_the_results(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    _, _, body = box.get(f"football/standings/seasons/{season}?include=details;participant")
    points: Counter[int] = Counter()
    for page in (1, 2):
        rows = box.get(
            f"football/fixtures?filters=fixtureSeasons:{season}&include=participants&per_page=50&page={page}"
        )[2]
        for row in rows["data"]:
            winners = {p["id"]: p["meta"]["winner"] for p in row["participants"]}
            if None not in winners.values():
                draw = not any(winners.values())
                points.update({team: 1 if draw else 3 * won for team, won in winners.items()})
    assert {row["participant_id"]: row["points"] for row in body["data"]} == dict(points)
    assert [row["position"] for row in body["data"]] == list(range(1, 11))
    assert all("_figures" not in row and len(row["details"]) == 8 for row in body["data"])


def test_top_scorers_are_counted_from_events(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    goals: Counter[int] = Counter()
    for page in (1, 2):
        rows = box.get(f"football/fixtures?filters=fixtureSeasons:{season}&include=events&per_page=50&page={page}")[2][
            "data"
        ]
        for row in rows:
            if row["state_id"] in PLAYED:
                goals.update(e["player_id"] for e in row["events"] if e["type_id"] in (14, 16))
    found = box.get(f"football/topscorers/seasons/{season}?per_page=50&include=player")[2]["data"]
    best = [row for row in found if row["type_id"] == 208]
    assert best[0]["total"] == max(goals.values())
    assert all(goals[row["player_id"]] == row["total"] for row in best)
    assert all(row["player"]["id"] == row["player_id"] for row in best)


def test_reference_lists_know_every_id(box: RunningSandbox, detailed: list[Row]) -> None:
    types: set[int] = set()
    page = 1
    while True:
        _, _, body = box.get(f"core/types?per_page=50&page={page}")
        types |= {row["id"] for row in body["data"]}
        if not body["pagination"]["has_more"]:
            break
        page += 1
    for row in detailed:
        used = {item["type_id"] for part in ("scores", "events", "statistics", "lineups") for item in row[part]}
        used |= {d["type_id"] for e in row["lineups"] for d in e["details"]}
        used |= {e["sub_type_id"] for e in row["events"] if e["sub_type_id"]}
        assert used <= types, used - types
    states = box.get("football/states?per_page=50")[2]["data"]
    assert sorted(row["id"] for row in states) == [n for n in range(1, 27) if n != 24]
