"""How fast the views for analysts answer for one season of 380 matches with 10 million statistics of players stored.

    python -m benchmarks.analysis [--rows N] [--keep FOLDER]

A season from the sandbox is stored by the loader and copied under other ids until the table of statistics has as many
rows. Then each view is queried for one season several times; measured is the time until its last row is here. A folder
that --keep names is used again. The exit code is 1 when a median is over the limit.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.harness import filled_database, postgres, print_times

LIMIT_MS = 100
MATCHES = 380
# What is left of the season, and how often it is copied.
CUT = """
DELETE FROM football.fixtures f
USING (SELECT id, row_number() OVER (ORDER BY starting_at, id) AS place FROM football.fixtures) p
WHERE p.id = f.id AND p.place > %(matches)s
"""
COPIES = """
CREATE TEMP TABLE copies AS
SELECT n AS number, n * 1000000000000 AS shift
FROM generate_series(1, (SELECT ceil({rows}::numeric / count(*)) - 1 FROM football.fixture_player_statistics s
                         JOIN football.fixtures f ON f.id = s.fixture_id)::bigint) AS n
"""
SEASONS = """
INSERT INTO football.seasons (id, league_id, name, starting_at, ending_at)
SELECT f.season_id + c.number, f.league_id, 'Season', s.day, s.day + 300
FROM (SELECT DISTINCT league_id, season_id FROM football.fixtures) f
CROSS JOIN (SELECT 0 AS number UNION ALL SELECT number FROM copies) c
CROSS JOIN LATERAL (SELECT date '2025-08-01' - (365 * c.number)::integer AS day) s
"""
# Columns of the copied tables that are other ones in each copy. Two seasons have the same players, the next two others.
SHIFTED = {
    "id": "t.id + c.shift",
    "fixture_id": "t.fixture_id + c.shift",
    "lineup_id": "t.lineup_id + c.shift",
    "player_id": "t.player_id + c.number / 2 * 1000000",
    "season_id": "t.season_id + c.number",
    "starting_at": "t.starting_at - c.number * interval '365 days'",
    "next_due_at": "NULL",
}
TABLES = (
    "fixtures",
    "fixture_participants",
    "fixture_scores",
    "fixture_events",
    "fixture_lineups",
    "fixture_player_statistics",
    "fixture_player_figures",
    "fixture_statistics",
    "fixture_periods",
)
QUERIES = {
    "player_match": "SELECT * FROM football.player_match WHERE season_id = {season}",
    "player_match, five columns": "SELECT player_id, minutes, goals, shots, rating FROM football.player_match"
    " WHERE season_id = {season}",
    "player_match of a match": "SELECT * FROM football.player_match WHERE fixture_id = {fixture}",
    "player_match of a player": "SELECT * FROM football.player_match WHERE player_id = {player}",
    "player_season": "SELECT * FROM football.player_season WHERE season_id = {season}",
    "player_season of a player": "SELECT * FROM football.player_season WHERE player_id = {player}",
    "player_appearances": "SELECT * FROM football.player_appearances WHERE season_id = {season}",
    "player_appearances of a player": "SELECT * FROM football.player_appearances WHERE player_id = {player}",
    "standings": "SELECT * FROM football.standings WHERE season_id = {season}",
    "standings_at": "SELECT * FROM football.standings_at({season}, '2026-01-01')",
    "fixture_results": "SELECT * FROM football.fixture_results WHERE season_id = {season}",
    "team_match_statistics": "SELECT * FROM football.team_match_statistics WHERE season_id = {season}",
    "events_named": "SELECT * FROM football.events_named WHERE season_id = {season}",
    "season_complete": "SELECT * FROM football.season_complete({season})",
    "season_complete of every season": "SELECT c.* FROM etl.chunks k, football.season_complete(k.season_id) c",
    "rows_per_match": "SELECT * FROM football.rows_per_match({season})",
    "season_coverage": "SELECT * FROM football.season_coverage WHERE season_id = {season}",
    "fixture_schedule": "SELECT * FROM football.fixture_schedule WHERE season_id = {season}",
    "suspected_fixtures": "SELECT * FROM football.suspected_fixtures WHERE season_id = {season}",
}


def fill(dsn: str, rows: int) -> None:
    """One season through the loader, and copies of it."""
    from benchmarks.load import fetch_season
    from sandbox.reference import STATES, TYPES
    from sportmonks.load.batch import store_batch
    from sportmonks.warehouse.connection import open_connection
    from sportmonks.warehouse.migrations import migrate

    season = fetch_season(MATCHES + 20)
    with open_connection(dsn, autocommit=True) as conn:
        migrate(conn)
        for table, names in (("types", TYPES), ("states", STATES)):
            with conn.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO football.{table} (id, name, developer_name) VALUES (%s, %s, %s)".encode(),
                    [(row["id"], row["name"], row["developer_name"]) for row in names.values()],
                )
        season.prepare(conn)
        for batch in season.batches:
            store_batch(conn, batch, season.context())
        conn.execute(CUT, {"matches": MATCHES})
        conn.execute(COPIES.format(rows=rows).encode())
        conn.execute(SEASONS)
        for table in TABLES:
            copy_rows(conn, table)
        conn.execute("VACUUM (ANALYZE)")


def copy_rows(conn: psycopg.Connection[Any], table: str) -> None:
    """The season's rows of a table under the ids of each copy, one copy after the other."""
    found = conn.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'football' AND table_name = %s"
        " ORDER BY ordinal_position",
        (table,),
    ).fetchall()
    names = [name for (name,) in found]
    values = ", ".join(SHIFTED.get(name, f"t.{name}") for name in names)
    key = "id" if table == "fixtures" else "fixture_id"
    conn.execute(
        f"INSERT INTO football.{table} ({', '.join(names)}) SELECT {values} FROM copies c, football.{table} t"
        f" WHERE t.{key} IN (SELECT id FROM football.fixtures WHERE id < 1000000000000)"
        f" ORDER BY c.number, t.{key}".encode()
    )


