-- Progress of the chunk within the run and its heartbeat; last in the transaction, so the lock is short.
-- Recounted from the plan when the chunk closes.
UPDATE etl.execution_chunks
SET processed = processed + %(processed)s, saved = saved + %(saved)s, unchanged = unchanged + %(unchanged)s,
    failed = failed + %(failed)s, missing = missing + %(missing)s, api_calls = api_calls + %(calls)s, bytes = bytes + %(bytes)s
WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND season_id = %(season_id)s
