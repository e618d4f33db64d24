-- The chunks of one execution in the order of their priority.
SELECT c.league_id, c.season_id, c.league_id || '_' || c.season_id AS chunk_id, coalesce(k.league_name, '') AS league_name,
       coalesce(k.season_name, '') AS season_name, c.status, c.position, c.priority, c.planned, c.processed, c.saved, c.unchanged,
       c.failed, c.missing, c.api_calls, c.bytes, c.tries, c.started_at, c.finished_at,
       round(extract(epoch FROM coalesce(c.finished_at, %(now)s::timestamptz) - c.started_at)::numeric, 1) AS duration_seconds,
       left(c.error_message, 500) AS error_message
FROM etl.execution_chunks c LEFT JOIN etl.chunks k USING (league_id, season_id)
WHERE c.execution_id = %(execution_id)s
ORDER BY c.status = 'SKIPPED', c.position, c.league_id, c.season_id LIMIT 600;
