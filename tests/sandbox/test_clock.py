"""The clock: matches begin and end, dates move, corrections and deletions come late, new seasons are announced."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.testing import RunningSandbox

INCLUDES = "participants;scores;events;statistics;periods;lineups.details"
DAY = 86_400
Row = dict[str, Any]


def fixture(box: RunningSandbox, fixture_id: int, include: str = INCLUDES) -> Row:
    row: Row = box.get(f"football/fixtures/{fixture_id}?include={include}")[2]["data"]
    return row


def current_score(row: Row) -> tuple[int, int] | None:
    found = {s["score"]["participant"]: s["score"]["goals"] for s in row["scores"] if s["description"] == "CURRENT"}
    return (found["home"], found["away"]) if found else None


def test_the_clock_stands_still_or_runs(box: RunningSandbox) -> None:
    assert box.admin("GET", "/clock")["now"] == "2026-11-21T12:00:00Z"
    box.advance(3_600)
    assert box.admin("GET", "/clock")["now"] == "2026-11-21T13:00:00Z"
    running = box.admin("POST", "/clock", {"now": "2027-01-01", "frozen": False})
    assert running["now"].startswith("2027-01-01T00:00:0")
    assert box.admin("GET", "/clock")["epoch"] > running["epoch"]
    with pytest.raises(RuntimeError, match="not an ISO date-time"):
        box.admin("POST", "/clock", {"now": "soon"})


def test_a_match_from_kick_off_to_the_end(box: RunningSandbox) -> None:
    box.admin("POST", "/clock", {"next_kickoff": -600})
    before = box.get(f"football/livescores?include={INCLUDES}")[2]["data"]
    assert {row["state_id"] for row in before} == {1}
    assert not any(row["events"] or row["lineups"] or row["scores"] for row in before)
    assert "data" not in box.get("football/livescores/inplay")[2]
    fixture_id = before[0]["id"]
    seen: list[int] = []
    events = 0
    for _ in range(0, 200, 4):
        box.advance(240)
        row = fixture(box, fixture_id)
        state = row["state_id"]
        if not seen or seen[-1] != state:
            seen.append(state)
        assert len(row["events"]) >= events
        events = len(row["events"])
        goals = sum(event["type_id"] in (14, 15, 16) for event in row["events"])
        if state != 1:
            assert sum(current_score(row) or (0, 0)) == goals
            assert len(row["lineups"]) == 46
        live = {item["id"] for item in box.get("football/livescores/inplay")[2].get("data", [])}
        assert (fixture_id in live) is (state in (2, 3, 22))
        if state in (2, 22):
            assert [period["ticking"] for period in row["periods"]][-1] is True
            assert row["result_info"] is None
            played = [d["data"]["value"] for e in row["lineups"] for d in e["details"] if d["type_id"] == 119]
            assert max(played) <= 90
    assert seen == [1, 2, 3, 22, 5]
    assert row["result_info"]
    assert len(row["periods"]) == 2
    box.advance(30 * 60)
    assert fixture_id not in {item["id"] for item in box.get("football/livescores")[2].get("data", [])}
    assert fixture(box, fixture_id)["events"] == row["events"]


def test_latest_tells_changes_of_the_last_ten_seconds(box: RunningSandbox) -> None:
    box.admin("POST", "/clock", {"next_kickoff": 88})
    assert "data" not in box.get("football/fixtures/latest")[2]
    box.advance(6)
    rows = box.get("football/fixtures/latest")[2]["data"]
    assert {row["state_id"] for row in rows} == {2}
    box.advance(10)
    assert "data" not in box.get("football/fixtures/latest")[2]


def test_extra_time_shows_full_time_first(box: RunningSandbox, seasons: Any) -> None:
    cup = seasons.finished(24)
    rows = box.admin("GET", f"/truth/fixtures?season={cup}&brief=1")["fixtures"]
    fixture_id = next(row["id"] for row in rows if row["state_id"] == 8)
    box.admin("POST", "/clock", {"now": fixture(box, fixture_id, "")["starting_at"]})
    seen: list[int] = []
    for _ in range(400):
        box.advance(30)
        state = fixture(box, fixture_id, "")["state_id"]
        if not seen or seen[-1] != state:
            seen.append(state)
    assert seen == [1, 2, 3, 22, 5, 4, 6, 21, 23, 7, 25, 9, 8]


def test_a_postponed_match_gets_a_new_date_under_its_old_id(box: RunningSandbox) -> None:
    found: dict[int, list[tuple[int, str]]] = {}
    for day in range(0, 140, 3):
        for row in box.get("football/fixtures/between/2026-11-01/2027-02-05?per_page=1000&filters=populate")[2]["data"]:
            history = found.setdefault(row["id"], [])
            if not history or history[-1] != (row["state_id"], row["starting_at"]):
                history.append((row["state_id"], row["starting_at"]))
        box.advance(3 * DAY)
        assert day < 140
    moved = [
        history for history in found.values() if 10 in [state for state, _ in history] and history[-1][0] in (1, 5)
    ]
    assert moved
    for history in moved:
        states = [state for state, _ in history]
        assert states.index(10) < len(states) - 1
        assert history[-1][1] > history[0][1]


def test_dates_to_be_announced_are_announced(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.current()
    rows = box.admin("GET", f"/truth/fixtures?season={season}&brief=1")["fixtures"]
    tba = [row for row in rows if row["state_id"] == 13]
    assert tba
    assert all(row["starting_at"].endswith("00:00:00") for row in tba)
    last = max(tba, key=lambda row: row["starting_at"])
    box.admin("POST", "/clock", {"now": last["starting_at"]})
    later = fixture(box, last["id"], "")
    assert later["state_id"] == 1
    assert not later["starting_at"].endswith("00:00:00")


def test_a_new_season_is_announced_and_becomes_current(box: RunningSandbox) -> None:
    def names() -> dict[str, bool]:
        rows = box.get("football/leagues/8?include=seasons")[2]["data"]["seasons"]
        return {row["name"]: row["is_current"] for row in rows}

    assert names() == {"2024/2025": False, "2025/2026": False, "2026/2027": True}
    box.admin("POST", "/clock", {"now": "2027-06-20"})
    assert names() == {"2024/2025": False, "2025/2026": False, "2026/2027": True, "2027/2028": False}
    box.admin("POST", "/clock", {"now": "2027-08-20"})
    assert names()["2027/2028"] is True
    assert box.get("football/leagues/8?include=currentSeason")[2]["data"]["currentseason"]["name"] == "2027/2028"


def test_last_played_at_of_old_participants_moves_with_the_clock(box: RunningSandbox, seasons: Any) -> None:
    fixture_id = seasons.ids(seasons.finished())[0]
    before = box.admin("GET", f"/truth/fixtures/{fixture_id}")
    box.advance(20 * DAY)
    after = box.admin("GET", f"/truth/fixtures/{fixture_id}")
    assert after["payload"] != before["payload"]
    assert after["canonical"] == before["canonical"]


def test_late_corrections_change_what_they_say_and_nothing_else(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    kinds = ["goal_added", "goal_removed", "detail_changed", "statistic_changed", "state_extended"]
    before = {row["id"]: row for row in box.admin("GET", f"/truth/fixtures?season={season}")["fixtures"]}
    done = box.admin("POST", "/corrections", {"n": 10, "kinds": kinds, "season": season})["corrections"]
    assert [row["kind"] for row in done] == kinds * 2
    after = {row["id"]: row for row in box.admin("GET", f"/truth/fixtures?season={season}")["fixtures"]}
    touched = {row["fixture_id"] for row in done}
    assert len(touched) == 10
    assert {i for i in after if after[i] != before[i]} == touched
    for row in done:
        was, now = before[row["fixture_id"]], after[row["fixture_id"]]
        assert (row["before"], row["after"]) == (was, now)
        total = sum(now["scores"]["CURRENT"]) - sum(was["scores"]["CURRENT"])
        if row["kind"] == "goal_added":
            assert (total, now["events"] - was["events"]) == (1, 1)
        elif row["kind"] == "goal_removed":
            assert (total, now["events"] - was["events"]) == (-1, -1)
        elif row["kind"] == "detail_changed":
            assert now["details_sum"] > was["details_sum"]
            assert (total, now["statistics_sum"]) == (0, was["statistics_sum"])
        elif row["kind"] == "statistic_changed":
            assert now["statistics_sum"] > was["statistics_sum"]
            assert now["details_sum"] == was["details_sum"]
        else:
            assert (was["state_id"], now["state_id"]) == (5, 7)
        served = fixture(box, row["fixture_id"])
        assert len(served["events"]) == now["events"]
        assert served["state_id"] == now["state_id"]
    box.advance(2_000)
    for row in done:
        if row["kind"] == "state_extended":
            last = box.admin("GET", f"/truth/fixtures/{row['fixture_id']}")["canonical"]
            home, away = last["scores"]["ET"]
            assert last["state_id"] == (8 if home == away else 7)


def test_a_postponed_match_is_given_a_date_by_a_correction(box: RunningSandbox) -> None:
    row = box.admin("POST", "/corrections", {"n": 1, "kinds": ["rescheduled"]})["corrections"][0]
    assert (row["before"]["state_id"], row["after"]["state_id"]) == (10, 1)
    assert row["after"]["starting_at"] > "2026-11-21"
    box.advance(20 * DAY)
    assert fixture(box, row["fixture_id"])["state_id"] == 5
    day = row["after"]["starting_at"][:10]
    rows = box.get(f"football/fixtures/between/{day}/{day}?filters=populate&per_page=1000")[2]["data"]
    assert row["fixture_id"] in {item["id"] for item in rows}


def test_corrections_of_chosen_fixtures_and_kinds(box: RunningSandbox, seasons: Any) -> None:
    fixture_id = seasons.ids(seasons.finished())[3]
    done = box.admin("POST", "/corrections", {"ids": [fixture_id], "kinds": ["statistic_changed"]})["corrections"]
    assert [row["fixture_id"] for row in done] == [fixture_id]
    with pytest.raises(RuntimeError, match="unknown correction"):
        box.admin("POST", "/corrections", {"n": 1, "kinds": ["magic"]})


def test_corrections_of_goals_do_not_cancel_out(box: RunningSandbox, seasons: Any) -> None:
    made = {"n": 1, "season": seasons.finished(), "kinds": ["goal_added"]}
    given = box.admin("POST", "/corrections", made)["corrections"][0]
    take_back = {"ids": [given["fixture_id"]], "kinds": ["goal_removed"]}
    totals = [sum(given["after"]["scores"]["CURRENT"])]
    while done := box.admin("POST", "/corrections", take_back)["corrections"]:
        totals.append(sum(done[0]["after"]["scores"]["CURRENT"]))
    assert totals == list(range(totals[0], 0, -1))


def test_deleted_fixtures_leave_lists_and_show_under_their_filter(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    ids = seasons.ids(season)
    gone = [row["fixture_id"] for row in box.admin("POST", "/deletions", {"n": 3, "season": season})["deleted"]]
    assert len(gone) == 3
    assert sorted(set(ids) - set(seasons.ids(season))) == sorted(gone)
    multi = box.get(f"football/fixtures/multi/{','.join(map(str, [*gone, ids[0], ids[-1]]))}")[2]["data"]
    assert {row["id"] for row in multi} == {ids[0], ids[-1]} - set(gone)
    assert "data" not in box.get(f"football/fixtures/{gone[0]}")[2]
    deleted = box.get("football/fixtures?filters=deleted")[2]["data"]
    assert {row["id"]: row["state_id"] for row in deleted} == dict.fromkeys(gone, 20)
    chunk = next(c for c in box.admin("GET", "/truth")["chunks"] if c["season_id"] == season)
    assert (chunk["fixtures"], chunk["deleted"]) == (87, sorted(gone))
    flagged = {
        r["id"] for r in box.admin("GET", f"/truth/fixtures?season={season}&brief=1")["fixtures"] if r["deleted"]
    }
    assert flagged == set(gone)


def test_between_and_date_give_every_fixture_once(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    found: list[tuple[str, int]] = []
    for span in ("2025-08-01/2025-10-31", "2025-11-01/2026-01-31", "2026-02-01/2026-04-30", "2026-05-01/2026-07-31"):
        page = 1
        while True:
            _, _, body = box.get(
                f"football/fixtures/between/{span}?filters=fixtureSeasons:{season}&per_page=50&page={page}"
            )
            found += [(row["starting_at"], row["id"]) for row in body["data"]]
            if not body["pagination"]["has_more"]:
                break
            page += 1
    assert found == sorted(found)
    assert sorted(i for _, i in found) == seasons.ids(season)
    one = found[0][0][:10]
    rows = box.get(f"football/fixtures/date/{one}?filters=fixtureSeasons:{season}")[2]["data"]
    assert [row["id"] for row in rows] == [i for at, i in found if at.startswith(one)]


def test_new_ids_by_id_after(box: RunningSandbox, seasons: Any) -> None:
    ids = seasons.ids(seasons.current(24))
    rows = box.get(f"football/fixtures?filters=populate;idAfter:{ids[-4]}&per_page=1000")[2]["data"]
    assert [row["id"] for row in rows] == ids[-3:]
