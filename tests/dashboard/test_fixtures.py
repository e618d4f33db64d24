"""One fixture on the page: its result, sections, payload, changes and reads."""

from __future__ import annotations

import json
from typing import Any

import psycopg
import pytest

from sportmonks.dashboard import fixtures
from tests.dashboard.conftest import Client
from tests.harness.dashboard_seed import one_match

Warehouse = psycopg.Connection[Any]


@pytest.fixture
def match(seeded: Warehouse) -> int:
    return one_match(seeded)


def test_a_fixture_in_full(client: Client, match: int) -> None:
    found = client.get(f"api/fixtures/{match}")
    assert (found["home_team"], found["home_goals"], found["away_goals"], found["away_team"]) == ("Ajax", 2, 1, "PSV")
    assert (found["half_time_home_goals"], found["half_time_away_goals"]) == (1, 1)
    assert (found["league_name"], found["season_name"]) == ("Premier League", "2025/2026")
    sections = {row["section"]: (row["stored"], row["sent"], row["has_table"]) for row in found["sections"]}
    assert sections["events"] == (3, 3, True)
    assert sections["weatherreport"] == (None, 1, False)
    assert sections["lineups"] == (0, None, True)
    assert [(read["reason"], read["status"]) for read in found["reads"]] == [
        ("after_1d", "HELD"),
        ("never_collected", "SAVED"),
    ]
    assert found["reads"][0]["total"] == 2
    assert found["reads"][0]["error"] == "lineups went from 22 rows to 0"
    assert [(c["section"], c["field"], c["after"]) for c in found["changes"]["rows"]] == [
        ("fixture", "result_info", "Ajax won 2-1")
    ]
    few = client.get(f"api/fixtures/{match}", reads=1)
    assert (len(few["reads"]), few["reads"][0]["total"]) == (1, 2)


def test_a_section_comes_with_names(client: Client, match: int) -> None:
    events = client.get(f"api/fixtures/{match}/sections/events")["rows"]
    assert [(e["minute"], e["event"], e["team"], e["player"]) for e in events] == [
        (11, "Goal", "Ajax", "A. Striker"),
        (40, "Goal", "PSV", "B. Striker"),
        (77, "4711", "Ajax", "A. Striker"),
    ]
    for name in fixtures.SECTIONS:
        rows = client.get(f"api/fixtures/{match}/sections/{name}")["rows"]
        assert bool(rows) == (name not in ("lineups", "player_statistics", "statistics", "periods")), name
    client.get(f"api/fixtures/{match}/sections/nothing", expect=422)


def test_the_payload_keeps_every_digit(client: Client, match: int) -> None:
    found = client.get(f"api/fixtures/{match}/payload")
    assert '"large": 12345678901234567890' in found["payload"]
    assert json.loads(found["payload"])["id"] == match
    assert found["includes"] == ["events", "participants", "scores"]


def test_what_is_not_there_is_not_found(client: Client, seeded: Warehouse) -> None:
    assert "no fixture 77" in client.get("api/fixtures/77", expect=404)["detail"]
    fixture = seeded.execute("SELECT min(id) FROM football.fixtures").fetchone()
    assert fixture is not None
    assert "never read" in client.get(f"api/fixtures/{fixture[0]}/payload", expect=404)["detail"]
    client.get("api/fixtures/x", expect=422)
    client.get(f"api/fixtures/{2**63}", expect=422)
    client.get(f"api/fixtures/{fixture[0]}", user="", expect=401)


def test_the_fixtures_of_a_season(client: Client, seeded: Warehouse) -> None:
    rows = client.get("api/chunks/6/6004/fixtures", limit=15)["rows"]
    assert (len(rows), rows[0]["total"], rows[0]["due"]) == (15, 40, True)
    assert [row["starting_at"] for row in rows] == sorted(row["starting_at"] for row in rows)
    assert len(client.get("api/chunks/6/6004/fixtures", limit=100)["rows"]) == 40
    assert client.get("api/chunks/6/9/fixtures")["rows"] == []
