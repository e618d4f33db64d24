-- How far are these executions, season by season? Parameter: their ids.
SELECT x.execution_id, x.season_id, coalesce(nullif(c.season_name, ''), x.season_id::text) AS season,
       x.status, x.planned, x.processed, x.failed, x.error_message
FROM etl.execution_chunks AS x
LEFT JOIN etl.chunks AS c ON c.league_id = x.league_id AND c.season_id = x.season_id
WHERE x.execution_id = ANY(%s)
ORDER BY x.execution_id, x.position, season DESC
