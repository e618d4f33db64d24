"""A list is worth the rows in it that can be used: what is no row counts for nothing."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from sportmonks.load.payloads import read_payload
from tests.harness.load import ChunkHarness, FixtureJson, assert_stored, encode, fixture_row, rows_of

# Lists in which nothing can be used, as accidents leave them behind.
UNUSABLE: dict[str, tuple[str, list[Any]]] = {
    "participants of null": ("participants", [None, None]),
    "participants that are empty": ("participants", [{}, {}]),
    "participants without an id": ("participants", [{"name": "A", "meta": {"location": "home"}}, {"name": "B"}]),
    "events of null": ("events", [None] * 9),
    "scores as numbers": ("scores", [1, 2]),
    "scores with nothing in them": ("scores", [{"score": None}, {"id": None}]),
    "scores below nothing": (
        "scores",
        [
            {"id": 1, "description": "CURRENT", "score": {"goals": goals, "participant": side}}
            for goals, side in ((-1, "home"), (2, "away"))
        ],
    ),
    "lineups as text": ("lineups", ["x"] * 22),
    "statistics that are empty": ("statistics", [{}]),
    "periods that are lists": ("periods", [[], []]),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_section_without_a_usable_row_is_unreadable(chunk: ChunkHarness, rich: FixtureJson, name: str) -> None:
    """Held back on a further read at once, suspected on a first one, and never taken for a section without rows."""
    section, rows = UNUSABLE[name]
    chunk.store({**rich, section: rows})
    assert_stored(chunk.conn, rich)
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["held_reads"], row["due_reason"], row["suspected_sections"]) == (1, "held", section)
    first = {**copy.deepcopy(rich), "id": 77, section: rows}
    stored = chunk.store(first)
    assert stored.outcomes == {"SAVED": 1}
    assert f"'{section}' is not a list of usable rows" in stored.problems[77]
    row = fixture_row(chunk.conn, 77)
    assert (row["held_reads"], row["due_reason"], row["suspected_sections"]) == (1, "held", section)
    assert row["quality_score"] < 100
    assert rows_of(chunk.conn, f"football.fixture_{section}", "fixture_id = 77") == []
    # The complete answer ends it, and is stored.
    good = {**copy.deepcopy(rich), "id": 77}
    assert chunk.store(good).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, good)
    assert fixture_row(chunk.conn, 77)["held_reads"] == 0


def test_few_usable_rows_among_many_entries_are_a_loss(chunk: ChunkHarness, rich: FixtureJson) -> None:
    """The number of entries is as before, but most of them are no rows."""
    number = len(rich["lineups"])
    assert chunk.store({**rich, "lineups": rich["lineups"][:3] + [None] * (number - 3)}).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, rich)


def test_usable_rows_are_stored_beside_others(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = copy.deepcopy(payloads[0])
    odd = {**one, "events": [None, *one["events"], {}, {"id": None, "minute": 3}], "scores": [{}, *one["scores"]]}
    stored = chunk.store(odd)
    assert stored.outcomes == {"SAVED": 1}
    assert fixture_row(chunk.conn, one["id"])["held_reads"] == 0
    for section in ("events", "scores"):
        rows = rows_of(chunk.conn, f"football.fixture_{section}", "fixture_id = %s", one["id"])
        assert {row["id"] for row in rows} == {row["id"] for row in one[section]}


@pytest.mark.parametrize("details", [[None], [{}, {}], ["x"]])
def test_details_without_a_usable_row_are_a_loss(chunk: ChunkHarness, rich: FixtureJson, details: list[Any]) -> None:
    spoilt = {**rich, "lineups": [{**row, "details": details} for row in rich["lineups"]]}
    assert chunk.store(spoilt).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, rich)


@pytest.mark.parametrize(
    ("section", "rows", "counted"),
    [
        ("events", [{"id": "12"}, {"id": 13.0}, {"type_id": 14}], 3),
        ("events", [{"id": "x"}, {"id": 1.5}, {"id": True}], None),
        ("scores", [{"description": "CURRENT", "score": {"goals": 1}}, None], 1),
        ("participants", [{"id": 1}, {"id": "2"}, {"id": ""}], 2),
        ("statistics", [], 0),
    ],
)
def test_rows_that_count(section: str, rows: list[Any], counted: int | None) -> None:
    payload = read_payload(encode({"id": 1, section: rows}))
    assert payload.summary.counts.get(section) == counted
    assert payload.summary.unreadable == (() if counted is not None else (section,))
