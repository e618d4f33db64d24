-- Marks the fixtures of a batch off in the plan of this run; a row that is marked so already is not written again.
UPDATE etl.execution_fixtures p
SET status = d.outcome, error = d.error, done_at = %(now)s
FROM jsonb_to_recordset(%(decisions)s) AS d(fixture_id bigint, outcome text, error text)
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.fixture_id = d.fixture_id
  AND (p.status, p.error) IS DISTINCT FROM (d.outcome, d.error)
