"""Rows that the client reads and rows that PostgreSQL takes out of the JSON: the same rows, whatever the payload."""

from __future__ import annotations

import copy
import os
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sportmonks.config.catalog import GuardSettings
from sportmonks.load.rows import read_rows
from sportmonks.load.summary import PayloadSummary, summarize, summarize_typed
from tests.harness.load import (
    INCLUDES,
    NOW,
    TABLES,
    ChunkHarness,
    FixtureJson,
    drop_incoming,
    encode,
    fixture_row,
    rows_of,
)
from tests.harness.mutations import Mutation, mutate, mutations

EXAMPLES = int(os.environ.get("FUZZ", "100")) // 10
BOOKS = ("etl.fixture_changes", "etl.execution_fixtures", "etl.execution_chunks", "etl.etl_executions")
FIXTURES = 6
# Of the sections' temporary tables, the one that every batch on the way through them creates.
THROUGH_TEMPORARY_TABLES = "incoming"

# Values of the right types, and absent ones: with them a payload stays one that the client reads.
ORDINARY = ("null", "negative", "zero", "fraction", "empty text", "text", "delete", "reverse", "true")
ordinary = st.lists(st.builds(Mutation, st.integers(0, 10**6), st.sampled_from(ORDINARY)), min_size=1, max_size=4)
any_change = st.one_of(ordinary, ordinary, mutations)
changes = st.lists(any_change, min_size=FIXTURES, max_size=FIXTURES)
sections = st.sets(st.sampled_from([include.partition(".")[0] for include in INCLUDES]), max_size=3)


@pytest.fixture
def small(payloads: list[FixtureJson]) -> list[FixtureJson]:
    """Played matches with few rows a section."""
    for payload in payloads:
        for section in ("events", "lineups", "statistics"):
            payload[section] = payload[section][:3]
        for row in payload["lineups"]:
            row["details"] = row["details"][:3]
    return payloads[:FIXTURES]


# The figures of players that are stored, and those that the stored statistics give, without times.
FIGURES = """
WITH stored AS (SELECT to_jsonb(t) - 'created_at' - 'updated_at' AS row FROM football.fixture_player_figures t),
     computed AS (SELECT to_jsonb(t) - 'created_at' - 'updated_at' AS row
                  FROM etl.player_figures(ARRAY(SELECT id FROM football.fixtures), now()) t)
SELECT (SELECT count(*) FROM stored), row FROM (TABLE stored EXCEPT TABLE computed) AS more
UNION ALL SELECT (SELECT count(*) FROM computed), row FROM (TABLE computed EXCEPT TABLE stored) AS less
"""


def everything(chunk: ChunkHarness) -> dict[str, list[str]]:
    """Every row of data and books, with all of its columns but the numbers that a sequence gives."""
    assert chunk.conn.execute(FIGURES).fetchall() == []
    tables = {table: rows_of(chunk.conn, table) for table in (*TABLES, *BOOKS)}
    return {
        table: sorted(str({key: value for key, value in row.items() if key != "change_id"}) for row in rows)
        for table, rows in tables.items()
    }


def stored(chunk: ChunkHarness, reads: list[list[tuple[int, bytes]]], left_out: set[str], typed: bool) -> Any:
    """Outcomes and all rows after these reads, the last without some sections; nothing of it stays."""
    start, chunk.typed = chunk.now, typed
    try:
        with chunk.conn.transaction(force_rollback=True):
            chunk.plan(*(key for key, _ in reads[0]))
            outcomes = []
            for number, rows in enumerate(reads, start=1):
                less = left_out if number == len(reads) else set()
                chunk.includes = tuple(each for each in INCLUDES if each.partition(".")[0] not in less)
                outcomes.append(chunk.store(*rows))
                drop_incoming(chunk.conn)
            return [(each.outcomes, each.problems, each.changes) for each in outcomes], everything(chunk)
    finally:
        chunk.now, chunk.typed, chunk.includes = start, True, INCLUDES
        chunk.batches = 0


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="FUZZ" not in os.environ,
    database=None,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large),
)
@given(first=changes, second=changes, left_out=sections)
def test_both_ways_store_the_same(
    chunk: ChunkHarness,
    small: list[FixtureJson],
    first: list[list[Mutation]],
    second: list[list[Mutation]],
    left_out: set[str],
) -> None:
    before = [(payload["id"], mutate(payload, each)) for payload, each in zip(small, first, strict=True)]
    less = [{key: value for key, value in payload.items() if key not in left_out} for payload in small]
    after = [(payload["id"], mutate(payload, each)) for payload, each in zip(less, second, strict=True)]
    by_client = stored(chunk, [before, after], left_out, typed=True)
    assert by_client == stored(chunk, [before, after], left_out, typed=False)


def summary_or_none(summary_of: Callable[[], PayloadSummary]) -> PayloadSummary | None:
    try:
        return summary_of()
    except msgspec.ValidationError:
        return None


