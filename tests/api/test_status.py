"""The status table, as a table."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from requests.structures import CaseInsensitiveDict

from sportmonks.api.response import Envelope, read_envelope
from sportmonks.api.status import (
    BEHIND_END,
    BY_STATUS,
    ONE_OF_MANY,
    OTHER_API,
    Decision,
    decide,
    decide_status,
    is_exhausted,
    retry_after,
)

NO_RESULT = "No result(s) found matching your request. Either the query did not return any results or ..."


def envelope(body: dict[str, Any] | None, headers: dict[str, str] | None = None) -> Envelope | None:
    if body is None:
        return None
    return read_envelope(msgspec.json.encode(body), CaseInsensitiveDict(headers or {}))


@pytest.mark.parametrize(
    ("status", "body", "decision"),
    [
        (200, {"data": []}, Decision.OK),
        (200, {"data": {"id": 1}}, Decision.OK),
        (200, {"message": NO_RESULT}, Decision.OK),
        (200, {"message": "Nothing for you today.", "rate_limit": {"remaining": 3}}, Decision.OK),
        # "200 OK" that says neither data nor "no result" is a failure, not an empty answer.
        (200, {"message": "Server too busy"}, Decision.RETRY),
        (200, {}, Decision.RETRY),
        (200, {"rate_limit": {"remaining": 3}}, Decision.RETRY),
        (200, None, Decision.RETRY),
        (204, None, Decision.RETRY),
        (301, None, Decision.CONFIGURATION),
        (302, {"message": "Moved"}, Decision.CONFIGURATION),
        (400, {"message": "The given data was invalid."}, Decision.FATAL),
        (400, {"message": "x", "code": 5006}, Decision.FATAL),
        (400, {"message": "x", "code": 5010}, Decision.FATAL),
        (400, {"message": "x", "code": 5004}, Decision.FATAL),
        (400, {"message": "x", "code": 5008}, Decision.FATAL),
        (400, {"message": "x", "code": "5001"}, Decision.DROP_INCLUDE),
        (401, {"message": "Unauthenticated."}, Decision.CONFIGURATION),
        (401, None, Decision.CONFIGURATION),
        (403, {"message": "You do not have access to the 'odds' include", "code": 5002}, Decision.DROP_INCLUDE),
        (403, {"message": "You do not have access to the 'odds' include"}, Decision.DROP_INCLUDE),
        (403, {"message": "The include is not allowed", "code": 5000}, Decision.DROP_INCLUDE),
        (403, {"message": "You do not have access to this resource"}, Decision.OUTSIDE_PLAN),
        (403, {"message": "x", "code": 5007}, Decision.OUTSIDE_PLAN),
        (403, {"message": NO_RESULT}, Decision.NO_RESULT),
        # A block page says nothing about the plan: a league must not be skipped for it.
        (403, None, Decision.RETRY),
        (404, {"message": "The requested endpoint does not exist"}, Decision.FATAL),
        (404, {"message": "The route api/v3/x could not be found."}, Decision.FATAL),
        (404, {"message": "The include is not available", "code": 5013}, Decision.DROP_INCLUDE),
        (404, {"message": NO_RESULT}, Decision.NO_RESULT),
        (404, {"message": "Not found."}, Decision.NO_RESULT),
        (404, {"message": "x", "code": 5003}, Decision.NO_RESULT),
        (404, None, Decision.FATAL),
        (405, {"message": "x"}, Decision.FATAL),
        (408, None, Decision.RETRY),
        (414, None, Decision.FATAL),
        (422, {"message": "x"}, Decision.FATAL),
        (429, {"message": "Too Many Attempts."}, Decision.RATE_LIMITED),
        (429, None, Decision.RATE_LIMITED),
        (200, {"message": "You have reached your rate limit", "code": 5005}, Decision.RATE_LIMITED),
        (500, {"message": "Server Error"}, Decision.RETRY),
        (500, {"message": "x", "code": 9999}, Decision.RETRY),
        (502, None, Decision.RETRY),
        (503, {"message": NO_RESULT}, Decision.RETRY),
        (504, None, Decision.RETRY),
        (520, None, Decision.RETRY),
    ],
)
def test_decisions(status: int, body: dict[str, Any] | None, decision: Decision) -> None:
    assert decide(status, envelope(body)) is decision


@pytest.mark.parametrize(
    ("status", "one_listing", "one_of_many", "behind_end"),
    [
        (200, Decision.OK, Decision.OK, Decision.OK),
        (201, Decision.OK, Decision.OK, Decision.OK),
        (204, Decision.NO_RESULT, Decision.NO_RESULT, Decision.NO_RESULT),
        (301, Decision.CONFIGURATION, Decision.CONFIGURATION, Decision.CONFIGURATION),
        (400, Decision.FATAL, Decision.FATAL, Decision.NO_RESULT),
        (401, Decision.CONFIGURATION, Decision.CONFIGURATION, Decision.CONFIGURATION),
        (402, Decision.CONFIGURATION, Decision.CONFIGURATION, Decision.CONFIGURATION),
        (403, Decision.CONFIGURATION, Decision.OUTSIDE_PLAN, Decision.CONFIGURATION),
        (404, Decision.FATAL, Decision.OUTSIDE_PLAN, Decision.NO_RESULT),
        (408, Decision.RETRY, Decision.RETRY, Decision.RETRY),
        (422, Decision.FATAL, Decision.FATAL, Decision.NO_RESULT),
        (425, Decision.RETRY, Decision.RETRY, Decision.RETRY),
        (429, Decision.RATE_LIMITED, Decision.RATE_LIMITED, Decision.RATE_LIMITED),
        (500, Decision.RETRY, Decision.RETRY, Decision.RETRY),
        (503, Decision.RETRY, Decision.RETRY, Decision.RETRY),
        (999, Decision.FATAL, Decision.FATAL, Decision.FATAL),
    ],
)
def test_decisions_on_any_other_api(
    status: int, one_listing: Decision, one_of_many: Decision, behind_end: Decision
) -> None:
    assert decide_status(status, OTHER_API) is one_listing
    assert decide_status(status, ONE_OF_MANY, OTHER_API) is one_of_many
    assert decide_status(status, BEHIND_END, OTHER_API) is behind_end
    assert decide_status(status, BEHIND_END, ONE_OF_MANY, OTHER_API) is (BEHIND_END.get(status) or one_of_many)


def test_without_differences_the_table_decides() -> None:
    assert {status: decide_status(status) for status in BY_STATUS} == BY_STATUS


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({}, {}, None),
        ({}, None, None),
        ({"retry-after": "17"}, None, 17),
        ({"Retry-After": "Sun, 01 Mar 2026 12:00:30 GMT"}, {}, 31),  # dates have no fractions
        ({"Retry-After": "Sun, 01 Mar 2026 11:00:00 GMT"}, {}, 0),
        ({"Retry-After": "0"}, {}, 0),
        ({"Retry-After": "-30"}, {}, 0),
        ({}, {"retry_after": -5}, 0),
        ({"Retry-After": "nan"}, {"retry_after": True}, None),
        ({"Retry-After": "soon"}, {}, None),
        ({"Retry-After": "5"}, {"retry_after": 1847}, 1847),
        ({"Retry-After": "20"}, {"retry_after": "3"}, 20),
        ({}, {"rate_limit": {"remaining": 0, "resets_in_seconds": 900}, "retry_after": 60}, 900),
        # Quota is left: a short burst, the window's end is not what to wait for.
        ({}, {"rate_limit": {"remaining": 40, "resets_in_seconds": 900}, "retry_after": 2}, 2),
        ({"X-RateLimit-Remaining": "40"}, {"rate_limit": {"resets_in_seconds": 900}}, None),
    ],
)
def test_the_wait_that_the_api_names(headers: dict[str, str], body: Any, seconds: float | None) -> None:
    named = retry_after(CaseInsensitiveDict(headers), envelope(body, headers), now=datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert named == seconds


@pytest.mark.parametrize(
    ("body", "headers", "exhausted"),
    [
        (None, {}, False),
        ({"message": "Too Many Attempts."}, {}, False),
        ({"message": "You have reached your rate limit"}, {}, True),
        ({"message": "Rate limit of 3000 requests per hour exceeded."}, {}, True),
        ({"message": "x", "code": 5005}, {}, True),
        ({"message": "You have reached your rate limit"}, {"X-RateLimit-Remaining": "12"}, False),
        ({"message": "Too Many Attempts.", "rate_limit": {"remaining": 0}}, {}, True),
    ],
)
def test_a_used_up_window_is_distinguished_from_a_short_burst(
    body: Any, headers: dict[str, str], exhausted: bool
) -> None:
    assert is_exhausted(envelope(body, headers)) is exhausted
