"""Every form of the envelope that was seen or documented."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from requests.structures import CaseInsensitiveDict

from sportmonks.api.response import ApiResponse, MalformedResponseError, RateLimit, read_envelope, read_response, row_id


def read(body: Any, headers: dict[str, str] | None = None) -> ApiResponse:
    raw = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return read_response(read_envelope(raw, CaseInsensitiveDict(headers or {})), status=200, size=len(raw))


def test_rows_of_a_list_stay_bytes() -> None:
    answer = read(b'{"data":[{"id":1, "name":"\\u00e9\\/"},{"id":2}]}')
    assert isinstance(answer.data, list)
    assert [bytes(row) for row in answer.data] == [b'{"id":1, "name":"\\u00e9\\/"}', b'{"id":2}']
    assert not answer.no_result


def test_one_object_is_one_row() -> None:
    answer = read({"data": {"id": 271, "name": "Superliga"}})
    assert [row_id(row) for row in answer.rows()] == [271]
    assert answer.objects() == [{"id": 271, "name": "Superliga"}]


@pytest.mark.parametrize(
    "body",
    [
        {"message": "No result(s) found matching your request."},
        {"message": "No result(s) found matching your request.", "data": []},
        {"message": "No result(s) found matching your request.", "data": None},
        {"data": []},
    ],
)
def test_no_result_in_all_its_forms(body: Any) -> None:
    answer = read(body)
    assert answer.no_result
    assert answer.rows() == []


def test_rate_limit_of_body_and_headers() -> None:
    body = {"data": [], "rate_limit": {"remaining": "12", "resets_in_seconds": 7, "requested_entity": "Fixture"}}
    assert read(body, {"x-ratelimit-limit": "3000"}).rate_limit == RateLimit(12, 7, "Fixture", 3000)
    headers = {"X-RateLimit-Remaining": "5", "X-RateLimit-Limit": "60"}
    assert read({"data": []}, headers).rate_limit == RateLimit(5, None, None, 60)
    assert read({"data": [], "rate_limit": []}).rate_limit == RateLimit()
    assert read({"data": [], "rate_limit": {"remaining": -1, "total": 9}}).rate_limit == RateLimit(0, None, None, 9)


@pytest.mark.parametrize("meta", [[], {"trial_ends_at": None}, None, "x"])
def test_the_subscription_is_not_looked_at(meta: Any) -> None:
    assert read({"data": [{"id": 1}], "subscription": [{"meta": meta}]}).rows()


def test_pagination() -> None:
    full = {"count": 25, "per_page": "25", "current_page": 2, "next_page": "https://x/y?page=3", "has_more": True}
    page = read({"data": [], "pagination": {**full, "next_cursor": "abc"}}).pagination
    assert page is not None
    assert (page.count, page.per_page, page.current_page, page.has_more, page.next_cursor) == (25, 25, 2, True, "abc")
    # Older answers carry no flag.
    older = read({"data": [], "pagination": {"next_page": "https://x/y?page=3"}}).pagination
    assert older is not None
    assert older.has_more
    last = read({"data": [], "pagination": {**full, "has_more": False, "next_page": None}}).pagination
    assert last is not None
    assert not last.has_more
    for flag, more in (("false", False), ("0", False), (0, False), ("true", True), (1, True), ("perhaps", True)):
        found = read({"data": [], "pagination": {**full, "has_more": flag}}).pagination
        assert found is not None
        assert found.has_more is more
    assert read({"data": [], "pagination": []}).pagination is None
    assert read({"data": []}).pagination is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b'{"data":[{"id":1},{"id"', "not valid JSON"),
        (b'{"data":[{"id":1,}]}', "not valid JSON"),
        (b'[{"id":1}]', "not valid JSON"),
        (b'{"data":[{"id":1,"name":"\xff"}]', "not valid JSON"),
        (b'{"data":"text"}', "neither an object nor a list"),
        (b'{"data":7}', "neither an object nor a list"),
    ],
)
def test_what_is_no_answer_says_what_it_is_without_its_content(body: bytes, words: str) -> None:
    with pytest.raises(MalformedResponseError, match=words) as caught:
        read(body)
    assert "html" not in str(caught.value)


def test_a_byte_order_mark_is_no_fault() -> None:
    assert read(b'\xef\xbb\xbf{"data":[{"id":1}]}').rows()


def test_rows_without_an_id_have_none() -> None:
    assert [row_id(msgspec.Raw(raw)) for raw in (b'{"id":"19"}', b'{"id":""}', b'{"x":1}', b"[1]", b"3")] == [
        19,
        None,
        None,
        None,
        None,
    ]
    assert row_id(msgspec.Raw(b'{"a":{"id":5},"id":14673943720}')) == 14673943720
    assert row_id(msgspec.Raw(b' { "id" : 14673943720 , "a":{"id":5}}')) == 14673943720
    assert row_id(msgspec.Raw(b'{"id":7.5}')) == row_id(msgspec.Raw(b'{"a":1,"id":7.5}'))
    assert row_id(msgspec.Raw(b'{"id":-7,"a":1}')) == row_id(msgspec.Raw(b'{"a":1,"id":-7}'))


def test_messages_of_validation_errors_hold_the_fields_complaints() -> None:
    body = {"message": "The given data was invalid.", "errors": {"filters": ["The filters format is invalid."]}}
    envelope = read_envelope(msgspec.json.encode(body), {})
    assert envelope.message == "The given data was invalid. The filters format is invalid."


DEEP = b"[" * 7000 + b"]" * 7000


@pytest.mark.parametrize(
    ("odd", "value"),
    [
        (b'{"id": 2, "name": "M\xfcnchen"}', "M\ufffdnchen"),
        (b'{"id": 2, "name": "1\\ud83d"}', "1\ufffd"),
        (b'{"id": 2, "name": NaN}', None),
        (b'{"id": 2, "name": 1e400}', None),
        (b'{"id": 2, "name": ' + b"7" * 5000 + b"}", None),
        (b'{"id": 2, "name": "a\tb"}', "a\tb"),
    ],
)
def test_an_odd_value_in_a_row_is_replaced_and_reported(odd: bytes, value: Any) -> None:
    body = b'{"data": [{"id": 1}, ' + odd + b', {"id": 3}], "rate_limit": {"remaining": 5}}'
    answer = read_response(read_envelope(body, {}), status=200, size=len(body))
    assert [row_id(row) for row in answer.rows()] == [1, 2, 3]
    assert bytes(answer.rows()[1]) == odd
    found = answer.read()
    assert found.objects == [{"id": 1}, {"id": 2, "name": value}, {"id": 3}]
    assert len(found.repaired) == 1
    assert "row 2 (id 2)" in found.repaired[0]
    assert answer.rate_limit.remaining == 5


def test_a_row_that_cannot_be_repaired_is_left_out_alone() -> None:
    body = b'{"data": [{"id": 1}, {"x": ' + DEEP + b', "id": 2}, 5, {"id": 3}]}'
    answer = read_response(read_envelope(body, {}), status=200, size=len(body))
    assert [row_id(row) for row in answer.rows()] == [1, 2, None, 3]
    found = answer.read()
    assert found.objects == [{"id": 1}, {"id": 3}]
    assert [reason[:6] for reason in found.unreadable] == ["row 2:"]


def test_a_list_as_an_object_is_a_list() -> None:
    """PHP writes a list that has gaps as an object with the places as its keys."""
    answer = read({"data": {"0": {"id": 1}, "2": {"id": 3}}, "pagination": {"has_more": True}})
    assert answer.objects() == [{"id": 1}, {"id": 3}]
    assert answer.pagination is not None
    assert read({"data": {"0": {"id": 1}, "x": 2}}).objects() == [{"0": {"id": 1}, "x": 2}]
    assert read({"data": {}}).no_result


@pytest.mark.parametrize(
    "body", [b'{"data": [{"id": NaN}, {"id": 2', b'{"data": [{"id": 1}, {"id": 2#}]}', b'{"data": NaN}']
)
def test_a_damaged_body_is_not_repaired(body: bytes) -> None:
    """Cut or spoilt on its way: it is requested again, and not taken for a shorter list."""
    with pytest.raises(MalformedResponseError):
        read_response(read_envelope(body, {}), status=200, size=len(body))


def test_the_text_of_an_error_is_clean() -> None:
    assert read_envelope(b'{"message": "a\\u0000b\\ud83d M\xfc"}', {}).message == "ab\ufffd M\ufffd"
