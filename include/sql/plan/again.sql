-- A fixture that this run has read and that is due again by now, because its plan was made again.
UPDATE etl.execution_fixtures SET status = 'PENDING', done_at = NULL, error = NULL
WHERE execution_id = %s AND season_id = %s AND fixture_id = %s
