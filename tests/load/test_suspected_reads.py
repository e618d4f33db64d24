"""First payloads that lack what others have are suspected and read again soon; a later loss is the guard's."""

from __future__ import annotations

import copy
from datetime import UTC, datetime, timedelta

import pytest

from sportmonks.config.catalog import GuardSettings
from sportmonks.load.season import suspect_unlike
from tests.harness.load import (
    HOUR,
    ChunkHarness,
    Degrade,
    FixtureJson,
    assert_stored,
    emptied,
    fixture_row,
    rows_of,
    shuffled,
    without,
)

DETAIL = ("events", "lineups", "statistics")


def test_a_first_payload_without_detail_gives_way_to_the_complete_one_of_a_recheck(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """The first read is ten minutes after the end; rechecks come an hour, a day, a week and a month after the end."""
    one = max(payloads, key=lambda payload: len(payload["events"]))
    end = datetime.fromtimestamp(max(period["ended"] for period in one["periods"]), UTC)
    chunk.now = end - timedelta(minutes=50)
    assert chunk.store(without(one, "empty", *DETAIL)).outcomes == {"SAVED": 1}
    for hours, reason in ((1, "recheck_1h"), (24, "recheck_1d"), (168, "recheck_7d"), (720, "recheck_30d")):
        row = fixture_row(chunk.conn, one["id"])
        assert (row["next_due_at"], row["due_reason"]) == (end + timedelta(hours=hours), reason)
        chunk.now = row["next_due_at"] - HOUR
        if hours < 720:
            # Another part of it goes on changing, or unchanged reads would skip rechecks.
            chunk.store(without({**one, "result_info": f"after {hours}"}, "empty", *DETAIL))
    assert chunk.store(one).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, one)
    sections = {row["section"] for row in rows_of(chunk.conn, "etl.fixture_changes", "changed_at = %s", chunk.now)}
    assert sections == {"fixture", *DETAIL, "lineups.details"}


def test_a_match_without_detail_among_others_with_detail_is_read_again_soon(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """The recheck schedule alone would read a match of long ago again after a year only."""
    suspected, *others = payloads
    assert chunk.store(without(suspected, "empty", *DETAIL), *others).outcomes == {"SAVED": len(payloads)}
    due = {row["id"]: row["due_reason"] for row in rows_of(chunk.conn, "football.fixtures")}
    assert due == {**{payload["id"]: "aged" for payload in payloads}, suspected["id"]: "held"}
    assert fixture_row(chunk.conn, suspected["id"])["next_due_at"] == chunk.now + HOUR
    assert chunk.store(suspected).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, suspected)
    row = fixture_row(chunk.conn, suspected["id"])
    assert (row["due_reason"], row["held_reads"], row["held_hash"]) == ("aged", 0, None)
    assert {row["section"] for row in rows_of(chunk.conn, "etl.fixture_changes")} == {*DETAIL, "lineups.details"}


