-- An answer that has been fetched: safe from here on. Nothing is returned when the chunk has a new owner.
INSERT INTO etl.fetched_answers AS kept (answer_id, execution_id, league_id, season_id, fetched_at, packed)
SELECT %(answer_id)s, %(execution_id)s, league_id, season_id, coalesce(%(fetched_at)s, clock_timestamp()), %(packed)s
FROM etl.chunks
WHERE league_id = %(league_id)s AND season_id = %(season_id)s AND fence = %(fence)s
FOR SHARE
-- Said again after a connection that broke in the instant of the commit.
ON CONFLICT (answer_id) DO UPDATE SET fetched_at = kept.fetched_at
RETURNING answer_id
