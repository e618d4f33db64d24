-- Could this season's index not be read when the run began, and has nobody read it since?
SELECT c.index_failed AND NOT coalesce(k.indexed_at BETWEEN e.started_at AND %(now)s, false)
FROM etl.execution_chunks c
JOIN etl.etl_executions e USING (execution_id)
LEFT JOIN etl.chunks k USING (league_id, season_id)
WHERE c.execution_id = %(execution_id)s AND c.league_id = %(league_id)s AND c.season_id = %(season_id)s
