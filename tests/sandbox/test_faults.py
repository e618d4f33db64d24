"""Each fault on demand does what its help says, as often as requested, and changes nothing else."""

from __future__ import annotations

import base64
import http.client
import json
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox.faults import KINDS, Faults
from sandbox.testing import RunningSandbox


@pytest.fixture
def ids(seasons: Any) -> list[int]:
    found: list[int] = seasons.ids(seasons.finished())[:10]
    return found


def multi(box: RunningSandbox, ids: list[int], include: str = "participants;events;lineups.details") -> tuple[int, Any]:
    status, _, body = box.get(f"football/fixtures/multi/{','.join(map(str, ids))}?include={include}")
    return status, body


def test_help_and_refusals(box: RunningSandbox) -> None:
    assert box.admin("GET", "/faults?help=1")["kinds"] == KINDS
    for spec, words in (
        ({"kind": "gremlin"}, "unknown fault kind"),
        ({"kind": "slow", "match": {"planet": 1}}, "unknown match"),
        ({"kind": "poison"}, "needs match.fixture_id"),
        ({"kind": "slow", "count": 0}, "at least 1"),
        ({"kind": "slow", "rate": 2}, "above 0 up to 1"),
    ):
        with pytest.raises(RuntimeError, match=words):
            box.admin("POST", "/faults", spec)


def test_count_list_and_clear(box: RunningSandbox) -> None:
    box.fault("status", status=502, count=2)
    assert [box.get("football/leagues")[0] for _ in range(3)] == [502, 502, 200]
    fault = box.fault("status", rate=1.0)
    assert box.get("football/leagues")[0] == 500
    assert box.admin("GET", "/faults")["faults"][0]["hits"] == 1
    assert box.admin("DELETE", f"/faults/{fault}") == {"cleared": 1}
    assert box.get("football/leagues")[0] == 200
    assert box.calls()["faults"] == {"status": 3}


def test_rate_is_drawn_from_the_seed(box: RunningSandbox) -> None:
    runs = []
    for _ in range(2):
        box.reset()
        box.fault("status", rate=0.4)
        runs.append([box.get("football/leagues")[0] for _ in range(40)])
    assert runs[0] == runs[1]
    assert 6 <= runs[0].count(500) <= 26


def test_match_narrows(box: RunningSandbox, ids: list[int], seasons: Any) -> None:
    other = seasons.ids(seasons.finished(564))[:3]
    box.fault("status", match={"season": seasons.finished(), "path": "multi"}, rate=1.0)
    assert multi(box, ids)[0] == 500
    assert multi(box, other)[0] == 200
    assert box.get(f"football/fixtures?filters=fixtureSeasons:{seasons.finished()}")[0] == 200
    box.admin("DELETE", "/faults")
    box.fault("status", match={"entity": "League"}, for_seconds=30)
    assert box.get("football/seasons")[0] == 200
    assert box.get("football/leagues")[0] == 500


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_server_errors_are_html(box: RunningSandbox, status: int) -> None:
    box.fault("status", status=status)
    got, headers, body = box.get("football/leagues")
    assert got == status
    assert headers["content-type"].startswith("text/html")
    assert body.startswith(b"<html>")


@pytest.mark.parametrize("where", ["both", "header", "body", "none"])
def test_429_with_quota_left(box: RunningSandbox, where: str) -> None:
    box.fault("rate_limited", where=where, seconds=7)
    status, headers, body = box.get("football/leagues")
    assert status == 429
    assert body["message"] == "Too Many Attempts."
    assert headers.get("retry-after") == ("7" if where in ("both", "header") else None)
    assert body.get("retry_after") == (7 if where in ("both", "body") else None)
    assert int(headers["x-ratelimit-remaining"]) > 0
    assert box.calls()["calls_after_remaining_zero"] == 0


