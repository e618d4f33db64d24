"""An answer with status 200 that is an error, or not ready, is no empty listing; what only looks like one is read."""

from __future__ import annotations

from typing import Any

import pytest

from sportmonks.errors import TransientApiError
from tests.harness.routes import TEN_DAYS, a_route, stored_ids
from tests.harness.shape_server import Answer
from tests.routes.conftest import Collect, Conn, Server

ERRORS = [
    {"data": [], "errors": {"field": "unknown"}},
    {"data": [], "errors": [{"message": "no access"}]},
    {"data": [], "error": "maintenance"},
    {"data": [], "success": False},
    {"data": [], "status": "error", "message": "no database"},
    {"data": [], "status": 503},
    {"message": "Internal error"},
    {"data": [], "error": {"code": 17}},
    {"code": 500, "msg": "busy", "data": []},
    {"errcode": 40001, "errmsg": "invalid credential", "data": []},
    {"data": [], "timed_out": True},
    {"data": [{"id": 1}], "_shards": {"total": 5, "failed": 1}},
]


@pytest.mark.parametrize("body", ERRORS, ids=str)
def test_an_error_within_an_answer_is_no_empty_day(play: Server, read_all: Collect, body: dict[str, Any]) -> None:
    server = play(lambda _: Answer(body))
    with pytest.raises(TransientApiError, match="the answer holds an error"):
        read_all(a_route(f"{TEN_DAYS}missing_records: empty\npaging: none"), server)
    assert len(server.requests) == 2  # requested again: it may pass


NO_ERRORS = [
    {"data": [{"id": 1}], "errors": [], "error": None, "message": "OK"},
    {"data": [{"id": 1}], "errors": 0, "error": False, "success": True, "status": "ok"},
    {"data": [{"id": 1}], "error": "none", "status": 200, "ok": True},
]


@pytest.mark.parametrize("body", NO_ERRORS, ids=str)
def test_what_only_looks_like_an_error(play: Server, read_all: Collect, body: dict[str, Any]) -> None:
    assert read_all(a_route("paging: none"), play(lambda _: Answer(body)))["inserted"] == 1


@pytest.mark.parametrize("code", [0, 200, 20000, "00000", "SUCCESS"])
def test_a_code_of_success_beside_no_records(play: Server, read_all: Collect, code: int | str) -> None:
    server = play(lambda _: Answer({"code": code, "msg": "done", "data": []}))
    assert read_all(a_route("paging: none"), server)["records"] == 0


def test_an_error_on_the_way_to_the_records(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"chart": {"result": None, "error": {"code": "Not Found"}}}))
    with pytest.raises(TransientApiError, match=r"chart\.error: Not Found"):
        read_all(a_route("paging: none\nrecords: chart.result"), server)


def test_an_answer_that_is_not_ready_is_no_empty_day(play: Server, read_all: Collect) -> None:
    answers = iter([Answer({"data": []}, 202), Answer({"data": [{"id": 1}]})])
    assert read_all(a_route("paging: none"), play(lambda _: next(answers)))["inserted"] == 1


def test_a_record_that_is_the_answer_itself_may_have_failed(play: Server, read_all: Collect) -> None:
    payment = {"id": 1, "status": "failed", "success": False, "message": "card refused"}
    assert read_all(a_route("paging: none\nrecords: ."), play(lambda _: Answer(payment)))["inserted"] == 1
    with pytest.raises(TransientApiError, match="error: gone"):
        read_all(a_route("paging: none\nrecords: ."), play(lambda _: Answer({"error": "gone"})))


def test_error_fields_of_the_route(play: Server, read_all: Collect) -> None:
    server = play(lambda _: Answer({"data": [{"id": 1}], "errors": "a column", "meta": {"problem": "quota"}}))
    assert read_all(a_route("paging: none\nerror_fields: []"), server)["inserted"] == 1
    with pytest.raises(TransientApiError, match=r"meta.problem: quota"):
        read_all(a_route("paging: none\nerror_fields: meta.problem"), server)


LATER = {"data": {"orders": [], "n": 0}, "message": "Please try again later."}
NOTES: list[tuple[Any, int]] = [
    # an empty first page, how often it is requested before it is believed
    ({"data": None}, 2),
    ({"data": {"orders": None}}, 1),
    ({"data": {"orders": []}}, 1),
    (LATER, 2),
    (LATER | {"message": "No orders found."}, 1),
    (LATER | {"message": "Success"}, 1),
]


@pytest.mark.parametrize(("empty", "requests"), NOTES)
@pytest.mark.parametrize("paging", ["none", "{style: cursor, next: next}"])
def test_an_empty_first_page_that_may_be_a_failure_is_requested_again(
    play: Server, collect: Collect, warehouse: Conn, empty: Any, requests: int, paging: str
) -> None:
    """Once in a run, not once for each of its listings."""
    route = a_route(
        f"paging: {paging}\nrecords: data.orders\nfor_each: {{shop: [a, b, c]}}\nquery: {{shop: '{{shop}}'}}"
    )
    server = play(lambda _: Answer(empty))
    assert collect(route, server)["records"] == 0
    assert len(server.requests) == requests + 2
    failed = [empty]
    good = {"data": {"orders": [{"id": 1}]}}
    collect(route, play(lambda _: Answer(failed.pop() if failed else good)), execution_id="etl_2")
    assert len(stored_ids(warehouse)) == (3 if requests > 1 else 2)
