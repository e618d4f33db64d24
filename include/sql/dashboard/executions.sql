-- Runs of leagues, newest first: whose, how they were started, why they failed, with speed and, while they run, the seconds they still need at that speed.
-- The figures of a running one are summed from its chunks, which move with every batch.
SELECT 'league' AS kind, e.league_id, coalesce(l.name, nullif(n.league_name, '')) AS league_name, e.run_type, e.triggered_by,
       greatest(e.attempts, t.tries) AS attempts, e.attempts > 1 AS cleared, w.failed_seasons, w.failed_season, w.failed_error,
       e.execution_id, e.dag_id, e.run_id, e.status, e.started_at, e.finished_at, e.heartbeat_at, s.seconds AS duration_seconds,
       f.total AS total_fixtures, f.processed AS processed_fixtures, f.successful AS successful_fixtures, f.failed AS failed_fixtures,
       e.total_chunks, f.chunks AS processed_chunks,
       round(100.0 * f.successful / nullif(f.processed, 0), 1) AS success_rate,
       round(f.processed / nullif(s.seconds, 0), 1) AS fixtures_per_second,
       CASE WHEN e.status = 'RUNNING' AND f.processed > 0 AND f.total > f.processed
            THEN round((f.total - f.processed) * s.seconds / f.processed) END AS remaining_seconds,
       coalesce(e.config ->> 'dry_run', 'false') = 'true' AS dry_run,
       CASE WHEN e.config ->> 'dry_run' = 'true' THEN (e.estimate ->> 'fixtures')::bigint END AS estimated_fixtures,
       left(e.error_message, 500) AS error_message
FROM etl.etl_executions e
LEFT JOIN football.leagues l ON l.id = e.league_id
LEFT JOIN LATERAL (SELECT k.league_name FROM etl.chunks k WHERE k.league_id = e.league_id LIMIT 1) n ON true
CROSS JOIN LATERAL (SELECT max(c.tries) AS tries FROM etl.execution_chunks c WHERE c.execution_id = e.execution_id) t
LEFT JOIN LATERAL (
    SELECT count(*) AS failed_seasons,
           (array_agg(coalesce(nullif(k.season_name, ''), c.season_id::text) ORDER BY c.position))[1] AS failed_season,
           (array_agg(left(c.error_message, 500) ORDER BY c.position))[1] AS failed_error
    FROM etl.execution_chunks c LEFT JOIN etl.chunks k USING (league_id, season_id)
    WHERE e.status = 'FAILED' AND c.execution_id = e.execution_id AND c.status = 'FAILED') w ON true
CROSS JOIN LATERAL (SELECT coalesce(e.duration_seconds, round(extract(epoch FROM %(now)s::timestamptz - e.started_at)::numeric - e.idle_seconds, 1)) AS seconds) s
CROSS JOIN LATERAL (
    SELECT greatest(e.total_fixtures, coalesce(sum(c.planned), 0)) AS total, greatest(e.processed_fixtures, coalesce(sum(c.processed), 0)) AS processed,
           greatest(e.successful_fixtures, coalesce(sum(c.saved + c.unchanged), 0)) AS successful,
           greatest(e.failed_fixtures, coalesce(sum(c.failed), 0)) AS failed,
           greatest(e.processed_chunks, count(*) FILTER (WHERE c.status = 'COMPLETED')) AS chunks
    FROM etl.execution_chunks c
    WHERE e.status = 'RUNNING' AND c.execution_id = e.execution_id AND c.status <> 'SKIPPED') f
WHERE (%(status)s::text IS NULL OR e.status = %(status)s)
  AND (%(execution_id)s::text IS NULL OR e.execution_id = %(execution_id)s)
  AND (%(dag_id)s::text IS NULL OR e.dag_id = %(dag_id)s)
  AND (%(run_id)s::text IS NULL OR e.run_id = %(run_id)s)
  AND (%(before)s::timestamptz IS NULL OR (e.started_at, e.execution_id) < (%(before)s::timestamptz, %(before_id)s::text))
ORDER BY e.started_at DESC, e.execution_id DESC
LIMIT %(limit)s;
