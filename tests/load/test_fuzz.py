"""Mutated payloads, indexes and lists: the neighbours are stored, the reason names the row, only typed errors come out.

``FUZZ=20000 pytest -s tests/load/test_fuzz.py`` is the long run; its figures are in docs/operations/fault-suite.md.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sportmonks.api.endpoints import identified
from sportmonks.api.response import ApiResponse, MalformedResponseError, read_envelope, read_response, row_id
from sportmonks.load.batch import BatchResult
from sportmonks.load.index import store_index
from sportmonks.reference.store import store_list
from tests.harness.load import NOW, ChunkHarness, FixtureJson, drop_incoming, encode, fixture_row, rows_of
from tests.harness.mutations import Mutation, mutate, mutations

# Mutated payloads over all tests of this module: 40 of 100 are first reads, 40 second reads, the others rows of lists.
PAYLOADS = int(os.environ.get("FUZZ", "200"))
# What became of the mutated payloads, printed at the end of the long run.
FIGURES: Counter[str] = Counter()
pytestmark = pytest.mark.timeout(0 if "FUZZ" in os.environ else 120)
# So many mutated payloads are in one batch, beside two good ones.
ODD = 8
SECTIONS = ("participants", "scores", "events", "lineups", "statistics", "periods")
FIELDS = ("id", "league_id", "season_id", "stage_id", "round_id", "venue_id", "state_id", "name", "starting_at")


def fuzzed(share: float, rows: int) -> Any:
    """As many examples as it takes for this share of the payloads. Without FUZZ they are always the same."""
    return settings(
        max_examples=max(4, int(PAYLOADS * share / rows)),
        deadline=None,
        derandomize="FUZZ" not in os.environ,
        database=None,
        suppress_health_check=(HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large),
    )


@pytest.fixture(scope="module", autouse=True)
def figures() -> Iterator[None]:
    yield
    if "FUZZ" in os.environ:
        sys.stdout.write(f"\n{dict(FIGURES)}\n")


@pytest.fixture
def small(payloads: list[FixtureJson]) -> list[FixtureJson]:
    """Played matches with few rows a section, so that a thousand of them take seconds."""
    for payload in payloads:
        for section in ("events", "lineups", "statistics"):
            payload[section] = payload[section][:3]
        for row in payload["lineups"]:
            row["details"] = row["details"][:2]
    return payloads[: ODD + 2]


@pytest.fixture
def read(chunk: ChunkHarness, small: list[FixtureJson]) -> ChunkHarness:
    """The chunk with all of its fixtures stored."""
    chunk.store(*small)
    return chunk


def counts(conn: psycopg.Connection[Any], fixture_id: int) -> dict[str, int]:
    names = (*SECTIONS, "player_statistics")
    return {name: len(rows_of(conn, f"football.fixture_{name}", "fixture_id = %s", fixture_id)) for name in names}


def expected_counts(payload: FixtureJson) -> dict[str, int]:
    details = sum(len(row["details"]) for row in payload["lineups"])
    return {**{name: len(payload[name]) for name in SECTIONS}, "player_statistics": details}


changes = st.lists(mutations, min_size=ODD, max_size=ODD)


@fuzzed(0.4, ODD)
@given(changes=changes)
def test_mutated_first_reads(chunk: ChunkHarness, small: list[FixtureJson], changes: list[list[Mutation]]) -> None:
    with chunk.conn.transaction(force_rollback=True):
        _store(chunk, small, changes)


@fuzzed(0.4, ODD)
@given(changes=changes)
def test_mutated_second_reads(read: ChunkHarness, small: list[FixtureJson], changes: list[list[Mutation]]) -> None:
    with read.conn.transaction(force_rollback=True):
        others = [{**payload, "length": 91} for payload in small[ODD:]]
        stored = _store(read, [*small[:ODD], *others], changes)
        for odd in small[:ODD]:
            row = fixture_row(read.conn, odd["id"])
            assert row["collection_status"] in ("COLLECTED", "DELETED")
            if row["failed_reads"]:
                assert counts(read.conn, odd["id"]) == expected_counts(odd)
        assert stored.outcomes.get("MISSING", 0) == 0
        # As soon as they come well, everything is as it should be.
        drop_incoming(read.conn)
        assert read.store(*small).outcomes.keys() <= {"SAVED", "UNCHANGED", "HELD"}


@pytest.fixture(autouse=True)
def nothing_unexpected(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A form that the package does not know fails its fixture alone, but has to become known."""
    yield
    assert [record for record in caplog.records if record.exc_info and "form" in record.message] == []


