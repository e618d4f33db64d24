"""The decision after a failed attempt, as a table, and the loop around it."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest

from sportmonks.api.retry import RetryPolicy, call_with_retries, decide_retry, wait_before_retry
from sportmonks.api.transport import ResponseTooLargeError
from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    FatalApiError,
    RateLimitError,
    SportmonksError,
    TransientApiError,
)

WITH_BUDGET = RetryPolicy("Fixture", attempts=3, attempts_limited=5, budgeted=True)
WITHOUT = RetryPolicy("raw_shop_orders", attempts=3)


def fault(seconds: float | None = None) -> TransientApiError:
    return TransientApiError("x: HTTP 503", retry_after=seconds)


def limited(seconds: float | None = None) -> RateLimitError:
    return RateLimitError("x: Too Many Attempts.", entity="Stage", retry_after=seconds)


# A number is a wait in seconds, None the error itself.
@pytest.mark.parametrize(
    ("policy", "attempt", "error", "decision"),
    [
        (WITH_BUDGET, 1, ResponseTooLargeError("x"), None),
        (WITHOUT, 1, ResponseTooLargeError("x"), None),
        (WITH_BUDGET, 1, limited(), 0.0),
        (WITH_BUDGET, 4, limited(7), 0.0),
        (WITH_BUDGET, 1, limited(1800), 0.0),
        (WITH_BUDGET, 5, limited(), (BudgetWait, "Stage", 30)),
        (WITH_BUDGET, 5, limited(7), (BudgetWait, "Stage", 30)),
        (WITH_BUDGET, 5, limited(1800), (BudgetWait, "Stage", 1800)),
        (WITHOUT, 1, limited(7), 7.0),
        (WITHOUT, 2, limited(30), 30.0),
        (WITHOUT, 1, limited(31), (BudgetWait, "Stage", 31)),
        (WITHOUT, 3, limited(1800), (BudgetWait, "Stage", 1800)),
        (WITHOUT, 3, limited(7), None),
        (WITH_BUDGET, 1, fault(7), 7.0),
        (WITHOUT, 1, fault(7), 7.0),
        (WITH_BUDGET, 3, fault(7), None),
        (WITHOUT, 3, fault(), None),
        (WITH_BUDGET, 1, fault(600), (CircuitOpenError, "Fixture", 600)),
        (WITH_BUDGET, 3, fault(600), (CircuitOpenError, "Fixture", 600)),
        (WITHOUT, 1, fault(600), (CircuitOpenError, "raw_shop_orders", 600)),
    ],
)
def test_decisions(
    policy: RetryPolicy,
    attempt: int,
    error: TransientApiError,
    decision: float | tuple[type[BudgetWait], str, float] | None,
) -> None:
    found = decide_retry(policy, attempt, error)
    if decision is None:
        assert found is error
    elif isinstance(decision, float):
        assert found == decision
    else:
        assert isinstance(found, BudgetWait)
        assert (type(found), found.entity, found.seconds) == decision
        assert abs((found.until - datetime.now(UTC)).total_seconds() - found.seconds) < 5
        assert found.message.startswith(f"No {found.entity} call before 2")
        assert error.message.rstrip(".") in found.message


def test_waits_double_up_to_the_cap_and_half_of_them_is_random() -> None:
    least = [wait_before_retry(attempt, None, chance=lambda: 0.0) for attempt in range(1, 9)]
    most = [wait_before_retry(attempt, None, chance=lambda: 1.0) for attempt in range(1, 9)]
    assert least == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert most == [1, 2, 4, 8, 16, 30, 30, 30]
    assert wait_before_retry(10_000, None) <= 30


def test_the_time_that_the_api_names_is_honoured() -> None:
    assert wait_before_retry(1, TransientApiError("x", retry_after=25)) == 25
    assert wait_before_retry(1, RateLimitError("x", entity="Fixture", retry_after=1847)) == 1847
    assert wait_before_retry(3, TransientApiError("x", retry_after=0.1), chance=lambda: 0.0) == 2


def test_the_loop_waits_between_attempts_and_returns_the_first_result(caplog: pytest.LogCaptureFixture) -> None:
    errors: list[SportmonksError] = [fault(2), limited(3)]
    attempts: list[int] = []
    sleeps: list[float] = []

    def call(attempt: int) -> str:
        attempts.append(attempt)
        if errors:
            raise errors.pop(0)
        return "result"

    with caplog.at_level(logging.WARNING):
        assert call_with_retries(call, WITHOUT, sleep=sleeps.append) == "result"
    assert (attempts, sleeps) == ([1, 2, 3], [2.0, 3.0])
    assert [record.getMessage() for record in caplog.records] == [
        "Attempt 1/2 failed, waiting 2.0 s: x: HTTP 503",
        "Attempt 2/2 failed, waiting 3.0 s: x: Too Many Attempts.",
    ]


@pytest.mark.parametrize(
    ("error", "raised", "attempts"),
    [(fault(1), TransientApiError, 3), (fault(60), CircuitOpenError, 1), (FatalApiError("no"), FatalApiError, 1)],
)
def test_the_loop_ends_with_the_error_of_its_decision(
    error: SportmonksError, raised: type[SportmonksError], attempts: int
) -> None:
    made: list[int] = []

    def call(attempt: int) -> None:
        made.append(attempt)
        raise error

    with pytest.raises(raised) as caught:
        call_with_retries(call, WITHOUT, sleep=lambda _: None)
    assert len(made) == attempts
    assert caught.value.__cause__ is None
    if raised is type(error):
        assert caught.value is error
