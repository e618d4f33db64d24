-- Executions, newest first, with speed and, while they run, the seconds they still need at that speed.
SELECT e.execution_id, e.dag_id, e.run_id, e.status, e.started_at, e.finished_at, e.heartbeat_at, s.seconds AS duration_seconds,
       e.total_fixtures, e.processed_fixtures, e.successful_fixtures, e.failed_fixtures, e.total_chunks, e.processed_chunks,
       round(100.0 * e.successful_fixtures / nullif(e.processed_fixtures, 0), 1) AS success_rate,
       round(e.processed_fixtures / nullif(s.seconds, 0), 1) AS fixtures_per_second,
       CASE WHEN e.status = 'RUNNING' AND e.processed_fixtures > 0 AND e.total_fixtures > e.processed_fixtures
            THEN round((e.total_fixtures - e.processed_fixtures) * s.seconds / e.processed_fixtures) END AS remaining_seconds,
       coalesce(e.config ->> 'dry_run', 'false') = 'true' AS dry_run, left(e.error_message, 500) AS error_message
FROM etl.etl_executions e
CROSS JOIN LATERAL (SELECT coalesce(e.duration_seconds, round(extract(epoch FROM %(now)s::timestamptz - e.started_at)::numeric, 1)) AS seconds) s
WHERE (%(status)s::text IS NULL OR e.status = %(status)s)
  AND (%(dag_id)s::text IS NULL OR e.dag_id = %(dag_id)s)
  AND (%(run_id)s::text IS NULL OR e.run_id = %(run_id)s)
  AND (%(before)s::timestamptz IS NULL OR (e.started_at, e.execution_id) < (%(before)s::timestamptz, %(before_id)s::text))
ORDER BY e.started_at DESC, e.execution_id DESC
LIMIT %(limit)s;