def ask(conn: psycopg.Connection[Any], repeat: int) -> Iterator[tuple[str, list[float]]]:
    """Each query with its number of rows, and its times in ms without the first, which fills the caches."""
    ids = conn.execute(
        "SELECT max(season_id) AS season, max(fixture_id) AS fixture, max(player_id) AS player"
        " FROM football.fixture_lineups JOIN football.fixtures f ON f.id = fixture_id"
        " WHERE season_id = (SELECT min(id) FROM"
        " (SELECT DISTINCT season_id AS id FROM football.fixtures ORDER BY id DESC LIMIT 4) AS newest)"
    ).fetchone()
    assert ids is not None
    for label, text in QUERIES.items():
        statement = text.format(season=ids[0], fixture=ids[1], player=ids[2]).encode()
        times, rows = [], 0
        for _ in range(repeat + 1):
            begun = time.perf_counter()
            # Without making Python's values of the rows, which costs more than the query.
            result = conn.pgconn.exec_(statement)
            times.append((time.perf_counter() - begun) * 1000)
            if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
                raise SystemExit(f"{label}: {result.error_message.decode()}")
            rows = result.ntuples
        yield f"{label} ({rows:,})", times[1:]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000_000, help="statistics of players")
    parser.add_argument("--repeat", type=int, default=7)
    parser.add_argument("--keep", type=Path, help="folder of the database, kept for the next time")
    args = parser.parse_args()

    from sportmonks.warehouse.migrations import migrate

    with postgres(args.keep) as server:
        dsn = filled_database(server, f"analysis_{args.rows}", lambda conninfo: fill(conninfo, args.rows))
        with psycopg.connect(dsn, autocommit=True) as conn:
            migrate(conn)
            counts = conn.execute(
                "SELECT (SELECT count(*) FROM football.fixtures),"
                " (SELECT count(*) FROM football.fixture_player_statistics)"
            ).fetchone()
            assert counts is not None
            print(f"{counts[0]:,} matches, {counts[1]:,} statistics of players\n")
            return print_times("query (rows)", ask(conn, args.repeat), limit_ms=LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
