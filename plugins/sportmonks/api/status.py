"""What to do about an answer: the provider's codes and the HTTP statuses as data, and a pure function over them."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from sportmonks.api.response import NO_RESULT_WORDS, Envelope
from sportmonks.coerce import as_seconds
from sportmonks.errors import TransientApiError


class Decision(StrEnum):
    """What the client does next."""

    OK = "ok"
    NO_RESULT = "no result"
    RETRY = "retry"
    RATE_LIMITED = "wait"
    DROP_INCLUDE = "drop include"
    OUTSIDE_PLAN = "skip"
    CONFIGURATION = "stop: configuration"
    FATAL = "stop: bug"


# The provider's own codes are the sharper word, so they are asked first.
BY_CODE: Mapping[int, Decision] = {
    5000: Decision.DROP_INCLUDE,  # include not allowed
    5001: Decision.DROP_INCLUDE,  # include not found
    5002: Decision.DROP_INCLUDE,  # include outside the plan
    5003: Decision.NO_RESULT,  # page does not exist
    5004: Decision.FATAL,  # query too complex
    5005: Decision.RATE_LIMITED,
    5006: Decision.FATAL,  # invalid query parameter
    5007: Decision.OUTSIDE_PLAN,  # resource outside the plan
    5008: Decision.FATAL,  # includes nested too deep
    5010: Decision.FATAL,  # filter does not apply here
    5013: Decision.DROP_INCLUDE,  # include not available on this endpoint
}

BY_STATUS: Mapping[int, Decision] = {
    400: Decision.FATAL,
    401: Decision.CONFIGURATION,
    402: Decision.CONFIGURATION,
    403: Decision.OUTSIDE_PLAN,
    404: Decision.NO_RESULT,
    408: Decision.RETRY,
    425: Decision.RETRY,
    429: Decision.RATE_LIMITED,
}

# For the statuses without a line of their own.
BY_CLASS: Mapping[int, Decision] = {
    1: Decision.RETRY,
    2: Decision.OK,
    3: Decision.CONFIGURATION,
    4: Decision.FATAL,
    5: Decision.RETRY,
}

# Words that tell apart what shares a status and carries no code.
_INCLUDE = re.compile(r"\binclude\b", re.I)
_NO_ENDPOINT = re.compile(r"endpoint|\broute\b|url|could not be found", re.I)
_EXHAUSTED = re.compile(r"reached your rate limit|rate limit of|per hour", re.I)

# Keys that only a complete, ordinary answer carries.
_ORDINARY = frozenset({"subscription", "rate_limit", "timezone"})

BASE_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0


def decide(status: int, envelope: Envelope | None) -> Decision:
    """The decision for one answer; ``envelope`` None = the body was not this API's JSON.

    An empty answer and a failed one never look alike: a 200 without ``data`` counts as "no result" only when it
    says so or is an ordinary answer in all other parts.
    """
    plain = BY_STATUS.get(status) or BY_CLASS.get(status // 100, Decision.FATAL)
    if envelope is None:
        if plain is Decision.OK or status == 403:
            # A page put in between (proxy, block page): nothing was said about the plan or the rows.
            return Decision.RETRY
        return Decision.FATAL if status == 404 else plain
    if envelope.code is not None and envelope.code in BY_CODE:
        return BY_CODE[envelope.code]
    says_nothing_found = NO_RESULT_WORDS in envelope.message.lower()
    if plain is Decision.OK:
        if envelope.has_data or says_nothing_found:
            return plain
        return plain if envelope.message and _ORDINARY & envelope.parts.keys() else Decision.RETRY
    if status in (403, 404) and says_nothing_found:
        return Decision.NO_RESULT
    if status in (400, 403, 404) and _INCLUDE.search(envelope.message):
        return Decision.DROP_INCLUDE
    if status == 404 and _NO_ENDPOINT.search(envelope.message):
        return Decision.FATAL
    return plain


def retry_after(headers: Mapping[str, str], envelope: Envelope | None, *, now: datetime | None = None) -> float | None:
    """Seconds the API asks to wait: the longest of the header (seconds or HTTP date), ``retry_after`` in the body
    and, when nothing is left, the reset of the rate limit. None when it named no time."""
    named: list[float] = []
    header = headers.get("Retry-After")
    if header:
        seconds = as_seconds(header)
        if seconds is None:
            try:
                moment = parsedate_to_datetime(header)
                # A date has no fractions: the moment meant lies within the second that begins there.
                seconds = max(0.0, (moment - (now or datetime.now(UTC))).total_seconds() + 1)
            except (TypeError, ValueError):
                seconds = None
        if seconds is not None:
            named.append(seconds)
    if envelope is not None:
        if envelope.retry_after is not None:
            named.append(envelope.retry_after)
        limit = envelope.rate_limit
        if limit.resets_in_seconds is not None and not limit.remaining:
            named.append(limit.resets_in_seconds)
    return max(named) if named else None


def is_exhausted(envelope: Envelope | None) -> bool:
    """Whether a 429 means that the window is used up, and not a short burst with quota left."""
    if envelope is None:
        return False
    if envelope.rate_limit.remaining is not None:
        return envelope.rate_limit.remaining == 0
    return envelope.code == 5005 or bool(_EXHAUSTED.search(envelope.message))


def wait_before_retry(
    attempt: int,
    error: BaseException | None,
    *,
    base: float = BASE_WAIT_S,
    longest: float = LONGEST_WAIT_S,
    chance: Callable[[], float] = random.random,
) -> float:
    """Seconds to wait after failed attempt ``attempt`` (1 = the first).

    Doubles from ``base`` up to ``longest``, half of it by chance so that parallel workers spread; never less than
    the time the API itself asked for.
    """
    step = min(longest, base * 2.0 ** min(attempt - 1, 16))
    wait = step / 2 + step / 2 * chance()
    asked = error.retry_after if isinstance(error, TransientApiError) else None
    return max(wait, asked or 0.0)
