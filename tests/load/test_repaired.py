"""What no decoder takes is repaired by value; what cannot be repaired costs its fixture only, on every read."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.harness.load import (
    ChunkHarness,
    FixtureJson,
    assert_stored,
    encode,
    fixture_row,
    rows_of,
)

# The payload's JSON around its last brace.
End = Callable[[FixtureJson], bytes]


def with_name(text: bytes) -> End:
    return lambda payload: encode(payload | {"name": "?"}).replace(b'"name":"?"', b'"name":' + text, 1)


def with_more(text: bytes) -> End:
    return lambda payload: encode(payload)[:-1] + b',"more":' + text + b"}"


REPAIRED: dict[str, tuple[End, str | None, str]] = {
    "not UTF-8": (with_name(b'"M\xfcnchen"'), "M\ufffdnchen", "not UTF-8"),
    "half a character": (with_name(b'"1\\ud83d"'), "1\ufffd", "half a surrogate pair"),
    "half a character before another": (with_name(b'"\\ude00\\ud83d\\ude00"'), "\ufffd😀", "half a surrogate pair"),
    "NUL": (with_name(b'"a\\u0000b"'), "ab", "NUL"),
    "control character": (with_name(b'"a\tb"'), "a\tb", "control character"),
    "NaN": (with_name(b"NaN"), None, "NaN"),
    "Infinity": (with_more(b'[1, -Infinity, "x, NaN, y"]'), "same", "NaN or Infinity"),
    "1e999999": (with_more(b"1e999999"), "same", "beyond any type"),
    "1e-999999": (with_more(b"1e-999999"), "same", "beyond any type"),
}


@pytest.mark.parametrize("name", REPAIRED)
@pytest.mark.parametrize("read", ["first", "second"])
def test_an_odd_value_is_replaced_and_everything_else_is_stored(
    chunk: ChunkHarness, payloads: list[FixtureJson], name: str, read: str
) -> None:
    spoil, found, reason = REPAIRED[name]
    odd, others = payloads[0], payloads[1:3]
    if read == "second":
        chunk.store(copy.deepcopy(odd))
        odd["length"] = 91
    body = spoil(odd)
    stored = chunk.store((odd["id"], body), *others)
    # A name that was known and is null now is held back.
    held = read == "second" and found is None
    assert stored.outcomes == ({"SAVED": 2, "HELD": 1} if held else {"SAVED": 3})
    assert stored.problems.keys() == {odd["id"]}
    row = fixture_row(chunk.conn, odd["id"])
    assert (row["collection_status"], row["failed_reads"]) == ("COLLECTED", 0)
    assert reason in row["last_error"]
    assert row["name"] == (odd["name"] if found == "same" or held else found)
    for section in ("events", "lineups", "scores", "statistics"):
        count = len(rows_of(chunk.conn, f"football.fixture_{section}", "fixture_id = %s", odd["id"]))
        assert count == len(odd[section]), section
    for other in others:
        assert_stored(chunk.conn, other)
    # Read again it is the same, and well again it has no remark any more.
    assert chunk.store((odd["id"], body)).outcomes == {"HELD" if held else "UNCHANGED": 1}
    chunk.store(odd)
    assert_stored(chunk.conn, odd)
    assert fixture_row(chunk.conn, odd["id"])["last_error"] is None


HELD_BY_NOTHING = {
    "number of 5,000 digits": (b"7" * 5000, "UNCHANGED"),
    "1e400": (b"1e400", "UNCHANGED"),
    "7,000 levels": (b"[" * 7000 + b"]" * 7000, "FAILED"),
    "600 levels": (b'{"a":' * 600 + b"1" + b"}" * 600, "FAILED"),
    "no JSON": (b"12abc", "FAILED"),
}


@pytest.mark.parametrize("name", HELD_BY_NOTHING)
def test_a_second_read_that_holds_nonsense_costs_its_fixture_at_most(
    chunk: ChunkHarness, payloads: list[FixtureJson], name: str
) -> None:
    nonsense, outcome = HELD_BY_NOTHING[name]
    odd, others = payloads[0], payloads[1:3]
    chunk.store(odd | {"more": 10**350}, *others)
    others[0]["length"] = 95
    stored = chunk.store((odd["id"], with_more(nonsense)(odd)), *others)
    assert stored.problems.keys() <= {odd["id"]}
    assert stored.outcomes["UNCHANGED"] >= 1
    assert stored.outcomes["SAVED"] >= 1
    row = fixture_row(chunk.conn, odd["id"])
    if outcome == "FAILED":
        assert stored.outcomes["FAILED"] == 1
        assert row["failed_reads"] == 1
        assert row["last_error"]
    assert row["collection_status"] == "COLLECTED"
    for other in others:
        assert_stored(chunk.conn, other)


def as_object(rows: list[Any]) -> dict[str, Any]:
    """A list with a gap, as PHP writes what its array_filter has left."""
    return {str(2 * number): row for number, row in enumerate(rows)}


def lists_as_objects(payload: FixtureJson) -> FixtureJson:
    found = copy.deepcopy(payload)
    for row in found["lineups"]:
        row["details"] = as_object(row["details"])
    for name, value in found.items():
        if isinstance(value, list):
            found[name] = as_object(value)
    return found


def test_lists_as_objects_are_lists(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """The payload is stored as the list that was meant, so that nothing changes when the list comes again."""
    first = payloads[0]
    stored = chunk.store(lists_as_objects(first))
    assert stored.outcomes == {"SAVED": 1}
    assert "came as an object" in stored.problems[first["id"]]
    assert_stored(chunk.conn, first)
    assert fixture_row(chunk.conn, first["id"])["quality_score"] == 100
    assert chunk.store(first).outcomes == {"UNCHANGED": 1}
    assert chunk.store(lists_as_objects(first)).outcomes == {"UNCHANGED": 1}
    assert not rows_of(chunk.conn, "etl.fixture_changes")


def test_only_some_details_as_objects(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    first = payloads[0]
    odd = copy.deepcopy(first)
    odd["lineups"][3]["details"] = as_object(odd["lineups"][3]["details"])
    chunk.store(odd)
    assert_stored(chunk.conn, first)


def test_an_object_with_other_keys_is_no_list(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    first = payloads[0] | {"weather": {"0": 1.5, "1": 2}, "report": {"0": {"a": 1}, "x": {"b": 2}}}
    chunk.store(first)
    (raw,) = rows_of(chunk.conn, "raw.fixtures", "fixture_id = %s", first["id"])
    assert raw["payload"] == first


@pytest.mark.parametrize(
    "value", ["none", 7, True, {"error": "no access"}, {"0": {"id": 1}, "next": {"id": 2}}], ids=str
)
def test_a_section_that_is_no_list_is_suspected(chunk: ChunkHarness, payloads: list[FixtureJson], value: Any) -> None:
    """It does not mean that there are no events: reported with the fixture, quality down, read again soon."""
    first = payloads[0]
    stored = chunk.store(first | {"events": value})
    assert stored.outcomes == {"SAVED": 1}
    assert "'events' is not a list" in stored.problems[first["id"]]
    row = fixture_row(chunk.conn, first["id"])
    assert row["quality_score"] == 85
    assert (row["held_reads"], row["due_reason"]) == (1, "held")
    chunk.store(first)
    assert_stored(chunk.conn, first)
    row = fixture_row(chunk.conn, first["id"])
    assert (row["quality_score"], row["held_reads"], row["last_error"]) == (100, 0, None)


def test_a_section_that_becomes_unreadable_keeps_its_rows(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    first = payloads[0]
    chunk.store(first)
    for read in range(1, chunk.guard.rereads + 1):
        chunk.store(first | {"events": "maintenance"}, hours=30)
        row = fixture_row(chunk.conn, first["id"])
        assert (row["held_reads"], row["due_reason"]) == (read, "held")
        assert "'events' is not a list" in row["last_error"]
    # It stays so: the fixture goes back to its schedule, with the rows that it had.
    chunk.store(first | {"events": "maintenance"}, hours=30)
    assert fixture_row(chunk.conn, first["id"])["held_reads"] == 0
    chunk.store(first | {"events": "maintenance"}, hours=30)
    assert fixture_row(chunk.conn, first["id"])["held_reads"] == 0
    assert_stored(chunk.conn, first)


def test_a_changed_payload_beside_stored_odd_rows(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """What was stored in an odd form is compared with what comes now, whatever that form is."""
    odd, other = payloads[0], payloads[1]
    spoilt = copy.deepcopy(odd)
    spoilt["lineups"][0]["details"] = 7
    spoilt["lineups"].append(5)
    spoilt["events"] += [None, "x", []]
    spoilt["periods"] = "?"
    chunk.store(spoilt)
    assert chunk.store(odd, other).outcomes == {"SAVED": 2}
    assert_stored(chunk.conn, odd)
    assert_stored(chunk.conn, other)


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-12:00", "2026-02-30 25:61:00", "soon"]
)
def test_a_time_that_is_none_is_null_and_reported(chunk: ChunkHarness, payloads: list[FixtureJson], text: str) -> None:
    first, other = payloads[0] | {"starting_at": text}, payloads[1]
    assert chunk.store(first, other).outcomes == {"SAVED": 2}
    row = fixture_row(chunk.conn, first["id"])
    assert row["starting_at"] is None
    assert "'starting_at' is no time" in row["last_error"]
    assert_stored(chunk.conn, other)


def test_times_at_the_ends_of_the_calendar(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """Nothing that counts days from them leaves the range of times."""
    first, other = payloads[0], payloads[1]
    for period in first["periods"]:
        period["ended"] = 253_402_300_799
    for text in ("0001-01-01 00:00:00", "9999-12-31 23:59:59"):
        for state in (1, 2, 5, 10, 12, 17, 20, 26, None):
            for length in (90, 91):
                odd = first | {"starting_at": text, "state_id": state, "length": length}
                assert sum(chunk.store(odd, other).outcomes.values()) == 2
            assert fixture_row(chunk.conn, other["id"])["collection_status"] == "COLLECTED"
            assert fixture_row(chunk.conn, odd["id"])["collection_status"] in ("COLLECTED", "DELETED")
