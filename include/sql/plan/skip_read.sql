-- What another run has read since this plan stood needs no second call, unless it was asked for less than now.
-- A reading that lies in the future was stamped by a clock that was set back since: it tells nothing.
UPDATE etl.execution_fixtures p
SET status = 'UNCHANGED', done_at = %(now)s
FROM football.fixtures f, etl.etl_executions e
WHERE p.execution_id = %(execution_id)s AND p.season_id = %(season_id)s AND p.status = 'PENDING'
  AND f.id = p.fixture_id AND e.execution_id = p.execution_id
  AND (f.deleted_at IS NOT NULL OR (f.last_fetched_at BETWEEN e.planned_at AND %(now)s AND f.read_includes @> %(includes)s::text[]))
