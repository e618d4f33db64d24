"""Batches by id: what is returned, what a bad id costs, and when no id is to blame."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from typing import Any

import pytest

from sportmonks.errors import (
    BudgetWait,
    CircuitOpenError,
    ConfigurationError,
    FatalApiError,
    OutsidePlanError,
    TransientApiError,
)
from tests.api.conftest import Talk
from tests.harness.api_server import NO_RESULT, Handler, Seen, Server, always, answer, http

IDS = tuple(range(101, 151))


def ids_of(seen: Seen) -> list[int]:
    return [int(each) for each in seen.path.rpartition("/")[2].split(",")]


def fixtures(
    poisoned: Iterable[int] = (), *, unknown: Iterable[int] = (), fault: bytes = http("", 500), states: bool = True
) -> Handler:
    """Plays ``/fixtures/multi``: any request that holds a poisoned id fails."""
    bad, gone = set(poisoned), set(unknown)

    def handler(seen: Seen, sock: socket.socket) -> None:
        if "multi" not in seen.path:
            sock.sendall(answer([{"id": 1}]) if states else fault)
            return
        requested = ids_of(seen)
        if bad & set(requested):
            sock.sendall(fault)
            return
        rows = [{"id": each, "name": f"fixture {each}"} for each in requested if each not in gone]
        sock.sendall(answer(rows) if rows else NO_RESULT)

    return handler


def sizes(server: Server) -> list[int]:
    return [len(ids_of(seen)) for seen in server.seen if "multi" in seen.path]


def test_a_batch_is_one_call_and_its_rows_are_untouched(talk: Talk) -> None:
    client, server = talk(always(http('{"data":[{"id": 2,  "b":"\\u00e9"},{"id":"1"}]}')))
    result = client.fixtures_multi([1, 2], ("scores", "events"))
    assert {key: bytes(row) for key, row in result.rows.items()} == {1: b'{"id":"1"}', 2: b'{"id": 2,  "b":"\\u00e9"}'}
    assert (result.requested, result.missing, result.poisoned, result.calls) == ((1, 2), (), {}, 1)
    assert result.bytes == 46
    assert server.seen[0].path == "/v3/football/fixtures/multi/1,2"
    assert server.seen[0].query == {"include": "scores;events"}


def test_missing_strange_and_double_rows(talk: Talk, caplog: pytest.LogCaptureFixture) -> None:
    rows = [{"id": 3, "v": 1}, {"id": 1}, {"id": 99}, {"name": "?"}, {"id": 3, "v": 2}]
    client, _ = talk(always(answer(rows)))
    result = client.fixtures_multi([1, 2, 3, 1])
    assert result.requested == (1, 2, 3)
    assert result.missing == (2,)
    assert {key: json.loads(bytes(row)).get("v") for key, row in result.rows.items()} == {3: 2, 1: None}
    assert "2 rows of a batch" in caplog.text


def test_all_unknown_is_all_missing(talk: Talk) -> None:
    client, server = talk(always(NO_RESULT))
    result = client.fixtures_multi([1, 2])
    assert (result.rows, result.missing, len(server.seen)) == ({}, (1, 2), 1)


@pytest.mark.parametrize(
    ("ids", "error", "words"),
    [
        ([], FatalApiError, "No fixture ids"),
        ([0], FatalApiError, "Not a fixture id: 0"),
        ([-5], FatalApiError, "Not a fixture id: -5"),
        (["7"], FatalApiError, "Not a fixture id: '7'"),
        ([True], FatalApiError, "Not a fixture id: True"),
        (list(range(1, 52)), ConfigurationError, "51 fixture ids in one batch, the maximum is 50"),
    ],
)
def test_batches_that_are_none_are_refused_before_any_call(
    talk: Talk, ids: list[Any], error: type[Exception], words: str
) -> None:
    client, server = talk(fixtures())
    with pytest.raises(error, match=words):
        client.fixtures_multi(ids)
    assert server.seen == []


def test_the_maximum_is_a_setting(talk: Talk) -> None:
    client, _ = talk(fixtures(), max_batch=100)
    assert len(client.fixtures_multi(list(range(1, 101))).rows) == 100


@pytest.mark.parametrize("bad", [101, 126, 150])
def test_one_poisoned_id_is_found_by_halving(talk: Talk, bad: int) -> None:
    client, server = talk(fixtures([bad]), attempts=3)
    result = client.fixtures_multi(IDS)
    assert set(result.rows) == set(IDS) - {bad}
    assert set(result.poisoned) == {bad}
    assert "HTTP 500" in result.poisoned[bad]
    assert result.missing == ()
    assert result.calls == len(server.seen)
    # 3 attempts for the batch, then for each of 6 halvings 2 attempts for the bad half and 1 for the good one, then 1
    # for the bad id at its own address.
    assert len(server.seen) <= 3 + 6 * 3 + 1
    assert [seen.path for seen in server.seen if "multi" not in seen.path] == [f"/v3/football/fixtures/{bad}"]


@pytest.mark.parametrize(
    "fault", [http("", 502), http("", 503, {"Retry-After": "1"}), http('{"data":[{"id":1'), http("<html>"), b""]
)
def test_whatever_the_fault_is(talk: Talk, fault: bytes) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        if fault:
            fixtures([3], fault=fault)(seen, sock)
        elif 3 in ids_of(seen):
            sock.shutdown(socket.SHUT_RDWR)
        else:
            fixtures()(seen, sock)

    client, _ = talk(handler, attempts=2)
    result = client.fixtures_multi([1, 2, 3, 4, 5])
    assert (set(result.rows), set(result.poisoned)) == ({1, 2, 4, 5}, {3})


@pytest.mark.parametrize("ids", [[3], [1, 2, 3, 4, 5]])
@pytest.mark.parametrize(
    ("by_itself", "outcome"),
    [
        (answer({"id": 3, "name": "x"}), "came"),
        (NO_RESULT, "missing"),
        (answer({"id": 4}), "poisoned"),
        (http("", 500), "poisoned"),
        (answer(status=400, message="Bad id"), "poisoned"),
        (answer(status=403, message="No access", code=5007), "poisoned"),
    ],
)
def test_an_id_that_spoils_every_batch_is_requested_by_itself_at_last(
    talk: Talk, ids: list[int], by_itself: bytes, outcome: str
) -> None:
    batches = fixtures([3])

    def handler(seen: Seen, sock: socket.socket) -> None:
        if seen.path.endswith("fixtures/3"):
            assert seen.query == {"include": "scores"}
            sock.sendall(by_itself)
        else:
            batches(seen, sock)

    client, _ = talk(handler, attempts=2)
    result = client.fixtures_multi(ids, ("scores",))
    found = {"came": 3 in result.rows, "missing": 3 in result.missing, "poisoned": 3 in result.poisoned}
    assert [name for name, true in found.items() if true] == [outcome]
    assert set(ids) - {3} <= set(result.rows)
    assert result.api_answers


def test_several_poisoned_ids_are_all_found(talk: Talk) -> None:
    client, _ = talk(fixtures([102, 103, 140]), attempts=2)
    result = client.fixtures_multi(IDS)
    assert set(result.poisoned) == {102, 103, 140}
    assert len(result.rows) == 47


def test_when_the_api_is_down_no_id_is_blamed_and_few_calls_are_made(talk: Talk) -> None:
    client, server = talk(always(http("", 503)), attempts=5)
    with pytest.raises(TransientApiError, match="keeps failing for every part"):
        client.fixtures_multi(IDS)
    # 5 for the batch, 2 for each half, 1 that names no fixture.
    assert len(server.seen) == 10
    assert sizes(server) == [50] * 5 + [25] * 4


def test_an_api_that_dies_in_the_middle_of_the_search_is_not_blamed_on_ids(talk: Talk) -> None:
    poisoned = fixtures([120])

    def handler(seen: Seen, sock: socket.socket) -> None:
        if len(server.seen) > 8:
            sock.sendall(http("", 503))
        else:
            poisoned(seen, sock)

    client, server = talk(handler, attempts=2)
    with pytest.raises(TransientApiError):
        client.fixtures_multi(IDS)
    assert len(server.seen) < 20


@pytest.mark.parametrize("ids", [[7], [7, 8]])
def test_a_small_batch_of_bad_ids_only_is_distinguished_from_a_dead_api_by_another_endpoint(
    talk: Talk, ids: list[int]
) -> None:
    client, _ = talk(fixtures([7, 8]), attempts=2)
    assert set(client.fixtures_multi(ids).poisoned) == set(ids)
    client, _ = talk(fixtures([7, 8], states=False), attempts=2)
    with pytest.raises(TransientApiError):
        client.fixtures_multi(ids)


def test_a_batch_that_is_too_heavy_is_split_and_nobody_blamed(talk: Talk) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        heavy = "multi" in seen.path and len(ids_of(seen)) > 20
        sock.sendall(http("", 504)) if heavy else fixtures()(seen, sock)

    client, server = talk(handler, attempts=1)
    result = client.fixtures_multi(IDS)
    assert (len(result.rows), result.poisoned) == (50, {})
    assert sizes(server) == [50, 25, 25, 25, 25, 13, 12, 13, 12]


def test_bad_ids_at_both_ends_of_both_halves_do_not_look_like_a_dead_api(talk: Talk) -> None:
    bad = {IDS[0], IDS[24], IDS[25], IDS[49]}
    client, _ = talk(fixtures(bad), attempts=2)
    result = client.fixtures_multi(IDS)
    assert set(result.poisoned) == bad
    assert len(result.rows) == 46


def test_the_search_ends_with_too_many_bad_ids_and_keeps_what_it_found(talk: Talk) -> None:
    bad = set(range(101, 151, 2))
    client, server = talk(fixtures(bad), attempts=1)
    result = client.fixtures_multi(IDS)
    assert result.rows
    assert not set(result.rows) & bad
    assert set(result.rows) | set(result.poisoned) == set(IDS)
    assert result.missing == ()
    assert len(server.seen) < 100


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        (answer(status=401, message="Unauthenticated."), ConfigurationError),
        (answer(status=400, message="More than 50 ids"), FatalApiError),
        (answer(status=403, message="No access", code=5007), OutsidePlanError),
        (answer(status=429, message="You have reached your rate limit", retry_after=900), BudgetWait),
        (http("", 503, {"Retry-After": "900"}), CircuitOpenError),
    ],
)
def test_refusals_are_not_split(talk: Talk, raw: bytes, error: type[Exception]) -> None:
    client, server = talk(always(raw))
    with pytest.raises(error):
        client.fixtures_multi(IDS)
    assert len(server.seen) == 1


def test_a_short_refusal_does_not_end_the_search(talk: Talk) -> None:
    poisoned = fixtures([120, 130])

    def handler(seen: Seen, sock: socket.socket) -> None:
        if len(server.seen) % 4 == 0:
            sock.sendall(answer(status=429, message="Too Many Attempts.", retry_after=0))
        else:
            poisoned(seen, sock)

    client, server = talk(handler, attempts=3)
    assert set(client.fixtures_multi(IDS).poisoned) == {120, 130}


def test_dropped_includes_are_named(talk: Talk) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        if "odds" in seen.query.get("include", ""):
            sock.sendall(answer(status=403, message="You do not have access to the 'odds' include", code=5002))
        else:
            fixtures()(seen, sock)

    client, server = talk(handler)
    first = client.fixtures_multi([1], ("scores", "odds"))
    second = client.fixtures_multi([2], ("scores", "odds"))
    third = client.fixtures_multi([3], ("scores", "odds"))
    assert (first.dropped_includes, first.calls) == (("odds",), 2)
    assert (second.dropped_includes, second.calls) == (("odds",), 2)
    assert (third.dropped_includes, third.calls) == (("odds",), 1)
    assert len(server.seen) == 5


def test_an_api_that_cuts_batches_silently_gets_a_request_for_the_rest(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    def handler(seen: Seen, sock: socket.socket) -> None:
        sock.sendall(answer([{"id": each} for each in ids_of(seen)[:50]]))

    client, server = talk(handler, max_batch=120)
    result = client.fixtures_multi(list(range(1, 121)))
    assert (len(result.rows), result.missing) == (120, ())
    assert sizes(server) == [120, 70, 20]
    assert "Lower max_batch" in caplog.text
