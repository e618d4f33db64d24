"""A value that does not fit a typed column fails neither its fixture nor its batch."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest

from tests.harness.load import (
    ChunkHarness,
    FixtureJson,
    assert_stored,
    encode,
    fixture_row,
    rows_of,
    shuffled,
)
from tests.harness.payloads import season_payloads


def odd_empty_strings(one: FixtureJson) -> None:
    one.update(venue_id="", round_id="", length="", aggregate_id="")
    one["events"][0].update(player_id="", minute="", injured="")
    one["lineups"][0].update(jersey_number="", position_id="")
    one["scores"][0]["score"]["goals"] = ""
    one["periods"][0].update(started="", time_added="")


def odd_numbers_as_strings(one: FixtureJson) -> None:
    one.update(venue_id=str(one["venue_id"]), state_id=str(one["state_id"]), length="90")
    one["events"][0]["minute"] = str(one["events"][0]["minute"])


def odd_floats(one: FixtureJson) -> None:
    one.update(length=90.0, venue_id=12.5)
    one["events"][0].update(minute=7.0, sort_order=1.5)


def odd_booleans(one: FixtureJson) -> None:
    one.update(placeholder="yes", has_odds=1, length=True)
    one["events"][0].update(injured="true", on_bench="?", player_id=False)


def odd_huge_numbers(one: FixtureJson) -> None:
    one.update(length=10**12, venue_id=10**30)
    one["events"][0]["minute"] = 2**40
    one["periods"][0].update(started=10**17, ended=10**17)
    one["lineups"][0]["details"][0]["data"]["value"] = 10**25


def odd_milliseconds(one: FixtureJson) -> None:
    one["periods"][0].update(started=1_700_000_000_000, ended=1_700_000_000_000)


def odd_nulls(one: FixtureJson) -> None:
    one.update(dict.fromkeys(("name", "starting_at", "starting_at_timestamp", "state_id", "placeholder", "leg")))
    one["participants"][0]["meta"] = None
    one["scores"][0]["score"] = None
    one["lineups"][0]["details"][0]["data"] = None


def odd_kinds(one: FixtureJson) -> None:
    one.update(name={"en": "x"}, leg=["1/1"], venue_id={"id": 1}, details={"a": 1})
    one["participants"][0]["meta"] = "home"
    one["scores"][0]["score"] = [1]
    one["statistics"][0]["data"] = 7
    one["lineups"][1]["details"] = {"oops": 1}
    one["events"].append("an event")
    one["events"].append(None)
    one["lineups"].append(5)


def odd_names_of_sides(one: FixtureJson) -> None:
    """Lists and objects where a text tells home from away."""
    for row in one["scores"]:
        row["score"]["participant"] = ["home"]
    one["participants"][0]["meta"]["location"] = {"home": True}


def odd_sections(one: FixtureJson) -> None:
    one.update(events={"data": []}, statistics="none", periods=7)


def odd_ids(one: FixtureJson) -> None:
    one["events"][0]["id"] = None
    one["events"][1].pop("id")
    one["events"][2]["id"] = ""
    one["participants"].append({"name": "nobody"})


def odd_times(one: FixtureJson) -> None:
    one["starting_at"] = "2026-13-45 99:00:00"


def odd_no_time(one: FixtureJson) -> None:
    one["starting_at"] = 1780156800


def odd_time_before_the_first_year(one: FixtureJson) -> None:
    one["starting_at"] = "0001-01-01T00:00:00+05:00"


def odd_placeholder_start(one: FixtureJson) -> None:
    """A date far away that stands for an unknown one, in the last year that there is."""
    one.update(starting_at="9999-12-31 23:59:59", state_id=1, periods=[])


def odd_placeholder_end(one: FixtureJson) -> None:
    for period in one["periods"]:
        period["ended"] = 253_402_300_799


def odd_nul(one: FixtureJson) -> None:
    one["name"] = "A\x00B"
    one["events"][0]["player_name"] = "\x00"
    one["unknown\x00key"] = "\x00"


def odd_text(one: FixtureJson) -> None:
    one["name"] = "Ünïcödé — 日本語 🏟 \\u0000 \t \x1f \U0010ffff"


def odd_repeats(one: FixtureJson) -> None:
    one["events"].append(copy.deepcopy(one["events"][0]))
    one["lineups"].append(copy.deepcopy(one["lineups"][0]))
    one["participants"].append(copy.deepcopy(one["participants"][0]))


def odd_unknown(one: FixtureJson) -> None:
    one.update(metadata={"deep": [{"er": [[[]]]}]}, events_extra=[1, None], xgfixture=[{"id": 1}])
    one["events"][0]["details"] = [{"x": 1}]


ODD = [value for name, value in sorted(globals().items()) if name.startswith("odd_")]


@pytest.fixture
def payloads() -> list[FixtureJson]:
    """As for the other tests of this folder, but a few of them: each test reads several batches of them."""
    return season_payloads()[:4]


@pytest.mark.parametrize("spoil", ODD, ids=lambda odd: odd.__name__[4:])
def test_an_odd_fixture_fails_neither_itself_nor_its_batch(
    chunk: ChunkHarness, payloads: list[FixtureJson], spoil: Any
) -> None:
    """What fits is in its column, what does not is null there, and all of it is in raw.fixtures."""
    odd, others = payloads[0], payloads[1:]
    clean = copy.deepcopy(odd)
    for payload in payloads:
        payload["details"] = "a text of the fixture's own"
    spoil(odd)
    stored = chunk.store(odd, *others)
    assert stored.outcomes == {"SAVED": len(payloads)}, stored.problems
    for other in others:
        assert_stored(chunk.conn, other)
    (raw,) = rows_of(chunk.conn, "raw.fixtures", "fixture_id = %s", odd["id"])
    expected = msgspec.json.decode(encode(odd).replace(b"\\u0000", b"")) if spoil is odd_nul else odd
    assert raw["payload"] == expected
    row = fixture_row(chunk.conn, odd["id"])
    assert (row["collection_status"], row["league_id"]) == ("COLLECTED", clean["league_id"])
    # Every element that was not spoilt is stored.
    for section in ("events", "lineups", "scores", "statistics"):
        if isinstance(odd[section], list):
            count = len(rows_of(chunk.conn, f"football.fixture_{section}", "fixture_id = %s", odd["id"]))
            assert count == len(clean[section]), section
    assert chunk.store(shuffled(odd), *others).outcomes == {"UNCHANGED": len(payloads)}


def test_values_in_another_form_are_cast(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = copy.deepcopy(payloads[0])
    odd_numbers_as_strings(one)
    odd_floats(one)
    one["scores"][0]["score"]["goals"] = "3"
    chunk.store(one)
    row = fixture_row(chunk.conn, one["id"])
    assert (row["length"], row["venue_id"], row["state_id"]) == (90, None, payloads[0]["state_id"])
    (event,) = rows_of(chunk.conn, "football.fixture_events", "id = %s", one["events"][0]["id"])
    assert (event["minute"], event["sort_order"]) == (7, None)
    (score,) = rows_of(chunk.conn, "football.fixture_scores", "id = %s", one["scores"][0]["id"])
    assert score["goals"] == 3


@pytest.mark.parametrize(
    ("value", "number", "text"),
    [(7, 7, None), (7.25, 7.25, None), (True, 1, None), (False, 0, None), (None, None, None), ("75%", None, "75%"),
     ("", None, ""), ({"a": 1}, None, '{"a": 1}'), ([1], None, "[1]"), (0, 0, None), (-3, -3, None)],
)  # fmt: skip
def test_values_of_statistics(
    chunk: ChunkHarness, payloads: list[FixtureJson], value: Any, number: Any, text: Any
) -> None:
    one = payloads[0]
    one["statistics"][0]["data"] = {"value": value}
    one["lineups"][0]["details"][0]["data"] = {"value": value}
    chunk.store(one)
    for table, key in (("fixture_statistics", one["statistics"][0]["id"]),
                       ("fixture_player_statistics", one["lineups"][0]["details"][0]["id"])):  # fmt: skip
        (row,) = rows_of(chunk.conn, f"football.{table}", "id = %s", key)
        assert (row["value"], row["value_text"]) == (number, text)


NOT_FIXTURES = {
    "number": b"5",
    "list": b"[]",
    "text": b'"x"',
    "null": b"null",
    "cut": b'{"id": 1, "events": [{"id"',
    "very deep": b'{"id": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "very deep section": b'{"id": 1, "events": ' + b'[{"a":' * 3000 + b"1" + b"}]" * 3000 + b"}",
}


@pytest.mark.parametrize("name", NOT_FIXTURES)
def test_a_row_that_is_no_fixture_is_recorded_and_the_batch_is_saved(
    chunk: ChunkHarness, payloads: list[FixtureJson], name: str
) -> None:
    first, others = payloads[0], payloads[1:]
    body = NOT_FIXTURES[name].replace(b'"id": 1', b'"id": %d' % first["id"])
    stored = chunk.store((first["id"], body), *others)
    assert stored.outcomes == {"FAILED": 1, "SAVED": len(others)}
    assert stored.problems.keys() == {first["id"]}
    row = fixture_row(chunk.conn, first["id"])
    assert (row["collection_status"], row["failed_reads"], row["due_reason"]) == ("FAILED", 1, "failed")
    assert row["last_error"]
    for other in others:
        assert_stored(chunk.conn, other)
    # It is stored as soon as the provider sends it well.
    assert chunk.store(first).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, first)
    assert fixture_row(chunk.conn, first["id"])["failed_reads"] == 0


def test_rows_that_share_an_id_are_noted(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """A table holds one row of an id; the payload holds all."""
    one, other = payloads[:2]
    number = len(one["statistics"])
    for row in one["statistics"]:
        row["id"] = 0
    other["statistics"].append(other["statistics"][0])  # the same row twice says nothing new
    chunk.store(one, other)
    assert fixture_row(chunk.conn, one["id"])["last_error"] == (
        f"{number - 1} of {number} rows of 'statistics' have the id of another one"
    )
    assert fixture_row(chunk.conn, other["id"])["last_error"] is None
    assert len(rows_of(chunk.conn, "football.fixture_statistics", "fixture_id = %s", one["id"])) == 1


def test_of_a_team_that_comes_twice_the_later_row_counts(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """As of every row that comes twice."""
    one = payloads[0]
    teams = one["participants"]
    one["participants"] = [team | {"name": name} for name in ("Old", "Older", "Latest") for team in teams]
    chunk.store(one)
    rows = rows_of(chunk.conn, "football.fixture_participants", "fixture_id = %s", one["id"])
    assert sorted((row["team_id"], row["name"]) for row in rows) == sorted((team["id"], "Latest") for team in teams)
