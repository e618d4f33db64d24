-- What this run asked for and did not get, for the first time in a row, in plan order.
SELECT p.fixture_id, p.reason, p.priority, p.urgent
FROM etl.execution_fixtures p
JOIN football.fixtures f ON f.id = p.fixture_id
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'MISSING'
  AND f.missing_reads = 1 AND f.deleted_at IS NULL
ORDER BY p.position
