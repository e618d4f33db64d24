"""One call with its retries, against scripted answers over real sockets."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from sportmonks.api.calls import CallRecord
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from tests.api.conftest import Sleeps, Talk
from tests.harness.api_server import NO_RESULT, ROW, always, answer, http, in_turn


def test_transient_faults_are_retried_with_growing_waits(talk: Talk, sleeps: Sleeps) -> None:
    client, server = talk(in_turn(http("oops", 500), http("", 502), http("<html>", 200), ROW))
    assert client.get("fixtures").rows()
    assert len(server.seen) == 4
    assert len(sleeps) == 3
    assert 0.5 <= sleeps[0] <= 1 <= sleeps[1] <= 2 <= sleeps[2] <= 4


def test_exhausted_retries_raise_what_was_seen_last(talk: Talk) -> None:
    client, server = talk(always(http("", 503)), attempts=3)
    with pytest.raises(TransientApiError, match="football/fixtures: HTTP 503, the answer is empty"):
        client.get("fixtures")
    assert len(server.seen) == 3


def test_a_long_retry_after_of_a_5xx_is_a_wait_outside_the_worker(talk: Talk, sleeps: Sleeps) -> None:
    client, server = talk(always(http("", 503, {"Retry-After": "600"})))
    with pytest.raises(CircuitOpenError, match="HTTP 503") as caught:
        client.get("fixtures")
    assert caught.value.seconds == 600
    assert 595 < (caught.value.until - datetime.now(UTC)).total_seconds() <= 600
    assert (len(server.seen), sleeps) == (1, [])


def test_a_short_retry_after_of_a_5xx_is_waited_for(talk: Talk, sleeps: Sleeps) -> None:
    client, server = talk(in_turn(http("", 503, {"Retry-After": "7"}), ROW))
    assert client.get("fixtures").rows()
    assert (len(server.seen), sleeps) == (2, [7.0])


@pytest.mark.parametrize(
    ("raw", "error", "words"),
    [
        (answer(status=401, message="Unauthenticated."), ConfigurationError, "SPORTMONKS_API_KEY"),
        (answer(status=403, message="No access to this resource"), OutsidePlanError, "subscription"),
        (answer(status=403, message="x", code=5007), OutsidePlanError, "code 5007"),
        (answer(status=404, message="The requested endpoint does not exist"), FatalApiError, "SPORTMONKS_BASE_URL"),
        (
            answer(status=400, message="The given data was invalid.", errors={"filters": ["Bad."]}),
            FatalApiError,
            "Bad.",
        ),
        (answer(status=400, message="per_page is not allowed with cursor", code=5006), FatalApiError, "code 5006"),
        (http("<html>not here", 404), FatalApiError, "a web page"),
    ],
)
def test_refusals_are_not_retried(talk: Talk, raw: bytes, error: type[Exception], words: str) -> None:
    client, server = talk(always(raw))
    with pytest.raises(error, match=words):
        client.get("fixtures/1")
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    "raw",
    [
        NO_RESULT,
        answer([], message="No result(s) found matching your request."),
        answer([]),
        answer(status=404, message="No result(s) found matching your request."),
        answer(status=404, message="Not found."),
    ],
)
def test_no_result_is_an_answer(talk: Talk, raw: bytes) -> None:
    client, server = talk(always(raw))
    assert client.get("fixtures/1").no_result
    assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("raw", "wait"),
    [
        (answer(status=429, message="Too Many Attempts.", headers={"Retry-After": "7"}), 7),
        (answer(status=429, error="Too Many Requests", message="Rate limit exceeded.", retry_after=9), 9),
        (answer(status=429, message="Too Many Attempts."), 1),
        (http("slow down", 429, {"Retry-After": "3"}), 3),
        (answer(status=200, message="You have reached your rate limit", code=5005, retry_after=4), 4),
    ],
)
def test_a_429_waits_as_long_as_the_api_names(talk: Talk, sleeps: Sleeps, raw: bytes, wait: float) -> None:
    client, server = talk(in_turn(raw, ROW))
    client.budget.acquire("Fixture")

    def sleep(seconds: float) -> None:
        sleeps.append(seconds)
        if seconds > 0:
            client.budget._blocked_until.clear()  # type: ignore[attr-defined]

    client.budget._waiting._sleep = sleep  # type: ignore[attr-defined]
    assert client.get("fixtures").rows()
    assert len(server.seen) == 2
    slept = max(sleeps)
    assert wait * 0.45 <= slept <= wait * 1.15


def test_a_429_with_a_wait_of_more_than_half_a_minute_is_raised_as_a_wait(talk: Talk) -> None:
    client, server = talk(always(answer(status=429, message="You have reached your rate limit", retry_after=1847)))
    with pytest.raises(BudgetWait) as caught:
        client.get("fixtures")
    assert 1800 < caught.value.seconds <= 1847
    assert len(server.seen) == 1


def test_429_without_end_is_a_wait_outside_the_worker(talk: Talk) -> None:
    client, server = talk(always(answer(status=429, message="Too Many Attempts.", retry_after=0)), attempts=3)
    with pytest.raises(BudgetWait, match="Too Many Attempts") as caught:
        client.get("fixtures")
    assert (caught.value.entity, caught.value.seconds) == ("Fixture", 30)
    assert not isinstance(caught.value, CircuitOpenError)
    assert len(server.seen) == 3


def test_every_request_is_recorded(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    records: list[CallRecord] = []
    client, _ = talk(in_turn(http("", 500), ROW), on_call=records.append)
    client.get("fixtures/7")
    assert [(r.path, r.entity, r.status, r.attempt) for r in records] == [
        ("football/fixtures/{id}", "Fixture", 500, 1),
        ("football/fixtures/{id}", "Fixture", 200, 2),
    ]
    assert records[1].bytes > 0
    assert records[1].seconds > 0


def test_a_broken_metrics_callback_does_not_fail_the_call(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: CallRecord) -> None:
        raise RuntimeError("no table")

    caplog.set_level(logging.ERROR)
    client, _ = talk(always(ROW), on_call=broken)
    assert client.get("fixtures").rows()
    assert "metrics callback failed" in caplog.text
