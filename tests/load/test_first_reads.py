"""A first payload of a played match that an accident could have made is read again soon, in any order of batches."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sportmonks.config.catalog import GuardSettings
from sportmonks.load.season import suspect_unlike
from tests.harness.load import HOUR, ChunkHarness, FixtureJson, assert_stored, fixture_row, rows_of

DETAIL = ("events", "lineups", "statistics")


def one_team(payload: FixtureJson) -> None:
    payload["participants"] = payload["participants"][:1]


def two_home_teams(payload: FixtureJson) -> None:
    for row in payload["participants"]:
        row["meta"]["location"] = "home"


def no_current_score(payload: FixtureJson) -> None:
    payload["scores"] = [row for row in payload["scores"] if row["description"] != "CURRENT"]


def current_score_of_one_side(payload: FixtureJson) -> None:
    payload["scores"] = [
        row for row in payload["scores"] if row["description"] != "CURRENT" or row["score"]["participant"] == "home"
    ]


def lineups_of_one_team(payload: FixtureJson) -> None:
    team = payload["participants"][0]["id"]
    payload["lineups"] = [row for row in payload["lineups"] if row["team_id"] == team]


ACCIDENTS: dict[Callable[[FixtureJson], None], str] = {
    one_team: "participants",
    two_home_teams: "participants",
    no_current_score: "scores",
    current_score_of_one_side: "scores",
    lineups_of_one_team: "lineups",
}


@pytest.mark.parametrize("spoil", ACCIDENTS, ids=lambda spoil: spoil.__name__)
def test_a_first_payload_that_is_half_there_is_suspected_until_it_stays(
    chunk: ChunkHarness, payloads: list[FixtureJson], spoil: Callable[[FixtureJson], None]
) -> None:
    chunk.guard = GuardSettings(rereads=2)
    one = copy.deepcopy(payloads[0])
    spoil(one)
    assert chunk.store(one).outcomes == {"SAVED": 1}
    for number in (1, 2):
        row = fixture_row(chunk.conn, one["id"])
        found = (row["due_reason"], row["held_reads"], row["suspected_sections"])
        assert found == ("held", number, ACCIDENTS[spoil])
        chunk.store(one)
    row = fixture_row(chunk.conn, one["id"])
    # Believed: there are rows, so nothing stays noted.
    assert (row["due_reason"], row["suspected_sections"], row["suspected_at"]) == ("aged", None, None)
    # The same of a match to come is nothing odd.
    chunk.store({**one, "id": 77, "state_id": 1})
    assert fixture_row(chunk.conn, 77)["held_reads"] == 0


def with_goals(payloads: list[FixtureJson]) -> list[FixtureJson]:
    """The matches with goals first: a match without any need not have events."""
    return sorted(payloads, key=lambda payload: all(not row["score"]["goals"] for row in payload["scores"]))


def missed(chunk: ChunkHarness) -> dict[int, str]:
    rows = rows_of(chunk.conn, "football.fixtures", "held_reads > 0 AND due_reason = 'held'")
    return {row["id"]: row["suspected_sections"] for row in rows}


@pytest.mark.parametrize(
    ("empty", "expected"),
    [
        (("events",), "events"),
        (("lineups",), "lineups"),
        (("lineups", "statistics"), "lineups, statistics"),
        (DETAIL, "events, lineups, statistics"),
    ],
    ids=str,
)
@pytest.mark.parametrize("order", ["first", "last", "together"])
def test_what_the_season_shows_does_not_depend_on_the_order_of_batches(
    chunk: ChunkHarness, payloads: list[FixtureJson], empty: tuple[str, ...], expected: str, order: str
) -> None:
    one, two, *others = with_goals(payloads)
    bad: list[Any] = [{**payload, **{name: [] for name in empty}} for payload in (one, two)]
    batches = {"first": [bad, others], "last": [others, bad], "together": [bad + others]}[order]
    for batch in batches:
        chunk.store(*batch)
    suspect_unlike(chunk.conn, chunk.context())
    assert missed(chunk) == {one["id"]: expected, two["id"]: expected}
    row = fixture_row(chunk.conn, one["id"])
    assert row["next_due_at"] == row["last_fetched_at"] + HOUR
    # Called at the end of every run, it marks nothing twice, and what stays is believed.
    assert suspect_unlike(chunk.conn, chunk.context()) == 0
    for _ in range(3):
        chunk.store(*bad)
        suspect_unlike(chunk.conn, chunk.context())
    assert missed(chunk) == {}
    assert suspect_unlike(chunk.conn, chunk.context()) == 0


def test_a_match_without_goals_need_not_have_events(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one, *others = payloads
    for row in one["scores"]:
        row["score"]["goals"] = 0
    chunk.store({**one, "events": []})
    chunk.store(*others)
    assert suspect_unlike(chunk.conn, chunk.context()) == 0


def test_a_season_without_detail_is_believed(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.store(*({**payload, **{name: [] for name in DETAIL}} for payload in payloads))
    assert suspect_unlike(chunk.conn, chunk.context()) == 0


def test_fields_that_the_index_has_reported_and_a_first_payload_lacks_are_suspected(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    one = {**payloads[0], "name": None, "state_id": None, "venue_id": ""}
    del one["starting_at"]
    chunk.store(one)
    for number in (1, 2, 3):
        row = fixture_row(chunk.conn, one["id"])
        assert (row["held_reads"], row["due_reason"]) == (number, "held")
        assert sorted(row["suspected_sections"].split(", ")) == ["name", "starting_at", "state_id", "venue_id"]
        chunk.store(one)
    assert fixture_row(chunk.conn, one["id"])["held_reads"] == 0


@pytest.mark.parametrize("together", [True, False])
def test_a_section_that_is_requested_anew_is_compared_with_the_other_matches(
    chunk: ChunkHarness, payloads: list[FixtureJson], together: bool
) -> None:
    every = chunk.includes
    chunk.includes = tuple(name for name in every if not name.startswith("lineups"))
    chunk.store(*({key: payload[key] for key in payload if key != "lineups"} for payload in payloads))
    chunk.includes = every
    one, *others = payloads
    empty = {**one, "lineups": []}
    batches = [[empty, *others]] if together else [[empty], others]
    anew = {key: new for batch in batches for key, new in chunk.store(*batch).anew.items()}
    suspect_unlike(chunk.conn, chunk.context(), anew)
    assert missed(chunk) == {one["id"]: "lineups"}
    for _ in range(3):
        chunk.store(empty)
    assert missed(chunk) == {}
    chunk.store(one)
    assert len(rows_of(chunk.conn, "football.fixture_lineups", "fixture_id = %s", one["id"])) == len(one["lineups"])


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("emptied", ["raw.fixtures", "football.fixture_periods"])
def test_rows_that_were_dropped_before_a_fixture_is_read_anew_go(
    chunk: ChunkHarness, payloads: list[FixtureJson], emptied: str, typed: bool
) -> None:
    """Of one that is forgotten, because a table was emptied or restored alone, rows may be left."""
    chunk.typed = typed
    one = max(payloads, key=lambda payload: len(payload["events"]))
    chunk.store(one)
    chunk.conn.execute(f"TRUNCATE {emptied}".encode())
    chunk.conn.execute("SELECT etl.forget_fixtures(%s, now())", ([one["id"]],))
    less = {**one, **{name: one[name][:-1] for name in ("events", "lineups", "statistics")}}
    assert chunk.store(less).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, less)
