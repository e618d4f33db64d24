"""Access, envelope, status codes, paging and gzip are as the provider's."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from sandbox.testing import RunningSandbox


def test_key_in_the_header_is_accepted_without_a_scheme_only(box: RunningSandbox) -> None:
    assert box.get("football/leagues")[0] == 200
    for wrong in ("Bearer demo-key", "other", ""):
        status, _, body = box.get("football/leagues", key=wrong)
        assert (status, body) == (401, {"message": "Unauthenticated."})
    calls = box.calls()
    assert calls["by_token"]["header"] == 3
    assert "query" not in calls["by_token"]


def test_key_in_the_query_works_and_is_counted_separately(box: RunningSandbox) -> None:
    status, _, raw = box.request("GET", "/v3/football/leagues?api_token=demo-key")
    assert status == 200
    assert b"demo-key" not in raw
    assert box.calls()["by_token"] == {"query": 1}


@pytest.mark.parametrize("agent", ["python-requests/2.34.2", ""])
def test_a_default_user_agent_is_refused_with_html(box: RunningSandbox, agent: str) -> None:
    status, headers, raw = box.request(
        "GET", "/v3/football/leagues", headers={"User-Agent": agent, "Authorization": box.key}
    )
    assert status == 403
    assert headers["content-type"].startswith("text/html")
    assert raw.startswith(b"<html>")


def test_envelope_of_a_list(box: RunningSandbox) -> None:
    status, headers, body = box.get("football/fixtures?per_page=10")
    assert status == 200
    assert list(body) == ["data", "pagination", "subscription", "rate_limit", "timezone"]
    assert body["timezone"] == "UTC"
    assert body["rate_limit"] == {"resets_in_seconds": 3600, "remaining": 2999, "requested_entity": "Fixture"}
    assert headers["x-ratelimit-limit"] == "3000"
    assert headers["x-ratelimit-remaining"] == "2999"
    page = body["pagination"]
    assert (page["count"], page["per_page"], page["current_page"], page["has_more"]) == (10, 10, 1, True)
    assert page["next_page"].endswith("/v3/football/fixtures?page=2")
    assert box.key not in page["next_page"]


@pytest.mark.parametrize(
    "path",
    ["football/leagues/8", "football/fixtures/latest", "football/livescores", "football/schedules/seasons/10035"],
)
def test_no_pagination_where_the_provider_has_none(box: RunningSandbox, path: str) -> None:
    assert "pagination" not in box.get(path)[2]


def test_json_escapes_slashes_and_everything_beyond_ascii(box: RunningSandbox) -> None:
    _, _, raw = box.request("GET", "/v3/football/fixtures?per_page=50", headers={"Authorization": box.key})
    assert raw.isascii()
    assert b'"leg":"1\\/1"' in raw


def test_gzip_only_when_requested_and_equal(box: RunningSandbox, seasons: Any) -> None:
    ids = ",".join(map(str, seasons.ids(seasons.finished())[:20]))
    path = f"/v3/football/fixtures/multi/{ids}?include=participants;lineups.details;scores"
    _, plain_headers, plain = box.request("GET", path, headers={"Authorization": box.key})
    _, headers, packed = box.request(
        "GET", path, headers={"Authorization": box.key, "Accept-Encoding": "gzip, deflate"}
    )
    assert "content-encoding" not in plain_headers
    assert headers["content-encoding"] == "gzip"
    assert len(packed) * 4 < len(plain)
    assert json.loads(gzip.decompress(packed))["data"] == json.loads(plain)["data"]


@pytest.mark.parametrize(
    "path",
    [
        "football/fixtures/1",
        "football/fixtures/multi/1,2,3",
        "football/leagues/999999",
        "football/fixtures?filters=fixtureSeasons:1",
        "football/fixtures?page=200",
        "football/standings/seasons/1",
    ],
)
def test_no_result_is_200_without_data_and_costs_a_call(box: RunningSandbox, path: str) -> None:
    status, _, body = box.get(path)
    assert status == 200
    assert "data" not in body
    assert body["message"].startswith("No result(s) found matching your request.")
    assert body["rate_limit"]["remaining"] == 2999


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("football/fixtures/seasons/10035", 404, None),
        ("football/nothing", 404, None),
        ("football/fixtures?include=odds", 403, 5002),
        ("football/fixtures?include=participants;xGFixture", 403, 5002),
        ("football/fixtures?include=player", 404, 5013),
        ("football/fixtures?include=nonsense", 400, 5001),
        ("football/fixtures?include=lineups.details.type.player", 400, 5008),
        ("football/fixtures?filters=seasonLeagues:8", 400, 5010),
        ("football/fixtures?filters=fixtureSeasons:abc", 400, 5006),
        ("football/fixtures?filters=fixtureSeasons", 400, 5006),
        (f"football/fixtures?filters=fixtureSeasons:{','.join(map(str, range(51)))}", 400, 5006),
        ("football/fixtures?page=0", 400, 5006),
        ("football/fixtures?per_page=50&page=402", 400, 5006),
        ("football/fixtures?cursor=W10&per_page=10", 400, 5006),
        ("football/fixtures?cursor=W10&order=asc", 400, 5006),
        ("football/fixtures?cursor=W10&page=2", 400, 5006),
        ("football/fixtures?cursor=rubbish", 400, 5006),
        ("football/fixtures?order=sideways", 400, 5006),
        ("football/fixtures/multi/1,x", 400, 5006),
        (f"football/fixtures/multi/{','.join(map(str, range(51)))}", 400, 5006),
        ("football/fixtures/between/2026-01-01/2026-06-01", 400, 5006),
        ("football/fixtures/between/2026-02-01/2026-01-01", 400, 5006),
        ("football/fixtures/date/yesterday", 400, 5006),
        ("football/transfers/between/2026-06-01/2026-07-20", 400, 5006),
    ],
)
def test_refusals(box: RunningSandbox, path: str, status: int, code: int | None) -> None:
    got, _, body = box.get(path)
    assert got == status
    assert body.get("code") == code
    assert "rate_limit" not in body
    if status == 400 and code == 5006:
        assert body["errors"]


def test_walk_by_page_and_by_cursor_give_the_same_rows_once(box: RunningSandbox, seasons: Any) -> None:
    season = seasons.finished()
    ids = seasons.ids(season)
    assert len(ids) == 90
    assert ids == sorted(ids)
    by_page: list[int] = []
    page = 1
    while True:
        _, _, body = box.get(f"football/fixtures?filters=fixtureSeasons:{season}&per_page=25&page={page}")
        by_page += [row["id"] for row in body["data"]]
        if not body["pagination"]["has_more"]:
            break
        page += 1
    assert (page, by_page) == (4, ids)
    for form in ("opaque", "url"):
        box.admin("POST", "/variants", {"cursor": form})
        _, _, body = box.get(f"football/fixtures?filters=fixtureSeasons:{season}&per_page=40&order=desc")
        rows = [row["id"] for row in body["data"]]
        while body["pagination"]["has_more"]:
            token = body["pagination"]["next_cursor"]
            assert ("://" in token) is (form == "url")
            _, _, body = box.get(f"football/fixtures?filters=fixtureSeasons:{season}&cursor={token}")
            rows += [row["id"] for row in body["data"]]
        assert body["pagination"]["next_cursor"] is None
        assert rows == ids[::-1]


def test_per_page_is_capped_but_for_populate(box: RunningSandbox) -> None:
    assert box.get("football/fixtures")[2]["pagination"]["per_page"] == 25
    assert box.get("football/fixtures?per_page=500&include=scores")[2]["pagination"]["per_page"] == 50
    _, _, body = box.get("football/fixtures?filters=populate&per_page=5000&include=scores")
    assert len(body["data"]) == 1_000
    assert "scores" not in body["data"][0]


def test_variants_of_the_open_points(box: RunningSandbox) -> None:
    set_to = lambda **values: box.admin("POST", "/variants", values)  # noqa: E731
    set_to(
        no_result="empty", unknown_id="404", over_per_page="refuse", multi_over_maximum="truncate", next_page="query"
    )
    assert box.get("football/fixtures?filters=fixtureSeasons:1")[2]["data"] == []
    assert box.get("football/fixtures/1")[0] == 404
    assert box.get("football/fixtures?per_page=51")[0] == 400
    ids = [row["id"] for row in box.get("football/fixtures?filters=populate&per_page=60")[2]["data"]]
    assert len(box.get(f"football/fixtures/multi/{','.join(map(str, ids))}")[2]["data"]) == 50
    _, _, body = box.get("football/fixtures?filters=fixtureLeagues:8&per_page=10")
    assert "filters=fixtureLeagues:8" in body["pagination"]["next_page"]
    set_to(no_result="404", subscription_meta="object")
    assert box.get("football/fixtures?filters=fixtureSeasons:1")[0] == 404
    assert isinstance(box.get("football/leagues")[2]["subscription"][0]["meta"], dict)
    with pytest.raises(RuntimeError, match="cannot be 'maybe'"):
        set_to(no_result="maybe")


def test_leagues_outside_the_plan(box: RunningSandbox, seasons: Any) -> None:
    outside, inside = seasons.ids(seasons.finished(564))[0], seasons.ids(seasons.finished(8))[0]
    box.admin("POST", "/plan", {"leagues": [8]})
    assert [row["id"] for row in box.get("my/leagues")[2]["data"]] == [8]
    assert [row["id"] for row in box.get("football/leagues")[2]["data"]] == [8]
    assert "data" not in box.get(f"football/fixtures/{outside}")[2]
    assert [row["id"] for row in box.get(f"football/fixtures/multi/{outside},{inside}")[2]["data"]] == [inside]
    box.admin("POST", "/variants", {"outside_plan": "403"})
    status, _, body = box.get(f"football/fixtures/{outside}")
    assert (status, body["code"]) == (403, 5007)
