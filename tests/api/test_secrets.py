"""The API repeats the key in errors of every status and in every form: no error, log line or answer holds it."""

from __future__ import annotations

import base64
import json
import logging
from http import HTTPStatus

import pytest

from sportmonks.errors import SportmonksError
from tests.api.conftest import KEY, Talk
from tests.harness.api_server import always, answer, http
from tests.harness.canary import found_in

STATUSES = [int(status) for status in HTTPStatus if status >= 300]
WRITTEN = {
    "raw": KEY,
    "upper": KEY.upper(),
    "percent": KEY.replace("-", "%2d"),
    "base64": base64.b64encode(f"u:{KEY}".encode()).decode(),
    "escaped": KEY.replace("-", "\\u002d"),
}


@pytest.mark.parametrize("status", STATUSES)
def test_an_error_repeats_the_key(talk: Talk, caplog: pytest.LogCaptureFixture, status: int) -> None:
    caplog.set_level(logging.DEBUG)
    for form, key in WRITTEN.items():
        link = f"https://u:{key}@example.com/?api_token={key}"
        body = f'{{"message": "{"Refused: " * 54}{key} {key}", "link": "{link}", "errors": {{"{key}": ["{key}"]}}}}'
        headers = {"Link": f'<{link}>; rel="next"', "Location": link, "X-Token": key, "Retry-After": "0"}
        client, _ = talk(always(http(body, status, headers)), attempts=2)
        text = ""
        try:
            client.get("fixtures/1", include=("scores",))
        except SportmonksError as error:
            text = f"{error} {error.hint}"
        assert not found_in(text, KEY), form
        # Half a key is too much as well.
        assert KEY[:8] not in text, form
    assert not found_in(caplog.text, KEY)


def test_a_good_answer_repeats_the_key(talk: Talk) -> None:
    rows = [{"id": 1, "requested": f"https://example.com/?api_token={KEY}", "name": f"before {KEY} after"}]
    paging = {"has_more": True, "next_page": f"https://example.com/?page=2&api_token={KEY}", "next_cursor": KEY}
    limit = {"remaining": 5, "resets_in_seconds": 9, "requested_entity": f"Fixture {KEY}"}
    client, _ = talk(always(answer(rows, pagination=paging, rate_limit=limit, headers={"X-RateLimit-Limit": KEY})))
    found = client.get("fixtures")
    assert json.loads(bytes(found.rows()[0]))["name"] == "before *** after"
    assert not found_in(f"{found!r} {[bytes(row) for row in found.rows()]}", KEY)


def test_a_key_of_any_client_is_known_before_its_first_call(talk: Talk) -> None:
    from sportmonks.redaction import MASK, mask_text

    talk(always(answer([])))
    assert mask_text(f"x {KEY} x") == f"x {MASK} x"
