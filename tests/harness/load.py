"""A chunk to store payloads in, and the comparison of tables with payloads, element for element."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from sportmonks.config.catalog import GuardSettings, RecheckSettings
from sportmonks.load.batch import BatchResult, FetchedBatch, LoadContext, store_batch
from sportmonks.load.index import IndexResult, store_index

FixtureJson = dict[str, Any]
NOW = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
INCLUDES = ("participants", "scores", "events", "statistics", "periods", "lineups.details")
SECTIONS = {
    "participants": "fixture_participants",
    "scores": "fixture_scores",
    "events": "fixture_events",
    "lineups": "fixture_lineups",
    "lineups.details": "fixture_player_statistics",
    "statistics": "fixture_statistics",
    "periods": "fixture_periods",
}
TABLES = (
    "raw.fixtures",
    "football.fixtures",
    "football.teams",
    *(f"football.{name}" for name in SECTIONS.values()),
    "football.fixture_player_figures",
)
# Columns of football.fixtures that the loader sets, and no payload.
STATE_COLUMNS = (
    "collection_status ended_at first_fetched_at last_fetched_at last_requested_at last_changed_at unchanged_reads "
    "held_reads held_hash missing_reads failed_reads last_error index_changed_at index_missing_at deleted_at "
    "read_includes next_due_at due_reason index_listed replaced_by suspected_sections suspected_at "
    "hash_as_sent hash_in_order"
).split()
_NUMBERS = msgspec.json.Decoder(float_hook=Decimal)


def encode(payload: Any) -> bytes:
    return msgspec.json.encode(payload)


def shuffled(payload: Any, seed: int = 1) -> Any:
    """The same content with every list and every outer object in another order."""
    rng = random.Random(seed)

    def turn(value: Any, outer: bool) -> Any:
        if isinstance(value, list):
            rows = [turn(item, False) for item in value]
            rng.shuffle(rows)
            return rows
        if isinstance(value, dict):
            keys = list(value)
            if outer:
                rng.shuffle(keys)
            return {key: turn(value[key], False) for key in keys}
        return value

    return turn(copy.deepcopy(payload), True)


@dataclass
class ChunkHarness:
    """A chunk (a league's season) in the warehouse, with the calls that index, plan and store its fixtures.

    ``now`` is the time that the loader sees; ``store`` moves it on.
    """

    conn: psycopg.Connection[Any]
    league_id: int
    season_id: int
    now: datetime = NOW
    fence: int = 1
    guard: GuardSettings = field(default_factory=GuardSettings)
    includes: tuple[str, ...] = INCLUDES
    usual_includes: tuple[str, ...] = ()
    execution_id: str = "etl_test"
    batches: int = 0
    typed: bool = True

    def __post_init__(self) -> None:
        self.conn.execute(
            "INSERT INTO etl.chunks (league_id, season_id, fence) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
            (self.league_id, self.season_id, self.fence),
        )

    def context(self) -> LoadContext:
        return LoadContext(
            execution_id=self.execution_id,
            league_id=self.league_id,
            season_id=self.season_id,
            fence=self.fence,
            includes=self.includes,
            usual_includes=self.usual_includes,
            recheck=RecheckSettings(),
            guard=self.guard,
            typed=self.typed,
            clock=lambda: self.now,
        )

    def index(self, *payloads: Mapping[str, Any]) -> IndexResult:
        """Store a season index that lists these fixtures and no others."""
        return store_index(
            self.conn,
            league=(self.league_id, "League"),
            season=(self.season_id, "Season"),
            pages=[[dict(payload) for payload in payloads]] if payloads else [],
            now=self.now,
        )

    def plan(self, *ids: int) -> None:
        """Write the plan of this execution with these fixtures."""
        self.conn.execute(
            "INSERT INTO etl.execution_chunks (execution_id, league_id, season_id, planned) VALUES (%s, %s, %s, %s)",
            (self.execution_id, self.league_id, self.season_id, len(ids)),
        )
        for position, key in enumerate(ids, start=1):
            self.conn.execute(
                "INSERT INTO etl.execution_fixtures"
                " (execution_id, league_id, season_id, fixture_id, position, reason, priority)"
                " VALUES (%s, %s, %s, %s, %s, 'never_collected', 60)",
                (self.execution_id, self.league_id, self.season_id, key, position),
            )

    def fetched(
        self,
        *payloads: FixtureJson | tuple[int, bytes],
        missing: tuple[int, ...] = (),
        poisoned: Mapping[int, str] | None = None,
    ) -> FetchedBatch:
        self.batches += 1
        rows = dict(row if isinstance(row, tuple) else (row["id"], encode(row)) for row in payloads)
        return FetchedBatch(
            number=self.batches,
            requested=(*rows, *missing, *(poisoned or {})),
            rows=rows,
            missing=missing,
            poisoned=poisoned or {},
            bytes=sum(map(len, rows.values())),
        )

    def store(self, *payloads: FixtureJson | tuple[int, bytes], hours: float = 1, **rest: Any) -> BatchResult:
        """Store one batch, an hour after the one before."""
        self.now += timedelta(hours=hours)
        return store_batch(self.conn, self.fetched(*payloads, **rest), self.context())


def drop_incoming(conn: psycopg.Connection[Any]) -> set[str]:
    """Drops the temporary tables of a batch, where a test stores several in one transaction; their names."""
    tables = conn.execute("SELECT relname FROM pg_class WHERE relnamespace = pg_my_temp_schema() AND relkind = 'r'")
    names = {row[0] for row in tables.fetchall()}
    if names:
        conn.execute(sql.SQL("DROP TABLE {}").format(sql.SQL(", ").join(map(sql.Identifier, sorted(names)))))
    return names


def rows_of(conn: psycopg.Connection[Any], table: str, where: str = "true", *values: Any) -> list[dict[str, Any]]:
    with conn.cursor(row_factory=dict_row) as cursor:
        cursor.execute(
            sql.SQL("SELECT * FROM {} WHERE " + where).format(sql.Identifier(*table.split("."))),
            values,
        )
        return cursor.fetchall()


def fixture_row(conn: psycopg.Connection[Any], key: int) -> dict[str, Any]:
    (row,) = rows_of(conn, "football.fixtures", "id = %s", key)
    return row


def versions(conn: psycopg.Connection[Any]) -> dict[str, dict[Any, tuple[str, str, datetime]]]:
    """Place (ctid), writer (xmin) and updated_at of every row by table and key: a row that was written has others."""
    found = {}
    for table in TABLES:
        key = {"raw.fixtures": "fixture_id", "football.fixtures": "id", "football.teams": "id"}.get(table)
        second = {"participants": "team_id", "player_figures": "lineup_id"}.get(table.partition("fixture_")[2], "id")
        key = key or f"fixture_id, {second}"
        query = f"SELECT ARRAY[{key}], ctid::text, xmin::text, updated_at FROM {table}"
        found[table] = {tuple(row[0]): row[1:] for row in conn.execute(query)}
    return found


def changed_rows(before: Any, after: Any) -> set[tuple[str, Any]]:
    """(table, key) of every row that was inserted, updated or deleted."""
    return {
        (table, key)
        for table in before
        for key in before[table].keys() | after[table].keys()
        if before[table].get(key) != after[table].get(key)
    }


def dump(conn: psycopg.Connection[Any]) -> dict[str, list[str]]:
    """Every row of the data as text, without the times of storing, to compare two warehouses."""
    found = {}
    for table in TABLES:
        rows = rows_of(conn, table)
        times = {"created_at", "updated_at", "collected_at", *(STATE_COLUMNS if table == "football.fixtures" else ())}
        found[table] = sorted(str(sorted((k, v) for k, v in row.items() if k not in times)) for row in rows)
    return found


# ---- the comparison


def _utc(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


def _epoch(number: int | None) -> datetime | None:
    return None if number is None else datetime.fromtimestamp(number, UTC)


def _value(row: FixtureJson) -> dict[str, Any]:
    value = (row.get("data") or {}).get("value")
    if isinstance(value, bool):
        return {"value": Decimal(int(value)), "value_text": None}
    if isinstance(value, (int, Decimal)):
        return {"value": Decimal(value), "value_text": None}
    return {"value": None, "value_text": value if value is None or isinstance(value, str) else encode(value).decode()}


def _elements(payload: FixtureJson, section: str) -> dict[int, FixtureJson] | None:
    """A section's rows by id as the tables should hold them, None when the payload does not hold the section."""
    if section == "lineups.details":
        lineups = payload.get("lineups")
        if lineups is None or not any("details" in row for row in lineups):
            return None
        return {
            detail["id"]: {**detail, **_value(detail), "lineup_id": detail.get("lineup_id", row["id"])}
            for row in lineups
            for detail in row.get("details") or ()
        }
    rows = payload.get(section)
    if rows is None:
        return None
    special: dict[str, Callable[[FixtureJson], dict[str, Any]]] = {
        "participants": lambda row: {"team_id": row["id"], **(row.get("meta") or {})},
        "scores": lambda row: row.get("score") or {},
        "statistics": _value,
        "periods": lambda row: {"started_at": _epoch(row.get("started")), "ended_at": _epoch(row.get("ended"))},
    }
    more = special.get(section)
    return {row["id"]: {**row, **(more(row) if more else {})} for row in rows}


def assert_stored(conn: psycopg.Connection[Any], payload: FixtureJson) -> None:
    """Every element of the payload is in its table, column by column, and nothing else is."""
    payload = _NUMBERS.decode(encode(payload))
    key = payload["id"]
    for section, table in SECTIONS.items():
        elements = _elements(payload, section)
        if elements is None:
            continue
        id_column = "team_id" if section == "participants" else "id"
        rows = {row[id_column]: row for row in rows_of(conn, f"football.{table}", "fixture_id = %s", key)}
        assert rows.keys() == elements.keys(), f"{table} of fixture {key}"
        for number, element in elements.items():
            for column, stored in rows[number].items():
                if column not in ("fixture_id", "created_at", "updated_at", id_column):
                    assert stored == element.get(column), f"{table}.{column} of {number}"
    row = fixture_row(conn, key)
    drawn = {"starting_at": _utc(payload.get("starting_at")), **_teams(payload), **_goals(payload)}
    for column, stored in row.items():
        if column not in (*STATE_COLUMNS, "created_at", "updated_at", "quality_score"):
            assert stored == {**payload, **drawn}.get(column), f"fixtures.{column}"
    assert row["collection_status"] == "COLLECTED"
    (raw,) = rows_of(conn, "raw.fixtures", "fixture_id = %s", key)
    assert _NUMBERS.decode(encode(raw["payload"])) == payload
    assert raw["reference_date"] == (drawn["starting_at"].date() if drawn["starting_at"] else None)


def _teams(payload: FixtureJson) -> dict[str, Any]:
    sides = {(row.get("meta") or {}).get("location"): row["id"] for row in payload.get("participants") or ()}
    return {"home_team_id": sides.get("home"), "away_team_id": sides.get("away")}


def _goals(payload: FixtureJson) -> dict[str, Any]:
    current = {
        row["score"]["participant"]: row["score"]["goals"]
        for row in payload.get("scores") or ()
        if row["description"] == "CURRENT"
    }
    return {"home_goals": current.get("home"), "away_goals": current.get("away")}


Degrade = Callable[[FixtureJson], Any]


def emptied(section: str) -> Degrade:
    return lambda payload: payload.update({section: []})


def without(payload: FixtureJson, how: str, *sections: str) -> FixtureJson:
    """A payload that holds nothing of ``sections``: they are empty, null or absent."""
    kept = {key: value for key, value in payload.items() if key not in sections}
    return kept if how == "absent" else {**payload, **dict.fromkeys(sections, [] if how == "empty" else None)}
