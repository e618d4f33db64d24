-- Every followed season with the share that is collected, also those that were never read. What is due is counted now, not
-- when it was last collected; stale where something has been due for too long and nothing was collected in that time.
-- Suspected: fixtures that may lack data by an accident, and an index that is not believed yet. A season that is called
-- RUNNING although its run is over has failed: etl_watch closes it within ten minutes.
SELECT k.league_id, k.season_id, k.chunk_id, k.league_name, k.season_name, s.status, k.total_fixtures, k.collected_fixtures,
       k.settled_fixtures, coalesce(d.due, 0) AS due_fixtures, k.failed_fixtures, k.last_collected_at, k.last_execution_id,
       coalesce(u.suspected, 0) AS suspected_fixtures, k.index_suspected_at,
       d.due IS NOT NULL AND greatest(d.since, k.last_collected_at)
           < %(now)s::timestamptz - make_interval(secs => %(stale_hours)s::double precision * 3600) AS stale,
       etl.season_state(s.status, k.indexed_at IS NULL AND k.index_suspected_at IS NULL, k.total_fixtures,
                        k.collected_fixtures, coalesce(d.due, 0), k.failed_fixtures) AS state
FROM etl.chunks k
LEFT JOIN etl.etl_executions e ON k.status = 'RUNNING' AND e.execution_id = k.last_execution_id
CROSS JOIN LATERAL (SELECT CASE WHEN e.status <> 'RUNNING' THEN 'FAILED' ELSE k.status END AS status) s
LEFT JOIN (SELECT league_id, season_id, count(*) AS due, min(due_since) AS since
           FROM football.fixture_schedule WHERE next_due_at <= %(now)s::timestamptz
           GROUP BY league_id, season_id) d ON d.league_id = k.league_id AND d.season_id = k.season_id
LEFT JOIN (SELECT league_id, season_id, count(*) AS suspected FROM football.suspected_fixtures
           GROUP BY league_id, season_id) u ON u.league_id = k.league_id AND u.season_id = k.season_id
WHERE k.deactivated_at IS NULL
ORDER BY k.league_name, k.league_id, k.season_name DESC, k.season_id DESC;
