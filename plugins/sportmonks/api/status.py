"""What to do about an answer: HTTP statuses and the provider's error codes as tables, and pure functions over them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from sportmonks.api.response import NO_RESULT_WORDS, Envelope
from sportmonks.coerce import as_delay, read_time


class Decision(StrEnum):
    """What the caller does next."""

    OK = "ok"
    NO_RESULT = "no result"
    RETRY = "retry"
    RATE_LIMITED = "wait"
    DROP_INCLUDE = "drop include"
    OUTSIDE_PLAN = "skip"
    CONFIGURATION = "stop: configuration"
    FATAL = "stop: bug"


# The provider's own codes are more precise than the HTTP status, so they are looked up first.
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

# How any other API differs, of which nothing but HTTP is known.
OTHER_API: Mapping[int, Decision] = {
    202: Decision.RETRY,  # accepted, and not ready yet
    204: Decision.NO_RESULT,
    403: Decision.CONFIGURATION,
    404: Decision.FATAL,
    420: Decision.RATE_LIMITED,
}
# One of many listings (a team, a season): the others go on without it.
ONE_OF_MANY: Mapping[int, Decision] = {403: Decision.OUTSIDE_PLAN, 404: Decision.OUTSIDE_PLAN}
# A page that may lie behind the end of its listing.
BEHIND_END: Mapping[int, Decision] = dict.fromkeys((400, 404, 410, 416, 422), Decision.NO_RESULT)

# Words that distinguish answers with the same status and without a code.
_INCLUDE = re.compile(r"\binclude\b", re.I)
_NO_ENDPOINT = re.compile(r"endpoint|\broute\b|url|could not be found", re.I)
_EXHAUSTED = re.compile(r"reached your rate limit|rate limit of|per hour", re.I)

# Keys that only a complete answer without an error has.
_ORDINARY = frozenset({"subscription", "rate_limit", "timezone"})


def decide_status(status: int, *differences: Mapping[int, Decision]) -> Decision:
    """The decision by the HTTP status alone; the first of ``differences`` that has the status wins over the table."""
    for table in (*differences, BY_STATUS):
        if status in table:
            return table[status]
    return BY_CLASS.get(status // 100, Decision.FATAL)


def decide(status: int, envelope: Envelope | None) -> Decision:
    """The decision for one answer of the Sportmonks API; ``envelope`` None = the body was not this API's JSON.

    A failed answer must not be taken for an empty one: a 200 without ``data`` counts as "no result" only when its
    message says so, or when it has the other keys of an answer without an error.
    """
    plain = decide_status(status)
    if envelope is None:
        if plain is Decision.OK or status == 403:
            # The page of a proxy or a firewall: it says nothing about the plan or the rows.
            return Decision.RETRY
        return Decision.FATAL if status == 404 else plain
    if envelope.code is not None and envelope.code in BY_CODE:
        return BY_CODE[envelope.code]
    says_nothing_found = NO_RESULT_WORDS in envelope.message.lower()
    if plain is Decision.OK:
        if envelope.is_error and not says_nothing_found:
            return Decision.RETRY
        if envelope.has_data or says_nothing_found:
            return plain
        return plain if envelope.message and _ORDINARY & envelope.parts.keys() else Decision.RETRY
    if status == 403 and _EXHAUSTED.search(envelope.message):
        return Decision.RATE_LIMITED
    if status in (403, 404) and says_nothing_found:
        return Decision.NO_RESULT
    if status in (400, 403, 404) and _INCLUDE.search(envelope.message):
        return Decision.DROP_INCLUDE
    if status == 404 and _NO_ENDPOINT.search(envelope.message):
        return Decision.FATAL
    return plain


def retry_after(headers: Mapping[str, str], envelope: Envelope | None, *, now: datetime | None = None) -> float | None:
    """Seconds to wait that the API named: the longest of the header (seconds or HTTP date), ``retry_after`` in the
    body and, when no call is left, the reset of the rate limit. None when it named none."""
    named: list[float] = []
    header = headers.get("Retry-After")
    if header:
        seconds = as_delay(header)
        if seconds is None:
            try:
                timestamp = read_time(header, parsedate_to_datetime)
                # An HTTP date has no fractions of a second: the time meant is within the second that begins there.
                seconds = max(0.0, (timestamp - (now or datetime.now(UTC))).total_seconds() + 1)
            except (TypeError, ValueError, OverflowError):
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
