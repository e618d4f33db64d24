-- The collector has reached the end of the chunk's plan, or stops here with the reason.
UPDATE etl.execution_chunks
SET collected_at = CASE WHEN %(error)s::text IS NULL THEN clock_timestamp() END, error_message = %(error)s
WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s
