"""Lists beside fixtures agree with each other, and the accidents of lists do what their help says."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import RunningSandbox


def listed(box: RunningSandbox, path: str) -> list[dict[str, Any]]:
    """All rows of a list."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        answer = box.get(f"football/{path}{'&' if '?' in path else '?'}per_page=50&page={page}")[2]
        found += answer.get("data", [])
        if not answer.get("pagination", {}).get("has_more"):
            return found
        page += 1


def a_page(box: RunningSandbox, number: int = 2, more: str = "") -> tuple[int, Any]:
    status, _, body = box.get(f"football/coaches?per_page=5&page={number}{more}")
    return status, body


def test_people_are_those_of_fixtures_and_squads(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    view = box.get(f"football/fixtures/{seasons.ids(season)[0]}?include=coaches;referees")[2]["data"]
    coaches = {row["id"]: row for row in listed(box, "coaches")}
    assert {row["id"] for row in view["coaches"]} <= coaches.keys()
    assert {row["referee_id"] for row in view["referees"]} <= {row["id"] for row in listed(box, "referees")}
    team = box.get(f"football/teams/seasons/{season}?include=sidelined")[2]["data"][0]
    players = {row["id"]: row for row in listed(box, "players")}
    members = box.get(f"football/squads/seasons/{season}/teams/{team['id']}")[2]["data"]
    assert {row["player_id"] for row in members} | {row["player_id"] for row in team["sidelined"]} <= players.keys()
    one = next(iter(players))
    assert box.get(f"football/players/{one}")[2]["data"] == players[one]


def test_the_last_round_is_the_table_of_the_season(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    rounds = box.get(f"football/rounds/seasons/{season}")[2]["data"]

    def table(path: str) -> list[tuple[int, int, int]]:
        rows = box.get(f"football/standings/{path}")[2]["data"]
        return [(row["participant_id"], row["position"], row["points"]) for row in rows]

    assert table(f"rounds/{rounds[-1]['id']}") == table(f"seasons/{season}")
    first = table(f"rounds/{rounds[0]['id']}")
    assert max(points for _, _, points in first) <= 3


def test_parts_of_fixtures_name_their_fixture(box: RunningSandbox, seasons: Any) -> None:
    stations = {row["id"] for row in listed(box, "tv-stations")}
    fixture = seasons.ids(seasons.finished())[3]
    odds = listed(box, f"odds/pre-match/fixtures/{fixture}")
    assert {row["fixture_id"] for row in odds} == {fixture}
    rows = listed(box, "fixtures/between/2026-11-01/2026-11-21?include=tvStations")
    shown = [(row["id"], part) for row in rows for part in row["tvstations"]]
    assert shown
    assert all(part["fixture_id"] == one and part["tvstation_id"] in stations for one, part in shown)
    news = listed(box, "news/pre-match/upcoming?include=lines")
    assert news
    assert all(row["type"] == "prematch" and len(row["lines"]) == 2 for row in news)


@pytest.mark.parametrize("body", ["message", "errors", "status"])
def test_errors_with_200(box: RunningSandbox, body: str) -> None:
    box.fault("error_200", body=body)
    status, answer = a_page(box)
    assert (status, answer.get("data") or None) == (200, None)
    assert a_page(box)[1]["data"]


def test_a_limit_with_403(box: RunningSandbox) -> None:
    box.fault("limited_403", seconds=7)
    status, headers, body = box.get("football/coaches")
    assert (status, headers["retry-after"]) == (403, "7")
    assert "rate limit" in body["message"]


def test_pages_that_are_missing_empty_or_the_last(box: RunningSandbox) -> None:
    good = a_page(box)[1]
    for kind in ("missing_page", "empty_page"):
        box.fault(kind)
        assert a_page(box, 1)[1]["data"]  # the first page is not meant
    status, missing = a_page(box)
    assert (status, missing["code"]) == (404, 5003)
    empty = a_page(box)[1]
    assert (empty["data"], empty["pagination"]["has_more"]) == ([], True)
    box.fault("cut_list")
    cut = a_page(box)[1]
    assert cut["data"] == good["data"]
    assert [cut["pagination"][name] for name in ("has_more", "next_page", "next_cursor")] == [False, None, None]
    assert a_page(box)[1] | {"rate_limit": None} == good | {"rate_limit": None}


def test_pages_that_name_themselves_and_totals_that_are_wrong(box: RunningSandbox) -> None:
    box.admin("POST", "/variants", {"total": "yes"})
    good = a_page(box)[1]["pagination"]
    assert good["total"] == len(listed(box, "coaches"))
    box.fault("stuck_cursor", count=2)
    assert a_page(box)[1]["pagination"]["next_page"].endswith("page=2")
    cursor = box.get(f"football/coaches?cursor={good['next_cursor']}")[2]["pagination"]["next_cursor"]
    assert cursor == good["next_cursor"]
    box.fault("wrong_total", n=-4)
    assert a_page(box)[1]["pagination"]["total"] == good["total"] - 4
