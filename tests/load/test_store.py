"""One batch, one transaction: everything in the payloads is in the tables, and only what changed is written."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.db import open_connection
from sportmonks.errors import LostLease
from sportmonks.load.store import Fetched, store_batch
from tests.load.helpers import (
    Chunk,
    Payload,
    assert_stored,
    dump,
    encode,
    fixture,
    rows_of,
    shuffled,
    versions,
)


def test_every_element_of_a_season_is_in_its_table(chunk: Chunk, payloads: list[Payload]) -> None:
    stored = chunk.store(*payloads)
    assert (stored.outcomes, stored.changes, stored.problems) == ({"SAVED": len(payloads)}, 0, {})
    assert all(payload["lineups"] and payload["events"] is not None for payload in payloads)
    for payload in payloads:
        assert_stored(chunk.conn, payload)
        assert fixture(chunk.conn, payload["id"])["quality_score"] == 100


def test_the_real_fixture(warehouse: psycopg.Connection[Any], samples: Path) -> None:
    payload = msgspec.json.decode((samples / "2026_fixture_with_includes.json").read_bytes())["data"]
    chunk = Chunk(warehouse, payload["league_id"], payload["season_id"])
    chunk.index(payload)
    assert chunk.store(payload).outcomes == {"SAVED": 1}
    assert_stored(warehouse, payload)
    row = fixture(warehouse, payload["id"])
    # 1-1 after extra time; the shootout does not count. The periods tell the end.
    assert (row["home_goals"], row["away_goals"], row["quality_score"], row["state_id"]) == (1, 1, 100, 8)
    assert row["ended_at"] == max(datetime.fromtimestamp(p["ended"], UTC) for p in payload["periods"])
    before = versions(warehouse)
    assert chunk.store(shuffled(payload)).outcomes == {"UNCHANGED": 1}
    assert changed_rows(before, versions(warehouse)) == {("football.fixtures", (payload["id"],))}


def test_real_bare_rows(warehouse: psycopg.Connection[Any], samples: Path) -> None:
    rows = msgspec.json.decode((samples / "2023_football__fixtures__all.json").read_bytes())["data"]
    by_season: dict[tuple[int, int], list[Payload]] = {}
    for row in rows:
        by_season.setdefault((row["league_id"], row["season_id"]), []).append(row)
    for (league_id, season_id), some in by_season.items():
        chunk = Chunk(warehouse, league_id, season_id)
        chunk.index(*some)
        assert chunk.store(*some).outcomes == {"SAVED": len(some)}
    for row in rows:
        assert_stored(warehouse, row)


def changed_rows(before: Any, after: Any) -> set[tuple[str, Any]]:
    """(table, key) of every row that was written, came or went."""
    return {
        (table, key)
        for table in before
        for key in before[table].keys() | after[table].keys()
        if before[table].get(key) != after[table].get(key)
    }


def test_an_unchanged_day_writes_no_row_of_data(chunk: Chunk, payloads: list[Payload]) -> None:
    chunk.store(*payloads)
    before = versions(chunk.conn)
    assert chunk.store(*copy.deepcopy(payloads)).outcomes == {"UNCHANGED": len(payloads)}
    after = versions(chunk.conn)
    # The collector's bookkeeping stands with the fixture; updated_at does not move with it.
    assert {table for table, _ in changed_rows(before, after)} == {"football.fixtures"}
    assert [row[2] for row in before["football.fixtures"].values()] == [
        row[2] for row in after["football.fixtures"].values()
    ]
    assert fixture(chunk.conn, payloads[0]["id"])["unchanged_reads"] == 1


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_lists_and_keys_does_not_matter(chunk: Chunk, payloads: list[Payload], seed: int) -> None:
    chunk.store(*payloads)
    turned = [shuffled(payload, seed) for payload in payloads]
    assert turned != payloads
    assert chunk.store(*turned).outcomes == {"UNCHANGED": len(payloads)}


def test_fields_that_change_for_no_reason_do_not_count(chunk: Chunk, payloads: list[Payload]) -> None:
    chunk.store(*payloads)
    for payload in payloads:
        payload["last_processed_at"] = "2026-06-01 10:00:00"
        for team in payload["participants"]:
            team["last_played_at"] = "2026-06-01 11:11:11"
    before = versions(chunk.conn)
    assert chunk.store(*payloads).outcomes == {"UNCHANGED": len(payloads)}
    assert {table for table, _ in changed_rows(before, versions(chunk.conn))} == {"football.fixtures"}


def test_a_changed_element_moves_its_row_only(chunk: Chunk, payloads: list[Payload]) -> None:
    chunk.store(*payloads)
    before = versions(chunk.conn)
    one = payloads[3]
    event, detail = one["events"][0], one["lineups"][4]["details"][0]
    event["minute"] += 1
    detail["data"]["value"] = 99.5
    stored = chunk.store(*payloads)
    assert stored.outcomes == {"UNCHANGED": len(payloads) - 1, "SAVED": 1}
    written = {
        (table, key) for table, key in changed_rows(before, versions(chunk.conn)) if table != "football.fixtures"
    }
    assert written == {
        ("raw.fixtures", (one["id"],)),
        ("football.fixture_events", (one["id"], event["id"])),
        ("football.fixture_player_statistics", (one["id"], detail["id"])),
    }
    assert_stored(chunk.conn, one)


def test_a_removed_element_goes(chunk: Chunk, payloads: list[Payload]) -> None:
    one = payloads[0]
    chunk.store(one)
    for section in ("events", "statistics", "scores"):
        one[section].pop()
    one["lineups"].pop()
    one["lineups"][0]["details"].pop()
    assert chunk.store(one).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, one)


def test_an_added_element_comes(chunk: Chunk, payloads: list[Payload]) -> None:
    one = payloads[0]
    full = copy.deepcopy(one)
    last = one["events"].pop()
    chunk.store(one)
    assert chunk.store(full).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, full)
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["section"], change["field"], change["before"], change["after"]) == (
        "events",
        str(last["id"]),
        None,
        last,
    )


@pytest.mark.parametrize("section", ["participants", "scores", "events", "lineups", "statistics", "periods"])
@pytest.mark.parametrize("how", ["absent", "null"])
def test_a_section_that_was_not_sent_keeps_its_rows(
    chunk: Chunk, payloads: list[Payload], section: str, how: str
) -> None:
    one = payloads[0]
    chunk.store(one)
    smaller = {**one, "name": "Another name"}
    if how == "absent":
        del smaller[section]
    else:
        smaller[section] = None
    assert chunk.store(smaller).outcomes == {"SAVED": 1}
    row = fixture(chunk.conn, one["id"])
    assert row["name"] == "Another name"
    (raw,) = rows_of(chunk.conn, "raw.fixtures", "fixture_id = %s", one["id"])
    assert raw["payload"] == {**one, "name": "Another name"}
    assert [row["section"] for row in rows_of(chunk.conn, "etl.fixture_changes")] == ["fixture"]
    assert_stored(chunk.conn, raw["payload"])
    for table in (
        "fixture_participants",
        "fixture_scores",
        "fixture_events",
        "fixture_lineups",
        "fixture_player_statistics",
    ):
        assert rows_of(chunk.conn, f"football.{table}", "fixture_id = %s", one["id"])
    assert row["home_team_id"]
    assert row["home_goals"] is not None


def test_lineups_without_details_keep_the_details(chunk: Chunk, payloads: list[Payload]) -> None:
    one = payloads[0]
    chunk.store(one)
    count = len(rows_of(chunk.conn, "football.fixture_player_statistics"))
    for row in one["lineups"]:
        del row["details"]
    chunk.store(one)
    assert len(rows_of(chunk.conn, "football.fixture_player_statistics")) == count > 0


# ---- odd values


def odd_empty_strings(one: Payload) -> None:
    one.update(venue_id="", round_id="", length="", aggregate_id="")
    one["events"][0].update(player_id="", minute="", injured="")
    one["lineups"][0].update(jersey_number="", position_id="")
    one["scores"][0]["score"]["goals"] = ""
    one["periods"][0].update(started="", time_added="")


def odd_numbers_as_strings(one: Payload) -> None:
    one.update(venue_id=str(one["venue_id"]), state_id=str(one["state_id"]), length="90")
    one["events"][0]["minute"] = str(one["events"][0]["minute"])


def odd_floats(one: Payload) -> None:
    one.update(length=90.0, venue_id=12.5)
    one["events"][0].update(minute=7.0, sort_order=1.5)


def odd_booleans(one: Payload) -> None:
    one.update(placeholder="yes", has_odds=1, length=True)
    one["events"][0].update(injured="true", on_bench="?", player_id=False)


def odd_huge_numbers(one: Payload) -> None:
    one.update(length=10**12, venue_id=10**30)
    one["events"][0]["minute"] = 2**40
    one["periods"][0].update(started=10**17, ended=10**17)
    one["lineups"][0]["details"][0]["data"]["value"] = 10**25


def odd_milliseconds(one: Payload) -> None:
    one["periods"][0].update(started=1_700_000_000_000, ended=1_700_000_000_000)


def odd_nulls(one: Payload) -> None:
    one.update(dict.fromkeys(("name", "starting_at", "starting_at_timestamp", "state_id", "placeholder", "leg")))
    one["participants"][0]["meta"] = None
    one["scores"][0]["score"] = None
    one["lineups"][0]["details"][0]["data"] = None


def odd_kinds(one: Payload) -> None:
    one.update(name={"en": "x"}, leg=["1/1"], venue_id={"id": 1}, details={"a": 1})
    one["participants"][0]["meta"] = "home"
    one["scores"][0]["score"] = [1]
    one["statistics"][0]["data"] = 7
    one["lineups"][1]["details"] = {"oops": 1}
    one["events"].append("an event")
    one["events"].append(None)
    one["lineups"].append(5)


def odd_sections(one: Payload) -> None:
    one.update(events={"data": []}, statistics="none", periods=7)


def odd_ids(one: Payload) -> None:
    one["events"][0]["id"] = None
    one["events"][1].pop("id")
    one["events"][2]["id"] = ""
    one["participants"].append({"name": "nobody"})


def odd_times(one: Payload) -> None:
    one["starting_at"] = "2026-13-45 99:00:00"


def odd_no_time(one: Payload) -> None:
    one["starting_at"] = 1780156800


def odd_nul(one: Payload) -> None:
    one["name"] = "A\x00B"
    one["events"][0]["player_name"] = "\x00"
    one["unknown\x00key"] = "\x00"


def odd_text(one: Payload) -> None:
    one["name"] = "Ünïcödé — 日本語 🏟 \\u0000 \t \x1f \U0010ffff"


def odd_repeats(one: Payload) -> None:
    one["events"].append(copy.deepcopy(one["events"][0]))
    one["lineups"].append(copy.deepcopy(one["lineups"][0]))
    one["participants"].append(copy.deepcopy(one["participants"][0]))


def odd_unknown(one: Payload) -> None:
    one.update(metadata={"deep": [{"er": [[[]]]}]}, events_extra=[1, None], xgfixture=[{"id": 1}])
    one["events"][0]["details"] = [{"x": 1}]


ODD = [value for name, value in sorted(globals().items()) if name.startswith("odd_")]


@pytest.mark.parametrize("spoil", ODD, ids=lambda odd: odd.__name__[4:])
def test_an_odd_fixture_costs_neither_itself_nor_its_batch(chunk: Chunk, payloads: list[Payload], spoil: Any) -> None:
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
    row = fixture(chunk.conn, odd["id"])
    assert (row["collection_status"], row["league_id"]) == ("COLLECTED", clean["league_id"])
    # What was not spoilt is all there.
    for section in ("events", "lineups", "scores", "statistics"):
        if isinstance(odd[section], list):
            count = len(rows_of(chunk.conn, f"football.fixture_{section}", "fixture_id = %s", odd["id"]))
            assert count == len(clean[section]), section
    assert chunk.store(shuffled(odd), *others).outcomes == {"UNCHANGED": len(payloads)}


def test_values_that_can_be_understood_are_understood(chunk: Chunk, payloads: list[Payload]) -> None:
    one = copy.deepcopy(payloads[0])
    odd_numbers_as_strings(one)
    odd_floats(one)
    one["scores"][0]["score"]["goals"] = "3"
    chunk.store(one)
    row = fixture(chunk.conn, one["id"])
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
def test_values_of_statistics(chunk: Chunk, payloads: list[Payload], value: Any, number: Any, text: Any) -> None:
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
    "not UTF-8": b'{"id": 1, "name": "\xff\xfe"}',
    "number beyond any type": b'{"id": 1, "length": 1e999999}',
    "half a character": b'{"id": 1, "name": "\\ud800"}',
    "very deep": b'{"id": 1, "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "very deep section": b'{"id": 1, "events": ' + b'[{"a":' * 3000 + b"1" + b"}]" * 3000 + b"}",
}


@pytest.mark.parametrize("name", NOT_FIXTURES)
def test_what_is_no_fixture_is_recorded_and_the_batch_is_saved(
    chunk: Chunk, payloads: list[Payload], name: str
) -> None:
    first, others = payloads[0], payloads[1:]
    body = NOT_FIXTURES[name].replace(b'"id": 1', b'"id": %d' % first["id"])
    stored = chunk.store((first["id"], body), *others)
    assert stored.outcomes == {"FAILED": 1, "SAVED": len(others)}
    assert stored.problems.keys() == {first["id"]}
    row = fixture(chunk.conn, first["id"])
    assert (row["collection_status"], row["failed_reads"], row["due_reason"]) == ("FAILED", 1, "failed")
    assert row["last_error"]
    for other in others:
        assert_stored(chunk.conn, other)
    # It heals as soon as the provider sends it well.
    assert chunk.store(first).outcomes == {"SAVED": 1}
    assert_stored(chunk.conn, first)
    assert fixture(chunk.conn, first["id"])["failed_reads"] == 0


# ---- poisoned, missing, deleted


def test_poisoned_and_missing_are_recorded_the_others_saved(chunk: Chunk, payloads: list[Payload]) -> None:
    bad, gone, *good = payloads
    chunk.plan(*(row["id"] for row in payloads))
    stored = chunk.store(*good, poisoned={bad["id"]: "HTTP 500 for this fixture alone"}, missing=(gone["id"],))
    assert stored.outcomes == {"SAVED": len(good), "FAILED": 1, "MISSING": 1}
    first, second = fixture(chunk.conn, bad["id"]), fixture(chunk.conn, gone["id"])
    assert (first["collection_status"], first["last_error"]) == ("FAILED", "HTTP 500 for this fixture alone")
    assert (second["collection_status"], second["missing_reads"]) == ("MISSING", 1)
    assert second["next_due_at"] == chunk.now + timedelta(hours=1)
    plan = {row["fixture_id"]: row for row in rows_of(chunk.conn, "etl.execution_fixtures")}
    assert (plan[bad["id"]]["status"], plan[gone["id"]]["status"]) == ("FAILED", "MISSING")
    assert {plan[row["id"]]["status"] for row in good} == {"SAVED"}


def test_a_collected_fixture_survives_failures_and_absences(chunk: Chunk, payloads: list[Payload]) -> None:
    one = payloads[0]
    chunk.store(one)
    for number in (1, 2, 3):
        chunk.store(missing=(one["id"],))
        row = fixture(chunk.conn, one["id"])
        assert (row["collection_status"], row["missing_reads"]) == ("COLLECTED", number)
    chunk.store(poisoned={one["id"]: "500"})
    assert_stored(chunk.conn, one)


def test_a_payload_in_state_deleted_becomes_a_tombstone_and_can_rise_again(
    chunk: Chunk, payloads: list[Payload]
) -> None:
    one = payloads[0]
    chunk.store(one)
    chunk.store({**one, "state_id": 20})
    row = fixture(chunk.conn, one["id"])
    assert (row["collection_status"], row["deleted_at"], row["next_due_at"]) == ("DELETED", chunk.now, None)
    assert rows_of(chunk.conn, "football.fixture_events", "fixture_id = %s", one["id"])
    chunk.store(one)
    row = fixture(chunk.conn, one["id"])
    assert (row["collection_status"], row["deleted_at"]) == ("COLLECTED", None)
    assert row["next_due_at"]


@pytest.mark.parametrize("how", ["bare", "emptied", "null"])
def test_a_tombstone_keeps_what_was_known_whatever_comes_with_it(
    chunk: Chunk, payloads: list[Payload], how: str
) -> None:
    one = payloads[0]
    chunk.store(one)
    value = [] if how == "emptied" else None
    answer = {key: value if isinstance(each, list) else each for key, each in one.items()}
    if how == "bare":
        answer = {key: each for key, each in one.items() if not isinstance(each, list)}
    before = versions(chunk.conn)
    assert chunk.store({**answer, "state_id": 20}).outcomes == {"SAVED": 1}
    assert fixture(chunk.conn, one["id"])["collection_status"] == "DELETED"
    (raw,) = rows_of(chunk.conn, "raw.fixtures")
    assert raw["payload"] == {**one, "state_id": 20}
    written = changed_rows(before, versions(chunk.conn))
    assert {table for table, _ in written} == {"raw.fixtures", "football.fixtures"}
    (change,) = rows_of(chunk.conn, "etl.fixture_changes")
    assert (change["field"], change["before"], change["after"]) == ("state_id", one["state_id"], 20)


# ---- the plan's marks, the lease, order and company


def test_a_batch_stored_twice_counts_once(chunk: Chunk, payloads: list[Payload]) -> None:
    chunk.plan(*(row["id"] for row in payloads))
    chunk.store(*payloads)
    chunk.store(*payloads)
    chunk.conn.execute("SELECT etl.recount_chunk('etl_test', %s, %s)", (chunk.league_id, chunk.season_id))
    (row,) = rows_of(chunk.conn, "etl.execution_chunks")
    assert (row["planned"], row["processed"], row["failed"]) == (len(payloads), len(payloads), 0)


def test_without_the_lease_nothing_is_written(chunk: Chunk, payloads: list[Payload]) -> None:
    before = dump(chunk.conn)
    chunk.conn.execute("UPDATE etl.chunks SET fence = fence + 1")
    with pytest.raises(LostLease, match="taken over by another task"):
        chunk.store(*payloads)
    assert dump(chunk.conn) == before
    chunk.conn.execute("DELETE FROM etl.chunks")
    with pytest.raises(LostLease):
        chunk.store(*payloads)


def test_a_batch_that_breaks_leaves_nothing_behind(
    chunk: Chunk, payloads: list[Payload], monkeypatch: pytest.MonkeyPatch
) -> None:
    from sportmonks.load import store

    before = dump(chunk.conn)

    def broken(name: str) -> str:
        return "SELECT 1/0" if name == "load/progress" else original(name)

    original = vars(store)["sql"]
    monkeypatch.setattr(store, "sql", broken)
    with pytest.raises(psycopg.errors.DivisionByZero):
        chunk.store(*payloads)
    assert dump(chunk.conn) == before


def versions_of(payloads: list[Payload]) -> list[list[Payload]]:
    """Three batches that overlap in teams, each fixture once."""
    return [payloads[0::3], payloads[1::3], payloads[2::3]]


def test_the_order_of_batches_does_not_matter(
    chunk: Chunk, payloads: list[Payload], warehouse: psycopg.Connection[Any]
) -> None:
    # One team has two spellings in the same season: the later batch must not decide.
    batches, ends = versions_of(payloads), []
    for order in ((0, 1, 2), (2, 0, 1), (1, 2, 0)):
        warehouse.execute(
            "TRUNCATE raw.fixtures, football.fixtures, football.teams, football.fixture_participants,"
            " football.fixture_scores, football.fixture_events, football.fixture_lineups,"
            " football.fixture_player_statistics, football.fixture_statistics, football.fixture_periods"
        )
        chunk.index(*payloads)
        for place in order:
            chunk.store(*batches[place])
        ends.append(dump(warehouse))
    assert ends[0] == ends[1] == ends[2]


def test_two_writers_at_once(chunk: Chunk, payloads: list[Payload], warehouse_dsn: str) -> None:
    """Overlapping batches from two connections: no deadlock, nothing lost, nothing twice."""
    work: list[Fetched] = [chunk.fetched(*payloads[at : at + 5]) for at in range(0, len(payloads), 2)] * 2

    def write(mine: list[Fetched]) -> int:
        with open_connection(warehouse_dsn, autocommit=True) as conn:
            return sum(store_batch(conn, fetched, chunk.context()).processed for fetched in mine)

    with ThreadPoolExecutor(2) as pool:
        done = sum(pool.map(write, (work, work[::-1])))
    assert done == 2 * sum(len(fetched.asked) for fetched in work)
    for payload in payloads:
        assert_stored(chunk.conn, payload)
    assert rows_of(chunk.conn, "etl.fixture_changes") == []
