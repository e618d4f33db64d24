-- The fence of a chunk, held in shared mode until the batch is committed. Nothing in this transaction waits for ever.
WITH bounded AS MATERIALIZED (
    SELECT set_config('lock_timeout', '30s', true), set_config('statement_timeout', '300s', true)
)
SELECT c.fence FROM bounded, etl.chunks c
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s
FOR SHARE OF c
