"""Rows per match against the league's last seasons, as a function, as a check, and the trend of all checks."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg
import pytest

from tests.analysis.conftest import Ask, asker

LEAGUE, OLD, NEW = 8, (1, 2, 3, 4), 5
EVENTS = {1: 90, 2: 10, 3: 10, 4: 13, 5: 4}  # rows per match by season; the first season is too old to count


@pytest.fixture
def ask(warehouse: psycopg.Connection[Any]) -> Ask:
    return asker(warehouse)


@pytest.fixture
def seasons(warehouse: psycopg.Connection[Any]) -> None:
    """Five seasons of twelve played matches with 4 scores and EVENTS events each."""
    warehouse.execute(
        "INSERT INTO football.seasons (id, league_id, starting_at)"
        " SELECT n, 8, make_date(2020 + n, 8, 1) FROM generate_series(1, 5) AS n"
    )
    warehouse.execute(
        "INSERT INTO football.fixtures (id, league_id, season_id, state_id, collection_status, starting_at)"
        " SELECT s * 100 + n, 8, s, 5, 'COLLECTED', make_date(2020 + s, 9, n)"
        " FROM generate_series(1, 5) AS s, generate_series(1, 12) AS n"
    )
    warehouse.execute(
        "INSERT INTO raw.fixtures (fixture_id, payload, content_hash, includes, collected_at)"
        " SELECT id, '{}', '', '{scores,Events,lineups.details}', now() FROM football.fixtures"
    )
    warehouse.execute(
        "INSERT INTO football.fixture_scores (fixture_id, id) SELECT f.id, n FROM football.fixtures f,"
        " generate_series(1, 4) AS n"
    )
    for season, count in EVENTS.items():
        warehouse.execute(
            "INSERT INTO football.fixture_events (fixture_id, id)"
            " SELECT f.id, n FROM football.fixtures f, generate_series(1, %s) AS n WHERE f.season_id = %s",
            (count, season),
        )


def check(warehouse: psycopg.Connection[Any], execution: str = "x") -> tuple[bool, bool, str]:
    warehouse.execute("SELECT etl.run_chunk_checks(%s, %s, %s)", (execution, LEAGUE, NEW))
    row = warehouse.execute(
        "SELECT required, success, notes FROM etl.check_results WHERE name = 'rows_per_match' AND execution_id = %s",
        (execution,),
    ).fetchone()
    assert row is not None
    return row


@pytest.mark.usefixtures("seasons")
def test_rows_per_match(ask: Ask) -> None:
    rows = {row["section"]: row for row in ask("SELECT * FROM football.rows_per_match(%s)", NEW)}
    assert list(rows) == ["scores", "events", "lineups", "lineups.details", "statistics", "periods"]
    assert rows["events"] == {
        "section": "events",
        "matches": 12,
        "rows_per_match": Decimal("4.0"),
        "earlier_matches": 36,
        "earlier_rows_per_match": Decimal("11.0"),
        "ratio": Decimal("0.364"),
    }
    assert rows["scores"]["ratio"] == 1
    assert (rows["lineups"]["matches"], rows["lineups"]["ratio"]) == (12, None)
    assert rows["lineups.details"]["matches"] == 12
    assert (rows["statistics"]["matches"], rows["statistics"]["rows_per_match"]) == (0, None)


@pytest.mark.usefixtures("seasons")
def test_only_so_many_matches_are_read(ask: Ask) -> None:
    rows = ask("SELECT * FROM football.rows_per_match(%s, 5, 2) WHERE section = 'events'", NEW)
    assert (rows[0]["matches"], rows[0]["earlier_matches"], rows[0]["earlier_rows_per_match"]) == (5, 10, 11.5)


@pytest.mark.usefixtures("seasons")
def test_too_few_rows_fail_the_check_and_not_the_season(warehouse: psycopg.Connection[Any]) -> None:
    required, success, notes = check(warehouse)
    assert (required, success) == (False, False)
    assert notes == (
        "1 sections with less than half the rows per match of the seasons before: events 4.0 instead of 11.0"
    )


@pytest.mark.usefixtures("seasons")
def test_a_section_that_is_not_requested_any_more_is_no_anomaly(warehouse: psycopg.Connection[Any], ask: Ask) -> None:
    """Nor is one that only half of the matches were requested with: these are compared."""
    warehouse.execute("DELETE FROM football.fixture_events WHERE fixture_id BETWEEN 501 AND 506")
    warehouse.execute("UPDATE raw.fixtures SET includes = '{scores}' WHERE fixture_id BETWEEN 501 AND 506")
    warehouse.execute(
        "INSERT INTO football.fixture_events (fixture_id, id)"
        " SELECT f.id, n FROM football.fixtures f, generate_series(5, 10) AS n WHERE f.id > 506"
    )
    (row,) = ask("SELECT * FROM football.rows_per_match(%s) WHERE section = 'events'", NEW)
    assert (row["matches"], row["rows_per_match"]) == (6, 10)
    assert check(warehouse)[1]
    warehouse.execute("UPDATE raw.fixtures SET includes = '{scores}' WHERE fixture_id > 500")
    assert check(warehouse)[1]


@pytest.mark.usefixtures("seasons")
def test_a_season_under_way_is_compared_with_the_same_part_of_the_seasons_before(
    warehouse: psycopg.Connection[Any], ask: Ask
) -> None:
    """A cup: few events are known of the early rounds, many of the late ones."""
    warehouse.execute("DELETE FROM football.fixture_events WHERE fixture_id % 100 <= 6 AND id > 4")
    warehouse.execute("UPDATE football.fixtures SET state_id = 1 WHERE id > 506")
    (row,) = ask("SELECT * FROM football.rows_per_match(%s) WHERE section = 'events'", NEW)
    assert (row["matches"], row["earlier_matches"], row["ratio"]) == (6, 18, 1)
    assert check(warehouse)[1]
    # In the end it is compared with complete seasons.
    warehouse.execute("UPDATE football.fixtures SET state_id = 5")
    warehouse.execute("DELETE FROM football.fixture_events WHERE fixture_id > 506 AND id > 2")
    assert not check(warehouse)[1]


@pytest.mark.usefixtures("seasons")
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM football.fixtures WHERE season_id = 5 AND id > 504",
        "DELETE FROM football.fixtures WHERE season_id < 5 AND id % 100 > 3",
        "UPDATE football.fixtures SET state_id = 1 WHERE season_id = 5",
        "DELETE FROM football.seasons WHERE id < 5",
    ],
)
def test_too_few_matches_to_compare_fail_nothing(warehouse: psycopg.Connection[Any], change: str) -> None:
    warehouse.execute(change.encode())
    assert check(warehouse)[1:] == (
        True,
        "0 sections with less than half the rows per match of the seasons before",
    )


def test_the_trend_of_a_check(warehouse: psycopg.Connection[Any], ask: Ask) -> None:
    for day, success in enumerate([True, False, True, False, False], start=1):
        warehouse.execute(
            "INSERT INTO etl.check_results (execution_id, chunk_id, name, required, success, notes, checked_at)"
            " VALUES (%s, '8_5', 'quality', false, %s, %s, make_date(2026, 1, %s))",
            (f"e{day}", success, f"n{day}", day),
        )
    (row,) = ask("SELECT * FROM etl.check_trends")
    assert row["failing_since"].day == 4
    assert (row["success"], row["notes"], row["previous_success"], row["previous_notes"]) == (False, "n5", False, "n4")
    assert (row["runs"], row["failures"]) == (5, 3)
    warehouse.execute("UPDATE etl.check_results SET success = true WHERE execution_id = 'e5'")
    (row,) = ask("SELECT * FROM etl.check_trends")
    assert (row["success"], row["failing_since"], row["failures"]) == (True, None, 2)
