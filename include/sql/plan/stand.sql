-- The plan stands: figures and quote of the execution, due counts of the chunks.
WITH chunk AS (
    UPDATE etl.chunks c
    SET due_fixtures = p.planned, priority = p.priority, updated_at = %(now)s
    FROM jsonb_to_recordset(%(chunks)s) AS p(season_id bigint, priority bigint, planned integer)
    WHERE c.league_id = %(league_id)s AND c.season_id = p.season_id
)
UPDATE etl.etl_executions
SET planned_at = %(now)s, heartbeat_at = %(now)s, updated_at = %(now)s, quote = %(quote)s,
    total_fixtures = (SELECT coalesce(sum(planned), 0) FROM etl.execution_chunks WHERE execution_id = %(execution_id)s),
    total_chunks = (SELECT count(*) FROM etl.execution_chunks WHERE execution_id = %(execution_id)s)
WHERE execution_id = %(execution_id)s
