-- Questions of the command line about runs.

-- name: run/errors
-- What went wrong in an execution, newest first?
SELECT component, message, coalesce(details ->> 'hint', details ->> 'mend') AS hint
FROM etl.etl_logs
WHERE execution_id = %(execution_id)s AND level IN ('ERROR', 'CRITICAL')
ORDER BY log_id DESC
LIMIT 5;

-- name: run/metrics
-- Every metric of an execution, in order of time.
SELECT timestamp, metric_name, metric_value, metric_unit, tags
FROM etl.etl_metrics
WHERE execution_id = %(execution_id)s
ORDER BY timestamp, metric_id;

-- name: run/progress
-- How far are these executions, season by season?
SELECT x.execution_id, x.season_id, coalesce(nullif(c.season_name, ''), x.season_id::text) AS season,
       x.status, x.planned, x.processed, x.failed, x.error_message
FROM etl.execution_chunks AS x
LEFT JOIN etl.chunks AS c ON c.league_id = x.league_id AND c.season_id = x.season_id
WHERE x.execution_id = ANY(%(execution_ids)s)
ORDER BY x.execution_id, x.position, season DESC;

-- name: run/summary
-- The figures of one execution.
SELECT s.execution_id, s.status, s.duration_seconds, s.total_fixtures, s.processed_fixtures, s.successful_fixtures,
       s.failed_fixtures, s.total_chunks, s.processed_chunks, s.success_rate, s.fixtures_per_second, s.api_calls,
       s.failed_calls, s.missing_fixtures, s.error_message, e.estimate
FROM etl.get_etl_execution_summary(%(execution_id)s) AS s
JOIN etl.etl_executions AS e ON e.execution_id = s.execution_id;

-- name: run/stored_fixtures
-- How many fixtures of each season are stored with their data?
SELECT f.season_id, count(*) FILTER (WHERE r.fixture_id IS NOT NULL AND f.collection_status <> 'DELETED'
                                       AND f.replaced_by IS NULL) AS stored
FROM football.fixtures AS f
LEFT JOIN raw.fixtures AS r ON r.fixture_id = f.id
WHERE f.league_id = ANY(%(league_ids)s)
GROUP BY f.season_id;

-- name: run/route
-- How far is a run of a raw route, and what has it brought? The newest of its plans.
SELECT status, slice_index, slices, counters, error_message, date_from, date_to,
       extract(epoch FROM updated_at - started_at)::double precision AS seconds
FROM etl.route_progress
WHERE execution_id = %(execution_id)s
ORDER BY updated_at DESC
LIMIT 1;
