-- What is stored of played fixtures beyond their result: the sections in which a match without rows is compared with others.

-- The played fixtures of a season that are stored with their payload: which of the sections events, lineups and statistics
-- were requested for each, and in which of them it has rows.
CREATE OR REPLACE FUNCTION etl.played_detail(p_league_id bigint, p_season_id bigint, p_played bigint[])
RETURNS TABLE (fixture_id bigint, requested text[], filled text[], goals integer) LANGUAGE sql STABLE
SET search_path = pg_catalog, pg_temp AS $$
    SELECT f.id,
           ARRAY(SELECT s FROM unnest('{events,lineups,statistics}'::text[]) AS s
                 WHERE s IN (SELECT lower(split_part(split_part(trim(i), '.', 1), ':', 1) COLLATE "C") FROM unnest(r.includes) AS i)),
           array_remove(ARRAY[
               CASE WHEN EXISTS (SELECT 1 FROM football.fixture_events e WHERE e.fixture_id = f.id) THEN 'events' END,
               CASE WHEN EXISTS (SELECT 1 FROM football.fixture_lineups l WHERE l.fixture_id = f.id) THEN 'lineups' END,
               CASE WHEN EXISTS (SELECT 1 FROM football.fixture_statistics s WHERE s.fixture_id = f.id) THEN 'statistics' END
           ], NULL),
           f.home_goals + f.away_goals
    FROM football.fixtures f
    JOIN raw.fixtures r ON r.fixture_id = f.id
    WHERE f.league_id = p_league_id AND f.season_id = p_season_id AND f.state_id = ANY (p_played)
      AND f.deleted_at IS NULL AND f.first_fetched_at IS NOT NULL
$$;
