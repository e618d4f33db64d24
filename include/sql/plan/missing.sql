-- Fixtures of a season that this run asked for and that are missing without an explanation.
SELECT f.id FROM football.fixtures f
JOIN etl.execution_fixtures p ON p.fixture_id = f.id
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'MISSING'
  AND f.missing_reads > 0 AND f.deleted_at IS NULL
