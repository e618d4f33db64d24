"""A poorer payload does not replace a richer one unless it stays; what really changed is in the ledger."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sportmonks.config.catalog import GuardSettings
from tests.load.helpers import HOUR, Chunk, Payload, assert_stored, fixture, rows_of, shuffled

Spoil = Callable[[Payload], Any]


def emptied(section: str) -> Spoil:
    return lambda payload: payload.update({section: []})


def halved(section: str) -> Spoil:
    return lambda payload: payload.update({section: payload[section][: max(1, len(payload[section]) // 3)]})


def no_details(payload: Payload) -> None:
    for row in payload["lineups"]:
        row["details"] = []


POORER: dict[str, Spoil] = {
    **{
        f"no {name}": emptied(name) for name in ("participants", "scores", "events", "lineups", "statistics", "periods")
    },
    **{f"few {name}": halved(name) for name in ("lineups", "statistics")},
    "no details": no_details,
}


@pytest.fixture
def rich(chunk: Chunk, payloads: list[Payload]) -> Payload:
    """Stored, and with enough in it to lose."""
    one = max(payloads, key=lambda payload: len(payload["events"]))
    chunk.store(one)
    return one


@pytest.mark.parametrize("name", POORER)
def test_a_poorer_payload_is_held_back_until_it_persists(chunk: Chunk, rich: Payload, name: str) -> None:
    poor = copy.deepcopy(rich)
    POORER[name](poor)
    assert poor != rich
    for number in (1, 2, 3):
        stored = chunk.store(shuffled(poor, number))
        assert stored.outcomes == {"HELD": 1}
        assert "poorer in" in stored.problems[rich["id"]]
        assert_stored(chunk.conn, rich)
        row = fixture(chunk.conn, rich["id"])
        assert (row["held_reads"], row["due_reason"]) == (number, "held")
        assert row["next_due_at"] == chunk.now + timedelta(hours=1)
    assert rows_of(chunk.conn, "etl.fixture_changes") == []
    # The fourth equal answer is believed.
    assert chunk.store(poor).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, poor)
    assert fixture(chunk.conn, rich["id"])["held_reads"] == 0
    assert rows_of(chunk.conn, "etl.fixture_changes")


def test_a_rich_answer_in_between_ends_the_doubt(chunk: Chunk, rich: Payload) -> None:
    poor = {**rich, "events": []}
    for _ in range(2):
        chunk.store(poor)
    assert chunk.store(rich).outcomes == {"UNCHANGED": 1}
    assert fixture(chunk.conn, rich["id"])["held_reads"] == 0
    for _ in range(3):
        assert chunk.store(poor).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, rich)


def test_losses_that_differ_do_not_add_up(chunk: Chunk, rich: Payload) -> None:
    for number in range(8):
        poor = {**rich, "lineups": rich["lineups"][: number + 1]}
        assert chunk.store(poor).outcomes == {"HELD": 1}
        assert fixture(chunk.conn, rich["id"])["held_reads"] == 1
    assert_stored(chunk.conn, rich)


def test_a_loss_that_stays_is_believed_though_other_parts_go_on_changing(chunk: Chunk, rich: Payload) -> None:
    outcomes = [chunk.store({**rich, "events": [], "name": f"try {number}"}).outcomes for number in range(4)]
    assert outcomes == [{"HELD": 1}] * 3 + [{"SAVED": 1}]


def test_the_first_payload_is_never_poorer(chunk: Chunk, payloads: list[Payload]) -> None:
    poor = {**payloads[0], "events": [], "lineups": [], "scores": []}
    assert chunk.store(poor).outcomes == {"SAVED": 1}
    assert chunk.store(payloads[0]).outcomes == {"SAVED": 1}


TOLD = ("events", "lineups", "statistics")


def without(payload: Payload, how: str, *sections: str) -> Payload:
    """A payload that holds nothing of ``sections``: emptied, null or not even named."""
    kept = {key: value for key, value in payload.items() if key not in sections}
    return kept if how == "absent" else {**payload, **dict.fromkeys(sections, [] if how == "empty" else None)}


@pytest.mark.parametrize("how", ["empty", "null", "absent"])
def test_a_first_answer_that_is_poor_gives_way_to_the_richer_one_of_the_ladder(
    chunk: Chunk, payloads: list[Payload], how: str
) -> None:
    """Read ten minutes after the end, the ladder comes back after an hour, a day, a week and a month."""
    one = max(payloads, key=lambda payload: len(payload["events"]))
    end = datetime.fromtimestamp(max(period["ended"] for period in one["periods"]), UTC)
    chunk.now = end - timedelta(minutes=50)
    assert chunk.store(without(one, how, *TOLD)).outcomes == {"SAVED": 1}
    for hours, reason in ((1, "recheck_1h"), (24, "recheck_1d"), (168, "recheck_7d"), (720, "recheck_30d")):
        row = fixture(chunk.conn, one["id"])
        assert (row["next_due_at"], row["due_reason"]) == (end + timedelta(hours=hours), reason)
        chunk.now = row["next_due_at"] - HOUR
        if hours < 720:
            # Another part of it goes on changing, or the ladder would skip schedule.
            chunk.store(without({**one, "result_info": f"after {hours}"}, how, *TOLD))
    assert chunk.store(one).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, one)
    told = {row["section"] for row in rows_of(chunk.conn, "etl.fixture_changes", "changed_at = %s", chunk.now)}
    assert told == {"fixture", *TOLD, "lineups.details"}


def test_a_bare_match_among_others_is_asked_for_again_soon(chunk: Chunk, payloads: list[Payload]) -> None:
    """Of a match long over the ladder would read a poor first answer again after a year only."""
    bare, few, *others = payloads
    few = without(few, "empty", "events", "lineups")
    assert chunk.store(without(bare, "empty", *TOLD), few, *others).outcomes == {"SAVED": len(payloads)}
    due = {row["id"]: row["due_reason"] for row in rows_of(chunk.conn, "football.fixtures")}
    assert due == {**{payload["id"]: "aged" for payload in payloads}, bare["id"]: "held"}
    assert fixture(chunk.conn, bare["id"])["next_due_at"] == chunk.now + HOUR
    assert chunk.store(bare).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, bare)
    row = fixture(chunk.conn, bare["id"])
    assert (row["due_reason"], row["held_reads"], row["held_hash"]) == ("aged", 0, None)
    assert {row["section"] for row in rows_of(chunk.conn, "etl.fixture_changes")} == {*TOLD, "lineups.details"}


def test_a_bare_match_that_stays_bare_is_believed(chunk: Chunk, payloads: list[Payload]) -> None:
    bare = without(payloads[0], "empty", *TOLD)
    chunk.store(bare, *payloads[1:])
    for number in (1, 2, 3):
        row = fixture(chunk.conn, bare["id"])
        assert (row["due_reason"], row["held_reads"], row["unchanged_reads"]) == ("held", number, 0)
        assert chunk.store(shuffled(bare, number)).outcomes == {"UNCHANGED": 1}
    row = fixture(chunk.conn, bare["id"])
    assert (row["due_reason"], row["held_reads"], row["unchanged_reads"]) == ("aged", 0, 1)
    assert rows_of(chunk.conn, "etl.fixture_changes") == []


def test_where_no_match_tells_more_none_is_doubted(chunk: Chunk, payloads: list[Payload]) -> None:
    chunk.store(*(without(payload, "empty", *TOLD) for payload in payloads))
    assert {row["due_reason"] for row in rows_of(chunk.conn, "football.fixtures")} == {"aged"}


def test_lineups_that_lost_their_details_are_held_back(chunk: Chunk, rich: Payload) -> None:
    poor = {**rich, "lineups": [without(row, "absent", "details") for row in rich["lineups"]]}
    for _ in range(3):
        assert chunk.store(poor).outcomes == {"HELD": 1}
    assert_stored(chunk.conn, rich)
    assert chunk.store(poor).outcomes == {"SAVED": 1}
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert change["section"] == "lineups.details"


def test_details_that_are_no_longer_asked_for_are_no_loss(chunk: Chunk, rich: Payload) -> None:
    chunk.includes = tuple("lineups" if name == "lineups.details" else name for name in chunk.includes)
    poor = {**rich, "lineups": [without(row, "absent", "details") for row in rich["lineups"]]}
    stored = chunk.store(poor)
    assert (stored.outcomes, stored.changes) == ({"SAVED": 1}, 0)


def test_small_losses_are_corrections(chunk: Chunk, rich: Payload) -> None:
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
        (2, 15, "HELD"),  # abandoned: what has happened has happened
        (1, 1, "HELD"),
        (2, 22, "HELD"),
        (2, 5, "HELD"),
        (5, 10, "HELD"),  # what has been played to its end does not vanish
        (5, 5, "HELD"),
    ],
)
def test_a_match_that_is_called_off_may_lose_what_was_announced(
    chunk: Chunk, rich: Payload, before: int, after: int, outcome: str
) -> None:
    one = {**rich, "id": 77, "state_id": before}
    chunk.index(one)
    chunk.store(one)
    assert chunk.store({**one, "state_id": after, "lineups": [], "events": []}).outcomes == {outcome: 1}


def test_the_dials_decide(chunk: Chunk, rich: Payload) -> None:
    chunk.guard = GuardSettings(rereads=1, hours=6)
    poor = {**rich, "lineups": rich["lineups"][:1]}
    assert chunk.store(poor).outcomes == {"HELD": 1}
    assert fixture(chunk.conn, rich["id"])["next_due_at"] == chunk.now + timedelta(hours=6)
    assert chunk.store(poor, hours=5).outcomes == {"HELD": 1}
    assert chunk.store(poor, hours=6).outcomes == {"SAVED": 1}


def test_reads_before_their_time_do_not_make_a_loss_believable(chunk: Chunk, rich: Payload) -> None:
    """A run forced again and again within minutes is one look."""
    poor = {**rich, "events": []}
    for _ in range(6):
        assert chunk.store(poor, hours=0.1).outcomes == {"HELD": 1}
        assert fixture(chunk.conn, rich["id"])["held_reads"] == 1
    assert [chunk.store(poor).outcomes for _ in range(3)] == [{"HELD": 1}, {"HELD": 1}, {"SAVED": 1}]


# ---- the ledger


def test_changed_fields_and_rows_are_told_with_their_age(chunk: Chunk, rich: Payload) -> None:
    ended = fixture(chunk.conn, rich["id"])["ended_at"]
    new = copy.deepcopy(rich)
    new["result_info"] = "decided afterwards"
    new["scores"][0]["score"]["goals"] += 1
    new["lineups"][0]["details"][0]["data"]["value"] = 123
    new["lineups"][1]["jersey_number"] = 98
    assert chunk.store(new).changes == 4
    found = {row["section"]: row for row in rows_of(chunk.conn, "etl.fixture_changes")}
    assert found.keys() == {"fixture", "scores", "lineups", "lineups.details"}
    assert (found["fixture"]["field"], found["fixture"]["before"], found["fixture"]["after"]) == (
        "result_info", rich["result_info"], "decided afterwards")  # fmt: skip
    assert found["scores"]["before"]["score"]["goals"] + 1 == found["scores"]["after"]["score"]["goals"]
    assert "details" not in found["lineups"]["after"]
    hours = (chunk.now - ended).total_seconds() / 3600
    for row in found.values():
        assert float(row["hours_after"]) == pytest.approx(hours, abs=0.01)
        assert (row["execution_id"], row["league_id"], row["season_id"]) == (
            "etl_test",
            chunk.league_id,
            chunk.season_id,
        )
        assert row["changed_at"] == chunk.now


def test_the_age_is_told_without_periods_too(chunk: Chunk, rich: Payload) -> None:
    """The end is taken from the kick-off then; before it there is no age."""
    bare = {key: value for key, value in rich.items() if key != "periods"}
    start = datetime.fromisoformat(bare["starting_at"]).replace(tzinfo=UTC)
    chunk.now = start - timedelta(days=2)
    chunk.conn.execute("TRUNCATE raw.fixtures, football.fixtures, football.fixture_periods")
    chunk.store({**bare, "state_id": 1}, {**rich, "id": 77, "state_id": 1})
    chunk.now = start + timedelta(hours=3)
    chunk.store(bare)
    chunk.now = start + timedelta(hours=25)
    chunk.store({**bare, "result_info": "decided afterwards"})
    rows = sorted(rows_of(chunk.conn, "etl.fixture_changes"), key=lambda row: row["change_id"])
    told = [(row["field"], row["hours_after"]) for row in rows]
    assert told == [("state_id", None), ("result_info", 24)]


def test_a_match_played_again_has_a_new_end(chunk: Chunk, rich: Payload) -> None:
    again = {**rich, "state_id": 1, "starting_at": "2027-01-01 20:00:00", "periods": []}
    for _ in range(4):
        chunk.store(again)
    row = fixture(chunk.conn, rich["id"])
    assert (row["ended_at"], row["due_reason"]) == (None, "just_finished")
    assert row["next_due_at"] == datetime(2027, 1, 1, 22, tzinfo=UTC)


def test_many_changed_rows_are_told_by_their_number(chunk: Chunk, rich: Payload) -> None:
    for row in rich["lineups"]:
        for detail in row["details"]:
            detail["data"]["value"] = 1000
    chunk.store(rich)
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["section"], change["field"]) == ("lineups.details", None)
    assert change["after"]["changed"] > 20


def test_sections_asked_for_the_first_time_are_no_corrections(chunk: Chunk, payloads: list[Payload]) -> None:
    chunk.includes = ("participants",)
    bare = {
        key: value
        for key, value in payloads[0].items()
        if key not in ("events", "lineups", "scores", "statistics", "periods")
    }
    chunk.store(bare)
    chunk.includes = (*chunk.includes, "events", "lineups.details", "scores", "statistics", "periods")
    stored = chunk.store(payloads[0])
    assert (stored.outcomes, stored.changes) == ({"SAVED": 1}, 0)
    assert_stored(chunk.conn, payloads[0])


def test_one_change_is_told_once(chunk: Chunk, rich: Payload) -> None:
    new = {**rich, "name": "Another"}
    assert [chunk.store(new).changes, chunk.store(new).changes] == [1, 0]
    assert len(rows_of(chunk.conn, "etl.fixture_changes")) == 1
