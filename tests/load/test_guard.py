"""A degraded payload replaces what is stored only if it stays degraded."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from sportmonks.config.catalog import GuardSettings
from tests.harness.load import (
    HOUR,
    ChunkHarness,
    Degrade,
    FixtureJson,
    assert_stored,
    changed_rows,
    emptied,
    fixture_row,
    rows_of,
    shuffled,
    versions,
    without,
)


def shortened(section: str) -> Degrade:
    return lambda payload: payload.update({section: payload[section][: max(1, len(payload[section]) // 3)]})


def no_details(payload: FixtureJson) -> None:
    for row in payload["lineups"]:
        row["details"] = []


def one_team(payload: FixtureJson) -> None:
    team = payload["lineups"][0]["team_id"]
    payload["lineups"] = [row for row in payload["lineups"] if row["team_id"] == team]


def no_current_score(payload: FixtureJson) -> None:
    payload["scores"] = [row for row in payload["scores"] if row["description"] != "CURRENT"]


DEGRADATIONS: dict[str, Degrade] = {
    **{
        f"no {name}": emptied(name) for name in ("participants", "scores", "events", "lineups", "statistics", "periods")
    },
    **{f"few {name}": shortened(name) for name in ("lineups", "statistics")},
    "no details": no_details,
    "one team": lambda payload: payload.update(participants=payload["participants"][:1]),
    "lineups of one team": one_team,
    "no current score": no_current_score,
}


@pytest.mark.parametrize("name", DEGRADATIONS)
def test_a_degraded_payload_is_held_back_until_it_persists(chunk: ChunkHarness, rich: FixtureJson, name: str) -> None:
    degraded = copy.deepcopy(rich)
    DEGRADATIONS[name](degraded)
    assert degraded != rich
    for number in (1, 2, 3):
        stored = chunk.store(shuffled(degraded, number))
        assert stored.outcomes == {"HELD": 1}
        assert stored.problems[rich["id"]].startswith("degraded in ")
        assert stored.problems[rich["id"]].endswith(f": stored data kept (read {number} of 3)")
        assert_stored(chunk.conn, rich)
        row = fixture_row(chunk.conn, rich["id"])
        assert (row["held_reads"], row["due_reason"]) == (number, "held")
        assert row["next_due_at"] == chunk.now + timedelta(hours=1)
    assert rows_of(chunk.conn, "etl.fixture_changes") == []
    # The fourth equal response is saved.
    assert chunk.store(degraded).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, degraded)
    assert fixture_row(chunk.conn, rich["id"])["held_reads"] == 0
    assert rows_of(chunk.conn, "etl.fixture_changes")


def test_a_complete_response_in_between_resets_the_count(chunk: ChunkHarness, rich: FixtureJson) -> None:
    degraded = {**rich, "events": []}
    for _ in range(2):
        chunk.store(degraded)
    assert chunk.store(rich).outcomes == {"UNCHANGED": 1}
    assert fixture_row(chunk.conn, rich["id"])["held_reads"] == 0
    for _ in range(3):
        assert chunk.store(degraded).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, rich)


def test_losses_that_differ_do_not_add_up(chunk: ChunkHarness, rich: FixtureJson) -> None:
    for number in range(8):
        degraded = {**rich, "lineups": rich["lineups"][: number + 1]}
        assert chunk.store(degraded).outcomes == {"HELD": 1}
        assert fixture_row(chunk.conn, rich["id"])["held_reads"] == 1
    assert_stored(chunk.conn, rich)


def test_a_loss_that_stays_is_saved_though_other_parts_go_on_changing(chunk: ChunkHarness, rich: FixtureJson) -> None:
    outcomes = [chunk.store({**rich, "events": [], "name": f"try {number}"}).outcomes for number in range(4)]
    assert outcomes == [{"HELD": 1}] * 3 + [{"SAVED": 1}]


def test_the_first_payload_is_never_degraded(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    first = {**payloads[0], "events": [], "lineups": [], "scores": []}
    assert chunk.store(first).outcomes == {"SAVED": 1}
    assert chunk.store(payloads[0]).outcomes == {"SAVED": 1}


def test_lineups_that_lost_their_details_are_held_back(chunk: ChunkHarness, rich: FixtureJson) -> None:
    degraded = {**rich, "lineups": [without(row, "absent", "details") for row in rich["lineups"]]}
    for _ in range(3):
        assert chunk.store(degraded).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, rich)
    assert chunk.store(degraded).outcomes == {"SAVED": 1}
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert change["section"] == "lineups.details"


def test_details_that_are_no_longer_requested_are_no_loss(chunk: ChunkHarness, rich: FixtureJson) -> None:
    chunk.includes = tuple("lineups" if name == "lineups.details" else name for name in chunk.includes)
    smaller = {**rich, "lineups": [without(row, "absent", "details") for row in rich["lineups"]]}
    stored = chunk.store(smaller)
    assert (stored.outcomes, stored.changes) == ({"SAVED": 1}, 0)


def test_small_losses_are_corrections(chunk: ChunkHarness, rich: FixtureJson) -> None:
    less = copy.deepcopy(rich)
    gone = less["events"].pop()
    assert chunk.store(less).outcomes == {"SAVED": 1}
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["section"], change["field"], change["before"]["id"], change["after"]) == (
        "events",
        str(gone["id"]),
        gone["id"],
        None,
    )


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        (1, 10, "SAVED"),  # lineups were announced, then it was postponed
        (1, 12, "SAVED"),
        (10, 1, "SAVED"),
        (22, 11, "HELD"),
        (2, 15, "HELD"),  # abandoned: what has happened until then stays
        (1, 1, "HELD"),
        (2, 22, "HELD"),
        (2, 5, "HELD"),
        (5, 10, "HELD"),  # what has been played to its end does not vanish
        (5, 5, "HELD"),
    ],
)
def test_a_match_that_is_called_off_may_lose_what_was_announced(
    chunk: ChunkHarness, rich: FixtureJson, before: int, after: int, outcome: str
) -> None:
    one = {**rich, "id": 77, "state_id": before}
    chunk.index(one)
    chunk.store(one)
    assert chunk.store({**one, "state_id": after, "lineups": [], "events": []}).outcomes == {outcome: 1}


CURRENT = [
    {"id": key, "type_id": 1525, "participant_id": key, "score": score, "description": "CURRENT"}
    for key, score in ((1, {"goals": 0, "participant": "home"}), (2, {"goals": 3, "participant": "away"}))
]
POSTPONED = {"state_id": 10, "starting_at": "2027-03-01 18:00:00", "scores": []}


@pytest.mark.parametrize(
    ("change", "held", "goals"),
    [
        # Awarded: two rows in place of many.
        ({"state_id": 17, "scores": CURRENT, "events": [], "lineups": []}, ["events", "lineups"], (0, 3)),
        ({**POSTPONED, "events": [], "periods": []}, ["events", "periods"], None),
        ({"state_id": 15, "scores": [], "statistics": []}, ["statistics"], None),
        ({"state_id": 12, "scores": [], "result_info": None, "lineups": []}, ["lineups"], None),
        ({"name": "B vs A", "participants": []}, ["participants"], "stored"),
        # A played match has a score: an answer without one is degraded in it.
        ({"name": "B vs A", "scores": []}, ["scores"], "stored"),
        ({"state_id": 8, "scores": CURRENT[:1]}, ["scores"], "stored"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_only_the_degraded_sections_are_held_back(
    chunk: ChunkHarness, rich: FixtureJson, change: dict[str, Any], held: list[str], goals: Any
) -> None:
    """State, kick-off, result and scores are right at once; the sections follow when the loss stays."""
    chunk.store(rich)
    before = fixture_row(chunk.conn, rich["id"])
    assert before["unchanged_reads"] == 1
    degraded = {**rich, **change}
    assert chunk.store(degraded).outcomes == {"HELD": 1}
    expected = {**degraded, **{name: rich[name] for name in held}}
    assert_stored(chunk.conn, expected)
    row = fixture_row(chunk.conn, rich["id"])
    stored_goals = (before["home_goals"], before["away_goals"])
    assert (row["home_goals"], row["away_goals"]) == {"stored": stored_goals, None: (None, None)}.get(goals, goals)
    assert (row["held_reads"], row["due_reason"], row["next_due_at"]) == (1, "held", chunk.now + HOUR)
    assert row["unchanged_reads"] == 0
    changed = {change["section"] for change in rows_of(chunk.conn, "etl.fixture_changes")}
    assert changed
    assert not changed & set(held)
    # The same again writes nothing but counters.
    versions_before = versions(chunk.conn)
    assert chunk.store(shuffled(degraded)).outcomes == {"HELD": 1}
    assert {table for table, _ in changed_rows(versions_before, versions(chunk.conn))} == {"football.fixtures"}
    assert chunk.store(degraded).outcomes == {"HELD": 1}
    assert chunk.store(degraded).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, degraded)
    assert {change["section"] for change in rows_of(chunk.conn, "etl.fixture_changes")} >= {*held}


def test_rows_that_come_back_are_no_change(chunk: ChunkHarness, rich: FixtureJson) -> None:
    corrected = copy.deepcopy(rich)
    corrected["scores"][0]["score"]["goals"] += 1
    assert chunk.store({**corrected, "events": []}).changes == 1
    found = chunk.store(corrected)
    assert (found.outcomes, found.changes) == ({"UNCHANGED": 1}, 0)
    assert_stored(chunk.conn, corrected)
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["held_reads"], row["held_hash"]) == (0, None)


def test_lineups_are_taken_while_their_details_are_held_back(chunk: ChunkHarness, rich: FixtureJson) -> None:
    corrected = copy.deepcopy(rich)
    corrected["lineups"][0]["jersey_number"] = 98
    degraded = copy.deepcopy(corrected)
    no_details(degraded)
    assert chunk.store(degraded).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, corrected)


def test_a_section_that_is_held_back_keeps_the_includes_it_was_requested_with(
    chunk: ChunkHarness, rich: FixtureJson
) -> None:
    chunk.includes = tuple("lineups" if name == "lineups.details" else name for name in chunk.includes)
    assert chunk.store({**rich, "name": "Another", "lineups": []}).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, {**rich, "name": "Another"})
    (raw,) = rows_of(chunk.conn, "raw.fixtures", "fixture_id = %s", rich["id"])
    assert sorted(raw["includes"]) == sorted(
        (*(name for name in chunk.includes if name != "lineups"), "lineups.details")
    )


def test_a_match_that_is_called_off_keeps_its_teams(chunk: ChunkHarness, rich: FixtureJson) -> None:
    announced = {**rich, "id": 77, "state_id": 1, "scores": []}
    chunk.index(announced)
    chunk.store(announced)
    called_off = {**announced, "state_id": 10, "lineups": [], "participants": []}
    assert chunk.store(called_off).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, {**called_off, "participants": rich["participants"]})


def test_held_sections_of_a_payload_that_needs_cleaning(chunk: ChunkHarness, rich: FixtureJson) -> None:
    odd = {**rich, "venue_id": f" {rich['venue_id']} ", "round_id": "", "events": []}
    assert chunk.store(odd).outcomes == {"HELD": 1}
    row = fixture_row(chunk.conn, rich["id"])
    found = (row["venue_id"], row["round_id"], row["collection_status"])
    assert found == (rich["venue_id"], rich["round_id"], "COLLECTED")
    assert len(rows_of(chunk.conn, "football.fixture_events", "fixture_id = %s", rich["id"])) == len(rich["events"])


def test_the_settings_of_the_guard_decide(chunk: ChunkHarness, rich: FixtureJson) -> None:
    chunk.guard = GuardSettings(rereads=1, hours=6)
    degraded = {**rich, "lineups": rich["lineups"][:1]}
    assert chunk.store(degraded).outcomes == {"HELD": 1}
    assert fixture_row(chunk.conn, rich["id"])["next_due_at"] == chunk.now + timedelta(hours=6)
    assert chunk.store(degraded, hours=5).outcomes == {"HELD": 1}
    assert chunk.store(degraded, hours=6).outcomes == {"SAVED": 1}


def test_reads_before_their_time_do_not_confirm_a_loss(chunk: ChunkHarness, rich: FixtureJson) -> None:
    """Several forced runs within minutes count as one read."""
    degraded = {**rich, "events": []}
    for _ in range(6):
        assert chunk.store(degraded, hours=0.1).outcomes == {"HELD": 1}
        assert fixture_row(chunk.conn, rich["id"])["held_reads"] == 1
    assert [chunk.store(degraded).outcomes for _ in range(3)] == [{"HELD": 1}, {"HELD": 1}, {"SAVED": 1}]
