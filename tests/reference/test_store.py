"""Reference lists in the warehouse."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from sportmonks.reference.store import LISTS, store_list
from tests.harness.load import NOW, rows_of

DAY = timedelta(days=1)
STATE = {"id": 5, "state": "FT", "name": "Full Time", "short_name": "FT", "developer_name": "FT"}


def test_a_list_is_written_once_and_moves_only_where_it_changed(warehouse: psycopg.Connection[Any]) -> None:
    rows = [STATE, {**STATE, "id": 1, "name": "Not Started"}]
    assert store_list(warehouse, "states", rows, NOW) == (2, 0)
    assert store_list(warehouse, "states", rows[::-1], NOW + DAY) == (0, 0)
    assert store_list(warehouse, "states", [{**STATE, "name": "Over"}], NOW + DAY) == (0, 1)
    found = {row["id"]: (row["name"], row["updated_at"]) for row in rows_of(warehouse, "football.states")}
    assert found == {5: ("Over", NOW + DAY), 1: ("Not Started", NOW)}


def test_an_empty_list_changes_nothing(warehouse: psycopg.Connection[Any]) -> None:
    store_list(warehouse, "states", [STATE], NOW)
    assert store_list(warehouse, "states", [], NOW) == (0, 0)
    assert len(rows_of(warehouse, "football.states")) == 1


@pytest.mark.parametrize("name", LISTS)
def test_odd_rows_of_every_list(warehouse: psycopg.Connection[Any], name: str) -> None:
    needed = {"league_id": 8} if name == "seasons" else {}
    rows: list[dict[str, Any]] = [
        {"id": 1, **needed, "name": "A", "unknown": [1], "image_path": None},
        {
            "id": "2",
            **needed,
            "name": "",
            "country_id": "",
            "founded": "",
            "is_current": "",
            "starting_at": "",
            "category": "",
        },
        {"id": 3, **needed},
        {"id": None, **needed, "name": "nobody"},
        {"id": "", **needed},
        {"id": 1, **needed, "name": "A"},
    ]
    assert store_list(warehouse, name, rows, NOW)[0] == 3
    assert {row["id"] for row in rows_of(warehouse, f"football.{name}")} == {1, 2, 3}


@pytest.mark.parametrize("name", LISTS)
def test_odd_values_of_every_list(warehouse: psycopg.Connection[Any], name: str) -> None:
    """NUL, half a character, NaN: that value is replaced, and all rows are stored."""
    needed = {"league_id": 8} if name == "seasons" else {}
    column = "state" if name == "states" else "name"
    odd: list[Any] = ["A\x00B", "1\ud83d", float("nan"), 10**400, "x" * 9000]
    rows = [{"id": key, **needed, column: value, "odd\x00key": value} for key, value in enumerate(odd, start=1)]
    rows.append({"id": 6, **needed, column: "well", "starting_at": "9999-12-31T23:59:59-12:00", "founded": 1e400})
    assert store_list(warehouse, name, rows, NOW) == (6, 0)
    found = {row["id"]: row[column] for row in rows_of(warehouse, f"football.{name}")}
    assert [found[key] for key in (1, 2, 3, 6)] == ["AB", "1\ufffd", None, "well"]
    assert store_list(warehouse, name, rows, NOW + DAY) == (0, 0)


def test_a_row_that_the_warehouse_refuses_is_left_out(
    warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    warehouse.execute("ALTER TABLE football.states ADD CONSTRAINT no_test CHECK (name <> 'Test')")
    rows = [{**STATE, "id": key, "name": "Test" if key == 3 else "A"} for key in range(1, 6)]
    assert store_list(warehouse, "states", rows, NOW) == (4, 0)
    assert "the row with id 3 cannot be stored" in caplog.text


def test_rows_without_an_id_are_left_out_and_reported(
    warehouse: psycopg.Connection[Any], caplog: pytest.LogCaptureFixture
) -> None:
    assert store_list(warehouse, "states", [STATE, {**STATE, "id": "?"}], NOW) == (1, 0)
    assert "1 rows without an id" in caplog.text


def test_an_unknown_list_is_refused(warehouse: psycopg.Connection[Any]) -> None:
    with pytest.raises(ValueError, match="no list named coaches; known: states"):
        store_list(warehouse, "coaches", [], NOW)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("leagues", "2023_football__leagues__all.json"),
        ("seasons", "2023_football__seasons__all.json"),
        ("stages", "2023_football__stages__by_season_id.json"),
        ("rounds", "2023_football__rounds__season_id.json"),
        ("teams", "2023_football__teams__by_season_id.json"),
        ("venues", "2023_football__venues__by_season_id.json"),
        ("states", "2023_football__states__by_sport.json"),
        ("types", "2023_core__types__all.json"),
    ],
)
def test_real_lists(warehouse: psycopg.Connection[Any], samples: Path, name: str, file: str) -> None:
    data = msgspec.json.decode((samples / file).read_bytes())["data"]
    expected = {row["id"]: row for row in data}
    assert store_list(warehouse, name, data, NOW) == (len(expected), 0)
    assert store_list(warehouse, name, data, NOW + DAY) == (0, 0)
    for stored in rows_of(warehouse, f"football.{name}"):
        sent = expected[stored["id"]]
        for column, value in stored.items():
            if column in ("created_at", "updated_at"):
                assert value == NOW
            elif column in sent and isinstance(value, datetime):
                assert value == datetime.fromisoformat(sent[column]).replace(tzinfo=UTC)
            elif column in sent and value is not None and not hasattr(value, "isoformat"):
                assert type(value)(sent[column]) == value, column
            elif column in sent:
                assert sent[column] in (None, "", str(value)), column
