-- The plan stands: figures and estimate of the execution, due counts of the chunks.
WITH chunk AS (
    UPDATE etl.chunks c
    SET due_fixtures = (SELECT count(*) FROM football.fixture_schedule s
                        WHERE s.league_id = c.league_id AND s.season_id = c.season_id AND s.next_due_at <= %(now)s),
        priority = p.priority, updated_at = %(now)s
    FROM jsonb_to_recordset(%(chunks)s) AS p(season_id bigint, priority bigint, planned integer)
    WHERE c.league_id = %(league_id)s AND c.season_id = p.season_id
), settled AS (
    -- Seasons of an earlier plan of this run that have nothing left to do: what went wrong there has been put right since.
    UPDATE etl.execution_chunks c
    SET status = 'SKIPPED', finished_at = %(now)s, error_message = NULL
    WHERE c.execution_id = %(execution_id)s AND c.status IN ('FAILED', 'RUNNING')
      AND NOT EXISTS (SELECT 1 FROM jsonb_to_recordset(%(chunks)s) AS p(season_id bigint) WHERE p.season_id = c.season_id)
)
UPDATE etl.etl_executions
SET planned_at = %(now)s, heartbeat_at = %(now)s, updated_at = %(now)s, estimate = %(estimate)s,
    total_fixtures = (SELECT coalesce(sum(planned), 0) FROM etl.execution_chunks WHERE execution_id = %(execution_id)s),
    total_chunks = (SELECT count(*) FROM etl.execution_chunks WHERE execution_id = %(execution_id)s)
WHERE execution_id = %(execution_id)s