def test_a_match_that_stays_without_detail_is_no_longer_suspected(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    suspected = without(payloads[0], "empty", *DETAIL)
    chunk.store(suspected, *payloads[1:])
    for number in (1, 2, 3):
        row = fixture_row(chunk.conn, suspected["id"])
        assert (row["due_reason"], row["held_reads"], row["unchanged_reads"]) == ("held", number, 0)
        assert chunk.store(shuffled(suspected, number)).outcomes == {"UNCHANGED": 1}
    row = fixture_row(chunk.conn, suspected["id"])
    assert (row["due_reason"], row["held_reads"], row["unchanged_reads"]) == ("aged", 0, 1)
    assert rows_of(chunk.conn, "etl.fixture_changes") == []


def removed(section: str, how: str) -> Degrade:
    def degrade(payload: FixtureJson) -> None:
        kept = without(payload, how, section)
        payload.clear()
        payload.update(kept)

    return degrade


# How a first payload may look after an accident, and what is noted of it.
SUSPECTED: dict[str, tuple[Degrade, str]] = {
    "all lists empty": (
        lambda payload: payload.update({name: [] for name, value in payload.items() if isinstance(value, list)}),
        "participants, scores",
    ),
    "no participants": (emptied("participants"), "participants"),
    "no scores": (emptied("scores"), "scores"),
    "participants null": (lambda payload: payload.update(participants=None), "participants"),
    **{
        f"{name} {how}": (removed(name, how), name)
        for name in ("events", "lineups", "statistics", "periods")
        for how in ("null", "absent")
    },
    "lineups without details": (
        lambda payload: payload.update(lineups=[without(row, "absent", "details") for row in payload["lineups"]]),
        "lineups.details",
    ),
}


def spoilt(rich: FixtureJson) -> dict[str, FixtureJson]:
    """A copy of a fixture for each of ``SUSPECTED``, spoilt accordingly."""
    found = {}
    for number, (name, (degrade, _)) in enumerate(SUSPECTED.items(), start=700):
        found[name] = {**copy.deepcopy(rich), "id": number}
        degrade(found[name])
    return found


@pytest.mark.parametrize("together", [False, True])
def test_a_first_payload_that_lacks_what_it_must_have_is_read_again_until_that_stays(
    chunk: ChunkHarness, payloads: list[FixtureJson], together: bool
) -> None:
    bad = spoilt(max(payloads, key=lambda payload: len(payload["events"])))
    batches = [list(bad.values())] if together else [[payload] for payload in bad.values()]
    first = chunk.now + HOUR

    def store(hours: float) -> set[str]:
        chunk.now += timedelta(hours=hours)
        return {outcome for batch in batches for outcome in chunk.store(*batch, hours=0).outcomes}

    assert store(1) == {"SAVED"}
    for number in (1, 2, 3):
        for name, payload in bad.items():
            row = fixture_row(chunk.conn, payload["id"])
            due = (row["due_reason"], row["held_reads"], row["next_due_at"])
            assert due == ("held", number, chunk.now + HOUR), name
            unlike_others = f", {', '.join(DETAIL)}" if together and name == "all lists empty" else ""
            assert (row["suspected_sections"], row["suspected_at"]) == (SUSPECTED[name][1] + unlike_others, first), name
        # A read before its time confirms nothing.
        assert store(0.1) == {"UNCHANGED"}
        assert store(1) == {"UNCHANGED"}
    for name, payload in bad.items():
        row = fixture_row(chunk.conn, payload["id"])
        assert (row["due_reason"], row["held_reads"], row["held_hash"]) == ("aged", 0, None)
        # What every match has stays noted for as long as it is not there.
        sections = SUSPECTED[name][1]
        essential = sections if sections.split(", ")[0] in ("participants", "scores") else None
        assert (row["suspected_sections"], row["suspected_at"]) == (essential, essential and first), name
    assert rows_of(chunk.conn, "etl.fixture_changes") == []


def test_the_complete_payload_ends_the_suspicion(chunk: ChunkHarness, rich: FixtureJson) -> None:
    bad = spoilt(rich)
    chunk.store(*bad.values())
    chunk.store(*({**rich, "id": payload["id"]} for payload in bad.values()))
    for name, payload in bad.items():
        row = fixture_row(chunk.conn, payload["id"])
        assert (row["held_reads"], row["suspected_sections"], row["suspected_at"]) == (0, None, None), name


def test_a_match_to_come_needs_no_scores_and_a_played_one_does(chunk: ChunkHarness, rich: FixtureJson) -> None:
    one = {**rich, "id": 77, "state_id": 1, "scores": [], "events": [], "lineups": [], "statistics": [], "periods": []}
    chunk.store(one)
    assert fixture_row(chunk.conn, 77)["suspected_sections"] is None
    chunk.store({**one, "state_id": 5})
    row = fixture_row(chunk.conn, 77)
    assert (row["held_reads"], row["suspected_sections"].split(", ")[0]) == (1, "scores")


def test_a_section_that_is_requested_for_the_first_time_and_does_not_come_is_suspected(
    chunk: ChunkHarness, rich: FixtureJson
) -> None:
    one = without({**rich, "id": 77}, "absent", "periods")
    every = chunk.includes
    chunk.includes = tuple(name for name in every if name != "periods")
    chunk.store(one)
    assert fixture_row(chunk.conn, 77)["suspected_sections"] is None
    chunk.includes = every
    chunk.store({**one, "result_info": "changed"})
    assert fixture_row(chunk.conn, 77)["suspected_sections"] == "periods"


def test_what_is_noted_stays_noted_after_reads_with_fewer_includes(chunk: ChunkHarness, rich: FixtureJson) -> None:
    one = {**rich, "id": 77, "participants": []}
    chunk.guard = GuardSettings(rereads=1)
    for _ in range(3):
        chunk.store(one)
    assert fixture_row(chunk.conn, 77)["held_reads"] == 0
    chunk.includes = ("scores",)
    for name in ("same", "changed"):
        chunk.store({"id": 77, "state_id": 5, "name": name, "scores": one["scores"]})
        assert fixture_row(chunk.conn, 77)["suspected_sections"] == "participants"


def test_a_read_with_fewer_includes_confirms_nothing(chunk: ChunkHarness, rich: FixtureJson) -> None:
    one = without({**rich, "id": 77}, "absent", "periods")
    every = chunk.usual_includes = chunk.includes
    chunk.store(one)
    chunk.includes = ("participants", "scores")
    for _ in range(5):
        chunk.store({key: one[key] for key in one if key not in ("events", "lineups", "statistics")})
    row = fixture_row(chunk.conn, 77)
    assert (row["held_reads"], row["suspected_sections"]) == (1, "periods")
    chunk.includes = every
    chunk.store(one)
    assert fixture_row(chunk.conn, 77)["held_reads"] == 2


def test_a_suspicion_stays_when_a_narrow_read_changes_something_else(chunk: ChunkHarness, rich: FixtureJson) -> None:
    one = {**rich, "id": 77, "participants": []}
    every = chunk.usual_includes = chunk.includes
    chunk.store(one)
    chunk.includes = ("scores",)
    changed = {**one, "name": "changed"}
    chunk.store(without(changed, "absent", "participants", "periods", *DETAIL))
    chunk.includes = every
    chunk.store(changed)
    row = fixture_row(chunk.conn, 77)
    assert (row["held_reads"], row["due_reason"]) == (2, "held")


def test_a_section_that_is_no_longer_requested_does_not_prolong_a_suspicion(
    chunk: ChunkHarness, rich: FixtureJson
) -> None:
    chunk.usual_includes = chunk.includes = tuple(name for name in chunk.includes if name != "periods")
    narrow = without(rich, "absent", "periods")
    chunk.store({**narrow, "events": "oops"})
    assert fixture_row(chunk.conn, rich["id"])["held_reads"] == 1
    # A flawless answer with the stored content is no repetition of the accident, but refutes it.
    chunk.store(narrow)
    row = fixture_row(chunk.conn, rich["id"])
    assert (row["held_reads"], row["held_hash"], row["suspected_sections"]) == (0, None, None)


def test_an_accident_that_stays_ends_though_a_stored_section_is_no_longer_requested(
    chunk: ChunkHarness, rich: FixtureJson
) -> None:
    chunk.usual_includes = chunk.includes = tuple(name for name in chunk.includes if name != "periods")
    held = []
    for _ in range(4):
        chunk.store(without({**rich, "events": "oops"}, "absent", "periods"))
        held.append(fixture_row(chunk.conn, rich["id"])["held_reads"])
    assert held == [1, 2, 3, 0]


def test_detail_that_is_not_requested_is_not_suspected(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one, two, *others = payloads
    chunk.store(*others)
    chunk.includes = ("participants", "scores", "periods")
    chunk.store(without(one, "absent", *DETAIL))
    row = fixture_row(chunk.conn, one["id"])
    assert (row["held_reads"], row["suspected_sections"]) == (0, None)
    chunk.includes = (*chunk.includes, "events")
    chunk.store({**without(two, "absent", "lineups", "statistics"), "events": []})
    suspect_unlike(chunk.conn, chunk.context())
    assert fixture_row(chunk.conn, two["id"])["suspected_sections"] == "events"


def test_a_match_without_detail_alone_in_its_batch_is_measured_by_its_season(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    one, *others = payloads
    chunk.store(*others)
    chunk.store(without(one, "empty", *DETAIL))
    suspect_unlike(chunk.conn, chunk.context())
    for number in (1, 2, 3):
        row = fixture_row(chunk.conn, one["id"])
        found = (row["due_reason"], row["held_reads"], row["suspected_sections"])
        assert found == ("held", number, "events, lineups, statistics")
        # The same is lacking, whatever else changes.
        chunk.store(without({**one, "result_info": f"changed {number // 2}"}, "empty", *DETAIL))
    assert fixture_row(chunk.conn, one["id"])["suspected_sections"] is None
    # Once confirmed, it is measured no more.
    chunk.store(without({**one, "result_info": "changed"}, "empty", *DETAIL))
    assert fixture_row(chunk.conn, one["id"])["held_reads"] == 0


def test_where_no_match_has_detail_none_is_suspected(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.store(*(without(payload, "empty", *DETAIL) for payload in payloads))
    assert {row["due_reason"] for row in rows_of(chunk.conn, "football.fixtures")} == {"aged"}