def _store(chunk: ChunkHarness, payloads: list[FixtureJson], changes: list[list[Mutation]]) -> BatchResult:
    odd, others = payloads[:ODD], payloads[ODD:]
    rows = [(payload["id"], mutate(payload, each)) for payload, each in zip(odd, changes, strict=True)]
    stored = chunk.store(*rows, *others)
    FIGURES["mutated payloads"] += ODD
    FIGURES["reported with a reason"] += len(stored.problems)
    FIGURES["failed alone"] += stored.outcomes.get("FAILED", 0)
    # Nothing that a table cannot hold counts as a row that the table has lost: it would be read again for ever.
    assert chunk.conn.execute("SELECT * FROM etl.forget_lost(%s)", (chunk.league_id,)).fetchall() == []
    assert sum(stored.outcomes.values()) == len(payloads)
    assert stored.problems.keys() <= {payload["id"] for payload in odd}
    for payload in odd:
        if fixture_row(chunk.conn, payload["id"])["failed_reads"]:
            assert stored.problems[payload["id"]]
    for payload in others:
        row = fixture_row(chunk.conn, payload["id"])
        assert (row["collection_status"], row["length"]) == ("COLLECTED", payload["length"])
        assert counts(chunk.conn, payload["id"]) == expected_counts(payload)
    return stored


def _answer(rows: list[bytes]) -> ApiResponse | None:
    """The answer with these rows; None when it is damaged altogether, so that it is requested again."""
    body = b'{"data":[' + b",".join(rows) + b'],"rate_limit":{"remaining":7}}'
    try:
        return read_response(read_envelope(body, {}), status=200, size=len(body))
    except MalformedResponseError:
        return None


@fuzzed(0.1, 1)
@given(change=mutations)
def test_mutated_rows_of_an_index(chunk: ChunkHarness, small: list[FixtureJson], change: list[Mutation]) -> None:
    rows = [{name: payload[name] for name in FIELDS} | {"id": key} for key, payload in enumerate(small[:3], start=1)]
    FIGURES["mutated rows of indexes"] += 1
    answer = _answer([encode(rows[0]), mutate(rows[1], change), encode(rows[2])])
    if answer is None:
        assert any(each.what == "truncate" for each in change)
        return
    assert [row_id(row) for row in answer.rows()] == [1, 2, 3]
    with chunk.conn.transaction(force_rollback=True):
        league, season = (chunk.league_id, "League"), (chunk.season_id, "Season")
        pages: list[list[Mapping[str, Any]]] = [[*identified(answer, "index")]]
        found = store_index(chunk.conn, league=league, season=season, pages=pages, now=NOW)
        assert found.new + found.skipped >= 2
        stored = {row["id"]: row["name"] for row in rows_of(chunk.conn, "football.fixtures", "id IN (1, 3)")}
        assert stored == {1: rows[0]["name"], 3: rows[2]["name"]}


@pytest.mark.parametrize("name", ["teams", "leagues", "rounds"])
@fuzzed(0.1 / 3, 1)
@given(change=mutations)
def test_mutated_rows_of_a_list(warehouse: psycopg.Connection[Any], name: str, change: list[Mutation]) -> None:
    row = {"name": "A", "country_id": 1, "type": "x", "founded": 1900, "placeholder": False, "image_path": "y",
           "season_id": 1, "starting_at": "2026-01-01", "finished": True, "active": True, "category": 1}  # fmt: skip
    FIGURES["mutated rows of lists"] += 1
    answer = _answer([encode({"id": 1, **row}), mutate({"id": 2, **row}, change), encode({"id": 3, **row})])
    if answer is None:
        assert any(each.what == "truncate" for each in change)
        return
    with warehouse.transaction(force_rollback=True):
        store_list(warehouse, name, identified(answer, name), NOW)
        found = {row["id"]: row["name"] for row in rows_of(warehouse, f"football.{name}")}
        assert (found[1], found[3]) == ("A", "A")
