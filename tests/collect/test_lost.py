"""Tables that were emptied, or restored without the marks of what was read into them, are filled again."""

from __future__ import annotations

import pytest

from tests.collect.conftest import DAY, RunHarness
from tests.harness.load import dump

pytestmark = pytest.mark.slow

FOOTBALL = (
    "fixtures, fixture_participants, fixture_scores, fixture_events, fixture_lineups, fixture_player_statistics,"
    " fixture_statistics, fixture_periods, teams"
)
LOST = {
    "all of football": (
        ", ".join(f"football.{name.strip()}" for name in FOOTBALL.split(",")),
        "without their fixtures",
    ),
    "football and raw": ("football.fixtures, football.fixture_events, raw.fixtures", "without their fixtures"),
    "the fixtures alone": ("football.fixtures", "without their fixtures"),
    "raw": ("raw.fixtures", "12 fixtures without their payload"),
    "events": ("football.fixture_events", "fixtures without their events"),
    "players": ("football.fixture_player_statistics", "fixtures without statistics of their players"),
}


@pytest.mark.parametrize("name", LOST)
def test_what_was_emptied_is_read_again(harness: RunHarness, caplog: pytest.LogCaptureFixture, name: str) -> None:
    tables, message = LOST[name]
    harness.run_all(harness.run())
    before = dump(harness.conn)
    harness.conn.execute(f"TRUNCATE {tables} CASCADE".encode())
    harness.run_all(harness.run())
    assert message in caplog.text
    after = dump(harness.conn)
    for table, rows in before.items():
        # Teams come with the fixtures; what only their own list has does not.
        assert len(after[table]) == len(rows) if table == "football.teams" else after[table] == rows, table
    # Nothing is due any more, and nothing is lost.
    caplog.clear()
    requested = harness.requested()
    harness.run_all(harness.run())
    assert harness.requested() == requested
    assert "has lost rows" not in caplog.text


SOME = {
    "participants": "football.fixture_participants",
    "scores": "football.fixture_scores",
    "lineups": "football.fixture_lineups",
    "players": "football.fixture_player_statistics",
    "statistics": "football.fixture_statistics",
    "periods": "football.fixture_periods",
    "payloads": "raw.fixtures",
    "fixtures": "football.fixtures",
}


@pytest.mark.parametrize("name", SOME)
def test_what_some_fixtures_have_lost_is_read_again(
    harness: RunHarness, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    """As after a DELETE for one season, while others keep their rows; the index of the season is not due either."""
    harness.run_all(harness.run(seasons=[]))
    before = dump(harness.conn)
    column = "id" if name == "fixtures" else "fixture_id"
    gone = harness.fixture_ids()[3:7]
    harness.conn.execute(f"DELETE FROM {SOME[name]} WHERE {column} = ANY (%s)".encode(), (gone,))
    assert dump(harness.conn) != before
    requested = harness.requested()
    harness.run_all(harness.run(seasons=[]))
    assert "The warehouse has lost rows of" in caplog.text
    assert harness.requested() == requested + len(gone)
    assert dump(harness.conn) == before
    caplog.clear()
    harness.run_all(harness.run(seasons=[]))
    assert harness.requested() == requested + len(gone)
    assert "has lost rows" not in caplog.text


def test_a_league_without_a_section_is_not_read_again_for_it(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.conn.execute("UPDATE raw.fixtures SET payload = jsonb_set(payload, '{events}', '[]')")
    harness.conn.execute("TRUNCATE football.fixture_events")
    assert harness.rows("SELECT * FROM etl.forget_lost(%s)", harness.league.id) == []


def test_one_fixture_among_many_without_a_section_is_found_in_time(harness: RunHarness) -> None:
    """Ten payloads of a season are looked at, other ones each time."""
    harness.run_all(harness.run())
    first, *others = harness.fixture_ids()
    emptied = "UPDATE raw.fixtures SET payload = jsonb_set(payload, '{events}', '[]') WHERE fixture_id = ANY (%s)"
    harness.conn.execute(emptied, (others,))
    harness.conn.execute("TRUNCATE football.fixture_events")
    found = (harness.rows("SELECT * FROM etl.forget_lost(%s)", harness.league.id) for _ in range(50))
    assert next(filter(None, found)) == [("fixtures without their events", 1)]
    assert harness.value("SELECT id FROM football.fixtures WHERE first_fetched_at IS NULL") == first


def test_a_fixture_that_lacks_several_things_is_named_once(harness: RunHarness) -> None:
    harness.run_all(harness.run())
    harness.conn.execute("DELETE FROM raw.fixtures WHERE fixture_id = (SELECT min(id) FROM football.fixtures)")
    harness.conn.execute("TRUNCATE football.fixture_scores, football.fixture_player_statistics")
    forget = "SELECT what, number FROM etl.forget_lost(%s)"
    found = dict(harness.rows(forget, harness.league.id))
    assert found["fixtures without their payload"] == 1
    assert found["fixtures without their scores"] > 1
    forgotten = harness.value("SELECT count(*) FROM football.fixtures WHERE first_fetched_at IS NULL")
    assert sum(found.values()) == forgotten
    assert harness.rows(forget, harness.league.id) == []


@pytest.mark.parametrize(
    ("table", "number"),
    [("fixture_events", "id"), ("fixture_player_statistics", "id"), ("fixture_participants", "team_id")],
)
def test_a_forced_run_finds_single_rows_that_somebody_has_deleted(
    harness: RunHarness, caplog: pytest.LogCaptureFixture, table: str, number: str
) -> None:
    """Their fixtures have other rows, and their payload has not changed."""
    harness.run_all(harness.run())
    before = dump(harness.conn)
    one = f"SELECT fixture_id, max({number}) FROM football.{table} GROUP BY 1 ORDER BY 1 LIMIT 1"
    harness.conn.execute(f"DELETE FROM football.{table} WHERE (fixture_id, {number}) IN ({one})".encode())
    harness.move(DAY)
    assert harness.run_all(harness.run(force=True)).outcomes == {"unchanged": 12}
    assert "1 fixtures lack rows that their payload has" in caplog.text
    assert harness.run_all(harness.run()).outcomes == {"saved": 1}
    assert dump(harness.conn)[f"football.{table}"] == before[f"football.{table}"]
    caplog.clear()
    harness.move(DAY)
    assert harness.run_all(harness.run(force=True)).outcomes == {"unchanged": 12}
    assert "lack rows" not in caplog.text
