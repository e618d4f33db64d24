-- What the fixtures that a run has stored of a season have in each table: rows, and their bytes as stored.
WITH saved AS MATERIALIZED (
    SELECT fixture_id FROM etl.execution_fixtures
    WHERE execution_id = %(execution_id)s AND season_id = %(season_id)s AND status = 'SAVED'
)
SELECT 'raw.fixtures' AS name, count(*) AS rows, coalesce(sum(pg_column_size(t.*)), 0) AS bytes
FROM saved JOIN raw.fixtures t USING (fixture_id)
UNION ALL
SELECT 'football.fixtures', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixtures t ON t.id = saved.fixture_id
UNION ALL
SELECT 'football.fixture_participants', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_participants t USING (fixture_id)
UNION ALL
SELECT 'football.fixture_scores', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_scores t USING (fixture_id)
UNION ALL
SELECT 'football.fixture_events', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_events t USING (fixture_id)
UNION ALL
SELECT 'football.fixture_lineups', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_lineups t USING (fixture_id)
UNION ALL
SELECT 'football.fixture_player_statistics', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_player_statistics t USING (fixture_id)
UNION ALL
SELECT 'football.fixture_statistics', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_statistics t USING (fixture_id)
UNION ALL
SELECT 'football.fixture_periods', count(*), coalesce(sum(pg_column_size(t.*)), 0)
FROM saved JOIN football.fixture_periods t USING (fixture_id);
