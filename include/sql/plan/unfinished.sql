-- Seasons that this run has begun and not finished: they belong to a plan made again, even with nothing left to read.
SELECT season_id FROM etl.execution_chunks
WHERE execution_id = %(execution_id)s AND league_id = %(league_id)s AND status IN ('RUNNING', 'FAILED')
