-- The newest runs of one league and season.
SELECT c.execution_id, c.status, c.planned, c.processed, c.saved, c.unchanged, c.failed, c.missing, c.api_calls, c.started_at,
       round(extract(epoch FROM coalesce(c.finished_at, %(now)s::timestamptz) - c.started_at)::numeric, 1) AS duration_seconds,
       left(c.error_message, 300) AS error_message
FROM etl.execution_chunks c
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s AND c.status <> 'SKIPPED'
ORDER BY c.started_at DESC NULLS LAST LIMIT 20;
