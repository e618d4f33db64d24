"""The one retry loop of API calls: how often a request is made, and how long to wait in between.

What to do after a failed attempt is a pure function (:func:`decide_retry`), tested as a table; only
:func:`call_with_retries` waits. The Sportmonks client and the raw routes differ in their :class:`RetryPolicy` alone.
"""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type

from sportmonks.api.transport import ResponseTooLargeError
from sportmonks.errors import BudgetWait, CircuitOpenError, RateLimitError, SportmonksError, TransientApiError

log = logging.getLogger(__name__)

T = TypeVar("T")

BASE_WAIT_S = 1.0
# No worker waits longer than this: a longer wait is raised, so that the task can give its worker slot back.
LONGEST_WAIT_S = 30.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long one request is tried.

    ``entity``: the bucket that a raised wait names. ``attempts``: requests at most, the first one included.
    ``attempts_limited``: the same while the answer is a rate limit, which says nothing about the request; None = as
    ``attempts``. ``budgeted``: each attempt first asks a budget, which holds every caller back after a rate limit. The
    loop then does not wait itself, and a rate limit that outlasts all attempts is a wait and no failure.
    """

    entity: str
    attempts: int
    attempts_limited: int | None = None
    budgeted: bool = False

    def attempts_after(self, error: TransientApiError) -> int:
        """Requests at most when the last one failed with ``error``."""
        return (self.attempts_limited or self.attempts) if isinstance(error, RateLimitError) else self.attempts


def wait_before_retry(
    attempt: int, error: BaseException | None, *, chance: Callable[[], float] = random.random
) -> float:
    """Seconds to wait after failed attempt ``attempt`` (1 = the first).

    The wait doubles from ``BASE_WAIT_S`` up to ``LONGEST_WAIT_S``. Half of it is random, so that parallel workers
    spread. It is never shorter than the time that the API named.
    """
    step = min(LONGEST_WAIT_S, BASE_WAIT_S * 2.0 ** min(attempt - 1, 16))
    wait = step / 2 + step / 2 * chance()
    named = error.retry_after if isinstance(error, TransientApiError) else None
    return max(wait, named or 0.0)


def decide_retry(policy: RetryPolicy, attempt: int, error: TransientApiError) -> float | SportmonksError:
    """After ``attempt`` (1 = the first) failed with ``error``: the seconds to wait before the next one, or the error
    that ends the loop.

    =============================  ==========================  ==========================
    failure                        with a budget               without one
    =============================  ==========================  ==========================
    answer too large               the error itself            the error itself
    rate limit                     0 s, the budget waits       wait
    rate limit, long wait          0 s, the budget raises      BudgetWait
    rate limit, last attempt       BudgetWait                  the error itself
    other fault                    wait                        wait
    other fault, long wait         CircuitOpenError            CircuitOpenError
    other fault, last attempt      the error itself            the error itself
    =============================  ==========================  ==========================

    A wait is long when the API named one above LONGEST_WAIT_S: it is away, for maintenance or until its window ends.
    """
    if isinstance(error, ResponseTooLargeError):
        return error
    named = error.retry_after or 0.0
    last = attempt >= policy.attempts_after(error)
    if isinstance(error, RateLimitError) and policy.budgeted:
        if not last:
            return 0.0
        return BudgetWait.after(max(named, LONGEST_WAIT_S), entity=error.entity, reason=error.message)
    if named > LONGEST_WAIT_S:
        if isinstance(error, RateLimitError):
            return BudgetWait.after(named, entity=error.entity, reason=error.message)
        return CircuitOpenError.after(named, entity=policy.entity, reason=error.message)
    return error if last else wait_before_retry(attempt, error)


def call_with_retries(
    call: Callable[[int], T], policy: RetryPolicy, *, sleep: Callable[[float], None] = time.sleep
) -> T:
    """The result of ``call(attempt)``, called until it succeeds or ``policy`` ends the loop.

    Raises what ``call`` raises; BudgetWait or CircuitOpenError in place of a TransientApiError whose wait is too long.
    """

    def error_of(state: RetryCallState) -> TransientApiError:
        error = state.outcome.exception() if state.outcome else None
        assert isinstance(error, TransientApiError)
        return error

    def decide(state: RetryCallState) -> float | SportmonksError:
        return decide_retry(policy, state.attempt_number, error_of(state))

    def seconds(state: RetryCallState) -> float:
        found = decide(state)
        return 0.0 if isinstance(found, SportmonksError) else found

    def warn(state: RetryCallState) -> None:
        error = error_of(state)
        retries = policy.attempts_after(error) - 1
        log.warning(
            "Attempt %d/%d failed, waiting %.1f s: %s", state.attempt_number, retries, state.upcoming_sleep, error
        )

    def give_up(state: RetryCallState) -> T:
        found = decide(state)
        assert isinstance(found, SportmonksError)
        raise found from None

    retrying = Retrying(
        retry=retry_if_exception_type(TransientApiError),
        stop=lambda state: isinstance(decide(state), SportmonksError),
        wait=seconds,
        sleep=sleep,
        before_sleep=warn,
        retry_error_callback=give_up,
    )
    attempts = itertools.count(1)
    return retrying(lambda: call(next(attempts)))
