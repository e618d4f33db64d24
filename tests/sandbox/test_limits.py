"""Budgets: per entity, with a window from the first request on, and 429 with the time to wait."""

from __future__ import annotations

import contextlib
import http.client
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.testing import RunningSandbox, running_sandbox


def test_entities_have_budgets_of_their_own(box: RunningSandbox) -> None:
    box.admin("POST", "/limits", {"limit": 3})
    for left in (2, 1, 0):
        for path in ("football/fixtures?per_page=1", "football/leagues"):
            _, headers, body = box.get(path)
            assert body["rate_limit"]["remaining"] == left == int(headers["x-ratelimit-remaining"])
    status, headers, body = box.get("football/livescores")  # shares the budget of fixtures
    assert status == 429
    assert body["message"] == "You have reached your rate limit"
    assert body["retry_after"] == int(headers["retry-after"]) > 3_590
    assert box.get("football/seasons")[0] == 200


def test_schedules_take_from_stages(box: RunningSandbox) -> None:
    assert box.get("football/schedules/seasons/10035")[2]["rate_limit"]["requested_entity"] == "Stage"
    assert box.get("football/stages")[2]["rate_limit"]["remaining"] == 2_998


def test_the_window_opens_with_the_first_request_and_ends(box: RunningSandbox) -> None:
    box.admin("POST", "/limits", {"limit": 1, "window_seconds": 1, "entity": "League"})
    assert box.get("football/leagues")[0] == 200
    status, headers, _ = box.get("football/leagues")
    assert (status, headers["retry-after"]) == (429, "1")
    time.sleep(1.02)
    assert box.get("football/leagues")[0] == 200
    assert box.get("football/seasons")[2]["rate_limit"]["remaining"] == 2_999


@pytest.mark.parametrize("where", ["both", "header", "body", "none"])
def test_where_a_429_says_how_long(box: RunningSandbox, where: str) -> None:
    box.admin("POST", "/variants", {"retry_after": where})
    box.admin("POST", "/limits", {"limit": 1})
    box.get("football/leagues")
    _, headers, body = box.get("football/leagues")
    assert ("retry-after" in headers) is (where in ("both", "header"))
    assert ("retry_after" in body) is (where in ("both", "body"))


def test_calls_after_an_empty_budget_was_reported_are_counted(box: RunningSandbox) -> None:
    box.admin("POST", "/limits", {"limit": 2})
    for _ in range(4):
        box.get("football/leagues")
    calls = box.calls()
    assert calls["by_entity"] == {"League": 2}
    assert calls["answers_429"] == {"League": 2}
    assert calls["calls_after_remaining_zero"] == 2
    assert [entry["status"] for entry in calls["log"]] == [200, 200, 429, 429]
    box.admin("DELETE", "/calls")
    assert box.calls()["total"] == 0


def test_reads_of_fixtures_are_counted_by_id(box: RunningSandbox) -> None:
    box.get("football/fixtures/multi/11114114,11114115")
    box.get("football/fixtures/11114114")
    calls = box.admin("GET", "/calls?fixtures=1&last=0")
    assert calls["by_path"] == {"football/fixtures/multi/{}": 1, "football/fixtures/{}": 1}
    assert calls["fixture_reads"] == {"11114114": 2, "11114115": 1}
    assert (calls["fixtures_requested"], calls["fixtures_requested_distinct"], calls["fixtures_requested_again"]) == (
        3,
        2,
        1,
    )


def test_refused_requests_and_admin_cost_nothing(box: RunningSandbox) -> None:
    for path in ("football/fixtures?include=odds", "football/nothing", "football/fixtures?page=0"):
        box.get(path)
    box.get("football/fixtures", key="wrong")
    box.admin("GET", "/truth")
    assert box.get("football/fixtures")[2]["rate_limit"]["remaining"] == 2_999


def test_usage_tells_what_was_used(box: RunningSandbox) -> None:
    box.get("football/leagues")
    rows = {row["entity"]: row for row in box.get("my/usage")[2]["data"]}
    assert rows["league"]["count"] == 1
    assert rows["league"]["remaining_requests"] == 2_999


@pytest.mark.parametrize("how", ["cut", "truncated_json", "invalid_json"])
def test_an_answer_nobody_can_read_tells_nobody(box: RunningSandbox, how: str) -> None:
    box.admin("POST", "/limits", {"limit": 1})
    box.fault(how)
    with contextlib.suppress(http.client.HTTPException, ValueError):
        box.get("football/leagues")
    assert box.get("football/leagues")[0] == 429  # this one tells
    assert box.calls()["calls_after_remaining_zero"] == 0
    assert box.get("football/leagues")[0] == 429
    assert box.calls()["calls_after_remaining_zero"] == 1


def test_a_call_that_was_under_way_already_is_no_offence() -> None:
    """It came in before the response that reports it had been sent, and is counted after that."""
    with running_sandbox(leagues=1, seasons=1, teams=4, latency=0.5) as box, ThreadPoolExecutor(2) as pool:
        box.admin("POST", "/limits", {"limit": 1})
        states = [each.result()[0] for each in [pool.submit(box.get, "football/leagues") for _ in range(2)]]
        assert sorted(states) == [200, 429]
        assert box.calls()["calls_after_remaining_zero"] == 0