@settings(
    max_examples=EXAMPLES * 5,
    deadline=None,
    derandomize="FUZZ" not in os.environ,
    database=None,
    suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large),
)
@given(each=any_change)
def test_both_ways_summarize_the_same(small: list[FixtureJson], each: list[Mutation]) -> None:
    for payload in small:
        raw = mutate(payload, each)
        rows = read_rows(raw)
        assert read_rows(encode(payload)) is not None
        if rows is not None:
            typed = summary_or_none(partial(summarize_typed, rows.fixture))
            assert typed == summary_or_none(partial(summarize, raw))


def test_ordinary_payloads_go_straight_into_their_tables(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    with chunk.conn.transaction(force_rollback=True):
        chunk.store(*payloads[1:])
        assert not drop_incoming(chunk.conn)
        # What is stored already is compared with it row by row.
        chunk.store({**payloads[0], "name": "new"}, {**payloads[1], "name": "another"})
        assert THROUGH_TEMPORARY_TABLES in drop_incoming(chunk.conn)
    by_client = stored(chunk, [[(each["id"], encode(each)) for each in payloads]], set(), typed=True)
    assert by_client == stored(chunk, [[(each["id"], encode(each)) for each in payloads]], set(), typed=False)


def statistics_of(payload: FixtureJson, *values: tuple[int, int, bytes, int | None]) -> bytes:
    """The payload with these statistics of its first players: place of the lineup, type, value (JSON), and the place of
    the lineup that the statistic names."""
    lineups = payload["lineups"]
    for number, lineup in enumerate(lineups):
        lineup["details"] = [
            {
                "id": 100 * number + place,
                "type_id": type_id,
                "data": {"value": f"here {value.decode()}"},
                **({} if names is None else {"lineup_id": lineups[names]["id"]}),
            }
            for place, (whose, type_id, value, names) in enumerate(values)
            if whose == number
        ]
    placeholder = rb'"here ((?:\\"|[^"])*)"'
    return re.sub(placeholder, lambda found: found[1].replace(rb"\"", b'"'), encode(payload))


@pytest.mark.parametrize("typed", [True, False])
def test_figures_of_players_are_their_statistics_in_columns(
    chunk: ChunkHarness, payloads: list[FixtureJson], typed: bool
) -> None:
    one, another = payloads[:2]
    chunk.typed, chunk.guard = typed, GuardSettings(min_rows=1000)  # what lacks rows is believed
    first = statistics_of(
        one,
        (0, 52, b"2", None),
        (0, 52, b"3", None),  # a type twice: the larger number
        (0, 118, b"7.25", None),
        (0, 40, b"true", None),
        (1, 119, b'"90"', None),  # a text is no number
        (1, 86, b"null", None),
        (2, 42, b"4", None),
        (3, 42, b"5", 2),  # of another lineup than the one that it stands in
        (4, 99999, b"1", None),  # a type without a column
    )
    assert read_rows(first) is not None
    chunk.store((one["id"], first), another)

    def figures() -> dict[int, dict[str, Any]]:
        assert chunk.conn.execute(FIGURES).fetchall() == []
        rows = rows_of(chunk.conn, "football.fixture_player_figures", "fixture_id = %s", one["id"])
        return {row["lineup_id"]: row for row in rows}

    ids = [lineup["id"] for lineup in one["lineups"]]
    found = figures()
    assert found.keys() == {ids[0], ids[1], ids[2], ids[4]}
    given = {
        key: {name: float(value) for name, value in row.items() if isinstance(value, Decimal)}
        for key, row in found.items()
    }
    assert given == {ids[0]: {"goals": 3, "rating": 7.25, "captain": 1}, ids[1]: {}, ids[2]: {"shots": 5}, ids[4]: {}}
    # A correction of one player, and another who has no statistics any more: only these rows are others.
    chunk.store((one["id"], statistics_of(one, (0, 52, b"2", None), (2, 42, b"5", None), (4, 99999, b"1", None))))
    after = figures()
    assert after.keys() == {ids[0], ids[2], ids[4]}
    assert (after[ids[0]]["goals"], after[ids[0]]["rating"]) == (2, None)
    assert after[ids[0]]["updated_at"] > after[ids[0]]["created_at"] == found[ids[0]]["created_at"]
    assert after[ids[2]] == found[ids[2]]


def test_figures_of_players_that_were_emptied_are_made_again(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    chunk.store(*payloads)
    before = rows_of(chunk.conn, "football.fixture_player_figures")
    chunk.conn.execute("DELETE FROM football.fixture_player_figures WHERE fixture_id > %s", (payloads[0]["id"],))
    restore = "SELECT etl.restore_player_figures(%s, %s)"
    lacking = len({row["fixture_id"] for row in before} - {payloads[0]["id"]})
    assert chunk.conn.execute(restore, (chunk.league_id, NOW)).fetchone() == (lacking,)
    after = rows_of(chunk.conn, "football.fixture_player_figures")
    assert chunk.conn.execute(FIGURES).fetchall() == []
    assert len(after) == len(before) > 100
    assert chunk.conn.execute(restore, (chunk.league_id, NOW)).fetchone() == (0,)


def test_figures_that_a_task_of_the_version_before_has_left_old_are_made_anew(
    chunk: ChunkHarness, payloads: list[FixtureJson]
) -> None:
    """It has stored statistics after the migration, and knew of no figures."""
    chunk.store(*payloads)
    before = rows_of(chunk.conn, "football.fixture_player_figures")
    chunk.conn.execute("UPDATE football.fixture_player_figures SET goals = 9, updated_at = %s", (NOW - timedelta(1),))
    restore = "SELECT etl.restore_player_figures(%s, %s)"
    assert chunk.conn.execute(restore, (chunk.league_id, NOW)).fetchone() == (0,)  # a new warehouse has none
    chunk.conn.execute("UPDATE raw.fixtures SET updated_at = %s", (NOW,))
    chunk.conn.execute(
        "UPDATE etl.schema_migrations SET applied_at = CASE name WHEN '0116_player_figures' THEN %s::timestamptz"
        " - interval '5 minutes' ELSE %s::timestamptz - interval '9 days' END",
        (NOW, NOW),
    )
    restored = chunk.conn.execute(restore, (chunk.league_id, NOW)).fetchone()
    assert restored == (len({row["fixture_id"] for row in before}),)
    assert chunk.conn.execute(FIGURES).fetchall() == []
    assert chunk.conn.execute(restore, (chunk.league_id, NOW + timedelta(hours=1))).fetchone() == (0,)


def test_rows_without_a_payload_are_met(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    """Someone has deleted the payload and left the rows: these are updated, and do not fail the batch."""
    chunk.store(payloads[0])
    chunk.conn.execute("DELETE FROM raw.fixtures")
    payloads[0]["events"][0]["minute"] = 77
    assert chunk.store(payloads[0]).outcomes == {"SAVED": 1}
    event = payloads[0]["events"][0]
    (row,) = rows_of(
        chunk.conn, "football.fixture_events", "fixture_id = %s AND id = %s", payloads[0]["id"], event["id"]
    )
    assert row["minute"] == 77


def test_a_fixture_that_no_index_has_listed(chunk: ChunkHarness, payloads: list[FixtureJson]) -> None:
    one = payloads[0]
    chunk.conn.execute("DELETE FROM football.fixtures WHERE id = %s", (one["id"],))
    chunk.store(one)
    row = fixture_row(chunk.conn, one["id"])
    assert (row["name"], row["collection_status"], row["updated_at"]) == (one["name"], "COLLECTED", chunk.now)


def with_value(payload: FixtureJson, section: str, key: str, value: Any) -> bytes:
    changed = copy.deepcopy(payload)
    changed[section][0][key] = value
    return encode(changed)


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(lambda one: with_value(one, "events", "minute", "17"), id="a number as text"),
        pytest.param(lambda one: with_value(one, "events", "id", None), id="no id"),
        pytest.param(lambda one: with_value(one, "events", "id", one["events"][1]["id"]), id="an id twice"),
        pytest.param(lambda one: with_value(one, "statistics", "data", {"value": {"total": 1}}), id="an object"),
        pytest.param(lambda one: with_value(one, "scores", "score", [1]), id="a list for an object"),
        pytest.param(lambda one: with_value(one, "participants", "meta", {"position": 2**31}), id="too many digits"),
        pytest.param(lambda one: with_value(one, "periods", "ended", -1), id="a time before 1970"),
        pytest.param(lambda one: with_value(one, "events", "minute", 2**31), id="beyond its type"),
        pytest.param(lambda one: encode({**one, "starting_at": "2026-03-28T20:45:00Z"}), id="another form of time"),
        pytest.param(lambda one: encode({**one, "starting_at": "2026-02-30 20:45:00"}), id="no time"),
        pytest.param(lambda one: encode({**one, "events": {"0": {"id": 1}}}), id="a list as an object"),
    ],
)
def test_what_the_client_leaves_to_postgresql(chunk: ChunkHarness, payloads: list[FixtureJson], payload: Any) -> None:
    one = max(payloads, key=lambda each: len(each["events"]))
    odd = payload(one)
    assert read_rows(encode(one)) is not None
    assert read_rows(odd) is None
    neighbour = [(each["id"], encode(each)) for each in payloads if each is not one][:1]
    reads = [[(one["id"], odd), *neighbour], [(one["id"], encode(one)), *neighbour], [(one["id"], odd), *neighbour]]
    assert stored(chunk, reads, set(), typed=True) == stored(chunk, reads, set(), typed=False)


@pytest.mark.parametrize(
    "value",
    [
        b"1.50",
        b"1e2",
        b"-0.0",
        b"-0",
        b"0.000",
        b"123456789012345678901234567890",
        b"true",
        b"false",
        b'"12.50"',
        b'""',
        b"null",
        b"1E-30",
        b"0.1234567890123456789012345678901",
    ],
)
def test_numbers_keep_their_digits(chunk: ChunkHarness, small: list[FixtureJson], value: bytes) -> None:
    one = small[0]
    one["statistics"][0]["data"]["value"] = one["lineups"][0]["details"][0]["data"]["value"] = "here"
    reads = [[(one["id"], encode(one).replace(b'"here"', value))]]
    assert stored(chunk, reads, set(), typed=True) == stored(chunk, reads, set(), typed=False)
