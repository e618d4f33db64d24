-- Marks the batch off in the plan of this run; what is marked already counts once.
UPDATE etl.execution_fixtures p
SET status = v.outcome, error = v.error, done_at = %(now)s
FROM jsonb_to_recordset(%(verdicts)s) AS v(fixture_id bigint, outcome text, error text)
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.fixture_id = v.fixture_id
  AND (p.status, p.error) IS DISTINCT FROM (v.outcome, v.error)
