-- The fence of a chunk, held in shared mode until the batch is committed. Nothing in this transaction waits for ever.
-- The planner cannot know how many rows a payload holds and guesses millions: compiling and remembering cost more than
-- the statements themselves.
WITH bounded AS MATERIALIZED (
    SELECT set_config('lock_timeout', '30s', true), set_config('statement_timeout', '300s', true),
           set_config('jit', 'off', true), set_config('enable_memoize', 'off', true)
)
SELECT c.fence FROM bounded, etl.chunks c
WHERE c.league_id = %(league_id)s AND c.season_id = %(season_id)s
FOR SHARE OF c
