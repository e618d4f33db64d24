-- How many fixtures of each season are stored with their data? Parameter: ids of the leagues.
SELECT f.season_id, count(*) FILTER (WHERE r.fixture_id IS NOT NULL AND f.collection_status <> 'DELETED') AS stored
FROM football.fixtures AS f
LEFT JOIN raw.fixtures AS r ON r.fixture_id = f.id
WHERE f.league_id = ANY(%s)
GROUP BY f.season_id
