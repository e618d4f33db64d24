"""Paging as a state machine, without a network."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from sportmonks.api.pagination import Paging, Step, cursor_of
from sportmonks.api.response import ApiResponse, Pagination
from sportmonks.errors import FatalApiError, TransientApiError


def page(*ids: int, more: bool = False, **pagination: Any) -> ApiResponse:
    rows = [msgspec.Raw(msgspec.json.encode({"id": each})) for each in ids]
    return ApiResponse(rows, pagination=Pagination(has_more=more, **pagination), no_result=not rows)


def test_pages_until_there_is_no_more() -> None:
    paging = Paging({"per_page": "2"})
    assert paging.params() == {"per_page": "2"}
    assert paging.take(page(1, 2, more=True, current_page=1)) is Step.YIELD
    assert paging.params() == {"per_page": "2", "page": "2"}
    assert paging.take(page(3, more=False, current_page=2)) is Step.YIELD
    assert paging.finished


def test_an_answer_without_pagination_is_the_only_page() -> None:
    paging = Paging({})
    assert paging.take(ApiResponse([msgspec.Raw(b'{"id":1}')])) is Step.YIELD
    assert paging.finished


def test_nothing_there() -> None:
    paging = Paging({})
    assert paging.take(ApiResponse(None, no_result=True)) is Step.DONE
    assert paging.finished


def test_an_empty_page_that_was_promised_is_asked_again_and_never_taken_for_the_end() -> None:
    paging = Paging({})
    paging.take(page(1, 2, more=True))
    assert paging.take(ApiResponse(None, no_result=True)) is Step.AGAIN
    assert paging.params() == {"page": "2"}
    assert paging.take(page(3, more=True)) is Step.YIELD
    for _ in range(2):
        assert paging.take(ApiResponse(None, no_result=True)) is Step.AGAIN
    with pytest.raises(TransientApiError, match="page 3 is empty although page 2 promised more"):
        paging.take(ApiResponse(None, no_result=True))


def test_nothing_again_and_again_behind_a_full_page_is_the_end() -> None:
    """Some servers promise more whenever a page is full."""
    paging = Paging({"per_page": "2"})
    paging.take(page(1, 2, more=True))
    for _ in range(2):
        assert paging.take(ApiResponse(None, no_result=True)) is Step.AGAIN
        assert not paging.finished
    assert paging.take(ApiResponse(None, no_result=True)) is Step.DONE
    assert paging.finished


def test_a_repeated_page_is_asked_again_then_given_up() -> None:
    paging = Paging({})
    paging.take(page(1, 2, more=True))
    assert paging.take(page(1, 2, more=True)) is Step.AGAIN
    assert paging.take(page(1, 2, more=True)) is Step.AGAIN
    with pytest.raises(TransientApiError, match="page 2 repeats"):
        paging.take(page(1, 2, more=True))


def test_a_page_that_says_another_number_is_not_the_one_asked_for() -> None:
    paging = Paging({})
    paging.take(page(1, 2, more=True, current_page=1))
    assert paging.take(page(8, 9, more=True, current_page=1)) is Step.AGAIN


@pytest.mark.parametrize(
    ("next_cursor", "cursor"),
    [
        ("eyJpZCI6MX0", "eyJpZCI6MX0"),
        ("https://api.example/v3/football/fixtures?cursor=abc%3D&x=1", "abc="),
        ("?cursor=abc", "abc"),
        ("cursor=abc", "abc"),
    ],
)
def test_a_cursor_is_a_string_or_a_url_that_holds_it(next_cursor: str, cursor: str) -> None:
    assert cursor_of(next_cursor) == cursor


def test_a_cursor_goes_without_per_page_page_and_order() -> None:
    paging = Paging({"per_page": "50", "order": "asc", "filters": "populate"}, use_cursor=True)
    assert paging.params() == {"per_page": "50", "order": "asc", "filters": "populate"}
    paging.take(page(1, more=True, next_cursor="aa"))
    assert paging.params() == {"filters": "populate", "cursor": "aa"}
    paging.take(page(2, more=True, next_cursor="bb"))
    assert paging.params() == {"filters": "populate", "cursor": "bb"}
    paging.take(page(3, more=False))
    assert paging.finished


def test_a_cursor_that_does_not_move_is_an_error() -> None:
    paging = Paging({}, use_cursor=True)
    paging.take(page(1, more=True, next_cursor="aa"))
    with pytest.raises(TransientApiError, match="cursor does not move"):
        paging.take(page(2, more=True, next_cursor="aa"))


def test_pages_change_over_to_the_cursor_where_offsets_end() -> None:
    paging = Paging({"per_page": "1000"})
    for number in range(1, 21):
        assert "cursor" not in paging.params()
        paging.take(page(number, more=True, per_page=1000, next_cursor=f"c{number}"))
    assert paging.params() == {"cursor": "c20"}


def test_without_a_cursor_the_end_of_offsets_is_an_error_with_a_mend() -> None:
    paging = Paging({"per_page": "1000"})
    for number in range(1, 20):
        paging.take(page(number, more=True, per_page=1000))
    with pytest.raises(FatalApiError, match="Narrow the request"):
        paging.take(page(20, more=True, per_page=1000))


def test_a_listing_that_never_ends_is_ended() -> None:
    paging = Paging({}, max_pages=3)
    for number in (1, 2):
        paging.take(page(number, more=True))
    with pytest.raises(FatalApiError, match="after 3 pages"):
        paging.take(page(3, more=True))


def test_a_page_that_begins_too_early_is_asked_once_more() -> None:
    paging = Paging({})
    paging.take(page(1, 2, 3, more=True))
    assert paging.take(page(3, 4, 5, more=True)) is Step.AGAIN
    assert paging.take(page(4, 5, 6, more=True)) is Step.YIELD
    # It stays so: rows were added meanwhile.
    assert paging.take(page(6, 7, 8, more=True)) is Step.AGAIN
    assert paging.take(page(6, 7, 8, more=False)) is Step.YIELD
    assert paging.finished


def test_rows_without_an_id_are_told_apart_by_their_content() -> None:
    def nameless(number: int, more: bool) -> ApiResponse:
        rows = [msgspec.Raw(msgspec.json.encode({"player_id": number, "position": each})) for each in (1, 2)]
        return ApiResponse(rows, pagination=Pagination(has_more=more))

    paging = Paging({})
    assert paging.take(nameless(1, True)) is Step.YIELD
    assert paging.take(nameless(1, True)) is Step.AGAIN
    assert paging.take(nameless(2, False)) is Step.YIELD
