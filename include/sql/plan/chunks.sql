-- The chunks of a plan, in order of priority.
INSERT INTO etl.execution_chunks AS c (execution_id, league_id, season_id, position, priority, planned, index_failed)
SELECT %(execution_id)s, %(league_id)s, p.season_id, p.position, p.priority, p.planned, p.season_id = ANY (%(unread)s::bigint[])
FROM jsonb_to_recordset(%(chunks)s) AS p(season_id bigint, position integer, priority bigint, planned integer)
ON CONFLICT (execution_id, league_id, season_id) DO UPDATE
    SET position = excluded.position, priority = excluded.priority, planned = excluded.planned,
        index_failed = excluded.index_failed,
        status = 'PENDING', finished_at = NULL, collected_at = NULL, error_message = NULL
