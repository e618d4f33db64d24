-- What became of the fixtures of a batch in a run.
SELECT status, count(*) FROM etl.execution_fixtures
WHERE execution_id = %(execution_id)s AND season_id = %(season_id)s AND fixture_id = ANY (%(ids)s) AND status <> 'PENDING'
GROUP BY status