def test_slow_and_hang(box: RunningSandbox) -> None:
    box.fault("slow", seconds=0.3)
    began = time.monotonic()
    assert box.get("football/leagues")[0] == 200
    assert time.monotonic() - began >= 0.3
    box.fault("hang", seconds=20)
    with pytest.raises(TimeoutError):
        box.get("football/leagues", timeout=0.3)
    box.fault("hang", seconds=0.2)
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        box.get("football/leagues")
    assert box.get("football/leagues")[0] == 200


def test_connection_cut_in_the_body(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("cut")
    with pytest.raises((http.client.HTTPException, ConnectionError)):
        multi(box, ids)
    assert multi(box, ids)[0] == 200


@pytest.mark.parametrize("kind", ["truncated_json", "invalid_json"])
def test_broken_json(box: RunningSandbox, kind: str) -> None:
    box.fault(kind)
    status, headers, raw = box.request("GET", "/v3/football/leagues", headers={"Authorization": box.key})
    assert status == 200
    assert headers["content-type"] == "application/json"
    assert int(headers["content-length"]) == len(raw)
    with pytest.raises(json.JSONDecodeError):
        json.loads(raw)


def test_html_and_wrong_content_type(box: RunningSandbox) -> None:
    box.fault("html_200")
    status, headers, body = box.get("football/leagues")
    assert (status, body[:6]) == (200, b"<html>")
    box.fault("content_type")
    status, headers, body = box.get("football/leagues")
    assert headers["content-type"].startswith("text/html")
    assert json.loads(body)["data"]


def test_no_result_for_what_exists(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("no_result", match={"fixture_id": ids[0]})
    status, body = multi(box, ids)
    assert status == 200
    assert "data" not in body
    assert body["rate_limit"]["requested_entity"] == "Fixture"
    assert len(multi(box, ids)[1]["data"]) == 10


def test_missing_shuffled_and_doubled_rows(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("missing_ids", ids=[ids[2], ids[5]])
    assert [row["id"] for row in multi(box, ids)[1]["data"]] == [i for i in ids if i not in (ids[2], ids[5])]
    box.fault("missing_ids", n=4)
    assert len(multi(box, ids)[1]["data"]) == 6
    box.fault("shuffle")
    rows = [row["id"] for row in multi(box, ids)[1]["data"]]
    assert rows != ids
    assert sorted(rows) == ids
    box.fault("duplicate", n=2)
    assert [row["id"] for row in multi(box, ids)[1]["data"]] == ids + ids[:2]


def test_poisoned_id(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("poison", match={"fixture_id": ids[4]})
    assert multi(box, ids)[0] == 500
    assert multi(box, ids[4:5])[0] == 500
    assert box.get(f"football/fixtures/{ids[4]}")[0] == 500
    assert multi(box, ids[:4] + ids[5:])[0] == 200


def test_season_down(box: RunningSandbox, ids: list[int], seasons: Any) -> None:
    season = seasons.finished()
    box.fault("season_down", match={"season": season})
    assert box.get(f"football/fixtures?filters=populate;fixtureSeasons:{season}")[0] == 503
    assert box.get(f"football/schedules/seasons/{season}")[0] == 503
    assert multi(box, ids[:1])[0] == 503
    assert multi(box, seasons.ids(seasons.current())[:3])[0] == 200


def test_forbidden_include_for_a_while(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("forbidden_include", include="lineups", for_seconds=0.5)
    status, body = multi(box, ids)
    assert (status, body["code"]) == (403, 5002)
    assert "'lineups'" in body["message"]
    assert multi(box, ids, "participants;events")[0] == 200
    time.sleep(0.5)
    assert multi(box, ids)[0] == 200


def test_an_include_is_refused_once(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("refused_once")
    assert multi(box, ids, "participants;events")[0] == 200
    status, body = multi(box, ids)
    assert (status, body["code"]) == (403, 5002)
    assert multi(box, ids)[0] == 200


def test_an_index_comes_empty_and_nothing_else(box: RunningSandbox, ids: list[int], seasons: Any) -> None:
    fault = box.fault("empty_index", rate=1.0)
    body = box.get(f"football/fixtures?filters=populate;fixtureSeasons:{seasons.finished()}")[2]
    assert "data" not in body
    assert body["message"].startswith("No result")
    assert multi(box, ids)[0] == 200
    assert box.get("football/fixtures?per_page=1")[2]["data"]
    assert box.get(f"football/teams/seasons/{seasons.finished()}")[2]["data"]
    box.admin("DELETE", f"/faults/{fault}")


def test_unauthorized_suddenly(box: RunningSandbox) -> None:
    fault = box.fault("unauthorized")
    assert box.get("football/leagues")[0] == 401
    box.admin("DELETE", f"/faults/{fault}")
    assert box.get("football/leagues")[0] == 200


def test_repeated_and_overlapping_pages(box: RunningSandbox, seasons: Any) -> None:
    path = f"football/fixtures?filters=fixtureSeasons:{seasons.finished()}&per_page=20&page="
    first = [row["id"] for row in box.get(path + "1")[2]["data"]]
    box.fault("repeated_page")
    assert [row["id"] for row in box.get(path + "2")[2]["data"]] == first
    box.fault("overlapping_page", n=5)
    assert [row["id"] for row in box.get(path + "2")[2]["data"]][:5] == first[-5:]


def test_a_page_with_fewer_rows_than_it_counts(box: RunningSandbox, seasons: Any) -> None:
    path = f"football/fixtures?filters=fixtureSeasons:{seasons.finished()}&per_page=20&page=1"
    for fault, rows, count in (("short_page", 10, 20), ("missing_ids", 19, 19)):
        box.fault(fault)
        page = box.get(path)[2]
        assert (len(page["data"]), page["pagination"]["count"]) == (rows, count)


def test_strange_rows(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("empty_strings", match={"fixture_id": ids[1]})
    rows = {row["id"]: row for row in multi(box, ids)[1]["data"]}
    assert (rows[ids[1]]["venue_id"], rows[ids[1]]["length"]) == ("", "")
    assert rows[ids[0]]["length"] == 90
    box.fault("null_fields")
    assert all(row["state_id"] is None and row["name"] is None for row in multi(box, ids)[1]["data"])
    box.fault("unknown_keys")
    row = multi(box, ids)[1]["data"][0]
    assert "brand_new_field" in row
    assert "unheard_of" in row["events"][0]
    box.fault("huge", megabytes=2)
    assert all(len(row["padding"]) == 2_000_000 for row in multi(box, ids[:2])[1]["data"])


def test_fields_set_at_will(box: RunningSandbox, ids: list[int], seasons: Any) -> None:
    box.fault("set_fields", values={"state_id": 99}, match={"fixture_id": ids[3]}, rate=1.0)
    assert [row["state_id"] for row in multi(box, ids)[1]["data"]].count(99) == 1
    season = seasons.finished()
    index = box.get(f"football/fixtures?filters=populate;fixtureSeasons:{season}&per_page=1000")[2]["data"]
    assert [row["id"] for row in index if row["state_id"] == 99] == [ids[3]]
    box.admin("DELETE", "/faults")
    box.fault("set_fields", part="events", values={"type_id": 4_711})
    assert {row["events"][0]["type_id"] for row in multi(box, ids)[1]["data"]} == {4_711}


def test_degraded_payloads(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("degraded", drop=["lineups"], match={"fixture_id": ids[0]}, count=2)
    for _ in range(2):
        rows = multi(box, ids)[1]["data"]
        assert rows[0]["lineups"] == []
        assert rows[0]["events"]
        assert len(rows[1]["lineups"]) == 46
    assert len(multi(box, ids)[1]["data"][0]["lineups"]) == 46


def test_times_with_an_offset(box: RunningSandbox, ids: list[int]) -> None:
    plain = {row["id"]: datetime.fromisoformat(row["starting_at"] + "+00:00") for row in multi(box, ids)[1]["data"]}
    box.fault("offset_times", hours=-3.5)
    rows = multi(box, ids)[1]["data"]
    assert all(row["starting_at"].endswith("-03:30") for row in rows)
    assert {row["id"]: datetime.fromisoformat(row["starting_at"]) for row in rows} == plain


@pytest.mark.parametrize("at", ["24:00:00", "23:59:60"])
def test_times_at_the_end_of_a_day(box: RunningSandbox, ids: list[int], at: str) -> None:
    plain = {row["id"]: datetime.fromisoformat(row["starting_at"]) for row in multi(box, ids)[1]["data"]}
    box.fault("offset_times", at=at)
    for row in multi(box, ids)[1]["data"]:
        day, _, time_and_offset = row["starting_at"].partition("T")
        hours, minutes = map(int, time_and_offset.removeprefix(at).split(":"))
        midnight = datetime.fromisoformat(day) + timedelta(days=1)
        assert midnight - timedelta(hours=hours, minutes=minutes) == plain[row["id"]]


def test_lists_of_another_season(box: RunningSandbox, seasons: Any) -> None:
    path = f"football/fixtures?filters=populate;fixtureSeasons:{seasons.finished()}&per_page=1000"
    box.fault("other_season")
    answers = [{row["season_id"] for row in box.get(path)[2]["data"]} for _ in range(2)]
    assert answers == [{seasons.current()}, {seasons.finished()}]
    box.fault("other_season", all=True)
    assert {row["season_id"] for row in box.get(path)[2]["data"]} > {seasons.current(), seasons.finished()}


def test_rows_of_another_place(box: RunningSandbox, ids: list[int], seasons: Any) -> None:
    box.fault("wrong_place")
    box.fault("wrong_place", fields=["league_id"], match={"fixture_id": ids[0]})
    rows = {row["id"]: row for row in multi(box, ids)[1]["data"]}
    assert {row["season_id"] for row in rows.values()} == {seasons.finished() + 1}
    assert [rows[key]["league_id"] for key in ids[:2]] == [9, 8]


def test_played_matches_that_are_called_off(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("called_off", state_id=15, drop=["events"], match={"fixture_id": ids[0]}, rate=1.0)
    rows = {row["id"]: row for row in multi(box, ids, "scores;events;lineups")[1]["data"]}
    one = rows[ids[0]]
    assert (one["state_id"], one["scores"], one["events"], one["result_info"]) == (15, [], [], None)
    assert one["lineups"]
    assert rows[ids[1]]["scores"]


def test_a_match_created_anew(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    path = f"football/fixtures?filters=populate;fixtureSeasons:{season}&per_page=1000"
    before = {row["id"]: row for row in box.get(path)[2]["data"]}
    (row,) = box.admin("POST", "/recreations", {"n": 1, "season": season})["recreated"]
    after = {row["id"]: row for row in box.get(path)[2]["data"]}
    assert before.keys() - after.keys() == {row["fixture_id"]}
    assert after.keys() - before.keys() == {row["new_id"]}
    assert {**before[row["fixture_id"]], "id": row["new_id"]} == after[row["new_id"]]
    status, body = multi(box, [row["fixture_id"], row["new_id"]])
    assert (status, [found["id"] for found in body["data"]]) == (200, [row["new_id"]])
    assert {event["fixture_id"] for event in body["data"][0]["events"]} <= {row["new_id"]}
    deleted = box.get(f"football/fixtures?filters=deleted;fixtureSeasons:{season}")[2]
    assert row["fixture_id"] not in {found["id"] for found in deleted.get("data", [])}
    (corrected,) = box.admin("POST", "/corrections", {"ids": [row["new_id"]], "kinds": ["statistic_changed"]})[
        "corrections"
    ]
    assert corrected["fixture_id"] == row["new_id"]


def test_payloads_whose_lists_are_all_empty(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("empty_lists")
    first, *others = multi(box, ids)[1]["data"]
    assert [first[name] for name in ("participants", "events", "lineups")] == [[], [], []]
    assert (first["id"], first["state_id"]) == (ids[0], 5)
    assert all(row["participants"] == [] for row in others)
    assert multi(box, ids)[1]["data"][0]["participants"]


def test_rows_that_are_no_rows(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("null_rows", sections=["events"])
    box.fault("null_rows", sections=["participants"], empty=True)
    first = multi(box, ids)[1]["data"][0]
    assert first["participants"] == [{}, {}]
    assert set(map(str, first["events"])) == {"None"}
    assert first["lineups"][0]["id"]


def test_half_of_a_match(box: RunningSandbox, ids: list[int]) -> None:
    box.fault("half_match")
    includes = "participants;scores;lineups"
    first, complete = (multi(box, ids, includes)[1]["data"][0] for _ in range(2))
    assert len(first["participants"]) == 1
    assert len({row["team_id"] for row in first["lineups"]}) == 1
    assert "CURRENT" not in {row["description"] for row in first["scores"]}
    assert len(complete["participants"]) == 2


def test_figures_of_the_limit_absent_or_wrong(box: RunningSandbox) -> None:
    box.fault("no_rate_limit")
    _, headers, body = box.get("football/leagues")
    assert "rate_limit" not in body
    assert not any(name.startswith("x-ratelimit") for name in headers)
    box.fault("wrong_rate_limit", remaining=77)
    _, headers, body = box.get("football/leagues")
    assert (body["rate_limit"]["remaining"], headers["x-ratelimit-remaining"]) == (77, "77")


def test_every_kind_can_be_posted() -> None:
    faults = Faults(1)
    for kind in KINDS:
        faults.add({"kind": kind, "match": {"fixture_id": 1, "season": 2}})
    assert len(faults.pending) == len(KINDS)
    assert faults.clear() == len(KINDS)


def test_rows_that_no_json_library_writes(box: RunningSandbox, ids: list[int]) -> None:
    path = f"/v3/football/fixtures/multi/{ids[0]},{ids[1]}"
    bodies = []
    for kind in ("bad_text", "odd_numbers", "deep_nesting"):
        box.fault(kind, match={"fixture_id": ids[1]})
        bodies.append(box.request("GET", path, headers={"Authorization": box.key})[2])
    assert b'"M\xfcnchen"' in bodies[0]
    assert b'"length":NaN' in bodies[1]
    assert b"[" * 7_000 in bodies[2]
    box.fault("odd_dates", match={"fixture_id": ids[1]})
    assert {row["starting_at"][:5] for row in multi(box, ids[:2])[1]["data"]} >= {"0001-"}


def test_lists_as_objects_and_rows_without_an_id(box: RunningSandbox, ids: list[int]) -> None:
    plain = multi(box, ids[:2])[1]["data"][0]
    box.fault("php_lists", data=True)
    data = multi(box, ids[:2])[1]["data"]
    assert list(data) == ["0", "2"]
    assert list(data["0"]["events"].values()) == plain["events"]
    assert list(data["0"]["lineups"]["0"]["details"].values()) == plain["lineups"][0]["details"]
    box.fault("no_id", n=1)
    assert sum("id" not in row for row in multi(box, ids[:3])[1]["data"]) == 1


@pytest.mark.parametrize("form", ["raw", "upper", "percent", "base64"])
def test_the_key_is_repeated(box: RunningSandbox, form: str) -> None:
    written = {
        "raw": box.key,
        "upper": box.key.upper(),
        "percent": box.key.replace("-", "%2d"),
        "base64": base64.b64encode(f"user:{box.key}".encode()).decode(),
    }[form]
    box.fault("echo_key", status=403, code=5002, form=form)
    status, headers, body = box.get("football/leagues")
    assert (status, body["code"]) == (403, 5002)
    assert written in body["message"]
    assert written in headers["link"]
    assert headers["x-request-token"] == written
    box.fault("echo_key", status=200, form=form)
    status, headers, body = box.get("football/leagues?per_page=2")
    assert (status, len(body["data"])) == (200, 2)
    assert written in body["pagination"]["next_page"]
    assert headers["x-request-token"] == written
