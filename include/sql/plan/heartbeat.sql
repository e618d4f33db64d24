-- Sign of life of a chunk's owner and of its execution, with the connection that is free anyway.
WITH chunk AS (
    UPDATE etl.chunks SET heartbeat_at = clock_timestamp()
    WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND fence = %(fence)s
    RETURNING fence
)
UPDATE etl.etl_executions SET heartbeat_at = clock_timestamp()
WHERE execution_id = %(execution_id)s AND EXISTS (SELECT 1 FROM chunk)
