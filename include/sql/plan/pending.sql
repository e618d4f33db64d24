-- What is left of a chunk's plan in this run, in plan order.
SELECT p.fixture_id, p.reason, p.priority, p.urgent
FROM etl.execution_fixtures p
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'PENDING'
ORDER BY p.position
