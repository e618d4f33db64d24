"""Compares the warehouse with the sandbox, row by row."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg

from tests.harness.expected import COLUMNS, FIXTURE, fixture_row, is_complete, normal, plain, section_rows

Rows = dict[tuple[Any, ...], tuple[Any, ...]]


@dataclass
class Differences:
    """Rows that are missing, too many or wrong, each described in a text."""

    lost: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def all(self) -> list[str]:
        return [*self.lost, *self.duplicates, *self.wrong]


def compare(
    conn: psycopg.Connection[Any],
    truth: list[dict[str, Any]],
    *,
    tombstones: dict[int, str],
    skip: frozenset[int] = frozenset(),
    recreated: Mapping[int, int] | None = None,
) -> Differences:
    """Every difference between the warehouse and the sandbox.

    ``truth``: the sandbox's fixtures with payloads. ``tombstones``: payloads (as text) that the warehouse held of
    fixtures when they were deleted; they stay. ``skip``: fixtures that the recheck schedule has not read again yet.
    ``recreated``: new ids of matches by their old ids, which are marked and in no result.
    """
    found = Differences()
    alive = {row["id"]: row["payload"] for row in truth if not row["deleted"]}
    deleted = {row["id"] for row in truth if row["deleted"]}
    stored = _fixtures(conn)
    _recreated(found, conn, {old: new for old, new in (recreated or {}).items() if old in stored})
    for fixture_id in recreated or {}:
        stored.pop(fixture_id, None)
    for fixture_id in alive.keys() - stored.keys():
        found.lost.append(f"fixture {fixture_id} is not in the warehouse")
    for fixture_id in stored.keys() - alive.keys() - deleted:
        found.duplicates.append(f"fixture {fixture_id} does not exist at the provider")
    for fixture_id in stored.keys() & alive.keys():
        status = stored[fixture_id][0]
        if status != "COLLECTED":
            found.lost.append(f"fixture {fixture_id} is {status}")
        elif fixture_id not in skip and stored[fixture_id][1] != fixture_row(alive[fixture_id]):
            found.wrong.append(f"fixture {fixture_id}: {stored[fixture_id][1]} != {fixture_row(alive[fixture_id])}")
    for fixture_id in stored.keys() & deleted:
        if stored[fixture_id][0] != "DELETED":
            found.wrong.append(f"deleted fixture {fixture_id} is {stored[fixture_id][0]}")
    payloads = {key: value for key, value in alive.items() if key not in skip and key in stored}
    raw = dict(conn.execute("SELECT fixture_id, payload FROM raw.fixtures").fetchall())
    for fixture_id, text in tombstones.items():
        if fixture_id not in raw:
            found.lost.append(f"the payload of deleted fixture {fixture_id} is gone")
        elif raw[fixture_id] != json.loads(text):
            found.wrong.append(f"the payload of deleted fixture {fixture_id} was replaced")
    # The sections of a tombstone stay as its payload says.
    payloads |= {key: raw[key] for key in tombstones if key in raw and is_complete(raw[key])}
    _payloads(found, raw, payloads)
    for table in COLUMNS:
        _section(found, conn, table, payloads, raw)
    return found


def _fixtures(conn: psycopg.Connection[Any]) -> dict[int, tuple[str, tuple[Any, ...]]]:
    columns = ", ".join((*FIXTURE.split(), "home_team_id", "away_team_id", "home_goals", "away_goals"))
    rows = conn.execute(f"SELECT id, collection_status, {columns} FROM football.fixtures").fetchall()
    return {row[0]: (row[1], tuple(row[2:])) for row in rows}


def _recreated(found: Differences, conn: psycopg.Connection[Any], expected: Mapping[int, int]) -> None:
    marked = dict(
        conn.execute("SELECT id, replaced_by FROM football.fixtures WHERE replaced_by IS NOT NULL").fetchall()
    )
    if marked != dict(expected):
        found.wrong.append(f"marked as created anew are {marked}, not {dict(expected)}")
    ids = list(expected)
    shown = conn.execute(
        "SELECT fixture_id FROM football.fixture_results WHERE fixture_id = ANY (%s)", (ids,)
    ).fetchall()
    found.duplicates += [f"the old id {row[0]} of a match is among the results" for row in shown]


def _payloads(found: Differences, raw: dict[int, Any], payloads: dict[int, dict[str, Any]]) -> None:
    for fixture_id, payload in payloads.items():
        if fixture_id not in raw:
            found.lost.append(f"fixture {fixture_id} has no payload")
        elif normal(raw[fixture_id]) != normal(payload):
            keys = [key for key in payload if normal(raw[fixture_id].get(key)) != normal(payload[key])]
            keys += [key for key in raw[fixture_id] if key not in payload]
            found.wrong.append(f"payload of fixture {fixture_id} differs in {keys}")


def _section(
    found: Differences,
    conn: psycopg.Connection[Any],
    table: str,
    payloads: dict[int, dict[str, Any]],
    raw: dict[int, Any],
) -> None:
    key, names = COLUMNS[table]
    columns = ", ".join(names.split())
    rows: Rows = {
        (row[0], row[1]): tuple(plain(value) for value in row[2:])
        for row in conn.execute(f"SELECT fixture_id, {key}, {columns} FROM football.{table}").fetchall()
    }
    for fixture_id in {row[0] for row in rows} - raw.keys():
        found.duplicates.append(f"{table} has rows of fixture {fixture_id}, which was never collected")
    expected: Rows = {}
    for payload in payloads.values():
        for name, row in section_rows(table, payload).items():
            expected[name] = tuple(plain(value) for value in row)
    for name in expected.keys() - rows.keys():
        found.lost.append(f"{table} {name} is not there")
    for name in rows.keys() - expected.keys():
        if name[0] in payloads:
            found.duplicates.append(f"{table} {name} is too many")
    for name in expected.keys() & rows.keys():
        if expected[name] != rows[name]:
            found.wrong.append(f"{table} {name}: {rows[name]} != {expected[name]}")


TABLES = (
    "raw.fixtures",
    "football.fixtures",
    "football.teams",
    *(f"football.{name}" for name in COLUMNS),
    "football.fixture_player_figures",
)
# Columns in which the collector records its reads: they change with every read.
BOOKKEEPING = (
    "collection_status ended_at first_fetched_at last_fetched_at last_requested_at last_changed_at unchanged_reads"
    " held_reads held_hash missing_reads failed_reads last_error index_changed_at index_missing_at next_due_at"
    " due_reason updated_at read_includes index_listed replaced_by hash_as_sent hash_in_order"
).split()


def stamps(conn: psycopg.Connection[Any]) -> dict[str, Counter[tuple[str, str]]]:
    """Per table: (content of a row, its updated_at)."""
    found = {}
    for table in TABLES:
        rows = conn.execute(
            f"SELECT md5((to_jsonb(t) - %s::text[])::text), t.updated_at::text FROM {table} t", (BOOKKEEPING,)
        ).fetchall()
        found[table] = Counter(rows)
    return found


def touched(before: dict[str, Counter[tuple[str, str]]], after: dict[str, Counter[tuple[str, str]]]) -> list[str]:
    """Rows with the same content and another updated_at."""
    found = []
    for table in TABLES:
        old = {content: updated_at for content, updated_at in before[table] - after[table]}
        for content, updated_at in after[table] - before[table]:
            if content in old:
                found.append(f"{table}: updated_at moved from {old[content]} to {updated_at} though nothing changed")
    return found


def repeated_changes(conn: psycopg.Connection[Any]) -> list[str]:
    """Changes that are in the ledger more than once."""
    rows = conn.execute(
        """SELECT fixture_id, section, field, count(*) FROM etl.fixture_changes
           GROUP BY fixture_id, section, field, before, after, changed_at HAVING count(*) > 1"""
    ).fetchall()
    return [f"the ledger holds {row[3]} times that {row[1]} {row[2]} of fixture {row[0]} changed" for row in rows]
