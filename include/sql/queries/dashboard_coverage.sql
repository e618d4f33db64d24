-- Every league and season with the share that is collected; stale where fixtures are due and none was collected lately.
SELECT league_id, season_id, chunk_id, league_name, season_name, status, total_fixtures, collected_fixtures, settled_fixtures,
       due_fixtures, failed_fixtures, last_collected_at, last_execution_id,
       due_fixtures > 0 AND coalesce(last_collected_at, created_at) < %(now)s::timestamptz - make_interval(secs => %(stale_hours)s::double precision * 3600) AS stale
FROM etl.chunks WHERE deactivated_at IS NULL
ORDER BY league_name, league_id, season_name DESC, season_id DESC;
