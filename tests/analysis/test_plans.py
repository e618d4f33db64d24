"""Views for analysts find a season, a match or a player by an index, however much is stored beside it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import conninfo

# Tables of which a season, a match or a player needs only a part. (Periods are few: two to five rows per match.)
BIG = {
    "fixtures",
    "fixture_events",
    "fixture_lineups",
    "fixture_player_figures",
    "fixture_player_statistics",
    "fixture_scores",
    "fixture_statistics",
    "fixture_participants",
}
FILL = """
INSERT INTO football.seasons (id, league_id, starting_at)
SELECT s, s % 5, '2020-08-01' FROM generate_series(1, 40) AS s;
INSERT INTO football.fixtures (id, league_id, season_id, round_id, state_id, home_team_id, away_team_id, home_goals,
                               away_goals, starting_at, collection_status)
SELECT s * 1000 + n, s % 5, s, n / 10, 5, n % 20, (n + 7) % 20, 1, 0,
       timestamptz '2020-08-01' + n * interval '1 day', 'COLLECTED'
FROM generate_series(1, 40) AS s, generate_series(1, 60) AS n;
INSERT INTO football.fixture_lineups (fixture_id, id, player_id, team_id, type_id)
SELECT f.id, f.id * 100 + p, p + 100 * f.season_id, f.home_team_id, 11
FROM football.fixtures f, generate_series(1, 6) AS p;
INSERT INTO football.fixture_player_statistics (fixture_id, id, lineup_id, player_id, type_id, value)
SELECT p.fixture_id, p.id * 100 + t, p.id, p.player_id, t, 1
FROM football.fixture_lineups p, generate_series(40, 48) AS t;
INSERT INTO football.fixture_player_figures
SELECT g.* FROM etl.player_figures(ARRAY(SELECT id FROM football.fixtures), now()) g;
INSERT INTO raw.fixtures (fixture_id, payload, content_hash, includes, collected_at)
SELECT id, '{}', '', '{events}', now() FROM football.fixtures;
INSERT INTO football.fixture_statistics (fixture_id, id, type_id, participant_id, value)
SELECT f.id, t, t, f.home_team_id, 1 FROM football.fixtures f, generate_series(40, 60) AS t;
INSERT INTO football.fixture_events (fixture_id, id, type_id, player_id, participant_id)
SELECT f.id, t, 14, 1, f.home_team_id FROM football.fixtures f, generate_series(1, 15) AS t;
INSERT INTO football.fixture_scores (fixture_id, id, description, participant, goals)
SELECT f.id, t, 'CURRENT', 'home', 1 FROM football.fixtures f, generate_series(1, 8) AS t;
INSERT INTO football.fixture_periods (fixture_id, id)
SELECT f.id, t FROM football.fixtures f, generate_series(1, 2) AS t;
INSERT INTO football.fixture_participants (fixture_id, team_id, winner)
SELECT f.id, t, t = 1 FROM football.fixtures f, generate_series(1, 2) AS t;
"""
QUERIES = [
    *(
        f"SELECT * FROM football.{view} WHERE {where}"
        for view in (
            "fixture_results",
            "team_match_statistics",
            "events_named",
            "player_match",
            "player_appearances",
        )
        for where in ("season_id = 7", "fixture_id = 7001")
    ),
    "SELECT * FROM football.player_match WHERE player_id = 701",
    "SELECT * FROM football.player_appearances WHERE player_id = 701",
    "SELECT * FROM football.player_season WHERE season_id = 7",
    "SELECT * FROM football.fixture_schedule WHERE season_id = 7",
]


@pytest.fixture(scope="module")
def filled(postgres_server: str, template_database: str) -> Iterator[psycopg.Connection[Any]]:
    """Forty seasons of sixty matches, with the figures that the planner knows of them."""
    name = "plans_of_views"
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name} TEMPLATE {template_database}".encode())
        with psycopg.connect(conninfo.make_conninfo(postgres_server, dbname=name), autocommit=True) as conn:
            conn.execute(FILL.encode())
            conn.execute("ANALYZE")
            conn.execute("SET random_page_cost = 1.1")  # as for disks of today, and in the local stack
            yield conn
        admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def scanned(plan: Any) -> Iterator[str]:
    """Tables that a plan reads from their first row to their last."""
    if plan.get("Node Type", "").endswith("Seq Scan"):
        yield plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scanned(part)


@pytest.mark.parametrize("query", QUERIES)
def test_nothing_big_is_read_from_end_to_end(filled: psycopg.Connection[Any], query: str) -> None:
    row = filled.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchone()
    assert row is not None
    # A player may have played in a large part of all matches: then their list is read, which is small.
    allowed = {"fixtures"} if "player_id" in query else set()
    assert not (BIG - allowed) & set(scanned(row[0][0]["Plan"])), row[0]


@pytest.mark.parametrize("call", ["standings_at(7)", "rows_per_match(7)", "season_complete(7)"])
def test_functions_read_only_their_season(filled: psycopg.Connection[Any], call: str) -> None:
    """Rows that were read outside indexes, counted by PostgreSQL itself."""
    count = (
        "SELECT coalesce(sum(seq_tup_read), 0) FROM pg_stat_xact_all_tables"
        " WHERE schemaname = 'football' AND relname = ANY (%s)"
    )
    with filled.transaction():
        before = filled.execute(count, (list(BIG),)).fetchone()
        assert filled.execute(f"SELECT * FROM football.{call}".encode()).fetchall()
        assert filled.execute(count, (list(BIG),)).fetchone() == before


def test_statistics_of_players_are_not_put_into_columns_for_a_question(filled: psycopg.Connection[Any]) -> None:
    """A season has 280,000 of them: reading them alone takes as long as an answer may take."""
    for view in ("player_match", "player_season", "player_appearances"):
        plan = filled.execute(f"EXPLAIN (FORMAT JSON) SELECT * FROM football.{view} WHERE season_id = 7".encode())
        assert "fixture_player_statistics" not in str(plan.fetchone()), view
