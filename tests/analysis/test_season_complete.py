"""football.season_complete: one row that says whether a season is complete, and if not, why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest

from tests.analysis.conftest import Ask, asker, prepare
from tests.harness.load import FixtureJson


@dataclass
class Season:
    """The stored season: its ids, and the time of its last reading."""

    conn: psycopg.Connection[Any]
    league_id: int
    season_id: int
    now: datetime

    def ask(self, *, hours: float = 0) -> dict[str, Any]:
        """The answer, ``hours`` after the last reading."""
        query = "SELECT * FROM football.season_complete(%s, %s)"
        (row,) = asker(self.conn)(query, self.season_id, self.now + timedelta(hours=hours))
        return row


@pytest.fixture
def season(
    shared: psycopg.Connection[Any], shared_database: tuple[str, datetime], payloads: list[FixtureJson]
) -> Season:
    return Season(shared, payloads[0]["league_id"], payloads[0]["season_id"], shared_database[1])


def test_a_season_that_has_only_been_listed(warehouse: psycopg.Connection[Any], payloads: list[FixtureJson]) -> None:
    chunk = prepare(warehouse, payloads)
    season = Season(warehouse, chunk.league_id, chunk.season_id, chunk.now)
    row = season.ask()
    assert (row["complete"], row["fixtures"], row["collected"], row["unread"]) == (False, len(payloads), 0, 30)
    assert row["reason"] == "30 fixtures have not been read"
    assert (row["league_id"], row["season"]) == (season.league_id, "Season")
    chunk.store(*payloads[:2])
    warehouse.execute("UPDATE etl.chunks SET indexed_at = NULL")
    assert season.ask()["reason"] == "its list of fixtures has not been read; 28 fixtures have not been read"


def test_a_season_that_has_been_read(season: Season, payloads: list[FixtureJson]) -> None:
    row = season.ask()
    assert (row["complete"], row["reason"], row["collected"]) == (True, None, len(payloads))
    assert row["played"] == sum(payload["state_id"] in (5, 7, 8, 17) for payload in payloads)


def test_due_is_what_the_schedule_says(season: Season, ask: Ask) -> None:
    (schedule,) = ask("SELECT min(next_due_at) AS first FROM football.fixture_schedule")
    hours = (schedule["first"] - season.now) / timedelta(hours=1)
    assert season.ask(hours=hours - 0.01)["complete"]
    (due,) = ask("SELECT count(*) AS due FROM football.fixture_schedule WHERE next_due_at <= %s", schedule["first"])
    row = season.ask(hours=hours)
    assert (row["complete"], row["due"]) == (False, due["due"])
    assert row["reason"] == f"{due['due']} fixtures are due to be read again"


FIRST = "WHERE id = (SELECT min(id) FROM football.fixtures)"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            f"UPDATE football.fixtures SET held_reads = 1, last_error = 'x' {FIRST}",
            "1 fixtures are suspected to lack data",
        ),
        (
            "UPDATE football.fixtures SET held_reads = 1, suspected_sections = 'scores', suspected_at = now()"
            f", state_id = 5 {FIRST}",
            "1 fixtures are suspected to lack data",
        ),
        (
            f"UPDATE football.fixtures SET collection_status = 'FAILED' {FIRST}",
            "1 fixtures could not be read or were not returned",
        ),
        (
            f"UPDATE football.fixtures SET collection_status = 'MISSING' {FIRST}",
            "1 fixtures could not be read or were not returned",
        ),
        (
            "UPDATE football.fixtures SET collection_status = 'MISSING',"
            f" last_error = 'The subscription does not cover Cup (9) any more.' {FIRST}",
            "1 fixtures could not be read or were not returned (1: The subscription does not cover Cup (9) any more)",
        ),
        ("UPDATE etl.chunks SET indexed_at = NULL", "its list of fixtures has not been read"),
        (
            "UPDATE etl.chunks SET indexed_at = NULL, error_message = 'The API does not answer.'",
            "its list of fixtures has not been read; its last run: The API does not answer.",
        ),
        (
            "UPDATE etl.chunks SET doubtful_indexes = 1, index_suspected_at = now()",
            "its newest list of fixtures lacked known ones and is not believed",
        ),
        (
            f"UPDATE etl.chunks SET deactivated_at = now(); UPDATE football.fixtures SET state_id = 1 {FIRST}",
            "it is not followed any more and has matches to come",
        ),
        ("DELETE FROM etl.chunks", "no run has planned this season"),
    ],
)
def test_why_not(season: Season, change: str, reason: str) -> None:
    season.conn.execute(change.encode())
    row = season.ask()
    assert (row["complete"], row["reason"]) == (False, reason)


def test_a_match_to_come_is_not_lacking(season: Season) -> None:
    season.conn.execute(f"UPDATE football.fixtures SET state_id = 1 {FIRST}".encode())
    row = season.ask()
    assert (row["complete"], row["to_play"]) == (True, 1)


PLAYED = "WHERE id IN (SELECT id FROM football.fixtures WHERE state_id IN (5, 7, 8) ORDER BY id LIMIT 2)"


@pytest.mark.parametrize(
    ("change", "remarks"),
    [
        ("SELECT 1", None),
        # An error of a run that has been made good since.
        ("UPDATE etl.chunks SET error_message = 'The API does not answer.'", None),
        (f"UPDATE football.fixtures SET state_id = 10 {FIRST}", "1 matches are postponed"),
        (
            f"UPDATE football.fixtures SET suspected_sections = 'lineups, statistics', suspected_at = now() {PLAYED}",
            "2 played matches have no rows of lineups; 2 played matches have no rows of statistics",
        ),
        (
            "UPDATE raw.fixtures SET includes = '{participants,scores,Events,lineups.details}'"
            f" WHERE fixture_id IN (SELECT id FROM football.fixtures {PLAYED})",
            "2 played matches were requested without statistics",
        ),
        # By the league's settings.
        ("UPDATE raw.fixtures SET includes = '{participants,scores,events,lineups.details}'", None),
    ],
)
def test_what_a_complete_season_lacks_all_the_same(season: Season, change: str, remarks: str | None) -> None:
    season.conn.execute(change.encode())
    row = season.ask()
    assert (row["complete"], row["reason"], row["remarks"]) == (True, None, remarks)
    assert row["postponed"] == (remarks == "1 matches are postponed")


def test_a_season_that_lists_nothing_is_not_complete(warehouse: psycopg.Connection[Any]) -> None:
    warehouse.execute("INSERT INTO etl.chunks (league_id, season_id, indexed_at) VALUES (8, 77, now())")
    (row,) = asker(warehouse)("SELECT complete, reason, fixtures FROM football.season_complete(77)")
    reason = "its list of fixtures is empty: the provider has none yet, or the subscription does not cover it"
    assert row == {"complete": False, "reason": reason, "fixtures": 0}


def test_an_unknown_season_has_its_row_too(ask: Ask) -> None:
    (row,) = ask("SELECT season_id, complete, reason, fixtures FROM football.season_complete(77)")
    assert row == {"season_id": 77, "complete": False, "reason": "no run has planned this season", "fixtures": 0}
